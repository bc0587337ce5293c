"""Which of several runs is best in what, where they differ, and when they must not be compared."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from hydroml.domain.experiments.comparison import metric_rows, obstacles, settings
from hydroml.domain.experiments.runs import Counts, ExperimentId, Outcome, Run, RunId
from hydroml.domain.experiments.specification import Specification, Split, SplitKind
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId

SPECIFICATION = Specification(name="Flow", version_id=VersionId(uuid4()), target="flow", time_column="day")


def run(split: str = "chronological", test: int = 20, problem: str = "regression", **changes: Any) -> Run:
    metrics = changes.pop("metrics", {})
    outcome = Outcome(
        problem=problem,
        split=split,
        parameters={},
        metrics={"test": metrics},
        intervals={"rmse": (0.1, 0.2)},
        baselines={},
        counts=Counts(100, 100, 0, 100 - test, test),
        features=(),
    )
    return Run(
        id=RunId(uuid4()),
        experiment_id=ExperimentId(uuid4()),
        project_id=ProjectId(uuid4()),
        specification=replace(SPECIFICATION, **changes),
        outcome=outcome,
        created_by=UserId(uuid4()),
        created_at=datetime.now(UTC),
    )


def test_the_best_is_the_best_by_the_metrics_own_direction() -> None:
    given = [
        {"rmse": 2.0, "nse": 0.5, "pbias": -1.0, "kge_beta": 1.5, "mine": 1.0},
        {"rmse": 1.0, "nse": 0.5, "pbias": 3.0, "kge_beta": 0.8, "mine": 2.0},
        {"rmse": 1.0, "nse": float("nan"), "kge_beta": 1.3},
    ]
    rows = metric_rows([run(metrics=metrics) for metrics in given])
    assert [(row.name, row.best) for row in rows] == [
        ("rmse", (1, 2)),
        ("pbias", (0,)),
        ("nse", ()),
        ("kge_beta", (1,)),
        ("mine", ()),
    ]
    assert rows[2].values == (0.5, 0.5, None)
    assert rows[0].intervals == ((0.1, 0.2),) * 3


def test_settings_differ_or_are_the_same() -> None:
    differ, same = settings([{"a": {"b": 1, "c": [1, 2]}, "d": None}, {"a": {"b": 1, "c": [2, 1]}, "d": 0, "e": 3}])
    assert [(row.place, row.values) for row in differ] == [
        ("a.c", ([1, 2], [2, 1])),
        ("d", (None, 0)),
        ("e", (None, 3)),
    ]
    assert [row.place for row in same] == ["a.b"]


SHUFFLED = {"split": "random", "time_column": None}


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({"seed": 1}, {"seed": 2}, None),  # time decides which rows test
        ({"seed": 1, **SHUFFLED}, {"seed": 2, **SHUFFLED}, "seed"),
        ({}, {"target": "level"}, "target"),
        ({}, {"version_id": VersionId(uuid4())}, "version"),
        ({}, SHUFFLED, "split"),
        ({}, {"time_column": "moment"}, "split"),
        ({"group_column": "a"}, {"group_column": "b"}, None),
        ({"split": "group", "group_column": "a"}, {"split": "group", "group_column": "b"}, "split"),
        ({"split_": Split(SplitKind.KFOLD, folds=5), "split": "kfold"},
         {"split_": Split(SplitKind.KFOLD, folds=3), "split": "kfold"}, "split"),
        ({}, {"problem": "binary"}, "problem"),
        ({}, {"test": 19}, "rows"),
    ],
)  # fmt: skip
def test_what_must_not_be_compared_is_told(first: dict[str, Any], second: dict[str, Any], code: str | None) -> None:
    runs = []
    for given in (first, second):
        wanted = dict(given)
        made = run(**{name: value for name, value in wanted.items() if name != "split_"})
        if "split_" in wanted:
            made.specification = replace(made.specification, split=wanted["split_"])
        runs.append(made)
    assert [one.code for one in obstacles(runs)] == ([] if code is None else [code])


def test_a_run_without_a_result_is_told() -> None:
    waiting = run()
    waiting.outcome = None
    assert [one.code for one in obstacles([run(), waiting])] == ["unfinished"]
