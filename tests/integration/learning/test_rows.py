"""The rows a run was judged on, by which every number can be followed."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hydroml.domain.experiments.specification import Problem, Split, SplitKind
from tests.tasks import RecordingMonitor, task_of, train


def table(rows: int = 120) -> dict[str, Any]:
    random = np.random.default_rng(1)
    x = random.normal(size=rows)
    return {
        "when": [date(2020, 1, 1) + timedelta(days=i // 2) for i in range(rows)],
        "part": np.where(np.arange(rows) % 2, "a", "b"),  # as a column of the table of rows is called
        "x": x,
        "y": pa.array(2 * x + random.normal(size=rows), mask=np.arange(rows) % 10 == 0),
        "class": np.where(x > 0, "up", "down"),
    }


def test_folds_of_a_series_with_sites(tmp_path: Path) -> None:
    split = Split(SplitKind.EXPANDING, folds=3)
    task = task_of(table(), tmp_path, features=("x",), time_column="when", group_column="part", split=split)
    found = train(task, tmp_path)
    rows = pq.read_table(found.rows).to_pandas()
    names = ["row", "fold", "part", "when", "part of the table", "observed", "predicted", "error", "absolute_error"]
    assert list(rows) == names == [column.name for column in found.outcome.rows.columns]
    assert len(rows) == found.outcome.rows.rows
    source = table()
    assert all(rows["when"] == [source["when"][number - 1] for number in rows["row"]])
    assert all(rows["part of the table"] == [source["part"][number - 1] for number in rows["row"]])
    for fold, one in rows.groupby("fold"):
        test, training = one[one["part"] == "test"], one[one["part"] == "train"]
        assert not set(test["row"]) & set(training["row"])
        assert max(training["when"]) < min(test["when"]), fold
    of_folds = rows[rows["part"] == "test"].groupby("fold")["error"].apply(lambda error: (error**2).mean() ** 0.5)
    assert of_folds.mean() == pytest.approx(found.outcome.metrics["test"]["rmse"])


def test_classes_say_how_sure_the_model_was(tmp_path: Path) -> None:
    task = task_of(table(), tmp_path, target="class", features=("x",), problem=Problem.BINARY)
    found = train(task, tmp_path)
    rows = pq.read_table(found.rows).to_pandas()
    assert list(rows) == ["row", "part", "observed", "predicted", "probability", "correct"]
    assert all((rows["observed"] == rows["predicted"]) == rows["correct"])
    assert rows["probability"].between(0.5, 1).all()
    test = rows[rows["part"] == "test"]
    assert test["correct"].mean() == pytest.approx(found.outcome.metrics["test"]["accuracy"])


def test_copies_of_training_rows_in_the_test_part_are_counted(tmp_path: Path) -> None:
    plain = {"x": np.arange(50.0), "kind": list("ab") * 25, "y": np.arange(50.0) % 7}
    plain["x"][3] = np.nan
    twice = {name: np.concatenate([values, values]) for name, values in plain.items()}
    split = Split(SplitKind.RANDOM, test_size=0.3)
    monitor = RecordingMonitor()
    found = train(task_of(twice, tmp_path, features=("x", "kind"), split=split), tmp_path, monitor)
    test = pq.read_table(found.rows).to_pandas().query("part == 'test'")["row"] % 50
    alone = set(test[test.duplicated(keep=False)])
    assert found.outcome.counts.twins == sum(number not in alone for number in test) > 0
    assert any("agree with a training row" in line for line in monitor.lines)
    assert train(task_of(plain, tmp_path, features=("x", "kind"), split=split), tmp_path).outcome.counts.twins == 0
