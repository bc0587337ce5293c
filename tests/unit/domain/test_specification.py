"""What is wrong with an experiment is said before it runs, at its place in the document."""

from typing import Any
from uuid import uuid4

import pytest

from hydroml.application.documents import read_specification, write_specification
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import (
    Problem,
    SplitKind,
    TargetSummary,
    resolve_problem,
    target_faults,
)
from hydroml.domain.sources import Column, ColumnType

COLUMNS = (
    Column("date", ColumnType.DATE),
    Column("site", ColumnType.TEXT),
    Column("rain", ColumnType.NUMBER),
    Column("flow", ColumnType.NUMBER),
)


def document(**changes: Any) -> dict[str, Any]:
    return {"name": "Flow", "version_id": str(uuid4()), "target": "flow"} | changes


def places(**changes: Any) -> set[tuple[str | int, ...]]:
    return {fault.loc for fault in read_specification(document(**changes)).faults(COLUMNS)}


def test_name_version_and_target_are_enough() -> None:
    specification = read_specification(document())
    assert specification.faults(COLUMNS) == ()
    assert specification.resolved_features(COLUMNS) == ("site", "rain")


def test_it_is_written_as_it_was_read() -> None:
    specification = read_specification(
        document(
            features=["rain"],
            time_column="date",
            split={"kind": "chronological", "test_size": 0.3, "gap": 0.05},
            algorithm={"name": "random_forest", "hyperparameters": {"n_estimators": 10, "max_depth": None}},
            metrics=["rmse"],
            seed=7,
            budget={"seconds": 60},
        )
    )
    assert read_specification(write_specification(specification)) == specification


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"target": "flo"}, ("target",)),
        ({"target": "date"}, ("target",)),
        ({"target": "site", "problem": "regression"}, ("target",)),
        ({"features": ["rain", "snow"]}, ("features", 1)),
        ({"features": ["flow"]}, ("features", 0)),
        ({"features": ["date"]}, ("features", 0)),
        ({"features": []}, ("features",)),
        ({"time_column": "site"}, ("time_column",)),
        ({"split": {"kind": "chronological"}}, ("time_column",)),
        ({"split": {"kind": "random"}, "time_column": "date"}, ("split", "reason")),
        ({"split": {"kind": "stratified"}, "problem": "regression"}, ("split", "kind")),
        ({"algorithm": {"name": "oracle"}}, ("algorithm", "name")),
        ({"algorithm": {"hyperparameters": {"depth": 1}}}, ("algorithm", "hyperparameters", "depth")),
        ({"algorithm": {"hyperparameters": {"max_iter": 0}}}, ("algorithm", "hyperparameters", "max_iter")),
        ({"algorithm": {"hyperparameters": {"max_iter": 1.5}}}, ("algorithm", "hyperparameters", "max_iter")),
        ({"algorithm": {"hyperparameters": {"learning_rate": "x"}}}, ("algorithm", "hyperparameters", "learning_rate")),
        ({"metrics": ["luck"]}, ("metrics", 0)),
    ],
)
def test_a_fault_names_its_place(changes: dict[str, Any], place: tuple[str | int, ...]) -> None:
    assert place in places(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"seed": -1},
        {"split": {"test_size": 0}},
        {"split": {"test_size": 0.6, "gap": 0.5}},
        {"budget": {"seconds": 0}},
        {"preparation": {"max_categories": 1}},
        {"colour": "blue"},
        {"version_id": "7"},
    ],
)
def test_a_malformed_document_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_specification(document(**changes))
    assert refusal.value.faults


def test_shuffling_a_time_series_needs_a_reason() -> None:
    assert places(split={"kind": "random", "reason": "to show its price"}, time_column="date") == set()


def test_a_time_column_means_a_chronological_split() -> None:
    specification = read_specification(document(time_column="date"))
    assert specification.split.resolve("date", Problem.REGRESSION) is SplitKind.CHRONOLOGICAL
    assert specification.split.resolve(None, Problem.BINARY) is SplitKind.STRATIFIED
    assert specification.split.resolve(None, Problem.REGRESSION) is SplitKind.RANDOM


@pytest.mark.parametrize(
    ("column", "distinct", "problem"),
    [
        (Column("y", ColumnType.NUMBER), 900, Problem.REGRESSION),
        (Column("y", ColumnType.INTEGER), 2, Problem.BINARY),
        (Column("y", ColumnType.BOOLEAN), 2, Problem.BINARY),
        (Column("y", ColumnType.TEXT), 5, Problem.MULTICLASS),
    ],
)
def test_the_problem_follows_from_the_target(column: Column, distinct: int, problem: Problem) -> None:
    assert resolve_problem(Problem.AUTO, column, TargetSummary(1000, 0, distinct, 10)) is problem


@pytest.mark.parametrize(
    ("problem", "summary", "code"),
    [
        (Problem.REGRESSION, TargetSummary(1000, 0, 1, 1000), "constant_target"),
        (Problem.REGRESSION, TargetSummary(1000, 995, 5, 1), "few_rows"),
        (Problem.BINARY, TargetSummary(1000, 0, 3, 10), "too_many_classes"),
        (Problem.MULTICLASS, TargetSummary(1000, 0, 500, 2), "too_many_classes"),
        (Problem.MULTICLASS, TargetSummary(1000, 0, 4, 1), "rare_class"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(problem: Problem, summary: TargetSummary, code: str) -> None:
    assert [fault.code for fault in target_faults(problem, "y", summary)] == [code]
