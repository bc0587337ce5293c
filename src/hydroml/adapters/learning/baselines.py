"""What can be had without a model: every run is judged beside these, on the same test rows."""

from dataclasses import dataclass

import numpy as np

from hydroml.adapters.learning import metrics
from hydroml.adapters.learning.frames import Array, Times
from hydroml.adapters.learning.splits import Parts
from hydroml.domain.experiments.specification import Problem


@dataclass(frozen=True, slots=True)
class Series:
    """Regression targets (NaN where missing) with their times and, in tables of several sites, groups."""

    values: Array
    times: Times | None = None
    groups: Array | None = None


def regression_predictions(series: Series, parts: Parts) -> dict[str, Array]:
    """Each baseline's predictions for the test rows; where it has none of its own, it predicts the training mean."""
    values, times, train, test = series.values, series.times, parts.train, parts.test
    predictions = {
        "mean": np.full(len(test), values[train].mean()),
        "median": np.full(len(test), np.median(values[train])),
    }
    if times is not None:
        groups = np.zeros(len(values), dtype=np.int64) if series.groups is None else series.groups
        predictions["persistence"] = persistence(values, times.ordinals, times.known, groups, train, test)
        if times.is_calendar:
            seasonal = seasonal_mean(values, times.values, groups, train, test)
            if seasonal is not None:
                predictions["seasonal_mean"] = seasonal
    return predictions


def persistence(values: Array, moments: Array, known: Array, groups: Array, train: Array, test: Array) -> Array:  # noqa: PLR0917
    """The last observation before each row's time, of the same group; the mean of several at that moment."""
    observed = np.flatnonzero(~np.isnan(values) & known)
    predictions = np.full(len(test), values[train].mean())
    for group in np.unique(groups[test]):
        past = observed[groups[observed] == group]
        if not len(past):
            continue
        times, inverse = np.unique(moments[past], return_inverse=True)
        means = np.bincount(inverse, weights=values[past]) / np.bincount(inverse)
        mine = np.flatnonzero((groups[test] == group) & known[test])
        before = np.searchsorted(times, moments[test[mine]], side="left") - 1
        predictions[mine[before >= 0]] = means[before[before >= 0]]
    return predictions


def seasonal_mean(values: Array, dates: Array, groups: Array, train: Array, test: Array) -> Array | None:
    """The training mean of each calendar day, by group; None when the training part covers less than a year."""
    known = ~np.isnat(dates)
    seen = train[known[train]]
    if not len(seen) or np.ptp(dates[seen]) < np.timedelta64(365, "D"):
        return None
    days = _calendar_day(dates) + 372 * groups.astype(np.int64)
    size = int(days.max()) + 1
    counts = np.bincount(days[seen], minlength=size)
    sums = np.bincount(days[seen], weights=values[seen], minlength=size)
    wanted = days[test]
    found = (counts[wanted] > 0) & known[test]
    predictions = np.full(len(test), values[train].mean())
    predictions[found] = sums[wanted[found]] / counts[wanted[found]]
    return predictions


def _calendar_day(values: Array) -> Array:
    """A number for month and day, the same in every year, so that leap years do not shift the season."""
    moments = np.where(np.isnat(values), np.datetime64(0, "us"), values)
    months = moments.astype("datetime64[M]")
    day: Array = (moments.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    return months.astype(np.int64) % 12 * 31 + day


def classification(problem: Problem, codes: Array, parts: Parts, classes: int) -> dict[str, dict[str, float]]:
    """The most frequent class of the training part, and the same with its shares as probabilities."""
    shares = np.bincount(codes[parts.train], minlength=classes) / len(parts.train)
    observed = codes[parts.test]
    predicted = np.full(len(observed), int(shares.argmax()))
    return {
        "most_frequent": metrics.classification(problem, observed, predicted),
        "prior": metrics.classification(problem, observed, predicted, np.tile(shares, (len(observed), 1))),
    }
