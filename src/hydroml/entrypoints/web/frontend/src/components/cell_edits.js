// Cells corrected by hand in the Studio's grid: typed in place, and kept as one step with a reason that grows until another step follows.
import { api, asProblem } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { isNumeric } from "../lib/types.js";
import { ask, toast, toastError } from "../lib/ui.js";

const MOST_EDITS = 1000;

/** What was typed, as a value of the column; nothing is missing. */
export function valueOf(text, type) {
  const plain = text.trim();
  if (plain === "" || plain === "∅") return null;
  if (isNumeric(type) && type !== "decimal" && Number.isFinite(Number(plain))) return Number.isInteger(Number(plain)) && !Number.isSafeInteger(Number(plain)) ? plain : Number(plain);
  if (type === "boolean" && /^(true|false)$/i.test(plain)) return plain.toLowerCase() === "true";
  return isNumeric(type) ? plain : text;
}

/** The edits with one more: a cell that is edited again still tells what it held at first, and one that is as before is left out. */
export function withEdit(cells, { place, name, value }, to) {
  const known = cells.find((one) => one.row === place && one.column === name);
  const others = cells.filter((one) => one !== known);
  const before = known ? known.before : value ?? null;
  return before === to ? others : [...others, { row: place, column: name, before, to }];
}

/** Asks what the cells shall hold; `keep(edits, reason)` answers why it cannot be, or "". */
function bulkDialog({ cells, reason, asked, keep }) {
  const said = h("p", { class: "error-text", role: "alert", hidden: true }, icon("error"), h("span"));
  const field = (id, label, value, help) => {
    const input = h("input", { class: "input", id, autocomplete: "off", spellcheck: "false" });
    input.value = value;
    return { input, row: h("div", { class: "field" }, h("label", { for: id }, label), h("div", {}, input), help ? h("p", { class: "help" }, help) : null) };
  };
  const only = h("input", { type: "checkbox", id: "bulk-only" });
  const find = field("bulk-find", "They hold", "", "The whole value; nothing for missing ones.");
  const to = field("bulk-to", "New value", "", "Nothing makes them missing.");
  const why = field("bulk-why", "Reason", reason, "It stands in the history.");
  const amount = h("p", { class: "help tnum", role: "status" });
  const wanted = () => (only.checked ? cells.filter(({ value, type }) => (value ?? null) === valueOf(find.input.value, type)) : cells);
  const tell = () => {
    find.row.hidden = !only.checked;
    amount.textContent = `${count(wanted().length)} of ${count(cells.length)} cells`;
  };
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "bulk-title" }, h("form", { novalidate: true },
    h("header", {}, h("h2", { id: "bulk-title" }, "Edit the chosen cells")),
    h("div", { class: "dialog-body stack" }, h("label", { class: "check" }, only, "Only cells that hold a certain value"), find.row, to.row, asked ? why.row : null, amount, said),
    h("footer", {}, h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", { class: "btn btn-primary", type: "submit" }, "Edit"))));
  const refuse = (text) => {
    said.hidden = !text;
    said.querySelector("span").textContent = text;
  };
  only.addEventListener("change", tell);
  find.input.addEventListener("input", tell);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reasonNow = why.input.value.trim();
    if (!reasonNow) refuse("Say why they are corrected.");
    else if (!wanted().length) refuse("No chosen cell holds this.");
    else {
      const fault = await keep(wanted().map((at) => [at, valueOf(to.input.value, at.type)]), reasonNow);
      if (fault) refuse(fault);
      else dialog.close();
    }
  });
  document.body.append(dialog);
  tell();
  dialog.showModal();
  to.input.focus();
}

export function cellEdits(grid) {
  let editor = null;
  const close = () => {
    editor?.remove();
    editor = null;
  };
  return {
    /** The step that the next edit joins, if the newest one edits cells. */
    get growing() {
      return this.current?.step.op === "edit_cells" && this.current.enabled ? this.current : null;
    },
    /** Opens a field over the cell; answers false where none can be changed. */
    editCell(at, typed = null) {
      if (this.panel || !this.editable || !at.element) return false;
      if (this.seen) {
        toast("The table is shown as of an earlier step; go to the newest one to edit cells.");
        return true;
      }
      if (at.type === "duration") {
        toast("A duration cannot be edited by hand.");
        return true;
      }
      close();
      const area = this.$refs.grid.getBoundingClientRect();
      const cell = at.element.getBoundingClientRect();
      const said = h("p", { class: "error-text", id: "cell-edit-e", role: "alert", hidden: true }, icon("error"), h("span"));
      const input = h("input", { class: "input", "aria-label": `${at.name} in row ${count(at.row)}`, "aria-describedby": "cell-edit-e cell-edit-h", autocomplete: "off", spellcheck: "false", maxlength: 10000 });
      input.value = typed ?? (at.value === null || at.value === undefined ? "" : String(at.value));
      const box = h("div", { class: "cell-editor" }, input, said, h("p", { class: "help", id: "cell-edit-h" }, "Enter keeps it, Esc does not; empty is missing"));
      editor = box;
      const width = Math.max(cell.width, 180);
      Object.assign(box.style, { top: `${cell.top - area.top}px`, left: `${Math.max(0, Math.min(cell.left - area.left, area.width - width))}px`, width: `${width}px` });
      const back = () => {
        close();
        grid()?.focusCell(at.index, at.name);
      };
      const keep = async () => {
        const text = input.value;
        const to = valueOf(text, at.type);
        if (to === (at.value ?? null)) {
          back();
          return;
        }
        const fault = await this.keepEdit(at, to);
        if (fault === null || editor !== box) return;
        if (fault === "") {
          back();
          return;
        }
        said.hidden = false;
        said.querySelector("span").textContent = fault;
        input.setAttribute("aria-invalid", "true");
        input.focus();
      };
      box.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key === "Enter" || event.key === "Tab") {
          event.preventDefault();
          keep();
        } else if (event.key === "Escape") {
          event.preventDefault();
          back();
        }
      });
      box.addEventListener("focusout", () => setTimeout(() => editor === box && !box.contains(document.activeElement) && !document.querySelector("dialog[open]") && !this.busy && close()));
      this.$refs.grid.append(box);
      input.focus();
      if (typed === null) input.select();
      return true;
    },
    /** What the menu of a cell offers. */
    editItems(at) {
      if (this.panel || this.seen || !this.editable) return [];
      const many = Boolean(this.picked);
      return ["-", many ? null : { title: "Edit", icon: "edit", note: "F2", run: () => this.editCell(at) }, { title: many ? "Edit the chosen cells …" : "Edit with find and replace …", icon: "edit", run: () => this.editChosen() }].filter(Boolean);
    },
    /** One value for all chosen cells, or for those that hold a certain one. */
    async editChosen() {
      let cells;
      try {
        cells = await grid()?.chosen(MOST_EDITS);
      } catch (error) {
        toastError(error, "The cells were not read.");
        return;
      }
      if (!cells) {
        toast(`At most ${count(MOST_EDITS)} cells are edited at once. A step such as Map values or Replace text changes whole columns.`, { tone: "warning", title: "Too many cells." });
        return;
      }
      const editable = cells.filter(({ type }) => type !== "duration");
      if (editable.length) bulkDialog({ cells: editable, reason: this.growing?.step.reason ?? this.lastReason, asked: !this.growing, keep: (edits, reason) => this.keepEdits(edits, reason) });
    },
    /** Keeps one edit, in the step that grows or a new one; answers why it cannot, "" when it is kept, null when nobody wants it. */
    async keepEdit(at, to) {
      let reason = this.growing?.step.reason ?? this.heldReason;
      if (!reason) {
        reason = await ask({ title: "Why is this corrected?", text: "The reason stands in the history, beside all cells you edit until another step follows.", label: "Reason", value: this.lastReason, yes: "Edit" });
        if (!reason) return null;
      }
      return this.keepEdits([[at, to]], reason);
    },
    /** Keeps edits, pairs of a cell and what it shall hold; answers why it cannot, or "". */
    async keepEdits(edits, reason) {
      const entry = this.growing;
      const cells = edits.reduce((known, [at, to]) => withEdit(known, at, to), entry?.step.cells ?? []);
      if (cells.length > MOST_EDITS) return `One step holds at most ${count(MOST_EDITS)} edits; the others belong into a step of their own, after another one.`;
      const step = { op: "edit_cells", cells, reason, ...(entry ? { misfits: entry.step.misfits } : {}) };
      const send = (options) =>
        entry && !cells.length ? api.delete(`/sessions/${this.id}/steps/${entry.id}`, options) : entry ? api.patch(`/sessions/${this.id}/steps/${entry.id}`, { step }, options) : api.post(`/sessions/${this.id}/steps`, step, options);
      let fault = "";
      await this.change((options) => send(options).catch((error) => {
        if (error.status !== 422) throw error;
        fault = asProblem(error).errors[0]?.msg || asProblem(error).detail;
        return this.session; // nothing has changed
      }));
      this.heldReason = fault ? reason : null;
      this.lastReason = reason;
      return fault;
    },
    lastReason: "",
    heldReason: null, // of an edit that was refused: the next try needs no other
  };
}
