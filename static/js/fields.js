/* Fields that do more than the browser's own: tags, colors, pictures, digits of other scripts, states of languages. */
(() => {
  const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

  /* tags */
  const untouched = new WeakMap();
  const touch = (box) => {
    if (!untouched.has(box)) untouched.set(box, [...box.querySelectorAll("input[type=hidden]")].map((field) => [field.value, field.previousElementSibling.textContent]));
  };
  const addTag = (box, text, name = text) => {
    const value = text.trim();
    const present = [...box.querySelectorAll("input[type=hidden]")].some((field) => field.value === value);
    if (!value || present) return;
    const tag = box.querySelector("template").content.firstElementChild.cloneNode(true);
    tag.querySelector("bdi").textContent = name.trim();
    tag.querySelector("input").value = value;
    const remove = tag.querySelector("button");
    remove.setAttribute("aria-label", remove.getAttribute("aria-label").replace("#", name.trim()));
    box.insertBefore(tag, box.querySelector("input[type=text]"));
  };
  /* where only some texts can be tags (data-only), the others stay typed */
  const commit = (box) => {
    const field = box.querySelector("input[type=text]");
    const texts = field.value.split(/[,،\n]/);
    const fits = (text) => !box.dataset.only || new RegExp(`^(?:${box.dataset.only})$`).test(text.trim());
    if (!texts.some((text) => text.trim() && fits(text))) return;
    touch(box);
    texts.filter(fits).forEach((text) => addTag(box, text));
    field.value = texts.filter((text) => !fits(text)).join(",");
  };
  document.addEventListener("tag", (event) => {
    const box = event.target.querySelector("[data-tags]");
    touch(box);
    addTag(box, event.detail.value, event.detail.label);
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest?.("[data-tags]");
    if (!box || !event.target.matches("input[type=text]")) return;
    const tags = box.querySelectorAll(".tag");
    const end = tags[tags.length - 1];
    if ((event.key === "Enter" && event.target.value.trim()) || event.key === ",") {
      event.preventDefault();
      commit(box);
      changed(event.target);
    } else if (event.key === "Backspace" && !event.target.value && end) {
      if (end.hasAttribute("data-marked")) {
        touch(box);
        end.remove();
        changed(event.target);
      } else end.setAttribute("data-marked", "");
    } else box.querySelector("[data-marked]")?.removeAttribute("data-marked");
  });
  document.addEventListener("focusout", (event) => {
    const box = event.target.closest?.("[data-tags]");
    if (box && event.target.matches("input[type=text]")) commit(box);
  });
  document.addEventListener("click", (event) => {
    const remove = event.target.closest?.("[data-tags] .tag > button");
    if (remove) {
      const field = remove.closest("[data-tags]").querySelector("input[type=text]");
      touch(remove.closest("[data-tags]"));
      remove.parentElement.remove();
      changed(field);
      field.focus();
    } else if (event.target.matches?.("[data-tags]")) event.target.querySelector("input[type=text]").focus();
  });

  /* digits: Arabic-Indic and Persian ones become Latin when the field is left; the rest is read by the server */
  const latin = (text) => text.replace(/[٠-٩۰-۹]/g, (sign) => String("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹".indexOf(sign) % 10));
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-digits]")) event.target.value = latin(event.target.value);
  });

  /* colors */
  const HEX = /^#[0-9a-f]{6}$/i;
  const light = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const judge = (box) => {
    const line = box.parentElement.querySelector("[data-contrast]");
    const value = box.querySelector("input[type=text]").value;
    if (!line || !HEX.test(value) || !HEX.test(box.dataset.against)) return;
    const ratio = contrast(value, box.dataset.against);
    const shown = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1, numberingSystem: "latn" }).format(ratio);
    line.textContent = (ratio >= 4.5 ? line.dataset.good : line.dataset.poor).replace("#", shown);
  };
  document.addEventListener("input", (event) => {
    const box = event.target.closest?.("[data-color]");
    if (!box) return;
    const [swatch, text] = box.querySelectorAll("input");
    if (event.target === swatch) {
      text.value = swatch.value;
      if (event.isTrusted) changed(text);
    } else if (HEX.test(text.value)) swatch.value = text.value.toLowerCase();
    judge(box);
  });
  const judgeAll = () => document.querySelectorAll("[data-color][data-against]").forEach(judge);
  document.addEventListener("DOMContentLoaded", judgeAll);
  document.addEventListener("htmx:after:swap", judgeAll);

  /* pictures by address */
  document.addEventListener("change", (event) => {
    const frame = document.querySelector(`[data-picture="${CSS.escape(event.target.id || "-")}"]`);
    if (!frame || !/^https:\/\//.test(event.target.value)) return;
    const picture = Object.assign(new Image(), { src: event.target.value, alt: "" });
    picture.onload = () => frame.replaceChildren(picture);
  });

  const markLanguage = (panel) => {
    const tab = document.getElementById(panel.getAttribute("aria-labelledby"));
    if (tab.dataset.state !== "refused") tab.dataset.state = panel.querySelector(".input").value ? "done" : "missing";
  };
  /* the language's mark follows what is typed */
  document.addEventListener("input", (event) => {
    const panel = event.target.closest?.("[data-localized] [role=tabpanel]");
    if (panel) markLanguage(panel);
  });

  /* a range of days: a preset fills both ends, the person applies */
  const ends = (range) => range.querySelectorAll("input[type=date]");
  document.addEventListener("click", (event) => {
    const preset = event.target.closest?.("[data-range-start]");
    if (!preset) return;
    const range = preset.closest("[data-range]");
    [ends(range)[0].value, ends(range)[1].value] = [preset.dataset.rangeStart, preset.dataset.rangeEnd];
    markPreset(range);
  });
  const markPreset = (range) => {
    const [start, end] = ends(range);
    range.querySelectorAll("[data-range-start]").forEach((preset) => {
      preset.setAttribute("aria-pressed", String(preset.dataset.rangeStart === start.value && preset.dataset.rangeEnd === end.value));
    });
    end.min = start.value;
    start.max = end.value || end.max;
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-range] input[type=date]")) markPreset(event.target.closest("[data-range]"));
  });

  /* a secret is selected whole */
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("[data-secret]")) event.target.select();
  });

  /* Discard of the save bar: the browser resets its own fields, ours follow */
  document.addEventListener("reset", (event) => {
    event.target.querySelectorAll?.("[data-tags]").forEach((box) => {
      const before = untouched.get(box);
      if (!before) return;
      box.querySelectorAll(".tag").forEach((tag) => tag.remove());
      before.forEach(([text, name]) => addTag(box, text, name));
      untouched.delete(box);
    });
    setTimeout(() => {
      event.target.querySelectorAll?.("[data-color]").forEach((box) => {
        const [swatch, text] = box.querySelectorAll("input");
        if (HEX.test(text.value)) swatch.value = text.value.toLowerCase();
        judge(box);
      });
      event.target.querySelectorAll?.("[data-localized] [role=tabpanel]").forEach(markLanguage);
    });
  });
})();
