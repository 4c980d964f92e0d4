/* Home asks App Bridge whether the live theme has our app embed, and tells the server when that is news. */
(() => {
  const EMBEDS = ["head", "body", "compliance_head"];
  const place = () => document.getElementById("theme-widget");

  /* null when Shopify does not say */
  const isOn = async () => {
    try {
      const extensions = await window.shopify.app.extensions();
      const embeds = extensions.flatMap((one) => one.activations || []).filter((one) => EMBEDS.includes(one.target));
      return embeds.length ? embeds.some((one) => one.status === "active") : null;
    } catch {
      return null;
    }
  };
  const look = async (asked = false) => {
    if (!place() || document.hidden) return;
    const on = await isOn();
    const known = place()?.dataset.widget === "on";
    if (!place() || on === null) return;
    if (on !== known) {
      place().dataset.widget = on ? "on" : "off";
      await window.htmx.ajax("POST", place().dataset.widgetUrl, { source: place(), target: "#main", swap: "innerHTML", values: { on } });
    } else if (asked && !on) window.shopify.toast.show(place().dataset.stillOff);
  };
  document.addEventListener("click", (event) => event.target.closest?.("[data-check-widget]") && look(true));
  document.addEventListener("visibilitychange", () => look());
  document.addEventListener("htmx:after:swap", (event) => event.detail.ctx?.request.method === "GET" && look());
  document.addEventListener("DOMContentLoaded", () => look());
})();
