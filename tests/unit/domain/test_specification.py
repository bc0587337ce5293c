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
from hydroml.domain.experiments.treatment import treatments
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


PAST = {"columns": ["flow"], "lags": [1]}


@pytest.mark.parametrize(
    ("preparation", "changes", "place", "code"),
    [
        ({"past": [PAST]}, {}, ("preparation", "past", 0), "required"),
        ({"past": [{"columns": []}]}, {"time_column": "date"}, ("preparation", "past", 0), "required"),
        (
            {"past": [{"columns": ["flow"], "windows": [{"statistic": "mean", "rows": 7, "lag": 0}]}]},
            {"time_column": "date"}, ("preparation", "past", 0, "windows"), "leakage",
        ),
        (
            {"past": [PAST]},
            {"time_column": "date", "split": {"kind": "random", "reason": "curious"}}, ("split", "kind"), "leakage",
        ),
        (
            {"past": [{"columns": ["site"], "lags": [1]}]},
            {"time_column": "date"}, ("preparation", "past", 0, "columns"), "wrong_type",
        ),
        (
            {"groups": [{"columns": ["x"], "numbers": {}}]}, {}, ("preparation", "groups", 0, "columns"),
            "unknown_column",
        ),
        ({"groups": [{"columns": ["rain"], "texts": {}}]}, {}, ("preparation", "groups", 0, "texts"), "wrong_type"),
        ({"groups": [{"columns": ["site"], "numbers": {}}]}, {}, ("preparation", "groups", 0, "numbers"), "wrong_type"),
        ({"groups": [{"columns": ["rain"]}]}, {}, ("preparation", "groups", 0), "required"),
        ({"groups": [{"columns": ["rain"], "numbers": {}}] * 2}, {}, ("preparation", "groups", 1, "columns"), "taken"),
        (
            {"numbers": {"impute": "none"}},
            {"algorithm": {"name": "random_forest"}}, ("preparation", "numbers", "impute"), "missing_values",
        ),
        ({}, {"features": ["date"]}, ("features", 0), "wrong_type"),
    ],
)  # fmt: skip
def test_what_cannot_be_prepared_is_said_at_its_place(
    preparation: dict[str, Any], changes: dict[str, Any], place: tuple[str | int, ...], code: str
) -> None:
    faults = read_specification(document(preparation=preparation, **changes)).faults(COLUMNS)
    assert (place, code) in {(fault.loc, fault.code) for fault in faults}


def test_a_date_is_a_feature_once_parts_of_it_are_asked_for() -> None:
    specification = read_specification(document(time_column="date", preparation={"dates": {"parts": ["month"]}}))
    assert specification.faults(COLUMNS) == ()
    assert specification.resolved_features(COLUMNS) == ("date", "site", "rain")


def test_what_happens_to_each_column_is_said_in_words() -> None:
    numbers, window = {"transform": "log1p", "scale": "robust"}, {"statistic": "sum", "rows": 30, "lag": 2}
    preparation = {
        "dates": {"parts": ["month"], "cyclic": True},
        "groups": [{"name": "levels", "columns": ["rain"], "numbers": numbers}],
        "past": [{"columns": ["flow"], "lags": [1, 2], "windows": [window]}],
    }
    specification = read_specification(
        document(time_column="date", algorithm={"name": "random_forest"}, preparation=preparation)
    )
    assert {t.column: (t.group, t.words) for t in treatments(specification, COLUMNS)} == {
        "date": ("", "month, as sine and cosine where they come round"),
        "site": ("", "a column for each category, at most 30"),
        "rain": (
            "levels",
            "missing values become the median, marked in a column, its logarithm log(1 + x), scaled by its quartiles",
        ),
        "flow": ("", "its value 1 and 2 before; its sum over 30 moments up to 2 before"),
    }
