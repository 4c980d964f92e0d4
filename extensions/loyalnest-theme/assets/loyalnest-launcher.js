/* LoyalNest launcher: the closed state. Nothing is fetched and nothing measured until somebody opens the panel. */
(() => {
  if (customElements.get("loyalnest-launcher")) return;
  const ADDRESS = "#loyalnest";
  const INVITED = /[?&]ref=\w{4}/;

  /* Some browsers remember a module that failed to load; another address makes them try again. */
  let failures = 0;
  const load = async (source) => {
    const url = new URL(source, document.baseURI);
    if (failures) url.searchParams.set("attempt", String(failures));
    try {
      await import(url.href);
    } catch (error) {
      failures += 1;
      throw error;
    }
  };

  customElements.define(
    "loyalnest-launcher",
    class extends HTMLElement {
      connectedCallback() {
        this.button = this.querySelector("button");
        this.label = this.querySelector("[data-label]");
        this.words ??= this.label.textContent;
        this.button.onclick = () => this.open();
        document.addEventListener("click", this);
        if (location.hash === ADDRESS || INVITED.test(location.search)) this.open();
      }

      disconnectedCallback() {
        document.removeEventListener("click", this);
      }

      /* Links to #loyalnest anywhere on the page open the panel. */
      handleEvent(event) {
        const link = event.target instanceof Element && event.target.closest(`a[href="${ADDRESS}"]`);
        if (!link) return;
        event.preventDefault();
        this.open();
      }

      async open() {
        if (this.button.getAttribute("aria-busy") === "true") return;
        this.button.setAttribute("aria-busy", "true");
        try {
          await load(this.dataset.panel);
          this.panel = this.querySelector("loyalnest-panel");
          if (!this.panel) {
            this.panel = document.createElement("loyalnest-panel");
            this.append(this.panel);
          }
          await this.panel.show();
          this.label.textContent = this.words;
        } catch {
          const config = JSON.parse(this.querySelector("[data-loyalnest-config]").textContent);
          this.label.textContent = config.texts.failed;
        } finally {
          this.button.removeAttribute("aria-busy");
        }
      }
    },
  );
})();
