"""The estimators behind the domain's algorithms."""

from collections.abc import Mapping
from typing import Any

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


def progress(estimator: Any) -> float:
    """How far a fit that runs in another thread has come, from 0 to 1; 0 where the estimator does not let on."""
    trees = getattr(estimator, "_predictors", None)
    return len(trees) / estimator.max_iter if trees else 0.0


def trees(estimator: Any) -> int:
    """How many trees a prediction walks through; 1 for other models."""
    if hasattr(estimator, "n_iter_") and hasattr(estimator, "n_trees_per_iteration_"):
        return int(estimator.n_iter_) * int(estimator.n_trees_per_iteration_)
    return len(getattr(estimator, "estimators_", ())) or 1
