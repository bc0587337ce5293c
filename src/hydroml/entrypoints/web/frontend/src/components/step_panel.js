// The right-hand panel of the Studio: one step's form, its live preview, apply and cancel.
import { api, asProblem, fieldErrors } from "../lib/api.js";
import { attachCompletion } from "../lib/complete.js";
import { debounced } from "../lib/dom.js";
import { count, milliseconds } from "../lib/format.js";
import { METHODS, blank, document_, lacks, opOf } from "../lib/steps.js";
import { isNumeric, literal, quoted } from "../lib/types.js";

const OPERATORS = [
  { value: "=", title: "is" }, { value: "!=", title: "is not" }, { value: ">", title: "greater than" }, { value: ">=", title: "at least" }, { value: "<", title: "less than" }, { value: "<=", title: "at most" },
  { value: "IS NULL", title: "is missing" }, { value: "IS NOT NULL", title: "is not missing" },
];

export function stepPanel(grid) {
  let running = null;
  const later = debounced((work) => work(), 350);
  return {
    panel: null, // "add" or "edit"
    editing: null,
    form: { op: "" },
    stepErrors: {},
    stepProblem: "",
    preview: null,
    previewing: false,
    columnSearch: "",
    picked: { column: "", operator: "=", value: "" },
    methods: METHODS,
    operators: OPERATORS,
    addStep(op, column = null, given = {}) {
      this.openPanel("add", { ...blank(op, this.schema, column), ...given });
      if (op === "derive" && column) Object.assign(this.form, { column: `${column.name}_new`.replace(/\W+/g, "_"), formula: quoted(column.name) });
      if (op === "filter") this.picked = { column: this.schema[0]?.name ?? "", operator: "=", value: "" };
    },
    editStep(entry) {
      this.editing = entry;
      this.openPanel("edit", JSON.parse(JSON.stringify(entry.step)), entry);
    },
    openPanel(mode, form, entry = null) {
      if (this.seen && mode === "add") this.look("");
      this.panel = mode;
      this.editing = entry;
      this.form = form;
      this.stepErrors = {};
      this.stepProblem = "";
      this.columnSearch = "";
      this.dropPreview();
      this.showPart("step");
      this.$nextTick(() => {
        const body = this.$refs.panelBody;
        for (const field of body?.querySelectorAll("textarea.formula") ?? []) if (!field.dataset.completes) {
          field.dataset.completes = "yes";
          attachCompletion(field, () => this.completions());
        }
        body?.querySelector("textarea, input, select")?.focus();
      });
      if (this.stopWatching) this.stopWatching();
      this.stopWatching = this.$watch("form", () => this.panel && later(() => this.tryIt()));
      this.tryIt();
    },
    closePanel() {
      if (!this.panel) return;
      this.panel = null;
      this.editing = null;
      later.cancel();
      running?.abort();
      this.dropPreview();
      this.showPart("grid");
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
      this.stepErrors = {};
      this.stepProblem = "";
      if (this.lacking) {
        this.dropPreview();
        return;
      }
      const mine = (running = new AbortController());
      this.previewing = true;
      try {
        const preview = await api.post(`/sessions/${this.id}/preview`, document_(this.form, this.schema), { signal: mine.signal, query: this.editing ? { step: this.editing.parent ?? "root" } : {} }); // an edited step is tried where it stands
        if (running !== mine || !this.panel) return;
        this.preview = preview;
        if (!["derive", "drop_columns", "sort"].includes(this.form.op)) grid()?.setProfile(null); // the distributions would be those of before
        grid()?.showFixed(preview, preview.added_columns ?? []);
      } catch (error) {
        if (error.name === "AbortError" || running !== mine) return;
        this.dropPreview();
        this.panelRefused(error);
      } finally {
        if (running === mine) this.previewing = false;
      }
    },
    /** Puts a refusal at its field; answers whether the panel could show it. */
    panelRefused(error) {
      if (!this.panel) return false;
      const problem = asProblem(error);
      this.stepErrors = Object.fromEntries(Object.entries(fieldErrors(problem)).map(([path, text]) => [path.replace(/^step\./, "").split(".")[0], text]));
      const placed = ["condition", "columns", "method", "value", "column", "formula", "by"].some((field) => this.stepErrors[field]);
      this.stepProblem = placed ? "" : problem.errors[0]?.msg || problem.detail || problem.title;
      return true;
    },
    get lacking() {
      return this.panel ? lacks(this.form) : "";
    },
    async apply() {
      if (!this.panel || this.busy) return;
      if (this.lacking) {
        this.stepProblem = this.lacking;
        return;
      }
      const step = document_(this.form, this.schema);
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
    get isKnownOp() {
      return ["filter", "fill_missing", "derive", "drop_columns", "sort"].includes(this.form.op);
    },
    get choices() {
      const wanted = this.columnSearch.trim().toLowerCase();
      const missing = (name) => this.profileOf(name)?.missing ?? 0;
      const columns = this.form.op === "fill_missing" ? this.schema.toSorted((one, two) => Boolean(missing(two.name)) - Boolean(missing(one.name))) : this.schema; // those with gaps first
      return columns.filter(({ name }) => name.toLowerCase().includes(wanted)).map(({ name, type }) => ({ name, type, note: this.form.op === "fill_missing" && missing(name) ? `${count(missing(name))} ∅` : "" })).slice(0, 300);
    },
    isPicked(name) {
      return this.form.columns?.includes(name) ?? false;
    },
    pick(name) {
      const { columns } = this.form;
      this.form.columns = columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name];
    },
    pickMissing() {
      this.form.columns = this.schema.filter(({ name }) => this.profileOf(name)?.missing).map(({ name }) => name);
    },
    get needsValue() {
      return !this.picked.operator.includes("NULL");
    },
    addCondition(glue) {
      const column = this.schema.find(({ name }) => name === this.picked.column);
      if (!column) return;
      const value = this.picked.value.trim();
      const right = this.needsValue ? ` ${isNumeric(column.type) && Number.isFinite(Number(value)) ? value || "0" : literal(value, "text")}` : "";
      const part = `${quoted(column.name)} ${this.picked.operator}${right}`;
      this.form.condition = this.form.condition.trim() ? `${this.form.condition.trim()} ${glue} ${part}` : part;
    },
    addSort() {
      const used = this.form.by.map(({ column }) => column);
      this.form.by.push({ column: this.schema.find(({ name }) => !used.includes(name))?.name ?? "", descending: false });
    },
    removeSort(index) {
      this.form.by.splice(index, 1);
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
      parts.push({ sign: rows > 0 ? "+" : rows ? "−" : "±", n: count(Math.abs(rows)), what: "rows", tone: rows ? "t-warning" : "" });
      if (preview.changed_cells) parts.push({ sign: "~", n: count(changed), what: "cells changed", tone: changed ? "t-accent" : "" });
      return parts;
    },
    get previewTime() {
      return this.preview ? milliseconds(this.preview.elapsed_ms) : "";
    },
  };
}
