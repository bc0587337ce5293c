// What the heads of columns show follows the filter: asked for after the rows, the columns on screen first, and dropped when the filter changes again.
import { api } from "../lib/api.js";
import { listed } from "../lib/url.js";

const MOST = 300; // of a table with more columns only those on screen are asked for
const LARGE = 500_000; // rows from which on a few columns are asked for at a time

/** What is known of a column, and whether its numbers are estimated; null when nothing is. */
function withName({ columns, estimated }, name) {
  const found = columns.find((one) => one.name === name);
  return found ? { ...found, estimated } : null;
}

/** A page gives `tableAddress()`: `{path, query}` of its table, and `filter`. */
export function columnHeads(grid) {
  let known = new Map(); // by name; null where there is nothing to show
  let running = null;
  return {
    spread: null,
    /** The table or its filter has changed. */
    refreshProfile() {
      running?.abort();
      running = null;
      known = new Map();
      this.loadHeads();
    },
    async loadHeads() {
      if (running || this.preview || !grid()) return;
      const mine = (running = new AbortController());
      try {
        for (;;) {
          const lacking = (names) => names.filter((name) => !known.has(name));
          const seen = lacking(grid().shownColumns({ onScreen: true }));
          const next = seen.length || this.tableColumns > MOST ? seen : lacking(grid().shownColumns());
          const part = next.slice(0, (this.spread?.rows ?? this.total ?? 0) > LARGE ? 12 : 40);
          if (!part.length) break;
          const { path, query } = this.tableAddress();
          const found = await api.get(`${path}/distributions`, { ...query, filter: this.filter, columns: listed(part) }, { signal: mine.signal });
          if (mine !== running || this.preview) return;
          for (const name of part) known.set(name, withName(found, name));
          this.spread = { rows: found.rows, kept: found.kept, columns: [...known.values()].filter(Boolean) };
          grid()?.setProfile(this.spread, { partial: true });
        }
      } catch (error) {
        if (error.name !== "AbortError" && mine === running) grid()?.setProfile(null); // the rows say what is wrong
      } finally {
        if (mine === running) running = null;
      }
    },
    profileOf(name) {
      return known.get(name) ?? undefined;
    },
  };
}
