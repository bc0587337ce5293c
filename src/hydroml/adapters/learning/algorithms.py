"""The estimators behind the domain's algorithms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from hydroml.domain.experiments.algorithms import HyperparameterValue
from hydroml.domain.experiments.specification import Problem

_RIDGE_TOLERANCE = 1e-8
"""Tight enough to agree with the direct solution, so that only a small `max_iter` changes the numbers."""
CALIBRATION_FOLDS = 5
_SVM_CACHE_MB = 500


@dataclass(frozen=True, slots=True)
class Fit:
    """What an estimator is built for; `values` are complete and checked, `rarest` is the smallest class's rows. Without
    `threads` it is left to the library."""

    problem: Problem
    values: Mapping[str, HyperparameterValue]
    seed: int
    threads: int | None
    rarest: int = 0

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def of_classes(self) -> bool:
        return self.problem.is_classification


def build(name: str, fit: Fit) -> Any:
    """The unfitted estimator, which `watching.Watch` fits: it gives the same numbers for any number of threads."""
    return _BUILDERS[name](fit)


def _scaled(regressor: Any) -> TransformedTargetRegressor:
    """For those whose settings are in units of the target: it has mean 0 and deviation 1 for them."""
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def _linear_regression(f: Fit) -> Any:
    return LinearRegression(positive=f["positive"])


def _ridge(f: Fit) -> Any:
    return Ridge(alpha=f["alpha"], max_iter=f["max_iter"], solver="lsqr", tol=_RIDGE_TOLERANCE)


def _lasso(f: Fit) -> Any:
    return _scaled(Lasso(alpha=f["alpha"], positive=f["positive"], max_iter=f["max_iter"]))


def _elastic_net(f: Fit) -> Any:
    return _scaled(ElasticNet(alpha=f["alpha"], l1_ratio=f["l1_ratio"], max_iter=f["max_iter"]))


def _class_weight(f: Fit) -> str | None:
    return "balanced" if f["class_weight"] == "balanced" else None


def _logistic_regression(f: Fit) -> Any:
    return LogisticRegression(
        C=1.0 / f["alpha"], class_weight=_class_weight(f), max_iter=f["max_iter"], random_state=f.seed
    )


def _k_nearest_neighbours(f: Fit) -> Any:
    neighbours = KNeighborsClassifier if f.of_classes else KNeighborsRegressor
    return neighbours(
        f["n_neighbors"],
        weights=f["weights"],
        metric=f["metric"],
        algorithm="kd_tree",  # by brute force the last digits depend on how the threads share the rows
        n_jobs=f.threads,
    )


def _support_vector_regression(f: Fit) -> Any:
    gamma = "scale" if f["gamma"] is None else f["gamma"]
    return _scaled(SVR(C=f["C"], kernel=f["kernel"], gamma=gamma, epsilon=f["epsilon"], cache_size=_SVM_CACHE_MB))


def _support_vector_classification(f: Fit) -> Any:
    gamma = "scale" if f["gamma"] is None else f["gamma"]
    machine = SVC(
        C=f["C"], kernel=f["kernel"], gamma=gamma, class_weight=_class_weight(f), cache_size=_SVM_CACHE_MB,
        random_state=f.seed,
    )  # fmt: skip
    return CalibratedClassifierCV(machine, cv=max(min(CALIBRATION_FOLDS, f.rarest), 2), ensemble=False)


def _random_forest(f: Fit) -> Any:
    return _trees(RandomForestClassifier if f.of_classes else RandomForestRegressor, f)


def _extra_trees(f: Fit) -> Any:
    return _trees(ExtraTreesClassifier if f.of_classes else ExtraTreesRegressor, f)


def _trees(kind: Any, f: Fit) -> Any:
    return kind(
        n_estimators=f["n_estimators"],
        max_depth=f["max_depth"],
        min_samples_leaf=f["min_samples_leaf"],
        max_features=float(f["max_features"]),  # an integer 1 would mean a single feature
        n_jobs=f.threads,
        random_state=f.seed,
    )


def _hist_gradient_boosting(f: Fit) -> Any:
    boosting = HistGradientBoostingClassifier if f.of_classes else HistGradientBoostingRegressor
    return boosting(
        learning_rate=float(f["learning_rate"]),
        max_iter=f["max_iter"],
        max_leaf_nodes=f["max_leaf_nodes"],
        min_samples_leaf=f["min_samples_leaf"],
        l2_regularization=float(f["l2_regularization"]),
        early_stopping=f["early_stopping"] == "on",
        categorical_features=None,
        random_state=f.seed,
    )


def _lightgbm(f: Fit) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    return (LGBMClassifier if f.of_classes else LGBMRegressor)(
        n_estimators=f["n_estimators"],
        learning_rate=f["learning_rate"],
        num_leaves=f["num_leaves"],
        min_child_samples=f["min_child_samples"],
        subsample=f["subsample"],
        subsample_freq=1,
        colsample_bytree=f["colsample_bytree"],
        reg_lambda=f["reg_lambda"],
        extra_trees=f["extra_trees"] == "on",
        deterministic=True,
        force_col_wise=True,
        n_jobs=f.threads,
        random_state=_signed(f.seed),
        verbose=-1,
    )


def _xgboost(f: Fit) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    model = (XGBClassifier if f.of_classes else XGBRegressor)(
        n_estimators=f["n_estimators"],
        learning_rate=f["learning_rate"],
        max_depth=f["max_depth"],
        min_child_weight=f["min_child_weight"],
        subsample=f["subsample"],
        colsample_bytree=f["colsample_bytree"],
        reg_lambda=f["reg_lambda"],
        tree_method="hist",
        n_jobs=f.threads,
        random_state=_signed(f.seed),
    )
    return _coded("xgboost", model) if f.of_classes else model


def _catboost(f: Fit) -> Any:
    from catboost import CatBoostClassifier, CatBoostRegressor

    model = (CatBoostClassifier if f.of_classes else CatBoostRegressor)(
        iterations=f["iterations"],
        learning_rate=f["learning_rate"],
        depth=f["depth"],
        l2_leaf_reg=f["l2_leaf_reg"],
        random_strength=f["random_strength"],
        rsm=f["rsm"],
        thread_count=f.threads,
        random_seed=_signed(f.seed),
        allow_writing_files=False,
        verbose=False,
    )
    return _coded("catboost", model) if f.of_classes else model


def _multilayer_perceptron(f: Fit) -> Any:
    network = (MLPClassifier if f.of_classes else MLPRegressor)(
        hidden_layer_sizes=tuple(int(units) for units in f["hidden_layers"].split("-")),
        activation=f["activation"],
        alpha=f["alpha"],
        learning_rate_init=f["learning_rate_init"],
        batch_size=f["batch_size"],
        max_iter=f["max_iter"],
        # not early_stopping, which holds back rows at random, later ones than those that train among them
        random_state=f.seed,
    )
    return network if f.of_classes else _scaled(network)


def _signed(seed: int) -> int:
    """Boosters take seeds below 2³¹."""
    return seed % 2**31


def _coded(name: str, classifier: Any) -> VotingClassifier:
    """For classifiers that want classes named 0, 1, 2…: a vote of one, which knows their names."""
    return VotingClassifier([(name, classifier)], voting="soft")


_BUILDERS: Mapping[str, Callable[[Fit], Any]] = {
    "linear_regression": _linear_regression,
    "ridge": _ridge,
    "lasso": _lasso,
    "elastic_net": _elastic_net,
    "logistic_regression": _logistic_regression,
    "k_nearest_neighbours": _k_nearest_neighbours,
    "support_vector_regression": _support_vector_regression,
    "support_vector_classification": _support_vector_classification,
    "random_forest": _random_forest,
    "extra_trees": _extra_trees,
    "hist_gradient_boosting": _hist_gradient_boosting,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "multilayer_perceptron": _multilayer_perceptron,
}


def settle(estimator: Any) -> None:
    """Makes a fitted estimator predict in one thread: trees that are summed in the order in which threads end
    would give other last digits each time."""
    for part in parts(estimator):
        if "n_jobs" in part.get_params(deep=False):
            part.set_params(n_jobs=1)


def effort(estimator: Any) -> int:
    """About how many trees a prediction walks through; of other models what takes as long as a tree."""
    return max(sum(_effort(part) for part in parts(estimator)), 1)


def _effort(estimator: Any) -> int:
    if hasattr(estimator, "n_iter_") and hasattr(estimator, "n_trees_per_iteration_"):
        return int(estimator.n_iter_) * int(estimator.n_trees_per_iteration_)
    for count in ("tree_count_", "n_estimators_", "n_estimators"):
        if isinstance(getattr(estimator, count, None), int):
            return int(getattr(estimator, count)) * max(len(getattr(estimator, "classes_", ())) - 1, 1)
    for rows in ("n_samples_fit_", "shape_fit_"):
        if hasattr(estimator, rows):
            count = getattr(estimator, rows)
            return int(count if isinstance(count, int) else count[0]) // _ROWS_PER_TREE
    return 1


_ROWS_PER_TREE = 10


def parts(estimator: Any) -> list[Any]:
    """The models that an estimator consists of."""
    if isinstance(estimator, VotingClassifier | VotingRegressor):
        return [part for member in estimator.estimators_ for part in parts(member)]
    if isinstance(estimator, Pipeline):
        return parts(estimator[-1])
    if isinstance(estimator, TransformedTargetRegressor):
        return parts(estimator.regressor_)
    if isinstance(estimator, CalibratedClassifierCV):
        return [part for one in estimator.calibrated_classifiers_ for part in parts(one.estimator)]
    return [estimator]
