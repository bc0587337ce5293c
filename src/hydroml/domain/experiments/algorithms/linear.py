"""Weighted sums of the features."""

from hydroml.domain.experiments.algorithms.description import (
    CLASSES,
    REGRESSION,
    Algorithm,
    Family,
    Hyperparameter,
    HyperparameterType,
    Search,
    choice,
    number,
    whole,
)

_PENALTY = Search(1e-4, 1e4, log=True)
_SPARSE = number("alpha", 0.01, 1e-6, 1e3, Search(1e-5, 1.0, log=True), "Strength of the penalty, for a scaled target.")
_STEPS = whole("max_iter", 1000, 10, 100_000, None, "Most iterations of the solver.")
_POSITIVE = Hyperparameter(
    "positive", HyperparameterType.BOOLEAN, False, "Allow no weight below zero: more of a feature never means less."
)

LINEAR_REGRESSION = Algorithm(
    name="linear_regression",
    title="Linear regression",
    help="Ordinary least squares: a weighted sum of the features, no penalty. Needs many more rows than features.",
    family=Family.LINEAR,
    problems=REGRESSION,
    hyperparameters=(_POSITIVE,),
    needs_scaling=True,
)

RIDGE = Algorithm(
    name="ridge",
    title="Ridge regression",
    help="Least squares that keeps weights small: quick, steady, easy to read, at ease with similar features.",
    family=Family.LINEAR,
    problems=REGRESSION,
    hyperparameters=(
        number("alpha", 1.0, 1e-6, 1e6, _PENALTY, "Strength of the penalty on large weights."),
        _STEPS,
    ),
    needs_scaling=True,
)

LASSO = Algorithm(
    name="lasso",
    title="Lasso",
    help="Least squares that sets the weights of features it can do without to zero, and so chooses among them.",
    family=Family.LINEAR,
    problems=REGRESSION,
    hyperparameters=(_SPARSE, _POSITIVE, _STEPS),
    needs_scaling=True,
)

ELASTIC_NET = Algorithm(
    name="elastic_net",
    title="Elastic net",
    help="Between ridge and lasso: chooses among the features, but keeps those together that resemble each other.",
    family=Family.LINEAR,
    problems=REGRESSION,
    hyperparameters=(
        _SPARSE,
        number("l1_ratio", 0.5, 0.01, 1.0, Search(0.05, 1.0), "1 is the lasso; towards 0 it becomes ridge regression."),
        _STEPS,
    ),
    needs_scaling=True,
)

LOGISTIC_REGRESSION = Algorithm(
    name="logistic_regression",
    title="Logistic regression",
    help="Class probabilities from a weighted sum of the features: quick, steady, easy to read.",
    family=Family.LINEAR,
    problems=CLASSES,
    hyperparameters=(
        number("alpha", 1.0, 1e-6, 1e6, _PENALTY, "Strength of the penalty on large weights."),
        choice("class_weight", ("equal", "balanced"), "Balanced: a row counts the more, the rarer its class is."),
        _STEPS,
    ),
    needs_scaling=True,
)
