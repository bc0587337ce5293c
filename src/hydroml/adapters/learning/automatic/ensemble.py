"""How candidates answer together, by what each said in rows that it had not seen."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from hydroml.adapters.learning.automatic.scores import Score
from hydroml.adapters.learning.frames import Array

ROUNDS, WITHOUT_GAIN = 40, 8
MEMBERS = 5
ROWS = 10_000
"""Weights are found on so many rows at most."""

Weights = dict[int, float]
"""Of each member, by its place among the candidates; they add up to 1."""


def greedy(predictions: Sequence[Array], observed: Array, score: Score) -> Weights:
    """Caruana et al. (2004), doi 10.1145/1015330.1015432: the candidate that helps most is taken again and again, with
    replacement, and those that were taken up to the best point count."""
    rows = _sample(len(observed))
    said, observed = [p[rows] for p in predictions], observed[rows]
    taken: list[int] = []
    total, best, length = np.zeros_like(said[0], dtype=np.float64), np.inf, 0
    while len(taken) < min(ROUNDS, length + WITHOUT_GAIN):
        losses = [score.loss(observed, (total + one) / (len(taken) + 1)) for one in said]
        chosen = int(np.argmin(losses))
        taken.append(chosen)
        total += said[chosen]
        if losses[chosen] < best:
            best, length = losses[chosen], len(taken)
    counts = Counter(taken[:length])
    return {place: count / length for place, count in counts.items()}


def equal(losses: Sequence[float], families: Sequence[str]) -> Weights:
    """The best of each of the best families, all alike: fitted weights follow the few, dependent folds of a series."""
    best: dict[str, int] = {}
    for place in np.argsort(losses, kind="stable"):
        best.setdefault(families[place], int(place))
    members = list(best.values())[:MEMBERS]
    return dict.fromkeys(members, 1 / len(members))


def mixed(predictions: Sequence[Array], weights: Weights) -> Array:
    together: Array = sum(weight * predictions[place] for place, weight in weights.items())  # type: ignore[assignment]
    return together


def cross_fitted(
    predictions: Sequence[Array],
    observed: Array,
    folds: Array,
    score: Score,
    weigh: Callable[[Sequence[Array], Array], Weights],
) -> float:
    """The loss of an ensemble whose weights never saw the rows they are judged on; `folds` tells each row's."""
    together = np.zeros_like(predictions[0], dtype=np.float64)
    for fold in np.unique(folds):
        out = folds == fold
        weights = weigh([p[~out] for p in predictions], observed[~out])
        together[out] = mixed([p[out] for p in predictions], weights)
    return score.loss(observed, together)


def _sample(rows: int) -> Array:
    if rows <= ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, ROWS, replace=False))
