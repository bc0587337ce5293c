// What any component may ask of the page: toasts, a question, breadcrumbs, the project one is in, shortcuts, commands.
import { asProblem } from "./api.js";
import { h, icon } from "./dom.js";

const emit = (name, detail) => dispatchEvent(new CustomEvent(name, { detail }));

/** `tone`: success, info, warning, danger. Errors stay until read; others go after a while, or when another of their `topic` comes. */
export function toast(text, { tone = "info", title = "", href = "", link = "Open", action = "", run = null, topic = "" } = {}) {
  emit("hydroml:toast", { text, tone, title, href, link, action, run, topic });
}
export function toastError(error, title = "") {
  const problem = asProblem(error);
  toast(problem.detail || problem.title, { tone: "danger", title: title || (problem.detail ? `${problem.title}.` : "") });
}

/** Resolves to true or false; with a `label`, to the text that was typed, or false. */
export function ask(question) {
  return new Promise((resolve) => emit("hydroml:ask", { ...question, resolve }));
}

export function setCrumbs(crumbs) {
  const place = document.getElementById("crumbs");
  if (!place) return;
  place.replaceChildren(...crumbs.flatMap(({ label, href }, index) => [index ? icon("right") : null, h("a", { href, class: "truncate" }, label)]).filter(Boolean));
}

export function setTitle(title) {
  document.title = `${title} · HydroML`;
}

/** The project a page turns out to be in; the rail shows its links. */
export function enterProject(id) {
  if (id) emit("hydroml:project", { id });
}

const shortcuts = [];
const commands = [];
export const knownShortcuts = () => shortcuts;
export const knownCommands = () => commands;
export function command(title, iconName, run, { keys = "", href = "", when = () => true } = {}) {
  commands.push({ title, icon: iconName, run, keys, href, when });
}

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const shown = (keys) => keys.replace("mod", MAC ? "⌘" : "Ctrl").replace("shift", "Shift").split("+").map((key) => (key.length === 1 ? key.toUpperCase() : key)).join(" ");

/** `keys` such as "mod+z", "shift+mod+z", "/", "Enter". While typing, only those with `inInputs` work. */
export function shortcut(keys, title, run, { inInputs = false, hidden = false } = {}) {
  const parts = keys.split("+").filter(Boolean);
  const key = keys.endsWith("++") ? "+" : parts.at(-1);
  shortcuts.push({ keys: shown(keys), title, hidden });
  addEventListener("keydown", (event) => {
    const mod = event.ctrlKey || event.metaKey;
    if (mod !== parts.includes("mod") || event.altKey) return;
    if (parts.includes("shift") !== event.shiftKey && /^([a-z]|F\d+)$/i.test(key)) return; // other keys may need Shift to be typed
    if (event.key.toLowerCase() !== key.toLowerCase()) return;
    const typing = event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");
    if (typing && !inInputs) return;
    if (key === "Enter" && event.target.closest?.("button, a[href], summary")) return; // it presses what has the focus
    if (document.querySelector("dialog[open]") && !inInputs) return;
    if (run(event) !== false) event.preventDefault();
  });
}
