// The table of any size: AG Grid with the infinite row model. Rows, order and filter come from the server; only what is on screen is here.
import {
  CellStyleModule, ColumnApiModule, EventApiModule, InfiniteRowModelModule, ModuleRegistry, RowApiModule, ScrollApiModule, createGrid as create, themeQuartz,
} from "ag-grid-community";
import { copy, h, icon, nonce } from "./dom.js";
import { MISSING, cell, count, percent } from "./format.js";
import { histogram, missingBar } from "./hist.js";
import { isNumeric, typeOf } from "./types.js";
import { listed } from "./url.js";

ModuleRegistry.registerModules([InfiniteRowModelModule, CellStyleModule, ColumnApiModule, EventApiModule, RowApiModule, ScrollApiModule]);

const BLOCK = 200;
const theme = themeQuartz.withParams({
  backgroundColor: "var(--color-surface)", foregroundColor: "var(--color-ink)", chromeBackgroundColor: "var(--color-surface)", headerBackgroundColor: "var(--color-surface)",
  headerTextColor: "var(--color-ink)", borderColor: "var(--color-line)", columnBorder: true, rowHoverColor: "var(--color-hover)", selectedRowBackgroundColor: "var(--color-accent-soft)",
  accentColor: "var(--color-accent)", fontFamily: "var(--font-sans)", fontSize: 12, headerFontSize: 12, rowHeight: 26, headerHeight: 76, cellHorizontalPadding: 8, spacing: 4,
  wrapperBorder: false, wrapperBorderRadius: 0, browserColorScheme: "inherit",
});

/** The head of a column: name (sorts), menu, distribution, share of missing, type. */
class ColumnHead {
  init(params) {
    this.params = params;
    const { name, type } = params.column.getColDef().context;
    this.arrow = h("span", { class: "subtle", "aria-hidden": "true" });
    this.nameButton = h("button", { type: "button", class: "name", title: name, onclick: (event) => params.enableSorting && params.progressSort(event.shiftKey) }, name);
    this.menuButton = h("button", { type: "button", class: "more", "aria-label": `Menu of ${name}`, onclick: (event) => { event.stopPropagation(); params.onMenu?.({ name, type }, this.menuButton); } }, icon("down"));
    this.plot = h("div");
    this.meta = h("span", { class: "end tnum" });
    this.element = h("div", { class: "ghead" },
      h("div", { class: "col-name" }, this.nameButton, this.arrow, params.onMenu ? this.menuButton : null),
      this.plot, h("div", { class: "col-meta" }, icon(typeOf(type).icon), h("span", {}, typeOf(type).label), this.meta));
    this.sorted = () => this.showSort();
    params.column.addEventListener("sortChanged", this.sorted);
    this.showSort();
    params.heads.set(name, this);
    this.setProfile(params.profileOf(name), params.rowsOf());
    this.element.classList.toggle("is-new", params.isNew(name));
  }
  showSort() {
    const sort = this.params.column.getSort();
    this.arrow.replaceChildren(...(sort ? [icon(sort === "asc" ? "up" : "down")] : []));
    this.nameButton.setAttribute("aria-label", `${this.nameButton.textContent}${sort ? `, sorted ${sort === "asc" ? "ascending" : "descending"}` : ""}. Sort`);
  }
  setProfile(profile, rows) {
    this.plot.replaceChildren();
    this.meta.replaceChildren();
    if (!profile) return;
    this.plot.append(histogram(profile, { onBar: this.params.onBar }), missingBar(profile, rows));
    this.meta.append(profile.missing ? `${percent(profile.missing, rows)} ${MISSING}` : "");
    if (profile.missing) this.meta.title = `${count(profile.missing)} missing`;
  }
  getGui() {
    return this.element;
  }
  refresh() {
    return false;
  }
  destroy() {
    this.params.column.removeEventListener("sortChanged", this.sorted);
    if (this.params.heads.get(this.nameButton.title) === this) this.params.heads.delete(this.nameButton.title);
  }
}

const widthFor = ({ name, type }) => {
  const content = { integer: 92, number: 92, decimal: 100, boolean: 84, date: 104, timestamp: 158, duration: 110, category: 116, text: 150 }[type] ?? 120;
  return Math.min(260, Math.max(content, Math.round(name.length * 7.7) + 54));
};


/**
 * `fetchRows({offset, limit, sort, columns, total})` answers what the API answers for rows. `onLoad` is told about every block,
 * `onProblem` about a refusal, `onFocus` about the cell the keyboard is on (its exact value).
 */
export function createGrid(mount, { schema, fetchRows, sort = [], onMenu, onBar, onSort, onLoad, onProblem, onFocus, flat = false }) {
  const ids = new Map(); // a column's name → its id here, so that widths survive a change of the table
  const heads = new Map();
  let columns = schema;
  let profile = null;
  let fresh = new Set();
  let fixed = null;
  let turn = 0;

  const idOf = (name) => {
    if (!ids.has(name)) ids.set(name, `c${ids.size}`);
    return ids.get(name);
  };
  const nameOf = (id) => [...ids].find(([, known]) => known === id)?.[0];
  const order = (model) => listed(model.map(({ colId, sort: way }) => (way === "desc" ? "-" : "") + nameOf(colId)));
  const profileOf = (name) => profile?.columns.find((one) => one.name === name);

  function definitions(sorted) {
    const number = {
      colId: "rn", headerName: "#", pinned: "left", width: 68, resizable: false, sortable: false, suppressMovable: true, lockPosition: true, cellClass: "is-rn", headerClass: "is-rn-head",
      valueGetter: ({ data }) => data?.n, valueFormatter: ({ value }) => count(value),
    };
    return [number, ...columns.map((column, index) => {
      const at = sorted.findIndex(({ name }) => name === column.name);
      return {
        colId: idOf(column.name), headerName: column.name, context: column, width: widthFor(column), minWidth: 64, sortable: !fixed, resizable: true, sort: at < 0 ? null : sorted[at].descending ? "desc" : "asc", sortIndex: at < 0 ? null : at,
        valueGetter: ({ data }) => data?.v[index],
        valueFormatter: ({ value, data }) => (data ? cell(value, column.type, column.name) : ""),
        cellClass: isNumeric(column.type) ? "is-num" : "",
        cellClassRules: { "is-gap": ({ data, value }) => data !== undefined && (value === null || value === undefined), "is-wait": ({ data }) => data === undefined, "is-new": () => fresh.has(column.name) },
        headerComponent: ColumnHead,
        headerComponentParams: { heads, onMenu, onBar, profileOf, rowsOf: () => profile?.rows ?? 0, isNew: (name) => fresh.has(name) },
      };
    })];
  }

  function arranged(answer, offset = 0) {
    const places = columns.map(({ name }) => answer.columns.findIndex((one) => one.name === name));
    return answer.rows.map((row, index) => ({ n: answer.row_numbers?.[index] ?? offset + index + 1, v: places.map((place) => (place < 0 ? null : row[place])) }));
  }

  function datasource() {
    const mine = ++turn;
    let total = null;
    return {
      async getRows(params) {
        if (fixed) {
          params.successCallback(arranged(fixed), fixed.rows.length);
          return;
        }
        try {
          const answer = await fetchRows({ offset: params.startRow, limit: params.endRow - params.startRow, sort: order(params.sortModel), total: total === null });
          if (mine !== turn) {
            params.failCallback(); // nobody wants it any more, but the grid counts what is under way, and waits for it
            return;
          }
          if (answer.total !== null && answer.total !== undefined) total = answer.total;
          const rows = arranged(answer, params.startRow);
          const last = total ?? (rows.length < params.endRow - params.startRow ? params.startRow + rows.length : -1);
          params.successCallback(rows, last);
          onLoad?.({ total, elapsed: answer.elapsed_ms, columns: answer.columns });
        } catch (error) {
          params.failCallback();
          if (mine === turn) onProblem?.(error);
        }
      },
    };
  }

  const grid = create(mount, {
    theme, styleNonce: nonce(), rowModelType: "infinite", columnDefs: definitions(sort), datasource: datasource(), cacheBlockSize: BLOCK, maxBlocksInCache: 30, infiniteInitialRowCount: 40, blockLoadDebounceMillis: 40,
    maxConcurrentDatasourceRequests: 2, suppressCellFocus: false, enableCellTextSelection: false, suppressDragLeaveHidesColumns: true, animateRows: false, headerHeight: flat ? 46 : 76, multiSortKey: "ctrl", ensureDomOrder: true,
    onSortChanged: () => onSort?.(sortNow()),
    onCellFocused: ({ rowIndex, column }) => {
      if (rowIndex === null || rowIndex === undefined || !column || typeof column === "string") return;
      const row = grid.getDisplayedRowAtIndex(rowIndex)?.data;
      const definition = column.getColDef();
      if (row && definition.context) onFocus?.({ name: definition.context.name, type: definition.context.type, value: row.v[columns.indexOf(definition.context)], row: row.n });
    },
  });
  mount.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "c" || getSelection()?.toString()) return;
    const focus = grid.getFocusedCell();
    const row = focus && grid.getDisplayedRowAtIndex(focus.rowIndex)?.data;
    const context = focus?.column.getColDef().context;
    if (row && context) copy(String(row.v[columns.indexOf(context)] ?? ""));
  });

  const sortNow = () => grid.getColumnState().filter(({ sort: way }) => way).sort((a, b) => a.sortIndex - b.sortIndex).map(({ colId, sort: way }) => ({ name: nameOf(colId), descending: way === "desc" }));
  const rebuild = () => {
    const sorted = sortNow();
    grid.setGridOption("columnDefs", definitions(sorted));
    grid.setGridOption("datasource", datasource());
  };

  return {
    api: grid,
    /** Rows again, from the top block on screen; columns stay. */
    reload: () => grid.setGridOption("datasource", datasource()),
    setSchema(next) {
      columns = next;
      fresh = new Set();
      fixed = null;
      rebuild();
    },
    setProfile(next) {
      profile = next;
      for (const [name, head] of heads) head.setProfile(profileOf(name), profile?.rows ?? 0);
    },
    setSort(sorted) {
      grid.applyColumnState({ state: sorted.map(({ name, descending }, sortIndex) => ({ colId: idOf(name), sort: descending ? "desc" : "asc", sortIndex })), defaultState: { sort: null } });
    },
    /** Rows that are here already (a preview), new columns marked. */
    showFixed(answer, added = []) {
      fixed = answer;
      columns = answer.columns;
      fresh = new Set(added);
      rebuild();
      if (added.length) setTimeout(() => grid.ensureColumnVisible(idOf(added[0])), 60);
    },
    show: (name) => grid.ensureColumnVisible(idOf(name)),
    sort: sortNow,
    destroy: () => grid.destroy(),
  };
}
