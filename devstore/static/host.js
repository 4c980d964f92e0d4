/* The admin page around the app's frame: answers the App Bridge stand-in and draws what Shopify draws outside the frame. */
(() => {
  const byId = (id) => document.getElementById(id);
  const known = JSON.parse(byId("frame-config").textContent);
  const frame = byId("app-frame");
  const places = { picker: byId("picker"), leave: byId("leave"), bar: byId("save-bar") };

  const send = (message) => frame.contentWindow.postMessage({ devStore: "host", ...message }, known.appOrigin);
  const fromServer = async (name, options) => {
    const answer = await fetch(`${known.base}/frame/${name}`, options);
    if (!answer.ok) throw new Error(`the dev store answered ${answer.status}`);
    return answer.json();
  };

  /* addresses: /app/members in the frame is …/apps/loyalnest/members outside */
  const outer = (path) => known.place + (path.startsWith(known.appPath) ? path.slice(known.appPath.length) : path);
  let here = known.appPath;
  const showPlace = ({ path, title }) => {
    if (!path.startsWith(known.appPath)) return;
    history.replaceState(null, "", outer(path));
    document.querySelector(".who [name=back]").value = outer(path);
    if (title) document.title = `${title} · ${known.shopName}`;
    here = path.split(/[?#]/)[0];
    markPlace();
  };
  const markPlace = () => {
    document.querySelectorAll("#app-links a").forEach((link) => {
      const there = link.dataset.href.split(/[?#]/)[0];
      if (there === here || (there !== known.appPath && here.startsWith(`${there}/`))) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  };
  const showLinks = ({ links }) => {
    byId("app-links").replaceChildren(
      ...links
        .filter((link) => !link.home)
        .map((link) => {
          const item = document.createElement("li");
          const anchor = document.createElement("a");
          anchor.href = outer(link.href);
          anchor.dataset.href = link.href;
          anchor.textContent = link.label;
          item.append(anchor);
          return item;
        }),
    );
    markPlace();
  };
  byId("app-links").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    send({ type: "navigate", href: link.dataset.href });
  });

  /* leaving the frame: Shopify's own pages become pages of the dev store */
  const open = ({ url }) => {
    const admin = url.match(/^(?:shopify:admin|https:\/\/admin\.shopify\.com(?:\/store\/[^/?#]+)?)(\/[^?#]*)?/);
    location.assign(admin ? `${known.base}${admin[1] ?? ""}` : url);
  };

  const toasts = byId("toasts");
  const dropToast = (id) => byId(id)?.remove();
  const showToast = ({ id, message, isError, action, duration = 5000 }) => {
    const box = document.createElement("div");
    box.id = id;
    box.className = isError ? "toast bad" : "toast";
    const text = document.createElement("span");
    text.textContent = message;
    box.append(text);
    const button = (label, type) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = label;
      made.addEventListener("click", () => {
        send({ type, id });
        dropToast(id);
      });
      box.append(made);
    };
    if (action) button(action, "toastAction");
    button(known.words.dismiss, "toastDismiss");
    toasts.append(box);
    setTimeout(dropToast, Math.max(duration, 1000), id);
  };

  const choose = (dialog) =>
    new Promise((done) => {
      dialog.returnValue = "";
      dialog.showModal();
      dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
    });

  /* the resource picker */
  const rowOf = (resource, { multiple, chosen }) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = multiple ? "checkbox" : "radio";
    box.name = "resource";
    box.checked = chosen.has(resource.id);
    box.resource = resource;
    const text = document.createElement("span");
    text.textContent = resource.displayName ?? resource.title;
    label.append(box, text);
    return label;
  };
  const pick = async (options) => {
    const { resources } = await fromServer(`resources?type=${encodeURIComponent(options.type)}`);
    const chosen = new Set((options.selectionIds ?? []).map((one) => one.id));
    const list = places.picker.querySelector("[data-list]");
    const search = places.picker.querySelector("input[type=search]");
    list.replaceChildren(...resources.map((one) => rowOf(one, { multiple: options.multiple, chosen })));
    search.value = options.query ?? "";
    const narrow = () =>
      list.querySelectorAll("label").forEach((row) => {
        row.hidden = !row.textContent.toLowerCase().includes(search.value.trim().toLowerCase());
      });
    search.oninput = narrow;
    narrow();
    if (!(await choose(places.picker))) return null;
    return [...list.querySelectorAll("input:checked")].map((box) => box.resource);
  };

  const answers = {
    hello: () => known.config,
    idToken: async () => (await fromServer("id-token", { method: "POST" })).token,
    user: () => known.user,
    scopes: () => fromServer("scopes"),
    extensions: () => fromServer("extensions"),
    picker: ({ options }) => pick(options),
    leave: () => choose(places.leave),
    scopesRequest: async () => ({ result: "declined-all", detail: await fromServer("scopes") }),
    scopesRevoke: async () => ({ detail: await fromServer("scopes") }),
  };
  const notices = {
    place: showPlace,
    navigation: showLinks,
    open,
    toast: ({ toast }) => showToast(toast),
    toastHide: ({ toast }) => dropToast(toast.id),
    loading: ({ on }) => (byId("loading").hidden = !on),
    saveBar: ({ shown }) => (places.bar.hidden = !shown),
  };

  window.addEventListener("message", async (event) => {
    if (event.source !== frame.contentWindow || event.origin !== known.appOrigin || event.data?.devStore !== "app") return;
    const { type, id } = event.data;
    if (notices[type]) return notices[type](event.data);
    if (!answers[type]) return;
    try {
      send({ type: "answer", id, value: await answers[type](event.data) });
    } catch (error) {
      send({ type: "answer", id, error: error.message });
    }
  });

  places.bar.addEventListener("click", (event) => {
    const action = event.target.dataset.action;
    if (action) send({ type: "saveBar", action });
  });
  document.querySelectorAll("[data-leaves]").forEach((link) =>
    link.addEventListener("click", async (event) => {
      if (places.bar.hidden) return;
      event.preventDefault();
      if (await choose(places.leave)) location.assign(link.href);
    }),
  );

  /* The frame is loaded last, so that nothing it says is missed. */
  frame.src = frame.dataset.src;
})();
