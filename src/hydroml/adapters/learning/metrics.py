"""The domain's metrics, computed; one that is not defined for the data at hand is left out, never NaN."""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

from hydroml.adapters.learning.frames import Array
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.specification import Problem

_TINY = float(np.finfo(np.float64).eps)


def regression(observed: Array, predicted: Array) -> dict[str, float]:
    """Pairs with a missing side do not count."""
    complete = np.isfinite(observed) & np.isfinite(predicted)
    o, p = observed[complete], predicted[complete]
    return _defined({name: partial(f, o, p) for name, f in _REGRESSION.items()}) if len(o) else {}


def classification(
    problem: Problem, observed: Array, predicted: Array, probabilities: Array | None = None
) -> dict[str, float]:
    """`observed` and `predicted` are indices of classes, and the columns of `probabilities` follow the same order."""
    if not len(observed):
        return {}
    values: dict[str, Callable[[], float]] = {
        "accuracy": lambda: float(np.mean(observed == predicted)),
        "balanced_accuracy": lambda: balanced_accuracy(observed, predicted),
        "f1_macro": lambda: f1_macro(observed, predicted),
    }
    if probabilities is not None:
        values["log_loss"] = lambda: log_loss(observed, probabilities)
        if problem is Problem.BINARY:
            values["roc_auc"] = lambda: roc_auc(observed == 1, probabilities[:, 1])
    return _defined(values)


def rmse(o: Array, p: Array) -> float:
    return float(np.sqrt(np.mean((p - o) ** 2)))


def mae(o: Array, p: Array) -> float:
    return float(np.mean(np.abs(p - o)))


def r2(o: Array, p: Array) -> float:
    return float(1 - np.sum((o - p) ** 2) / _spread(o))


def kge(o: Array, p: Array) -> float:
    spread = np.sqrt(_spread(o) * _spread(p))
    r = np.sum((o - o.mean()) * (p - p.mean())) / spread
    return float(1 - np.sqrt((r - 1) ** 2 + (p.std() / o.std() - 1) ** 2 + (p.mean() / o.mean() - 1) ** 2))


def pbias(o: Array, p: Array) -> float:
    return float(100 * np.sum(p - o) / np.sum(o))


_REGRESSION = {"rmse": rmse, "mae": mae, "r2": r2, "kge": kge, "pbias": pbias}


def balanced_accuracy(observed: Array, predicted: Array) -> float:
    return float(np.mean([np.mean(predicted[observed == c] == c) for c in np.unique(observed)]))


def f1_macro(observed: Array, predicted: Array) -> float:
    scores = []
    for c in np.union1d(observed, predicted):
        hits = np.sum((observed == c) & (predicted == c))
        scores.append(2 * hits / (np.sum(observed == c) + np.sum(predicted == c)))
    return float(np.mean(scores))


def log_loss(observed: Array, probabilities: Array) -> float:
    """A class the model never saw has the probability 0, which counts as the smallest number above it."""
    given = probabilities[np.arange(len(observed)), observed]
    return float(-np.mean(np.log(np.clip(given, _TINY, 1.0))))


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


def _spread(values: Array) -> np.float64:
    """Σ(v − mean v)², and exactly 0 where all values are the same, whatever rounding makes of their mean."""
    if values.min() == values.max():
        return np.float64(0.0)
    return np.float64(np.sum((values - values.mean()) ** 2))


def _defined(values: dict[str, Callable[[], float]]) -> dict[str, float]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        computed = {name: value() for name, value in values.items() if name in METRICS}
    return {name: value for name, value in computed.items() if np.isfinite(value)}
