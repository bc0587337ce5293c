"""Learning curves: what more rows would do, asked of the training part alone."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydroml.application.ports.learning import Trained
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Split, SplitKind
from tests.tasks import task_of, train

ROWS = 1_500
RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(ROWS, 12))
LINEAR = {f"x{i}": X[:, i] for i in range(12)} | {"y": X @ np.arange(12.0) + RANDOM.normal(size=ROWS)}


def curve(table: dict[str, Any], folder: Path, name: str = "ridge", **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(learnt(table, folder, name, **options).artifacts["learning_curve"])
    return found


def learnt(table: dict[str, Any], folder: Path, name: str = "ridge", **options: Any) -> Trained:
    return train(task_of(table, folder, algorithm=AlgorithmChoice(name), thorough=True, **options), folder)


def test_a_line_is_learnt_from_few_rows_and_a_forest_wants_more(tmp_path: Path) -> None:
    straight = curve(LINEAR, tmp_path, features=("x9", "x10", "x11"))
    assert (straight["metric"], straight["grows_by"], straight["folds"], straight["of"]) == ("rmse", "chance", 3, 1_200)
    assert straight["rows"] == [50, 100, 200, 400, 800]
    assert straight["verdict"] == "level"
    assert "levelled off" in straight["words"]
    forest = curve(LINEAR, tmp_path, "random_forest")
    assert forest["verdict"] == "growing"
    assert forest["words"].startswith("More rows would still help: from 400 to 800 rows RMSE went from")
    means = [point["mean"] for point in forest["validation"]]
    assert means == sorted(means, reverse=True)
    assert all(point["low"] <= point["mean"] <= point["high"] for point in forest["validation"] + forest["train"])


def test_test_rows_cannot_change_the_curve(tmp_path: Path) -> None:
    days = [date(2000, 1, 1) + timedelta(days=i) for i in range(ROWS)]
    options: dict[str, Any] = {"time_column": "t", "split": Split(SplitKind.CHRONOLOGICAL)}
    before = curve(LINEAR | {"t": days}, tmp_path, **options)
    changed = np.where(np.arange(ROWS) >= ROWS * 0.8, -1e6, LINEAR["y"])
    assert curve(LINEAR | {"t": days, "y": changed}, tmp_path, **options) == before


def test_in_time_it_grows_by_the_past(tmp_path: Path) -> None:
    """The early years follow another rule: a curve that took rows by chance would get worse only slowly."""
    days = [date(2000, 1, 1) + timedelta(days=i) for i in range(ROWS)]
    x = np.arange(ROWS) % 17.0
    y = np.where(np.arange(ROWS) < 700, -x, x)
    found = curve({"x": x, "t": days, "y": y}, tmp_path, features=("x",), time_column="t")
    assert found["grows_by"] == "past"
    assert found["rows"][-1] == 801
    # the 50 latest rows before each fold know the new rule, all that are before it do not
    assert found["validation"][0]["high"] == pytest.approx(0, abs=0.5)
    assert found["verdict"] == "falling"
    assert found["words"].startswith("The older rows do not help")


def test_where_groups_stay_whole_it_grows_by_groups(tmp_path: Path) -> None:
    sites = [f"site {i % 30}" for i in range(ROWS)]
    found = curve(LINEAR | {"site": sites}, tmp_path, group_column="site", split=Split(SplitKind.GROUP))
    assert found["grows_by"] == "groups"


def test_classes_are_compared_by_log_loss(tmp_path: Path) -> None:
    table = LINEAR | {"y": np.where(LINEAR["y"] > 0, "high", "low")}
    found = curve(table, tmp_path, "logistic_regression", problem=Problem.BINARY)
    assert found["metric"] == "log_loss"


def test_few_rows_have_no_curve(tmp_path: Path) -> None:
    few = {name: values[:150] for name, values in LINEAR.items()}
    assert "learning_curve" not in learnt(few, tmp_path).artifacts
