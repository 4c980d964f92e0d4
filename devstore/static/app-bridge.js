/* Development stand-in for Shopify's App Bridge. It speaks to the dev store's admin page around this frame and offers the
   part of window.shopify that an embedded app uses. Not for production, where Shopify serves its own script. */
(() => {
  const script = document.currentScript;
  const HOST = new URL(script.src).origin;
  const RETRY = "X-Shopify-Retry-Invalid-Session-Request";
  const REAUTHORIZE = "X-Shopify-API-Request-Failure-Reauthorize-Url";
  const FRAME_PARAMETERS = ["embedded", "hmac", "host", "id_token", "locale", "session", "shop", "timestamp"];
  const TOKEN_KEPT_MS = 20_000;
  const framed = window.parent !== window;
  const waiting = new Map();
  let asked = 0;

  /* A bounced page is written into the same window: keep the browser's own functions from the first run. */
  const native = (window.__devStoreNative ??= { fetch: window.fetch, open: window.open });
  const browserFetch = native.fetch.bind(window);

  const tell = (type, value = {}) => {
    if (framed) window.parent.postMessage({ devStore: "app", type, ...value }, HOST);
  };
  const ask = (type, value = {}) =>
    new Promise((answer, refuse) => {
      if (!framed) return refuse(new Error("this page is not inside the admin"));
      const id = ++asked;
      waiting.set(id, { answer, refuse });
      tell(type, { ...value, id });
    });

  /* configuration: from the address the admin loaded, else from the admin itself */
  const query = new URLSearchParams(location.search);
  const meta = document.querySelector('meta[name="shopify-api-key"]');
  const config = {
    apiKey: script.dataset.apiKey || meta?.content || "",
    host: query.get("host") || "",
    locale: query.get("locale") || "",
    shop: query.get("shop") || "",
    appOrigins: [],
    disabledFeatures: [],
  };
  const ready = framed ? ask("hello").then((known) => void Object.assign(config, known)) : Promise.resolve();

  /* ID tokens live a minute; one is shared by requests close together */
  let token;
  const idToken = async ({ fresh = false } = {}) => {
    if (fresh || !token || token.until < Date.now()) {
      token = { until: Date.now() + TOKEN_KEPT_MS, text: ask("idToken") };
      token.text.catch(() => (token = undefined));
    }
    return token.text;
  };

  /* fetch: to our own origin with a token, and once more with a new one when the server asks for it */
  const ours = (url) => {
    const { origin, hostname } = new URL(url, document.baseURI);
    return origin === location.origin || hostname.endsWith(`.${location.hostname}`) || config.appOrigins.includes(origin);
  };
  window.fetch = async (input, init) => {
    const request = input instanceof Request;
    if (!ours(request ? input.url : input) || config.disabledFeatures.includes("fetch")) return browserFetch(input, init);
    const headers = new Headers(init?.headers ?? (request ? input.headers : undefined));
    const own = headers.has("Authorization");
    const send = async (fresh) => {
      if (!own) headers.set("Authorization", `Bearer ${await idToken({ fresh })}`);
      return browserFetch(request ? input.clone() : input, { ...init, headers });
    };
    let answer = await send(false);
    if (!own && answer.status === 401 && answer.headers.has(RETRY)) answer = await send(true);
    if (answer.headers.has(REAUTHORIZE)) tell("open", { url: answer.headers.get(REAUTHORIZE) });
    return answer;
  };

  /* leaving the frame */
  const isTop = (target) => ["_top", "_parent"].includes(target);
  const outside = (url) => /^(https:\/\/admin\.shopify\.com|shopify:)/.test(url);
  window.open = (url = "", target = "", features) => {
    if (url && (isTop(target) || outside(url))) {
      tell("open", { url: url.startsWith("shopify:") ? url : new URL(url, document.baseURI).href });
      return null;
    }
    return native.open.call(window, url, target, features);
  };
  const followOutside = (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href], s-link[href], s-button[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const url = link.getAttribute("href");
    if (!isTop(link.getAttribute("target")) && !outside(url)) return;
    event.preventDefault();
    window.open(url, "_top");
  };

  /* the bounce page: fetch the wanted page with a token and become it */
  const become = async (target) => {
    const url = new URL(target, location.origin);
    if (url.origin !== location.origin) return;
    const answer = await browserFetch(url, {
      headers: { Authorization: `Bearer ${await idToken({ fresh: true })}`, "X-Shopify-Bounce": "1" },
    });
    const text = await answer.text();
    history.replaceState(null, "", url);
    document.open();
    document.write(text);
    document.close();
  };

  /* where the frame is, for the admin's address bar and sidebar */
  const here = () => {
    const url = new URL(location.href);
    FRAME_PARAMETERS.forEach((name) => url.searchParams.delete(name));
    return url.pathname + url.search + url.hash;
  };
  const tellPlace = () => tell("place", { path: here(), title: document.title });
  for (const name of ["pushState", "replaceState"]) {
    const own = History.prototype[name];
    history[name] = function (...given) {
      own.apply(history, given);
      setTimeout(tellPlace);
    };
  }

  /* navigation in the admin's sidebar */
  let navigation = "";
  const links = () => [...document.querySelectorAll("s-app-nav s-link, s-app-nav a, ui-nav-menu a")];
  const tellNavigation = () => {
    document.querySelectorAll("s-app-nav, ui-nav-menu").forEach((nav) => (nav.hidden = true));
    const found = links().map((link) => ({
      href: link.getAttribute("href"),
      label: link.textContent.trim(),
      home: link.getAttribute("rel") === "home",
    }));
    if (JSON.stringify(found) === navigation) return;
    navigation = JSON.stringify(found);
    tell("navigation", { links: found });
  };
  const navigate = (href) => {
    const link = links().find((one) => one.getAttribute("href") === href);
    const event = new CustomEvent("shopify:navigate", { bubbles: true, cancelable: true, detail: { href } });
    if ((link ?? document).dispatchEvent(event)) location.assign(href);
  };

  /* save bar: forms marked data-save-bar, and ui-save-bar elements shown by name */
  let bar = null;
  const showBar = (next) => {
    bar = next;
    tell("saveBar", { shown: Boolean(next) });
  };
  const edited = (event) => {
    const form = event.target instanceof Element && event.target.closest("form[data-save-bar]");
    if (form && bar?.form !== form) showBar({ form, strict: form.hasAttribute("data-discard-confirmation") });
  };
  const settled = (event) => bar?.form && bar.form === event.target && showBar(null);
  const checkBar = () => bar?.form && !bar.form.isConnected && showBar(null);
  const useBar = (action) => {
    const used = bar;
    if (!used) return;
    if (used.form) return action === "save" ? used.form.requestSubmit() : used.form.reset();
    const buttons = [...used.element.querySelectorAll("button")];
    buttons.find((one) => (one.getAttribute("variant") === "primary") === (action === "save"))?.click();
  };
  const barOf = (id) => {
    const element = document.getElementById(id);
    if (!element) throw new Error(`there is no ui-save-bar with the id ${id}`);
    return { element };
  };
  const saveBar = {
    show: async (id) => showBar(barOf(id)),
    hide: async (id) => bar?.element?.id === id && showBar(null),
    toggle: async (id) => (bar?.element?.id === id ? showBar(null) : showBar(barOf(id))),
    leaveConfirmation: async () => {
      if (!bar) return;
      if (!(await ask("leave"))) throw new Error("the person stays");
      useBar("discard");
      showBar(null);
    },
  };

  const modal = {
    show: async (id) => document.getElementById(id)?.showModal?.(),
    hide: async (id) => document.getElementById(id)?.close?.(),
    toggle: async (id) => {
      const dialog = document.getElementById(id);
      return dialog?.open ? dialog.close() : dialog?.showModal?.();
    },
  };

  const actions = new Map();
  const toast = {
    show(message, options = {}) {
      const id = `toast-${++asked}`;
      const { onAction, onDismiss, ...plain } = options;
      actions.set(id, { onAction, onDismiss });
      tell("toast", { toast: { id, message, ...plain } });
      return id;
    },
    hide: (id) => tell("toastHide", { toast: { id } }),
  };

  window.shopify = {
    config,
    origin: HOST,
    ready,
    idToken: () => idToken(),
    toast,
    loading: (on = true) => tell("loading", { on: Boolean(on) }),
    saveBar,
    modal,
    resourcePicker: async (options) => {
      const selection = await ask("picker", { options });
      return selection ? Object.assign(selection, { selection }) : undefined;
    },
    user: () => ask("user"),
    environment: { embedded: framed, mobile: false, pos: false, intent: false },
    app: { extensions: () => ask("extensions") },
    scopes: {
      query: () => ask("scopes"),
      request: async (wanted) => ask("scopesRequest", { wanted }),
      revoke: async (unwanted) => ask("scopesRevoke", { unwanted }),
    },
    intents: { invoke: async () => ({ complete: Promise.resolve({ code: "closed" }) }) },
    reviews: { request: async () => ({ success: false, code: "open-in-progress", message: "Not in the dev store" }) },
    webVitals: { onReport: async () => {} },
    support: { registerHandler: async () => {} },
    setSignals: () => {},
  };

  /* messages from the admin page */
  const commands = {
    navigate: ({ href }) => navigate(href),
    saveBar: ({ action }) => useBar(action),
    toastAction: ({ id }) => actions.get(id)?.onAction?.(),
    toastDismiss: ({ id }) => {
      actions.get(id)?.onDismiss?.();
      actions.delete(id);
    },
  };
  const heard = (event) => {
    if (event.origin !== HOST || event.source !== window.parent || event.data?.devStore !== "host") return;
    const { type, id, value, error } = event.data;
    if (type === "answer") {
      const one = waiting.get(id);
      waiting.delete(id);
      return error ? one?.refuse(new Error(error)) : one?.answer(value);
    }
    commands[type]?.(event.data);
  };
  for (const [name, listener] of [["message", heard], ["popstate", tellPlace]]) {
    window.removeEventListener(name, native[name]);
    window.addEventListener(name, (native[name] = listener));
  }
  document.addEventListener("click", followOutside);
  document.addEventListener("input", edited);
  document.addEventListener("change", edited);
  document.addEventListener("submit", settled);
  document.addEventListener("reset", settled);

  const started = () => {
    tellPlace();
    tellNavigation();
    new MutationObserver(() => {
      tellNavigation();
      checkBar();
    }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });
  };
  if (query.has("shopify-reload")) become(query.get("shopify-reload"));
  else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", started);
  else started();
})();
