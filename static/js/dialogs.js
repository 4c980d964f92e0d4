/* Dialogs, drawers, menus, tabs inside cards, and the question before an act. All listeners are delegated. */
(() => {
  const dirty = new WeakSet();
  const overlay = () => document.getElementById("overlay");

  /* open and close */
  const show = (dialog) => {
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const first = dialog.querySelector("[data-autofocus]") || dialog.querySelector("form :is(input:not([type=hidden], [type=checkbox]), select, textarea):not([disabled])");
    (first || dialog.querySelector("h2"))?.focus();
  };
  const showArrived = () => {
    document.querySelectorAll("dialog[data-opens]:not([open])").forEach((dialog) => {
      dialog.removeAttribute("data-opens");
      show(dialog);
    });
  };
  const outside = (dialog, event) => {
    const box = dialog.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open]");
    if (opener) show(document.getElementById(opener.dataset.open));
    const closer = event.target.closest?.("[data-close]");
    if (closer) closer.closest("dialog")?.close();
    const dialog = event.target;
    if (event.detail > 1) return; /* the second click of two belongs to what opened the dialog */
    if (dialog.matches?.("dialog[open]") && outside(dialog, event) && !dirty.has(dialog)) dialog.close();
  });
  document.addEventListener("input", (event) => {
    const dialog = event.target.closest?.("dialog");
    if (dialog) dirty.add(dialog);
  });
  document.addEventListener("close", (event) => {
    const dialog = event.target;
    dirty.delete(dialog);
    if (dialog.parentElement !== overlay()) return;
    dialog.remove();
    remember(null);
  }, true);

  /* the row whose drawer is open stands in the address */
  const remember = (id) => {
    const url = new URL(location.href);
    if (id) url.searchParams.set("open", id);
    else url.searchParams.delete("open");
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  };
  const openFromAddress = () => {
    const id = new URL(location.href).searchParams.get("open");
    if (id && !document.querySelector("dialog[open]")) document.querySelector(`[data-open-id="${CSS.escape(id)}"]`)?.click();
  };
  /* another page in the main element takes the present overlay away; a page that loads below its drawer does not */
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    const main = ctx.target === "#main" || ctx.target?.id === "main";
    if (main && ctx.response?.status < 300 && ctx.sourceEvent?.type !== "load" && !/Morph/.test(ctx.swap)) overlay().replaceChildren();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    showArrived();
    const { ctx } = event.detail;
    const id = ctx?.sourceElement?.dataset?.openId;
    if (id && ctx.response?.status < 300) remember(id);
  });
  document.addEventListener("DOMContentLoaded", () => {
    showArrived();
    setTimeout(openFromAddress);
  });
  document.addEventListener("htmx:after:history:push", () => setTimeout(openFromAddress));
  /* a form in a dialog that was accepted closes it; whether it stays is said by the form or the button that sent, not by what came */
  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceEvent?.submitter?.matches("[data-stay]")) return;
    if (ctx.sourceElement.matches?.("dialog [data-form]:not([data-stay])")) ctx.closes = ctx.sourceElement.closest("dialog");
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    if (ctx?.closes?.open && ctx.response?.status < 300) ctx.closes.close();
  });

  /* the question before an act: hx-confirm */
  document.addEventListener("htmx:confirm", (event) => {
    if (event.detail.ctx.confirm === "leave") return; /* Shopify asks */
    event.preventDefault();
    const { ctx, issueRequest, dropRequest } = event.detail;
    const { confirmLabel, confirmDetail, confirmDanger, confirmTyped } = ctx.sourceElement.dataset;
    const dialog = document.getElementById("confirm");
    const ok = dialog.querySelector("[data-ok]");
    dialog.querySelector("h2").textContent = ctx.confirm;
    dialog.querySelector("p").textContent = confirmDetail || "";
    dialog.querySelector(".dialog-body").hidden = !confirmDetail && !confirmTyped;
    askForName(dialog, ok, confirmTyped);
    ok.firstElementChild.textContent = confirmLabel || ok.dataset.default;
    ok.classList.toggle("button-danger", Boolean(confirmDanger));
    ok.classList.toggle("button-primary", !confirmDanger);
    dialog.returnValue = "";
    dialog.showModal();
    (confirmDanger ? dialog.querySelector("[data-cancel]") : ok).focus();
    dialog.onclose = () => (dialog.returnValue === "ok" ? issueRequest() : dropRequest());
  });
  /* what cannot be undone asks for its name to be typed */
  const askForName = (dialog, ok, name) => {
    const label = dialog.querySelector("label");
    const input = dialog.querySelector("input");
    const plain = (text) => text.normalize("NFKC").replace(/\s+/g, " ").trim().toLowerCase();
    label.parentElement.hidden = !name;
    label.textContent = label.dataset.text.replace("#", () => `\u2068${name}\u2069`);
    input.value = "";
    const look = () => (ok.disabled = Boolean(name) && plain(input.value) !== plain(name));
    input.oninput = look;
    input.onkeydown = (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      if (!ok.disabled) dialog.close("ok");
    };
    look();
  };

  /* menus and the panel of all tabs: a button and what it discloses */
  const parts = (root) => {
    const button = root.querySelector(":scope > button[aria-expanded]");
    return { button, panel: document.getElementById(button?.getAttribute("aria-controls")) };
  };
  const disclose = (root, open) => {
    const { button, panel } = parts(root);
    if (!panel) return;
    button.setAttribute("aria-expanded", String(open));
    panel.hidden = !open;
  };
  const openRoots = () => [...document.querySelectorAll("[data-disclosure]")].filter((root) => !(parts(root).panel?.hidden ?? true));
  document.addEventListener("click", (event) => {
    const root = event.target.closest?.("[data-disclosure]");
    if (!root) return;
    const { button, panel } = parts(root);
    if (button.contains(event.target)) disclose(root, panel.hidden);
    else if (event.target.closest("a, button")) disclose(root, false);
  });
  document.addEventListener("pointerdown", (event) => {
    openRoots().filter((root) => !root.contains(event.target)).forEach((root) => disclose(root, false));
  });
  document.addEventListener("focusout", (event) => {
    const root = event.target.closest?.("[data-disclosure]");
    if (root && event.relatedTarget && !root.contains(event.relatedTarget)) disclose(root, false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const root = event.target.closest?.("[data-disclosure]");
    if (!root || parts(root).panel?.hidden) return;
    event.preventDefault();
    disclose(root, false);
    parts(root).button.focus();
  });

  /* tabs inside a card or a field: one stop for Tab, arrows follow the line of reading */
  const choose = (tab, focus) => {
    for (const each of tab.parentElement.querySelectorAll("[role=tab]")) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
  };
  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.("[data-tablist] [role=tab]");
    if (tab) choose(tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[data-tablist] [role=tab]");
    if (!tab) return;
    const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
    const ahead = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = ahead === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const at = tabs.indexOf(tab);
    const to = { [ahead]: at + 1, [back]: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[(to + tabs.length) % tabs.length], true);
  });
})();
