// Runs side by side: what differs first, their metrics, one line for each across all of it, and their curves laid over each other.
import { api } from "../lib/api.js";
import { download } from "../lib/dom.js";
import { metric, number, plural, seconds, sentence } from "../lib/format.js";
import { reportMenu } from "../lib/report_menu.js";
import { resource } from "../lib/resource.js";
import { command, enterProject, setCrumbs, setTitle, shortcut } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { direction } from "../lib/verdict.js";

const MOST_CURVES = 16;
const FEW_SETTINGS = 6; // axes of settings beside those of metrics
/** `draw` is a function of lib/compare_plots.js, over an artifact of each run. */
const CURVES = [
  { value: "hydrograph", title: "Over time", artifact: "predictions", draw: "hydrographs" },
  { value: "duration", title: "Flow duration", artifact: "predictions", draw: "durationCurves" },
  { value: "residuals", title: "Residuals", artifact: "residuals", draw: "residualCurves" },
  { value: "roc", title: "ROC", artifact: "roc", draw: "rocCurves" },
  { value: "precision", title: "Precision and recall", artifact: "thresholds", draw: "precisionRecallCurves" },
  { value: "calibration", title: "Calibration", artifact: "calibration", draw: "calibrationCurves" },
  { value: "importance", title: "Importance", artifact: "importance", draw: "importances" },
  { value: "dependence", title: "Dependence", artifact: "dependence", draw: "dependences" },
];
const has = (run, artifact) => run.artifacts.includes(artifact) && (artifact !== "predictions" || run.problem === "regression");

const written = (value) => {
  if (value === null || value === undefined) return "∅";
  if (typeof value === "number") return number(value, 6);
  if (Array.isArray(value)) return value.length > 6 ? `${value.slice(0, 6).join(", ")} and ${value.length - 6} more` : value.join(", ") || "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};
const placeName = (place) => sentence(place.replace(/^algorithm\.hyperparameters\./, "").replaceAll(".", ", "));
/** Spreadsheets must not take a name for a formula. */
const quoted = (value) => {
  const text = value === null || value === undefined ? "" : Array.isArray(value) ? value.join("; ") : typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = typeof value !== "number" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

function comparePage() {
  const stored = {}; // "run artifact" → what it holds, or null
  let charts = null;
  return {
    ids: param("ids"),
    head: resource(() => null, { empty: () => false }),
    curve: param("curve"),
    log: false,
    track: 0,
    tracks: [],
    curveState: "loading",
    curveText: "",
    allMetrics: false,
    init() {
      this.head = resource(() => this.fetch(), { empty: () => false });
      this.head.load();
      command("Download the comparison", "download", () => this.csv(), { when: () => this.head.state === "done" });
      shortcut("m", "All metrics, or the first ones", () => (this.allMetrics = !this.allMetrics));
    },
    async fetch() {
      const found = await api.get("/runs/compare", { ids: this.ids });
      setTitle(`Compare ${found.runs.length} runs`);
      const projects = new Set(found.runs.map(({ project_id: id }) => id));
      const [first] = projects;
      enterProject(first);
      setCrumbs([{ label: "Experiments", href: `/projects/${first}/experiments` }]);
      this.$nextTick(() => {
        this.drawParallel();
        this.showCurve(this.curves.some(({ value }) => value === this.curve) ? this.curve : this.curves[0]?.value);
      });
      return found;
    },
    get found() {
      return this.head.data ?? { runs: [], differ: [], same: [], metrics: [], obstacles: [] };
    },
    get title() {
      return this.head.state === "done" ? `Compare ${this.found.runs.length} runs` : "Compare runs";
    },
    get runs() {
      return this.found.runs.map((run, place) => ({ ...run, place, href: `/runs/${run.id}`, about: [run.logged ? "logged with MLflow" : sentence(run.algorithm), run.seconds ? seconds(run.seconds) : ""].filter(Boolean).join(", "), tone: `k-series-${(place % 8) + 1}` }));
    },
    /** The run itself cannot be told from the others by its name alone: that is not a difference in what was done. */
    get differ() {
      return this.rows(this.found.differ.filter(({ place }) => place !== "name"));
    },
    get same() {
      return this.found.same.map(({ place, values }) => ({ place, title: placeName(place), value: written(values[0]) }));
    },
    rows(settings) {
      return settings.map(({ place, values }) => ({ place, title: placeName(place), cells: values.map((value, key) => ({ key, text: written(value), full: Array.isArray(value) ? value.join(", ") : null, class: typeof value === "number" ? "num" : "" })) }));
    },
    get metrics() {
      const rows = this.allMetrics ? this.found.metrics : this.found.metrics.slice(0, 12);
      return rows.map((row) => ({
        name: row.name, title: row.title, definition: row.definition, better: row.better ? direction(row.better) : "", unit: row.unit === "target" ? "" : row.unit,
        cells: row.values.map((value, key) => ({ key, text: value === null ? "∅" : metric(value), interval: row.intervals[key] ? `${metric(row.intervals[key][0])} to ${metric(row.intervals[key][1])}` : "", best: row.best.includes(key) })),
      }));
    },
    get hidden() {
      return this.found.metrics.length - 12;
    },
    get metricsText() {
      return this.allMetrics ? "First 12 only" : `All ${this.found.metrics.length}`;
    },
    toggleMetrics() {
      this.allMetrics = !this.allMetrics;
    },
    get obstacles() {
      return this.found.obstacles;
    },

    // One line for each run -------------------------------------------------------------------------------------------------
    get axes() {
      const { differ, metrics } = this.found;
      const settings = differ.filter(({ place }) => !["name", "features", "split.reason"].includes(place)).slice(0, FEW_SETTINGS).map(({ place, values }) => ({ title: placeName(place), values, better: "" }));
      const scores = metrics.filter(({ values }) => values.filter((value) => value !== null).length > 1).slice(0, 5).reverse(); // the first one last, where the eye ends
      return [...settings, ...scores.map(({ title, values, better }) => ({ title, values, better }))];
    },
    async drawParallel() {
      if (this.axes.length < 2) return;
      const [library, plots] = await Promise.all([import("../lib/charts.js"), import("../lib/compare_plots.js")]);
      charts = library;
      const element = this.$root.querySelector('[data-plot="parallel"]');
      if (element) library.draw(element, plots.parallel(library, this.runs, this.axes, metric));
    },

    // Curves ----------------------------------------------------------------------------------------------------------------
    get curves() {
      return CURVES.filter(({ artifact }) => this.found.runs.some((run) => has(run, artifact)));
    },
    async showCurve(curve) {
      if (!curve) return;
      const { artifact, draw } = CURVES.find(({ value }) => value === curve);
      if (this.curve !== curve) this.track = 0;
      this.curve = curve;
      this.curveState = "loading";
      setParams({ curve: curve === this.curves[0].value ? "" : curve });
      const able = this.runs.filter((run) => has(run, artifact));
      const [library, plots, own, ...all] = await Promise.all([import("../lib/charts.js"), import("../lib/compare_plots.js"), import("../lib/plots.js"), ...able.slice(0, MOST_CURVES).map((run) => this.artifact(run, artifact))]);
      if (this.curve !== curve) return;
      charts = library;
      const shown = able.slice(0, MOST_CURVES).map((run, at) => ({ ...run, data: all[at] })).filter(({ data }) => data);
      this.curveState = shown.length ? "done" : "error";
      this.curveText = [able.length > MOST_CURVES ? `the first ${MOST_CURVES} of ${able.length} runs` : plural(shown.length, "run"), shown.some(({ data }) => data.sampled) ? "sampled where a run has many rows" : "", shown.length < this.runs.length && able.length < this.runs.length ? "the others have none" : ""].filter(Boolean).join("; ");
      if (!shown.length) return;
      const target = [...new Set(shown.map((run) => run.target))].join(", ");
      if (curve === "hydrograph") for (const one of shown) one.tracks = own.tracks(one.data);
      const features = curve === "dependence" ? [...new Set(shown.flatMap(({ data }) => data.items.map(({ feature }) => feature)))] : [];
      this.tracks = (curve === "hydrograph" ? shown[0].tracks.map(({ title }) => title) : features).map((title, key) => ({ key, title }));
      const options = { target, track: this.track, feature: features[this.track], log: this.log };
      await this.$nextTick();
      const element = this.$root.querySelector('[data-plot="curves"]');
      if (element) library.draw(element, plots[draw](library, shown, options));
    },
    async artifact({ id }, name) {
      stored[`${id} ${name}`] ??= api.get(`/runs/${id}/artifacts/${name}`).catch(() => null); // one that cannot be read is left out, and counted
      return stored[`${id} ${name}`];
    },
    get canLog() {
      return this.curve === "hydrograph" || this.curve === "duration";
    },
    setLog(on) {
      this.log = on;
      this.showCurve(this.curve);
    },
    setTrack(track) {
      this.track = Number(track);
      this.showCurve(this.curve);
    },
    png(ref) {
      const element = this.$root.querySelector(`[data-plot="${ref}"]`);
      if (charts && element) charts.png(element, `compare ${ref}`);
    },
    reportAs(event) {
      reportMenu(event.currentTarget, "/runs/compare/report", "Comparison as a file", `ids=${encodeURIComponent(this.ids)}&`);
    },
    csv() {
      const { runs, metrics, differ, same } = this.found;
      const lines = [["run", ...runs.map(({ name }) => name)], ["id", ...runs.map(({ id }) => id)], ...metrics.flatMap((row) => [[`metrics.test.${row.name}`, ...row.values], ...(row.intervals.some(Boolean) ? [[`${row.name}, 95 % from`, ...row.intervals.map((one) => one?.[0])], [`${row.name}, 95 % to`, ...row.intervals.map((one) => one?.[1])]] : [])]), ...[...differ, ...same].map(({ place, values }) => [place, ...values])];
      download("comparison.csv", `${lines.map((line) => line.map(quoted).join(",")).join("\r\n")}\r\n`, "text/csv");
    },
  };
}

export function register(Alpine) {
  Alpine.data("comparePage", comparePage);
}
