"""How far predictions may be off, from errors in rows that a model has not seen."""

from math import ceil

import numpy as np

from hydroml.adapters.learning.frames import Array
from hydroml.domain.experiments.runs import PredictionInterval
from hydroml.domain.experiments.specification import SplitKind

LEVEL = 0.9
FEWEST = 40
"""So many test rows are needed: half of them still give an interval, by which its share is measured on the others."""


def interval(split: SplitKind, errors: Array, *, timed: bool, level: float = LEVEL) -> PredictionInterval | None:
    """From errors in the order of time, or of the table; None where they are too few."""
    size = np.abs(errors)
    if len(size) < FEWEST:
        return None
    half = len(size) // 2
    measured = float(np.mean(size[half:] <= _quantile(size[:half], level)))
    return PredictionInterval(
        level=level,
        half_width=_quantile(size, level),
        rows=len(size),
        guaranteed=split is SplitKind.RANDOM and not timed,
        measured=measured,
        words=_words(split, measured, level, timed=timed),
    )


def _quantile(size: Array, level: float) -> float:
    """The ⌈(n + 1) · level⌉-th smallest error: the next one is not larger with at least that probability."""
    place = min(ceil((len(size) + 1) * level), len(size))
    return float(np.partition(size, place - 1)[place - 1])


def _words(split: SplitKind, measured: float, level: float, *, timed: bool) -> str:
    share, found = f"{100 * level:.0f} %", f"{100 * measured:.0f} %"
    if split.is_chronological:
        return (
            f"The future need not be like the past: {share} is not guaranteed. An interval from the earlier half of "
            f"the test rows held {found} of the later half."
        )
    if split.is_grouped:
        return f"Held for {share} of the rows of groups that tested; for a new group it is not guaranteed."
    if timed:
        return f"Rows of a time series are not drawn by chance: {share} is not guaranteed for later ones."
    if split.is_folded:
        return f"From the errors of all folds: near {share} for rows drawn like these, not guaranteed."
    return f"Holds at least {share} of rows drawn by chance as the test rows were."
