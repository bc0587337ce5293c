"""The metrics: what each means, in which direction it is better, and for which problems."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"
    ZERO = "zero"
    ONE = "one"


class Family(StrEnum):
    """What a metric is for. Those of hydrology are computed where there is a time column, or by their names."""

    GENERAL = "general"
    HYDROLOGY = "hydrology"


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of agreement between observed o and predicted p; `unit` “target” means the target's own."""

    name: str
    title: str
    better: Better
    range: str
    definition: str
    source: str
    problems: tuple[str, ...]
    unit: str = ""
    family: Family = Family.GENERAL

    def is_better(self, value: float, than: float) -> bool:
        return self.distance(value) < self.distance(than)

    def distance(self, value: float) -> float:
        """How far a value is from the best: only the order of distances means anything."""
        match self.better:
            case Better.HIGHER:
                return -value
            case Better.LOWER:
                return value
            case Better.ZERO:
                return abs(value)
            case Better.ONE:
                return abs(value - 1)


_R, _B, _C, _M = ("regression",), ("binary",), ("binary", "multiclass"), ("multiclass",)
_HIGHER, _LOWER, _ZERO, _ONE = Better.HIGHER, Better.LOWER, Better.ZERO, Better.ONE
_REAL, _POSITIVE, _UP_TO_1, _0_TO_1 = "−∞ to ∞", "0 to ∞", "−∞ to 1", "0 to 1"
_H = Family.HYDROLOGY
_GUPTA = "Gupta et al. (2009), doi 10.1016/j.jhydrol.2009.08.003"
_KLING = "Kling et al. (2012), doi 10.1016/j.jhydrol.2012.01.011"
_YILMAZ = "Yilmaz et al. (2008), doi 10.1029/2007WR006716"
_MORIASI = "Moriasi et al. (2007), doi 10.13031/2013.23153"

METRICS: Mapping[str, Metric] = {
    m.name: m
    for m in (
        Metric("rmse", "RMSE", _LOWER, _POSITIVE, "√ mean (p − o)²", "root mean squared error", _R, "target"),
        Metric("mae", "MAE", _LOWER, _POSITIVE, "mean |p − o|", "mean absolute error", _R, "target"),
        Metric("median_ae", "Median error", _LOWER, _POSITIVE, "median |p − o|", "median absolute error", _R, "target"),
        Metric("max_error", "Largest error", _LOWER, _POSITIVE, "max |p − o|", "", _R, "target"),
        Metric("bias", "Bias", _ZERO, _REAL, "mean (p − o); above 0 predicts too much", "mean error", _R, "target"),
        Metric("r2", "R²", _HIGHER, _UP_TO_1, "1 − Σ(o − p)² / Σ(o − mean o)²",
               "coefficient of determination; as NSE after Nash and Sutcliffe (1970), doi 10.1016/0022-1694(70)90255-6",
               _R),
        Metric("pearson_r", "Correlation", _HIGHER, "−1 to 1",
               "Σ(o − mean o)(p − mean p) / √(Σ(o − mean o)² Σ(p − mean p)²)", "Pearson; the r of the KGE", _R),
        Metric("kge", "KGE", _HIGHER, _UP_TO_1, "1 − √((r − 1)² + (σp/σo − 1)² + (mean p/mean o − 1)²)", _GUPTA, _R),
        Metric("pbias", "PBIAS", _ZERO, _REAL, "100 · Σ(p − o) / Σo; above 0 predicts too much",
               "sign as in Gupta et al. (1999) reversed, so that positive means overestimation", _R, "%"),
        Metric("nse", "NSE", _HIGHER, _UP_TO_1, "1 − Σ(o − p)² / Σ(o − mean o)²",
               "Nash and Sutcliffe (1970), doi 10.1016/0022-1694(70)90255-6", _R, "", _H),
        Metric("log_nse", "log-NSE", _HIGHER, _UP_TO_1,
               "NSE of ln(q + mean o / 100); no value where an observation is below 0, predictions below 0 count as 0",
               "Pushpalatha et al. (2012), doi 10.1016/j.jhydrol.2011.11.055", _R, "", _H),
        Metric("kge_2012", "KGE 2012", _HIGHER, _UP_TO_1,
               "1 − √((r − 1)² + ((σp/mean p)/(σo/mean o) − 1)² + (mean p/mean o − 1)²)", _KLING, _R, "", _H),
        Metric("kge_alpha", "KGE: variability", _ONE, _POSITIVE, "α = σp / σo", _GUPTA, _R, "", _H),
        Metric("kge_beta", "KGE: bias", _ONE, _REAL, "β = mean p / mean o", _GUPTA, _R, "", _H),
        Metric("kge_gamma", "KGE: relative variability", _ONE, _REAL, "γ = (σp/mean p) / (σo/mean o)", _KLING, _R, "",
               _H),
        Metric("rsr", "RSR", _LOWER, _POSITIVE, "√Σ(o − p)² / √Σ(o − mean o)²", _MORIASI, _R, "", _H),
        Metric("d", "Index of agreement", _HIGHER, _0_TO_1, "1 − Σ(o − p)² / Σ(|p − mean o| + |o − mean o|)²",
               "Willmott (1981), doi 10.1080/02723646.1981.10642213", _R, "", _H),
        Metric("ve", "Volumetric efficiency", _HIGHER, _UP_TO_1, "1 − Σ|p − o| / Σo",
               "Criss and Winston (2008), doi 10.1002/hyp.7072", _R, "", _H),
        Metric("peak_error", "Peak error", _ZERO, _REAL,
               "mean over the observed peaks of 100 · (highest p within 3 steps − peak) / peak; a peak stands out by a "
               "standard deviation and is the highest within 100 steps",
               "peaks as in Kratzert et al. (2021), doi 10.5194/hess-25-2685-2021", _R, "%", _H),
        Metric("peak_timing", "Peak timing", _LOWER, "0 to 3",
               "mean over the observed peaks of the steps to the highest p within 3 steps",
               "Kratzert et al. (2021), doi 10.5194/hess-25-2685-2021", _R, "steps", _H),
        Metric("fhv", "FHV", _ZERO, _REAL, "100 · Σ(p − o) / Σo over the highest 2 % of each, sorted", _YILMAZ, _R, "%",
               _H),
        Metric("fms", "FMS", _ZERO, _REAL,
               "100 · (slope of p − slope of o) / slope of o, slope = ln q₂₀ − ln q₇₀ of the flow duration curve",
               _YILMAZ, _R, "%", _H),
        Metric("flv", "FLV", _ZERO, _REAL,
               "−100 · (V(p) − V(o)) / V(o), V = Σ(ln q − ln min q) over the lowest 30 % of each; above 0 has too few "
               "low flows", _YILMAZ, _R, "%", _H),
        Metric("fdc_nse", "NSE of the flow duration curve", _HIGHER, _UP_TO_1, "NSE of p and o, each sorted",
               "distribution alone, whatever the order in time", _R, "", _H),
        Metric("accuracy", "Accuracy", _HIGHER, _0_TO_1, "share of rows whose class is right", "", _C),
        Metric("balanced_accuracy", "Balanced accuracy", _HIGHER, _0_TO_1, "mean over the classes of recall",
               "Brodersen et al. (2010), doi 10.1109/ICPR.2010.764", _C),
        Metric("precision", "Precision", _HIGHER, _0_TO_1, "share of rows predicted positive that are", "", _B),
        Metric("recall", "Recall", _HIGHER, _0_TO_1, "share of positive rows predicted so", "sensitivity", _B),
        Metric("specificity", "Specificity", _HIGHER, _0_TO_1, "share of negative rows predicted so", "", _B),
        Metric("f1", "F1", _HIGHER, _0_TO_1, "2 · precision · recall / (precision + recall)", "", _B),
        Metric("f1_macro", "F1 (macro)", _HIGHER, _0_TO_1,
               "mean over the classes of 2 · precision · recall / (precision + recall)", "", _C),
        Metric("f1_weighted", "F1 (weighted)", _HIGHER, _0_TO_1, "the same, weighted by each class's rows", "", _M),
        Metric("mcc", "MCC", _HIGHER, "−1 to 1", "correlation between observed and predicted classes",
               "Matthews (1975); Gorodkin (2004), doi 10.1016/j.compbiolchem.2004.09.006", _C),
        Metric("kappa", "Cohen's κ", _HIGHER, "−1 to 1", "(accuracy − that of chance) / (1 − that of chance)",
               "Cohen (1960), doi 10.1177/001316446002000104", _C),
        Metric("log_loss", "Log loss", _LOWER, _POSITIVE, "− mean log of the probability given to the true class",
               "", _C),
        Metric("brier", "Brier score", _LOWER, "0 to 2",
               "mean over the rows of Σ(probability − 1 if true else 0)² over the classes; halved for two classes",
               "Brier (1950), doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2", _C),
        Metric("roc_auc", "ROC AUC", _HIGHER, _0_TO_1,
               "probability that a positive row is ranked above a negative one", "Fawcett (2006), "
               "doi 10.1016/j.patrec.2005.10.010", _B),
        Metric("pr_auc", "Average precision", _HIGHER, _0_TO_1,
               "Σ (recallₙ − recallₙ₋₁) · precisionₙ as the threshold falls", "area under precision and recall", _B),
        Metric("roc_auc_ovr", "ROC AUC (one against rest)", _HIGHER, _0_TO_1,
               "mean over the classes of the ROC AUC of each against the others", "", _M),
    )
}  # fmt: skip
