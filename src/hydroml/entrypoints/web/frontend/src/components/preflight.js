// What would stop a run, and what makes its result doubtful: asked after each change, before any job starts.
import { api, asProblem } from "../lib/api.js";
import { plural } from "../lib/format.js";

/** The section of the wizard where a part of the specification is chosen. */
const OWNER = { version_id: "data", target: "data", problem: "data", time_column: "data", group_column: "data", features: "features", preparation: "features", split: "split", algorithm: "algorithm", name: "summary", metrics: "summary", seed: "summary", budget: "summary" };

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
        return { key, field: path.join("."), section: OWNER[path[0]] ?? "summary", msg: one.msg };
      });
    },
    get warnings() {
      return (this.flight?.warnings ?? []).map((one, key) => ({ key, ...one, columns: one.columns ?? [], removable: (one.columns ?? []).filter((name) => this.chosenFeatures.includes(name) && name !== this.spec.target) }));
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
