"""What each setting of the preparation does, that nothing of it looks at test rows or ahead, and what it refuses."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydroml.adapters.learning import modelfile
from hydroml.adapters.learning.past import Timeline, date_part
from hydroml.application.ports.learning import Trained
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.preparation import (
    ColumnGroup,
    DatePart,
    Dates,
    Encoding,
    Imputation,
    Numbers,
    Past,
    Preparation,
    Scaling,
    Statistic,
    Texts,
    Transform,
    Window,
)
from hydroml.domain.experiments.specification import Problem, Split, SplitKind
from tests.integration.learning.weather import FEATURES, ROWS, trained, weather

SPLIT = Split(SplitKind.CHRONOLOGICAL, test_size=40 / ROWS)


def grouped(**settings: Any) -> Preparation:
    """Other settings for two columns than for all others."""
    return Preparation(groups=(ColumnGroup(columns=("rain", "site"), **settings),))


NUMBERS = {
    "impute mean": Numbers(Imputation.MEAN),
    "impute most frequent": Numbers(Imputation.MOST_FREQUENT),
    "impute constant": Numbers(Imputation.CONSTANT),
    "fill": Numbers(Imputation.CONSTANT, fill=-50.0),
    "indicator": Numbers(indicator=False),
    "log1p": Numbers(transform=Transform.LOG1P),
    "power": Numbers(transform=Transform.POWER),
    "quantile": Numbers(transform=Transform.QUANTILE),
    "scale none": Numbers(scale=Scaling.NONE),
    "scale robust": Numbers(scale=Scaling.ROBUST),
    "scale min max": Numbers(scale=Scaling.MIN_MAX),
}
TEXTS = {
    "impute most frequent": Texts(Imputation.MOST_FREQUENT),
    "impute constant": Texts(Imputation.CONSTANT),
    "fill": Texts(Imputation.CONSTANT, fill="c"),
    "indicator": Texts(Imputation.MOST_FREQUENT, indicator=False),
    "ordinal": Texts(encode=Encoding.ORDINAL),
    "target": Texts(encode=Encoding.TARGET),
    "folds": Texts(encode=Encoding.TARGET, folds=2),
    "frequency": Texts(encode=Encoding.FREQUENCY),
    "hashing": Texts(encode=Encoding.HASHING),
    "hash columns": Texts(encode=Encoding.HASHING, hash_columns=2),
    "max categories": Texts(max_categories=2),
    "rare": Texts(rare=0.1),
}
DATES = {
    **{f"date {part}": Dates((part,)) for part in DatePart if part is not DatePart.HOUR},
    "cyclic": Dates((DatePart.MONTH,), cyclic=True),
}
PASTS = {
    "lag": Past(columns=("rain",), lags=(1,)),
    "lags": Past(columns=("rain",), lags=(1, 3)),
    **{f"window {s}": Past(columns=("rain",), windows=(Window(s, 3),)) for s in Statistic},
    "rows": Past(columns=("rain",), windows=(Window(Statistic.MEAN, 9),)),
    "window lag": Past(columns=("rain",), windows=(Window(Statistic.MEAN, 3, lag=0),)),
    "target": Past(columns=("y",), lags=(1,)),
}


def every() -> Iterator[tuple[str, Preparation]]:
    yield "none", Preparation()
    for name, numbers in NUMBERS.items():
        yield f"numbers: {name}", Preparation(numbers)
    for name, texts in TEXTS.items():
        yield f"texts: {name}", Preparation(texts=texts)
    for name, dates in DATES.items():
        yield f"dates: {name}", Preparation(dates=dates)
    for name, past in PASTS.items():
        yield f"past: {name}", Preparation(past=(past,))
    yield "group's numbers", grouped(numbers=NUMBERS["power"])
    yield "group's texts", Preparation(NUMBERS["power"], groups=(ColumnGroup(columns=("site",), texts=TEXTS["rare"]),))
    yield "group's dates", Preparation(NUMBERS["power"], groups=(ColumnGroup(columns=("day",), dates=DATES["cyclic"]),))


def learnt(folder: Path, preparation: Preparation, **options: Any) -> Trained:
    features = (*FEATURES, "day") if preparation.dates_of("day").parts else FEATURES
    options = {"time_column": "day", "split": SPLIT, "features": features} | options
    return trained(folder, preparation=preparation, **options)


def predictions(result: Trained) -> list[Any]:
    found: list[Any] = json.loads(result.artifacts["predictions"])["predicted"]
    return found


def test_every_setting_takes_effect_and_differs_from_every_other(tmp_path: Path) -> None:
    seen: dict[tuple[Any, ...], str] = {}
    for name, preparation in every():
        numbers = tuple(predictions(learnt(tmp_path, preparation)))
        assert numbers not in seen, (seen[numbers], name)
        seen[numbers] = name


TOGETHER = [
    Preparation(
        Numbers(Imputation.MEAN, transform=Transform.POWER, scale=Scaling.ROBUST),
        Texts(Imputation.MOST_FREQUENT, encode=Encoding.TARGET),
        Dates((DatePart.MONTH, DatePart.WEEK_DAY), cyclic=True),
        past=(PASTS["target"], PASTS["lags"], PASTS["window max"], PASTS["window mean"]),
    ),
    Preparation(
        Numbers(transform=Transform.QUANTILE, scale=Scaling.MIN_MAX),
        Texts(encode=Encoding.FREQUENCY),
        past=(PASTS["rows"],),
    ),
    Preparation(Numbers(transform=Transform.LOG1P), Texts(encode=Encoding.ORDINAL)),
    Preparation(
        texts=Texts(encode=Encoding.HASHING, hash_columns=8),
        groups=(ColumnGroup(columns=("rain", "level"), numbers=Numbers(Imputation.CONSTANT, 3.0)),),
    ),
]


@pytest.mark.parametrize("preparation", TOGETHER)
def test_models_are_stored_answer_the_same_and_ignore_test_rows(tmp_path: Path, preparation: Preparation) -> None:
    """Other test rows leave the fitted preparation, and what training rows get, as they were."""
    table, other = weather(), weather()
    for name, odd in (("rain", 1e4), ("wave", -77.0), ("y", 500.0)):
        values = np.array(pa.array(other[name]).fill_null(0), dtype=float)
        values[200:] = odd
        other[name] = values
    other["site"] = [*pa.array(other["site"]).to_pylist()[:200], *["new"] * 40]
    for name in ("rain", "wave", "y"):  # the same rows are known in both
        whole = np.array(pa.array(table[name]).fill_null(0), dtype=float)
        table[name], other[name] = whole, np.where(np.arange(ROWS) < 200, whole, other[name])
    table["site"] = pa.array(table["site"])
    first, second = (learnt(tmp_path, preparation, table=one) for one in (table, other))
    assert first.outcome.metrics["train"] == second.outcome.metrics["train"]
    assert first.outcome.features == second.outcome.features
    assert first.outcome.derived == second.outcome.derived
    one, two = (modelfile.load(result.model) for result in (first, second))
    assert one["learn"].coef_.tolist() == two["learn"].coef_.tolist()


@pytest.mark.parametrize("problem", [Problem.BINARY, Problem.MULTICLASS])
@pytest.mark.parametrize("encode", Encoding)
def test_every_encoding_serves_classes(tmp_path: Path, encode: Encoding, problem: Problem) -> None:
    table = weather()
    table["three"] = np.array(["low", "mid", "high"])[np.digitize(np.array(pa.array(table["y"]).fill_null(0)), [8, 15])]
    target = "high" if problem is Problem.BINARY else "three"
    result = learnt(tmp_path, Preparation(texts=Texts(encode=encode)), table=table, target=target, problem=problem)
    assert result.outcome.metrics["test"]["accuracy"] > 0.5
    modelfile.load(result.model)


values = st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_past_never_sees_the_present_or_the_future(data: st.DataObject) -> None:
    numbers = np.array([np.nan if v is None else float(v) for v in data.draw(values)])
    size = len(numbers)
    moments = np.array(data.draw(st.lists(st.integers(0, 12), min_size=size, max_size=size)))
    known = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    lag, rows = data.draw(st.integers(1, 3)), data.draw(st.integers(2, 4))
    statistic = data.draw(st.sampled_from([None, *(s.value for s in Statistic)]))
    row = data.draw(st.integers(0, size - 1))
    timeline = Timeline(moments, known, groups)
    before = timeline.before(numbers, lag, 1 if statistic is None else rows, statistic)[row]
    later = (moments >= moments[row]) | ~known | (groups != groups[row])
    changed = np.where(later, 99.0, numbers)
    assert np.array_equal(before, timeline.before(changed, lag, 1 if statistic is None else rows, statistic)[row], True)


def test_the_past_is_that_of_the_group_in_time_order() -> None:
    moments, groups = np.array([3, 1, 2, 1, 2, 3, 2]), np.array([0, 0, 0, 1, 1, 1, 1])
    numbers = np.array([30.0, 10.0, np.nan, 1.0, 2.0, 3.0, 4.0])
    timeline = Timeline(moments, np.ones(7, dtype=bool), groups)

    def before(*what: Any) -> list[float | None]:
        return [None if np.isnan(v) else v for v in timeline.before(numbers, *what).tolist()]

    assert before(1) == [None, None, 10.0, None, 1.0, 3.0, 1.0]  # 3 is the mean of 2 and 4, which share a moment
    assert before(2) == [10.0, None, None, None, None, 1.0, None]
    assert before(0, 2, "sum") == [60.0, None, 20.0, None, 4.0, 6.0, 4.0]  # of one known value: twice that
    assert before(1, 2, "max") == [10.0, None, None, None, None, 3.0, None]


def test_parts_of_dates() -> None:
    moments = np.array(["2024-03-04T06:30", "NaT", "2023-12-31"], dtype="datetime64[us]")
    found = {part: date_part(moments, part.value).tolist() for part in DatePart}
    assert [found[part][0] for part in DatePart] == [2024, 3, 64, 1, 6]
    assert [found[part][2] for part in DatePart] == [2023, 12, 365, 7, 0]
    assert all(np.isnan(one[1]) for one in found.values())
    sin, cos = date_part(moments, "hour", "sin"), date_part(moments, "hour", "cos")
    assert (sin[0], cos[0]) == (pytest.approx(1), pytest.approx(0, abs=1e-12))


def test_encodings_give_what_they_say(tmp_path: Path) -> None:
    table = {"t": np.arange(40), "site": (["a"] * 3 + ["b"]) * 10, "y": np.arange(40.0)}
    table["site"][:4] = ["a", "a", None, "b"]

    def numbers_of(texts: Texts) -> dict[Any, list[float]]:
        settings = {"features": ("site",), "preparation": Preparation(texts=texts), "time_column": "t"}
        prepare = modelfile.load(trained(tmp_path, table=table, split=Split(test_size=0.5), **settings).model)[
            "prepare"
        ]

        frame = pd.DataFrame({"site": pd.array(["a", "b", "new", None], dtype="str")})
        return dict(zip(["a", "b", "new", None], prepare.transform(frame).tolist(), strict=True))

    assert numbers_of(Texts(encode=Encoding.FREQUENCY)) == {"a": [14 / 20], "b": [5 / 20], "new": [0], None: [1 / 20]}
    assert numbers_of(Texts(encode=Encoding.ORDINAL)) == {"a": [0], "b": [1], "new": [-1], None: [-2]}
    filled = numbers_of(Texts(Imputation.CONSTANT, fill="b", indicator=False, encode=Encoding.FREQUENCY))
    assert filled == {"a": [14 / 20], "b": [6 / 20], "new": [0], None: [6 / 20]}


BAD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a column without a value": ({"x": pa.nulls(60, pa.float64())}, {}),
    "a column without a value in training": ({"x": pa.array([None] * 50 + [1.0] * 10)}, {}),
    "one value everywhere": ({"x": np.ones(60)}, {}),
    "infinite values": ({"x": np.where(np.arange(60) % 7 == 0, np.inf, np.arange(60.0))}, {}),
    "a category for each row": ({"x": [f"row {i}" for i in range(60)]}, {}),
    "texts of nothing": ({"x": ["", " ", "!"] * 20}, {}),
    "very large numbers": ({"x": np.geomspace(1, 1e300, 60)}, {}),
}


@pytest.mark.parametrize("transform", [Transform.NONE, Transform.POWER, Transform.QUANTILE, Transform.LOG1P])
@pytest.mark.parametrize("table", [one for one, _ in BAD.values()], ids=BAD)
def test_odd_columns_are_learnt_from_or_refused_in_words(
    tmp_path: Path, table: dict[str, Any], transform: Transform
) -> None:
    rows = {"t": np.arange(60), "good": np.arange(60) % 7 * 1.0, "y": np.arange(60) % 5 * 1.0} | table
    encodings = Encoding if isinstance(table["x"], list) and transform is Transform.NONE else (Encoding.ONE_HOT,)
    for encode in encodings:
        preparation = Preparation(Numbers(transform=transform), Texts(encode=encode))
        result = trained(tmp_path, table=rows, features=("good", "x"), preparation=preparation, time_column="t")
        assert all(np.isfinite(value) for value in predictions(result))


def test_five_thousand_categories_are_bounded(tmp_path: Path) -> None:
    size = 10_000
    table = {"site": [f"gauge {i % 5_000}" for i in range(size)], "y": np.arange(size) % 5_000 * 1.0}
    for encode in Encoding:
        result = trained(tmp_path, table=table, features=("site",), preparation=Preparation(texts=Texts(encode=encode)))
        assert modelfile.load(result.model)["learn"].n_features_in_ <= 64
        [feature] = result.outcome.features
        assert feature.categories is None


def test_logarithm_of_what_has_none_is_refused(tmp_path: Path) -> None:
    table = {"x": np.arange(-3.0, 57.0), "y": np.arange(60.0)}
    with pytest.raises(InvalidInputError, match="“x” has values of −1 and less"):
        trained(tmp_path, table=table, features=("x",), preparation=Preparation(Numbers(transform=Transform.LOG1P)))


def test_a_moment_of_many_columns(tmp_path: Path) -> None:
    """Times with hours, unsorted, of two sites: parts and pasts are those of each row's own site."""
    rows = 200
    hours = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=i // 2) for i in range(rows)]
    site = [i % 2 for i in range(rows)]
    flow = np.array([100.0 * s + i // 2 % 24 for i, s in enumerate(site)])
    order = np.random.default_rng(1).permutation(rows)
    table = {"t": [hours[i] for i in order], "site": [f"s{site[i]}" for i in order], "y": flow[order]}
    preparation = Preparation(dates=Dates((DatePart.HOUR,)), past=(Past(columns=("y",), lags=(24,)),))
    options = {"time_column": "t", "group_column": "site", "features": ("t",), "preparation": preparation}
    result = trained(tmp_path, table=table, split=Split(SplitKind.CHRONOLOGICAL), **options)
    assert [d.name for d in result.outcome.derived] == ["t, hour", "y, 24 before"]
    assert result.outcome.metrics["test"]["r2"] > 0.99
    needed = {f.name: (f.type, f.direct) for f in result.outcome.features}
    assert needed == {"t": ("timestamp", False), "y": ("number", False), "site": ("text", False)}


def test_days_of_a_date_column() -> None:
    assert date_part(np.array([date(2024, 2, 29)], dtype="datetime64[us]"), "day_of_year").tolist() == [60.0]
