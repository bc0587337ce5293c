// The right-hand panel of the Studio: one step's form, its live preview, apply and cancel.
import { api, asProblem, fieldErrors } from "../lib/api.js";
import { debounced } from "../lib/dom.js";
import { count, milliseconds } from "../lib/format.js";
import { otherTables } from "../lib/other_table.js";
import { blankOf, copied, documentOf, drawForm, lackOf } from "../lib/schema_form.js";
import { opOf } from "../lib/steps.js";
import { quoted } from "../lib/types.js";

export function stepPanel(grid) {
  let running = null;
  let drawn = null;
  let tables = null;
  let opener = null; // what had the focus before the form did
  const later = debounced((work) => work(), 350);
  return {
    panel: null, // "add" or "edit"
    editing: null,
    form: { op: "" },
    stepProblem: "",
    preview: null,
    previewing: false,
    slow: false,
    addStep(op, column = null, given = {}) {
      const fields = opOf(op).fields;
      const known = Object.entries(given).filter(([, value]) => value !== null);
      const form = { op, ...blankOf(fields, this.schema, column), ...Object.fromEntries(known) };
      if (op === "derive" && column) Object.assign(form, { column: `${column.name}_new`.replace(/\W+/g, "_"), formula: quoted(column.name) });
      if (op === "fill_missing" && !given.method) form.method = column && !["integer", "number", "decimal"].includes(column.type) ? "previous" : "median";
      this.openPanel("add", form);
    },
    editStep(entry) {
      const fields = opOf(entry.step.op).fields;
      const given = copied(entry.step);
      for (const [name, value] of Object.entries(given)) if (value === null) delete given[name];
      this.openPanel("edit", { ...blankOf(fields, this.schema), ...given }, entry);
    },
    openPanel(mode, form, entry = null) {
      if (this.seen && mode === "add") this.look("");
      if (!this.panel) opener = document.activeElement;
      this.panel = mode;
      this.editing = entry;
      this.form = form;
      this.stepProblem = "";
      this.dropMatch();
      this.dropPreview();
      this.showPart("step");
      this.$nextTick(() => {
        drawn = drawForm(opOf(form.op).fields, form, {
          columns: this.schema, functions: this.formulas, completions: () => this.completions(),
          gaps: (name) => this.profileOf(name)?.missing ?? 0, top: (name) => this.profileOf(name)?.top, tables: this.otherTables(), version: this.session.version_id,
          check: (formula, kind, signal) => api.post(`/sessions/${this.id}/formulas/check`, { formula, kind }, { signal, query: this.editing ? { step: this.editing.parent ?? "root" } : {} }),
        }, () => {
          this.lacking = lackOf(opOf(form.op).fields, form);
          later(() => {
            this.matchIt();
            this.tryIt();
          });
        });
        this.$refs.stepForm.replaceChildren(drawn.element);
        drawn.element.querySelector("[data-waits], textarea, input, select")?.focus();
        this.lacking = lackOf(opOf(form.op).fields, form);
        this.matchIt();
        this.tryIt();
      });
    },
    /** The project's tables, for steps that bring two together. */
    otherTables() {
      return (tables ??= otherTables(this.session.project_id));
    },
    closePanel() {
      if (!this.panel) return;
      const hadFocus = this.$root.querySelector(".step-panel").contains(document.activeElement);
      this.panel = null;
      this.editing = null;
      later.cancel();
      running?.abort();
      this.dropMatch();
      this.dropPreview();
      this.showPart("grid");
      if (hadFocus) this.$nextTick(() => (opener !== document.body && opener.checkVisibility() ? opener.focus() : this.enterTable()));
    },
    enterPanel() {
      this.showPart("step");
      this.$refs.panelBody.querySelector("[data-waits], textarea, input, select")?.focus();
    },
    /** On narrow screens one part shows at a time. */
    showPart(part) {
      const radio = document.getElementById(`v-${part}`);
      if (radio) radio.checked = true;
    },
    dropPreview() {
      if (!this.preview) return;
      this.preview = null;
      grid()?.setSchema(this.schema);
      if (this.profile) grid()?.setProfile(this.profile);
    },
    async tryIt() {
      running?.abort();
      if (!this.panel) return;
      drawn?.refuse([]);
      this.stepProblem = "";
      if (this.lacking) {
        this.dropPreview();
        return;
      }
      const mine = (running = new AbortController());
      this.previewing = true;
      const long = setTimeout(() => running === mine && (this.slow = true), 1500);
      try {
        const preview = await api.post(`/sessions/${this.id}/preview`, this.stepDocument, { signal: mine.signal, query: this.editing ? { step: this.editing.parent ?? "root" } : {} }); // an edited step is tried where it stands
        if (running !== mine || !this.panel) return;
        this.preview = preview;
        grid()?.setProfile(null); // the distributions would be those of before
        const { added_columns: added, removed_columns: removed, differences: told } = preview;
        if (told) grid()?.showFixed({ columns: told.columns, rows: told.rows, row_numbers: told.numbers, fates: told.fates, was: told.was }, added, removed);
        else grid()?.showFixed(preview, added);
      } catch (error) {
        if (error.name === "AbortError" || running !== mine) return;
        this.dropPreview();
        this.panelRefused(error);
      } finally {
        clearTimeout(long);
        if (running === mine) this.previewing = this.slow = false;
      }
    },
    /** The first cells that get no value, or edits that do not fit. */
    get failing() {
      return (this.preview?.differences?.failing ?? []).map((one) => ({ ...one, key: `${one.row} ${one.column}`, where: `row ${count(one.row)}, ${one.column}`, what: one.value === null ? "∅" : String(one.value) }));
    },
    get failingText() {
      const cells = this.preview?.differences?.failing_cells ?? 0;
      return cells ? `${count(cells)} ${cells === 1 ? "cell" : "cells"} without a result` : "";
    },
    showFailing({ row, column }) {
      const told = this.preview?.differences;
      const at = told ? told.numbers.indexOf(row) : -1;
      if (at < 0) return;
      this.showPart("grid");
      grid()?.focusCell(at, column);
    },
    get previewNote() {
      const told = this.preview?.differences;
      if (!this.preview) return "";
      if (!told) return `the first ${count(this.preview.rows.length)} rows`;
      return `the first rows and some that ${told.fates.includes("added") ? "come" : told.fates.includes("removed") ? "leave" : "change"}`;
    },
    /** Puts a refusal at its field; answers whether the panel could show it. */
    panelRefused(error) {
      if (!this.panel) return false;
      const problem = asProblem(error);
      const at = (text) => problem.errors.find(({ msg }) => msg === text)?.at;
      const places = Object.entries(fieldErrors(problem)).map(([path, text]) => [path.replace(/^step\./, ""), text, at(text)]);
      const rest = drawn?.refuse(places) ?? [];
      this.stepProblem = rest[0] ?? (places.length ? "" : problem.errors[0]?.msg || problem.detail || problem.title);
      return true;
    },
    lacking: "",
    get stepDocument() {
      return { op: this.form.op, ...documentOf(opOf(this.form.op).fields, this.form, this.schema) };
    },
    async apply() {
      if (!this.panel || this.busy) return;
      if (this.lacking) {
        this.stepProblem = this.lacking;
        return;
      }
      if (!(await this.mayApply())) return;
      const step = this.stepDocument;
      const entry = this.editing;
      later.cancel();
      running?.abort();
      this.preview = null;
      await this.change(
        (options) => (entry ? api.patch(`/sessions/${this.id}/steps/${entry.id}`, { step }, options) : api.post(`/sessions/${this.id}/steps`, step, options)),
        () => this.closePanel(),
      );
      if (this.panel) this.tryIt(); // refused: the form stays as it was typed
    },
    /** Enter applies; Shift+Enter makes a new line. */
    enter(event) {
      if (event.shiftKey || event.target.tagName !== "TEXTAREA") return;
      event.preventDefault();
      this.apply();
    },
    get panelTitle() {
      return opOf(this.form.op).title;
    },
    get previewHint() {
      if (this.lacking) return this.lacking;
      return "What the step does to the table shows here before it is applied.";
    },
    get panelHelp() {
      return opOf(this.form.op).help;
    },
    get delta() {
      const preview = this.preview;
      if (!preview) return [];
      const rows = (preview.rows_after ?? 0) - (preview.rows_before ?? 0);
      const added = preview.added_columns?.length ?? 0;
      const removed = preview.removed_columns?.length ?? 0;
      const changed = Object.values(preview.changed_cells ?? {}).reduce((sum, one) => sum + one, 0);
      const parts = [];
      if (added) parts.push({ sign: "+", n: count(added), what: added === 1 ? "column" : "columns", tone: "t-success" });
      if (removed) parts.push({ sign: "−", n: count(removed), what: removed === 1 ? "column" : "columns", tone: "t-warning" });
      if (rows || !(added || removed || changed)) parts.push({ sign: rows > 0 ? "+" : rows ? "−" : "±", n: count(Math.abs(rows)), what: "rows", tone: rows ? "t-warning" : "" });
      const left = preview.differences?.fates.filter((fate) => fate === "removed").length;
      if (left && rows >= 0) parts.push({ sign: "−", n: count(left), what: "rows leave", tone: "t-warning" });
      if (preview.changed_cells) parts.push({ sign: "~", n: count(changed), what: `${changed === 1 ? "cell" : "cells"} changed${preview.compared_rows ? ` in the first ${count(preview.compared_rows)} rows` : ""}`, tone: changed ? "t-accent" : "" });
      return parts;
    },
    get previewTime() {
      return this.preview ? milliseconds(this.preview.elapsed_ms) : "";
    },
  };
}
