/* Fields that find people, goods or codes while one types: a combobox with a list (WAI-ARIA). What is typed counts as it stands
   until something is chosen; a field of several keeps what was chosen as tags. A closed list (data-closed) is also opened whole, and
   the first that was found is taken by Enter, the only one also by going on. */
(() => {
  const PAUSE = 250;
  const LEAST = 2;
  const asked = new WeakMap();
  const waiting = new WeakSet();
  const untouched = new WeakMap();
  let choosing = false;

  const boxOf = (element) => element.closest?.("[data-combobox]");
  const fieldOf = (box) => box.querySelector("[role=combobox]");
  const listOf = (box) => box.querySelector("[role=listbox]");
  const valueOf = (box) => box.querySelector("[data-value-of]");
  const closed = (box) => box.hasAttribute("data-closed");
  const settled = (box) => Boolean(valueOf(box)?.name);
  const say = (box, text) => (box.querySelector("[role=status]").textContent = text);

  /* the list */
  const mark = (box, option) => {
    listOf(box).querySelectorAll("[role=option]").forEach((each) => each.setAttribute("aria-selected", String(each === option)));
    if (option) fieldOf(box).setAttribute("aria-activedescendant", option.id);
    else fieldOf(box).removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const open = (box, on) => {
    listOf(box).hidden = !on;
    fieldOf(box).setAttribute("aria-expanded", String(on));
    if (!on) mark(box, null);
  };
  const optionOf = (box, source, at) => {
    const option = document.createElement("li");
    option.id = `${listOf(box).id}-${at}`;
    option.role = "option";
    option.dataset.value = source.dataset.value;
    for (const [name, text] of [["combobox-name", source.textContent.trim()], ["combobox-line", source.dataset.line]]) {
      if (text) option.append(Object.assign(document.createElement("bdi"), { className: name, textContent: text }));
    }
    option.dataset.label = source.textContent.trim();
    return option;
  };
  const show = (box, options) => {
    listOf(box).replaceChildren(...options);
    mark(box, null);
    open(box, options.length > 0);
  };

  /* what the server finds */
  const read = async (url) => {
    const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
  const address = (box, name, text) => {
    const url = new URL(box.dataset.combobox, location.href);
    url.searchParams.set(name, text);
    return url;
  };
  const find = async (box) => {
    const text = settled(box) ? "" : fieldOf(box).value.trim();
    const mine = (asked.get(box) || 0) + 1;
    asked.set(box, mine);
    const late = () => asked.get(box) !== mine || !box.isConnected;
    say(box, "");
    if (!closed(box) && text.length < LEAST) return show(box, []);
    waiting.add(box);
    if (text) await new Promise((go) => setTimeout(go, PAUSE));
    if (late()) return;
    say(box, box.dataset.busy);
    try {
      const page = await read(address(box, "q", text));
      if (late()) return;
      const options = [...page.querySelectorAll("[data-value]")].map((source, at) => optionOf(box, source, at));
      show(box, options);
      if (closed(box)) mark(box, text ? options[0] : options.find((each) => settled(box) && each.dataset.value === valueOf(box).value));
      say(box, page.querySelector("[data-told]")?.textContent.trim() || "");
    } catch {
      if (late()) return;
      show(box, []);
      say(box, box.dataset.failed);
    }
    waiting.delete(box);
  };
  const leave = (box) => {
    asked.set(box, (asked.get(box) || 0) + 1);
    waiting.delete(box);
    open(box, false);
    say(box, "");
  };

  /* choosing, and typing on afterwards */
  const touch = (box) => {
    const hidden = valueOf(box);
    if (hidden && !untouched.has(box)) untouched.set(box, [fieldOf(box).name, hidden.name, hidden.value]);
  };
  const forget = (box) => {
    const hidden = valueOf(box);
    if (!hidden?.name) return;
    touch(box);
    fieldOf(box).name = hidden.name;
    hidden.removeAttribute("name");
    hidden.value = "";
  };
  const settle = (box, value, label) => {
    const hidden = valueOf(box);
    touch(box);
    hidden.name = hidden.dataset.valueOf;
    hidden.value = value;
    fieldOf(box).name = `_${hidden.dataset.valueOf}_shown`;
    fieldOf(box).value = label;
  };
  const choose = (box, option) => {
    const field = fieldOf(box);
    const { value, label } = option.dataset;
    if (valueOf(box)) settle(box, value, label);
    else {
      field.value = "";
      box.dispatchEvent(new CustomEvent("tag", { bubbles: true, detail: { value, label } }));
    }
    leave(box);
    choosing = true;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    choosing = false;
  };

  document.addEventListener("input", (event) => {
    const box = boxOf(event.target);
    if (!box || choosing || !event.target.matches("[role=combobox]")) return;
    forget(box);
    find(box);
  });
  document.addEventListener("keydown", (event) => {
    const box = boxOf(event.target);
    if (!box || !event.target.matches("[role=combobox]") || event.isComposing) return;
    const all = [...listOf(box).children];
    const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    const shown = !listOf(box).hidden;
    const take = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.key === "ArrowDown" && closed(box) && !shown) {
      take();
      find(box);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      take();
      open(box, true);
      if (!event.altKey) mark(box, all[event.key === "ArrowDown" ? (at + 1) % all.length : (at < 1 ? all.length : at) - 1]);
    } else if (event.key === "Enter" && shown && at >= 0) {
      take();
      choose(box, all[at]);
    } else if (event.key === "Enter" && closed(box) && waiting.has(box)) {
      take();
    } else if (event.key === "Escape" && shown) {
      take();
      leave(box);
    }
  }, true);
  document.addEventListener("pointerdown", (event) => event.target.closest?.("[data-combobox] [role=listbox]") && event.preventDefault());
  document.addEventListener("click", (event) => {
    const option = event.target.closest?.("[data-combobox] [role=option]");
    if (option) return choose(boxOf(option), option);
    const box = boxOf(event.target);
    if (!box || !event.target.matches("[role=combobox]") || !closed(box) || !listOf(box).hidden) return;
    if (settled(box)) event.target.select();
    find(box);
  });
  /* before fields.js makes a tag of what is typed */
  document.addEventListener("focusout", (event) => {
    const box = boxOf(event.target);
    if (!box || !event.target.matches("[role=combobox]")) return;
    const meant = closed(box) && !listOf(box).hidden && !settled(box) && event.target.value.trim();
    if (meant && listOf(box).children.length === 1) choose(box, listOf(box).firstElementChild);
    leave(box);
  }, true);
  document.addEventListener("reset", (event) => {
    event.target.querySelectorAll?.("[data-combobox]").forEach((box) => {
      const before = untouched.get(box);
      if (!before) return;
      [fieldOf(box).name, valueOf(box).name, valueOf(box).value] = before;
      untouched.delete(box);
    });
  });

  /* what is kept as an id, or as one that ends with a number, gets its name once the page stands */
  const number = (text) => /^[\da-f-]{36}$|\d+$/.exec(text.trim())?.[0];
  const name = async (box) => {
    const kept = valueOf(box) && !valueOf(box).name ? fieldOf(box).value : "";
    const unnamed = [...box.querySelectorAll(".tag input[type=hidden]")];
    const ids = [kept, ...unnamed.map((field) => field.value)].map(number).filter(Boolean);
    box.removeAttribute("data-names");
    if (!ids.length) return;
    try {
      const page = await read(address(box, "ids", ids.join(",")));
      const names = new Map([...page.querySelectorAll("[data-value]")].map((source) => [source.dataset.value, source.textContent.trim()]));
      if (kept && kept === fieldOf(box).value && names.has(number(kept))) settle(box, kept, names.get(number(kept)));
      for (const field of unnamed) {
        const known = names.get(field.value);
        if (!known) continue;
        field.previousElementSibling.textContent = known;
        const remove = field.nextElementSibling;
        remove.setAttribute("aria-label", remove.getAttribute("aria-label").replace(field.value, known));
      }
      say(box, page.querySelector("[data-told]")?.textContent.trim() || "");
    } catch {
      say(box, box.dataset.failed);
    }
  };
  const nameAll = () => document.querySelectorAll("[data-combobox][data-names]").forEach(name);
  document.addEventListener("DOMContentLoaded", nameAll);
  document.addEventListener("htmx:after:swap", nameAll);
})();
