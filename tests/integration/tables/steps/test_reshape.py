"""Steps that give the table another shape."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    Aggregate,
    Derive,
    Filter,
    Pivot,
    Sort,
    SortKey,
    Statistic,
    Step,
    Summary,
    Transpose,
    Unpivot,
    Window,
    WindowFunction,
)
from tests.tables import Workshop

S = Statistic
ROWS = [
    {"site": "b", "day": "2020-01-02", "flow": 4.0, "n": 3, "ok": "true"},
    {"site": "a", "day": "2020-01-01", "flow": None, "n": 1, "ok": "false"},
    {"site": "b", "day": "2020-01-01", "flow": 1.5, "n": None, "ok": "true"},
    {"site": None, "day": "2020-01-03", "flow": 8.0, "n": 2, "ok": None},
    {"site": "a", "day": "2020-01-04", "flow": None, "n": 2, "ok": "true"},
]


def refused(workshop: Workshop, step: Step, rows: list[dict[str, Any]] = ROWS) -> InvalidInputError:
    """The refusal, when the step is added or when it runs."""
    with pytest.raises(InvalidInputError) as caught:
        workshop.rows(workshop.table(rows), step)
    return caught.value


def nothing(workshop: Workshop, *steps: Step) -> list[dict[str, Any]]:
    return workshop.rows(workshop.table(ROWS), Filter("n > 100"), *steps)


def test_groups_come_in_order_and_missing_is_one(workshop: Workshop) -> None:
    step = Aggregate(
        (Summary(S.MEAN, "flow"), Summary(S.COUNT, "flow"), Summary(S.COUNT, name="rows"), Summary(S.LAST, "day")),
        ("site",),
    )
    assert workshop.rows(workshop.table(ROWS), step) == [
        {"site": "a", "flow_mean": None, "flow_count": 0, "rows": 2, "day_last": "2020-01-04"},
        {"site": "b", "flow_mean": 2.75, "flow_count": 2, "rows": 2, "day_last": "2020-01-01"},
        {"site": None, "flow_mean": 8.0, "flow_count": 1, "rows": 1, "day_last": "2020-01-03"},
    ]
    assert nothing(workshop, step) == []


@pytest.mark.parametrize("statistic", [s for s in S if s is not S.QUANTILE])
def test_figures_are_those_of_pandas(workshop: Workshop, statistic: Statistic) -> None:
    rows = [{"k": f"é{i % 3}", "x": None if i % 7 == 0 else (i * 37 % 11) / 4} for i in range(40)]
    ours = workshop.rows(workshop.table(rows), Aggregate((Summary(statistic, "x"),), ("k",)))
    group = pd.DataFrame(rows).groupby("k")["x"]
    theirs = {
        S.COUNT_DISTINCT: lambda: group.nunique(),
        S.SHARE_MISSING: lambda: group.apply(lambda x: x.isna().mean()),
    }.get(statistic, lambda: group.agg(str(statistic)))()
    assert [row[f"x_{statistic}"] for row in ours] == pytest.approx(list(theirs), rel=1e-12)


def test_first_and_last_follow_the_order_of_rows(workshop: Workshop) -> None:
    table = workshop.table([{"t": t, "x": x} for t, x in ((3, None), (1, 10), (2, 20), (3, 30))])
    step = Aggregate((Summary(S.FIRST, "x"), Summary(S.LAST, "x")))
    assert workshop.rows(table, step) == [{"x_first": 10, "x_last": 30}]
    assert workshop.rows(table, Sort((SortKey("t", descending=True),)), step) == [{"x_first": 30, "x_last": 10}]


def test_types_of_figures(workshop: Workshop) -> None:
    rows = [
        {"i": 2, "d": "0.10", "big": "12345678901234567.25", "b": "true", "t": "é"},
        {"i": 3, "d": "0.20", "big": "1.25", "b": "false", "t": "a"},
    ]
    values = (
        Summary(S.SUM, "i"), Summary(S.MEAN, "i"), Summary(S.SUM, "big"), Summary(S.MEAN, "b"), Summary(S.SUM, "b"),
        Summary(S.MAX, "t"), Summary(S.QUANTILE, "i", 0.25), Summary(S.STD, "i", minimum=3),
    )  # fmt: skip
    table = workshop.table(rows)
    assert workshop.rows(table, Aggregate(values)) == [
        {"i_sum": 5, "i_mean": 2.5, "big_sum": "12345678901234568.50", "b_mean": 0.5, "b_sum": 1, "t_max": "é",
         "i_quantile": 2.25, "i_std": None}
    ]  # fmt: skip
    kinds = [c.type for c in workshop.engine.schema(table, (RecipeStep(Aggregate(values)),))]
    assert kinds == [
        ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL, ColumnType.NUMBER, ColumnType.INTEGER,
        ColumnType.TEXT, ColumnType.NUMBER, ColumnType.NUMBER,
    ]  # fmt: skip


def test_aggregate_of_nothing_is_one_row(workshop: Workshop) -> None:
    values = (Summary(S.COUNT), Summary(S.SUM, "flow"), Summary(S.SHARE_MISSING, "flow"))
    assert nothing(workshop, Aggregate(values)) == [{"rows_count": 0, "flow_sum": None, "flow_share_missing": None}]


def test_infinite_values_give_no_error(workshop: Workshop) -> None:
    table = workshop.table([{"x": 1.5}, {"x": 2.5}])
    steps = (Derive("x", "if(x < 2, number('inf'), number('-inf'))"),)
    values = tuple(Summary(s, "x") for s in (S.SUM, S.MEAN, S.STD, S.MEDIAN, S.MAX))
    assert list(workshop.rows(table, *steps, Aggregate(values))[0].values())[:4] == [None] * 4


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        (Aggregate((Summary(S.MEAN, "site"),)), ("values", 0, "column"), "“site” is text; the mean needs numbers"),
        (Aggregate((Summary(S.MEAN, "x"),)), ("values", 0, "column"), "no column “x”"),
        (Aggregate((Summary(S.MEAN, "n"),), ("x",)), ("groups", 0), "no column “x”"),
        (Aggregate((Summary(S.MEAN, "n", name="Site"),), ("site",)), ("values",), "two columns “Site”"),
        (Aggregate((Summary(S.MEAN, "n", name="rowid"),)), ("values",), "cannot be the name"),
        (Pivot(("site",), "x", "flow"), ("names",), "no column “x”"),
        (Pivot(("site",), "day", "site", S.MEDIAN), ("values",), "the median needs numbers"),
        (Unpivot(("flow", "site")), ("columns",), "number, text; change them to one type"),
        (Unpivot(("flow",), "site"), ("name_column",), "two columns “site”"),
        (Transpose("x"), ("names",), "no column “x”"),
        (Window(WindowFunction.SHARE, "n", "flow"), ("name",), "there is a column “n” already"),
        (Window(WindowFunction.SHARE, "s", "site"), ("column",), "needs numbers"),
        (Window(WindowFunction.RANK, "s", order=(SortKey("x"),)), ("order", 0, "column"), "no column"),
    ],
)
def test_refusals_name_the_place(workshop: Workshop, step: Step, place: tuple[Any, ...], words: str) -> None:
    error = refused(workshop, step)
    assert words in str(error)
    assert error.faults[0].loc == place


@pytest.mark.parametrize(
    "make",
    [
        lambda: Aggregate(()),
        lambda: Aggregate((Summary(S.MEAN),)),
        lambda: Aggregate((Summary(S.QUANTILE, "x", 1.5),)),
        lambda: Aggregate((Summary(S.MEAN, "x", minimum=0),)),
        lambda: Pivot((), "a", "b"),
        lambda: Pivot(("a",), "a", "b"),
        lambda: Unpivot(()),
        lambda: Unpivot(("a",), " "),
        lambda: Window(WindowFunction.RANK, "r"),
        lambda: Window(WindowFunction.RANK, "r", "x", order=(SortKey("x"),)),
        lambda: Window(WindowFunction.SHARE, "r"),
    ],
)
def test_parameters_are_checked(make: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make()
    assert caught.value.faults[0].loc


def test_pivot_makes_a_column_of_each_value(workshop: Workshop) -> None:
    table = workshop.table(ROWS)
    recipe = workshop.learnt(table, Pivot(("day",), "site", "flow", prefix="flow "))
    assert recipe[0].fitted == {"values": ["a", "b"]}
    assert workshop.view(View(table, recipe)) == [
        {"day": "2020-01-01", "flow a": None, "flow b": 1.5},
        {"day": "2020-01-02", "flow a": None, "flow b": 4.0},
        {"day": "2020-01-03", "flow a": None, "flow b": None},
        {"day": "2020-01-04", "flow a": None, "flow b": None},
    ]
    assert workshop.view(View(workshop.table([{"day": "2021-01-01", "site": "c", "flow": 2}]), recipe)) == [
        {"day": "2021-01-01", "flow a": None, "flow b": None}
    ]


@pytest.mark.parametrize(("names", "expected"), [("ok", ["false", "true"]), ("n", ["1", "2", "3"]),
                                                 ("day", ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]),
                                                 ("flow", ["1.5", "4.0", "8.0"])])  # fmt: skip
def test_pivot_by_values_of_any_type(workshop: Workshop, names: str, expected: list[str]) -> None:
    rows = workshop.rows(workshop.table(ROWS), Pivot(("site",), names, "n", S.COUNT))
    assert list(rows[0])[1:] == expected


def test_infinite_values_make_no_column(workshop: Workshop) -> None:
    steps = (Derive("x", "if(n = 1, number('inf'), n / 2)"), Pivot(("ok",), "x", "flow", S.COUNT))
    assert workshop.rows(workshop.table(ROWS), *steps) == [
        {"ok": False, "1.0": 0, "1.5": 0}, {"ok": True, "1.0": 0, "1.5": 1}, {"ok": None, "1.0": 1, "1.5": 0},
    ]  # fmt: skip


def test_pivot_is_bounded_and_needs_a_value(workshop: Workshop) -> None:
    many = [{"k": n, "v": 1, "r": 1} for n in range(501)]
    assert "more than 500 values" in str(refused(workshop, Pivot(("r",), "k", "v"), many))
    with pytest.raises(InvalidInputError, match="no value to make a column of"):
        nothing(workshop, Pivot(("site",), "day", "flow"))


def test_unpivot_unifies_without_loss(workshop: Workshop) -> None:
    table = workshop.table([{"id": "é", "a": 1, "b": 2.5}, {"id": "z", "a": None, "b": 3.5}])
    assert workshop.rows(table, Unpivot(("b", "a"), "which", "x")) == [
        {"id": "é", "which": "b", "x": 2.5},
        {"id": "é", "which": "a", "x": 1.0},
        {"id": "z", "which": "b", "x": 3.5},
    ]
    assert len(workshop.rows(table, Unpivot(("b", "a"), keep_missing=True))) == 4
    error = refused(workshop, Unpivot(("a", "b")), [{"a": 2**53 + 1, "b": 0.5}])
    assert "9007199254740993 is not exact as a number" in str(error)


cells = st.one_of(st.none(), st.integers(-3, 3))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8))
def test_pivot_undoes_unpivot(workshop: Workshop, rows: list[tuple[int | None, ...]]) -> None:
    # The first row makes every column an integer, and known once.
    given_ = [{"id": at, "a": a, "b": b, "c": c} for at, (a, b, c) in enumerate([(1, 2, 3), *rows])]
    table = workshop.table(given_)
    assert workshop.rows(table, Unpivot(("a", "b", "c"), keep_missing=True), Pivot(("id",), "name", "value")) == given_


def test_transpose_and_back(workshop: Workshop) -> None:
    table = workshop.table([{"site": "a", "x": 1, "y": 2.5}, {"site": "A", "x": None, "y": 4}, {"site": None, "x": 0}])
    turned = workshop.rows(table, Transpose("site"))
    assert turned == [
        {"column": "x", "a": 1.0, "A_2": None, "row_3": 0.0},
        {"column": "y", "a": 2.5, "A_2": 4.0, "row_3": None},
    ]
    back = workshop.rows(table, Transpose("site"), Transpose("column", name_column="site"))
    assert back == [
        {"site": "a", "x": 1.0, "y": 2.5}, {"site": "A_2", "x": None, "y": 4.0}, {"site": "row_3", "x": 0.0, "y": None},
    ]  # fmt: skip
    mixed = workshop.rows(workshop.table(ROWS[:2]), Transpose())
    assert mixed[0] == {"column": "site", "row_1": "b", "row_2": "a"}
    assert mixed[2] == {"column": "flow", "row_1": "4.0", "row_2": None}


def test_transpose_is_for_small_tables(workshop: Workshop) -> None:
    assert "more than 200 rows" in str(refused(workshop, Transpose(), [{"x": n} for n in range(201)]))
    with pytest.raises(InvalidInputError, match="the table has no rows"):
        nothing(workshop, Transpose())
    table = workshop.table([{"x": 1}, {"x": 2}])
    recipe = workshop.learnt(table, Transpose())
    with pytest.raises(InvalidInputError, match="has 3 rows, and 2 when the step was added"):
        workshop.view(View(workshop.table([{"x": n} for n in range(3)]), recipe))
    assert workshop.view(View(workshop.table([{"x": 7}]), recipe)) == [{"column": "x", "row_1": 7, "row_2": None}]


@pytest.mark.parametrize(
    ("function", "column", "expected"),
    [
        (WindowFunction.ROW_NUMBER, "", [1, 3, 2, 1, 2]),
        (WindowFunction.RANK, "", [1, 3, 2, 1, 1]),
        (WindowFunction.DENSE_RANK, "", [1, 3, 2, 1, 1]),
        (WindowFunction.CUMULATIVE_SUM, "x", [None, 8, 6, 3, 4]),
        (WindowFunction.CUMULATIVE_MEAN, "x", [None, 4.0, 6.0, 3.0, 2.0]),
        (WindowFunction.CUMULATIVE_MIN, "x", [None, 2, 6, 3, 1]),
        (WindowFunction.CUMULATIVE_MAX, "x", [None, 6, 6, 3, 3]),
        (WindowFunction.SHARE, "x", [None, 0.25, 0.75, 0.75, 0.25]),
        (WindowFunction.DEVIATION, "x", [None, -2.0, 2.0, 1.0, -1.0]),
    ],
)
def test_window_functions(workshop: Workshop, function: WindowFunction, column: str, expected: list[Any]) -> None:
    rows = [
        {"g": "a", "t": 1, "x": None}, {"g": "a", "t": None, "x": 2}, {"g": "a", "t": 2, "x": 6},
        {"g": None, "t": 5, "x": 3}, {"g": None, "t": 5, "x": 1},
    ]  # fmt: skip
    step = Window(function, "w", column, ("g",), (SortKey("t"),))
    assert workshop.column(workshop.table(rows), "w", step) == expected
    assert workshop.rows(workshop.table(rows), Filter("t > 100"), step) == []


def test_equal_rows_share_a_rank(workshop: Workshop) -> None:
    table = workshop.table([{"x": x} for x in (5, 3, 5, 9)])
    by = (SortKey("x", descending=True),)
    assert workshop.column(table, "r", Window(WindowFunction.RANK, "r", order=by)) == [2, 4, 2, 1]
    assert workshop.column(table, "r", Window(WindowFunction.DENSE_RANK, "r", order=by)) == [2, 3, 2, 1]


def test_share_of_nothing_is_missing(workshop: Workshop) -> None:
    table = workshop.table([{"x": 1}, {"x": -1}])
    assert workshop.column(table, "s", Window(WindowFunction.SHARE, "s", "x")) == [None, None]


def test_too_large_a_sum_is_refused_in_words(workshop: Workshop) -> None:
    rows = [{"x": 2**62}, {"x": 2**62}]
    assert "too large for its type" in str(refused(workshop, Aggregate((Summary(S.SUM, "x"),)), rows))
