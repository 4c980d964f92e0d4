/* LoyalNest code, inside the card of a code: the shopper gives an unused reward back, or has its code sent again. */
(() => {
  if (customElements.get("loyalnest-code")) return;

  customElements.define(
    "loyalnest-code",
    class extends HTMLElement {
      connectedCallback() {
        this.panel = this.getRootNode().host;
        this.card = this.closest("li");
        this.texts = JSON.parse(this.panel.parentElement.querySelector("[data-loyalnest-config]").textContent).texts;
        const { code, name, return_text: question } = this.card.item;
        this.hidden = !code && !question;
        for (const [part, shown, act] of [
          ["send", code, () => this.send()],
          ["return", question, () => this.asking(true)],
          ["yes", true, () => this.giveBack()],
          ["no", true, () => this.asking(false)],
        ]) {
          const button = this.querySelector(`[data-${part}]`);
          button.hidden = !shown;
          button.setAttribute("aria-label", `${button.textContent.trim()}: ${name}`);
          button.onclick = () => button.getAttribute("aria-disabled") === "true" || act(button);
        }
      }

      asking(on) {
        for (const part of this.querySelectorAll("[data-asked]")) part.hidden = (part.dataset.asked === "yes") !== on;
        this.problem("");
        this.querySelector(on ? "[data-yes]" : "[data-return]").focus();
      }

      problem(text) {
        const place = this.querySelector("[data-problem]");
        place.textContent = text;
        place.hidden = !text;
      }

      busy(on) {
        for (const button of this.querySelectorAll("button")) button.setAttribute("aria-disabled", String(on));
        if (on) this.problem("");
      }

      /* The answer, or nothing once the problem is told. */
      async ask(verb) {
        this.busy(true);
        try {
          return await this.panel.ask(`redemptions/${this.card.item.id}/${verb}`, {});
        } catch (error) {
          this.problem((error.final && error.message) || this.texts.unsure_return);
        } finally {
          this.busy(false);
        }
      }

      async send() {
        const answer = await this.ask("resend");
        if (answer) this.panel.say(answer.message);
      }

      async giveBack() {
        let answer = await this.ask("return");
        if (!answer) return;
        const { panel, texts } = this;
        panel.say(texts.returning);
        answer = await panel.settled(answer, "returning");
        await panel.load({ quiet: true });
        panel.shadowRoot.getElementById("title").focus();
        panel.say({ cancelled: texts.returned, used: texts.used, issued: texts.unsure_return }[answer.status] ?? texts.returning);
        document.dispatchEvent(new CustomEvent("loyalnest:changed"));
      }
    },
  );
})();
