// Cells chosen together in a grid, by Shift and arrows or clicks or by drawing the mouse over them, and copied as text for a spreadsheet.
import { copy } from "./dom.js";

export const MOST_COPIED = 100_000; // cells
const MOST_ROWS = 1_000; // of one answer

const quoted = (text) => (/["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const written = (value) => (value === null || value === undefined ? "" : quoted(String(value)));

/** Rows of values as tab-separated text; missing is empty. */
export const asText = (rows, head) => [...(head ? [head] : []), ...rows].map((row) => row.map(written).join("\t")).join("\n");

/**
 * `fetchRows({offset, limit, names})` gives rows of values that are not here. `onChange` is told how many rows and columns
 * are chosen, `onCopied` how many cells were copied, `onRefusal` in words why nothing was.
 */
export function attachRanges(mount, grid, { nameOf, fetchRows, onChange, onCopied, onRefusal }) {
  let from = null; // {row, at}: a row's index, and a column's place among those shown
  let to = null;
  let drawing = false;
  let places = new Map();

  const shown = () => grid.getAllDisplayedColumns().filter((column) => nameOf(column.getColId()));
  const survey = () => (places = new Map(shown().map((column, at) => [column.getColId(), at])));
  const span = () => from && { top: Math.min(from.row, to.row), bottom: Math.max(from.row, to.row), left: Math.min(from.at, to.at), right: Math.max(from.at, to.at) };
  const isOne = (range) => range.top === range.bottom && range.left === range.right;
  const holds = (row, id) => {
    const range = span();
    if (!range || isOne(range)) return false;
    const at = places.get(id);
    return row >= range.top && row <= range.bottom && at >= range.left && at <= range.right;
  };
  /** The classes of what is drawn already; what is drawn later asks `holds`. */
  const paint = () => {
    for (const element of mount.querySelectorAll(".ag-row .ag-cell")) element.classList.toggle("is-picked", holds(Number(element.closest(".ag-row").getAttribute("row-index")), element.getAttribute("col-id")));
    const range = span();
    onChange(range && !isOne(range) ? { rows: range.bottom - range.top + 1, columns: range.right - range.left + 1 } : null);
  };
  const set = (start, end) => {
    survey();
    from = start;
    to = end;
    paint();
  };
  const clear = () => from && set(null, null);
  const place = (element) => {
    const cell = element.closest?.(".ag-cell");
    const id = cell?.getAttribute("col-id");
    return cell && nameOf(id) ? { row: Number(cell.closest(".ag-row").getAttribute("row-index")), id } : null;
  };
  const focused = () => {
    const focus = grid.getFocusedCell();
    const at = focus ? places.get(focus.column.getColId()) : undefined;
    return at === undefined ? null : { row: focus.rowIndex, at };
  };
  const extend = (end) => set(from ?? focused() ?? end, end);

  mount.addEventListener("mousedown", (event) => {
    const cell = event.button === 0 && place(event.target);
    if (!cell) return;
    survey();
    const here = { row: cell.row, at: places.get(cell.id) };
    if (event.shiftKey) {
      event.preventDefault(); // else the browser selects text
      extend(here);
    } else {
      set(here, here);
      drawing = true;
    }
  });
  mount.addEventListener("mouseover", (event) => {
    if (!drawing || !(event.buttons & 1)) return;
    const cell = place(event.target);
    if (cell) extend({ row: cell.row, at: places.get(cell.id) });
  });
  const drawn = () => (drawing = false);
  addEventListener("mouseup", drawn);

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-20, 0], PageDown: [20, 0], Home: [0, -Infinity], End: [0, Infinity] };
  function byKey(event) {
    const step = STEPS[event.key];
    if (!event.target.classList?.contains("ag-cell")) return;
    const mod = event.ctrlKey || event.metaKey;
    if (mod && event.key.toLowerCase() === "c" && !event.altKey) {
      if (getSelection()?.toString()) return;
      event.preventDefault();
      copyRange(event.shiftKey);
    } else if (mod && event.key.toLowerCase() === "a" && !event.shiftKey) {
      event.preventDefault();
      survey();
      set({ row: 0, at: 0 }, { row: grid.getDisplayedRowCount() - 1, at: places.size - 1 });
    } else if (event.key === "Escape" && from && !isOne(span())) {
      clear();
      event.stopPropagation();
    } else if (event.shiftKey && step && !event.altKey) {
      event.preventDefault();
      event.stopPropagation(); // before the grid, which would move the focus
      survey();
      const start = from && !isOne(span()) ? to : focused();
      if (!start) return;
      const far = mod ? [step[0] * Infinity || 0, step[1] * Infinity || 0] : step;
      const end = { row: Math.max(0, Math.min(grid.getDisplayedRowCount() - 1, start.row + far[0])), at: Math.max(0, Math.min(places.size - 1, start.at + far[1])) };
      set(from && !isOne(span()) ? from : focused(), end);
      grid.ensureIndexVisible(end.row);
      grid.ensureColumnVisible(shown()[end.at]);
    } else if (step && !event.shiftKey) clear();
  }
  mount.addEventListener("keydown", byKey, true);

  /** The chosen cells, or the one with the focus, as tab-separated text to the clipboard; answers how many. */
  async function copyRange(head = false) {
    survey();
    const one = focused();
    const range = span() ?? (one && { top: one.row, bottom: one.row, left: one.at, right: one.at });
    if (!range) return 0;
    const columns = shown().slice(range.left, range.right + 1);
    const amount = (range.bottom - range.top + 1) * columns.length;
    if (amount > MOST_COPIED) {
      onRefusal(`${amount.toLocaleString("en")} cells are too many to copy; at most ${MOST_COPIED.toLocaleString("en")}. Export the table instead.`);
      return 0;
    }
    const names = columns.map((column) => nameOf(column.getColId()));
    const rows = [];
    try {
      for (let row = range.top; row <= range.bottom; row += MOST_ROWS) rows.push(...(await fetchRows({ offset: row, limit: Math.min(MOST_ROWS, range.bottom - row + 1), names })));
    } catch (error) {
      onRefusal(error.detail || error.message);
      return 0;
    }
    const text = amount === 1 && !head ? String(rows[0]?.[0] ?? "") : asText(rows, head && names);
    if (await copy(text)) {
      onCopied(amount, head);
      return amount;
    }
    onRefusal("The browser does not let this page write to the clipboard.");
    return 0;
  }

  return { holds, copy: copyRange, clear, size: () => (span() && !isOne(span()) ? span() : null), destroy: () => removeEventListener("mouseup", drawn) };
}
