// What an automatic search tried: one row for each candidate, the best first.
import { metric, plural, seconds } from "../lib/format.js";
import { about } from "../lib/verdict.js";

const STATES = {
  done: { title: "Done", icon: "#i-check", tone: "t-success" },
  dropped: { title: "Dropped", icon: "#i-minus", tone: "subtle" },
  too_slow: { title: "Too slow", icon: "#i-warn", tone: "t-warning" },
  cut: { title: "Cut off", icon: "#i-stop", tone: "t-warning" },
  failed: { title: "Failed", icon: "#i-error", tone: "t-danger" },
};

/** For a page with `artifacts` of a run, and a `catalogue` of metrics. */
export function leaderboard() {
  return {
    get board() {
      return this.artifacts.leaderboard?.data ?? null;
    },
    get boardMetric() {
      return this.board ? about(this.board.metric, this.catalogue).title : "";
    },
    get boardText() {
      if (!this.board) return "";
      const { items, folds, budget } = this.board;
      return `${plural(items.length, "candidate")} on ${plural(folds, "fold")} of the training rows, in ${seconds(this.board.seconds)} of ${seconds(budget)}${this.board.stopped ? ", stopped early" : ""}`;
    },
    get boardVerdict() {
      if (!this.board) return "";
      const members = this.board.items.filter(({ weight }) => weight > 0).length;
      if (members < 2) return "The best candidate answers alone.";
      return `${members} answer together, ${this.board.weights === "equal" ? "all alike" : "by weights found on the folds"}: ${this.boardMetric} ${metric(this.board.score)} on rows that neither they nor their weights had seen.`;
    },
    get boardRows() {
      return (this.board?.items ?? []).map((one) => ({
        key: one.name,
        title: one.title,
        score: one.score === null ? "" : metric(one.score),
        weight: one.weight ? `${Math.round(100 * one.weight)} %` : "",
        share: Math.round(100 * one.weight),
        state: STATES[one.state] ?? STATES.failed,
        seconds: seconds(one.seconds),
        details: [one.rounds > 1 ? `${one.rounds} rounds` : "", one.learning_rate ? `learning rate ${metric(one.learning_rate)}` : ""].filter(Boolean).join(", "),
        settings: Object.entries(one.parameters).map(([name, value]) => `${name} ${value}`).join(", "),
        reason: one.reason || (one.folds.length ? `folds ${one.folds.map(metric).join(", ")}` : ""),
      }));
    },
  };
}
