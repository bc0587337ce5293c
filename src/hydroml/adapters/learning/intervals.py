"""How far metrics may be off by the luck of the test rows: percentile intervals by the moving-block bootstrap.

Künsch (1989), doi 10.1214/aos/1176347265. Blocks are as long as the errors stay correlated, so that neighbouring days
of a flow record do not count as independent; rows without an order are blocks of one.
"""

from collections.abc import Callable

import numpy as np

from hydroml.adapters.learning.frames import Array

LEVEL = 0.95
_WORK = 20_000_000
"""Rows times resamples."""
_FEWEST, _MOST = 100, 500
_FEW_ROWS = 20


def block_length(errors: Array) -> int:
    """The first lag at which the errors' autocorrelation is no more than chance, at most a tenth of the rows."""
    rows = len(errors)
    most = max(rows // 10, 1)
    centred = errors - errors.mean()
    power = np.abs(np.fft.rfft(centred, 2 * rows)) ** 2
    correlation = np.fft.irfft(power)[:most]
    if correlation[0] <= 0:
        return 1
    independent = np.flatnonzero(correlation / correlation[0] < 1.96 / np.sqrt(rows))
    return int(independent[0]) if len(independent) else most


def bootstrap(
    measure: Callable[[Array], dict[str, float]], rows: int, *, block: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Bounds of each metric that `measure` gives for positions of rows; {} where there are too few or too many rows.

    A metric that is not defined in one of twenty resamples has no bounds.
    """
    resamples = min(_WORK // max(rows, 1), _MOST)
    if rows < _FEW_ROWS or resamples < _FEWEST:
        return {}
    random = np.random.default_rng(seed)
    within = np.arange(block)
    blocks = -(-rows // block)
    values: dict[str, list[float]] = {}
    for _ in range(resamples):
        starts = random.integers(0, rows - block + 1, blocks)
        for name, value in measure((starts[:, None] + within).ravel()[:rows]).items():
            values.setdefault(name, []).append(value)
    tail = 100 * (1 - LEVEL) / 2
    return {
        name: (float(low), float(high))
        for name, found in values.items()
        if len(found) >= 0.95 * resamples
        for low, high in [np.percentile(found, [tail, 100 - tail])]
    }
