import { branching } from "../components/branches.js";
import { cellEdits } from "../components/cell_edits.js";
import { charting } from "../components/chart_panel.js";
import { history } from "../components/history.js";
import { matchReport } from "../components/match_report.js";
import { saving } from "../components/saving.js";
import { tableView } from "../components/table.js";
import { together } from "../components/together.js";
import { stepPanel } from "../components/step_panel.js";
import { api } from "../lib/api.js";
import { loadFunctions, offersOf } from "../lib/complete.js";
import { count, plural } from "../lib/format.js";
import { takeOver } from "../lib/handover.js";
import { isActive } from "../lib/jobs.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { regions } from "../lib/regions.js";
import { resource } from "../lib/resource.js";
import { roving } from "../lib/roving.js";
import { GROUPS, kinds, loadSteps, opOf } from "../lib/steps.js";
import { command, enterProject, setTitle, shortcut } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

function studio() {
  let grid = null; // kept out of Alpine's proxies
  return mix(tableView(), stepPanel(() => grid), charting(), history(() => grid), branching(), together(), saving(), cellEdits(() => grid), matchReport(), {
    id: "",
    session: null,
    seen: param("step"), // the step whose table is looked at; empty is the newest
    schema: [],
    formulas: [],
    busy: false,
    saved: null,
    head: resource(() => null, { empty: () => false }),
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => this.open(), { empty: () => false });
      this.head.load();
      this.$watch("schema", (columns) => this.tableChanged(columns));
      loadFunctions().then((functions) => (this.formulas = functions), () => {});
      shortcut("mod+z", "Undo the last step", () => this.undo());
      shortcut("shift+mod+z", "Redo", () => this.redo());
      shortcut("mod+y", "Redo", () => this.redo(), { hidden: true });
      shortcut("/", "Filter the rows on screen", () => this.$refs.filter?.focus());
      shortcut(".", "Add a step", () => (this.editable ? this.stepMenu() : false));
      shortcut("Enter", "Apply the step in the panel", () => (this.panel ? this.apply() : false));
      shortcut("mod+Enter", "Apply it from any of its fields", () => (this.panel ? this.apply() : false), { inInputs: true });
      shortcut("Escape", "Close the panel, or go back to the newest step", () => this.escape());
      loadSteps().then(() => {
        this.knowsSteps = true; // what is known of them is none of Alpine's
        for (const { op, title, icon } of kinds()) command(title, icon, () => this.addStep(op), { keys: ".", when: () => this.editable });
      }, () => {});
      command("Make the filter a step", "filter", () => this.filterToStep(), { when: () => this.editable && Boolean(this.filter) });
      command("Chart", "chart", () => this.toggleChart());
      command("Save as …", "save", () => this.openSave(), { when: () => this.editable });
      command("Train a model on this", "flask", () => this.train(), { when: () => this.editable });
      addEventListener("hydroml:project-known", ({ detail }) => (this.role = detail.role));
      this.startHistory();
      this.$nextTick(() => {
        const part = (selector) => () => this.$root.querySelector(selector);
        const enterToolbar = roving(this.$refs.toolbar, "button, a", { back: "ArrowLeft", on: "ArrowRight" });
        regions([
          { title: "steps", element: part(".toolbar"), enter: enterToolbar },
          { title: "history", element: part(".history"), enter: () => this.enterHistory() },
          { title: "table", element: part(".grid-view"), enter: () => this.showPart("grid") || this.enterTable() },
          { title: "form", element: part(".step-panel"), enter: () => this.enterPanel() },
        ]);
      });
      addEventListener("popstate", () => this.look(param("step"), { push: false }));
    },
    async open() {
      const [session] = await Promise.all([api.get(`/sessions/${this.id}`), loadSteps()]);
      const looked = this.seen;
      await this.take(session);
      setTitle(`${this.session.source?.name ?? "Data"} in the Studio`);
      enterProject(this.session.project_id);
      await this.$nextTick();
      this.attachFilter({ columns: () => this.schema, check: (body, options) => api.post(`/sessions/${this.id}/formulas/check`, body, { ...options, query: { step: this.seen } }) });
      grid = await this.openTable(this.$refs.grid, {
        schema: this.schema,
        rows: (query) => api.get(`/sessions/${this.id}/rows`, { ...query, step: this.shownStep }),
        menuItems: (column) => (this.editable ? ["-", ...this.columnSteps(column)] : []),
        cellItems: (at) => this.editItems(at),
        extra: { onEdit: (at, typed) => this.editCell(at, typed) },
      });
      if (looked) await this.look(looked, { push: false });
      else this.refreshProfile();
      const given = takeOver(this.id);
      if (given) this.addStep(given.op, null, given);
      return this.session;
    },
    /** A new state of the session: the table, its columns and the profile follow. */
    async take(session, { keepView = false } = {}) {
      this.session = session;
      if (!keepView) this.setSeen("");
      if (!this.seen) this.schema = session.schema;
      grid?.setSchema(this.schema);
      this.refreshProfile();
    },
    setSeen(id) {
      this.seen = id;
      setParams({ step: id });
    },
    tableAddress() {
      return { path: `/sessions/${this.id}`, query: { step: this.shownStep } };
    },
    viewsSource() {
      return this.session.source.id;
    },
    get profile() {
      return this.spread;
    },
    completions() {
      return offersOf(this.schema, this.formulas);
    },

    // Adding steps --------------------------------------------------------------------------------------------------------
    knowsSteps: false,
    get tools() {
      if (!this.knowsSteps) return [];
      const first = ["filter", "derive"].map((op) => ({ op, group: "", short: op === "derive" ? "Formula" : "Filter", help: opOf(op).help, icon: `#i-${opOf(op).icon}` }));
      return [...first, ...GROUPS.filter(({ group }) => kinds(group).length).map(({ group, title, icon }) => ({ op: "", group, short: title, help: `${title}: ${kinds(group).map((one) => one.title.toLowerCase()).join(", ")}`, icon: `#i-${icon}` }))];
    },
    get sqlUrl() {
      return this.session ? `/projects/${this.session.project_id}/sql?session=${this.id}` : null;
    },
    useTool({ op, group }, event) {
      if (op) this.addStep(op);
      else openMenu(event.currentTarget, this.stepItems(group), GROUPS.find((one) => one.group === group).title);
    },
    stepItems(group = "") {
      return kinds(group).map(({ op, title, icon, help }) => ({ title, icon, help, run: () => this.addStep(op) }));
    },
    stepMenu(anchor) {
      const items = GROUPS.flatMap(({ group, title }) => (kinds(group).length ? [{ heading: title }, ...this.stepItems(group)] : []));
      openMenu(anchor ?? this.$refs.toolbar, items, "Add a step", { search: "Find a step" });
    },
    /** What suits a column, the likely first. */
    columnSteps(column) {
      const missing = this.profileOf(column.name)?.missing;
      const is = (...types) => types.includes(column.type);
      const ops = [
        missing && ["fill_missing", "Fill missing …"], missing && ["drop_missing", "Drop rows without a value …"],
        is("text", "category") && ["parse_dates", "Parse as dates …"], is("text", "category") && ["clean_text", "Clean text …"], is("text", "category") && ["split_column", "Split …"], is("text", "category") && ["replace_text", "Replace text …"],
        is("date", "timestamp") && ["date_parts", "Date parts …"], is("integer", "number", "decimal") && ["outliers", "Treat outliers …"], is("integer", "number", "decimal") && ["bin", "Bin …"], is("integer", "number", "decimal") && ["scale", "Scale …"],
        is("text", "category", "boolean") && ["encode", "Encode classes …"], ["mark_missing", "Mark placeholders as missing …"], ["map_values", "Map values …"], ["change_type", "Change type …"], ["rename_columns", "Rename …"],
        ["derive", "Derive from it …"], ["sort", "Sort the table by it …"], ["drop_columns", "Drop it"],
      ].filter(Boolean).filter(([op]) => opOf(op).fields.length);
      return ops.map(([op, title]) => ({ title, note: op === "fill_missing" ? count(missing) : "", icon: op === "drop_columns" ? "trash" : opOf(op).icon, run: () => this.addStep(op, column) }));
    },
    filterToStep() {
      const condition = this.filter;
      this.clearFilter();
      this.addStep("filter", null, { condition });
    },
    get rowsText() {
      if (this.preview) return `${plural(this.preview.rows_after, "row")} × ${plural(this.preview.columns.length, "column")}`;
      if (this.total === null) return "";
      const all = this.filter ? this.spread?.rows : null;
      return `${count(this.total)}${all && all !== this.total ? ` of ${count(all)}` : ""} rows × ${this.schema.length} columns`;
    },
    get state() {
      if (this.busy) return "saving …";
      if (this.saveJob && isActive(this.saveJob)) return "saving as a version …";
      return "saved";
    },
  });
}

export function register(Alpine) {
  Alpine.data("studio", studio);
}
