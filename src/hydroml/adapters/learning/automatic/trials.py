"""Other settings of the families that did best, drawn at random, for the time that is left."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hydroml.adapters.learning.automatic.portfolio import TUNED, Candidate

_Range = tuple[float, float, bool, bool]
"""Lowest, highest, whether on a logarithmic scale, and whether whole."""

_RANGES: Mapping[str, Mapping[str, _Range]] = {
    "lightgbm": {
        "num_leaves": (6, 255, True, True),
        "min_child_samples": (2, 60, True, True),
        "colsample_bytree": (0.4, 1.0, False, False),
        "subsample": (0.6, 1.0, False, False),
        "reg_lambda": (1e-3, 20.0, True, False),
        "rate": (0.02, 0.5, True, False),
    },
    "xgboost": {
        "max_depth": (3, 11, False, True),
        "min_child_weight": (0.5, 20.0, True, False),
        "subsample": (0.6, 1.0, False, False),
        "colsample_bytree": (0.4, 1.0, False, False),
        "reg_lambda": (0.1, 20.0, True, False),
        "rate": (0.02, 0.12, True, False),
    },
    "catboost": {
        "depth": (4, 9, False, True),
        "l2_leaf_reg": (1.0, 20.0, True, False),
        "random_strength": (0.3, 5.0, True, False),
        "rsm": (0.5, 1.0, False, False),
        "rate": (0.02, 0.15, True, False),
    },
}
MOST = 100
_TURNS = (0, 1, 0, 2)
"""Which of the families comes next, the best being 0."""


def trials(families: list[str], seed: int) -> Iterator[Candidate]:
    """Candidates of `families` from the best to the worst; none where none of them has settings to try."""
    tuned = [family for family in dict.fromkeys(families) if family in _RANGES]
    random = np.random.default_rng(seed)
    number = 0
    while tuned and number < MOST:
        family = tuned[min(_TURNS[number % len(_TURNS)], len(tuned) - 1)]
        number += 1
        drawn: dict[str, Any] = {name: _drawn(random, *bounds) for name, bounds in _RANGES[family].items()}
        if family == "lightgbm":
            drawn["extra_trees"] = bool(random.random() < 0.3)
        rate = drawn.pop("rate")
        yield Candidate(
            f"trial_{number}", f"{TUNED[family]}, trial {number}", family, drawn, rate=rate, sharp=rate > 0.2
        )


def _drawn(random: np.random.Generator, low: float, high: float, log: bool, whole: bool) -> float | int:
    value = float(np.exp(random.uniform(np.log(low), np.log(high))) if log else random.uniform(low, high))
    return round(value) if whole else round(value, 6)
