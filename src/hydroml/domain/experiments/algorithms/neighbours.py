"""Algorithms that compare a row with those they have learnt from."""

from hydroml.domain.experiments.algorithms.description import (
    ALL,
    CLASSES,
    REGRESSION,
    Algorithm,
    Family,
    Hyperparameter,
    Search,
    choice,
    number,
    whole,
)

K_NEAREST_NEIGHBOURS = Algorithm(
    name="k_nearest_neighbours",
    title="k nearest neighbours",
    help="The mean, or the commonest class, of the most similar training rows. The model holds all of them.",
    family=Family.NEIGHBOURS,
    problems=ALL,
    hyperparameters=(
        whole("n_neighbors", 10, 1, 1_000, Search(1, 100, log=True), "How many similar rows answer."),
        choice("weights", ("distance", "uniform"), "Whether nearer rows count more."),
        choice("metric", ("euclidean", "manhattan"), "How far two rows are apart: straight, or along the axes."),
    ),
    needs_scaling=True,
    most_rows=50_000,
)


def _curves(cost: str) -> tuple[Hyperparameter, ...]:
    return (
        number("C", 1.0, 1e-3, 1e3, Search(0.03, 100.0, log=True), f"How much {cost} costs: high follows each row."),
        choice("kernel", ("rbf", "linear", "poly", "sigmoid"), "The kind of curve."),
        number("gamma", None, 1e-6, 1e3, Search(1e-3, 10.0, log=True),
               "How narrow the curves are; none: one over the number of prepared features times their variance."),
    )  # fmt: skip


_QUADRATIC = "its time grows with the square of the rows"

SUPPORT_VECTOR_REGRESSION = Algorithm(
    name="support_vector_regression",
    title="Support vector regression",
    help=f"Smooth curves through few rows, which small errors leave as they are; {_QUADRATIC}.",
    family=Family.NEIGHBOURS,
    problems=REGRESSION,
    hyperparameters=(
        *_curves("an error"),
        number("epsilon", 0.1, 0.0, 10.0, Search(0.01, 0.5, log=True),
               "Errors below this share of the target's standard deviation cost nothing."),
    ),
    needs_scaling=True,
    most_rows=10_000,
)  # fmt: skip

SUPPORT_VECTOR_CLASSIFICATION = Algorithm(
    name="support_vector_classification",
    title="Support vector classification",
    help=f"The widest margin between classes of few rows, with calibrated probabilities; {_QUADRATIC}.",
    family=Family.NEIGHBOURS,
    problems=CLASSES,
    hyperparameters=(
        *_curves("a row on the wrong side"),
        choice("class_weight", ("equal", "balanced"), "Balanced: a row counts the more, the rarer its class is."),
    ),
    needs_scaling=True,
    most_rows=10_000,
)
