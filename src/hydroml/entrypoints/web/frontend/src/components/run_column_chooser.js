import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { FIXED, USUAL, describe } from "../lib/run_columns.js";

const MOST = 200; // lines drawn at once; the search finds the others

/** A dialog in which the columns of the table of runs are chosen; `change` is told of each new choice, in its order. */
export function chooseRunColumns(names, chosen, catalogue, change) {
  document.querySelector("dialog.columns-dialog")?.remove();
  const rank = (name) => ["metrics.test.", "parameters.", "metrics.train.", ""].findIndex((start) => name.startsWith(start));
  const all = [...FIXED.map(({ name }) => name), ...[...names].sort((a, b) => rank(a) - rank(b))].map((name) => describe(name, catalogue));
  const search = h("input", { class: "input", type: "search", "aria-label": "Find a metric or parameter", placeholder: "Find a metric or parameter", oninput: () => draw() });
  const list = h("ul", { class: "columns-list", "aria-label": "Columns" });
  const tally = h("p", { class: "help", role: "status" });
  const label = ({ title, part }) => (part ? `${title}, ${part}` : title);
  function set(next) {
    chosen = next;
    change(chosen);
    tally.textContent = said();
  }
  let found = all;
  const said = () => `${count(chosen.length)} of ${count(all.length)} shown${found.length > MOST ? `; the first ${MOST} of ${count(found.length)} are listed` : ""}`;
  /** A figure stands beside the other figures. */
  function added(name) {
    const at = chosen.findLastIndex((one) => /^(metrics|parameters)\.|^score$/.test(one));
    return isFixed(name) || at < 0 ? [...chosen, name] : chosen.toSpliced(at + 1, 0, name);
  }
  const isFixed = (name) => FIXED.some((one) => one.name === name);
  function line(one) {
    const box = h("input", { type: "checkbox", checked: chosen.includes(one.name), onchange: () => set(box.checked ? added(one.name) : chosen.filter((name) => name !== one.name)) });
    return h("li", {}, h("label", { class: "check grow", title: one.definition || one.name }, box, h("span", { class: "truncate" }, one.title), one.part ? h("span", { class: "subtle xs nowrap" }, one.part) : null));
  }
  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = all.filter((one) => words.every((word) => `${label(one)} ${one.name}`.toLowerCase().includes(word)));
    const first = found.filter(({ name }) => chosen.includes(name));
    list.replaceChildren(...[...first, ...found.filter(({ name }) => !chosen.includes(name))].slice(0, MOST).map(line));
    tally.textContent = said();
  }
  const reset = () => {
    set([...USUAL]);
    draw();
  };
  const dialog = h("dialog", { class: "dialog columns-dialog", "aria-labelledby": "run-columns-title" },
    h("header", {}, h("h2", { id: "run-columns-title" }, "Columns of the runs")),
    h("div", { class: "dialog-body stack-s" }, search, list, tally),
    h("footer", {}, h("button", { type: "button", class: "btn btn-quiet", onclick: reset }, "Reset"), h("button", { type: "button", class: "btn btn-primary", onclick: () => dialog.close() }, "Done")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  draw();
  dialog.showModal();
  search.focus();
}
