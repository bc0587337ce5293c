// A server-side table inside a page: filter bar, grid, counts, errors. Used by the source page; the Studio builds on the same parts.
import { asProblem } from "../lib/api.js";
import { count, milliseconds, number } from "../lib/format.js";
import { bars } from "../lib/hist.js";
import { openMenu } from "../lib/menu.js";
import { literal, quoted } from "../lib/types.js";
import { listed, param, setParams } from "../lib/url.js";

export const WIDE = 200; // more columns than this are not fetched unless chosen

export const parseSort = (text) => text.split("\u001f").filter(Boolean).map((part) => ({ name: part.replace(/^-/, ""), descending: part.startsWith("-") }));
export const formatSort = (sort) => sort.map(({ name, descending }) => (descending ? "-" : "") + name).join("\u001f");

export const joined = (filter, more) => (filter.trim() ? (/\bOR\b/i.test(filter) ? `(${filter.trim()}) AND ${more}` : `${filter.trim()} AND ${more}`) : more);

/** Filters a column's menu offers: gaps, and its most frequent values or its range. */
export function columnFilters(column, profile) {
  const name = quoted(column.name);
  const offers = [{ title: "Only missing", icon: "filter", filter: `${name} IS NULL` }, { title: "Without missing", icon: "filter", filter: `${name} IS NOT NULL` }];
  if (profile?.top?.length) for (const [value, amount] of profile.top.slice(0, 5)) offers.push({ title: `Only ${value === null ? "missing" : value}`, note: count(amount), icon: "filter", filter: `${name} = ${literal(value, column.type)}` });
  else if (profile?.histogram) for (const bar of bars(profile).filter(({ share }) => share > 0).slice(-1)) offers.push({ title: "Only the largest", note: bar.label.split(":")[0], icon: "filter", filter: bar.filter });
  return offers;
}

export function tableView() {
  let grid = null; // not reactive: the grid must not be wrapped in a proxy
  return {
    filter: param("filter"),
    filterDraft: param("filter"),
    filterProblem: "",
    tableProblem: null,
    total: null,
    elapsed: null,
    focus: null,
    loading: true,
    opened: false,
    async openTable(mount, { schema, rows, menuItems = () => [], extra = {} }) {
      this.opened = true;
      const { createGrid } = await import("../lib/grid.js");
      grid?.destroy();
      const columns = schema.slice(0, WIDE);
      grid = createGrid(mount, {
        schema: columns,
        sort: parseSort(param("sort")),
        fetchRows: ({ total, ...query }) => rows({ ...query, filter: this.filter, total: total ? undefined : "false", columns: schema.length > WIDE ? listed(columns.map(({ name }) => name)) : undefined }),
        onSort: (sort) => setParams({ sort: formatSort(sort) }),
        onLoad: ({ total, elapsed }) => {
          this.loading = false;
          this.tableProblem = null;
          if (total !== null) this.total = total;
          this.elapsed = elapsed;
        },
        onProblem: (error) => this.refused(error),
        onFocus: (focus) => (this.focus = focus),
        onBar: (filter) => this.addFilter(filter),
        onMenu: (column, anchor) => openMenu(anchor, [
          { heading: column.name },
          { title: "Sort ascending", icon: "sort", run: () => grid.setSort([{ name: column.name, descending: false }]) },
          { title: "Sort descending", icon: "sort", run: () => grid.setSort([{ name: column.name, descending: true }]) },
          "-",
          ...columnFilters(column, this.profileOf?.(column.name)).map((offer) => ({ ...offer, run: () => this.addFilter(offer.filter) })),
          ...menuItems(column),
        ], `Menu of ${column.name}`),
        ...extra,
      });
      return grid;
    },
    closeTable() {
      grid?.destroy();
      grid = null;
      this.opened = false;
    },
    refused(error) {
      this.loading = false;
      const problem = asProblem(error);
      if (problem.status === 422 && this.filter) this.filterProblem = problem.errors[0]?.msg || problem.detail || problem.title;
      else this.tableProblem = problem;
    },
    applyFilter() {
      this.filter = this.filterDraft.trim();
      this.filterProblem = "";
      this.tableProblem = null;
      this.loading = true;
      setParams({ filter: this.filter });
      grid?.reload();
      this.filterChanged?.();
    },
    addFilter(more) {
      this.filterDraft = joined(this.filterDraft, more);
      this.applyFilter();
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
      if (!this.focus) return "";
      const { name, value, row } = this.focus;
      return `row ${count(row)}, ${name} = ${value === null || value === undefined ? "∅" : value}`;
    },
    get speed() {
      return milliseconds(this.elapsed);
    },
    get totalText() {
      return this.total === null ? "" : number(this.total, 15);
    },
  };
}
