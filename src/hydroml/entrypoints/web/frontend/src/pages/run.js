import { leaderboard } from "../components/leaderboard.js";
import { formDialog } from "../components/shared.js";
import { api } from "../lib/api.js";
import { download, s } from "../lib/dom.js";
import { watchJob } from "../lib/events.js";
import { count, metric, number, plural, seconds } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { mix } from "../lib/mix.js";
import { reportMenu } from "../lib/report_menu.js";
import { resource } from "../lib/resource.js";
import { command, enterProject, setCrumbs, setTitle, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { otherRuns } from "./run_again.js";
import { codeTab } from "./run_code.js";
import { explainedTabs } from "./run_explained.js";
import { rowsTab } from "./run_rows.js";
import { about, baselineName, direction, goodness, summary, verdicts } from "../lib/verdict.js";

/** The phases a training job tells, in order: how its words begin, and what they mean. */
const PHASES = [["reading", "Read the version"], ["splitting", "Split"], ["fitting baseline", "Fit the baselines"], ["fitting", "Fit the model"], ["searching", "Search for the best"], ["scoring", "Score it on test and training rows"], ["explaining", "Explain: importance"], ["learning curve", "Draw the learning curve"], ["storing", "Store the model and its figures"], ["recording", "Record it in MLflow"]];

function runPage() {
  let charts = null;
  const asked = {}; // artifact → the answer under way
  return mix(
    leaderboard(),
    rowsTab(),
    codeTab(),
    otherRuns(),
    explainedTabs(),
    formDialog({
      fields: { model: "", note: "" },
      send(form) {
        return api.post(`/runs/${this.id}/register`, { model: form.model.trim(), note: form.note });
      },
      done(answer) {
        const model = answer?.model ?? answer;
        toast("It can predict now.", { tone: "success", title: "Registered.", href: `/models/${model?.id}`, link: "Open the model" });
        this.head.load({ quiet: true });
      },
    }),
    {
      id: "",
      run: null,
      job: null,
      version: null,
      sourceName: "",
      log: resource(() => null),
      head: resource(() => null, { empty: () => false }),
      catalogue: {},
      algorithms: {},
      models: [],
      tab: param("tab", "overview"),
      artifacts: {}, // name → {state, data, error}
      logScale: false,
      tracks: [], // several sites in one table: one is drawn at a time
      track: 0,
      now: Date.now(),
      init() {
        this.id = this.$root.dataset.id;
        this.head = resource(() => this.fetchRun(), { empty: () => false });
        this.log = resource(() => api.get(`/jobs/${this.run.job_id}/log`, { limit: 500 }));
        this.head.load();
        api.get("/metrics").then(({ items }) => (this.catalogue = Object.fromEntries(items.map((one) => [one.name, one]))), () => {});
        api.get("/algorithms").then(({ items }) => (this.algorithms = Object.fromEntries(items.map((one) => [one.name, one]))), () => {});
        addEventListener("popstate", () => this.showTab(param("tab", "overview")));
        setInterval(() => this.live && (this.now = Date.now()), 1000);
        command("Register this model", "cube", () => this.register(), { when: () => this.succeeded });
        command("Report of this run as PDF", "file", () => location.assign(`/api/v1/runs/${this.id}/report?format=pdf`), { when: () => this.succeeded });
        command("Show this run as Python", "file", () => this.go("code"), { when: () => this.succeeded });
        command("New experiment like this", "flask", () => location.assign(this.againUrl));
      },
      async fetchRun() {
        const run = await api.get(`/runs/${this.id}`);
        this.run = run;
        setTitle(run.name || "Run");
        enterProject(run.project_id);
        setCrumbs([{ label: "Experiments", href: `/projects/${run.project_id}/experiments` }]);
        if (run.status === "queued" || run.status === "running" || run.status === "failed") this.follow();
        if (run.status === "succeeded") this.showTab(this.tab);
        this.followOthers();
        if (!this.version) api.get(`/versions/${run.version_id}`).then((version) => {
          this.version = version;
          return api.get(`/sources/${version.source_id}`).then(({ name }) => (this.sourceName = name));
        }).catch(() => {}); // the lineage then says less
        return run;
      },
      follow() {
        if (this.stop || !this.run.job_id) return;
        let logged = "";
        this.log.load();
        this.stop = watchJob(this.run.job_id, (job) => {
          const over = this.job && isActive(this.job) && !isActive(job);
          this.job = job;
          const mark = `${job.phase}|${job.state}|${(job.message ?? "").split(":")[0]}`;
          if (mark !== logged) this.log.load({ quiet: true });
          logged = mark;
          if (job.state === "running" && this.run.status === "queued") this.run.status = "running";
          if (over || (!isActive(job) && (this.run.status === "running" || this.run.status === "queued"))) {
            this.stop?.();
            this.stop = null;
            this.head.load({ quiet: true });
          }
        });
      },
      reportAs(event) {
        reportMenu(event.currentTarget, `/runs/${this.id}/report`, "Report as a file");
      },
      get live() {
        return this.run?.status === "queued" || this.run?.status === "running";
      },
      get succeeded() {
        return this.run?.status === "succeeded";
      },
      get failed() {
        return this.run?.status === "failed" || this.run?.status === "cancelled";
      },
      get prunedRun() {
        return this.run?.status === "pruned";
      },
      get regression() {
        return this.run?.problem === "regression";
      },
      get badge() {
        return { succeeded: "is-success", failed: "is-danger", running: "is-accent" }[this.run?.status] ?? "";
      },
      get algorithmTitle() {
        return this.algorithms[this.run?.algorithm]?.title ?? this.run?.algorithm?.replaceAll("_", " ") ?? "";
      },
      get timing() {
        return [this.run?.seconds ? `in ${seconds(this.run.seconds)}` : "", this.run?.creator ? `by ${this.run.creator}` : ""].filter(Boolean).join(" ");
      },
      get phases() {
        const now = (this.job?.phase ?? "").toLowerCase();
        const other = this.run?.algorithm === "automatic" ? "fitting" : "searching";
        const phases = PHASES.filter(([phase]) => phase !== other);
        const at = phases.findIndex(([phase]) => now.startsWith(phase));
        return phases.map(([phase, title], index) => ({ phase, title, done: at > index, now: at === index, icon: at > index ? "#i-check" : at === index ? "#i-play" : "#i-minus", tone: at > index ? "t-success" : at === index ? "t-accent" : "subtle" }));
      },
      get knownPhase() {
        return this.phases.some(({ now }) => now);
      },
      get verdicts() {
        return verdicts(this.run, this.catalogue).map((one) => ({ ...one, unitText: one.unit === "target" ? "" : one.unit }));
      },
      get headlines() {
        return this.verdicts.slice(0, 5);
      },
      get conclusion() {
        const found = summary(this.headlines);
        return { ...found, text: [found.text, this.pastText].filter(Boolean).join(" ") };
      },
      /** Whoever goes on from yesterday's value is another kind of model than one that does without. */
      get pastText() {
        const { target, target_reach: reach } = this.run ?? {};
        if (reach) return `It sees ${target} as it was ${plural(reach, "row")} before, as persistence does: compare it with models that see the same.`;
        return this.baselineNames.includes("persistence") ? `Persistence knows the latest ${target}; this model sees no earlier value of it.` : "";
      },
      get baselineNames() {
        return Object.keys(this.run?.metrics?.baselines ?? {});
      },
      baselineTitle: baselineName,
      direction,
      intervalText({ interval }) {
        return interval ? `${metric(interval[0])} to ${metric(interval[1])}` : "";
      },
      baselineValue(name, rival) {
        return metric(this.run.metrics.baselines[rival]?.[name]);
      },
      signed(one) {
        return one.better === "zero" && one.value > 0 ? `+${metric(one.value)}` : metric(one.value);
      },
      /** This run and the baselines on one axis; right is better. */
      axis(element, one) {
        const good = (value) => goodness(value, one.better);
        const all = [one.value, ...one.rivals.map(({ value }) => value)].map(good);
        if (!one.rivals.length || !all.every(Number.isFinite)) return element.replaceChildren();
        const [low, high] = [Math.min(...all), Math.max(...all)];
        const place = (value) => 12 + (high === low ? 88 : (176 * (good(value) - low)) / (high - low));
        const best = [...one.rivals].sort((a, b) => good(b.value) - good(a.value))[0];
        const at = place(best.value);
        return element.replaceChildren(s("svg", { class: "chart", viewBox: "0 0 200 30", role: "img", "aria-label": `${one.title} of this run and of the baselines on one axis, better to the right` },
          s("path", { class: "ax", d: "M6 11H194" }),
          ...one.rivals.map(({ name, value }) => s("rect", { x: place(value) - 1, y: 6, width: 2, height: 10, class: "f-base" }, s("title", {}, `${name} ${metric(value)}`))),
          s("text", { x: at, y: 27, class: at > 150 ? "a-e" : at < 50 ? "" : "a-m" }, best.name),
          s("circle", { cx: place(one.value), cy: 11, r: 4.5, class: "f-pred" }, s("title", {}, `this run ${metric(one.value)}`))));
      },
      get countsText() {
        const { rows, used, left_out: out, train, test } = this.run.counts ?? {};
        if (!rows) return "";
        const told = this.has("folds") ? `${plural(test, "row")} tested in folds, figures are means over them` : `${plural(test, "test row")}, ${plural(train, "training row")}`;
        return `${told}; ${out ? `${count(out)} of ${count(rows)} rows left out for want of a target` : `all ${count(used ?? rows)} rows used`}. Right is better on every axis; a tick is a baseline.`;
      },
      get twinsText() {
        const { twins, test } = this.run.counts ?? {};
        return twins ? `${count(twins)} of ${plural(test, "test row")} agree with a training row in the target and every feature. What is measured on them says little about rows that are new.` : "";
      },

      // Charts, from stored data, each with its own state ------------------------------------------------------------------
      has(name) {
        return this.run?.artifacts?.includes(name) ?? false;
      },
      stateOfArtifact(name) {
        return this.artifacts[name]?.state ?? "loading";
      },
      async artifact(name) {
        this.artifacts[name] ??= resource(() => api.get(`/runs/${this.id}/artifacts/${name}`), { empty: () => false });
        if (this.artifacts[name].state === "done") return this.artifacts[name].data;
        asked[name] ??= this.artifacts[name].load().finally(() => delete asked[name]); // several charts may want the same
        return asked[name];
      },
      async paint(ref, make, names) {
        const [library, plots, ...data] = await Promise.all([import("../lib/charts.js"), import("../lib/plots.js"), ...names.map((name) => (this.has(name) ? this.artifact(name) : null))]);
        charts = library;
        await this.$nextTick();
        const element = this.$root.querySelector(`[data-plot="${ref}"]`);
        if (!element || data.every((one) => !one)) return;
        library.draw(element, make(library, plots, ...data));
      },
      showTab(tab) {
        this.tab = this.tabs.some(({ name }) => name === tab) ? tab : "overview";
        if (!this.succeeded) return;
        const target = this.run.target;
        this.$nextTick(() => {
          if (this.tab === "overview") {
            if (this.regression) {
              this.paintSeries();
              if (this.has("flow_duration")) this.paint("duration", (c, p, data) => p.duration(c, data, target), ["flow_duration"]);
              this.paint("scatter", (c, p, scatter, predictions) => p.scatter(c, scatter, predictions, target), this.has("scatter") ? ["scatter"] : ["scatter", "predictions"]);
            } else {
              if (this.has("confusion")) this.artifact("confusion");
              if (this.has("roc")) this.paint("roc", (c, p, roc) => p.roc(c, roc), ["roc"]);
              if (this.has("thresholds")) this.paintThresholds();
              if (this.has("calibration")) this.paint("calibration", (c, p, data) => p.calibration(c, data), ["calibration"]);
            }
            if (this.has("importance")) this.paint("importance-top", (c, p, data) => p.importance(c, this.titled(data), 8), ["importance"]);
          }
          if (this.tab === "residuals") {
            this.paint("residuals", (c, p, data) => p.residuals(c, data, target), ["residuals"]);
            this.artifact("residuals").then((data) => data?.over_time && this.paint("residual-time", (c, p, all) => p.residualsOverTime(c, all.over_time, target), ["residuals"]));
          }
          if (this.tab === "importance") this.paint("importance", (c, p, data) => p.importance(c, this.titled(data), 40), ["importance"]);
          if (this.tab === "importance") this.paintExplained();
          if (["groups", "folds", "leaderboard"].includes(this.tab)) this.artifact(this.tab);
          if (this.tab === "rows") this.openRows();
          if (this.tab === "code") this.openCode();
          if (this.tab === "log" && this.run.job_id) this.log.load();
        });
      },
      paintSeries() {
        this.paint("series", (c, p, predictions) => {
          this.tracks = p.tracks(predictions);
          return p.series(c, predictions, this.run.target, this.tracks[this.track]);
        }, ["predictions"]);
      },
      setTrack(index) {
        this.track = Number(index);
        this.logScale = false;
        this.paintSeries();
      },
      go(tab) {
        setParams({ tab: tab === "overview" ? "" : tab }, { push: true });
        this.showTab(tab);
      },
      /** Its metric by the name people know. */
      titled(data) {
        return { ...data, metric: about(data.metric ?? "score", this.catalogue).title };
      },
      get tabs() {
        return [
          { name: "overview", title: "Overview" },
          ...(this.has("leaderboard") ? [{ name: "leaderboard", title: "Leaderboard" }] : []),
          ...(this.has("residuals") ? [{ name: "residuals", title: "Residuals" }] : []),
          ...(this.has("importance") ? [{ name: "importance", title: "Explanation" }] : []),
          { name: "metrics", title: "All metrics" }, ...(this.has("groups") ? [{ name: "groups", title: "Groups" }] : []), ...(this.has("folds") ? [{ name: "folds", title: "Folds" }] : []), { name: "rows", title: "Rows" }, { name: "parameters", title: "Parameters" }, { name: "code", title: "Code" }, { name: "log", title: "Log" },
        ];
      },
      get hasTime() {
        return Boolean(this.artifacts.predictions?.data?.time);
      },
      get seriesTitle() {
        return this.hasTime ? "Hydrograph" : "Observed and predicted, in row order";
      },
      get seriesSub() {
        const data = this.artifacts.predictions?.data;
        if (!data) return "";
        const track = this.tracks[this.track];
        if (track) return `${count(track.at.length)} of ${count(data.of)} test rows: one series of ${this.tracks.length}`;
        return data.sampled ? `${count(data.observed.length)} of ${count(data.of)} test rows` : `${plural(data.observed.length, "test row")}, all of them`;
      },
      get residualSub() {
        const data = this.artifacts.residuals?.data;
        return data ? `mean ${number(data.mean, 3)}, standard deviation ${number(data.std, 3)}` : "";
      },
      get scatterSub() {
        const data = this.artifacts.scatter?.data;
        return data ? (data.points ? plural(data.points.length, "test row") : "rows per bin, darker is more") : "";
      },
      get importanceSub() {
        const data = this.artifacts.importance?.data;
        return data ? `${plural(data.items.length, "feature")}, on ${plural(data.rows ?? 0, "row")}` : "";
      },
      setLog(on) {
        this.logScale = on;
        const element = this.$root.querySelector('[data-plot="series"]');
        if (charts && element) charts.toggleLog(element, on);
      },
      async png(ref, name) {
        const element = this.$root.querySelector(`[data-plot="${ref}"]`);
        if (charts && element) charts.png(element, `${this.run.name || "run"} ${name}`);
      },
      data(name) {
        const found = this.artifacts[name]?.data;
        if (found) download(`${this.run.name || "run"} ${name}.json`, JSON.stringify(found), "application/json");
      },
      // Each group (a site, say) and each fold on its own ----------------------------------------------------------------------
      partSort: { name: "part", down: false },
      partsOf(name) {
        const data = this.artifacts[name]?.data;
        return (data?.items ?? []).map(({ group, fold, rows, metrics }) => ({ part: group ?? fold, rows, metrics }));
      },
      partsText(name) {
        const data = this.artifacts[name]?.data;
        if (!data) return "";
        if (name === "folds") return `${plural(data.of, "fold")}, each tested by a model that has not seen it; the model that is kept learnt from all rows`;
        return `${data.items.length < data.of ? `the largest ${count(data.items.length)} of ` : ""}${plural(data.of, "group")} by ${data.column}; test rows`;
      },
      partColumns(name) {
        const metrics = this.verdicts.map((one) => ({ name: one.name, title: one.title, definition: one.definition }));
        return [{ name: "part", title: name === "folds" ? "Fold" : (this.artifacts.groups?.data?.column ?? "Group") }, { name: "rows", title: "Rows" }, ...metrics].map((column) => ({ ...column, ...this.sortOf(column.name) }));
      },
      sortOf(name) {
        if (name !== this.partSort.name) return { sort: "none", icon: "" };
        return this.partSort.down ? { sort: "descending", icon: "#i-down" } : { sort: "ascending", icon: "#i-up" };
      },
      sortParts(name) {
        this.partSort = { name, down: this.partSort.name === name ? !this.partSort.down : name !== "part" };
      },
      partRows(name) {
        const parts = this.partsOf(name);
        const names = this.verdicts.map((one) => one.name);
        const key = (one) => (this.partSort.name === "part" ? one.part : this.partSort.name === "rows" ? one.rows : one.metrics[this.partSort.name]);
        const sorted = [...parts].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
          return (typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y) * (this.partSort.down ? -1 : 1);
        });
        const middle = (values) => {
          const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
          return known.length ? (known[(known.length - 1) >> 1] + known[known.length >> 1]) / 2 : undefined;
        };
        const median = { part: "Median", median: true, rows: middle(parts.map(({ rows }) => rows)), metrics: Object.fromEntries(names.map((one) => [one, middle(parts.map(({ metrics }) => metrics[one]))])) };
        const cells = (one) => [{ key: "rows", text: count(one.rows) }, ...names.map((metricName) => ({ key: metricName, text: metric(one.metrics[metricName]) }))];
        return [median, ...sorted].map((one, index) => ({ key: index, part: String(one.part), median: one.median ?? false, cells: cells(one) }));
      },
      get confusion() {
        const data = this.artifacts.confusion?.data;
        if (!data) return { labels: [], rows: [] };
        const most = Math.max(...data.counts.flat(), 1);
        const rows = data.counts.map((row, at) => {
          const total = row.reduce((sum, one) => sum + one, 0);
          return { label: data.labels[at], cells: row.map((value, column) => ({ key: column, value: count(value), share: total ? `${Math.round((100 * value) / total)} %` : "", shade: `q${value ? Math.max(1, Math.ceil((5 * value) / most)) : 0}${at === column ? " is-hit" : ""}` })) };
        });
        return { labels: data.labels.map((label, key) => ({ key, label })), rows };
      },
      get aucText() {
        const data = this.artifacts.roc?.data;
        return data ? `area ${metric(data.auc)}` : "";
      },

      // Words --------------------------------------------------------------------------------------------------------------
      get parameters() {
        const said = ["algorithm", "seed", "split", "test_size"];
        return Object.entries(this.run?.parameters ?? {}).filter(([name]) => !said.includes(name)).map(([name, value]) => ({ name, value: value === null ? "∅" : typeof value === "object" ? JSON.stringify(value) : String(value) }));
      },
      get specificationText() {
        return JSON.stringify(this.run?.specification ?? {}, null, 2);
      },
      get splitText() {
        const split = this.run?.specification?.split ?? {};
        const kind = (this.run?.split ?? split.kind ?? "").replaceAll("_", " ");
        const { folds } = this.run?.parameters ?? {};
        return [kind, folds ? plural(folds, "fold") : split.test_size ? `${Math.round(100 * split.test_size)} % test` : ""].filter(Boolean).join(", ");
      },
      get mlflowId() {
        return this.run?.mlflow_run_id ?? "";
      },
      get mlflowState() {
        if (this.mlflowId) return this.run.mlflow.state === "behind" ? "stored in MLflow; its tags and notes are to follow" : "stored in MLflow";
        return "not in MLflow yet: it is to be synced, and will be by itself";
      },
      get errorText() {
        const error = this.run?.error ?? this.job?.error;
        return (typeof error === "string" ? error : error?.detail || error?.message || error?.title) || (this.run?.status === "cancelled" ? "It was cancelled before it finished." : "It stopped without saying why; the log may tell.");
      },
      get againUrl() {
        return `/projects/${this.run?.project_id}/experiments/new?from=${this.run?.experiment_id}`;
      },
      async register() {
        if (!this.succeeded) return;
        try {
          const { items } = await api.get(`/projects/${this.run.project_id}/models`, { limit: 100 });
          this.models = items.filter(({ target }) => !target || target === this.run.target);
        } catch {
          this.models = [];
        }
        this.show({ model: this.models[0]?.name ?? `${this.run.target}-model`.replace(/[^\w.-]+/g, "-") });
      },
      async cancel() {
        try {
          await api.post(`/jobs/${this.run.job_id}/cancel`);
          if (this.job) this.job.cancel_requested = true;
        } catch (error) {
          toastError(error, "Not cancelled.");
        }
      },
      async finish() {
        try {
          Object.assign(this.job, await api.post(`/jobs/${this.run.job_id}/finish`));
        } catch (error) {
          toastError(error, "Not stopped.");
        }
      },
      async retry() {
        try {
          await api.post(`/jobs/${this.run.job_id}/retry`);
          this.stop?.();
          this.stop = null;
          this.head.load();
        } catch (error) {
          toastError(error, "Not retried.");
        }
      },
      get logLines() {
        return this.log.items.map(({ at, level, message }, key) => ({ key, text: `${at ? new Date(at).toLocaleTimeString("en-GB") : ""}  ${message}\n`, bad: level === "error" || level === "critical" }));
      },
    },
  );
}

export function register(Alpine) {
  Alpine.data("runPage", runPage);
}
