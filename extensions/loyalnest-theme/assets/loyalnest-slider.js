/* LoyalNest slider, inside a reward's card: the member chooses how many points to give, and the amount follows. */
(() => {
  if (customElements.get("loyalnest-slider")) return;

  customElements.define(
    "loyalnest-slider",
    class extends HTMLElement {
      /* The points chosen; undefined where a reward has a fixed price. */
      get points() {
        return this.querySelector("input")?.valueAsNumber;
      }

      offer({ name, slider: { least, most, step, step_amount: worth, currency } }) {
        const language = document.documentElement.lang || undefined;
        const money = new Intl.NumberFormat(language, { style: "currency", currency });
        const points = new Intl.NumberFormat(language);
        const input = document.createElement("input");
        Object.assign(input, { type: "range", min: least, max: most, step, value: least, ariaLabel: name });
        const output = document.createElement("p");
        output.className = "price";
        /* each side keeps its own direction, and the arrow points on in that of the panel */
        const arrow = getComputedStyle(this).direction === "rtl" ? "←" : "→";
        const isolated = (text) => `\u2068${text}\u2069`;
        const show = () => {
          const given = isolated(points.format(input.value));
          output.textContent = `${given} ${arrow} ${isolated(money.format((input.value / step) * worth))}`;
          input.setAttribute("aria-valuetext", output.textContent);
        };
        input.addEventListener("input", show);
        this.replaceChildren(input, output);
        show();
      }
    },
  );
})();
