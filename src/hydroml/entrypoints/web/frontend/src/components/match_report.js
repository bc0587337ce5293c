// How the tables of a step meet before it is taken: the keys of a join, live; the columns of an append.
import { api, asProblem } from "../lib/api.js";
import { count, percent, plural } from "../lib/format.js";
import { appended } from "../lib/other_table.js";
import { ask } from "../lib/ui.js";

const JOINS = ["join", "join_nearest"];
const MANY = 10_000;

const shown = (key) => key.map((value) => (value === null ? "∅" : String(value))).join(", ");
/** More rows than either table has, and many: rarely meant. */
export const explodes = (report) => Boolean(report) && report.rows_after > MANY && report.rows_after > 2 * Math.max(report.rows_left, report.rows_right);

export function matchReport() {
  let running = null;
  return {
    match: null,
    matching: false,
    matchProblem: "",
    columnMatch: null,
    get meets() {
      return JOINS.includes(this.form.op);
    },
    dropMatch() {
      running?.abort();
      this.match = this.columnMatch = null;
      this.matching = false;
      this.matchProblem = "";
    },
    /** Asked anew whenever the form is filled in otherwise; the one before is given up. */
    async matchIt() {
      running?.abort();
      this.matchProblem = "";
      if (this.form.op === "append") this.matchColumns();
      if (!this.meets || this.lacking) {
        this.match = null;
        return;
      }
      const mine = (running = new AbortController());
      this.matching = true;
      try {
        const query = this.editing ? { step: this.editing.parent ?? "root" } : {};
        const found = await api.post(`/sessions/${this.id}/match`, this.stepDocument, { signal: mine.signal, query });
        if (running === mine) this.match = found;
      } catch (error) {
        if (error.name === "AbortError" || running !== mine) return;
        this.match = null;
        const problem = asProblem(error);
        this.matchProblem = problem.errors.length ? "" : problem.detail || problem.title; // the form shows what has a place in it
      } finally {
        if (running === mine) this.matching = false;
      }
    },
    async matchColumns() {
      const { version, by, pairs } = this.form;
      const other = version ? await this.otherTables().version(version).catch(() => null) : null;
      if (version === this.form.version) this.columnMatch = other && { ...appended(this.schema, other.columns, { by, pairs }), rows: other.rows };
    },
    /** Two sides: how many rows have a partner, and keys without one. */
    get sides() {
      const found = this.match;
      if (!found) return [];
      const side = (name, rows, matched, alone, repeated) => ({
        name, of: Math.max(rows, 1), matched, share: percent(matched, rows), text: `${count(matched)} of ${plural(rows, "row")} ${matched === 1 ? "has" : "have"} a partner`,
        alone: alone.slice(0, 5).map(shown).join(" · "), more: rows - matched, repeated: repeated ? `${plural(repeated, "key")} more than once` : "",
      });
      const both = [side("This table", found.rows_left, found.matched_left, found.unmatched_left, found.repeated_left)];
      both.push(side("The other table", found.rows_right, found.matched_right, found.unmatched_right, found.repeated_right));
      return both;
    },
    get matchText() {
      const found = this.match;
      return found ? `${count(found.rows_left)} rows before, ${count(found.rows_after)} after` : "";
    },
    get matchWarning() {
      const found = this.match;
      if (!found) return "";
      if (explodes(found)) return `The rows multiply: ${count(found.rows_left)} become ${count(found.rows_after)}. The key ${shown(found.largest_key)} alone gives ${count(found.largest_rows)}. Is a key missing?`;
      if (!found.matched_left) return "No row finds a partner: are these the right keys?";
      return found.most_partners > 1 ? `A row has up to ${plural(found.most_partners, "partner")}, and comes once for each.` : "";
    },
    /** Whether the step is taken: a join that multiplies the rows is asked about. */
    async mayApply() {
      if (!this.meets || !explodes(this.match)) return true;
      return ask({ title: "Multiply the rows?", text: this.matchWarning, yes: `Make ${count(this.match.rows_after)} rows`, danger: true });
    },
    get columnGroups() {
      const found = this.columnMatch;
      if (!found) return [];
      const names = (columns) => columns.map(({ name }) => name).join(", ");
      const pairs = (columns) => columns.map(({ left, right }) => (left.name === right.name ? left.name : `${left.name} = ${right.name}`)).join(", ");
      const clash = found.clash.map(({ left, right }) => `${left.name} (${left.type} here, ${right.type} there)`).join(", ");
      return [
        { tone: "t-danger", title: `${plural(found.clash.length, "column")} of types that do not go together`, text: `${clash}. Change the type of one of them first.`, n: found.clash.length },
        { tone: "t-success", title: `${plural(found.together.length, "column")} together`, text: pairs(found.together), n: found.together.length },
        { tone: "t-warning", title: `${plural(found.here.length, "column")} only here`, text: `${names(found.here)}: missing in the new rows`, n: found.here.length },
        { tone: "t-warning", title: `${plural(found.there.length, "column")} only there`, text: `${names(found.there)}: missing in the rows that are here`, n: found.there.length },
      ].filter(({ n }) => n);
    },
  };
}
