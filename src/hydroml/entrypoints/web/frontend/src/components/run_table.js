// The table of a project's runs: searched, sorted, grouped and cut into columns by the server; ticked runs are compared.
import { api } from "../lib/api.js";
import { onJob } from "../lib/events.js";
import { count, metric, number, plural, sentence } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { resource } from "../lib/resource.js";
import { USUAL, describe, valueOf } from "../lib/run_columns.js";
import { command, shortcut } from "../lib/ui.js";
import { listed, param, setParams } from "../lib/url.js";
import { about, baselineName, goodness } from "../lib/verdict.js";
import { chooseRunColumns } from "./run_column_chooser.js";

const PAGE = 100;
const MOST = 100; // runs compared at once
const STATES = [["", "All", []], ["active", "At work", ["queued", "running"]], ["succeeded", "Succeeded", ["succeeded"]], ["failed", "Failed", ["failed", "cancelled"]], ["pruned", "Pruned", ["pruned"]]];
const GROUPS = [["", "no groups"], ["algorithm", "algorithm"], ["source", "data"], ["version", "data version"], ["target", "target"], ["split", "split"], ["experiment", "experiment"], ["suite", "suite"], ["tag", "tag"], ["status", "state"], ["origin", "what made it"]];

function runTable() {
  let project = "";
  let timer = 0;
  return {
    words: param("q"),
    state: param("state"),
    sortBy: param("sort", "-created_at"),
    groupBy: param("group_by"),
    group: new URLSearchParams(location.search).get("group"),
    groupTitle: param("group_title"),
    chosen: param("columns") ? param("columns").split(",") : [...USUAL],
    page: Math.max(0, Number(param("page", "1")) - 1) || 0,
    catalogue: {},
    names: [],
    counts: {},
    jobs: {},
    ticked: [],
    runs: resource(() => null),
    init() {
      project = this.$root.dataset.project;
      this.runs = resource(() => this.fetchPage(), { empty: (data) => data.total === 0 && !this.narrowed });
      this.runs.load();
      api.get("/metrics").then(({ items }) => (this.catalogue = Object.fromEntries(items.map((one) => [one.name, one]))), () => {}); // plain titles do meanwhile
      onJob((job) => {
        if (job.subject?.kind !== "run") return;
        this.jobs[job.subject.id] = job;
        if (!isActive(job) || !this.runs.items.some(({ id }) => id === job.subject.id)) this.later(500);
      });
      shortcut("/", "Search the runs", () => this.$refs.words?.focus());
      command("Compare the ticked runs", "corr", () => this.compare(), { when: () => this.canCompare });
      addEventListener("popstate", () => this.restore());
      addEventListener("hydroml:runs-changed", () => this.later(0));
    },
    get query() {
      return { q: this.words.trim(), status: (STATES.find(([value]) => value === this.state) ?? STATES[0])[2].join(","), group_by: this.groupBy, sort: this.sortBy };
    },
    get narrowed() {
      return Boolean(this.words.trim() || this.state || this.group !== null);
    },
    /** Groups, or runs; and how many there are in each state. */
    async fetchPage() {
      const path = `/projects/${project}/runs`;
      api.get(`${path}/groups`, { q: this.query.q, group_by: "status" }).then(({ items }) => (this.counts = Object.fromEntries(items.map(({ key, runs }) => [key, runs]))), () => {});
      if (this.grouping) {
        const { items } = await api.get(`${path}/groups`, this.query);
        return { items: [], groups: items, total: items.reduce((sum, { runs }) => sum + runs, 0) };
      }
      const columns = this.chosen.filter((name) => /^(metrics|parameters)\./.test(name));
      const asked = { ...this.query, columns: columns.length ? listed(columns) : "[]", limit: PAGE, offset: this.page * PAGE };
      const given = Object.entries(asked).filter(([, value]) => value !== "");
      if (this.group !== null) given.push(["group", this.group]); // an empty one is that of the runs without
      const found = await api.get(`${path}?${new URLSearchParams(given)}`);
      return { ...found, groups: [] };
    },
    get grouping() {
      return this.groupBy !== "" && this.group === null;
    },
    later(wait = 250) {
      clearTimeout(timer);
      timer = setTimeout(() => this.runs.load({ quiet: true }), wait);
    },
    /** What is chosen goes into the address, and the table is read anew. */
    changed({ push = false, wait = 0, page = 0 } = {}) {
      this.page = page;
      const usual = this.chosen.join() === USUAL.join();
      setParams({ q: this.words.trim(), state: this.state, sort: this.sortBy === "-created_at" ? "" : this.sortBy, group_by: this.groupBy, group_title: this.group === null ? "" : this.groupTitle, columns: usual ? "" : this.chosen.join(","), page: page ? page + 1 : "" }, { push });
      const address = new URL(location.href);
      if (this.group === null) address.searchParams.delete("group");
      else address.searchParams.set("group", this.group); // that of runs without any is empty, and says so
      history.replaceState(null, "", address);
      this.later(wait);
    },
    restore() {
      this.words = param("q");
      this.state = param("state");
      this.sortBy = param("sort", "-created_at");
      this.groupBy = param("group_by");
      this.group = new URLSearchParams(location.search).get("group");
      this.groupTitle = param("group_title");
      this.page = Math.max(0, Number(param("page", "1")) - 1) || 0;
      this.later(0);
    },
    get states() {
      const all = Object.values(this.counts).reduce((sum, n) => sum + n, 0);
      return STATES.map(([value, title, states]) => ({ value, title, n: count(value ? states.reduce((sum, state) => sum + (this.counts[state] ?? 0), 0) : all) }));
    },
    choose(state) {
      this.state = state;
      this.changed({ push: true });
    },
    get groupings() {
      return GROUPS.map(([value, title]) => ({ value, title }));
    },
    setGroupBy(value) {
      this.groupBy = value;
      this.group = null;
      this.changed({ push: true });
    },
    get groups() {
      const { better } = describe(this.sortField, this.catalogue);
      const figure = (value) => (value === null ? "" : metric(value));
      return (this.runs.data?.groups ?? []).map((one) => ({ ...one, title: this.groupTitleOf(one), best: figure(better === "lower" ? one.minimum : one.maximum), average: figure(one.mean), worst: figure(better === "lower" ? one.maximum : one.minimum) }));
    },
    get measured() {
      return /^(metrics|parameters)\.|^(score|seconds|seed)$/.test(this.sortField) ? this.titleOf(describe(this.sortField, this.catalogue)) : "";
    },
    groupTitleOf({ title }) {
      if (this.groupBy === "origin") return title === "mlflow" ? "logged with MLflow" : "HydroML";
      return title === "" ? "none" : this.groupBy === "algorithm" ? sentence(title) : title;
    },
    titleOf: ({ title, part }) => (part && part !== "test" ? `${title}, ${part}` : title),
    openGroup({ key, title }) {
      this.group = key;
      this.groupTitle = title;
      this.changed({ push: true });
    },
    closeGroup() {
      this.group = null;
      this.changed({ push: true });
    },
    get groupName() {
      return `${(GROUPS.find(([value]) => value === this.groupBy) ?? ["", this.groupBy])[1]}: ${this.groupTitle || this.group || "none"}`;
    },

    // Columns and order ----------------------------------------------------------------------------------------------------
    get sortField() {
      return this.sortBy.replace(/^-/, "");
    },
    get columns() {
      return [{ name: "name", title: "Run", part: "", sortable: true }, ...this.chosen.map((name) => describe(name, this.catalogue))].map((column) => ({ ...column, label: this.titleOf(column), sort: this.sortField !== column.name ? "none" : this.sortBy.startsWith("-") ? "descending" : "ascending", icon: this.sortField !== column.name ? "" : this.sortBy.startsWith("-") ? "#i-down" : "#i-up" }));
    },
    /** The best first, where a column knows what is better; then the other way round. */
    sort({ name, better, sortable }) {
      if (!sortable) return;
      const first = better === "lower" || ["name", "algorithm", "source", "target", "split", "status"].includes(name) ? name : `-${name}`;
      this.sortBy = this.sortBy === first ? (first.startsWith("-") ? name : `-${name}`) : first;
      this.changed();
    },
    async chooseColumns() {
      const { items } = await api.get(`/projects/${project}/runs/columns`).catch(() => ({ items: [] }));
      this.names = items.map(({ name }) => name);
      chooseRunColumns(this.names, this.chosen, this.catalogue, (chosen) => {
        this.chosen = chosen;
        this.changed({ wait: 150, page: this.page });
      });
    },
    cells(run) {
      return this.chosen.map((name) => ({ name, ...this.cell(run, name) }));
    },
    cell(run, name) {
      if (["status", "tags", "score"].includes(name)) return { kind: name };
      if (name === "baseline") return { kind: "text", text: run.score?.baseline ? `${baselineName(run.score.baseline)} ${metric(run.score.baseline_value)}` : "", class: "nowrap subtle tnum" };
      if (name === "seconds" || name === "created_at") return { kind: name };
      if (name === "source") return { kind: "text", text: run.logged ? run.source : `${run.source}, v${run.version}`, class: "nowrap" };
      if (name === "algorithm" || name === "split") return { kind: "text", text: sentence(run[name] ?? ""), class: "nowrap" };
      const value = valueOf(run, name);
      if (value === undefined || value === null) return { kind: "text", text: "∅", class: describe(name).numeric ? "num subtle" : "subtle" };
      if (typeof value === "number") return { kind: "text", text: name.startsWith("metrics.") ? metric(value) : number(value), class: "num" };
      return { kind: "text", text: String(value), class: "" };
    },

    // Rows -----------------------------------------------------------------------------------------------------------------
    score({ score }) {
      return score ? `${about(score.metric, this.catalogue).title} ${metric(score.value)}` : "";
    },
    beats({ score }) {
      if (!score?.baseline) return null;
      const { better } = about(score.metric, this.catalogue);
      return goodness(score.value, better) > goodness(score.baseline_value, better);
    },
    tone(run) {
      return { true: "t-success", false: "t-warning" }[this.beats(run)] ?? "";
    },
    mark(run) {
      return { true: "#i-check", false: "#i-warn" }[this.beats(run)] ?? "";
    },
    markText(run) {
      return { true: "better than every baseline", false: "no better than a baseline" }[this.beats(run)] ?? "";
    },
    jobOf(run) {
      return this.jobs[run.id] ?? null;
    },
    progress(run) {
      return Math.round(100 * (this.jobOf(run)?.progress ?? 0));
    },
    isLive({ status }) {
      return status === "running" || status === "queued";
    },
    get span() {
      const { total = 0 } = this.runs.data ?? {};
      if (this.grouping) return `${plural(this.groups.length, "group")}, ${plural(total, "run")}`;
      const first = this.page * PAGE;
      return total ? `${count(first + 1)} to ${count(first + this.runs.items.length)} of ${plural(total, "run")}` : "";
    },
    get isFirst() {
      return this.page === 0;
    },
    get isLast() {
      return this.grouping || (this.page + 1) * PAGE >= (this.runs.data?.total ?? 0);
    },
    turn(by) {
      this.changed({ push: true, page: this.page + by });
    },

    // Ticks ----------------------------------------------------------------------------------------------------------------
    isTicked({ id }) {
      return this.ticked.includes(id);
    },
    tick({ id }) {
      this.ticked = this.ticked.includes(id) ? this.ticked.filter((one) => one !== id) : [...this.ticked, id];
    },
    get allTicked() {
      return this.runs.items.length > 0 && this.runs.items.every((run) => this.isTicked(run));
    },
    tickAll() {
      const here = this.runs.items.map(({ id }) => id);
      this.ticked = this.allTicked ? this.ticked.filter((id) => !here.includes(id)) : [...new Set([...this.ticked, ...here])];
    },
    untick() {
      this.ticked = [];
    },
    get canCompare() {
      return this.ticked.length >= 2 && this.ticked.length <= MOST;
    },
    get compareText() {
      return this.ticked.length > MOST ? `Compare takes at most ${MOST} runs` : this.ticked.length === 1 ? "Tick one more run" : `Compare ${this.ticked.length} runs`;
    },
    compare() {
      if (this.canCompare) location.assign(`/runs/compare?ids=${this.ticked.join(",")}`);
    },
    /** Up and down go from row to row in the same place. */
    walk(event) {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      const row = event.target.closest("tr");
      if (!by || !row) return;
      const place = [...row.querySelectorAll("a, input, button")].indexOf(event.target);
      const rows = [...row.parentElement.querySelectorAll("tr")];
      const next = rows[rows.indexOf(row) + by]?.querySelectorAll("a, input, button");
      if (!next?.length) return;
      event.preventDefault();
      next[Math.min(Math.max(place, 0), next.length - 1)].focus();
    },
  };
}

export function registerRunTable(Alpine) {
  Alpine.data("runTable", runTable);
}
