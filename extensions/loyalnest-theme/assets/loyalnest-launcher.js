/* LoyalNest launcher: the closed state. Nothing is fetched and nothing measured until somebody opens the panel. */
(() => {
  if (customElements.get("loyalnest-launcher")) return;
  const ADDRESS = "#loyalnest";
  let loading;

  const load = (src) =>
    (loading ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = src;
      script.onload = done;
      script.onerror = () => {
        loading = undefined;
        script.remove();
        failed(new Error("the panel's script did not load"));
      };
      document.head.append(script);
    }));

  customElements.define(
    "loyalnest-launcher",
    class extends HTMLElement {
      connectedCallback() {
        this.button = this.querySelector("button");
        this.button.onclick = () => this.open();
        document.addEventListener("click", this);
        if (location.hash === ADDRESS) this.open();
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
          this.panel.show();
        } catch {
          const config = JSON.parse(this.querySelector("[data-loyalnest-config]").textContent);
          this.querySelector("[data-label]").textContent = config.texts.failed;
        } finally {
          this.button.removeAttribute("aria-busy");
        }
      }
    },
  );
})();
