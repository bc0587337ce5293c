// A number alone says little: each metric with its direction, and whether the run beats every baseline, in words.
import { metric as show } from "./format.js";

/** What is known of a metric without asking; `/metrics` completes it. */
const KNOWN = {
  nse: { title: "NSE", better: "higher" }, kge: { title: "KGE", better: "higher" }, log_nse: { title: "log-NSE", better: "higher" }, r2: { title: "R²", better: "higher" },
  rmse: { title: "RMSE", better: "lower" }, mae: { title: "MAE", better: "lower" }, mse: { title: "MSE", better: "lower" }, mape: { title: "MAPE", better: "lower" }, pbias: { title: "PBIAS", better: "zero", unit: "%" }, bias: { title: "Bias", better: "zero" },
  accuracy: { title: "Accuracy", better: "higher" }, balanced_accuracy: { title: "Balanced accuracy", better: "higher" }, f1: { title: "F1", better: "higher" }, f1_macro: { title: "F1, macro", better: "higher" }, precision: { title: "Precision", better: "higher" }, recall: { title: "Recall", better: "higher" }, roc_auc: { title: "ROC AUC", better: "higher" }, log_loss: { title: "Log loss", better: "lower" }, brier: { title: "Brier score", better: "lower" },
};
const ORDER = ["nse", "kge", "r2", "rmse", "mae", "pbias", "roc_auc", "balanced_accuracy", "f1", "f1_macro", "accuracy", "precision", "recall", "log_loss"];
const plainTitle = (name) => name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

export function about(name, catalogue = {}) {
  return { title: plainTitle(name), better: "higher", unit: "", ...KNOWN[name], ...catalogue[name] };
}
/** Grows as a value gets better. */
export const goodness = (value, better) => (better === "lower" ? -value : better === "zero" ? -Math.abs(value) : better === "one" ? -Math.abs(value - 1) : value);
export const direction = (better) => ({ zero: "near zero", one: "near one" })[better] ?? better;
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
export const baselineName = (name) => name.replaceAll("_", " ");

/** All metrics of a run's test rows, in the order people read them, each with its baselines and its verdict. */
export function verdicts(run, catalogue = {}) {
  const test = run?.metrics?.test ?? {};
  const baselines = run?.metrics?.baselines ?? {};
  const names = Object.keys(test);
  const order = [...(run?.specification?.metrics ?? []), ...ORDER, ...Object.keys(catalogue)].filter((name) => name !== "r2" || !("nse" in test)); // the same number
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  return names.sort((a, b) => place(a) - place(b)).map((name) => {
    const facts = about(name, catalogue);
    const value = test[name];
    const rivals = Object.entries(baselines).map(([rival, scores]) => ({ name: baselineName(rival), value: scores?.[name] })).filter((rival) => isNumber(rival.value));
    const mine = goodness(value, facts.better);
    const stronger = rivals.filter((rival) => goodness(rival.value, facts.better) >= mine).sort((a, b) => goodness(b.value, facts.better) - goodness(a.value, facts.better));
    return { name, ...facts, value, interval: run.metrics.intervals?.[name] ?? null, train: run.metrics.train?.[name], rivals, stronger, ...words(value, rivals, stronger) };
  });
}

function words(value, rivals, stronger) {
  if (!isNumber(value)) return { verdict: "not defined on these rows", tone: "subtle", icon: "#i-minus" };
  if (!rivals.length) return { verdict: "no baseline to compare with", tone: "subtle", icon: "#i-minus" };
  if (!stronger.length) return { verdict: rivals.length === 1 ? `beats ${rivals[0].name}, ${show(rivals[0].value)}` : `beats all ${rivals.length} baselines`, tone: "t-success", icon: "#i-check" };
  if (stronger.length === rivals.length && rivals.length > 1) return { verdict: `no better than any of ${rivals.length} baselines`, tone: "t-warning", icon: "#i-warn" };
  const same = stronger[0].value === value;
  return { verdict: `${same ? "no better than" : "worse than"} ${stronger[0].name}, ${show(stronger[0].value)}`, tone: "t-warning", icon: "#i-warn" };
}

/** The first metric that counts, with the strongest baseline: for lists. */
export function headline(run, catalogue = {}) {
  const [first] = verdicts(run, catalogue);
  if (!first) return null;
  const rivals = [...first.rivals].sort((a, b) => goodness(b.value, first.better) - goodness(a.value, first.better));
  return { ...first, baseline: rivals[0] ?? null, beats: first.stronger.length === 0 };
}

/** The whole result in one or two sentences. */
export function summary(list) {
  const judged = list.filter(({ rivals, value }) => rivals.length && isNumber(value));
  if (!judged.length) return { tone: "", title: "No baseline was scored.", text: "The metrics stand alone; nothing says yet whether they are good." };
  const lost = judged.filter(({ stronger }) => stronger.length);
  const names = judged[0].rivals.map(({ name }) => name).join(", ");
  if (!lost.length) return { tone: "is-success", icon: "#i-check", title: "Better than every baseline.", text: `Compared on the same test rows with: ${names}.` };
  const says = lost.slice(0, 3).map((one) => `${one.title} ${show(one.value)} against ${show(one.stronger[0].value)} (${one.stronger[0].name})`).join("; ");
  if (lost.length === judged.length) return { tone: "is-warning", icon: "#i-warn", title: "No better than a baseline.", text: `${says}. The features may not carry the signal, or the split may be too hard.` };
  return { tone: "is-warning", icon: "#i-warn", title: "Not better everywhere.", text: `A baseline is as good or better in ${says}.` };
}
