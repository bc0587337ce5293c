"""The metrics: what each means, in which direction it is better, and for which problems."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"
    ZERO = "zero"


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

    def is_better(self, value: float, than: float) -> bool:
        match self.better:
            case Better.HIGHER:
                return value > than
            case Better.LOWER:
                return value < than
            case Better.ZERO:
                return abs(value) < abs(than)


_R, _B, _C = ("regression",), ("binary",), ("binary", "multiclass")

METRICS: Mapping[str, Metric] = {
    m.name: m
    for m in (
        Metric("rmse", "RMSE", Better.LOWER, "0 to ∞", "√ mean (p − o)²", "root mean squared error", _R, "target"),
        Metric("mae", "MAE", Better.LOWER, "0 to ∞", "mean |p − o|", "mean absolute error", _R, "target"),
        Metric("r2", "R²", Better.HIGHER, "−∞ to 1", "1 − Σ(o − p)² / Σ(o − mean o)²",
               "coefficient of determination; as NSE after Nash and Sutcliffe (1970), doi 10.1016/0022-1694(70)90255-6",
               _R),
        Metric("kge", "KGE", Better.HIGHER, "−∞ to 1",
               "1 − √((r − 1)² + (σp/σo − 1)² + (mean p/mean o − 1)²)",
               "Gupta et al. (2009), doi 10.1016/j.jhydrol.2009.08.003", _R),
        Metric("pbias", "PBIAS", Better.ZERO, "−∞ to ∞", "100 · Σ(p − o) / Σo; above 0 predicts too much",
               "sign as in Gupta et al. (1999) reversed, so that positive means overestimation", _R, "%"),
        Metric("accuracy", "Accuracy", Better.HIGHER, "0 to 1", "share of rows whose class is right", "", _C),
        Metric("balanced_accuracy", "Balanced accuracy", Better.HIGHER, "0 to 1", "mean over the classes of recall",
               "Brodersen et al. (2010), doi 10.1109/ICPR.2010.764", _C),
        Metric("f1_macro", "F1 (macro)", Better.HIGHER, "0 to 1",
               "mean over the classes of 2 · precision · recall / (precision + recall)", "", _C),
        Metric("log_loss", "Log loss", Better.LOWER, "0 to ∞", "− mean log of the probability given to the true class",
               "", _C),
        Metric("roc_auc", "ROC AUC", Better.HIGHER, "0 to 1",
               "probability that a positive row is ranked above a negative one", "Fawcett (2006), "
               "doi 10.1016/j.patrec.2005.10.010", _B),
    )
}  # fmt: skip
