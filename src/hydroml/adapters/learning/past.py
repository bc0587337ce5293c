"""Numbers from dates and from earlier rows: rules that learn nothing, on arrays alone.

This module imports nothing of HydroML, because it goes along with a downloaded model as it stands.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]

_AT_ONCE = 2_000_000
"""So many values of windows are looked at in one go."""
_ROUND = {"month": 12.0, "day_of_year": 365.25, "week_day": 7.0, "hour": 24.0}


def date_part(moments: Array, part: str, wave: str | None = None) -> Array:
    """Year, month and day of the year from 1, week day from 1 for Monday, hour from 0; or the sine or cosine of its
    place in its round. `moments` are datetime64; NaN where there is none."""
    stamps = pd.DatetimeIndex(moments)
    found = {
        "year": lambda: stamps.year,
        "month": lambda: stamps.month,
        "day_of_year": lambda: stamps.day_of_year,
        "week_day": lambda: stamps.day_of_week + 1,
        "hour": lambda: stamps.hour,
    }[part]()
    numbers: Array = np.where(np.isnat(moments), np.nan, found.to_numpy(dtype=np.float64, na_value=np.nan))
    if wave is None:
        return numbers
    angle = 2 * np.pi * numbers / _ROUND[part]
    turned: Array = np.sin(angle) if wave == "sin" else np.cos(angle)
    return turned


class Timeline:
    """The rows of a table in the order of their times, each group by itself.

    Rows of one moment stand in one place and count by the mean of their known values, so that none sees another; a row
    whose time is not known stands nowhere and has no past.
    """

    def __init__(self, moments: Array, known: Array, groups: Array | None = None) -> None:
        rows = np.flatnonzero(known)
        codes = np.zeros(len(moments), dtype=np.int8) if groups is None else groups
        ordered = rows[np.lexsort((moments[rows], codes[rows]))]
        moment, code = moments[ordered], codes[ordered]
        other = np.ones(len(ordered), dtype=bool)
        other[1:] = (moment[1:] != moment[:-1]) | (code[1:] != code[:-1])
        self._place = np.full(len(moments), -1)
        self._place[ordered] = np.cumsum(other) - 1
        code = code[other]
        self._places = len(code)
        begins = np.ones(len(code), dtype=bool)
        begins[1:] = code[1:] != code[:-1]
        here = np.arange(len(code))
        self._earlier = here - np.maximum.accumulate(np.where(begins, here, 0)) if len(code) else here

    def before(self, values: Array, lag: int, rows: int = 1, statistic: str | None = None) -> Array:
        """For each row the value `lag` places before it, or a statistic of `rows` places of which that is the latest;
        NaN where the past does not reach back so far. A window may lack half its values; its sum is then its mean
        times `rows`."""
        series = self._series(values)
        if statistic is not None:
            series = _rolled(series, rows, statistic)
        found = np.full(len(series), np.nan)
        found[lag:] = series[: len(series) - lag] if lag < len(series) else []
        found[self._earlier < lag + rows - 1] = np.nan
        of_row = np.full(len(values), np.nan)
        there = self._place >= 0
        of_row[there] = found[self._place[there]]
        return of_row

    def _series(self, values: Array) -> Array:
        known = ~np.isnan(values) & (self._place >= 0)
        counts = np.bincount(self._place[known], minlength=self._places)
        sums = np.bincount(self._place[known], weights=values[known], minlength=self._places)
        means: Array = np.divide(sums, counts, out=np.full(self._places, np.nan), where=counts > 0)
        return means


def _rolled(series: Array, rows: int, statistic: str) -> Array:
    """The statistic of each value and the `rows` − 1 before it, NaN where fewer than half of them are known."""
    enough = (rows + 1) // 2
    if statistic in ("min", "max"):
        rolling = pd.Series(series).rolling(rows, min_periods=enough)
        extreme: Array = (rolling.min() if statistic == "min" else rolling.max()).to_numpy()
        return extreme
    rolled = np.full(len(series), np.nan)
    if len(series) < rows:
        return rolled
    # each window is summed for itself: running sums would carry what they lost of values long gone
    windows = sliding_window_view(series, rows)
    step = max(_AT_ONCE // rows, 1)
    for start in range(0, len(windows), step):
        part = windows[start : start + step]
        known = np.sum(~np.isnan(part), axis=1)
        sums = np.nansum(part, axis=1)
        mean = np.divide(sums, known, out=np.full(len(part), np.nan), where=known >= enough)
        rolled[rows - 1 + start : rows - 1 + start + len(part)] = mean * rows if statistic == "sum" else mean
    return rolled
