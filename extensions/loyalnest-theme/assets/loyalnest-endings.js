/* LoyalNest endings, inside the panel: which of the shopper's points end when, the next dates first. */
(() => {
  if (customElements.get("loyalnest-endings")) return;
  const NEXT = 3;
  const EVENTS = ["loyalnest:opened", "loyalnest:changed"];

  customElements.define(
    "loyalnest-endings",
    class extends HTMLElement {
      connectedCallback() {
        for (const name of EVENTS) document.addEventListener(name, this);
        this.load();
      }

      disconnectedCallback() {
        for (const name of EVENTS) document.removeEventListener(name, this);
      }

      handleEvent() {
        this.load();
      }

      async load() {
        try {
          this.show((await this.getRootNode().host.ask("endings")).endings ?? []);
        } catch {
          /* The dates are an extra: the panel works without them. */
        }
      }

      show(endings) {
        const lines = endings.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text }));
        this.hidden = !lines.length;
        this.querySelector("[data-soon]").replaceChildren(...lines.slice(0, NEXT));
        this.querySelector("[data-later]").replaceChildren(...lines.slice(NEXT));
        this.querySelector("details").hidden = lines.length <= NEXT;
      }
    },
  );
})();
