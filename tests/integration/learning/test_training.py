"""A whole training: what is learnt from where, what every setting does, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hydroml.adapters.learning import ScikitLearner, modelfile
from hydroml.domain.errors import InvalidInputError, TooLargeError
from hydroml.domain.experiments.preparation import Imputation, Numbers, Preparation, Scaling, Texts
from hydroml.domain.experiments.specification import (
    AlgorithmChoice,
    Budget,
    Problem,
    Split,
    SplitKind,
)
from tests.integration.learning.weather import FEATURES, trained, weather
from tests.tasks import RecordingMonitor, task_of, train

FOLDED = {
    SplitKind.KFOLD: {"split": Split(SplitKind.KFOLD, folds=3, repeats=2)},
    SplitKind.STRATIFIED_KFOLD: {"split": Split(SplitKind.STRATIFIED_KFOLD, folds=4), "target": "high"},
    SplitKind.GROUP_KFOLD: {"split": Split(SplitKind.GROUP_KFOLD, folds=3), "group_column": "site"},
    SplitKind.EXPANDING: {"split": Split(SplitKind.EXPANDING, folds=3, gap=0.02), "time_column": "day"},
    SplitKind.SLIDING: {"split": Split(SplitKind.SLIDING, folds=3, window=0.3), "time_column": "day"},
}


@pytest.mark.parametrize("kind", FOLDED)
def test_folds_are_judged_each_by_a_model_of_its_own_and_the_kept_one_learns_from_all(
    tmp_path: Path, kind: SplitKind
) -> None:
    options = {"problem": Problem.BINARY if kind is SplitKind.STRATIFIED_KFOLD else Problem.REGRESSION} | FOLDED[kind]
    result = trained(tmp_path, **options)
    outcome, split = result.outcome, options["split"]
    folds = json.loads(result.artifacts["folds"])["items"]
    assert len(folds) == split.models
    for name, value in outcome.metrics["test"].items():
        assert value == pytest.approx(np.mean([f["metrics"][name] for f in folds if name in f["metrics"]])), name
    assert outcome.counts.train == outcome.counts.used
    tested = json.loads(result.artifacts["predictions"])["row_numbers"]
    assert len(tested) == len(set(tested)) == outcome.counts.test
    if not kind.is_chronological:
        assert outcome.counts.test == outcome.counts.used
    assert outcome.baselines.keys() >= ({"prior"} if kind is SplitKind.STRATIFIED_KFOLD else {"mean"})
    assert not outcome.intervals
    again = trained(tmp_path, **options).outcome
    assert again.metrics == outcome.metrics
    assert outcome.parameters["folds"] == split.folds


def test_the_kept_model_of_folds_is_that_of_all_rows(tmp_path: Path) -> None:
    rows = 60
    number = np.where(np.arange(rows) < 30, 1.0, 3.0)
    table = {"number": number, "y": number + np.arange(rows) % 2}
    result = trained(tmp_path, table=table, features=("number",), split=Split(SplitKind.KFOLD, folds=2))
    scaler = modelfile.load(result.model)["prepare"].named_transformers_["numbers"]["scale"]
    assert scaler.mean_[0] == pytest.approx(2.0)
    assert scaler.n_samples_seen_ == rows


def test_sites_that_test_are_never_learnt_from(tmp_path: Path) -> None:
    """A model of ungauged sites must not profit from knowing the site, which explains everything here."""
    site = np.repeat(np.arange(20), 12)
    table = {"site": site, "noise": np.random.default_rng(1).normal(size=240), "y": site * 10.0}
    options = {"table": table, "features": None, "group_column": "site"}
    shuffled = trained(tmp_path, "random_forest", **options | {"features": ("site", "noise")}).outcome
    apart = trained(tmp_path, "random_forest", **options, split=Split(SplitKind.GROUP)).outcome
    assert shuffled.metrics["test"]["r2"] > 0.95
    assert apart.metrics["test"]["r2"] < 0.2
    assert [f.name for f in apart.features] == ["noise"]


def test_each_group_is_judged_beside_the_whole_and_bounds_hold_the_value(tmp_path: Path) -> None:
    rows = 1_200
    random = np.random.default_rng(2)
    day = np.repeat(np.arange(rows // 2), 2)
    rain = random.gamma(2, 3, rows)
    gauge = np.tile(["upper", None], rows // 2)
    noise = np.where(np.arange(rows) % 2 == 0, 0.1, 3.0)
    y = 2 * rain + random.normal(0, 1, rows) * noise
    table = {"t": day, "rain": rain, "gauge": pa.array(gauge.tolist()), "y": y}
    result = trained(tmp_path, table=table, features=("rain",), time_column="t", group_column="gauge")
    test = result.outcome.metrics["test"]
    assert {"nse", "kge_2012", "fhv"} <= test.keys()
    assert "peak_timing" not in test, "two gauges are not one series"
    for name, (low, high) in result.outcome.intervals.items():
        assert low <= test[name] <= high or name in ("max_error", "fhv"), name
    assert result.outcome.intervals["rmse"][1] < 1.5 * test["rmse"]
    groups = json.loads(result.artifacts["groups"])
    by_name = {item["group"]: item for item in groups["items"]}
    assert by_name.keys() == {"upper", "missing"}
    assert sum(item["rows"] for item in groups["items"]) == result.outcome.counts.test
    assert by_name["upper"]["metrics"]["rmse"] < 0.2 < 2 < by_name["missing"]["metrics"]["rmse"]
    assert "peak_timing" in by_name["upper"]["metrics"], "each gauge is"


def test_missing_columns_are_left_out_aloud(tmp_path: Path) -> None:
    monitor = RecordingMonitor()
    train(task_of(weather(), tmp_path, features=FEATURES), tmp_path, monitor)
    assert any("“nothing” has no value" in line for line in monitor.lines)
    assert monitor.phases == ["reading", "splitting", "fitting baseline", "fitting", "scoring", "explaining"]


def test_preparation_learns_from_the_training_part_only(tmp_path: Path) -> None:
    rows = 100
    number = np.where(np.arange(rows) < 80, 1.0, 1_000.0)
    number[::7] = np.nan
    site = np.where(np.arange(rows) < 80, "old", "new")
    table = {"t": np.arange(rows), "number": number, "site": site, "y": np.arange(rows) % 5 * 1.0}
    settings = {"table": table, "features": ("number", "site"), "time_column": "t"}
    result = trained(tmp_path, **settings, preparation=Preparation(Numbers(impute=Imputation.MEAN)))
    prepare = modelfile.load(result.model)["prepare"]
    numbers = prepare.named_transformers_["numbers"]
    assert numbers["impute"].statistics_[0] == 1.0
    assert numbers["scale"].mean_[0] == pytest.approx(1.0)
    assert prepare.named_transformers_["texts"].categories_[0].tolist() == ["old"]
    [known, text] = result.outcome.features
    assert (known.minimum, known.maximum, text.categories) == (1.0, 1.0, ("old",))


def test_test_rows_cannot_change_the_model(tmp_path: Path) -> None:
    table, other = weather(), weather()
    for name in ("rain", "wave", "y"):
        values = np.array(pa.array(table[name]).fill_null(0), dtype=float)
        values[200:] *= -3
        other[name] = values
        table[name] = np.array(pa.array(table[name]).fill_null(0), dtype=float)
    settings = {"time_column": "day", "split": Split(test_size=40 / 240)}
    first, second = (trained(tmp_path, "random_forest", table=t, **settings) for t in (table, other))
    assert first.outcome.metrics["train"] == second.outcome.metrics["train"]
    assert first.outcome.metrics["test"] != second.outcome.metrics["test"]
    assert first.outcome.features == second.outcome.features


@pytest.mark.parametrize(
    "change",
    [
        {"preparation": Preparation(Numbers(impute=Imputation.MEAN))},
        {"preparation": Preparation(Numbers(indicator=False))},
        {"preparation": Preparation(Numbers(scale=Scaling.NONE))},
        {"preparation": Preparation(texts=Texts(max_categories=2))},
        {"split": Split(test_size=0.4)},
        {"seed": 1},
        {"features": FEATURES[:3]},
        {"time_column": "day"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_takes_effect(tmp_path: Path, change: dict[str, Any]) -> None:
    plain, changed = trained(tmp_path), trained(tmp_path, **change)
    assert plain.outcome.metrics["test"] != changed.outcome.metrics["test"]


def test_gap_takes_effect(tmp_path: Path) -> None:
    counts = trained(tmp_path, time_column="day", split=Split(gap=0.1)).outcome.counts
    assert (counts.rows, counts.used, counts.left_out) == (240, 228, 12)
    assert counts.used - counts.train - counts.test == 23


def test_group_takes_effect(tmp_path: Path) -> None:
    pooled = trained(tmp_path, time_column="day")
    grouped = trained(tmp_path, time_column="day", group_column="site")
    assert pooled.outcome.baselines["persistence"] != grouped.outcome.baselines["persistence"]


def test_budget_ends_a_fit(tmp_path: Path) -> None:
    task = task_of(
        weather(20_000), tmp_path, features=FEATURES, budget=Budget(1),
        algorithm=AlgorithmChoice("hist_gradient_boosting", {"max_iter": 10_000}),
    )  # fmt: skip
    with pytest.raises(TooLargeError, match="longer than the budget of time"):
        train(task, tmp_path)


def test_what_would_not_fit_in_memory_is_refused_beforehand(tmp_path: Path) -> None:
    task = task_of(weather(), tmp_path, features=FEATURES)
    with pytest.raises(TooLargeError, match="of memory"):
        ScikitLearner(memory_limit=50_000, threads=1).train(task, tmp_path, RecordingMonitor())


def test_many_categories_count_for_memory_too(tmp_path: Path) -> None:
    table = {"id": [f"name {i % 200}" for i in range(10_000)], "y": np.arange(10_000.0)}
    task = task_of(table, tmp_path, preparation=Preparation(texts=Texts(max_categories=200)))
    with pytest.raises(TooLargeError):
        ScikitLearner(memory_limit=60_000_000, threads=1).train(task, tmp_path, RecordingMonitor())


def test_a_sample_of_the_training_rows_trains_and_all_test_rows_test(tmp_path: Path) -> None:
    split = Split(SplitKind.STRATIFIED, training_rows=40)
    table = {"x": np.arange(400.0), "y": ["rare" if i % 100 == 0 else "common" for i in range(400)]}
    trained = train(task_of(table, tmp_path, problem=Problem.BINARY, split=split), tmp_path)
    assert (trained.outcome.counts.train, trained.outcome.counts.test) == (40, 80)
    assert set(trained.outcome.classes) == {"common", "rare"}
    folds = Split(SplitKind.KFOLD, folds=4, training_rows=50)
    trained = train(task_of({"x": np.arange(400.0), "y": np.arange(400.0)}, tmp_path, split=folds), tmp_path)
    assert (trained.outcome.counts.train, trained.outcome.counts.test) == (50, 400)
    judged = {item["training_rows"] for item in json.loads(trained.artifacts["folds"])["items"]}
    assert judged == {50}


def test_an_outer_fold_changes_nothing_that_chooses(tmp_path: Path) -> None:
    """Only the score on the outer fold itself may change with its target; which rows it has is known from the file."""
    x, split = np.arange(200.0), Split(SplitKind.KFOLD, folds=4, fold=2, validation=3)
    first = train(task_of({"x": x, "y": x % 7}, tmp_path, split=split), tmp_path)
    assert (first.outcome.counts.train, first.outcome.counts.test) == (150, 50)
    assert "folds" not in first.artifacts
    table = pq.read_table(first.rows)
    tested = {row["row"] - 1 for row in table.to_pylist() if row["part"] == "test"}
    assert len(tested) == 50
    other = np.where(np.isin(np.arange(200), list(tested)), 1e6, x % 7)
    second = train(task_of({"x": x, "y": other}, tmp_path, split=split), tmp_path)
    assert second.outcome.metrics["validation"] == first.outcome.metrics["validation"]
    assert second.outcome.metrics["train"] == first.outcome.metrics["train"]
    assert second.outcome.metrics["test"] != first.outcome.metrics["test"]


def test_infinite_values_count_as_missing_aloud(tmp_path: Path) -> None:
    table = {"x": np.where(np.arange(50) == 3, np.inf, np.arange(50)), "y": np.arange(50.0)}
    monitor = RecordingMonitor()
    train(task_of(table, tmp_path), tmp_path, monitor)
    assert any("1 infinite" in line for line in monitor.lines)


@pytest.mark.parametrize(
    ("table", "options", "code"),
    [
        ({"x": np.arange(9.0), "y": np.arange(9.0)}, {}, "few_rows"),
        ({"x": np.arange(50.0), "y": np.ones(50)}, {}, "constant_target"),
        ({"x": np.arange(50.0), "y": ["a"] * 49 + ["b"]}, {"problem": Problem.MULTICLASS}, "rare_class"),
        ({"x": np.arange(50.0), "y": ["a"] * 40 + ["b"] * 10}, {"problem": Problem.BINARY, "time_column": "x",
          "features": ("x",)}, "constant_target"),
        ({"x": np.arange(50.0), "y": np.arange(50) % 3}, {"problem": Problem.BINARY}, "too_many_classes"),
        ({"x": pa.nulls(50, pa.float64()), "y": np.arange(50.0)}, {}, "all_missing"),
        ({"x": np.zeros(50), "y": np.arange(50.0)}, {"time_column": "x", "features": ("x",)}, "constant_time"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_learnt_are_refused(
    tmp_path: Path, table: dict[str, Any], options: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        train(task_of(table, tmp_path, **options), tmp_path)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_class_that_only_the_future_has_is_judged_too(tmp_path: Path) -> None:
    label = np.where(np.arange(100) < 90, np.where(np.arange(100) % 2, "b", "c"), "a")
    table = {"t": np.arange(100), "x": np.arange(100) % 2 * 1.0, "y": label}
    result = train(task_of(table, tmp_path, problem=Problem.MULTICLASS, time_column="t"), tmp_path)
    assert result.outcome.classes == ("b", "c")
    assert result.outcome.metrics["test"]["accuracy"] == 0.5
    confusion = json.loads(result.artifacts["confusion"])
    assert confusion["labels"] == ["a", "b", "c"]
    assert np.array(confusion["counts"])[0].sum() == 10


def test_shuffling_a_series_is_possible_on_request(tmp_path: Path) -> None:
    split = Split(SplitKind.RANDOM, reason="only to compare")
    outcome = trained(tmp_path, time_column="day", split=split).outcome
    assert outcome.split == "random"
    assert "persistence" in outcome.baselines


def test_plots_of_a_long_series_are_bounded_and_keep_its_extremes(tmp_path: Path) -> None:
    rows = 60_000
    flow = np.random.default_rng(1).gamma(2, 3, rows)
    flow[50_123] = 1e4
    moments = np.datetime64("2000-01-01T00:00:00") + np.arange(rows) * np.timedelta64(1, "h")
    table = {"time": pa.array(moments), "x": np.arange(rows) % 24, "flow": flow}
    result = train(task_of(table, tmp_path, "flow", time_column="time"), tmp_path)
    predictions = json.loads(result.artifacts["predictions"])
    assert predictions["sampled"]
    assert predictions["of"] == 12_000
    assert 1_000 < len(predictions["observed"]) <= 5_000
    assert max(predictions["observed"]) == 1e4
    assert predictions["time"] == sorted(predictions["time"])
    spot = predictions["observed"].index(1e4)
    assert predictions["row_numbers"][spot] == 50_123
    assert predictions["time"][spot] == "2005-09-19T11:00:00"
    assert sum(map(sum, json.loads(result.artifacts["scatter"])["counts"])) == 12_000
    assert all(len(document) < 500_000 for document in result.artifacts.values())


def test_test_part_of_new_classes_only_explains_nothing(tmp_path: Path) -> None:
    label = np.where(np.arange(50) < 40, np.where(np.arange(50) % 2, "b", "c"), "a")
    table = {"t": np.arange(50), "x": np.arange(50) % 2 * 1.0, "y": label}
    result = train(task_of(table, tmp_path, problem=Problem.MULTICLASS, time_column="t"), tmp_path)
    assert result.outcome.metrics["test"]["accuracy"] == 0
    assert json.loads(result.artifacts["importance"])["items"] == []
