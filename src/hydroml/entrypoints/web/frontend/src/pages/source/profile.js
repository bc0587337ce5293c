// The profile of a version: its columns with their figures, a part of them at a time.
import { cell, count, number, plural } from "../../lib/format.js";
import { histogram } from "../../lib/hist.js";

export const PART = 500;

export function profileTab() {
  return {
    open: "",
    get data() {
      return this.profile.data;
    },
    get columnsShown() {
      const columns = this.data ? this.data.columns : this.version.columns.slice(0, 50).map((column) => ({ ...column, waiting: true }));
      return columns.map((column) => ({ ...column, isOpen: this.open === column.name }));
    },
    get stageText() {
      if (!this.data) return "being computed";
      if (this.data.stage === "full") return `computed on all ${plural(this.data.rows, "row")}`;
      return `from ${count(this.data.rows_read)} of ${count(this.data.rows)} rows; missing, smallest and largest are of all. The rest is being computed`;
    },
    get isWide() {
      return (this.version?.columns.length ?? 0) > PART;
    },
    get partText() {
      const total = this.data?.total_columns ?? 0;
      return total ? `${count(this.profileFrom + 1)} to ${count(Math.min(total, this.profileFrom + PART))} of ${plural(total, "column")}` : "no column has this in its name";
    },
    get isLastPart() {
      return this.profileFrom + PART >= (this.data?.total_columns ?? 0);
    },
    turn(by) {
      this.profileFrom = Math.max(0, this.profileFrom + by * PART);
      this.profile.load({ quiet: true });
    },
    searched() {
      this.profileFrom = 0;
      this.profile.load({ quiet: true });
    },
    toggle(column) {
      this.open = this.open === column.name ? "" : column.name;
    },
    value(column, fact) {
      const value = column[fact];
      if (column.waiting || value === null || value === undefined) return "";
      return typeof value === "number" ? number(value, 5) : cell(value, column.type, column.name);
    },
    drawHistogram(element, column) {
      element.replaceChildren(...(column.waiting ? [] : [histogram(column, { quiet: true })]));
    },
    missingTone(column) {
      return column.missing ? "t-warning strong" : "subtle";
    },
    factsOf(column) {
      const quantiles = Object.entries(column.quantiles ?? {}).map(([at, value]) => ({ name: `${Math.round(at * 100)} %`, value: number(value, 5) }));
      return [
        ...quantiles,
        ...(column.zeros === null || column.zeros === undefined ? [] : [{ name: "Zeros", value: count(column.zeros) }]),
        ...(column.shortest === null || column.shortest === undefined ? [] : [{ name: "Length", value: `${count(column.shortest)} to ${count(column.longest)} characters` }]),
      ];
    },
    topOf(column) {
      const most = column.top?.[0]?.[1] ?? 1;
      return (column.top ?? []).map(([value, amount], index) => ({ index, text: cell(value, column.type, column.name), amount: count(amount), width: (100 * amount) / most }));
    },
  };
}
