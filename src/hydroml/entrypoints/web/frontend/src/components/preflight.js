// What would stop a run, and what makes its result doubtful: asked after each change, before any job starts.
import { api, asProblem } from "../lib/api.js";
import { bytes, plural } from "../lib/format.js";

/** The section of the wizard where a part of the specification is chosen. */
const OWNER = { version_id: "data", target: "data", problem: "data", time_column: "data", group_column: "data", features: "features", preparation: "features", split: "split", algorithm: "algorithm", name: "summary", metrics: "summary", seed: "summary", budget: "summary" };

const TOO_MUCH = ["too_many_rows", "memory", "time"];

/** Puts parts of a document in place of what is there. */
function merge(target, changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value && typeof value === "object" && !Array.isArray(value)) merge((target[name] ??= {}), value);
    else target[name] = value;
  }
}

export function preflight(project) {
  let checking = null;
  return {
    flight: null,
    flightState: "idle",
    flightProblem: null,
    checkedAt: 0,
    async check() {
      if (!this.spec.version_id || !this.spec.target) {
        checking?.abort();
        this.flight = null;
        this.flightState = "idle";
        return;
      }
      checking?.abort();
      const mine = (checking = new AbortController());
      this.flightState = this.flight ? "again" : "loading";
      try {
        const flight = await api.post(`/projects/${project()}/preflight`, this.specification, { signal: mine.signal });
        if (checking !== mine) return;
        this.flight = flight;
        this.flightState = "done";
        this.flightProblem = null;
        this.checkedAt = Date.now();
        this.suggestSplit();
        this.suggestName();
      } catch (error) {
        if (error.name === "AbortError" || checking !== mine) return;
        const problem = asProblem(error);
        if (problem.status === 422 && problem.errors.length) {
          this.flight = { errors: problem.errors, warnings: [] };
          this.flightState = "done";
        } else {
          this.flightProblem = problem;
          this.flightState = "error";
        }
      }
    },
    get errors() {
      return (this.flight?.errors ?? []).map((one, key) => {
        const path = (one.loc ?? []).filter((part) => part !== "body");
        return { key, field: path.join("."), section: OWNER[path[0]] ?? "summary", msg: one.msg, mends: TOO_MUCH.includes(one.code) ? this.mends : [] };
      });
    },
    get warnings() {
      return (this.flight?.warnings ?? []).map((one, key) => ({ key, ...one, columns: one.columns ?? [], removable: (one.columns ?? []).filter((name) => this.chosenFeatures.includes(name) && name !== this.spec.target) }));
    },
    /** Where it takes too much: what would do instead, each a click. */
    get mends() {
      return (this.flight?.alternatives ?? []).map((one) => ({ ...one, words: one.words[0].toUpperCase() + one.words.slice(1) }));
    },
    mend({ changes }) {
      const { algorithm, ...others } = changes;
      if (algorithm) {
        this.chooseAlgorithm(algorithm.name);
        Object.assign(this.spec.algorithm.hyperparameters, algorithm.hyperparameters);
      }
      merge(this.spec, others);
    },
    get takes() {
      const one = this.flight?.estimate;
      return one ? `About ${bytes(one.memory_bytes)} of memory, ${one.words}` : "";
    },
    get takesMore() {
      const one = this.flight?.estimate;
      return one ? `${plural(one.columns, "column")} after preparation, ${bytes(one.matrix_bytes)} at most in one of ${plural(one.fits, "fit")}; time by an ordinary processor` : "";
    },
    errorAt(...path) {
      const wanted = path.join(".");
      return this.errors.find(({ field }) => field === wanted || field.startsWith(`${wanted}.`))?.msg ?? "";
    },
    get flightText() {
      if (this.flightState === "loading" || this.flightState === "again") return "checking …";
      if (!this.flight) return "";
      return `${plural(this.errors.length, "error")}, ${plural(this.warnings.length, "warning")}`;
    },
  };
}
