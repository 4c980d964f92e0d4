/* Lists of records: chosen rows and their bar, keys in rows, the way to the search field. */
(() => {
  const kept = new Map(); /* table id → ids chosen, also those on other pages */
  const everything = new Set(); /* tables whose whole result is chosen */
  const boxes = (table) => [...table.querySelectorAll("[data-select]")];
  const chosenOf = (id) => kept.get(id) || kept.set(id, new Set()).get(id);
  let last = null;

  const paint = (table) => {
    const ids = chosenOf(table.id);
    const all = everything.has(table.id);
    const here = boxes(table);
    here.forEach((box) => {
      box.checked = all || ids.has(box.value);
      box.closest("tr").toggleAttribute("data-chosen", box.checked);
    });
    const head = table.querySelector("[data-select-all]");
    const ticked = here.filter((box) => box.checked).length;
    if (head) {
      head.checked = here.length > 0 && ticked === here.length;
      head.indeterminate = ticked > 0 && ticked < here.length;
    }
    carry(table, here, ids, all);
    const bar = document.querySelector(`[data-bulk="${table.id}"]`);
    if (!bar) return;
    const count = bar.querySelector("[data-bulk-count]");
    bar.hidden = !all && ids.size === 0;
    count.textContent = all ? count.dataset.all : ids.size === 1 ? count.dataset.one : count.dataset.many.replace("#", ids.size);
    const more = bar.querySelector("[data-bulk-all]");
    if (more) more.hidden = all || ticked < here.length;
  };
  /* ids chosen on other pages travel as hidden fields */
  const carry = (table, here, ids, all) => {
    const form = document.getElementById(`${table.id}-chosen`);
    if (!form || !here.length) return;
    form.querySelector("[data-all-matching]").value = all ? "true" : "";
    form.querySelectorAll("[data-elsewhere]").forEach((field) => field.remove());
    const present = new Set(here.map((box) => box.value));
    for (const id of all ? [] : ids) {
      if (present.has(id)) continue;
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: here[0].name, value: id });
      field.dataset.elsewhere = "";
      form.append(field);
    }
  };
  const paintAll = () => document.querySelectorAll("[data-rows]").forEach((table) => table.querySelector("[data-select]") && paint(table));
  const pick = (table, box, chosen) => {
    if (everything.delete(table.id)) boxes(table).forEach((each) => chosenOf(table.id).add(each.value));
    if (chosen) chosenOf(table.id).add(box.value);
    else chosenOf(table.id).delete(box.value);
  };
  const pickRange = (table, from, to, chosen) => {
    const all = boxes(table);
    const [a, b] = [all.indexOf(from), all.indexOf(to)].sort((x, y) => x - y);
    if (a >= 0) all.slice(a, b + 1).forEach((box) => pick(table, box, chosen));
  };
  const clear = (id) => {
    kept.delete(id);
    everything.delete(id);
    const table = document.getElementById(id);
    if (table) paint(table);
    table?.querySelector("[data-select-all]")?.focus();
  };

  let withShift = false;
  document.addEventListener("click", (event) => (withShift = event.shiftKey), true);
  document.addEventListener("change", (event) => {
    const table = event.target.closest?.("[data-rows]");
    if (!table) return;
    if (event.target.matches("[data-select-all]")) boxes(table).forEach((box) => pick(table, box, event.target.checked));
    else if (event.target.matches("[data-select]")) {
      if (withShift && last?.isConnected) pickRange(table, last, event.target, event.target.checked);
      else pick(table, event.target, event.target.checked);
      last = event.target;
    } else return;
    paint(table);
  });
  document.addEventListener("click", (event) => {
    const bar = event.target.closest?.("[data-bulk]");
    if (!bar) return;
    if (event.target.closest("[data-bulk-clear]")) clear(bar.dataset.bulk);
    if (event.target.closest("[data-bulk-all]")) {
      everything.add(bar.dataset.bulk);
      paint(document.getElementById(bar.dataset.bulk));
    }
  });

  /* what was chosen is forgotten when another filter or another page is shown */
  let place = location.pathname;
  const forget = () => {
    kept.clear();
    everything.clear();
  };
  document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.sourceElement.matches?.("[data-filters]")) forget();
  });
  document.addEventListener("htmx:after:swap", () => {
    if (location.pathname !== place) forget();
    place = location.pathname;
    paintAll();
  });
  document.addEventListener("DOMContentLoaded", paintAll);

  /* keys: one row of a table can be reached by Tab, arrows go on from there */
  const typing = (element) => element.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const rowsOf = (row) => [...row.parentElement.querySelectorAll(":scope > tr[tabindex]")];
  const land = (row) => {
    rowsOf(row).forEach((each) => (each.tabIndex = each === row ? 0 : -1));
    row.focus();
  };
  const move = (event, row, by) => {
    const controls = (each) => [...each.querySelectorAll("a[href], button:not([disabled]), input")];
    const next = by > 0 ? row.nextElementSibling : row.previousElementSibling;
    event.preventDefault();
    if (!next?.matches("[data-rows] tbody tr[tabindex]")) return;
    if (event.target === row) return land(next);
    const at = controls(row).indexOf(event.target.closest("a, button, input"));
    const there = controls(next);
    there[Math.min(Math.max(at, 0), there.length - 1)]?.focus();
  };
  const end = (event, row, last) => {
    if (event.target !== row) return;
    event.preventDefault();
    land(rowsOf(row).at(last ? -1 : 0));
  };
  const toggle = (event, row) => {
    const box = row.querySelector("[data-select]");
    const table = row.closest("[data-rows]");
    if (!box) return;
    if (event.shiftKey && last?.isConnected) {
      event.preventDefault();
      pickRange(table, last, box, true);
      last = box;
      paint(table);
    } else if (event.target === row) {
      event.preventDefault();
      box.click();
    }
  };
  const press = {
    ArrowDown: (event, row) => move(event, row, 1),
    ArrowUp: (event, row) => move(event, row, -1),
    Home: (event, row) => end(event, row, false),
    End: (event, row) => end(event, row, true),
    Enter: (event, row) => event.target === row && row.querySelector(".cell-main a[href], a[href], [data-open-id]")?.click(),
    x: (event, row) => row.querySelector("[data-select]")?.click(),
    o: (event, row) => row.querySelector("[data-open-id]")?.click(),
    " ": toggle,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (event.key === "Escape" && target.closest?.("[data-bulk]")) return clear(target.closest("[data-bulk]").dataset.bulk);
    if (typing(target)) return;
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) event.preventDefault();
      return search?.focus();
    }
    const row = target.closest?.("[data-rows] tbody tr");
    if (row) press[event.key]?.(event, row);
  });
})();
