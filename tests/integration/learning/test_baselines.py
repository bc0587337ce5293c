"""Baselines: what each may know, and when it is there at all."""

from typing import Any

import numpy as np
import pytest

from hydroml.adapters.learning import baselines
from hydroml.adapters.learning.baselines import Series
from hydroml.adapters.learning.frames import Times
from hydroml.adapters.learning.splits import Parts
from hydroml.domain.experiments.specification import Problem
from hydroml.domain.sources import ColumnType


def days(*values: Any) -> Times:
    return Times(np.array(values, dtype="datetime64[us]"), ColumnType.DATE)


def test_mean_and_median_come_from_the_training_part() -> None:
    series = Series(np.array([1.0, 2.0, 9.0, 100.0, 200.0]))
    predictions = baselines.regression_predictions(series, Parts(np.arange(3), np.array([3, 4])))
    assert predictions.keys() == {"mean", "median"}
    assert predictions["mean"].tolist() == [4, 4]
    assert predictions["median"].tolist() == [2, 2]


def test_persistence_is_the_last_observation_before_the_row() -> None:
    values = np.array([5.0, np.nan, 1.0, 2.0, 3.0])
    times = days("2020-01-05", "2020-01-04", "2020-01-01", "2020-01-02", "2020-01-03")
    predictions = baselines.regression_predictions(Series(values, times), Parts(np.array([2, 3]), np.array([4, 0])))
    assert predictions["persistence"].tolist() == [2, 3], "the fourth of January is not known, so the third counts"


def test_persistence_stays_within_its_group() -> None:
    values = np.array([1.0, 10.0, 2.0, 20.0])
    times = days("2020-01-01", "2020-01-01", "2020-01-02", "2020-01-02")
    parts = Parts(np.array([0, 1]), np.array([2, 3]))
    grouped = baselines.regression_predictions(Series(values, times, np.array([0, 1, 0, 1])), parts)
    assert grouped["persistence"].tolist() == [1, 10]
    pooled = baselines.regression_predictions(Series(values, times), parts)
    assert pooled["persistence"].tolist() == [5.5, 5.5]


def test_seasonal_mean_is_of_the_same_calendar_day_in_the_training_years() -> None:
    moments = np.arange("2018-01-01", "2021-01-01", dtype="datetime64[D]")
    year = moments.astype("datetime64[Y]").astype(int) + 1970
    day = (moments - moments.astype("datetime64[Y]")).astype(int)
    values = day + (year - 2018) * 10.0
    test = np.flatnonzero(year == 2020)
    parts = Parts(np.flatnonzero(year < 2020), test)
    predictions = baselines.regression_predictions(Series(values, days(*moments)), parts)["seasonal_mean"]
    assert predictions[0] == pytest.approx(5)
    leap = int(np.flatnonzero(moments[test] == np.datetime64("2020-02-29"))[0])
    assert predictions[leap] == pytest.approx(values[parts.train].mean()), "no training year has that day"
    assert predictions[-1] == pytest.approx(364 + 5), "a leap year does not shift the season"


def test_seasonal_mean_needs_a_year() -> None:
    moments = np.arange("2020-01-01", "2020-06-01", dtype="datetime64[D]")
    series = Series(np.arange(len(moments), dtype=float), days(*moments))
    parts = Parts(np.arange(100), np.arange(100, len(moments)))
    assert baselines.regression_predictions(series, parts).keys() == {"mean", "median", "persistence"}


def test_training_alone_decides_the_most_frequent_class() -> None:
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    scores = baselines.classification(Problem.BINARY, codes, Parts(np.arange(4), np.arange(4, 8)), 2)
    assert scores["most_frequent"]["accuracy"] == 0
    assert scores["prior"]["log_loss"] == pytest.approx(-np.log(0.25))
