/* The command palette: Ctrl or ⌘ K over the tabs of the menu, pages and actions (data-palette), and members, whom the server finds. */
(() => {
  const palette = () => document.getElementById("palette");
  const field = () => document.getElementById("palette-q");
  const list = () => document.getElementById("palette-list");
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const PAUSE = 200;
  let entries = [];
  let people = [];
  let asked = 0;
  let searching = false;

  const collect = () => {
    const actions = [...document.querySelectorAll("main [data-palette]")].map((source) => ({
      source, words: source.dataset.palette || source.textContent.trim(), group: palette().dataset.actions, icon: "zap",
    }));
    const tabs = [...document.querySelectorAll("#bar-home, #all-tabs a")].map((source) => ({
      source,
      words: source.getAttribute("aria-label") || source.textContent.trim(),
      group: source.closest("section")?.querySelector("h2").textContent || "",
      icon: source.querySelector("use")?.getAttribute("href").split("#")[1] || "chevron-right",
    }));
    const pages = [...palette().querySelectorAll("[data-shortcuts] a")].map((source) => ({
      source, words: source.textContent.trim(), group: palette().dataset.actions, icon: source.dataset.icon,
    }));
    return [...actions, ...tabs, ...pages];
  };
  /* every typed word must occur; the name itself comes first, then names that begin with the text */
  const matching = (text) => {
    const words = plain(text).split(/\s+/).filter(Boolean);
    const found = entries.filter((entry) => words.every((word) => plain(`${entry.words} ${entry.group}`).includes(word)));
    const rank = (entry) => [(one) => one === words.join(" "), (one) => one.startsWith(words[0]), () => true].findIndex((fits) => fits(plain(entry.words)));
    return words.length ? found.sort((a, b) => rank(a) - rank(b)) : found;
  };
  const option = (entry, at) => {
    const node = palette().querySelector("template").content.firstElementChild.cloneNode(true);
    const use = node.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${entry.icon}`));
    node.id = `palette-${at}`;
    node.children[1].textContent = entry.words;
    node.children[2].textContent = entry.group;
    node.addEventListener("click", () => go(entry));
    return node;
  };
  const mark = (node) => {
    list().querySelectorAll("[role=option]").forEach((each) => each.setAttribute("aria-selected", String(each === node)));
    if (node) field().setAttribute("aria-activedescendant", node.id);
    else field().removeAttribute("aria-activedescendant");
    node?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    const found = [...matching(field().value), ...people].slice(0, 60);
    list().replaceChildren(...found.map(option));
    palette().querySelector(".palette-none").hidden = found.length > 0 || searching;
    list().hidden = found.length === 0;
    palette().querySelector("[role=status]").textContent = searching ? "" : palette().dataset.count.replace("#", found.length);
    mark(list().firstElementChild);
  };
  /* the server finds members: names by their beginning, e-mails, orders and codes as a whole */
  const askServer = async () => {
    const text = field().value.trim();
    const mine = ++asked;
    const { peopleUrl } = palette().dataset;
    people = [];
    searching = Boolean(peopleUrl) && text.length >= 2;
    if (!searching) return;
    await new Promise((go) => setTimeout(go, PAUSE));
    if (mine !== asked) return;
    try {
      const answer = await fetch(`${peopleUrl}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
      const html = answer.ok ? await answer.text() : "";
      if (mine !== asked || !palette().open) return;
      const place = document.getElementById("palette-people");
      place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.children);
      window.htmx.process(place);
      people = [...place.querySelectorAll("a")].map((source) => ({
        source, words: source.textContent, group: source.dataset.line || palette().dataset.people, icon: "user",
      }));
    } catch {
      people = []; /* offline: tabs and actions are still found */
    }
    if (mine !== asked) return;
    searching = false;
    draw();
  };
  const go = (entry) => {
    palette().close();
    entry.source.click();
  };
  const open = () => {
    entries = collect();
    field().value = "";
    people = [];
    searching = false;
    asked += 1;
    if (!palette().open) palette().showModal();
    draw();
    field().focus();
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!document.querySelector("dialog[open]:not(#palette)")) open();
    }
    if (event.target.id !== "palette-q") return;
    const all = [...list().children];
    const at = all.findIndex((node) => node.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      all[at]?.click();
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.id !== "palette-q") return;
    askServer();
    draw();
  });
  document.addEventListener("click", (event) => event.target.closest?.("[data-open=palette]") && open());
})();
