"""What a training takes is told before it starts, and where it is too much, what would do instead."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydroml.domain.experiments import cost
from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.preparation import Encoding, Preparation, Texts
from hydroml.domain.experiments.sizing import Sizing, alternatives
from hydroml.domain.experiments.specification import (
    AlgorithmChoice,
    Budget,
    Problem,
    Specification,
    Split,
    SplitKind,
)
from hydroml.domain.sources import Column, ColumnType, VersionId

GIGABYTE = 10**9
COLUMNS = (*(Column(f"x{i}", ColumnType.NUMBER) for i in range(8)), Column("site", ColumnType.TEXT))


def sizing(rows: int = 1_000_000, **changes: Any) -> Sizing:
    known: dict[str, Any] = {"distinct": {"site": 12}, "gaps": frozenset({"x0"})}
    settings = {"columns": COLUMNS, "problem": Problem.REGRESSION, "split": SplitKind.RANDOM, "threads": 2} | known
    return Sizing(rows=rows, usable=rows, **settings | changes)


def specification(**changes: Any) -> Specification:
    return Specification(name="x", version_id=VersionId(uuid4()), target="y", **changes)


def test_the_columns_after_preparation_are_counted() -> None:
    # eight numbers, the marks of the one with gaps, the text and its twelve categories
    assert sizing().estimate(specification()).columns == 8 + 1 + 1 + 12
    texts = Preparation(texts=Texts(encode=Encoding.FREQUENCY))
    assert sizing().estimate(specification(preparation=texts)).columns == 8 + 1 + 1
    unknown = sizing(distinct={}).estimate(specification())
    assert unknown.columns == 8 + 1 + 1 + Texts().max_categories


def test_fits_are_folds_and_repeats_and_the_one_that_is_kept() -> None:
    split = Split(SplitKind.KFOLD, folds=5, repeats=3)
    assert sizing(split=SplitKind.KFOLD).estimate(specification(split=split)).fits == 16
    assert sizing(split=SplitKind.EXPANDING).estimate(specification(split=split)).fits == 6
    assert sizing().estimate(specification(split=Split(validation=3))).fits == 4


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "automatic"])
@given(st.integers(100, 2_000_000), st.integers(2, 5))
def test_more_rows_never_take_less(name: str, rows: int, times: int) -> None:
    problem = Problem(ALGORITHMS[name].problems[0])
    classes = 2 if problem.is_classification else 0
    chosen = specification(algorithm=AlgorithmChoice(name))
    few, many = (sizing(n, problem=problem, classes=classes).estimate(chosen) for n in (rows, rows * times))
    assert 0 < few.matrix_bytes < few.memory_bytes < many.memory_bytes
    assert 0 < few.seconds[0] < few.seconds[1]
    assert few.seconds[0] < many.seconds[0]


def test_what_does_not_fit_is_refused_with_what_would() -> None:
    forest = specification(algorithm=AlgorithmChoice("random_forest"))
    [fault] = sizing().faults(forest, 3 * GIGABYTE)
    assert (fault.loc, fault.code) == (("algorithm", "name"), "memory")
    assert "and the limit is 3.0 GB" in fault.msg
    kinds = {
        one.kind
        for one in alternatives(forest, Problem.REGRESSION, 800_000)
        if not sizing().faults(one.specification, 3 * GIGABYTE)
    }
    assert kinds == {"algorithm", "rows", "size"}


def test_a_budget_too_short_is_refused_where_it_stands() -> None:
    boosted = specification(
        algorithm=AlgorithmChoice("hist_gradient_boosting", {"max_iter": 5_000}), budget=Budget(seconds=5)
    )
    [fault] = sizing().faults(boosted, 100 * GIGABYTE)
    assert (fault.loc, fault.code) == (("budget", "seconds"), "time")
    assert sizing().faults(replace(boosted, budget=Budget()), 100 * GIGABYTE) == ()
    # a search takes the time it is given
    assert sizing().faults(replace(boosted, algorithm=AlgorithmChoice("automatic")), 100 * GIGABYTE) == ()


def test_alternatives_give_up_as_little_as_they_can() -> None:
    nearest = specification(algorithm=AlgorithmChoice("k_nearest_neighbours"), split=Split(SplitKind.KFOLD))
    found = list(alternatives(nearest, Problem.REGRESSION, 1_000_000))
    rows = [one.specification.split.training_rows for one in found if one.kind == "rows"]
    assert rows[0] == ALGORITHMS["k_nearest_neighbours"].most_rows
    assert [one.specification.split.folds for one in found if one.kind == "folds"] == [3, 2]
    assert all(one.specification != nearest for one in found)
    assert not [one for one in alternatives(nearest, Problem.BINARY, 1_000) if "ridge" in str(one.changes)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ((0.2, 1.4), "about 1 to 1 second"),
        ((4, 70), "about 4 to 70 seconds"),
        ((50, 200), "about 50 seconds to 3 minutes"),
        ((120, 480), "about 2 to 8 minutes"),
        ((4_000, 16_000), "about 67 minutes to 4 hours"),
    ],
)
def test_times_are_said_as_people_would(seconds: tuple[float, float], words: str) -> None:
    estimate = cost.Estimate(1, 1, 1, 1, 1, seconds)
    assert estimate.words == words
