// What a model does with its features, and how sure it is: dependence, Shapley values, the threshold of two classes.
import { metric, number, percent, plural } from "../lib/format.js";

const CELLS = ["true_positive", "false_positive", "false_negative", "true_negative"];

export function explainedTabs() {
  return {
    cut: 100, // which of the thresholds
    explainedRow: 0,
    dependent: "",

    // Two classes: what follows from where the line is drawn ------------------------------------------------------------------
    get cutData() {
      return this.artifacts.thresholds?.data ?? null;
    },
    get cutText() {
      return this.cutData ? number(this.cutData.thresholds[this.cut], 3) : "";
    },
    setCut(place) {
      this.cut = Number(place);
      this.paintThresholds();
    },
    get cutRows() {
      const data = this.cutData;
      if (!data) return [];
      const [tp, fp, fn, tn] = CELLS.map((name) => data[name][this.cut]);
      const share = (part, whole) => (whole ? metric(part / whole) : "∅");
      return [
        { name: "precision", title: "Precision", value: share(tp, tp + fp), text: `${plural(tp, "row")} of ${plural(tp + fp, "row")} called ${data.positive}` },
        { name: "recall", title: "Recall", value: share(tp, tp + fn), text: `${plural(tp, "row")} of ${plural(tp + fn, "row")} that are ${data.positive}` },
        { name: "specificity", title: "Specificity", value: share(tn, tn + fp), text: `${plural(tn, "row")} of ${plural(tn + fp, "row")} that are not` },
        { name: "f1", title: "F1", value: share(2 * tp, 2 * tp + fp + fn), text: "harmonic mean of precision and recall" },
        { name: "accuracy", title: "Accuracy", value: share(tp + tn, tp + fp + fn + tn), text: "share of all test rows called right" },
        { name: "alarms", title: "False alarms", value: percent(fp, fp + tn), text: `${plural(fp, "row")}; missed: ${plural(fn, "row")}` },
      ];
    },
    paintThresholds() {
      this.paint("precision-recall", (c, p, data) => p.precisionRecall(c, data, this.cut), ["thresholds"]);
    },

    // Each feature, and each of some rows ---------------------------------------------------------------------------------------
    get dependentItems() {
      return this.artifacts.dependence?.data?.items ?? [];
    },
    get dependenceSub() {
      const data = this.artifacts.dependence?.data;
      return data ? `mean prediction over ${plural(data.rows, "test row")}; the band holds 80 % of them` : "";
    },
    showDependent(feature) {
      this.dependent = feature;
      this.paint("dependence", (c, p, data) => p.dependence(c, data.items.find((item) => item.feature === feature) ?? data.items[0], this.run.target), ["dependence"]);
    },
    get shapleySub() {
      const data = this.artifacts.shapley?.data;
      if (!data) return "";
      const left = data.left_out ? `, the first ${data.features.length} features` : "";
      return `${plural(data.rows.length, "test row")} of ${plural(data.of, "row")}${left}; a dot is a row, right moves its prediction up`;
    },
    get explainedRows() {
      const data = this.artifacts.shapley?.data;
      return (data?.rows ?? []).map((row, at) => ({ at, title: `row ${row + 1}: ${number(data.predicted[at], 4)}${data.label ? ` for ${data.label[at]}` : ""}` }));
    },
    showExplained(at) {
      this.explainedRow = Number(at);
      this.paint("one-row", (c, p, data) => p.oneRow(c, data, this.explainedRow), ["shapley"]);
    },
    get curve() {
      return this.artifacts.learning_curve?.data ?? null;
    },
    get curveSub() {
      const { folds, of, grows_by: by } = this.curve ?? {};
      const how = { past: "growing into the past", groups: "growing by whole groups" }[by] ?? "drawn by chance";
      return this.curve ? `${plural(folds, "fold")} within the ${plural(of, "training row")}, ${how}; no test row takes part` : "";
    },
    get curveWords() {
      return this.curve?.words ?? "";
    },
    async paintExplained() {
      if (this.has("learning_curve")) this.paint("learning-curve", (c, p, data) => p.learningCurve(c, data, this.titled(data).metric), ["learning_curve"]);
      if (this.has("dependence")) {
        const data = await this.artifact("dependence");
        this.showDependent(this.dependent || data?.items[0]?.feature || "");
      }
      if (this.has("shapley")) {
        this.paint("shapley", (c, p, data) => p.shapley(c, data), ["shapley"]);
        this.showExplained(this.explainedRow);
      }
    },
  };
}
