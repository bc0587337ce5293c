import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { isReserved, quoted, typeOf } from "./types.js";

const WORD = /["\w.]*$/;

let reading = null;
/** The functions that formulas may use, read once. */
export function loadFunctions() {
  reading ??= api.get("/formulas").then(({ functions }) => functions);
  reading.catch(() => (reading = null));
  return reading;
}

/** What a formula over these columns may hold. */
export const offersOf = (columns, functions) => [
  ...columns.map(({ name, type }) => ({ text: name, insert: quoted(name), note: typeOf(type).label, icon: typeOf(type).icon })),
  ...functions.map(({ name, signature, help }) => ({ text: signature, insert: `${name}()`, caret: -1, note: help, icon: "fx" })),
];

/** Where a word of `text` begins with what was typed, or -1. */
function startOfWord(text, typed) {
  for (let at = text.indexOf(typed); at >= 0; at = text.indexOf(typed, at + 1)) if (at === 0 || /[^a-z0-9]/.test(text[at - 1])) return at;
  return -1;
}

/** Completion in a formula field: columns and functions, as one types. `offers()` answers `{text, insert, note, icon, caret}`. */
export function attachCompletion(field, offers) {
  const list = h("div", { class: "suggest", role: "listbox", "aria-label": "Completions" });
  let shown = [];
  let active = 0;
  const close = () => {
    shown = [];
    list.remove();
    field.removeAttribute("aria-activedescendant");
  };
  const word = () => WORD.exec(field.value.slice(0, field.selectionStart))?.[0] ?? "";
  function draw() {
    list.replaceChildren(...shown.map((offer, index) => h("div", { class: "option", role: "option", "aria-selected": String(index === active), onpointerdown: (event) => { event.preventDefault(); take(offer); } },
      icon(offer.icon), h("span", { class: "truncate mono xs" }, offer.text), h("span", { class: "end subtle xs truncate" }, offer.note ?? ""))));
    if (!list.isConnected) field.parentElement.append(list);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }
  function take(offer) {
    const end = field.selectionStart;
    const start = end - word().length;
    field.setRangeText(offer.insert, start, end, "end");
    if (offer.caret) field.selectionStart = field.selectionEnd = field.selectionStart + offer.caret;
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  }
  field.parentElement.classList.add("anchor");
  field.addEventListener("input", () => {
    const typed = word().replace(/^"/, "").toLowerCase();
    const before = field.value.slice(0, field.selectionStart - word().length);
    if (!/^[a-z_]/.test(typed) || isReserved(typed) || (before.split("'").length - 1) % 2) return close(); // inside a text there is nothing to complete
    shown = offers().map((offer) => ({ ...offer, at: startOfWord(offer.text.toLowerCase(), typed) })).filter(({ text, at }) => at >= 0 && text.toLowerCase() !== typed).sort((a, b) => a.at - b.at).slice(0, 8);
    active = 0;
    return shown.length ? draw() : close();
  });
  field.addEventListener("keydown", (event) => {
    if (!shown.length) return;
    if (event.key === "ArrowDown") active = (active + 1) % shown.length;
    else if (event.key === "ArrowUp") active = (active + shown.length - 1) % shown.length;
    else if (event.key === "Tab" || (event.key === "Enter" && !event.ctrlKey && !event.metaKey)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return take(shown[active]);
    } else if (event.key === "Escape") {
      event.stopImmediatePropagation();
      event.preventDefault();
      return close();
    } else return;
    event.preventDefault();
    draw();
  });
  field.addEventListener("blur", () => setTimeout(close, 100));
}
