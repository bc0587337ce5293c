"""What can be had without a model: every run is judged beside these, on the same test rows."""

from dataclasses import dataclass

import numpy as np

from hydroml.adapters.learning import metrics
from hydroml.adapters.learning.frames import Array, Times
from hydroml.adapters.learning.splits import Parts
from hydroml.domain.experiments.specification import Problem

_YEAR = np.timedelta64(365, "D")


@dataclass(frozen=True, slots=True)
class Series:
    """Regression targets (NaN where missing) with their times and, in tables of several sites, groups."""

    values: Array
    times: Times | None = None
    groups: Array | None = None


def regression_predictions(series: Series, parts: Parts) -> dict[str, Array]:
    """Each baseline's predictions for the test rows; where it has none of its own, it predicts the training mean."""
    training = series.values[parts.train]
    mean = training.mean()
    predictions = {
        "mean": np.full(len(parts.test), mean),
        "median": np.full(len(parts.test), np.median(training)),
    }
    times = series.times
    if times is not None:
        predictions["persistence"] = _persistence(series, times, parts, mean)
        if times.is_calendar:
            seasonal = _seasonal_mean(series, times, parts, mean)
            if seasonal is not None:
                predictions["seasonal_mean"] = seasonal
    return predictions


def _persistence(series: Series, times: Times, parts: Parts, mean: float) -> Array:
    """The last observation before each row's time, of the same group; the mean of several at that moment."""
    known = np.flatnonzero(~np.isnan(series.values) & times.known)
    predictions = np.full(len(parts.test), mean)
    groups = series.groups if series.groups is not None else np.zeros(len(series.values), dtype=np.int8)
    usable = times.known[parts.test]
    for group in np.unique(groups[parts.test]):
        past = known[groups[known] == group]
        if not len(past):
            continue
        moments, inverse = np.unique(times.ordinals[past], return_inverse=True)
        means = np.bincount(inverse, weights=series.values[past]) / np.bincount(inverse)
        mine = np.flatnonzero((groups[parts.test] == group) & usable)
        before = np.searchsorted(moments, times.ordinals[parts.test[mine]], side="left") - 1
        predictions[mine[before >= 0]] = means[before[before >= 0]]
    return predictions


def _seasonal_mean(series: Series, times: Times, parts: Parts, mean: float) -> Array | None:
    """The training mean of each calendar day, by group; None when the training part covers less than a year."""
    train = parts.train[times.known[parts.train]]
    if not len(train) or np.ptp(times.values[train]) < _YEAR:
        return None
    days = _calendar_day(times.values)
    if series.groups is not None:
        days = days + 372 * series.groups.astype(np.int64)
    size = int(days.max()) + 1
    counts = np.bincount(days[train], minlength=size)
    sums = np.bincount(days[train], weights=series.values[train], minlength=size)
    wanted = days[parts.test]
    found = (counts[wanted] > 0) & times.known[parts.test]
    predictions = np.full(len(parts.test), mean)
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
