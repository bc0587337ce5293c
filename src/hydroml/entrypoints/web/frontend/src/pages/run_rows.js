// The rows a run was judged on: what each was and what the model said, from the numbers back to the table.
import { api, asProblem } from "../lib/api.js";
import { count, milliseconds, plural } from "../lib/format.js";
import { plainLayout } from "../lib/layout.js";
import { openMenu } from "../lib/menu.js";
import { literal, quoted } from "../lib/types.js";
import { param, setParams } from "../lib/url.js";

const PARTS = [["test", "Test"], ["train", "Training"], ["", "All"]];

export function rowsTab() {
  let grid = null;
  return {
    rowsPart: "test",
    rowsFilter: param("rows"),
    rowsDraft: param("rows"),
    rowsTotal: null,
    rowsElapsed: null,
    rowsProblem: null,
    async openRows() {
      if (grid) return;
      const { createGrid } = await import("../lib/grid.js");
      const address = `/runs/${this.id}/rows`;
      const condition = () => this.rowsCondition;
      const { columns } = await api.get(address, { limit: 1, total: "false" });
      await this.$nextTick();
      const mount = this.$root.querySelector(".run-rows .ag-mount");
      if (grid || !mount) return;
      grid = createGrid(mount, {
        schema: columns, flat: true, layout: { ...plainLayout(), hidden: ["row"] }, sort: [this.worst(columns)],
        async fetchRows({ total, ...query }) {
          const page = await api.get(address, { ...query, filter: condition(), total: total ? undefined : "false" });
          return { ...page, row_numbers: page.rows.map(([row]) => row) }; // those of the version's table
        },
        onLoad: ({ total, elapsed }) => {
          this.rowsProblem = null;
          if (total !== null) this.rowsTotal = total;
          this.rowsElapsed = elapsed;
        },
        onProblem: (error) => (this.rowsProblem = asProblem(error)),
        onCellMenu: (at, anchor) => openMenu(anchor, this.rowItems(at), `Menu of row ${count(at.row)}, ${at.name}`),
      });
    },
    /** What shows first where the model was wrong. */
    worst(columns) {
      const has = (name) => columns.some((column) => column.name === name);
      return has("absolute_error") ? { name: "absolute_error", descending: true } : { name: "correct", descending: false };
    },
    rowItems({ name, type, value, row }) {
      const missing = value === null || value === undefined;
      const only = missing ? `${quoted(name)} IS NULL` : `${quoted(name)} = ${literal(value, type)}`;
      return [
        { heading: `Row ${count(row)} of the table` },
        { title: "Look at it in the table", icon: "data", run: () => location.assign(`/sources/${this.version.source_id}?version=${this.version.id}&tab=rows&row=${row}`) },
        { title: "Only rows with this value", icon: "filter", run: () => this.filterRows(this.rowsFilter ? `(${this.rowsFilter}) AND ${only}` : only) },
      ];
    },
    get rowsParts() {
      return PARTS.map(([part, title]) => ({ part, title, pressed: part === this.rowsPart ? "true" : "false" }));
    },
    get rowsCondition() {
      const part = this.rowsPart && `part = '${this.rowsPart}'`;
      return [part, this.rowsFilter && `(${this.rowsFilter})`].filter(Boolean).join(" AND ");
    },
    showPart(part) {
      this.rowsPart = part;
      this.reloadRows();
    },
    filterRows(filter) {
      this.rowsFilter = this.rowsDraft = filter.trim();
      setParams({ rows: this.rowsFilter });
      this.reloadRows();
    },
    reloadRows() {
      this.rowsProblem = null;
      grid?.reload();
    },
    get rowsText() {
      return this.rowsTotal === null ? "" : `${plural(this.rowsTotal, "row")}, ${milliseconds(this.rowsElapsed)}`;
    },
    get rowsProblemText() {
      return this.rowsProblem?.errors?.[0]?.msg || this.rowsProblem?.detail || this.rowsProblem?.title || "";
    },
  };
}
