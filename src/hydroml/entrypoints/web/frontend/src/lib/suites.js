// What the pages of suites have in common: the words for the kinds, and one line about where a suite stands.
import { count, metric, plural } from "./format.js";
import { about } from "./verdict.js";

export const KINDS = [
  { kind: "sweep", title: "Tune", text: "Search the hyperparameters of the experiment's algorithm." },
  { kind: "comparison", title: "Compare algorithms", text: "Several algorithms on the same rows." },
  { kind: "ablation", title: "Ablate features", text: "What groups of features are worth: each left out, each alone." },
  { kind: "selection", title: "Select features", text: "Which features to keep." },
  { kind: "cross_validation", title: "Study the division", text: "How much a score owes to which rows happened to test." },
  { kind: "nested", title: "Nested search", text: "What to expect of a tuned model: each outer fold is judged by what a search within the others chose." },
];
export const kindTitle = (kind) => KINDS.find((one) => one.kind === kind)?.title ?? kind;

export const ended = ({ succeeded, failed, pruned, cancelled }) => succeeded + failed + pruned + cancelled;
export const share = ({ counts }) => (counts.most ? Math.min(1, ended(counts) / counts.most) : 0);

export function progressText({ counts, status }) {
  const parts = [`${ended(counts)} of ${status === "running" || status === "stopped" || status === "ready" ? "at most " : ""}${plural(counts.most, "trial")}`];
  if (counts.running) parts.push(`${counts.running} running`);
  if (counts.pruned) parts.push(`${counts.pruned} given up early`);
  if (counts.failed) parts.push(`${counts.failed} failed`);
  return parts.join(" · ");
}

/** The best score, or what a study says. */
export function resultText(suite, catalogue = {}) {
  const { title } = about(suite.metric, catalogue);
  if (suite.estimate) return `${title} ${metric(suite.estimate.mean)}${suite.estimate.deviation === null ? "" : ` ± ${metric(suite.estimate.deviation)}`}`;
  return suite.best ? `${title} ${metric(suite.best.score)}` : "";
}

/** On which rows trials were compared. */
export function judgedText({ judged_by: by, specification: { split }, plan }) {
  if (plan.kind === "cross_validation") return plan.candidates.length ? `in each repeat the best on ${split.validation} folds within the training part, judged on its test part` : "judged on the test part of each division; nothing was chosen";
  if (plan.kind === "nested") return `in each of ${plan.folds * plan.repeats} outer folds the best of ${plan.trials} on ${split.validation} inner folds, judged on the outer fold that no search has seen`;
  if (by === "validation") return `chosen on ${split.validation} folds within the training part; the test part has judged no choice`;
  return "chosen on the split's own folds: no row was kept from the choice, so its score is the kindest of many";
}
/** A value as people read it. */
export const valueText = (value) => (value === null || value === undefined ? "none" : Number.isInteger(value) ? count(value) : typeof value === "number" ? metric(value) : typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
