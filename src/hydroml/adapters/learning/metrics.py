"""The domain's metrics, computed; one that is not defined for the data at hand is left out, never NaN."""

import warnings
from collections.abc import Callable, Collection, Mapping

import numpy as np

from hydroml.adapters.learning import hydrology
from hydroml.adapters.learning.frames import Array
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.specification import Problem

_TINY = float(np.finfo(np.float64).eps)


def regression(
    observed: Array,
    predicted: Array,
    *,
    hydrology_too: bool = False,
    names: Collection[str] = (),
    in_order: bool = True,
) -> dict[str, float]:
    """Pairs with a missing side do not count.

    Metrics of hydrology come with `hydrology_too`, or by their `names`; those of peaks only where the rows are one
    series `in_order` of time.
    """
    complete = np.isfinite(observed) & np.isfinite(predicted)
    o, p = observed[complete], predicted[complete]
    if not len(o):
        return {}
    special = {**hydrology.METRICS, **(hydrology.PEAK_METRICS if in_order else {})}
    wanted = {**GENERAL, **{name: f for name, f in special.items() if hydrology_too or name in names}}
    return _defined(wanted, o, p)


def classification(
    problem: Problem, observed: Array, predicted: Array, probabilities: Array | None = None
) -> dict[str, float]:
    """`observed` and `predicted` are indices of classes, and the columns of `probabilities` follow the same order."""
    if not len(observed):
        return {}
    values = _defined(of_confusion(problem), confusion(observed, predicted))
    if probabilities is not None:
        values |= _defined(of_probabilities(problem), observed, probabilities)
    return values


def rmse(o: Array, p: Array) -> float:
    return float(np.sqrt(np.mean((p - o) ** 2)))


def mae(o: Array, p: Array) -> float:
    return float(np.mean(np.abs(p - o)))


def median_ae(o: Array, p: Array) -> float:
    return float(np.median(np.abs(p - o)))


def max_error(o: Array, p: Array) -> float:
    return float(np.max(np.abs(p - o)))


def bias(o: Array, p: Array) -> float:
    return float(np.mean(p - o))


def pbias(o: Array, p: Array) -> float:
    return float(100 * np.sum(p - o) / np.sum(o))


GENERAL: Mapping[str, Callable[[Array, Array], float]] = {
    "rmse": rmse,
    "mae": mae,
    "median_ae": median_ae,
    "max_error": max_error,
    "bias": bias,
    "r2": hydrology.nse,
    "pearson_r": hydrology.correlation,
    "kge": hydrology.kge,
    "pbias": pbias,
}


def confusion(observed: Array, predicted: Array) -> Array:
    """How many rows of the class i were predicted as j; at least two classes."""
    size = max(int(observed.max()), int(predicted.max()), 1) + 1
    counts: Array = np.bincount(observed * size + predicted, minlength=size * size).reshape(size, size).astype(float)
    return counts


def balanced_accuracy(counts: Array) -> float:
    """Over the classes that were observed."""
    rows = counts.sum(axis=1)
    return float(np.mean(np.diag(counts)[rows > 0] / rows[rows > 0]))


def _f1_of_each(counts: Array) -> tuple[Array, Array]:
    """The F1 and the observed rows of each class that was observed or predicted."""
    observed, predicted = counts.sum(axis=1), counts.sum(axis=0)
    there = observed + predicted > 0
    return 2 * np.diag(counts)[there] / (observed + predicted)[there], observed[there]


def f1_weighted(counts: Array) -> float:
    scores, rows = _f1_of_each(counts)
    return float(np.average(scores, weights=rows))


def _by_chance(counts: Array) -> tuple[np.float64, np.float64, np.float64, np.float64]:
    """Rows, hits, hits expected by chance times the rows, and the same for observed and predicted with themselves."""
    observed, predicted = counts.sum(axis=1), counts.sum(axis=0)
    rows = counts.sum()
    variation = (rows**2 - observed @ observed) * (rows**2 - predicted @ predicted)
    return rows, np.trace(counts), observed @ predicted, variation


def mcc(counts: Array) -> float:
    rows, hits, chance, variation = _by_chance(counts)
    return float((hits * rows - chance) / np.sqrt(variation))


def kappa(counts: Array) -> float:
    rows, hits, chance, _ = _by_chance(counts)
    return float((hits * rows - chance) / (rows**2 - chance))


def log_loss(observed: Array, probabilities: Array) -> float:
    """A class the model never saw has the probability 0, which counts as the smallest number above it."""
    given = probabilities[np.arange(len(observed)), observed]
    return float(-np.mean(np.log(np.clip(given, _TINY, 1.0))))


def brier(observed: Array, probabilities: Array) -> float:
    true = np.zeros_like(probabilities)
    true[np.arange(len(observed)), observed] = 1
    total = float(np.mean(np.sum((probabilities - true) ** 2, axis=1)))
    return total / 2 if probabilities.shape[1] == 2 else total


def roc_auc(positive: Array, score: Array) -> float:
    """By ranks, ties shared; undefined without both classes."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / np.float64(positives * negatives))


def roc_curve(positive: Array, score: Array) -> tuple[Array, Array]:
    """False and true positive rates as the threshold falls, from (0, 0) to (1, 1)."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    true = np.cumsum(positive[order])[last]
    false = np.cumsum(~positive[order])[last]
    return np.append(0.0, false / false[-1]), np.append(0.0, true / true[-1])


def average_precision(positive: Array, score: Array) -> float:
    """Ties share a threshold; undefined without a positive row."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    true = np.cumsum(positive[order])[last]
    precision = true / (np.flatnonzero(last) + 1)
    return float(np.sum(np.diff(true, prepend=0) * precision) / true[-1])


def accuracy(counts: Array) -> float:
    return float(np.trace(counts) / counts.sum())


def f1_macro(counts: Array) -> float:
    return float(_f1_of_each(counts)[0].mean())


def precision(counts: Array) -> float:
    return float(counts[1, 1] / counts[:, 1].sum())


def recall(counts: Array) -> float:
    return float(counts[1, 1] / counts[1].sum())


def specificity(counts: Array) -> float:
    return float(counts[0, 0] / counts[0].sum())


def f1(counts: Array) -> float:
    return float(2 * counts[1, 1] / (counts[1].sum() + counts[:, 1].sum()))


def roc_auc_of_second(observed: Array, probabilities: Array) -> float:
    return roc_auc(observed == 1, probabilities[:, 1])


def pr_auc_of_second(observed: Array, probabilities: Array) -> float:
    return average_precision(observed == 1, probabilities[:, 1])


def roc_auc_ovr(observed: Array, probabilities: Array) -> float:
    """Of each class against the rest, on average."""
    return float(np.mean([roc_auc(observed == c, probabilities[:, c]) for c in range(probabilities.shape[1])]))


_CLASSES: Mapping[str, Callable[[Array], float]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "f1_macro": f1_macro,
    "mcc": mcc,
    "kappa": kappa,
}
_BINARY: Mapping[str, Callable[[Array], float]] = {
    "precision": precision,
    "recall": recall,
    "specificity": specificity,
    "f1": f1,
}
_MULTICLASS: Mapping[str, Callable[[Array], float]] = {"f1_weighted": f1_weighted}
_LIKELY: Mapping[str, Callable[[Array, Array], float]] = {"log_loss": log_loss, "brier": brier}
_BINARY_LIKELY: Mapping[str, Callable[[Array, Array], float]] = {
    "roc_auc": roc_auc_of_second,
    "pr_auc": pr_auc_of_second,
}
_MULTICLASS_LIKELY: Mapping[str, Callable[[Array, Array], float]] = {"roc_auc_ovr": roc_auc_ovr}


def of_confusion(problem: Problem) -> Mapping[str, Callable[[Array], float]]:
    """What is computed from the table of observed and predicted classes."""
    return {**_CLASSES, **(_BINARY if problem is Problem.BINARY else _MULTICLASS)}


def of_probabilities(problem: Problem) -> Mapping[str, Callable[[Array, Array], float]]:
    """What is computed from observed classes and the probabilities of all."""
    return {**_LIKELY, **(_BINARY_LIKELY if problem is Problem.BINARY else _MULTICLASS_LIKELY)}


def _defined(wanted: Mapping[str, Callable[..., float]], *given: Array) -> dict[str, float]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        computed = {name: measure(*given) for name, measure in wanted.items()}
    return {name: computed[name] for name in METRICS if name in computed and np.isfinite(computed[name])}
