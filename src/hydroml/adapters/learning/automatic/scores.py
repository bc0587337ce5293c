"""What candidates are judged by, as a loss: less is better."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hydroml.adapters.learning import metrics
from hydroml.adapters.learning.frames import Array
from hydroml.domain.experiments.specification import Problem

_FLOOR = 1e-6
"""No class is held impossible: a single mistake would outweigh everything else in the log loss."""


@dataclass(frozen=True, slots=True)
class Score:
    """`loss` takes what was observed (numbers, or codes of classes) and what was predicted (numbers, or a column of
    probabilities for each class)."""

    metric: str
    loss: Callable[[Array, Array], float]
    rising: bool = False

    def value(self, loss: float) -> float:
        """The metric itself, for people."""
        return 1.0 - loss if self.rising else loss


def _mae(observed: Array, predicted: Array) -> float:
    return float(np.abs(observed - predicted).mean())


def _log_loss(observed: Array, predicted: Array) -> float:
    shares = floored(predicted, _FLOOR)
    return float(-np.log(shares[np.arange(len(observed)), observed]).mean())


def _brier(observed: Array, predicted: Array) -> float:
    truth = np.eye(predicted.shape[1])[observed]
    return float(((predicted - truth) ** 2).sum(axis=1).mean())


def _without_ranking(observed: Array, predicted: Array) -> float:
    positive = observed == 1
    if positive.all() or not positive.any():
        return 0.5
    return 1.0 - metrics.roc_auc(positive, predicted[:, 1])


_SCORES: Mapping[str, Score] = {
    "rmse": Score("rmse", metrics.rmse),
    "mae": Score("mae", _mae),
    "log_loss": Score("log_loss", _log_loss),
    "brier": Score("brier", _brier),
    "roc_auc": Score("roc_auc", _without_ranking, rising=True),
}
_USUAL = {Problem.REGRESSION: "rmse", Problem.BINARY: "roc_auc", Problem.MULTICLASS: "log_loss"}
_FITTING = {
    Problem.REGRESSION: ("rmse", "mae"),
    Problem.BINARY: ("roc_auc", "log_loss", "brier"),
    Problem.MULTICLASS: ("log_loss", "brier"),
}


def score_of(problem: Problem, wanted: Sequence[str]) -> Score:
    """The first of the run's metrics that can be aimed at, else the usual one."""
    return _SCORES[next((name for name in wanted if name in _FITTING[problem]), _USUAL[problem])]


def floored(probabilities: Array, floor: float) -> Array:
    """Probabilities of at least `floor` that add up to 1."""
    raised = np.maximum(probabilities, floor)
    shares: Array = raised / raised.sum(axis=1, keepdims=True)
    return shares
