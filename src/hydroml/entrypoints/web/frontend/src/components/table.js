// A server-side table inside a page: filter bar, grid with its columns, find, counts, errors. Used by the source page and the Studio.
import { asProblem } from "../lib/api.js";
import { attachCompletion, loadFunctions, offersOf } from "../lib/complete.js";
import { builderOf } from "../lib/condition_builder.js";
import { has, withCondition } from "../lib/conditions.js";
import { count, milliseconds, number, plural } from "../lib/format.js";
import { attachFormula } from "../lib/formula_field.js";
import { bars } from "../lib/hist.js";
import { hide, isPlain, pin, plainLayout, show, unpin } from "../lib/layout.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { literal, quoted } from "../lib/types.js";
import { command, toast } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { openColumns } from "./column_chooser.js";
import { columnHeads } from "./column_heads.js";
import { findBar } from "./find_bar.js";
import { savedViews } from "./views.js";

export const parseSort = (text) => text.split("\u001f").filter(Boolean).map((part) => ({ name: part.replace(/^-/, ""), descending: part.startsWith("-") }));
export const formatSort = (sort) => sort.map(({ name, descending }) => (descending ? "-" : "") + name).join("\u001f");

export const joined = (filter, more) => (filter.trim() ? (/\bOR\b/i.test(filter) ? `(${filter.trim()}) AND ${more}` : `${filter.trim()} AND ${more}`) : more);

/** Filters a column's menu offers: gaps, and its most frequent values or the bars of its distribution. */
export function columnFilters(column, profile) {
  const name = quoted(column.name);
  const offers = [{ title: "Only missing", icon: "filter", filter: `${name} IS NULL` }, { title: "Without missing", icon: "filter", filter: `${name} IS NOT NULL` }];
  if (profile?.top?.length) for (const [value, amount] of profile.top.slice(0, 5)) offers.push({ title: `Only ${value === null ? "missing" : value}`, note: count(amount), icon: "filter", filter: `${name} = ${literal(value, column.type)}` });
  else if (profile?.histogram) for (const bar of bars(profile).filter(({ share }) => share > 0).slice(-1)) offers.push({ title: "Only the largest", note: bar.label.split(":")[0], icon: "filter", filter: bar.filter });
  return offers;
}

/** What was laid out by hand stays while the tab is open; to keep it longer it is saved as a view. */
const layoutKey = () => `layout ${location.pathname}`;
function keptLayout() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(layoutKey()));
    return kept && { ...plainLayout(), ...kept };
  } catch {
    return null;
  }
}

/** A page gives `tableAddress()`: the `path` of its table in the API, and a `query` that goes with every question; and `viewsSource()`. */
export function tableView() {
  let grid = null; // not reactive: the grid must not be wrapped in a proxy
  let schema = [];
  let field = null; // where the filter is written
  let builder = null;
  let attached = null;
  return mix(columnHeads(() => grid), findBar(() => grid), savedViews(() => grid), {
    building: false,
    filter: param("filter"),
    filterDraft: param("filter"),
    tableProblem: null,
    total: null,
    elapsed: null,
    focus: null,
    picked: null,
    loading: true,
    opened: false,
    tableColumns: 0,
    hiddenColumns: 0,
    async openTable(mount, { schema: columns, rows, menuItems = () => [], cellItems = () => [], extra = {} }) {
      this.opened = true;
      const { createGrid } = await import("../lib/grid.js");
      grid?.destroy();
      schema = columns;
      const chosen = await this.chosenView();
      const layout = keptLayout() ?? (chosen ? { ...plainLayout(), ...chosen.layout } : plainLayout());
      if (chosen?.filter && !new URLSearchParams(location.search).has("filter")) this.filter = this.filterDraft = chosen.filter;
      grid = createGrid(mount, {
        schema,
        layout,
        sort: param("sort") || !chosen ? parseSort(param("sort")) : chosen.sort.map(({ column, descending }) => ({ name: column, descending })),
        fetchRows: ({ total, ...query }) => rows({ ...query, filter: this.filter, total: total ? undefined : "false" }),
        onSort: (sort) => {
          setParams({ sort: formatSort(sort) });
          if (!sort.length && this.currentView?.sort.length) this.chooseView("");
        },
        onLoad: ({ total, elapsed }) => {
          this.loading = false;
          this.tableProblem = null;
          if (total !== null) this.total = total;
          this.elapsed = elapsed;
        },
        onProblem: (error) => this.refused(error),
        onFocus: (focus) => (this.focus = focus),
        onPicked: (size) => (this.picked = size),
        onCopied: (amount, head) => toast(`${plural(amount, "cell")} copied${head ? " with column names" : ""}.`, { tone: "success" }),
        onRefusal: (text) => toast(text, { tone: "warning", title: "Not copied." }),
        onLayout: (next) => this.keepLayout(next),
        onColumnsShown: () => this.loadHeads(),
        isOn: (condition) => has(this.filter, condition),
        onBar: (name, condition) => this.filterColumn(name, condition),
        onMenu: (column, anchor) => openMenu(anchor, [
          { heading: column.name },
          { title: "Sort ascending", icon: "sort", run: () => grid.setSort([{ name: column.name, descending: false }]) },
          { title: "Sort descending", icon: "sort", run: () => grid.setSort([{ name: column.name, descending: true }]) },
          ...this.layoutItems(column),
          "-",
          ...columnFilters(column, this.profileOf?.(column.name)).map((offer) => ({ ...offer, icon: has(this.filter, offer.filter) ? "check" : offer.icon, run: () => this.filterColumn(column.name, offer.filter) })),
          ...menuItems(column),
        ], `Menu of ${column.name}`),
        onCellMenu: (at, anchor, { peek, copy, copyWithHead }) => openMenu(anchor, [
          { heading: `Row ${count(at.row)}, ${at.name}` },
          { title: "Look at the whole value", icon: "eye", note: "Space", run: peek },
          { title: this.picked ? "Copy the chosen cells" : "Copy", icon: "copy", note: "Ctrl C", run: copy },
          { title: "Copy with column names", icon: "copy", note: "Shift Ctrl C", run: copyWithHead },
          "-",
          ...this.valueFilters(at),
          ...cellItems(at),
        ], `Menu of row ${count(at.row)}, ${at.name}`),
        ...extra,
      });
      this.tableColumns = schema.length;
      this.countHidden(layout);
      this.initFind(mount);
      if (!this.tableKnown) {
        this.tableKnown = true;
        command("Columns …", "cols", () => this.chooseColumns(), { when: () => this.opened });
        command("Copy the chosen cells with column names", "copy", () => grid?.copyWithHead(), { keys: "Shift Ctrl C", when: () => this.opened });
      }
      return grid;
    },
    /** The filter is completed, checked while one types, and can be put together by choosing. */
    attachFilter({ columns, check }) {
      const input = this.$refs.filter;
      if (!input || input === attached) return;
      attached = input;
      let functions = [];
      loadFunctions().then((found) => (functions = found), () => {});
      builder = builderOf(input, { columns, top: (name) => this.profileOf?.(name)?.top });
      this.$refs.builder.replaceChildren(builder.element);
      field = attachFormula(input, {
        check: (formula, signal) => check({ formula, kind: "condition" }, { signal }), fault: this.$refs.filterFault, told: (answer) => builder.told(answer),
      });
      attachCompletion(input, () => offersOf(columns(), functions));
      if (this.filterDraft) field.ask();
    },
    build() {
      this.building = !this.building;
      if (this.building) this.$nextTick(() => builder?.begin());
    },
    closeTable() {
      this.closeFind?.();
      grid?.destroy();
      grid = null;
      this.opened = false;
    },
    /** Other columns than before. */
    tableChanged(columns) {
      schema = columns;
      this.tableColumns = columns.length;
      if (this.focus && !columns.some(({ name }) => name === this.focus.name)) this.focus = null;
      if (grid) this.countHidden(grid.layout());
    },

    // Columns -------------------------------------------------------------------------------------------------------------
    keepLayout(layout) {
      if (isPlain(layout) && !this.viewId) sessionStorage.removeItem(layoutKey());
      else sessionStorage.setItem(layoutKey(), JSON.stringify(layout));
      this.countHidden(layout);
    },
    setLayout(layout) {
      grid?.setLayout(layout);
      this.keepLayout(layout);
    },
    countHidden({ hidden }) {
      const names = new Set(schema.map(({ name }) => name));
      this.hiddenColumns = hidden.filter((name) => names.has(name)).length;
    },
    layoutItems({ name }) {
      const layout = grid.layout();
      const pinned = layout.pinned.includes(name);
      return [
        "-",
        pinned ? { title: "Unpin", icon: "pin", run: () => this.setLayout(unpin(layout, name)) } : { title: "Pin left", icon: "pin", run: () => this.setLayout(pin(layout, name)) },
        ...(schema.length - this.hiddenColumns > 1 ? [{ title: "Hide", icon: "eyeoff", run: () => this.hideColumn(name) }] : []),
        { title: "Columns …", icon: "cols", note: this.hiddenColumns ? `${count(this.hiddenColumns)} hidden` : "", run: () => this.chooseColumns() },
      ];
    },
    hideColumn(name) {
      this.setLayout(hide(grid.layout(), name));
      toast(`${name} is hidden; the table still has it.`, { action: "Show it", run: () => grid && this.setLayout(show(grid.layout(), name)) });
    },
    chooseColumns() {
      if (grid) openColumns(schema, grid.layout(), (layout) => this.setLayout(layout));
    },
    get columnsTitle() {
      return this.hiddenColumns ? `Columns: ${count(this.hiddenColumns)} hidden` : "Columns: show, hide, pin, put in order";
    },

    /** The keyboard goes on in the table, or in the filter that has left no row of it. */
    enterTable() {
      if (!grid?.enter()) this.$refs.filter.focus();
    },

    // Filter --------------------------------------------------------------------------------------------------------------
    refused(error) {
      this.loading = false;
      const problem = asProblem(error);
      if (problem.status === 422 && this.filter && field) field.show([{ msg: problem.errors[0]?.msg || problem.detail || problem.title, at: problem.errors[0]?.at }]);
      else this.tableProblem = problem;
    },
    applyFilter() {
      this.filter = this.filterDraft.trim();
      this.tableProblem = null;
      this.loading = true;
      setParams({ filter: this.filter });
      if (!this.filter && this.currentView?.filter) this.chooseView(""); // a reload would bring its filter back
      grid?.reload();
      this.refreshProfile();
      this.filterChanged?.();
      this.$nextTick(() => field?.ask());
    },
    addFilter(more) {
      this.filterDraft = joined(this.filterDraft, more);
      this.applyFilter();
    },
    /** A condition of a column takes the place of the one that its bars or menu made before; once more, and it goes. */
    filterColumn(name, condition) {
      this.filterDraft = withCondition(this.filter, name, condition);
      this.applyFilter();
    },
    valueFilters({ name, type, value }) {
      const missing = value === null || value === undefined;
      if (String(value).length > 500 || type === "duration") return [];
      const only = missing ? `${quoted(name)} IS NULL` : `${quoted(name)} = ${literal(value, type)}`;
      const without = missing ? `${quoted(name)} IS NOT NULL` : `(${quoted(name)} <> ${literal(value, type)} OR ${quoted(name)} IS NULL)`;
      return [
        { title: "Only rows with this value", icon: "filter", run: () => this.filterColumn(name, only) },
        { title: "Only rows without it", icon: "filter", run: () => this.addFilter(without) },
      ];
    },
    clearFilter() {
      this.filterDraft = "";
      this.applyFilter();
    },
    retryTable() {
      this.tableProblem = null;
      this.loading = true;
      grid?.reload();
    },
    get focusText() {
      if (this.picked) return `${plural(this.picked.rows, "row")} × ${plural(this.picked.columns, "column")} chosen`;
      if (!this.focus) return "";
      const { name, value, row } = this.focus;
      const text = value === null || value === undefined ? "∅" : String(value);
      return `row ${count(row)}, ${name} = ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
    },
    get speed() {
      return milliseconds(this.elapsed);
    },
    get totalText() {
      return this.total === null ? "" : number(this.total, 15);
    },
  });
}
