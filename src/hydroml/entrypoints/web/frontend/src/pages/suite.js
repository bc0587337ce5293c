import { api } from "../lib/api.js";
import { watchJob } from "../lib/events.js";
import { bytes, metric, seconds } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { judgedText, kindTitle, progressText, share, valueText } from "../lib/suites.js";
import { ask, command, enterProject, setCrumbs, setTitle, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { about, direction, goodness } from "../lib/verdict.js";

const QUIET = 600; // milliseconds between two looks, however fast trials end

function suitePage() {
  return {
    id: "",
    suite: null,
    head: resource(() => null, { empty: () => false }),
    catalogue: {},
    bestFeatures: [], // where features are what is tried
    shownParameter: param("by"),
    sortBy: param("sort", "number"),
    busy: false,
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => this.fetchSuite(), { empty: () => false });
      this.head.load();
      api.get("/metrics").then(({ items }) => (this.catalogue = Object.fromEntries(items.map((one) => [one.name, one]))), () => {});
      command("Open the best run", "star", () => location.assign(this.bestUrl), { when: () => Boolean(this.suite?.best) });
    },
    async fetchSuite() {
      const suite = await api.get(`/suites/${this.id}`);
      const first = !this.suite;
      this.suite = suite;
      if (first) {
        setTitle(suite.name);
        enterProject(suite.project_id);
        setCrumbs([{ label: "Suites", href: `/projects/${suite.project_id}/suites` }]);
      }
      this.follow();
      this.readFeatures();
      this.$nextTick(() => this.paint());
      return suite;
    },
    follow() {
      if (this.suite.status !== "running" || this.following === this.suite.job_id) return;
      this.stopFollowing?.();
      this.following = this.suite.job_id;
      this.stopFollowing = watchJob(this.suite.job_id, () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.head.load({ quiet: true }), QUIET);
      });
    },
    async readFeatures() {
      const best = this.suite.best?.run_id;
      if (!best || best === this.readOf || (this.kind !== "selection" && this.kind !== "ablation")) return;
      this.readOf = best;
      const { specification } = await api.get(`/runs/${best}`).catch(() => ({ specification: {} }));
      this.bestFeatures = specification.features ?? [];
    },
    get running() {
      return this.suite?.status === "running";
    },
    get canStart() {
      return this.suite?.status === "ready" || this.suite?.status === "stopped";
    },
    get startWord() {
      return this.suite?.status === "stopped" ? "Go on" : "Start";
    },
    get kind() {
      return this.suite?.plan.kind;
    },
    get kindText() {
      return kindTitle(this.kind);
    },
    get badge() {
      return { succeeded: "is-success", failed: "is-danger", running: "is-accent" }[this.suite?.status] ?? "";
    },
    get measure() {
      return about(this.suite?.metric ?? "", this.catalogue);
    },
    get betterText() {
      return `${direction(this.suite.better)} is better`;
    },
    get progress() {
      return progressText(this.suite);
    },
    get width() {
      return Math.round(100 * share(this.suite));
    },
    get judged() {
      return judgedText(this.suite);
    },
    get timing() {
      return `${seconds(this.suite.spent)}${this.suite.seconds ? ` of at most ${seconds(this.suite.seconds)}` : ""} · at most ${this.suite.parallel} at a time`;
    },
    get bestUrl() {
      return this.suite?.best ? `/runs/${this.suite.best.run_id}` : "";
    },
    get bestValues() {
      return Object.entries(this.suite?.best?.values ?? {}).map(([name, value]) => ({ name, value: valueText(value) }));
    },
    get names() {
      const names = new Set((this.suite?.trials ?? []).flatMap(({ values }) => Object.keys(values)));
      return [...names];
    },
    get rows() {
      const best = this.suite.best?.number;
      const rows = this.suite.trials.map((trial) => ({
        ...trial,
        title: `Trial ${trial.number + 1}`,
        best: trial.number === best,
        cells: this.names.map((name) => ({ name, text: name in trial.values ? valueText(trial.values[name]) : "" })),
        scoreText: trial.score === null ? "" : metric(trial.score),
        time: trial.seconds === null ? "" : seconds(trial.seconds),
        size: trial.model_bytes === null ? "" : bytes(trial.model_bytes),
      }));
      const worth = ({ score }) => (score === null ? -Infinity : goodness(score, this.suite.better));
      const orders = { number: (a, b) => a.number - b.number, "-number": (a, b) => b.number - a.number, score: (a, b) => worth(b) - worth(a) || a.number - b.number };
      return rows.sort(orders[this.sortBy] ?? orders.number);
    },
    sort(key) {
      this.sortBy = key === "score" ? "score" : this.sortBy === "number" ? "-number" : "number";
      setParams({ sort: this.sortBy === "number" ? "" : this.sortBy });
    },
    ariaSort(key) {
      return this.sortBy === key ? (key === "score" ? "descending" : "ascending") : this.sortBy === `-${key}` ? "descending" : "none";
    },
    get scored() {
      return (this.suite?.trials ?? []).filter(({ score }) => score !== null);
    },
    get drawable() {
      return this.scored.length > 0;
    },
    get isSweep() {
      return this.kind === "sweep";
    },
    get parameters() {
      return this.isSweep ? Object.keys(this.suite.plan.space) : [];
    },
    get parameter() {
      return this.parameters.includes(this.shownParameter) ? this.shownParameter : (this.parameters[0] ?? "");
    },
    choose(name) {
      this.shownParameter = name;
      setParams({ by: name });
      this.paint();
    },
    /** What a study chose in each division of the rows. */
    get choices() {
      return (this.suite?.estimate?.choices ?? []).map((one) => {
        const { repeat, fold, ...values } = one.values;
        return { key: one.number, href: `/runs/${one.run_id}`, title: fold ? `${this.suite.plan.repeats > 1 ? `repeat ${repeat}, ` : ""}fold ${fold}` : `repeat ${repeat}`, values: Object.entries(values).map(([name, value]) => `${name} ${valueText(value)}`).join(", "), by: one.chosen_by === null ? "" : metric(one.chosen_by), score: metric(one.score) };
      });
    },
    get optimistic() {
      const { optimistic = null, mean } = this.suite?.estimate ?? {};
      return optimistic === null ? "" : `${metric(optimistic)} on the folds that chose, as the search alone would tell; ${metric(Math.abs(mean - optimistic))} apart`;
    },
    get hasImportance() {
      return Object.keys(this.suite?.importance ?? {}).length > 0;
    },
    get mainTitle() {
      return { sweep: "Best so far", comparison: "Algorithms", ablation: "Groups of features", selection: "Features and score", cross_validation: "Each division", nested: "Each outer fold" }[this.kind] ?? "";
    },
    async paint() {
      if (!this.drawable) return;
      const [charts, plots] = await Promise.all([import("../lib/charts.js"), import("../lib/suite_plots.js")]);
      await this.$nextTick();
      const put = (name, make) => {
        const element = this.$root.querySelector(`[data-plot="${name}"]`);
        if (element) charts.draw(element, make);
      };
      const about_ = { trials: this.scored, suite: this.suite, measure: this.measure };
      put("main", plots.main(charts, about_));
      if (!this.isSweep) return;
      put("scatter", plots.scatter(charts, about_, this.parameter));
      put("parallel", plots.parallel(charts, about_));
      if (this.hasImportance) put("importance", plots.importance(charts, this.suite.importance));
    },
    async png(name) {
      const { png } = await import("../lib/charts.js");
      png(this.$root.querySelector(`[data-plot="${name}"]`), `${this.suite.name} ${name}`);
    },
    async act(path, failed) {
      if (this.busy) return;
      this.busy = true;
      try {
        await api.post(`/suites/${this.id}/${path}`);
        await this.head.load({ quiet: true });
      } catch (error) {
        toastError(error, failed);
      } finally {
        this.busy = false;
      }
    },
    start() {
      return this.act("start", "Not started.");
    },
    stop() {
      return this.act("stop", "Not stopped.");
    },
    menu(event) {
      openMenu(event.currentTarget, [
        { title: "Another like this", icon: "flask", run: () => location.assign(`/projects/${this.suite.project_id}/suites/new?from=${this.id}`) },
        "-",
        { title: "Delete with its runs", icon: "trash", danger: true, run: () => this.remove() },
      ], "Menu of the suite");
    },
    async remove() {
      if (!(await ask({ title: `Delete “${this.suite.name}”?`, text: "Its runs go with it. It stays while a model is made from one of them.", yes: "Delete", danger: true }))) return;
      try {
        await api.delete(`/suites/${this.id}`);
        location.assign(`/projects/${this.suite.project_id}/suites`);
      } catch (error) {
        toastError(error, "Not deleted.");
      }
    },
  };
}

export function register(Alpine) {
  Alpine.data("suitePage", suitePage);
}
