/* LoyalNest panel, loaded on the first opening: fills Liquid's markup with text from the app proxy. */
(() => {
  if (customElements.get("loyalnest-panel")) return;
  const FIRST_POLL_MS = 250;
  const LONGEST_POLL_MS = 2000;
  const POLLS = 12;

  const pick = (data, path) => path.split(".").reduce((at, name) => at?.[name], data);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const each = (root, selector, act) => root.querySelectorAll(selector).forEach(act);

  const fill = (root, data) => {
    each(root, "[data-text]", (place) => {
      const text = pick(data, place.dataset.text);
      place.textContent = text ?? "";
      place.hidden = text === undefined || text === null || text === "";
    });
    each(root, "[data-value]", (bar) => (bar.value = pick(data, bar.dataset.value) ?? 0));
  };

  customElements.define(
    "loyalnest-panel",
    class extends HTMLElement {
      #config;
      #root;
      #dialog;
      #styled;
      #keys = new Map();
      #request = 0;

      connectedCallback() {
        if (this.#root) return;
        const home = this.parentElement;
        this.#config = JSON.parse(home.querySelector("[data-loyalnest-config]").textContent);
        Object.assign(this.dataset, { appearance: home.dataset.appearance, position: home.dataset.position });
        this.#root = this.attachShadow({ mode: "open" });
        this.#root.append(home.querySelector("[data-loyalnest-panel]").content.cloneNode(true));
        this.#dialog = this.#root.querySelector("dialog");
        const sheet = this.#root.querySelector("link");
        this.#styled = new Promise((done) => (sheet.onload = sheet.onerror = done));
        this.#config.parts.forEach((part) => import(new URL(part, document.baseURI).href).catch(() => {}));
        this.#dialog.addEventListener("click", (event) => this.#clicked(event));
      }

      /* Once its style sheet is there. */
      async show() {
        await this.#styled;
        if (this.#dialog.open) return;
        this.say("");
        this.#dialog.showModal();
        this.#root.getElementById("title").focus();
        document.dispatchEvent(new CustomEvent("loyalnest:opened"));
        this.load();
      }

      #clicked(event) {
        if (event.target === this.#dialog) return this.#dialog.close();
        const action = event.target.closest("[data-action]");
        if (!action || action.getAttribute("aria-disabled") === "true") return;
        const card = action.closest("li");
        const steps = {
          close: () => this.#dialog.close(),
          retry: () => this.load(),
          copy: () => this.#copy(card),
          ask: () => this.#confirming(card, true),
          cancel: () => this.#confirming(card, false),
          redeem: () => this.#redeem(card, action),
        };
        steps[action.dataset.action]();
      }

      /* Asks the app. Errors carry the app's sentence, and `final` when asking again the same way cannot help. */
      async ask(path, init = {}) {
        const { proxy, language } = this.#config;
        const answer = await fetch(`${proxy}/${path}?locale=${encodeURIComponent(language)}`, {
          ...init,
          headers: { Accept: "application/json", ...init.headers },
          signal: AbortSignal.timeout(15000),
        });
        const body = await answer.json();
        if (answer.ok) return body;
        const error = new Error(body.error?.message ?? "");
        error.final = answer.status < 500 && answer.status !== 429;
        throw error;
      }

      /* Loads and shows everything. Only the newest of several overlapping requests may write. */
      async load({ quiet = false } = {}) {
        const request = ++this.#request;
        if (!quiet) this.#phase("loading");
        try {
          const summary = await this.ask("summary");
          if (request !== this.#request) return;
          this.#render(summary);
          this.#phase("content");
        } catch {
          if (request === this.#request && !quiet) this.#phase("error");
        }
      }

      #phase(name) {
        each(this.#root, "[data-phase]", (part) => (part.hidden = part.dataset.phase !== name));
        this.#dialog.setAttribute("aria-busy", String(name === "loading"));
      }

      say(text) {
        this.#root.querySelector("[data-status]").textContent = text;
      }

      #render(summary) {
        const root = this.#root;
        each(root, "[data-list]", (list) => list.replaceChildren(list.querySelector("template")));
        fill(root, summary);
        each(root, "[data-list]", (list) => this.#list(list, summary[list.dataset.list] ?? []));
        each(root, "[data-when]", (part) => {
          const filled = part.dataset.filled;
          part.hidden =
            !part.dataset.when.split(" ").includes(summary.state) || Boolean(filled && !summary[filled]?.length);
        });
        each(root, "[data-empty]", (part) => (part.hidden = Boolean(summary[part.dataset.empty]?.length)));
        const tier = summary.tier;
        root.querySelector("[data-tier]").hidden = !tier;
        if (!tier) return;
        root.querySelector("[data-dot]").style.background = tier.color;
      }

      #list(list, items) {
        const template = list.querySelector("template");
        list.append(
          ...items.map((item) => {
            const row = template.content.firstElementChild.cloneNode(true);
            fill(row, item);
            row.item = item;
            if (list.dataset.list === "rewards") this.#reward(row, item);
            if (list.dataset.list === "codes") this.#code(row, item);
            return row;
          }),
        );
      }

      #reward(row, reward) {
        row.querySelector("details").hidden = !reward.terms;
        if (reward.image_url) row.prepend(Object.assign(new Image(), { src: reward.image_url, alt: "" }));
        row.querySelector("[data-redeem]").hidden = !reward.redeemable;
        const label = this.#config.texts.redeem_named.replace("{name}", () => reward.name);
        row.querySelector("[data-action=ask]").setAttribute("aria-label", label);
        if (!reward.slider) return;
        row.querySelector("[data-text=confirm_text]").hidden = true;
        import(new URL(this.#config.slider, document.baseURI).href).then(() => row.querySelector("loyalnest-slider").offer(reward));
      }

      #code(row, code) {
        row.querySelector("[data-usable]").hidden = !code.code;
        const { discount, cart } = this.#config;
        const target = `${discount}${encodeURIComponent(code.code ?? "")}?redirect=${encodeURIComponent(cart)}`;
        row.querySelector("[data-apply]").href = target;
      }

      #confirming(card, on) {
        card.querySelector("[data-confirm]").hidden = !on;
        card.querySelector("[data-redeem]").hidden = on;
        card.querySelector("[data-problem]").hidden = true;
        card.querySelector(`[data-action=${on ? "redeem" : "ask"}]`).focus();
      }

      async #copy(card) {
        const { copied, copy_failed: failed } = this.#config.texts;
        try {
          await navigator.clipboard.writeText(card.item.code);
          this.say(copied);
        } catch {
          getSelection().selectAllChildren(card.querySelector("code"));
          this.say(failed);
        }
      }

      /* One key per wish: a repeated try after a lost answer spends the points only once. */
      async #redeem(card, button) {
        const reward = card.item;
        const { texts } = this.#config;
        const points = card.querySelector("loyalnest-slider")?.points;
        const chosen = points ? { points } : {};
        const wish = `${reward.id}:${points ?? ""}`;
        const key = this.#keys.get(wish) ?? crypto.randomUUID();
        this.#keys.set(wish, key);
        this.#busy(card, button, true);
        let redemption;
        try {
          redemption = await this.ask("redeem", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ reward_id: reward.id, idempotency_key: key, ...chosen }),
          });
        } catch (error) {
          if (error.final) this.#keys.delete(wish);
          this.#busy(card, button, false);
          this.#problem(card, (error.final && error.message) || texts.unsure);
          return;
        }
        this.#keys.delete(wish);
        redemption = await this.#issued(redemption);
        await this.load({ quiet: true });
        document.dispatchEvent(new CustomEvent("loyalnest:changed"));
        this.#show(redemption);
      }

      /* Waits until the store has the code; after a while the shopper is told to come back. */
      async #issued(redemption) {
        for (let tries = 0; redemption.status === "reserved" && tries < POLLS; tries++) {
          await pause(Math.min(FIRST_POLL_MS * 2 ** tries, LONGEST_POLL_MS));
          redemption = await this.ask(`redemptions/${redemption.id}`).catch(() => redemption);
        }
        return redemption;
      }

      #show(redemption) {
        const { texts } = this.#config;
        const outcome = { issued: texts.ready, reserved: texts.slow };
        this.say(outcome[redemption.status] ?? redemption.message ?? texts.lost);
        const row = [...this.#root.querySelectorAll("[data-list=codes] > li")].find(
          (one) => one.item.id === redemption.id,
        );
        (row ?? this.#root.getElementById("title")).focus();
        row?.classList.add("fresh");
      }

      #busy(card, button, on) {
        button.setAttribute("aria-disabled", String(on));
        button.setAttribute("aria-busy", String(on));
        card.querySelector("[data-action=cancel]").hidden = on;
        card.querySelector("[data-problem]").hidden = true;
        this.say(on ? this.#config.texts.busy : "");
      }

      #problem(card, text) {
        const place = card.querySelector("[data-problem]");
        place.textContent = text;
        place.hidden = false;
      }
    },
  );
})();
