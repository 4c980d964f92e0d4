/* The page as a whole: what htmx requests carry, what happens when they fail, and the state of the shell after a swap. */
(() => {
  const byId = (id) => document.getElementById(id);
  const on = (name, act) => document.addEventListener(name, (event) => act(event, event.detail?.ctx));
  const isPoll = (ctx) => ctx?.sourceEvent?.type === "every";
  const isVisit = (ctx) => ctx?.request.method === "GET" && ctx.target?.id === "main";
  const isMorph = (ctx) => /Morph/.test(ctx?.swap || "");
  let visit = null;
  let failed = null;
  let shownInPage = false;

  /* words to the person */
  const say = (text) => {
    byId("spoken").textContent = "";
    requestAnimationFrame(() => (byId("spoken").textContent = text));
  };
  const alertPlace = () => document.querySelector("dialog[open] [data-alert]") || byId("page-alert");
  const clearAlerts = () => document.querySelectorAll("#page-alert, [data-alert]").forEach((place) => place.replaceChildren());
  const alertWith = (kind, text) => {
    const content = byId(`alert-${kind}`).content.cloneNode(true);
    if (text) content.querySelector(".strong").textContent = text;
    alertPlace().replaceChildren(content);
    alertPlace().scrollIntoView({ block: "nearest" });
  };
  const takeBack = ({ url, values }) => htmx.ajax("POST", url, { swap: "none", values });
  const offered = (undo) => ({ action: undo.label, duration: 10000, onAction: () => takeBack(undo) });
  const toast = (text, undo) => (window.shopify?.toast ? window.shopify.toast.show(text, undo && offered(undo)) : say(text));
  document.addEventListener("toast", (event) => {
    const { text, error, undo } = event.detail;
    if (!error) return toast(text, undo);
    if (!shownInPage) alertWith("refused", text);
  });

  /* a form under the save bar that was changed: leaving it is asked by Shopify */
  let dirty = null;
  let waiting = null;
  const barred = (event) => event.target.closest?.("form[data-save-bar]");
  document.addEventListener("input", (event) => (dirty = barred(event) || dirty));
  for (const name of ["submit", "reset"]) document.addEventListener(name, (event) => barred(event) && (dirty = null));
  document.addEventListener("htmx:confirm", (event) => {
    if (event.detail.ctx.confirm !== "leave") return;
    event.preventDefault();
    const { issueRequest, dropRequest } = event.detail;
    waiting = dropRequest;
    window.shopify.saveBar.leaveConfirmation().then(issueRequest, dropRequest);
  });
  /* the bar goes away on submit; what was not saved brings it back */
  const keepBar = (form) => form?.matches?.("form[data-save-bar]") && form.querySelector(".input")?.dispatchEvent(new Event("input", { bubbles: true }));

  /* before a request */
  on("htmx:config:request", (event, ctx) => {
    if (isPoll(ctx) && document.hidden) return event.preventDefault();
    /* a search that was still being typed gives way to the link that was pressed meanwhile */
    const searching = ctx.sourceElement?.matches?.("[data-filters]");
    if (searching && (!ctx.sourceElement.isConnected || (visit && visit.sourceElement !== ctx.sourceElement))) return event.preventDefault();
    if (ctx.request.method !== "GET") {
      const own = ctx.request.body?.get?.("idempotency_key");
      ctx.request.headers["Idempotency-Key"] = own || crypto.randomUUID();
    } else if (isVisit(ctx) && !isMorph(ctx)) {
      waiting?.();
      visit?.request.abort();
      visit = ctx;
      if (dirty?.isConnected && window.shopify?.saveBar) ctx.confirm = "leave";
    }
  });
  on("htmx:before:request", (event, ctx) => {
    if (isPoll(ctx)) return;
    shownInPage = false;
    const pressed = ctx.request.submitter || (ctx.sourceElement.matches?.("button") && ctx.sourceElement);
    if (pressed) ctx.slow = setTimeout(() => pressed.setAttribute("aria-busy", "true"), 300);
    ctx.pressed = pressed;
    if (!isVisit(ctx)) return;
    byId("main").setAttribute("aria-busy", "true");
    byId("loading").dataset.on = "";
  });
  on("htmx:finally:request", (event, ctx) => {
    clearTimeout(ctx?.slow);
    ctx?.pressed?.removeAttribute?.("aria-busy");
    if (ctx && ctx === visit) visit = null;
    if (visit) return;
    byId("main")?.removeAttribute("aria-busy");
    delete byId("loading")?.dataset.on;
  });

  /* when a request fails */
  on("htmx:response:error", (event, ctx) => {
    const { status } = ctx.response;
    failed = ctx;
    if (ctx.request.headers["HX-History-Restore-Request"]) return location.reload();
    if (isPoll(ctx)) return;
    if (![409, 422].includes(status)) keepBar(ctx.sourceElement);
    if (status === 401) return alertWith("session");
    const form = ctx.sourceElement.matches?.("[data-form]") && [409, 422].includes(status);
    if (!form && !isVisit(ctx) && !ctx.response.headers.has("HX-Trigger")) alertWith("refused");
  });
  on("htmx:error", (event, ctx) => {
    if (!ctx || isPoll(ctx)) return;
    failed = ctx;
    keepBar(ctx.sourceElement);
    alertWith("offline");
  });
  /* a page that could not be shown is replaced by its explanation; nothing else is swapped on an error */
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    const status = ctx.response?.status || 200;
    if (status < 400) return clearAlerts();
    if (status === 401 || !isVisit(ctx) || isMorph(ctx)) return;
    const main = tasks.find((task) => task.type === "main");
    if (!main) return;
    main.swapSpec.style = "innerHTML";
    clearAlerts();
    shownInPage = true;
  });
  document.addEventListener("htmx:before:history:update", (event) => {
    if (event.detail.response?.status >= 500) event.preventDefault();
  });

  /* after a swap */
  const path = (url) => new URL(url, document.baseURI).pathname;
  const markPlace = () => {
    const here = byId("bar-tabs")?.dataset.tab;
    document.querySelectorAll("#all-tabs a, #bar-home").forEach((link) => {
      if (link.dataset.tab === here) link.setAttribute("aria-current", link.dataset.tab === "home" || path(link.href) === location.pathname ? "page" : "true");
      else link.removeAttribute("aria-current");
    });
    const tabs = byId("bar-tabs");
    const current = tabs?.querySelector("[aria-current]");
    if (current) {
      const bar = tabs.getBoundingClientRect();
      const tab = current.getBoundingClientRect();
      tabs.scrollLeft += tab.left + tab.width / 2 - bar.left - bar.width / 2;
    }
    fadeTabs();
  };
  const fadeTabs = () => {
    const tabs = byId("bar-tabs");
    if (!tabs) return;
    const gone = Math.abs(tabs.scrollLeft);
    const rest = tabs.scrollWidth - tabs.clientWidth - gone;
    tabs.dataset.more = [gone > 4 && "start", rest > 4 && "end"].filter(Boolean).join(" ");
  };
  document.addEventListener("scroll", (event) => event.target.id === "bar-tabs" && fadeTabs(), { capture: true, passive: true });
  window.addEventListener("resize", fadeTabs);

  const warnTitle = () => {
    const prefix = document.body.dataset.errorTitle;
    const bad = document.querySelector("[data-form][data-refused]");
    const bare = document.title.startsWith(prefix) ? document.title.slice(prefix.length) : document.title;
    document.title = bad ? prefix + bare : bare;
  };
  /* a form that came back: the first bad field is in focus, the summary names the fields, the save bar stays */
  const labelOf = (id) => document.querySelector(`label[for="${CSS.escape(id)}"]`) || document.getElementById(id)?.querySelector(":scope > legend");
  /* the summary follows the fields down the page */
  const byPlace = (one, other) => {
    const [here, there] = [one, other].map((link) => document.getElementById(link.hash.slice(1)));
    if (!here || !there) return Number(!here) - Number(!there);
    return here.compareDocumentPosition(there) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
  };
  const receive = (form) => {
    form.dataset.told = "";
    const links = [...form.querySelectorAll(".problem-list a")].sort(byPlace);
    for (const link of links) {
      link.closest("ul").append(link.parentElement);
      const id = link.hash.slice(1);
      const name = labelOf(id)?.firstChild.textContent.trim() || document.getElementById(id)?.getAttribute("aria-label");
      if (name) link.prepend(`${name}: `);
    }
    form.querySelector("[data-autofocus]")?.focus();
    if (form.matches("[data-save-bar]")) keepBar(form);
  };
  on("htmx:after:swap", (event, ctx) => {
    markPlace();
    warnTitle();
    document.querySelectorAll("form[data-refused]:not([data-told])").forEach(receive);
    const main = ctx?.target?.id === "main" || ctx?.target === "#main";
    if (main && !isMorph(ctx) && (ctx.request.method === "GET" || document.activeElement === document.body)) {
      const place = document.querySelector(ctx.paged ? "#main caption" : "#main h1");
      if (place) place.tabIndex = -1;
      if (!document.querySelector("dialog[open]")) place?.focus({ preventScroll: true });
      if (ctx.paged) requestAnimationFrame(() => showList(place?.closest(".card")));
    }
  });
  /* another page of a list that stands below other things begins where one sees it */
  const showList = (card) => card?.getBoundingClientRect().top > innerHeight / 2 && card.scrollIntoView();
  on("htmx:before:request", (event, ctx) => {
    if (ctx.sourceElement.matches?.("[data-page]")) ctx.paged = true;
  });
  /* scripts that only some pages need come with the first page that has such a thing */
  const asked = new Set();
  const fetchScripts = () => {
    for (const source of (document.querySelector("[data-chart-scripts]")?.dataset.chartScripts || "").split(" ").filter(Boolean)) {
      if (asked.has(source)) continue;
      asked.add(source);
      document.head.append(Object.assign(document.createElement("script"), { src: source, async: false }));
    }
  };
  document.addEventListener("htmx:after:swap", fetchScripts);
  document.addEventListener("DOMContentLoaded", () => {
    markPlace();
    fetchScripts();
    if (/Mac|iPhone|iPad/.test(navigator.platform)) document.querySelectorAll("[data-shortcut]").forEach((key) => (key.textContent = "⌘ K"));
  });

  /* presses that belong to the page */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && (event.ctrlKey || event.metaKey || event.shiftKey)) event.stopPropagation();
  }, true);
  document.addEventListener("shopify:navigate", (event) => {
    const href = event.target.getAttribute?.("href");
    if (!href || !window.htmx) return;
    event.preventDefault();
    window.htmx.ajax("GET", href, { target: "#main", swap: "innerHTML show:top showTarget:window", push: "true" });
  });
  const presses = {
    "[data-retry]": () => {
      const source = failed?.sourceElement;
      clearAlerts();
      if (source?.isConnected && source.matches("form")) source.requestSubmit();
      else if (source?.isConnected) source.click();
      else location.reload();
    },
    "[data-reload]": () => location.reload(),
    "[data-dismiss]": (button) => button.closest(".banner").remove(),
    "[data-theme-choice]": (button) => {
      document.documentElement.dataset.theme = button.dataset.themeChoice;
      button.parentElement.querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
      document.dispatchEvent(new Event("loyalnest:theme"));
    },
    "[data-direction]": (button) => {
      document.documentElement.dir = button.dataset.direction;
      button.parentElement.querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
      document.dispatchEvent(new Event("loyalnest:theme"));
    },
    "[data-chart-view]": (button) => {
      const figure = byId(button.getAttribute("aria-controls"));
      for (const [part, name] of [["plot", ".chart-plot"], ["table", ".chart-table"]]) figure.querySelector(name).hidden = part !== button.dataset.chartView;
      button.parentElement.querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
    },
    "[data-copy], [data-copy-from]": (button) => copy(button),
    "[data-download]": (button) => download(button),
    ".problem-list a": (link, event) => {
      event.preventDefault();
      const field = document.getElementById(link.hash.slice(1));
      const panel = field?.closest("[role=tabpanel][hidden]");
      if (panel) document.getElementById(panel.getAttribute("aria-labelledby"))?.click();
      field?.focus();
    },
  };
  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(presses)) {
      const found = event.target.closest?.(selector);
      if (found) act(found, event);
    }
  });

  /* files are fetched with the token and handed to the browser under the name the server gives */
  const download = async (button) => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(button.dataset.download);
      if (!answer.ok) return alertWith(answer.status === 401 ? "session" : "refused");
      const named = /filename\*?=(?:UTF-8'')?"?([^";]+)/i.exec(answer.headers.get("Content-Disposition") || "");
      const url = URL.createObjectURL(await answer.blob());
      Object.assign(document.createElement("a"), { href: url, download: named ? decodeURIComponent(named[1]) : "" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch {
      alertWith("offline");
    } finally {
      button.removeAttribute("aria-busy");
    }
  };
  const copy = async (button) => {
    const text = button.dataset.copy ?? byId(button.dataset.copyFrom).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text, className: "sr" });
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    say(document.body.dataset.copied);
    const use = button.querySelector("use");
    const before = use.getAttribute("href");
    if (before.endsWith("#check")) return;
    use.setAttribute("href", before.replace(/#.*/, "#check"));
    setTimeout(() => use.setAttribute("href", before), 1500);
  };
})();
