// The other branches of a session and its earlier states: gone to, named, compared, put out of view and brought back.
import { api, asProblem } from "../lib/api.js";
import { cell, count, plural } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { ask } from "../lib/ui.js";

const FIRST_ROWS = 6;
const MOST_COLUMNS = 30;

export function branching() {
  return {
    compared: null, // the branch beside which the history is shown
    comparison: resource(() => null, { empty: () => false }),
    beginnings: [], // the first rows of both
    get branches() {
      return (this.session?.branches ?? []).map((branch) => ({ ...branch, title: branch.name || "Branch" }));
    },
    /** States before a change, and branches that were put out of view: newest first. */
    get earlier() {
      return (this.session?.earlier ?? []).map((branch) => {
        const at = this.steps.findIndex(({ id }) => id === branch.of);
        return { ...branch, title: branch.name || (at < 0 ? "Put aside" : `Step ${at + 1}, earlier`), text: branch.was ?? branch.summary };
      });
    },
    branchMenu(branch, event, aside = false) {
      const mark = (what) => this.change((options) => api.patch(`/sessions/${this.id}/branches/${branch.tip}`, what, options));
      const compare = { title: "Compare with it …", icon: "cols", run: () => this.compare(branch) };

      openMenu(event.currentTarget, this.isReadOnly ? [{ heading: branch.title }, compare] : [
        { heading: branch.title },
        { title: aside ? "Go back to it" : "Continue on it", icon: aside ? "undo" : "branch", run: () => this.jump(branch.tip) },
        compare,
        { title: "Name it …", icon: "edit", run: () => this.nameBranch(branch) },
        "-",
        aside ? { title: "Bring it into view", icon: "eye", run: () => mark({ hidden: false }) } : { title: "Put it out of view", icon: "eyeoff", run: () => mark({ hidden: true }) },
      ]);
    },
    async nameBranch(branch) {
      const name = await ask({ title: "Name the branch", label: "Name", value: branch.name, yes: "Name it" });
      if (name) this.change((options) => api.patch(`/sessions/${this.id}/branches/${branch.tip}`, { name }, options));
    },
    compare(branch) {
      this.compared = branch;
      this.beginnings = [];
      this.comparison = resource(() => api.get(`/sessions/${this.id}/compare`, { with: branch.tip }), { empty: () => false });
      this.comparison.load();
      this.$refs.compare.showModal();
      for (const [title, step] of [["Here", this.session.cursor ?? "root"], [branch.title, branch.tip]]) this.firstRows(branch, title, step);
    },
    /** The first rows of one side; which one comes first does not matter. */
    async firstRows(branch, title, step) {
      const side = { key: step, title, columns: [], rows: [], problem: "", order: title === "Here" ? 0 : 1 };
      try {
        const { columns, rows } = await api.get(`/sessions/${this.id}/rows`, { step, limit: FIRST_ROWS, total: "false" });
        side.columns = columns.slice(0, MOST_COLUMNS).map(({ name, type }) => ({ name, type }));
        side.rows = rows.map((row, at) => ({ key: at, cells: side.columns.map(({ name, type }, place) => ({ key: name, text: cell(row[place], type, name), tone: row[place] === null ? "is-gap" : "" })) }));
      } catch (error) {
        side.problem = asProblem(error).detail || asProblem(error).title;
      }
      if (this.compared === null || this.compared.tip !== branch.tip) return;
      this.beginnings = [...this.beginnings, side].sort((a, b) => a.order - b.order);
    },
    get comparedTitle() {
      return this.compared?.title ?? "";
    },
    get differing() {
      const found = this.comparison.data;
      return found ? [
        { key: "here", title: "Only here", steps: found.only_here, columns: found.columns_only_here, rows: found.rows_here },
        { key: "there", title: `Only in ${this.comparedTitle}`, steps: found.only_there, columns: found.columns_only_there, rows: found.rows_there },
      ].map((side) => ({ ...side, rowsText: side.rows === null ? "not counted: too large" : plural(side.rows, "row") })) : [];
    },
    get commonText() {
      const found = this.comparison.data;
      if (!found) return "";
      const rows = found.rows_here === null || found.rows_there === null ? "" : found.rows_here === found.rows_there ? " The same number of rows." : ` ${count(Math.abs(found.rows_here - found.rows_there))} rows ${found.rows_here > found.rows_there ? "more" : "fewer"} here.`;
      return `${plural(found.common.length, "step")} in common.${rows}`;
    },
    get retyped() {
      return this.comparison.data?.columns_retyped ?? [];
    },
    closeCompare() {
      this.$refs.compare.close();
    },
    continueThere() {
      this.closeCompare();
      this.jump(this.compared.tip);
    },
  };
}
