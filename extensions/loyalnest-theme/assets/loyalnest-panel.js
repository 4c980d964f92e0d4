/* LoyalNest panel: loaded on the first opening. Clones the markup that Liquid rendered and fills it with text from the
   app proxy. Who is asking is decided by Shopify's signature, never here. */
(() => {
  if (customElements.get("loyalnest-panel")) return;
  const POLLS = 12;

  const pick = (data, path) => path.split(".").reduce((at, name) => at?.[name], data);
  const part = (root, name) => root.querySelector(`[data-${name}]`);
  const each = (root, name, act) => root.querySelectorAll(`[data-${name}]`).forEach(act);
  const module = (address) => import(new URL(address, document.baseURI));
  const tell = (place, text) => (place.hidden = !(place.textContent = text));

  const fill = (root, data) => {
    each(root, "text", (place) => tell(place, pick(data, place.dataset.text) ?? ""));
    each(root, "value", (bar) => (bar.value = pick(data, bar.dataset.value) ?? 0));
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
        this.#config = JSON.parse(part(home, "loyalnest-config").textContent);
        const { appearance, position } = home.dataset;
        Object.assign(this.dataset, { appearance, position });
        this.#root = this.attachShadow({ mode: "open" });
        this.#root.append(part(home, "loyalnest-panel").content.cloneNode(true));
        this.#dialog = this.#root.querySelector("dialog");
        const sheet = this.#root.querySelector("link");
        this.#styled = new Promise((done) => (sheet.onload = sheet.onerror = done));
        this.#config.parts.forEach((address) => module(address).catch(() => {}));
        this.#dialog.addEventListener("click", (event) => this.#clicked(event));
      }

      /* Opens the panel once its style sheet is there, and asks for fresh numbers. */
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
        if (!action || action.ariaDisabled === "true") return;
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

      /* Asks the app, or tells it `news`. Errors carry the app's sentence, and `final` when another try cannot help. */
      async ask(path, news) {
        const { proxy, language } = this.#config;
        const answer = await fetch(`${proxy}/${path}?locale=${encodeURIComponent(language)}`, {
          ...(news && { method: "POST", body: JSON.stringify(news) }),
          headers: { Accept: "application/json", "Content-Type": "application/json" },
          signal: AbortSignal.timeout(15000),
        });
        const { ok, status } = answer;
        const body = await answer.json();
        if (ok) return body;
        throw Object.assign(new Error(body.error?.message), { final: status < 500 && status !== 429 });
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
        each(this.#root, "phase", (one) => (one.hidden = one.dataset.phase !== name));
        this.#dialog.ariaBusy = name === "loading";
      }

      say(text) {
        part(this.#root, "status").textContent = text;
      }

      #render(summary) {
        const root = this.#root;
        fill(root, summary);
        each(root, "list", (list) => this.#list(list, summary[list.dataset.list] ?? []));
        each(root, "when", (one) => {
          const { when, filled } = one.dataset;
          one.hidden = !when.split(" ").includes(summary.state) || (filled && !summary[filled]?.length);
        });
        each(root, "empty", (one) => (one.hidden = summary[one.dataset.empty]?.length));
        const { tier } = summary;
        part(root, "tier").hidden = !tier;
        if (tier) part(root, "dot").style.background = tier.color;
      }

      #list(list, items) {
        const template = list.querySelector("template");
        list.replaceChildren(
          template,
          ...items.map((item) => {
            const row = template.content.firstElementChild.cloneNode(true);
            fill(row, item);
            row.item = item;
            if (part(row, "redeem")) this.#reward(row, item);
            if (part(row, "usable")) this.#code(row, item);
            return row;
          }),
        );
      }

      #reward(row, reward) {
        row.querySelector("details").hidden = !reward.terms;
        if (reward.image_url) row.prepend(Object.assign(new Image(), { src: reward.image_url, alt: "" }));
        part(row, "redeem").hidden = !reward.redeemable;
        part(row, "action=ask").ariaLabel = this.#config.texts.redeem_named.replace("{name}", () => reward.name);
        if (!reward.slider) return;
        part(row, "text=confirm_text").hidden = true;
        module(this.#config.slider).then(() => row.querySelector("loyalnest-slider").offer(reward));
      }

      #code(row, code) {
        part(row, "usable").hidden = !code.code;
        const { discount, cart } = this.#config;
        part(row, "apply").href = `${discount}${encodeURIComponent(code.code)}?redirect=${encodeURIComponent(cart)}`;
      }

      #confirming(card, on) {
        part(card, "confirm").hidden = !on;
        part(card, "redeem").hidden = on;
        tell(part(card, "problem"), "");
        part(card, `action=${on ? "redeem" : "ask"}`).focus();
      }

      async #copy(card) {
        const { texts } = this.#config;
        try {
          await navigator.clipboard.writeText(card.item.code);
          this.say(texts.copied);
        } catch {
          getSelection().selectAllChildren(card.querySelector("code"));
          this.say(texts.copy_failed);
        }
      }

      /* One key per wish: a repeated try after a lost answer spends the points only once. */
      async #redeem(card, button) {
        const reward = card.item;
        const points = card.querySelector("loyalnest-slider")?.points || undefined;
        const wish = `${reward.id}:${points ?? ""}`;
        const key = this.#keys.get(wish) ?? crypto.randomUUID();
        this.#keys.set(wish, key);
        this.#busy(card, button, true);
        let redemption;
        try {
          redemption = await this.ask("redeem", { reward_id: reward.id, idempotency_key: key, points });
        } catch (error) {
          if (error.final) this.#keys.delete(wish);
          this.#busy(card, button, false);
          tell(part(card, "problem"), (error.final && error.message) || this.#config.texts.unsure);
          return;
        }
        this.#keys.delete(wish);
        redemption = await this.settled(redemption, "reserved");
        await this.load({ quiet: true });
        document.dispatchEvent(new CustomEvent("loyalnest:changed"));
        this.#show(redemption);
      }

      /* Waits until the store has done its part; after a while the shopper is told to come back. */
      async settled(redemption, waiting) {
        for (let tries = 0; redemption.status === waiting && tries < POLLS; tries++) {
          await new Promise((done) => setTimeout(done, Math.min(250 * 2 ** tries, 2000)));
          redemption = await this.ask(`redemptions/${redemption.id}`).catch(() => redemption);
        }
        return redemption;
      }

      #show(redemption) {
        const { texts } = this.#config;
        const outcome = { issued: texts.ready, reserved: texts.slow };
        this.say(outcome[redemption.status] ?? redemption.message ?? texts.lost);
        const rows = [...this.#root.querySelectorAll("[data-list=codes] > li")];
        const row = rows.find(({ item }) => item.id === redemption.id);
        (row ?? this.#root.getElementById("title")).focus();
        row?.classList.add("fresh");
      }

      #busy(card, button, on) {
        Object.assign(button, { ariaDisabled: on, ariaBusy: on });
        part(card, "action=cancel").hidden = on;
        tell(part(card, "problem"), "");
        this.say(on ? this.#config.texts.busy : "");
      }
    },
  );
})();
