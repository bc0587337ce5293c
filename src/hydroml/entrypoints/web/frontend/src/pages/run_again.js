// Runs made from a run: the same with its rows divided the other way, and the same once more.
import { api } from "../lib/api.js";
import { watchJob } from "../lib/events.js";
import { metric, plural } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { toastError } from "../lib/ui.js";
import { goodness } from "../lib/verdict.js";

const SHUFFLED = ["random", "stratified", "kfold", "stratified_kfold"];

const goesOn = (run) => run?.status === "queued" || run?.status === "running";

export function otherRuns() {
  return {
    dividing: false,
    repeating: false,

    // The price of random splitting: the same, with its rows divided the other way ------------------------------------------
    get twin() {
      return this.run?.twin ?? null;
    },
    get isShuffled() {
      return SHUFFLED.includes(this.run?.split);
    },
    get canDivide() {
      return !this.isShuffled || Boolean(this.run.specification.time_column || this.run.specification.group_column);
    },
    get priceState() {
      if (!this.twin) return "none";
      return { succeeded: "done", failed: "failed", cancelled: "failed" }[this.twin.status] ?? "running";
    },
    splitTitle: (kind) => (kind ?? "").replaceAll("_", " "),
    get priceRows() {
      const random = this.isShuffled ? this.run : this.twin;
      const kept = this.isShuffled ? this.twin : this.run;
      return this.headlines.flatMap(({ name, title, better }) => {
        const [promised, true_] = [random.metrics.test[name], kept.metrics.test[name]];
        if (promised == null || true_ == null) return [];
        const gap = goodness(promised, better) - goodness(true_, better);
        return [{ name, title, promised: metric(promised), kept: metric(true_), gap: `${gap > 0 ? "+" : ""}${metric(gap)}`, tone: gap > 0 ? "t-warning" : "subtle" }];
      });
    },
    get priceText() {
      const [first] = this.priceRows;
      if (!first) return "";
      return first.tone === "t-warning" ? `Drawn at random, the same model scores better: ${first.title} ${first.promised} instead of ${first.kept}. Rows like those it learnt from are among the test rows; for new times or sites expect the second figure.` : `Drawn at random, the same model scores no better: ${first.title} ${first.promised} and ${first.kept}.`;
    },
    divide() {
      return this.startBeside("divide-otherwise", "dividing", (run) => (this.run.twin = { id: run.id, job_id: run.job_id, status: run.status, split: run.split, metrics: run.metrics }));
    },

    // Once more, to see whether the same comes out ---------------------------------------------------------------------------
    get again() {
      return this.run?.repeat ?? null;
    },
    get repeatBusy() {
      return this.repeating || goesOn(this.again);
    },
    get differences() {
      return this.again?.differences ?? [];
    },
    get repeatTone() {
      if (!this.again?.differences) return this.again?.status === "failed" ? "is-danger" : "";
      return this.differences.length ? "is-warning" : "is-success";
    },
    get repeatIcon() {
      return { "is-success": "#i-check", "is-warning": "#i-warn", "is-danger": "#i-error" }[this.repeatTone] ?? "#i-clock";
    },
    get repeatText() {
      if (!this.again) return "";
      if (this.again.differences) return this.differences.length ? `Not the same again: ${plural(this.differences.length, "thing differs", "things differ")}.` : "Identical: every figure to the last digit, with the same versions.";
      return { failed: "The repetition failed.", cancelled: "The repetition was cancelled." }[this.again.status] ?? "It is being computed once more …";
    },
    get environment() {
      const all = Object.entries(this.run?.environment ?? {}).sort();
      return all.map(([name, version], at) => ({ name, version, rest: at < all.length - 1 ? ", " : "" }));
    },
    repeat() {
      return this.startBeside("repeat", "repeating", (run) => (this.run.repeat = { id: run.id, job_id: run.job_id, status: run.status, differences: null }));
    },
    async startBeside(verb, busy, keep) {
      if (this[busy]) return;
      this[busy] = true;
      try {
        const { run } = await api.post(`/runs/${this.id}/${verb}`, {});
        keep(run);
        this.followOther(run.job_id);
      } catch (error) {
        toastError(error, "Not started.");
      } finally {
        this[busy] = false;
      }
    },
    followOther(job) {
      const stop = watchJob(job, (now) => {
        if (isActive(now)) return;
        stop?.();
        this.head.load({ quiet: true });
      });
    },
    followOthers() {
      for (const other of [this.twin, this.again]) if (goesOn(other) && other.job_id) this.followOther(other.job_id);
    },
  };
}
