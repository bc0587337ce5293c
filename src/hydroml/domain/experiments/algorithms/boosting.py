"""Trees grown one after another, each mending what the ones before got wrong."""

from hydroml.domain.experiments.algorithms.description import (
    ALL,
    Algorithm,
    Family,
    Hyperparameter,
    Search,
    choice,
    number,
    whole,
)

_LEAVES = Search(8, 256, log=True)
_TREES = Search(50, 1_000, log=True)
_SHARE = Search(0.4, 1.0)


def _rate(default: float) -> Hyperparameter:
    return number("learning_rate", default, 0.001, 1.0, Search(0.01, 0.5, log=True), "How much each tree corrects.")


def _rows(default: float) -> Hyperparameter:
    return number("subsample", default, 0.05, 1.0, Search(0.5, 1.0), "Share of the rows drawn for each tree.")


def _features(default: float) -> Hyperparameter:
    return number("colsample_bytree", default, 0.05, 1.0, _SHARE, "Share of the features drawn for each tree.")


def _leaf_penalty(default: float) -> Hyperparameter:
    return number("reg_lambda", default, 0.0, 1_000.0, Search(0.0, 20.0), "Penalty on large leaf values.")


HIST_GRADIENT_BOOSTING = Algorithm(
    name="hist_gradient_boosting",
    title="Histogram gradient boosting",
    help="Trees grown one after another, each mending what the ones before got wrong; takes missing values as given.",
    family=Family.BOOSTING,
    problems=ALL,
    hyperparameters=(
        _rate(0.1),
        whole("max_iter", 200, 1, 10_000, _TREES, "Number of trees."),
        whole("max_leaf_nodes", 31, 2, 1_000, _LEAVES, "Most leaves of a tree."),
        whole("min_samples_leaf", 20, 1, 10_000, Search(2, 100, log=True), "Fewest rows in a leaf."),
        number("l2_regularization", 0.0, 0.0, 1_000.0, Search(0.0, 20.0), "Penalty on large leaf values."),
        choice("early_stopping", ("off", "on"), "Stop when a tenth of the training rows, held back, no longer gains."),
    ),
    handles_missing=True,
)

LIGHTGBM = Algorithm(
    name="lightgbm",
    title="LightGBM",
    help="Boosting that grows the most useful leaf first: among the quickest on large tables, with many settings.",
    family=Family.BOOSTING,
    problems=ALL,
    hyperparameters=(
        whole("n_estimators", 200, 1, 10_000, _TREES, "Number of trees."),
        _rate(0.1),
        whole("num_leaves", 31, 2, 1_000, _LEAVES, "Most leaves of a tree."),
        whole("min_child_samples", 20, 1, 10_000, Search(2, 100, log=True), "Fewest rows in a leaf."),
        _rows(1.0),
        _features(1.0),
        _leaf_penalty(0.0),
        choice("extra_trees", ("off", "on"), "Branch at random values: smoother, for noisy targets."),
    ),
    handles_missing=True,
)

XGBOOST = Algorithm(
    name="xgboost",
    title="XGBoost",
    help="Boosting that grows trees level by level to a set depth, with a penalty on complicated ones.",
    family=Family.BOOSTING,
    problems=ALL,
    hyperparameters=(
        whole("n_estimators", 200, 1, 10_000, _TREES, "Number of trees."),
        _rate(0.1),
        whole("max_depth", 6, 1, 16, Search(3, 11), "Most levels of a tree."),
        number(
            "min_child_weight", 1.0, 0.0, 1_000.0, Search(0.5, 20.0), "Least weight of a leaf; its rows for numbers."
        ),
        _rows(1.0),
        _features(1.0),
        _leaf_penalty(1.0),
    ),
    handles_missing=True,
)

CATBOOST = Algorithm(
    name="catboost",
    title="CatBoost",
    help="Boosting by symmetric trees: slow to overfit, often the best without any tuning on small tables and series.",
    family=Family.BOOSTING,
    problems=ALL,
    hyperparameters=(
        whole("iterations", 500, 1, 10_000, Search(100, 2_000, log=True), "Number of trees."),
        _rate(0.05),
        whole("depth", 6, 1, 12, Search(4, 9), "Levels of a tree."),
        number("l2_leaf_reg", 3.0, 0.0, 1_000.0, Search(1.0, 20.0, log=True), "Penalty on large leaf values."),
        number("random_strength", 1.0, 0.0, 100.0, Search(0.3, 5.0), "How much chance decides where trees branch."),
        number("rsm", 1.0, 0.05, 1.0, _SHARE, "Share of the features looked at for each level."),
    ),
    handles_missing=True,
    package="catboost",
)
