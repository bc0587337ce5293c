import { h, icon } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { arranged, hide, move, pin, plainLayout, show, unpin } from "../lib/layout.js";
import { typeOf } from "../lib/types.js";

const MOST = 200; // rows drawn at once; the search finds the others

/** A dialog in which columns are shown, hidden, pinned and put in another order; `change` is told of each new layout. */
export function openColumns(columns, layout, change) {
  document.querySelector("dialog.columns-dialog")?.remove();
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const names = columns.map(({ name }) => name);
  const search = h("input", { class: "input", type: "search", "aria-label": "Find a column", placeholder: "Find a column", oninput: () => draw() });
  const list = h("ul", { class: "columns-list", "aria-label": "Columns" });
  const tally = h("span", { class: "subtle xs", role: "status" });
  const matching = () => {
    const wanted = search.value.trim().toLowerCase();
    return arranged(names, layout.order).filter((name) => name.toLowerCase().includes(wanted));
  };
  const set = (next, focus) => {
    layout = next;
    change(layout);
    draw();
    if (focus) [...list.querySelectorAll("[data-part]")].find((one) => one.dataset.name === focus.name && one.dataset.part === focus.part && !one.disabled)?.focus();
  };
  const each = (work) => matching().reduce((made, name) => work(made, name), layout);
  function hideAll() {
    const found = new Set(matching());
    const kept = new Set(names.filter((name) => !found.has(name) && !layout.hidden.includes(name)));
    const spare = kept.size ? null : [...found][0]; // a table without columns shows nothing
    set(each((made, name) => (name === spare ? show(made, name) : hide(made, name))));
  }
  function line(name, at, found) {
    const hidden = layout.hidden.includes(name);
    const pinned = layout.pinned.includes(name);
    const last = !hidden && layout.hidden.filter((one) => types.has(one)).length >= names.length - 1;
    const tool = (part, label, iconName, run, { off = false, pressed = null } = {}) => h("button", { type: "button", class: `btn btn-icon btn-s${pressed ? " is-on" : ""}`, "data-part": part, "data-name": name, "aria-label": `${label} ${name}`, title: label, disabled: off, "aria-pressed": pressed === null ? null : String(pressed), onclick: run }, icon(iconName));
    const moved = (by, part) => set(move(layout, names, name, by), { name, part });
    const box = h("input", { type: "checkbox", checked: !hidden, disabled: last, "data-part": "show", "data-name": name, onchange: () => set(hidden ? show(layout, name) : hide(layout, name), { name, part: "show" }) });
    const item = h("li", {},
      h("label", { class: "check grow" }, box, icon(typeOf(types.get(name)).icon), h("span", { class: "truncate", title: name }, name)),
      tool("pin", pinned ? "Unpin" : "Pin left", "pin", () => set(pinned ? unpin(layout, name) : pin(layout, name), { name, part: "pin" }), { pressed: pinned }),
      tool("up", "Move up", "up", () => moved(-1, "up"), { off: at === 0 || found.length < names.length }),
      tool("down", "Move down", "down", () => moved(1, "down"), { off: at === names.length - 1 || found.length < names.length }));
    item.addEventListener("keydown", (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      if (event.altKey && found.length === names.length) moved(by, event.target.dataset.part ?? "show");
      else [...list.querySelectorAll(`[data-part="${event.target.dataset.part ?? "show"}"]`)].find((one) => one.dataset.name === found[at + by])?.focus();
    });
    return item;
  }
  function draw() {
    const found = matching();
    list.replaceChildren(...found.slice(0, MOST).map((name, at) => line(name, at, found)));
    const shown = names.filter((name) => !layout.hidden.includes(name)).length;
    tally.textContent = `${count(shown)} of ${count(names.length)} shown${found.length > MOST ? `; the first ${MOST} of ${count(found.length)} are listed` : ""}`;
  }
  const dialog = h("dialog", { class: "dialog columns-dialog", "aria-labelledby": "columns-title" },
    h("header", {}, h("h2", { id: "columns-title" }, "Columns")),
    h("div", { class: "dialog-body stack-s" },
      h("div", { class: "row" }, search, h("button", { type: "button", class: "btn btn-s", onclick: () => set(each(show)) }, "Show all"), h("button", { type: "button", class: "btn btn-s", onclick: hideAll }, "Hide all")),
      list, h("p", { class: "help" }, "Alt and an arrow move a column. ", tally)),
    h("footer", {}, h("button", { type: "button", class: "btn btn-quiet", onclick: () => set(plainLayout()) }, "Reset"), h("button", { type: "button", class: "btn btn-primary", onclick: () => dialog.close() }, "Done")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  draw();
  dialog.showModal();
  search.focus();
}
