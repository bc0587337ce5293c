"""Averages of decision trees."""

from hydroml.domain.experiments.algorithms.description import (
    ALL,
    Algorithm,
    Family,
    Hyperparameter,
    Search,
    number,
    whole,
)


def _trees(default_leaf: int, default_share: float) -> tuple[Hyperparameter, ...]:
    leaf, share = default_leaf, default_share
    return (
        whole("n_estimators", 200, 1, 5_000, Search(50, 500), "Number of trees."),
        whole("max_depth", None, 1, 200, Search(3, 40), "Most levels of a tree; none for no limit."),
        whole("min_samples_leaf", leaf, 1, 10_000, Search(1, 50, log=True), "Fewest rows in a leaf."),
        number("max_features", share, 0.01, 1.0, Search(0.1, 1.0), "Share of the features looked at for each branch."),
    )


RANDOM_FOREST = Algorithm(
    name="random_forest",
    title="Random forest",
    help="Many decision trees, each on a random part of the rows and features, averaged.",
    family=Family.TREES,
    problems=ALL,
    hyperparameters=_trees(2, 0.5),
)

EXTRA_TREES = Algorithm(
    name="extra_trees",
    title="Extra trees",
    help="As a random forest, but each tree sees all rows and branches at random values: quicker and smoother.",
    family=Family.TREES,
    problems=ALL,
    hyperparameters=_trees(2, 0.6),
)
