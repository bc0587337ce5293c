"""Tables as they come: what can be learnt is, and the rest is refused in words, never by a crash or a wrong figure."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Split, SplitKind
from tests.tasks import RecordingMonitor, task_of, train

ROWS = 300
X = np.arange(float(ROWS))
DAYS = [date(2000, 1, 1) + timedelta(days=i) for i in range(ROWS)]


def refused(table: dict[str, Any], folder: Path, **options: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        train(task_of(table, folder, **options), folder)
    assert str(caught.value)
    return caught.value.faults[0].code


def test_a_target_that_is_missing_or_infinite_somewhere_trains_on_the_others(tmp_path: Path) -> None:
    y = X % 7
    y[:30], y[30:40], y[40:50] = np.nan, np.inf, -np.inf
    outcome = train(task_of({"x": X % 7, "y": y}, tmp_path), tmp_path).outcome
    assert (outcome.counts.used, outcome.counts.left_out) == (250, 50)
    assert outcome.metrics["test"]["rmse"] < 0.1


def test_a_feature_without_a_value_is_left_out_aloud_and_its_like_in_prediction_not_needed(tmp_path: Path) -> None:
    monitor = RecordingMonitor()
    table = {"x": X % 7, "empty": np.full(ROWS, np.nan), "constant": np.ones(ROWS), "y": X % 7}
    outcome = train(task_of(table, tmp_path), tmp_path, monitor).outcome
    assert outcome.metrics["test"]["rmse"] < 0.1
    assert any("“empty” has no value" in line for line in monitor.lines)


@pytest.mark.parametrize("name", ["ridge", "hist_gradient_boosting", "random_forest"])
def test_five_thousand_categories_are_grouped(tmp_path: Path, name: str) -> None:
    rows = 10_000
    table = {"x": np.arange(rows) % 7.0, "id": [f"name {i % 5_000}" for i in range(rows)], "y": np.arange(rows) % 7.0}
    choice = AlgorithmChoice(name, {} if name == "ridge" else {"max_iter" if "boost" in name else "n_estimators": 10})
    outcome = train(task_of(table, tmp_path, algorithm=choice), tmp_path).outcome
    assert outcome.metrics["test"]["rmse"] < 1.5
    assert next(f for f in outcome.features if f.name == "id").categories is None


def test_dates_as_text_are_categories(tmp_path: Path) -> None:
    table = {"day": [str(day) for day in DAYS], "x": X % 7, "y": X % 7}
    assert train(task_of(table, tmp_path), tmp_path).outcome.metrics["test"]["rmse"] < 0.5


def test_a_fold_in_which_the_target_never_changes_has_no_shares_of_variance(tmp_path: Path) -> None:
    y = np.where(X >= 240, 5.0, X % 7)
    split = Split(SplitKind.EXPANDING, folds=4)
    table = {"t": DAYS, "x": X % 7, "y": y}
    outcome = train(task_of(table, tmp_path, features=("x",), time_column="t", split=split), tmp_path).outcome
    assert all(np.isfinite(value) for value in outcome.metrics["test"].values())
    before = np.where(X < 60, 5.0, X % 7)
    assert refused(table | {"y": before}, tmp_path, features=("x",), time_column="t", split=split) == "constant_target"


def test_folds_that_lack_a_class_are_judged_by_those_they_have(tmp_path: Path) -> None:
    label = np.where(X < 100, np.where(X % 2, "b", "c"), np.where(X % 2, "b", "a"))
    split = Split(SplitKind.EXPANDING, folds=4)
    table = {"t": DAYS, "x": X % 2, "y": label}
    task = task_of(table, tmp_path, problem=Problem.MULTICLASS, features=("x",), time_column="t", split=split)
    outcome = train(task, tmp_path).outcome
    assert set(outcome.classes) == {"a", "b", "c"}
    assert 0 < outcome.metrics["test"]["accuracy"] <= 1
    assert all(np.isfinite(value) for value in outcome.metrics["test"].values())


@pytest.mark.parametrize("kind", [SplitKind.STRATIFIED, SplitKind.STRATIFIED_KFOLD, SplitKind.RANDOM, SplitKind.KFOLD])
def test_a_class_with_one_member_is_refused_before_any_fit(tmp_path: Path, kind: SplitKind) -> None:
    table = {"x": X, "y": ["a"] * 200 + ["b"] * 99 + ["c"]}
    assert refused(table, tmp_path, problem=Problem.MULTICLASS, split=Split(kind)) == "rare_class"


def test_times_that_repeat_or_are_missing_keep_the_past_behind(tmp_path: Path) -> None:
    """Rows of one moment stay on one side, and those without a time are left out."""
    days: list[date | None] = [DAYS[i // 3 + (50 if i > 150 else 0)] for i in range(ROWS)]
    days[10:20] = [None] * 10
    outcome = train(task_of({"t": days, "x": X % 7, "y": X % 7}, tmp_path, time_column="t"), tmp_path).outcome
    assert outcome.counts.left_out == 10
    assert outcome.counts.test % 3 == 0
    assert outcome.metrics["test"]["rmse"] < 0.1
