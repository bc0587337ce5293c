"""Steps that look at the rows around a row."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    Difference,
    Expanding,
    Filter,
    LagLead,
    Rolling,
    Sort,
    SortKey,
    SpanUnit,
    Statistic,
    Step,
)
from tests.tables import Workshop

S = Statistic
DAYS = [
    {"site": site, "day": day, "q": q}
    for site, day, q in (
        ("a", "2020-01-03", 4), ("b", "2020-01-01", 7), ("a", "2020-01-01", 1), ("a", None, 9),
        ("a", "2020-01-06", None), ("b", "2020-01-03", 8), ("a", "2020-01-02", 2),
    )
]  # fmt: skip


def added(workshop: Workshop, step: Step, rows: list[dict[str, Any]] = DAYS) -> list[Any]:
    """The last column."""
    return [list(row.values())[-1] for row in workshop.rows(workshop.table(rows), step)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (LagLead(("q",)), [None, 4, 7, 1, 9, None, 8]),
        (LagLead(("q",), order="day", groups=("site",)), [2, None, None, None, 4, 7, 1]),
        (LagLead(("q",), (2,), "lead", order="day", groups=("site",)), [9, None, 4, None, None, None, None]),
        (LagLead(("q",), (1,), "lag", SpanUnit.DAYS, "day", ("site",)), [2, None, None, None, None, None, 1]),
        (LagLead(("q",), (48,), "lead", SpanUnit.HOURS, "day", ("site",)), [None, 8, 4, None, None, None, None]),
        (LagLead(("q",), (1,), "lag", SpanUnit.WEEKS, "day"), [None] * 7),
        (Difference(("q",), order="day", groups=("site",)), [2, None, None, None, None, 1, 1]),
        (Difference(("q",), 2, order="day", groups=("site",)), [3, None, None, 5, None, None, None]),
        (Difference(("q",), percentage=True, order="day", groups=("site",)),
         [100.0, None, None, None, None, pytest.approx(100 / 7), 100.0]),
        (Rolling(("q",), 2, S.SUM, order="day", groups=("site",)), [6, 7, 1, 9, 4, 15, 3]),
        (Rolling(("q",), 2, S.SUM, minimum=2, order="day", groups=("site",)), [6, None, None, None, None, 15, 3]),
        (Rolling(("q",), 3, S.COUNT, centred=True, order="day", groups=("site",)), [2, 2, 2, 1, 2, 2, 3]),
        (Rolling(("q",), 2, S.SUM, unit=SpanUnit.DAYS, order="day", groups=("site",)), [6, 7, 1, None, None, 8, 3]),
        (Rolling(("q",), 2, S.MAX, unit=SpanUnit.DAYS, order="day"), [8, 7, 7, None, None, 8, 7]),
        (Rolling(("q",), 2, S.MAX, unit=SpanUnit.DAYS, centred=True, order="day", groups=("site",)),
         [4, 7, 2, None, None, 8, 4]),
        (Expanding(("q",), S.MEAN, order="day", groups=("site",)),
         [pytest.approx(7 / 3), 7.0, 1.0, 4.0, pytest.approx(7 / 3), 7.5, 1.5]),
        (Expanding(("q",), S.COUNT, groups=("site",)), [1, 1, 2, 3, 3, 2, 4]),
    ],
)  # fmt: skip
def test_rows_around_a_row(workshop: Workshop, step: Step, expected: list[Any]) -> None:
    assert added(workshop, step) == expected
    table = workshop.table(DAYS)
    assert workshop.rows(table, Filter("q > 100"), step) == []
    assert [row["q"] for row in workshop.rows(table, step)] == [row["q"] for row in DAYS]


def test_order_of_the_table_is_that_of_an_earlier_sort(workshop: Workshop) -> None:
    rows = workshop.rows(workshop.table(DAYS), Sort((SortKey("q", descending=True),)), LagLead(("q",)))
    assert [row["q"] for row in rows] == [9, 8, 7, 4, 2, 1, None]
    assert [row["q_lag_1"] for row in rows] == [None, 9, 8, 7, 4, 2, 1]
    by_time = LagLead(("q",), (1, 2), "lag", SpanUnit.DAYS, "day")
    rows = workshop.rows(workshop.table(DAYS), Sort((SortKey("q"),)), by_time)
    assert [(row["q"], row["q_lag_1_days"], row["q_lag_2_days"]) for row in rows] == [
        (1, None, None), (2, 7, None), (4, 2, 7), (7, None, None), (8, 2, 7), (9, None, None), (None, None, None),
    ]  # fmt: skip


def test_times_that_occur_twice(workshop: Workshop) -> None:
    rows = [{"t": f"2020-01-0{d} 00:00:00", "x": x} for d, x in ((1, 1), (1, 2), (1, None), (2, 3), (2, 4))]
    step = LagLead(("x",), (1,), "lag", SpanUnit.DAYS, "t")
    assert added(workshop, step, rows) == [None, None, None, 2, 2]
    assert added(workshop, Rolling(("x",), 1, S.SUM, unit=SpanUnit.DAYS, order="t"), rows) == [3, 3, 3, 7, 7]
    assert added(workshop, LagLead(("x",), order="t"), rows) == [None, 1, 2, None, 3]


def test_decimals_stay_exact_and_text_can_lag(workshop: Workshop) -> None:
    rows = [{"x": "0.1000000000000000001", "s": "é"}, {"x": "0.3000000000000000002", "s": None}]
    table = workshop.table(rows)
    assert workshop.column(table, "x_change", Difference(("x",))) == [None, "0.2000000000000000001"]
    assert workshop.column(table, "s_lag_1", LagLead(("s",))) == [None, "é"]
    columns = workshop.engine.schema(table, (RecipeStep(Rolling(("x",), 2, S.SUM)),))
    assert columns[-1].type is ColumnType.DECIMAL


def test_percentage_of_zero_is_missing(workshop: Workshop) -> None:
    assert added(workshop, Difference(("x",), percentage=True), [{"x": 0}, {"x": 5}, {"x": -5}]) == [None, None, -200.0]


values = st.one_of(st.none(), st.floats(-100, 100).map(lambda x: round(x, 3)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    series=st.lists(st.tuples(values, st.integers(0, 3), st.booleans()), min_size=1, max_size=25),
    window=st.integers(1, 6),
    statistic=st.sampled_from([S.MEAN, S.SUM, S.MIN, S.MAX, S.MEDIAN, S.STD, S.COUNT]),
    centred=st.booleans(),
    minimum=st.integers(1, 3),
)
def test_rolling_is_that_of_pandas(
    workshop: Workshop,
    series: list[tuple[float | None, int, bool]],
    window: int,
    statistic: Statistic,
    centred: bool,
    minimum: int,
) -> None:
    start, hours = datetime(2020, 1, 1), 0  # noqa: DTZ001 - times of a table have no zone
    rows: list[dict[str, Any]] = []
    for x, gap, other in series:
        hours += gap + 1
        rows.append({"t": (start + timedelta(hours=hours)).isoformat(), "g": "b" if other else "a", "x": x})
    table = workshop.table([{"t": "1999-01-01T00:00:00", "g": "z", "x": 0.5}, *rows])
    frame = pd.DataFrame(rows).assign(t=lambda f: pd.to_datetime(f["t"]), x=lambda f: f["x"].astype(float))
    minimum = min(minimum, window)
    least = 0 if statistic is S.COUNT else minimum
    grouped = frame.set_index("t").groupby("g")["x"]
    for unit, size in ((SpanUnit.ROWS, window), (SpanUnit.HOURS, f"{window}h")):
        step = Rolling(("x",), window, statistic, unit=unit, centred=centred, minimum=minimum, order="t", groups=("g",))  # type: ignore[arg-type]
        ours = {row["t"]: list(row.values())[-1] for row in workshop.rows(table, step)[1:]}
        theirs = getattr(grouped.rolling(size, min_periods=least, center=centred), str(statistic))()
        expected = {t.isoformat(): None if pd.isna(x) else x for (_, t), x in theirs.items()}
        assert ours == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        (LagLead(("x",)), ("columns", 0), "no column “x”"),
        (LagLead(("q",), order="x"), ("order",), "no column “x”"),
        (LagLead(("q",), groups=("x",)), ("groups", 0), "no column “x”"),
        (LagLead(("q",), unit=SpanUnit.DAYS, order="site"), ("order",), "days are counted in a date or timestamp"),
        (Rolling(("site",), 2), ("columns", 0), "“site” is text; this needs numbers"),
        (Expanding(("day",)), ("columns", 0), "needs numbers"),
        (Difference(("site",)), ("columns", 0), "needs numbers"),
    ],
)
def test_refusals_name_the_place(workshop: Workshop, step: Step, place: tuple[Any, ...], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        workshop.engine.schema(workshop.table(DAYS), (RecipeStep(step),))
    assert caught.value.faults[0].loc == place


def test_new_columns_must_be_free(workshop: Workshop) -> None:
    with pytest.raises(InvalidInputError, match="there is a column “q_lag_1” already"):
        workshop.rows(workshop.table(DAYS), LagLead(("q",)), LagLead(("q",)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: LagLead(()),
        lambda: LagLead(("x",), ()),
        lambda: LagLead(("x",), (0,)),
        lambda: LagLead(("x",), tuple(range(1, 502))),
        lambda: LagLead(("x",), unit=SpanUnit.DAYS),
        lambda: Difference(("x",), 0),
        lambda: Rolling(("x",), 0),
        lambda: Rolling(("x",), 10**9),
        lambda: Rolling(("x",), 3, unit=SpanUnit.HOURS),
        lambda: Rolling(("x",), 3, S.QUANTILE, 2),
        lambda: Rolling(("x",), 3, minimum=4),
        lambda: Expanding(("x",), minimum=0),
    ],
)
def test_parameters_are_checked(make: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make()
    assert caught.value.faults[0].loc
