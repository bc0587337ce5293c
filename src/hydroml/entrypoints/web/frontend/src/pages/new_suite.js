import { api, asProblem, fieldErrors } from "../lib/api.js";
import { number } from "../lib/format.js";
import { resource } from "../lib/resource.js";
import { KINDS, valueText } from "../lib/suites.js";
import { shortcut } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const SAMPLERS = [
  { value: "tpe", title: "TPE: where good values were" },
  { value: "random", title: "Random: by chance" },
  { value: "grid", title: "Grid: every combination" },
];
const METHODS = [
  { value: "forward", title: "Forward", text: "Begins with none; each round adds the feature that helps most." },
  { value: "backward", title: "Backward", text: "Begins with all; each round takes away the feature that is missed least." },
  { value: "importance", title: "By importance", text: "Keeps the most important half, quarter and so on: few trials, for many features." },
  { value: "stability", title: "By stability", text: "Keeps what is important under most seeds." },
];
const listed = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);
/** What was typed as a number; what is none is sent as it is, for the server to say so. */
const asNumber = (text) => (text === "" || text === null ? null : Number.isFinite(Number(text)) ? Number(text) : text);

function newSuitePage() {
  let project = "";
  return {
    experiments: resource(() => api.get(`/projects/${project}/experiments`, { limit: 200 })),
    experimentId: param("experiment"),
    kind: param("kind", "sweep"),
    kinds: KINDS,
    samplers: SAMPLERS,
    methods: METHODS,
    algorithms: [],
    metrics: [],
    flight: null, // what pre-flight says of the experiment
    flightError: "",
    form: { name: "", metric: "", parallel: 2, seconds: "" },
    sweep: { sampler: "tpe", trials: 50, prune: true, seed: 0, limitSeconds: "", limitMegabytes: "" },
    spaces: [],
    chosen: {}, // algorithm → compared
    candidates: {},
    groups: [],
    alone: true,
    selection: { method: "forward", most_features: "", tolerance: 0 },
    repeats: 5,
    outer: { folds: 5, repeats: 1 },
    errors: {},
    problem: null,
    busy: false,
    async init() {
      project = this.$root.dataset.project;
      const [algorithms, metrics] = await Promise.all([api.get("/algorithms"), api.get("/metrics")]).catch(() => [{ items: [] }, { items: [] }]);
      this.algorithms = algorithms.items;
      this.metrics = metrics.items;
      await this.experiments.load();
      if (this.kind === "nested") this.sweep.trials = 20;
      if (param("from")) await this.takeOver(param("from"));
      else this.useExperiment(this.experimentId || this.experiments.items[0]?.id || "");
      shortcut("mod+Enter", "Start the suite", () => this.create(), { inInputs: true });
    },
    get experiment() {
      return this.experiments.items.find(({ id }) => id === this.experimentId) ?? null;
    },
    get specification() {
      return this.experiment?.specification ?? null;
    },
    get specificationText() {
      const { target, algorithm, split } = this.specification ?? {};
      if (!target) return "";
      const kind = this.flight?.split ?? split?.kind;
      return [`target ${target}`, this.algorithm?.title ?? algorithm.name, kind && `split ${kind.replaceAll("_", " ")}`, this.flight && `${this.flight.features.length} features`].filter(Boolean).join(" · ");
    },
    get algorithm() {
      return this.algorithms.find(({ name }) => name === this.specification?.algorithm.name) ?? null;
    },
    get problemKind() {
      return this.flight?.problem ?? "";
    },
    get features() {
      return this.flight?.features ?? [];
    },
    get isFolded() {
      return ["kfold", "stratified_kfold", "group_kfold", "expanding", "sliding"].includes(this.flight?.split);
    },
    get fitting() {
      return this.algorithms.filter(({ problems }) => !this.problemKind || problems.includes(this.problemKind));
    },
    get metricChoices() {
      return this.metrics.filter(({ problems }) => !this.problemKind || problems.includes(this.problemKind));
    },
    get judgedText() {
      if (this.kind === "nested") return "In each outer fold a search of its own chooses on inner folds; the outer fold judges what it chose, and takes no part in the choice.";
      if (this.kind === "cross_validation" && !this.nested) return "Each repeat draws the rows anew and is judged on its test part. Nothing is chosen.";
      if (this.isFolded) return "This split is in folds, and trials are compared on them: no row is kept from the choice, so the best score is the kindest of many. A split with one test part leaves it for the winner.";
      return "Trials are compared on folds within the training part. The test part judges no choice; it is shown of the best alone.";
    },
    get nested() {
      return Object.values(this.candidates).some(Boolean);
    },
    choose(kind) {
      if (kind === "nested" && this.kind !== "nested") Object.assign(this.sweep, { trials: 20, sampler: "tpe" });
      this.kind = kind;
      this.errors = {};
      this.problem = null;
      setParams({ kind: kind === "sweep" ? "" : kind });
    },
    async useExperiment(id) {
      this.experimentId = id;
      this.flight = null;
      this.flightError = "";
      if (!this.experiment) return;
      setParams({ experiment: id });
      this.spaces = (this.algorithm?.hyperparameters ?? []).map((one) => this.spaceOf(one));
      this.groups = [];
      try {
        this.flight = await api.post(`/experiments/${id}/preflight`);
        this.flightError = this.flight.errors[0]?.msg ?? "";
      } catch (error) {
        this.flightError = asProblem(error).detail;
      }
      if (!this.metricChoices.some(({ name }) => name === this.form.metric)) this.form.metric = "";
    },
    /** The form of another suite; its experiment may have changed since. */
    async takeOver(id) {
      const suite = await api.get(`/suites/${id}`).catch(() => null);
      await this.useExperiment(suite?.experiment_id ?? this.experiments.items[0]?.id ?? "");
      if (!suite) return;
      const { plan } = suite;
      this.choose(plan.kind);
      Object.assign(this.form, { metric: suite.metric, parallel: suite.parallel, seconds: suite.seconds ?? "" });
      if (this.searches) {
        Object.assign(this.sweep, { sampler: plan.sampler, trials: plan.trials, prune: plan.prune ?? true, seed: plan.seed, limitSeconds: plan.limits?.seconds ?? "", limitMegabytes: plan.limits?.model_bytes ? plan.limits.model_bytes / 1e6 : "" });
        if (plan.kind === "nested") this.outer = { folds: plan.folds, repeats: plan.repeats };
        for (const one of this.spaces) {
          const space = plan.space[one.name];
          one.on = Boolean(space);
          if (space) Object.assign(one, space.choices.length ? { choices: space.choices.map(valueText).join(", ") } : { low: space.low, high: space.high, log: space.log, steps: space.steps });
        }
      }
      if (plan.kind === "comparison") for (const { name } of plan.algorithms) this.chosen[name] = true;
      if (plan.kind === "ablation") {
        this.groups = Object.entries(plan.groups).map(([name, members], key) => ({ key, name, features: members.join(", ") }));
        this.alone = plan.alone;
      }
      if (plan.kind === "selection") Object.assign(this.selection, { method: plan.method, most_features: plan.most_features ?? "", tolerance: plan.tolerance });
      if (plan.kind === "cross_validation") {
        this.repeats = plan.repeats;
        for (const { name } of plan.candidates) this.candidates[name] = true;
      }
    },
    spaceOf(one) {
      const numeric = one.type === "integer" || one.type === "number";
      const choices = one.type === "choice" ? one.choices : one.type === "boolean" ? [false, true] : [];
      const start = one.search ?? { low: one.minimum, high: one.maximum, log: false };
      return { name: one.name, help: one.help, type: one.type, numeric, on: Boolean(one.search) || choices.length > 0, low: start.low ?? "", high: start.high ?? "", log: start.log ?? false, steps: 5, choices: choices.map(String).join(", "), fixed: valueText(this.specification.algorithm.hyperparameters[one.name] ?? one.default) };
    },
    rangeText: (one) => (one.on ? "" : `stays ${one.fixed}`),
    get searches() {
      return this.kind === "sweep" || this.kind === "nested";
    },
    get samplersHere() {
      return this.kind === "nested" ? SAMPLERS.filter(({ value }) => value !== "grid") : SAMPLERS;
    },
    get outerText() {
      return `${number(this.outer.folds * this.outer.repeats * this.sweep.trials)} trials in all`;
    },
    get grid() {
      return this.sweep.sampler === "grid";
    },
    get gridText() {
      if (!this.grid) return "";
      const points = this.spaces.filter(({ on }) => on).reduce((product, one) => product * (one.numeric ? Number(one.steps) || 1 : listed(one.choices).length || 1), 1);
      return `${number(points)} combinations${points > this.sweep.trials ? `; the first ${this.sweep.trials} drawn are tried` : ""}`;
    },
    addGroup() {
      this.groups.push({ key: Date.now() + this.groups.length, name: `group ${this.groups.length + 1}`, features: "" });
    },
    removeGroup(group) {
      this.groups = this.groups.filter((one) => one !== group);
    },
    get methodHelp() {
      return METHODS.find(({ value }) => value === this.selection.method).text;
    },
    errorAt(place) {
      const found = Object.entries(this.errors).find(([key]) => key === place || key.startsWith(`${place}.`));
      return found ? found[1] : "";
    },
    get summary() {
      return this.problem ? this.problem.detail || this.problem.title : "";
    },
    get blocked() {
      if (!this.experiment) return "Choose an experiment first.";
      return this.flightError;
    },
    get plan() {
      const names = (of) => this.fitting.filter(({ name }) => of[name]).map(({ name }) => ({ name, ...(name === this.specification.algorithm.name ? { hyperparameters: this.specification.algorithm.hyperparameters } : {}) }));
      const typed = (one, text) => (one.type === "boolean" ? text === "true" || text === "yes" : one.numeric ? asNumber(text) : text === "none" ? null : text);
      const space = () => Object.fromEntries(this.spaces.filter(({ on }) => on).map((one) => [one.name, one.numeric ? { low: asNumber(one.low), high: asNumber(one.high), log: one.log, steps: Number(one.steps) || 5 } : { choices: listed(one.choices).map((text) => typed(one, text)) }]));
      return {
        sweep: () => ({
          kind: "sweep", sampler: this.sweep.sampler, trials: this.sweep.trials, prune: this.sweep.prune, seed: this.sweep.seed,
          space: space(),
          limits: { seconds: asNumber(this.sweep.limitSeconds), model_bytes: this.sweep.limitMegabytes === "" ? null : Math.round(this.sweep.limitMegabytes * 1e6) },
        }),
        comparison: () => ({ kind: "comparison", algorithms: names(this.chosen) }),
        ablation: () => ({ kind: "ablation", alone: this.alone, groups: Object.fromEntries(this.groups.map(({ name, features }) => [name.trim(), listed(features)])) }),
        selection: () => ({ kind: "selection", method: this.selection.method, most_features: this.selection.method === "forward" ? asNumber(this.selection.most_features) : null, tolerance: asNumber(this.selection.tolerance) ?? 0 }),
        nested: () => ({ kind: "nested", folds: this.outer.folds, repeats: this.outer.repeats, trials: this.sweep.trials, sampler: this.sweep.sampler, seed: this.sweep.seed, space: space() }),
        cross_validation: () => ({ kind: "cross_validation", repeats: this.repeats, candidates: names(this.candidates) }),
      }[this.kind]();
    },
    async create() {
      if (this.busy || this.blocked) return;
      this.busy = true;
      this.errors = {};
      this.problem = null;
      try {
        const suite = await api.post(`/projects/${project}/suites`, { experiment_id: this.experimentId, plan: this.plan, name: this.form.name.trim(), metric: this.form.metric || null, parallel: this.form.parallel, seconds: asNumber(this.form.seconds) });
        await api.post(`/suites/${suite.id}/start`);
        location.assign(`/suites/${suite.id}`);
      } catch (error) {
        this.problem = asProblem(error);
        this.errors = fieldErrors(this.problem);
        this.busy = false;
        this.$nextTick(() => (this.$root.querySelector("[aria-invalid=true]") ?? this.$root.querySelector("[role=alert]"))?.scrollIntoView({ block: "center" }));
      }
    },
  };
}

export function register(Alpine) {
  Alpine.data("newSuitePage", newSuitePage);
}
