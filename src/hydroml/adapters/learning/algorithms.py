"""The estimators behind the domain's algorithms."""

from collections.abc import Mapping
from typing import Any

from joblib import parallel_config  # type: ignore[import-untyped]
from joblib.parallel import ThreadingBackend  # type: ignore[import-untyped]
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge

from hydroml.domain.experiments.algorithms import HyperparameterValue
from hydroml.domain.experiments.specification import Problem

_RIDGE_TOLERANCE = 1e-8
"""Tight enough to agree with the direct solution, so that only a small `max_iter` changes the numbers."""


def build(name: str, problem: Problem, values: Mapping[str, HyperparameterValue], seed: int, threads: int) -> Any:
    """The unfitted estimator; `values` are complete and checked."""
    v: dict[str, Any] = dict(values)
    match name:
        case "linear" if problem.is_classification:
            return LogisticRegression(C=1.0 / v["alpha"], max_iter=v["max_iter"], random_state=seed)
        case "linear":
            return Ridge(alpha=v["alpha"], max_iter=v["max_iter"], solver="lsqr", tol=_RIDGE_TOLERANCE)
        case "random_forest":
            forest = RandomForestClassifier if problem.is_classification else RandomForestRegressor
            return forest(
                n_estimators=v["n_estimators"],
                max_depth=v["max_depth"],
                min_samples_leaf=v["min_samples_leaf"],
                max_features=float(v["max_features"]),  # an integer 1 would mean a single feature
                n_jobs=threads,
                random_state=seed,
            )
        case "hist_gradient_boosting":
            boosting = HistGradientBoostingClassifier if problem.is_classification else HistGradientBoostingRegressor
            return boosting(
                learning_rate=float(v["learning_rate"]),
                max_iter=v["max_iter"],
                max_leaf_nodes=v["max_leaf_nodes"],
                min_samples_leaf=v["min_samples_leaf"],
                l2_regularization=float(v["l2_regularization"]),
                early_stopping=v["early_stopping"] == "on",
                categorical_features=None,
                random_state=seed,
            )
    raise LookupError(name)


def settle(estimator: Any) -> None:
    """Makes a fitted estimator predict in one thread: trees that are summed in the order in which threads end
    would give other last digits each time."""
    if hasattr(estimator, "n_jobs"):
        estimator.n_jobs = 1


class Watch:
    """How far a fit has come that runs in another thread."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self._backend = _CountingBackend()

    def fit(self, pipeline: Any, features: Any, target: Any) -> None:
        with parallel_config(backend=self._backend):
            pipeline.fit(features, target)

    def progress(self) -> float:
        """From 0 to 1; 0 for those that do not let on: the linear models, and a forest on a single thread."""
        boosted = getattr(self._estimator, "_predictors", None)
        if boosted:
            return min(len(boosted) / int(self._estimator.max_iter), 1.0)
        return min(self._backend.done / int(getattr(self._estimator, "n_estimators", 1)), 1.0)


class _CountingBackend(ThreadingBackend):  # type: ignore[misc]
    """joblib's threads, and how many trees they have grown."""

    done = 0

    def batch_completed(self, batch_size: int, duration: float) -> None:
        self.done += batch_size
        super().batch_completed(batch_size, duration)


def trees(estimator: Any) -> int:
    """How many trees a prediction walks through; 1 for other models."""
    if hasattr(estimator, "n_iter_") and hasattr(estimator, "n_trees_per_iteration_"):
        return int(estimator.n_iter_) * int(estimator.n_trees_per_iteration_)
    return len(getattr(estimator, "estimators_", ())) or 1
