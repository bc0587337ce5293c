import { preflight } from "../components/preflight.js";
import { freshPreparation, preparation } from "../components/preparation.js";
import { wizardPresets } from "../components/wizard_presets.js";
import { api, asProblem } from "../lib/api.js";
import { debounced, s } from "../lib/dom.js";
import { count, percent, plural } from "../lib/format.js";
import { histogram } from "../lib/hist.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { isTemporal } from "../lib/types.js";
import { command, setCrumbs, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const DEFAULT_ALGORITHM = "hist_gradient_boosting";
const SECTIONS = ["data", "features", "split", "algorithm", "summary"];
const SPLITS = [
  { kind: "chronological", title: "Chronological", help: "The past trains, the latest part tests. Right where there is time.", time: true },
  { kind: "water_years", title: "Whole water years", help: "The latest whole years test, so that each season counts the same.", time: true },
  { kind: "expanding", title: "Expanding window", help: "Folds: each stretch of time is tested by all that lies before it.", time: true, folds: true },
  { kind: "sliding", title: "Sliding window", help: "Folds: each stretch of time is tested by a stretch of fixed length before it.", time: true, folds: true },
  { kind: "random", title: "Random", help: "Rows are drawn by chance. Right where rows do not depend on each other.", shuffled: true },
  { kind: "stratified", title: "Stratified", help: "By chance, with the same share of each class on both sides.", shuffled: true, classes: true },
  { kind: "kfold", title: "k-fold", help: "Folds by chance: every row is tested once, by a model that has not seen it.", shuffled: true, folds: true },
  { kind: "stratified_kfold", title: "Stratified k-fold", help: "k-fold with the same share of each class in every fold.", shuffled: true, folds: true, classes: true },
  { kind: "group", title: "By site or group", help: "Whole groups test: how good is it where it has never been?", group: true },
  { kind: "group_kfold", title: "Group k-fold", help: "Folds of whole groups: every group is tested once.", group: true, folds: true },
];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"].map((title, index) => ({ title, value: index + 1 }));
const PROBLEMS = [{ value: "auto", title: "find out from the target" }, { value: "regression", title: "regression: a quantity" }, { value: "binary", title: "two classes" }, { value: "multiclass", title: "several classes" }];

const fresh = () => ({ name: "", version_id: "", target: "", features: null, problem: "auto", time_column: null, group_column: null, preparation: freshPreparation(), split: { kind: "random", test_size: 0.2 }, algorithm: { name: "", hyperparameters: {} }, metrics: [], seed: 0, budget: { seconds: null } });

function wizard() {
  let project = "";
  const later = debounced((work) => work(), 400);
  return mix(preflight(() => project), preparation(), wizardPresets(), {
    splits: SPLITS,
    problems: PROBLEMS,
    spec: fresh(),
    open: "data",
    view: "form",
    json: "",
    jsonProblem: "",
    named: false,
    splitChosen: false,
    sources: resource(() => api.get(`/projects/${project}/sources`, { limit: 200 })),
    algorithms: resource(() => api.get("/algorithms")),
    metrics: resource(() => api.get("/metrics")),
    versions: [], // what the first list offers
    version: null,
    profile: null,
    profileState: "",
    search: "",
    starting: false,
    init() {
      project = this.$root.dataset.project;
      setCrumbs([{ label: "Experiments", href: `/projects/${project}/experiments` }]);
      this.open = SECTIONS.includes(param("section")) ? param("section") : "data";
      this.begin();
      this.metrics.load();
      this.$watch("spec", () => {
        this.keep();
        later(() => this.check());
      });
      command("Start the run", "play", () => this.start());
      shortcut("mod+Enter", "Start the run", () => this.start(), { inInputs: true });
    },
    get draftKey() {
      return `hydroml:draft:${project}`;
    },
    keep() {
      try {
        sessionStorage.setItem(this.draftKey, JSON.stringify({ spec: this.spec, named: this.named, splitChosen: this.splitChosen }));
      } catch {
        // no storage: the page still works, a reload starts afresh
      }
    },
    async begin() {
      const [, algorithms] = await Promise.all([this.sources.load(), this.algorithms.load()]);
      this.versions = this.sources.items.filter(({ current_version: version }) => version).map((source) => ({ id: source.current_version.id, title: `${source.name}, version ${source.current_version.number}`, source: source.name }));
      let wanted = param("version");
      try {
        const draft = JSON.parse(sessionStorage.getItem(this.draftKey) ?? "null");
        if (param("from")) {
          const { specification } = await api.get(`/experiments/${param("from")}`);
          this.spec = { ...fresh(), ...specification, preparation: { ...freshPreparation(), ...specification.preparation }, name: `${specification.name ?? "Experiment"}, again` };
          this.named = this.splitChosen = true;
          wanted ||= specification.version_id;
        } else if (draft && (!wanted || draft.spec.version_id === wanted)) {
          Object.assign(this, { spec: { ...fresh(), ...draft.spec }, named: draft.named, splitChosen: draft.splitChosen });
          wanted ||= draft.spec.version_id;
        }
      } catch (error) {
        toastError(error, "The experiment to start from could not be read.");
      }
      if (!this.spec.algorithm?.name && algorithms?.items.length) this.chooseAlgorithm(DEFAULT_ALGORITHM);
      wanted ||= this.versions.length === 1 ? this.versions[0].id : "";
      if (wanted) await this.useVersion(wanted, { keep: this.spec.version_id === wanted });
      else this.check();
    },
    async useVersion(id, { keep = false } = {}) {
      this.spec.version_id = id;
      setParams({ version: id });
      this.version = null;
      this.profile = null;
      if (!id) return;
      this.profileState = "loading";
      try {
        this.version = await api.get(`/versions/${id}`);
        if (!this.versions.some((one) => one.id === id)) {
          const source = await api.get(`/sources/${this.version.source_id}`).catch(() => ({ name: "Data" }));
          this.versions.unshift({ id, title: `${source.name}, version ${this.version.number}`, source: source.name });
        }
        const names = this.version.columns.map(({ name }) => name);
        if (!keep) Object.assign(this.spec, { target: names.includes(this.spec.target) ? this.spec.target : "", features: null, group_column: null, preparation: { ...this.spec.preparation, groups: [], past: [] }, time_column: this.version.columns.find(({ type }) => isTemporal(type))?.name ?? null });
        this.suggestSplit();
        api.get(`/versions/${id}/profile`).then((profile) => {
          this.profile = profile;
          this.profileState = "done";
        }, () => (this.profileState = "error"));
      } catch (error) {
        this.profileState = "error";
        toastError(error, "The data could not be read.");
      }
    },
    get columns() {
      return this.version?.columns ?? [];
    },
    get timeColumns() {
      return this.columns.filter(({ type }) => isTemporal(type));
    },
    /** Columns that may tell several sites apart. */
    get groupColumns() {
      return this.columns.filter(({ name, type }) => name !== this.spec.target && name !== this.spec.time_column && ["text", "category", "integer"].includes(type));
    },
    setGroup() {
      if (this.spec.group_column === "") this.spec.group_column = null;
    },
    suggestSplit() {
      if (this.splitChosen) return;
      const problem = this.problem;
      this.spec.split.kind = this.spec.time_column ? "chronological" : problem === "binary" || problem === "multiclass" ? "stratified" : "random";
    },
    setTime() {
      if (this.spec.time_column === "") this.spec.time_column = null;
      this.suggestSplit();
    },
    setTarget() {
      if (this.spec.features) this.spec.features = this.spec.features.filter((name) => name !== this.spec.target);
      this.suggestName();
    },
    suggestName() {
      if (this.named) return;
      const title = this.algorithmTitle;
      this.spec.name = this.spec.target ? `${this.spec.target} by ${title ? title.toLowerCase() : "model"}` : "";
    },
    typedName() {
      this.named = true;
    },

    // Features ------------------------------------------------------------------------------------------------------------
    get candidates() {
      return this.columns.filter(({ name, type }) => name !== this.spec.target && (isTemporal(type) ? this.datesOf(name).length > 0 : name !== this.spec.time_column));
    },
    get shownCandidates() {
      const wanted = this.search.trim().toLowerCase();
      return this.candidates.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, 400);
    },
    get chosenFeatures() {
      return this.spec.features ?? this.candidates.map(({ name }) => name);
    },
    isFeature(name) {
      return this.spec.features === null || this.spec.features.includes(name);
    },
    pick(name) {
      const chosen = this.chosenFeatures;
      const next = chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name];
      this.spec.features = next.length === this.candidates.length ? null : next;
    },
    pickAll() {
      this.spec.features = null;
    },
    pickNone() {
      this.spec.features = [];
    },
    leaveOut(names) {
      this.spec.features = this.chosenFeatures.filter((name) => !names.includes(name));
    },
    profileOf(name) {
      return this.profile?.columns.find((one) => one.name === name);
    },
    drawHistogram(element, name) {
      const profile = this.profileOf(name);
      element.replaceChildren(...(profile ? [histogram(profile, { quiet: true })] : []));
    },
    missingOf(name) {
      const profile = this.profileOf(name);
      return profile?.missing ? percent(profile.missing, this.profile.rows) : "";
    },
    marksOf(column) {
      const profile = this.profileOf(column.name);
      const marks = (this.flight?.warnings ?? []).filter(({ columns }) => columns?.includes(column.name)).map(({ code, msg }) => ({ key: code, text: code.replaceAll("_", " "), tone: /leak/.test(code) ? "is-danger" : "is-warning", title: msg }));
      if (!marks.length && profile) {
        const filled = this.profile.rows - (profile.missing ?? 0);
        if (profile.distinct === 1) marks.push({ key: "constant", text: "constant", tone: "is-warning", title: "One value only: it teaches nothing" });
        else if ((column.type === "text" || column.type === "category") && filled > 50 && profile.distinct > 0.9 * filled) marks.push({ key: "id", text: "looks like an identifier", tone: "is-warning", title: "Almost every row has its own value" });
      }
      return marks;
    },

    // Split, algorithm ---------------------------------------------------------------------------------------------------------
    chooseSplit() {
      this.splitChosen = true;
    },
    get splitKind() {
      return SPLITS.find(({ kind }) => kind === this.spec.split.kind) ?? SPLITS[4];
    },
    /** What a kind of split lacks here, in words. */
    splitLack(one) {
      if (one.time && !this.spec.time_column) return "Needs a time column; choose one above.";
      if (one.group && !this.spec.group_column) return "Needs a site or group column; choose one above.";
      if (one.classes && this.problem === "regression") return "Needs classes to predict.";
      return "";
    },
    splitHelp(one) {
      return this.splitLack(one) || one.help;
    },
    months: MONTHS,
    get yearStart() {
      return this.spec.split.year_start ?? 10;
    },
    percentOf(name, otherwise) {
      return Math.round(100 * (this.spec.split[name] ?? otherwise));
    },
    setPercent(name, value, low, high) {
      this.spec.split[name] = Math.min(high, Math.max(low, Number(value) || low)) / 100;
    },
    get testPercent() {
      return this.percentOf("test_size", 0.2);
    },
    setTrainingRows(value) {
      this.spec.split.training_rows = Math.round(Number(value)) || null;
    },
    get wantsReason() {
      return Boolean(this.splitKind.shuffled && this.spec.time_column);
    },
    /** Training light, test dark; a fold is a line of its own. */
    drawSplit(element) {
      const { test_size: share = 0.2, gap = 0, folds = 5, window: length = 0.5 } = this.spec.split;
      const one = this.splitKind;
      const svg = s("svg", { class: "splitbar", viewBox: "0 0 800 88", preserveAspectRatio: "none", role: "img", "aria-label": `Split: ${this.splitLine}` });
      const block = (from, to, line, lines, cls) => to > from && svg.append(s("rect", { x: (800 * from).toFixed(1), width: (800 * (to - from)).toFixed(1), y: ((88 * line) / lines).toFixed(1), height: Math.max(88 / lines - (lines > 1 ? 2 : 0), 1).toFixed(1), class: cls }));
      const lines = one.folds ? Math.min(folds, 20) : 1;
      let seed = (this.spec.seed ?? 0) + 7;
      const chance = () => {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        return seed / 2147483648;
      };
      const stripes = one.group ? 20 : 200;
      const fold = Array.from({ length: stripes }, () => (one.folds ? Math.floor(chance() * lines) : chance() < share ? 0 : 1));
      for (let line = 0; line < lines; line += 1) {
        if (one.time) {
          const tests = one.folds ? (line + 1) / (folds + 1) : 1 - share;
          const end = one.folds ? (line + 2) / (folds + 1) : 1;
          block(one.kind === "sliding" ? Math.max(0, tests - gap - length) : 0, Math.max(0, tests - gap), line, lines, "f-soft");
          block(tests, end, line, lines, "f-t");
        } else {
          block(0, 1, line, lines, "f-soft");
          fold.forEach((of, index) => of === line && block(index / stripes, (index + 0.85) / stripes, line, lines, "f-t"));
        }
      }
      element.replaceChildren(svg);
    },
    get span() {
      const profile = this.spec.time_column && this.profileOf(this.spec.time_column);
      return profile?.min ? { from: String(profile.min).slice(0, 10), to: String(profile.max).slice(0, 10) } : null;
    },
    get splitLeft() {
      const rows = this.flight?.training_rows;
      const told = rows ? `, ${this.splitKind.folds ? "about " : ""}${plural(rows, "row")}${this.splitKind.folds ? " in a fold" : ""}` : "";
      return `Training${told}${this.splitKind.time && this.span ? `, from ${this.span.from}` : ""}`;
    },
    get splitRight() {
      const rows = this.flight?.test_rows;
      return `Test${rows ? `, ${this.splitKind.folds ? "about " : ""}${plural(rows, "row")}` : ""}${this.splitKind.time && this.span ? `, to ${this.span.to}` : ""}`;
    },
    get algorithm() {
      return this.algorithms.items.find(({ name }) => name === this.spec.algorithm?.name) ?? null;
    },
    get algorithmTitle() {
      return this.algorithm?.title ?? "";
    },
    chooseAlgorithm(name) {
      const chosen = this.algorithms.items.find((one) => one.name === name);
      this.spec.algorithm = { name, hyperparameters: Object.fromEntries((chosen?.hyperparameters ?? []).map((one) => [one.name, this.spec.algorithm?.name === name ? (this.spec.algorithm.hyperparameters?.[one.name] ?? one.default) : one.default])) };
      this.suggestName();
    },
    doesProblem(algorithm) {
      return !this.problem || algorithm.problems.includes(this.problem);
    },
    fits(algorithm) {
      return algorithm.installed && this.doesProblem(algorithm);
    },
    algorithmHelp(algorithm) {
      if (!algorithm.installed) return `${algorithm.help} Not installed here: pip install hydroml[${algorithm.package}] adds it.`;
      if (!this.doesProblem(algorithm)) return `does not do ${this.problem}`;
      return algorithm.most_rows ? `${algorithm.help} At most ${count(algorithm.most_rows)} training rows.` : algorithm.help;
    },
    /** The algorithms under their families; those of other problems only where one of them is chosen. */
    get families() {
      const found = new Map();
      for (const one of this.algorithms.items) {
        if (!this.doesProblem(one) && one.name !== this.spec.algorithm?.name) continue;
        found.set(one.family, [...(found.get(one.family) ?? []), one]);
      }
      return [...found].map(([title, items]) => ({ title, items }));
    },
    get hyperparameters() {
      return this.algorithm?.hyperparameters ?? [];
    },
    setHyper(one, raw) {
      const text = String(raw).trim();
      const values = this.spec.algorithm.hyperparameters;
      if (one.type === "boolean") values[one.name] = raw === true || raw === "true";
      else if (text === "") values[one.name] = one.nullable ? null : one.default;
      else if (one.type === "choice") values[one.name] = (one.choices ?? []).find((choice) => String(choice) === text) ?? text;
      else values[one.name] = Number.isFinite(Number(text)) ? Number(text) : text;
    },
    hyperValue(one) {
      const value = this.spec.algorithm.hyperparameters?.[one.name];
      return value === null || value === undefined ? "" : value;
    },
    hyperRange(one) {
      const parts = [one.help];
      if (one.minimum !== null && one.minimum !== undefined && one.maximum !== null && one.maximum !== undefined) parts.push(`${one.minimum} to ${one.maximum}`);
      if (one.default !== null && one.default !== undefined) parts.push(`default ${one.default}`);
      else if (one.nullable) parts.push("may be empty");
      return parts.filter(Boolean).join("; ");
    },
    hyperError(one) {
      return this.errorAt("algorithm.hyperparameters", one.name) || this.errorAt("algorithm", one.name);
    },

    // Metrics, name, JSON ------------------------------------------------------------------------------------------------------
    get problem() {
      return this.spec.problem !== "auto" ? this.spec.problem : (this.flight?.problem ?? "");
    },
    get metricChoices() {
      return this.metrics.items.filter(({ problems }) => !this.problem || !problems || problems.includes(this.problem));
    },
    hasMetric(name) {
      return !this.spec.metrics?.length || this.spec.metrics.includes(name);
    },
    pickMetric(name) {
      const all = this.metricChoices.map((one) => one.name);
      const chosen = this.spec.metrics?.length ? this.spec.metrics : all;
      const next = chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name];
      this.spec.metrics = next.length === all.length ? [] : next;
    },
    /** What is sent: everything with a default may be left out, and is. */
    get specification() {
      const { metrics, budget, features, ...rest } = JSON.parse(JSON.stringify(this.spec));
      const whole = { ...rest, features, seed: Number(rest.seed) || 0 };
      if (metrics?.length) whole.metrics = metrics;
      if (budget?.seconds) whole.budget = { seconds: Number(budget.seconds) };
      if (!whole.time_column) whole.time_column = null;
      return whole;
    },
    showJson() {
      if (this.view === "json") {
        this.readJson();
        return;
      }
      this.json = JSON.stringify(this.specification, null, 2);
      this.jsonProblem = "";
      this.view = "json";
    },
    readJson() {
      try {
        const given = JSON.parse(this.json);
        const changed = given.version_id && given.version_id !== this.spec.version_id;
        this.spec = { ...fresh(), ...given, preparation: { ...freshPreparation(), ...given.preparation }, split: { ...fresh().split, ...given.split }, algorithm: { ...fresh().algorithm, ...given.algorithm }, budget: given.budget ?? { seconds: null }, metrics: given.metrics ?? [] };
        this.named = this.splitChosen = true;
        this.view = "form";
        if (changed) this.useVersion(given.version_id, { keep: true });
      } catch (error) {
        this.jsonProblem = `This is not JSON yet: ${error.message}`;
      }
    },

    get blocked() {
      if (!this.spec.version_id) return "Choose the data first.";
      if (!this.spec.target) return "Choose the target first.";
      if (this.errors.length) return `Pre-flight: ${this.errors[0].msg}`;
      return "";
    },
    show(section) {
      this.open = section;
      setParams({ section: section === "data" ? "" : section });
      this.$nextTick(() => document.getElementById(`section-${section}`)?.scrollIntoView({ block: "nearest" }));
    },
    next(section) {
      this.show(SECTIONS[Math.min(SECTIONS.length - 1, SECTIONS.indexOf(section) + 1)]);
    },
    sectionClass(section) {
      if (this.errors.some((one) => one.section === section) && (this.open !== section || section !== "data")) return "is-error";
      if (this.open === section) return "is-open";
      return this.isDone(section) ? "is-done" : "";
    },
    isDone(section) {
      if (!this.spec.version_id || !this.spec.target) return false;
      return !this.errors.some((one) => one.section === section) && (SECTIONS.indexOf(section) < SECTIONS.indexOf(this.open) || section === "data" || Boolean(this.flight));
    },
    get dataLine() {
      if (!this.spec.version_id) return "which table, and what to predict";
      const title = this.versions.find(({ id }) => id === this.spec.version_id)?.title ?? "…";
      return `${this.spec.target || "no target yet"}, from ${title}${this.problem ? `; ${this.problem}` : ""}`;
    },
    get featuresLine() {
      return this.version ? `${count(this.chosenFeatures.length)} of ${count(this.candidates.length)} columns` : "which columns it may see";
    },
    get splitLine() {
      const { folds = 5, repeats = 1 } = this.spec.split;
      const one = this.splitKind;
      if (!one.folds) return `${one.title.toLowerCase()}, ${this.testPercent} % ${one.group ? "of the groups test" : "test"}`;
      return `${one.title.toLowerCase()}, ${plural(folds, "fold")}${one.shuffled && repeats > 1 ? `, drawn ${repeats} times` : ""}`;
    },
    get algorithmLine() {
      const changed = this.hyperparameters.filter((one) => JSON.stringify(this.spec.algorithm.hyperparameters?.[one.name] ?? null) !== JSON.stringify(one.default ?? null)).length;
      return this.algorithmTitle ? `${this.algorithmTitle}${changed ? `, ${plural(changed, "setting")} changed` : ", default settings"}` : "what learns";
    },
    get summaryLine() {
      return `${this.spec.metrics?.length ? plural(this.spec.metrics.length, "metric") : "all metrics"}; seed ${this.spec.seed ?? 0}${this.spec.budget?.seconds ? `; at most ${this.spec.budget.seconds} s` : ""}`;
    },
    async start() {
      if (this.starting) return;
      if (this.view === "json") this.readJson();
      if (this.blocked) {
        toast(this.blocked, { tone: "warning" });
        this.show(this.errors[0]?.section ?? "data");
        return;
      }
      this.starting = true;
      try {
        const specification = { ...this.specification, name: this.spec.name.trim() || `${this.spec.target} model` };
        const parent = param("from") ? `?parent_id=${encodeURIComponent(param("from"))}` : "";
        const experiment = await api.post(`/projects/${project}/experiments${parent}`, specification);
        const { run } = await api.post(`/experiments/${experiment.id}/runs`);
        sessionStorage.removeItem(this.draftKey);
        location.assign(`/runs/${run.id}`);
      } catch (error) {
        const problem = asProblem(error);
        if (problem.errors.length) {
          this.flight = { ...this.flight, errors: problem.errors, warnings: this.flight?.warnings ?? [] };
          this.show(this.errors[0]?.section ?? "data");
        }
        toastError(problem, "The run did not start.");
        this.starting = false;
      }
    },
  });
}

export function register(Alpine) {
  Alpine.data("wizard", wizard);
}
