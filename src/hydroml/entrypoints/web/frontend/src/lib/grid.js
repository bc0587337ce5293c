// The table of any size: AG Grid with the infinite row model. Rows, order and filter come from the server; only what is on screen is here.
import {
  CellStyleModule, ColumnApiModule, EventApiModule, InfiniteRowModelModule, ModuleRegistry, RenderApiModule, RowApiModule, ScrollApiModule, createGrid as create, themeQuartz,
} from "ag-grid-community";
import { debounced, h, icon, nonce } from "./dom.js";
import { MISSING, cell, count, percent } from "./format.js";
import { histogram, missingBar } from "./hist.js";
import { arranged as inOrder, plainLayout } from "./layout.js";
import { openPeek } from "./peek.js";
import { attachRanges } from "./ranges.js";
import { isNumeric, typeOf } from "./types.js";
import { listed } from "./url.js";

ModuleRegistry.registerModules([InfiniteRowModelModule, CellStyleModule, ColumnApiModule, EventApiModule, RenderApiModule, RowApiModule, ScrollApiModule]);

const BLOCK = 200;
/** Of a table with more columns only those on screen are fetched, and some beside them. */
export const WIDE = 120;
const BESIDE = 16;
const LONGEST_LIST = 3_000; // characters of names in one address
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
    this.plot = h("div", { class: "col-plot" });
    this.meta = h("span", { class: "end tnum" });
    this.element = h("div", { class: "ghead" },
      h("div", { class: "col-name" }, this.nameButton, this.arrow, params.onMenu ? this.menuButton : null),
      this.plot, h("div", { class: "col-meta" }, icon(typeOf(type).icon), h("span", {}, typeOf(type).label), this.meta));
    this.sorted = () => this.showSort();
    params.column.addEventListener("sortChanged", this.sorted);
    this.showSort();
    params.heads.set(name, this);
    this.setProfile(params.profileOf(name), params.countsOf());
    this.element.classList.toggle("is-new", params.isNew(name));
    this.element.classList.toggle("is-gone", params.isGone(name));
  }
  showSort() {
    const sort = this.params.column.getSort();
    this.arrow.replaceChildren(...(sort ? [icon(sort === "asc" ? "up" : "down")] : []));
    this.nameButton.setAttribute("aria-label", `${this.nameButton.textContent}${sort ? `, sorted ${sort === "asc" ? "ascending" : "descending"}` : ""}. Sort`);
  }
  /** `counts`: how many rows there are, and how many of them the filter keeps. */
  setProfile(profile, counts) {
    this.plot.replaceChildren();
    this.meta.replaceChildren();
    this.meta.removeAttribute("title");
    if (!profile) return;
    const { name } = profile;
    const missing = profile.kept_missing ?? profile.missing;
    this.plot.append(histogram(profile, { onBar: this.params.onBar && ((condition) => this.params.onBar(name, condition)), isOn: this.params.isOn }), missingBar({ missing }, counts.kept));
    this.meta.append(missing ? `${percent(missing, counts.kept)} ${MISSING}` : "");
    if (missing) this.meta.title = `${profile.estimated ? "about " : ""}${count(missing)} missing`;
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
 * `onProblem` about a refusal, `onFocus` about the cell the keyboard is on (its exact value), `onEdit` about one that somebody wants to change,
 * `onMenu` and `onCellMenu` when the menu of a column or cell is asked for, `onBar` about a bar that was clicked, `onLayout` about columns that were dragged,
 * `onPicked` about the size of the cells chosen together, `onColumnsShown` when other columns come on screen.
 */
export function createGrid(mount, {
  schema, fetchRows, sort = [], layout: given = plainLayout(), onMenu, onCellMenu, onBar, isOn, onSort, onLoad, onProblem, onFocus, onEdit, onLayout, onPicked, onCopied, onRefusal, onColumnsShown, flat = false,
}) {
  const ids = new Map(); // a column's name → its id here, so that widths survive a change of the table
  const names = new Map();
  let layout = given;
  let found = null; // {index, id}: the cell a search has found
  const heads = new Map();
  const plain = (given) => given.map(({ name, type }) => ({ name, type })); // a framework's proxies would be asked thousands of times
  let columns = plain(schema);
  let profile = null;
  let fresh = new Set();
  let gone = new Set();
  let fixed = null;
  let afterRows = null; // what waits for rows
  let turn = 0;

  const idOf = (name) => {
    if (!ids.has(name)) {
      names.set(`c${ids.size}`, name);
      ids.set(name, `c${ids.size}`);
    }
    return ids.get(name);
  };
  const nameOf = (id) => names.get(id);
  const order = (model) => listed(model.map(({ colId, sort: way }) => (way === "desc" ? "-" : "") + nameOf(colId)));
  const valueIn = (row, name) => row.v[columns.findIndex((one) => one.name === name)]; // by name: a framework wraps columns anew
  const profileOf = (name) => profile?.columns.find((one) => one.name === name);
  const countsOf = () => ({ rows: profile?.rows ?? 0, kept: profile?.kept ?? profile?.rows ?? 0 });
  const isWide = () => columns.length > WIDE && !fixed;

  function definitions(sorted) {
    const number = {
      colId: "rn", headerName: "#", pinned: "left", width: 68, resizable: false, sortable: false, suppressMovable: true, lockPosition: true, cellClass: "is-rn", headerClass: "is-rn-head",
      valueGetter: ({ data }) => data?.n, valueFormatter: ({ value }) => count(value),
    };
    const places = new Map(columns.map(({ name }, index) => [name, index]));
    const hidden = new Set(layout.hidden);
    const pinned = new Set(layout.pinned);
    return [number, ...inOrder(columns.map(({ name }) => name), layout.order).map((name) => {
      const index = places.get(name);
      const column = columns[index];
      const at = sorted.findIndex(({ name }) => name === column.name);
      return {
        colId: idOf(column.name), headerName: column.name, context: column, width: layout.widths[name] ?? widthFor(column), minWidth: 64, hide: hidden.has(name), pinned: pinned.has(name) ? "left" : null,
        suppressKeyboardEvent: ({ event }) => event.key === " ", sortable: !fixed, resizable: true, sort: at < 0 ? null : sorted[at].descending ? "desc" : "asc", sortIndex: at < 0 ? null : at,
        valueGetter: ({ data }) => data?.v[index],
        valueFormatter: ({ value, data }) => (data && value !== undefined ? cell(value, column.type, column.name) : ""),
        cellClass: isNumeric(column.type) ? "is-num" : "",
        cellClassRules: { "is-gap": ({ value }) => value === null, "is-wait": ({ value }) => value === undefined, "is-found": ({ node, column: { colId } }) => found !== null && node.rowIndex === found.index && colId === found.id,
          "is-picked": ({ node, column: { colId } }) => ranges?.holds(node.rowIndex, colId) ?? false,
          "is-new": ({ data }) => fresh.has(column.name) || data?.fate === "added", "is-changed": ({ data }) => data?.was !== undefined && column.name in data.was, "is-gone": ({ data }) => gone.has(column.name) || data?.fate === "removed" },
        cellRenderer: fixed?.was ? ({ valueFormatted, data }) => (data?.was && column.name in data.was ? h("span", { title: `before: ${cell(data.was[column.name], column.type, column.name)}` }, valueFormatted) : valueFormatted) : undefined,
        headerComponent: ColumnHead,
        headerComponentParams: { heads, onMenu, onBar, profileOf, countsOf, isOn, isNew: (name) => fresh.has(name), isGone: (name) => gone.has(name) },
      };
    })];
  }

  /** Rows as they are kept here: a value for each column, undefined where it was not fetched. */
  function arranged(answer, offset = 0) {
    const given = new Map(answer.columns.map(({ name }, place) => [name, place]));
    const places = columns.map(({ name }) => given.get(name));
    return answer.rows.map((row, index) => ({
      n: answer.row_numbers?.[index] ?? offset + index + 1, place: answer.places?.[index], fate: answer.fates?.[index], was: answer.was?.[index],
      v: places.map((place) => (place === undefined ? (isWide() ? undefined : null) : row[place] ?? null)),
    }));
  }

  /** Of a wide table the names of the columns on screen and of some beside them, in parts that fit into an address. */
  function windowed() {
    const every = grid?.getAllDisplayedColumns() ?? [];
    const seen = new Set((grid?.getAllDisplayedVirtualColumns() ?? []).map((column) => column.getColId()));
    const at = every.flatMap((column, index) => (seen.has(column.getColId()) && !column.isPinned() ? [index] : []));
    const near = at.length ? every.slice(Math.max(0, at[0] - BESIDE), at.at(-1) + BESIDE + 1) : every.slice(0, 3 * BESIDE);
    const wanted = [...new Set([...every.filter((column) => column.isPinned()), ...near].map((column) => nameOf(column.getColId())).filter(Boolean))];
    return wanted.length ? wanted : inOrder(columns.map(({ name }) => name), layout.order).slice(0, 3 * BESIDE);
  }
  /** The columns of an answer that were wanted: it may hold others. */
  function picked(answer, wanted) {
    const places = wanted.map((name) => answer.columns.findIndex((one) => one.name === name));
    return answer.rows.map((row) => places.map((place) => row[place]));
  }
  function inParts(wanted) {
    const parts = [[]];
    let length = 0;
    for (const name of wanted) {
      length += name.length + 3;
      if (length > LONGEST_LIST && parts.at(-1).length) {
        parts.push([]);
        length = name.length + 3;
      }
      parts.at(-1).push(name);
    }
    return parts;
  }

  /** What is on screen of a wide table and was not fetched with its rows, because one has scrolled sideways. */
  const fill = debounced(async () => {
    if (!isWide()) return;
    const mine = turn;
    const first = grid.getFirstDisplayedRowIndex();
    const rows = [];
    for (let index = first; index <= grid.getLastDisplayedRowIndex(); index += 1) rows.push(grid.getDisplayedRowAtIndex(index)?.data);
    if (first < 0 || !rows.some(Boolean)) return;
    const places = new Map(columns.map(({ name }, index) => [name, index]));
    const lacking = windowed().filter((name) => rows.some((row) => row && row.v[places.get(name)] === undefined));
    for (const part of inParts(lacking)) {
      if (!part.length) continue;
      try {
        const answer = await fetchRows({ offset: first, limit: rows.length, sort: orderNow(), total: false, columns: listed(part) });
        if (mine !== turn) return;
        picked(answer, part).forEach((values, index) => rows[index] && part.forEach((name, at) => (rows[index].v[places.get(name)] = values[at] ?? null)));
        grid.refreshCells({ columns: part.map(idOf).filter((id) => grid.getColumn(id)) });
      } catch (error) {
        if (mine === turn) onProblem?.(error);
        return;
      }
    }
  }, 80);

  /** What waited for rows, once they are drawn. */
  function arrived() {
    const run = afterRows;
    afterRows = null;
    if (run) setTimeout(run, 60);
  }

  /** The cell that was meant, or the nearest to it that there is; the first column holds the numbers of rows. */
  function nearest(at) {
    const columns = grid.getAllDisplayedColumns();
    const last = grid.getDisplayedRowCount() - 1;
    const index = at ? at.rowIndex : Math.max(0, grid.getFirstDisplayedRowIndex());
    return last < 0 || columns.length < 2 ? null : { index: Math.min(index, last), column: columns.find((one) => one.getColId() === at?.column.getColId()) ?? columns[1] };
  }

  /** Cells drawn anew may lose the focus: the one that has it has it afterwards, too, or what is there now. */
  function keepingFocus(draw) {
    const at = document.activeElement.closest(".ag-cell") && grid.getFocusedCell();
    draw();
    const there = at && document.activeElement === document.body && nearest(at);
    if (there) grid.setFocusedCell(there.index, there.column);
  }

  function datasource() {
    const mine = ++turn;
    let total = null;
    return {
      async getRows(params) {
        if (fixed) {
          params.successCallback(arranged(fixed), fixed.rows.length);
          arrived();
          return;
        }
        try {
          const query = { offset: params.startRow, limit: params.endRow - params.startRow, sort: order(params.sortModel), total: total === null };
          const answer = await fetchRows(isWide() ? { ...query, columns: listed(inParts(windowed())[0]) } : query);
          if (mine !== turn) {
            params.failCallback(); // nobody wants it any more, but the grid counts what is under way, and waits for it
            return;
          }
          if (answer.total !== null && answer.total !== undefined) total = answer.total;
          const rows = arranged(answer, params.startRow);
          const last = total ?? (rows.length < params.endRow - params.startRow ? params.startRow + rows.length : -1);
          keepingFocus(() => params.successCallback(rows, last));
          arrived();
          if (isWide()) fill();
          const focus = grid?.getFocusedCell();
          if (focus && focus.rowIndex >= params.startRow && focus.rowIndex < params.endRow) tellFocus();
          onLoad?.({ total, elapsed: answer.elapsed_ms, columns: answer.columns });
        } catch (error) {
          params.failCallback();
          if (mine === turn) onProblem?.(error);
        }
      },
    };
  }

  let grid = null;
  let ranges = null;
  const shown = debounced(() => onColumnsShown?.(), 60);
  const dragged = ({ finished, source }) => {
    if (finished === false || !source?.startsWith("ui")) return;
    readLayout();
    onLayout?.(layout);
  };
  grid = create(mount, {
    theme, styleNonce: nonce(), rowModelType: "infinite", columnDefs: definitions(sort), datasource: datasource(), cacheBlockSize: BLOCK, infiniteInitialRowCount: 40, blockLoadDebounceMillis: 40,
    maxConcurrentDatasourceRequests: 2, suppressCellFocus: false, suppressFocusAfterRefresh: true, // it would come late, to whoever has gone on elsewhere: see keepingFocus
    enableCellTextSelection: false, suppressDragLeaveHidesColumns: true, animateRows: false, headerHeight: flat ? 46 : 76, multiSortKey: "ctrl", ensureDomOrder: true,
    maxBlocksInCache: 30,
    onColumnMoved: dragged, onColumnResized: dragged, onColumnPinned: dragged,
    onVirtualColumnsChanged: () => {
      fill();
      shown();
    },
    onBodyScroll: () => isWide() && fill(),
    onCellDoubleClicked: () => peek(),
    onCellContextMenu: ({ event }) => cellMenu(event),
    onSortChanged: () => onSort?.(sortNow()),
    onCellFocused: () => tellFocus(),
  });
  /** Once the row is here: one may get to a cell before its row does. */
  function tellFocus() {
    const at = focused();
    if (at) onFocus?.({ ...at, element: undefined });
  }
  /** The cell the keyboard is on, with its place for an edit and its element. */
  function focused() {
    const focus = grid.getFocusedCell();
    const row = focus && grid.getDisplayedRowAtIndex(focus.rowIndex)?.data;
    const context = focus?.column.getColDef().context;
    return row && context ? { name: context.name, type: context.type, value: valueIn(row, context.name), row: row.n, was: row.was, place: row.place, index: focus.rowIndex, element: mount.querySelector(`[row-index="${focus.rowIndex}"] [col-id="${focus.column.getColId()}"]`) } : null;
  }
  // F2, Enter and typing a number change a cell: before the grid, which would move on. Letters are the page's shortcuts.
  mount.addEventListener("keydown", (event) => {
    const typed = /^[-+0-9]$/.test(event.key);
    if (!onEdit || fixed || event.ctrlKey || event.metaKey || event.altKey || !event.target.classList?.contains("ag-cell") || !(typed || event.key === "F2" || event.key === "Enter")) return;
    const at = focused();
    if (!at || onEdit(at, typed ? event.key : null) === false) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  ranges = attachRanges(mount, grid, {
    nameOf,
    async fetchRows({ offset, limit, names: wanted }) {
      const places = new Map(columns.map(({ name }, index) => [name, index]));
      const here = Array.from({ length: limit }, (_, index) => grid.getDisplayedRowAtIndex(offset + index)?.data);
      if (here.every((row) => row && wanted.every((name) => row.v[places.get(name)] !== undefined))) return here.map((row) => wanted.map((name) => row.v[places.get(name)]));
      const rows = [];
      for (const part of inParts(wanted)) {
        const answer = await fetchRows({ offset, limit, sort: orderNow(), total: false, columns: listed(part) });
        picked(answer, part).forEach((values, index) => (rows[index] = [...(rows[index] ?? []), ...values]));
      }
      return rows;
    },
    onChange: (size) => onPicked?.(size),
    onCopied: (amount, head) => onCopied?.(amount, head),
    onRefusal: (text) => onRefusal?.(text),
  });
  function peek() {
    const at = focused();
    if (at?.element) openPeek(at.element, at, { onClose: () => grid.setFocusedCell(at.index, idOf(at.name)) });
  }
  function cellMenu(event) {
    if (!onCellMenu) return;
    event?.preventDefault();
    const at = focused();
    if (!at) {
      if (grid.getFocusedCell()) afterRows = () => focused() && cellMenu(); // its row is on its way
      return;
    }
    onCellMenu(at, at.element, { peek, copy: () => ranges.copy(), copyWithHead: () => ranges.copy(true) });
  }
  mount.addEventListener("keydown", (event) => {
    if (!event.target.classList?.contains("ag-cell") || event.ctrlKey || event.metaKey) return;
    if (event.key === " " && !event.altKey) peek();
    else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) cellMenu(event);
    else if (event.key === "ArrowDown" && event.altKey) {
      const at = focused();
      const head = at && heads.get(at.name);
      if (head && onMenu) onMenu({ name: at.name, type: at.type }, head.menuButton);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const sortNow = () => grid.getColumnState().filter(({ sort: way }) => way).sort((a, b) => a.sortIndex - b.sortIndex).map(({ colId, sort: way }) => ({ name: nameOf(colId), descending: way === "desc" }));
  const orderNow = () => listed(sortNow().map(({ name, descending }) => (descending ? "-" : "") + name));
  /** What was dragged, back into the layout. */
  function readLayout() {
    const state = grid.getColumnState().filter(({ colId }) => nameOf(colId));
    const plain = new Map(columns.map((column) => [column.name, widthFor(column)]));
    const order = state.map(({ colId }) => nameOf(colId)).filter((name) => plain.has(name));
    const pinned = state.filter((one) => one.pinned).map(({ colId }) => nameOf(colId));
    const untouched = columns.map(({ name }) => name).filter((name) => !pinned.includes(name));
    const same = order.filter((name) => !pinned.includes(name)).every((name, index) => name === untouched[index]);
    const widths = Object.fromEntries(state.flatMap(({ colId, width }) => (Math.round(width) === plain.get(nameOf(colId)) ? [] : [[nameOf(colId), Math.round(width)]])));
    layout = { order: same ? [] : order, pinned, hidden: state.filter((one) => one.hide).map(({ colId }) => nameOf(colId)), widths };
  }
  const rebuild = () => {
    ranges.clear();
    found = null;
    const sorted = sortNow();
    keepingFocus(() => {
      grid.setGridOption("columnDefs", definitions(sorted));
      grid.setGridOption("datasource", datasource());
    });
  };

  return {
    api: grid,
    /** Rows again, from the top block on screen; columns stay. */
    reload() {
      ranges.clear();
      found = null;
      keepingFocus(() => grid.setGridOption("datasource", datasource()));
    },
    setLayout(next) {
      layout = next;
      ranges.clear();
      grid.setGridOption("columnDefs", definitions(sortNow()));
      fill();
      shown();
    },
    layout: () => layout,
    /** The names of columns that are not hidden, in their order; or of those on screen. Those that only a preview has are not the table's. */
    shownColumns: ({ onScreen = false } = {}) => (onScreen ? grid.getAllDisplayedVirtualColumns() : grid.getAllDisplayedColumns()).map((column) => nameOf(column.getColId())).filter((name) => name && !fresh.has(name)),
    /** The cell a search has found, marked and with the focus; or null. */
    markFound(hit) {
      found = hit && { index: hit.position, id: idOf(hit.column) };
      grid.refreshCells({ force: true });
    },
    /** To a row by its place in this order, in a column or in the one it is in, with the `focus` or only with the eye. */
    goTo(index, name, { focus = true } = {}) {
      const id = name ? idOf(name) : (grid.getFocusedCell()?.column.getColId() ?? idOf(this.shownColumns()[0]));
      grid.ensureIndexVisible(index, "middle");
      grid.ensureColumnVisible(id);
      if (focus) grid.setFocusedCell(index, id);
    },
    orderNow,
    copyWithHead: () => ranges.copy(true),
    setSchema(next) {
      columns = plain(next);
      fresh = new Set();
      gone = new Set();
      fixed = null;
      rebuild();
    },
    /** What the heads show; of a `partial` one those whose column is not in it yet stay as they are, marked. */
    setProfile(next, { partial = false } = {}) {
      profile = next;
      for (const [name, head] of heads) {
        const known = profileOf(name);
        head.element.classList.toggle("is-stale", partial && !known);
        if (known || !partial) head.setProfile(known, countsOf());
      }
    },
    setSort(sorted) {
      grid.applyColumnState({ state: sorted.map(({ name, descending }, sortIndex) => ({ colId: idOf(name), sort: descending ? "desc" : "asc", sortIndex })), defaultState: { sort: null } });
    },
    /** Rows that are here already (a preview); columns that come and go are marked, and rows by their `fates` and what they `was`. */
    showFixed(answer, added = [], removed = []) {
      fixed = answer;
      columns = plain(answer.columns);
      fresh = new Set(added);
      gone = new Set(removed);
      rebuild();
      const at = answer.was?.findIndex((was) => Object.keys(was).length) ?? -1;
      const first = answer.fates?.findIndex((fate) => fate !== "kept") ?? -1;
      const name = added[0] ?? Object.keys(answer.was?.[at] ?? {})[0] ?? removed[0];
      afterRows = () => {
        for (const one of [...added.slice(0, 3).reverse(), name]) if (one) grid.ensureColumnVisible(idOf(one));
        if (Math.max(at, first) > 10) grid.ensureIndexVisible(Math.max(at, first), "middle");
      };
    },
    show: (name) => grid.ensureColumnVisible(idOf(name)),
    /** The focus on a cell by its place on the screen. */
    focusCell(index, name) {
      grid.ensureIndexVisible(index);
      grid.ensureColumnVisible(idOf(name));
      grid.setFocusedCell(index, idOf(name));
    },
    /** The focus on the cell that had it last; false where there is none. */
    enter() {
      const there = nearest(grid.getFocusedCell());
      if (!there) return false;
      grid.ensureIndexVisible(there.index);
      grid.ensureColumnVisible(there.column);
      grid.setFocusedCell(there.index, there.column);
      return true;
    },
    focused,
    /** The cells chosen together, or the one with the focus, each with its place for an edit; null when there are more than `most`. */
    async chosen(most) {
      const range = ranges.size();
      if (!range) return [focused()].filter(Boolean);
      const chosen = grid.getAllDisplayedColumns().filter((column) => nameOf(column.getColId())).slice(range.left, range.right + 1).map((column) => column.getColDef().context);
      const rows = range.bottom - range.top + 1;
      if (rows * chosen.length > most) return null;
      const answer = await fetchRows({ offset: range.top, limit: rows, sort: orderNow(), total: false, columns: listed(chosen.map(({ name }) => name)) });
      const places = new Map(answer.columns.map(({ name }, place) => [name, place]));
      return answer.rows.flatMap((row, index) => chosen.map(({ name, type }) => ({ name, type, value: row[places.get(name)], row: answer.row_numbers?.[index] ?? range.top + index + 1, place: answer.places[index], index: range.top + index })));
    },
    sort: sortNow,
    destroy() {
      fill.cancel();
      shown.cancel();
      ranges.destroy();
      grid.destroy();
    },
  };
}
