/* LoyalNest balance line: asks for the shopper's balance once the line comes into view. */
(() => {
  if (customElements.get("loyalnest-balance")) return;

  customElements.define(
    "loyalnest-balance",
    class extends HTMLElement {
      connectedCallback() {
        this.querySelector("[data-open]").hidden = !document.querySelector("loyalnest-launcher");
        if (!this.hasAttribute("data-known")) return;
        document.addEventListener("loyalnest:changed", this);
        this.watcher = new IntersectionObserver((entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          this.watcher.disconnect();
          this.refresh();
        });
        this.watcher.observe(this);
      }

      disconnectedCallback() {
        document.removeEventListener("loyalnest:changed", this);
        this.watcher?.disconnect();
      }

      handleEvent() {
        this.refresh();
      }

      async refresh() {
        const config = JSON.parse(this.querySelector("[data-loyalnest-config]").textContent);
        const sentence = this.querySelector("[data-sentence]");
        try {
          const answer = await fetch(`${config.proxy}/summary?locale=${config.language}`, {
            headers: { Accept: "application/json" },
            signal: AbortSignal.timeout(15000),
          });
          if (!answer.ok) throw new Error(String(answer.status));
          const summary = await answer.json();
          sentence.textContent = summary.balance?.sentence ?? "";
        } catch {
          sentence.textContent = "";
        }
      }
    },
  );
})();
