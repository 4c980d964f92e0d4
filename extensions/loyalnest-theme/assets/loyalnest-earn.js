/* LoyalNest "Earn N points": asks the app what the chosen product or the cart would bring, and follows changes. */
(() => {
  if (customElements.get("loyalnest-earn")) return;

  const read = (element) => JSON.parse(element?.textContent || "null");
  const CART_CALL = /\/cart\/(add|change|update|clear)(\.js)?$/;

  customElements.define(
    "loyalnest-earn",
    class extends HTMLElement {
      connectedCallback() {
        this.setup = read(this.querySelector("[data-setup]"));
        this.goods = [...this.querySelectorAll("[data-goods]")].map(read);
        this.stop = new AbortController();
        for (const name of ["input", "change"]) {
          document.addEventListener(name, () => this.later(), { signal: this.stop.signal });
        }
        this.calls = new PerformanceObserver((list) => {
          if (list.getEntries().some((one) => CART_CALL.test(one.name.split("?")[0]))) this.later();
        });
        if (this.setup.page === "cart") this.calls.observe({ type: "resource" });
        this.watcher = new IntersectionObserver((seen) => {
          if (!seen.some((one) => one.isIntersecting)) return;
          this.watcher.disconnect();
          this.visible = true;
          this.later(0);
        });
        this.watcher.observe(this);
      }

      disconnectedCallback() {
        clearTimeout(this.timer);
        this.stop.abort();
        this.calls.disconnect();
        this.watcher.disconnect();
      }

      later(wait = 250) {
        if (!this.visible) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.refresh().catch(() => this.show({})), wait);
      }

      async refresh() {
        const asked = JSON.stringify(this.setup.page === "cart" ? await this.cart() : this.product());
        if (asked === this.asked) return;
        this.asked = asked;
        const found = asked === "null" ? {} : await this.ask(asked);
        if (asked === this.asked) this.show(found);
      }

      async ask(body) {
        const answer = await fetch(`${this.setup.proxy}/earn?locale=${this.setup.language}`, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          body,
          signal: AbortSignal.timeout(8000),
        });
        if (answer.ok) return answer.json();
        this.asked = null;
        return {};
      }

      show(found) {
        this.toggleAttribute("data-shown", Boolean(found.text));
        if (!found.text) return;
        this.querySelector("[data-text]").textContent = found.text;
        this.querySelector("[data-why]").textContent = found.why ?? "";
      }

      basket(lines, discount = 0) {
        const rate = String(window.Shopify?.currency?.rate ?? "1");
        const known = Object.entries(this.setup.basket).filter(([, value]) => value !== null);
        return { ...Object.fromEntries(known), lines, discount, rate };
      }

      product() {
        const [goods] = this.goods;
        const scope = this.closest(".shopify-section") ?? document;
        const form = [scope, document]
          .flatMap((one) => [...one.querySelectorAll('form[action*="/cart/add"]')])
          .find((one) => goods.variants.includes(Number(one.elements.id?.value)));
        const at = goods.variants.indexOf(Number(form?.elements.id.value ?? goods.selected));
        if (at < 0) return null;
        const { variants, prices, compared, selected, ...facts } = goods;
        const quantity = Math.max(1, Math.floor(Number(form?.elements.quantity?.value)) || 1);
        const more = { variant_id: variants[at], price: prices[at], on_sale: compared[at] > prices[at] };
        return this.basket([{ ...facts, ...more, quantity }]);
      }

      async cart() {
        const cart = await (await fetch(`${this.setup.root}cart.js`, { headers: { Accept: "application/json" } })).json();
        if (!cart.items.length) return null;
        const lines = cart.items.map((item) => this.line(item));
        const worth = lines.reduce((sum, one) => sum + one.price * one.quantity - one.discount, 0);
        return this.basket(lines, Math.max(0, worth - cart.total_price));
      }

      line(item) {
        const price = item.original_price ?? item.price;
        const variant = item.variant_id ?? item.id;
        const { compared, ...facts } = this.goods.find((one) => one.variant_id === variant) ?? {};
        return {
          ...facts,
          product_id: item.product_id,
          variant_id: variant,
          quantity: item.quantity,
          price,
          discount: Math.max(0, price * item.quantity - (item.final_line_price ?? price * item.quantity)),
          gift_card: Boolean(item.gift_card),
          vendor: item.vendor ?? "",
          type: item.product_type ?? "",
          on_sale: compared > price,
        };
      }
    },
  );
})();
