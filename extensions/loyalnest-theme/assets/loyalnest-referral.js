/* LoyalNest invitations, inside the panel. A friend's code travels on the cart, where Shopify keeps it and takes it to the
   order; nothing else is stored, so there is nothing to consent to. */
(() => {
  if (customElements.get("loyalnest-referral")) return;
  const ATTRIBUTE = "_loyalnest_ref";
  const CODE = /^[A-Za-z0-9]{4,32}$/;
  const SCHEMES = {
    email: (text) => `mailto:?body=${text}`,
    sms: (text) => `sms:?&body=${text}`,
    whatsapp: (text) => `whatsapp://send?text=${text}`,
  };

  customElements.define(
    "loyalnest-referral",
    class extends HTMLElement {
      connectedCallback() {
        const home = this.getRootNode().host.parentElement;
        this.config = JSON.parse(home.querySelector("[data-loyalnest-config]").textContent);
        this.querySelector("[data-copy]").onclick = () => this.copy();
        this.querySelector("[data-share]").onclick = () => this.share();
        document.addEventListener("loyalnest:opened", this);
        this.load();
      }

      disconnectedCallback() {
        document.removeEventListener("loyalnest:opened", this);
      }

      handleEvent() {
        this.load();
      }

      async ask(path, body) {
        const sent = body && {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify(body),
        };
        const answer = await fetch(path, { ...sent, signal: AbortSignal.timeout(15000) });
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.json();
      }

      /* The code in the address goes onto the cart; on later pages it is read from there. */
      async carried() {
        const { cart } = this.config;
        const given = new URLSearchParams(location.search).get("ref") ?? "";
        const found = CODE.test(given)
          ? await this.ask(`${cart}/update.js`, { attributes: { [ATTRIBUTE]: given } })
          : await this.ask(`${cart}.js`);
        if (CODE.test(given) && found.token) this.visited(given, found.token);
        return found.attributes?.[ATTRIBUTE] ?? "";
      }

      visited(code, cart) {
        const address = `${this.config.proxy}/referral/visits`;
        this.ask(address, { code, cart: cart.slice(0, 200) }).catch(() => {});
      }

      async load() {
        const { proxy, language } = this.config;
        const address = `${proxy}/referral?locale=${encodeURIComponent(language)}`;
        try {
          const code = await this.carried().catch(() => "");
          const claims = (known) => CODE.test(code) && known.code && code.toUpperCase() !== known.code;
          const found = await this.ask(address);
          this.show(found, code);
          if (claims(found)) this.put("claim", (await this.ask(address, { code })).message);
        } catch {
          /* Inviting is an extra: the panel works without it, and the order carries the code anyway. */
        }
      }

      put(name, text) {
        const place = this.querySelector(`[data-field=${name}]`);
        place.textContent = text ?? "";
        place.hidden = !text;
      }

      show(found, code) {
        const invites = Boolean(found.code);
        const invited = !invites && found.running === true && CODE.test(code);
        this.hidden = !invites && !invited;
        this.querySelector("[data-invites]").hidden = !invites;
        this.querySelector("[data-invited]").hidden = !invited;
        this.put("offer", found.offer);
        if (!invites) return;
        this.link = `${location.origin}${this.config.root}?ref=${found.code}`;
        this.text = `${found.share_text} ${this.link}`;
        this.put("promise", found.promise);
        this.put("link", this.link);
        this.put("earned", found.earned_text);
        this.querySelector("[data-share]").hidden = !navigator.share;
        for (const place of this.querySelectorAll("[data-channel]")) {
          place.hidden = !found.channels.includes(place.dataset.channel);
          place.href = SCHEMES[place.dataset.channel](encodeURIComponent(this.text));
        }
        this.friends(found.friends);
      }

      friends(items) {
        const list = this.querySelector("[data-friends]");
        const template = list.querySelector("template");
        list.replaceChildren(template);
        for (const item of items) {
          const row = template.content.firstElementChild.cloneNode(true);
          for (const place of row.querySelectorAll("[data-of]")) place.textContent = item[place.dataset.of] ?? "";
          list.append(row);
        }
        this.querySelector("[data-some]").hidden = !items.length;
      }

      async copy() {
        const { link_copied: copied, copy_failed: failed } = this.config.texts;
        try {
          await navigator.clipboard.writeText(this.link);
          this.put("said", copied);
        } catch {
          getSelection().selectAllChildren(this.querySelector("[data-field=link]"));
          this.put("said", failed);
        }
      }

      share() {
        navigator.share({ text: this.text }).catch(() => {});
      }
    },
  );
})();
