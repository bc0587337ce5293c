// What has changed from one version to another: columns, rows by a key, and cells.
import { api, asProblem } from "../../lib/api.js";
import { watchJob } from "../../lib/events.js";
import { cell, count, plural } from "../../lib/format.js";
import { isActive } from "../../lib/jobs.js";

const SHOWN = 8; // columns of a row that came or went

export function compareTab() {
  let stop = null;
  return {
    against: "",
    keyed: "find",
    key: [],
    job: null,
    problem: "",
    result: null,
    init() {
      this.$watch("versionId", () => this.reset());
    },
    reset() {
      stop?.();
      Object.assign(this, { against: "", keyed: "find", key: [], job: null, problem: "", result: null });
    },
    get others() {
      return this.versions.items.filter(({ id }) => id !== this.version.id).map(({ id, number }) => ({ id, title: `Version ${number}` }));
    },
    get keyColumns() {
      return this.version.columns.slice(0, 200).map(({ name }, index) => ({ name, id: `compare-key-${index}`, on: this.key.includes(name) }));
    },
    pickKey(name, on) {
      this.key = on ? [...this.key, name] : this.key.filter((one) => one !== name);
    },
    get cannot() {
      if (this.running) return "It is being compared";
      if (!this.against) return "Choose a version";
      return this.keyed === "columns" && !this.key.length ? "Choose a column" : "";
    },
    get running() {
      return isActive(this.job);
    },
    async start() {
      if (this.cannot) return;
      this.problem = "";
      this.result = null;
      try {
        const key = this.keyed === "find" ? null : this.keyed === "rows" ? [] : this.key;
        const { job } = await api.post(`/versions/${this.version.id}/compare`, { with: this.against, key });
        this.job = job;
        stop = watchJob(job, (now) => {
          this.job = now;
          if (isActive(now)) return;
          stop?.();
          if (now.state === "succeeded") this.result = now.result.comparison;
          else this.problem = now.error || "It was stopped.";
        });
      } catch (error) {
        const problem = asProblem(error);
        this.problem = problem.detail || problem.title;
      }
    },
    get facts() {
      const { rows, key } = this.result ?? {};
      if (!rows) return [];
      return [
        { name: "Rows before", value: count(rows.before) }, { name: "Rows now", value: count(rows.after) },
        { name: "Added", value: count(rows.added), tone: rows.added ? "t-success" : "" }, { name: "Removed", value: count(rows.removed), tone: rows.removed ? "t-danger" : "" },
        ...(rows.changed === null ? [] : [{ name: "Changed", value: count(rows.changed), tone: rows.changed ? "t-warning" : "" }]),
        { name: "The same", value: count(rows.unchanged) },
        { name: "Rows told apart by", value: key.length ? key.join(" + ") : "all their cells" },
      ];
    },
    get schemaLines() {
      const { added = [], removed = [], retyped = [] } = this.result?.schema ?? {};
      return [
        ...added.map(({ name, type }) => ({ id: `+${name}`, icon: "#i-plus", tone: "t-success", text: `${name} (${type}) is new` })),
        ...removed.map(({ name, type }) => ({ id: `-${name}`, icon: "#i-minus", tone: "t-danger", text: `${name} (${type}) is gone` })),
        ...retyped.map(({ name, from, to }) => ({ id: `~${name}`, icon: "#i-edit", tone: "t-warning", text: `${name} was ${from} and is ${to}` })),
      ];
    },
    get columnLines() {
      return Object.entries(this.result?.changed_columns ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 30).map(([name, rows]) => ({ name, text: plural(rows, "row") }));
    },
    get cellLines() {
      return (this.result?.samples.changed ?? []).flatMap(({ key, cells }, row) => Object.entries(cells).map(([name, [before, after]], at) => ({ id: `${row}-${at}`, key: key.map((value) => cell(value)).join(", "), name, before: cell(before), after: cell(after) }))).slice(0, 200);
    },
    get sampleHead() {
      return (this.result?.columns ?? []).slice(0, SHOWN);
    },
    get samples() {
      const part = (key, title, tone) => ({ key, title, tone, rows: (this.result?.samples[key] ?? []).slice(0, 50).map((row, index) => ({ index, cells: row.slice(0, SHOWN).map((value, at) => ({ at, text: cell(value) })) })) });
      return [part("added", "Added rows", "t-success"), part("removed", "Removed rows", "t-danger")].filter(({ rows }) => rows.length);
    },
    get same() {
      const { rows } = this.result ?? {};
      return Boolean(rows) && !rows.added && !rows.removed && !rows.changed && !this.schemaLines.length;
    },
  };
}
