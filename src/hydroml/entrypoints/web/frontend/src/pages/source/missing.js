// Where values are missing, alone and together, and how many rows are complete for each choice of variables.
import { api } from "../../lib/api.js";
import { count, percent, plural } from "../../lib/format.js";
import { listed } from "../../lib/url.js";
import { mix } from "../../lib/mix.js";
import { tabOf } from "./tab.js";

const MOST = 12;
const AT_FIRST = 6;
const SHOWN = 200;

/** Those with some values and some gaps first, the fewest gaps before: beside an empty column no row is complete. */
function inOrder(columns, rows) {
  const rank = ({ missing }) => (missing === 0 ? 2 : missing === rows ? 1 : 0);
  return [...columns].sort((a, b) => rank(a) - rank(b) || a.missing - b.missing);
}

export function missingTab() {
  return mix(
    tabOf("missing", function () {
      return this.fetchMissing();
    }),
    {
      chosen: [],
      search: "",
      turned() {
        this.chosen = [];
        this.search = "";
      },
      async fetchMissing() {
        const columns = this.chosen.length ? listed(this.chosen) : undefined;
        const found = await api.get(`/versions/${this.version.id}/missing`, { columns });
        if (!this.chosen.length && found.columns.length) {
          const gappy = inOrder(found.columns, found.rows).filter(({ missing }) => missing && missing < found.rows);
          if (gappy.length > 1) {
            this.chosen = gappy.slice(0, AT_FIRST).map(({ name }) => name);
            return this.fetchMissing();
          }
        }
        return found;
      },
      get rows() {
        return this.found.data?.rows ?? 0;
      },
      get all() {
        return inOrder(this.found.data?.columns ?? [], this.rows);
      },
      get total() {
        return this.all.filter(({ missing }) => missing).length;
      },
      get variables() {
        const wanted = this.search.trim().toLowerCase();
        return this.all.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, SHOWN).map(({ name, missing }, index) => {
          const on = this.chosen.includes(name);
          return { name, id: `variable-${index}`, on, full: !on && this.chosen.length >= MOST, width: this.rows ? (100 * missing) / this.rows : 0, text: missing ? `${count(missing)} (${percent(missing, this.rows)})` : "none" };
        });
      },
      pick(name, on) {
        this.chosen = on ? [...this.chosen, name] : this.chosen.filter((one) => one !== name);
        this.found.load({ quiet: true });
      },
      get patternColumns() {
        const inPatterns = new Set(this.patterns.flatMap(({ missing }) => missing));
        return this.all.map(({ name }) => name).filter((name) => inPatterns.has(name)).slice(0, 30);
      },
      get patterns() {
        return this.found.data?.patterns ?? [];
      },
      get patternRows() {
        const columns = this.patternColumns;
        return this.patterns.slice(0, 25).map((pattern, index) => ({
          index, rows: count(pattern.rows), share: percent(pattern.rows, this.rows), cells: columns.map((name) => ({ name, gap: pattern.missing.includes(name) })),
          text: pattern.missing.length ? `missing: ${pattern.missing.join(", ")}` : "complete",
        }));
      },
      get combinations() {
        return (this.found.data?.combinations ?? []).slice(0, 60).map((one, index) => ({ index, columns: one.columns, size: one.columns.length, rows: count(one.complete_rows), share: percent(one.complete_rows, this.rows), width: this.rows ? (100 * one.complete_rows) / this.rows : 0 }));
      },
      get combinationsNote() {
        const all = this.found.data?.combinations?.length ?? 0;
        return all > 60 ? `the first 60 of ${count(all)}` : plural(all, "combination");
      },
      get bounds() {
        return this.found.data?.bounds ?? [];
      },
    },
  );
}
