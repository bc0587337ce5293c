"""Steps on series in time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    ConvertTimeZone,
    Filter,
    Period,
    Regularise,
    Resample,
    SeasonalDecompose,
    Statistic,
    Step,
    StepUnit,
    Summary,
    TimeStep,
)
from tests.tables import Workshop

S = Statistic
P = Period
MEAN, COUNT = Summary(S.MEAN, "q"), Summary(S.COUNT, "q")


def days(first: str, n: int, **cells: Any) -> list[dict[str, Any]]:
    start = date.fromisoformat(first)
    return [{"day": (start + timedelta(days=i)).isoformat(), "q": i, **cells} for i in range(n)]


@pytest.mark.parametrize(
    ("period", "rule"),
    [(P.DAY, "D"), (P.WEEK, "W-MON"), (P.MONTH, "MS"), (P.QUARTER, "QS"), (P.YEAR, "YS"), (P.WATER_YEAR, "YS-OCT"),
     (P.HOUR, "h")],
)  # fmt: skip
def test_resampled_as_pandas_does(workshop: Workshop, period: Period, rule: str) -> None:
    start = datetime(2019, 9, 27, 22, 30, tzinfo=UTC)
    step = timedelta(minutes=20) if period is P.HOUR else timedelta(hours=31)
    count = 30 if period is P.HOUR else 400
    rows = [
        {"t": (start + i * step).replace(tzinfo=None).isoformat(), "q": None if i % 9 == 0 else i % 13}
        for i in range(count)
        if i % 50 > 3
    ]
    values = (Summary(S.MEAN, "q"), Summary(S.COUNT, "q"), Summary(S.MAX, "q"), Summary(S.FIRST, "q"))
    ours = workshop.rows(workshop.table(rows), Resample("t", period, values))
    frame = pd.DataFrame(rows).assign(t=lambda f: pd.to_datetime(f["t"])).set_index("t")["q"]
    theirs = frame.resample(rule, closed="left", label="left").agg(["mean", "count", "max", "first"])
    assert [row["t"][:19] for row in ours] == [
        t.isoformat() if period is P.HOUR else t.date().isoformat() for t in theirs.index
    ]
    for name in ("mean", "count", "max", "first"):
        expected = [None if pd.isna(x) else x for x in theirs[name]]
        assert [row[f"q_{name}"] for row in ours] == pytest.approx(expected)


def test_periods_per_site_and_labels(workshop: Workshop) -> None:
    rows = [
        {"site": "é", "t": "2020-02-10T00:00:00", "q": 1}, {"site": None, "t": "2020-01-31T23:59:59", "q": 5},
        {"site": "é", "t": "2020-04-30T00:00:00", "q": None}, {"site": "é", "t": None, "q": 100},
    ]  # fmt: skip
    step = Resample("t", P.MONTH, (MEAN, COUNT, Summary(S.COUNT, name="rows")), ("site",), label="end")
    table = workshop.table(rows)
    assert workshop.rows(table, step) == [
        {"site": "é", "t": "2020-02-29", "q_mean": 1.0, "q_count": 1, "rows": 1},
        {"site": "é", "t": "2020-03-31", "q_mean": None, "q_count": 0, "rows": 0},
        {"site": "é", "t": "2020-04-30", "q_mean": None, "q_count": 0, "rows": 1},
        {"site": None, "t": "2020-01-31", "q_mean": 5.0, "q_count": 1, "rows": 1},
    ]
    assert workshop.rows(table, Filter("q > 1000"), step) == []
    assert workshop.rows(table, Filter("q = 100"), step) == []
    hours = workshop.rows(table, Filter("q = 1"), Resample("t", P.HOUR, (COUNT,), label="end"))
    assert hours == [{"t": "2020-02-10T01:00:00", "q_count": 1}]


@pytest.mark.parametrize(("month", "expected"), [(10, ["2019-10-01", "2020-10-01"]), (1, ["2020-01-01"]),
                                                 (11, ["2019-11-01"]), (4, ["2019-04-01", "2020-04-01"])])  # fmt: skip
def test_water_year_begins_where_it_is_said(workshop: Workshop, month: int, expected: list[str]) -> None:
    table = workshop.table([{"t": "2020-03-31", "q": 1}, {"t": "2020-10-01", "q": 2}])
    assert workshop.column(table, "t", Resample("t", P.WATER_YEAR, (MEAN,), start_month=month)) == expected


def test_incomplete_periods_are_missing(workshop: Workshop) -> None:
    rows = days("2020-01-01", 31 + 29 + 10)
    for at in (3, 4, 5, 40):
        rows[at]["q"] = None
    del rows[45]

    def means(completeness: float, step: TimeStep | None = None) -> list[Any]:
        shown = Resample("day", P.MONTH, (MEAN, COUNT), completeness=completeness, step=step)
        return [(row["q_mean"] is not None, row["q_count"]) for row in workshop.rows(workshop.table(rows), shown)]

    assert means(0.3) == [(True, 28), (True, 27), (True, 10)]
    assert means(0.92) == [(False, 28), (True, 27), (False, 10)]
    assert means(27 / 29) == [(False, 28), (True, 27), (False, 10)]
    assert means(1) == [(False, 28), (False, 27), (False, 10)]
    assert means(0.9, TimeStep(2, StepUnit.DAYS)) == [(True, 28), (True, 27), (False, 10)]
    assert means(0.9, TimeStep(12, StepUnit.HOURS)) == [(False, 28), (False, 27), (False, 10)]


def test_months_make_a_complete_year(workshop: Workshop) -> None:
    months = pd.date_range("2019-01-31", "2020-11-30", freq="ME")
    table = workshop.table([{"t": t.date().isoformat(), "q": 1} for t in months])
    assert workshop.column(table, "q_mean", Resample("t", P.YEAR, (MEAN,), completeness=1)) == [1.0, None]
    stated = Resample("t", P.YEAR, (MEAN,), completeness=0.9, step=TimeStep(1, StepUnit.MONTHS))
    assert workshop.column(table, "q_mean", stated) == [1.0, 1.0]


def test_completeness_of_each_site_by_its_own_step(workshop: Workshop) -> None:
    hourly = [{"site": "h", "t": f"2020-01-01T{h:02}:00:00", "q": h} for h in range(12)]
    sixes = [{"site": "s", "t": f"2020-01-01T{h:02}:00:00", "q": h} for h in (0, 6, 12, 18)]
    alone = [{"site": "x", "t": "2020-01-01T00:00:00", "q": 1}]
    step = Resample("t", P.DAY, (MEAN, COUNT), ("site",), completeness=0.75)
    rows = workshop.rows(workshop.table(hourly + sixes + alone), step)
    assert [(row["site"], row["q_mean"], row["q_count"]) for row in rows] == [
        ("h", None, 12), ("s", 9.0, 4), ("x", None, 1),
    ]  # fmt: skip


def test_names_of_columns_may_be_those_of_the_query(workshop: Workshop) -> None:
    rows = [{"first": "a", "months": f"2020-01-{d:02}", "n": d, "many": d, "t": d, "p": 1, "x": 2} for d in (1, 2, 4)]
    table = workshop.table(rows)
    step = Resample("months", P.DAY, (Summary(S.MEAN, "many"), Summary(S.SUM, "t", name="total")), ("first", "p"),
                    completeness=0.5)  # fmt: skip
    assert workshop.column(table, "total", step) == [1, 2, None, 4]
    assert workshop.column(table, "n", Regularise("months", ("first", "p", "x"))) == [1, 2, None, 4]
    assert len(workshop.rows(table, SeasonalDecompose("n", 2, order="months", groups=("p", "x")))) == 3


def test_regular_series_has_every_time(workshop: Workshop) -> None:
    rows = [
        {"q": 3, "t": "2020-01-05", "site": "b", "d": "0.10"}, {"q": 1, "t": "2020-01-01", "site": "b", "d": "0.20"},
        {"q": 9, "t": None, "site": "b", "d": None}, {"q": 2, "t": "2020-01-02", "site": "b", "d": None},
        {"q": 7, "t": "2020-03-01", "site": None, "d": None}, {"q": 8, "t": "2020-03-03", "site": None, "d": None},
    ]  # fmt: skip
    table = workshop.table(rows)
    found = workshop.rows(table, Regularise("t", ("site",)))
    assert [(row["site"], row["t"], row["q"]) for row in found] == [
        ("b", "2020-01-01", 1), ("b", "2020-01-02", 2), ("b", "2020-01-03", None), ("b", "2020-01-04", None),
        ("b", "2020-01-05", 3), ("b", None, 9), (None, "2020-03-01", 7), (None, "2020-03-03", 8),
    ]  # fmt: skip
    assert found[0] == {"q": 1, "t": "2020-01-01", "site": "b", "d": 0.2}
    stated = workshop.rows(table, Regularise("t", ("site",), TimeStep(1, StepUnit.DAYS)))
    assert len(stated) == 9
    assert workshop.rows(table, Filter("q > 100"), Regularise("t")) == []
    assert len(workshop.rows(table, Filter("q = 1"), Regularise("t"))) == 1


def test_times_between_the_steps_stay(workshop: Workshop) -> None:
    table = workshop.table([{"t": f"2020-01-01T{t}:00", "q": 1} for t in ("00:00", "01:00", "02:10", "04:00", "05:00")])
    assert workshop.column(table, "t", Regularise("t")) == [
        f"2020-01-01T{t}:00" for t in ("00:00", "01:00", "02:00", "02:10", "03:00", "04:00", "05:00")
    ]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (["2020-01-31", "2020-02-29", "2020-04-30", "2020-05-31"], "2020-03-31"),
        (["2020-01-15", "2020-02-15", "2020-04-15", "2020-05-15"], "2020-03-15"),
        (["2020-01-01", "2020-04-01", "2020-10-01", "2021-01-01"], "2020-07-01"),
        (["2016-07-01", "2017-07-01", "2019-07-01", "2020-07-01"], "2018-07-01"),
    ],
)
def test_calendar_steps_are_found(workshop: Workshop, given_: list[str], expected: str) -> None:
    rows = [{"t": t, "q": 1} for t in given_]
    added = [r["t"] for r in workshop.rows(workshop.table(rows), Regularise("t")) if r["q"] is None]
    assert added == [expected]


def test_times_that_occur_twice(workshop: Workshop) -> None:
    rows = [
        {"t": "2020-01-01", "q": 1, "note": None}, {"t": "2020-01-03", "q": 5, "note": "x"},
        {"t": "2020-01-01", "q": 2, "note": "é"}, {"t": None, "q": 7, "note": None}, {"t": None, "q": 8, "note": None},
        {"t": "2020-01-02", "q": None, "note": None},
    ]  # fmt: skip
    table = workshop.table(rows)
    with pytest.raises(InvalidInputError, match="2020-01-01 00:00:00 occurs more than once"):
        workshop.rows(table, Regularise("t"))
    assert workshop.column(table, "q", Regularise("t", duplicates="first")) == [1, None, 5, 7, 8]
    assert workshop.column(table, "q", Regularise("t", duplicates="last")) == [2, None, 5, 7, 8]
    mean = workshop.rows(table, Regularise("t", duplicates="mean"))
    assert [row["q"] for row in mean] == [1.5, None, 5.0, 7.0, 8.0]
    assert mean[0]["note"] == "é"


def test_far_off_times_are_refused(workshop: Workshop) -> None:
    table = workshop.table([{"t": "0001-01-01T00:00:00", "q": 1}, {"t": "2020-01-01T00:00:00", "q": 1}])
    for step in (Resample("t", P.HOUR, (MEAN,)), Regularise("t", step=TimeStep(1, StepUnit.SECONDS))):
        with pytest.raises(InvalidInputError, match="at most 10,000,000 are made; look for times that are far off"):
            workshop.rows(table, step)


def test_additive_decomposition_by_hand(workshop: Workshop) -> None:
    # trend 10 + t, season +3, -1, -2 at the three places: an odd period, whose average is the trend itself.
    season = [3, -1, -2]
    rows = [{"t": t, "q": 10 + t + season[t % 3]} for t in range(9)]
    found = workshop.rows(workshop.table(rows[::-1]), SeasonalDecompose("q", 3, order="t"))[::-1]
    assert [row["q_trend"] for row in found] == pytest.approx([None, *(10.0 + t for t in range(1, 8)), None])
    assert [row["q_seasonal"] for row in found] == pytest.approx([float(season[t % 3]) for t in range(9)])
    assert [row["q_residual"] for row in found] == pytest.approx([None, *[0.0] * 7, None], abs=1e-12)


def test_multiplicative_decomposition_by_hand(workshop: Workshop) -> None:
    # An even period of 2: the trend at t is (x[t-1] + 2 x[t] + x[t+1]) / 4.
    rows = [{"g": g, "q": q} for g in "ab" for q in (2.0, 6.0, 2.0, 6.0, 4.0)]
    found = workshop.rows(workshop.table(rows), SeasonalDecompose("q", 2, "multiplicative", groups=("g",)))
    trend = [None, 4.0, 4.0, 4.5, None]
    # detrended: 1.5, 0.5, 4/3; the means 0.5 and 17/12 have the mean 23/24
    seasonal = [0.5 / (23 / 24), (17 / 12) / (23 / 24)]
    assert [row["q_trend"] for row in found] == pytest.approx(trend * 2)
    assert [row["q_seasonal"] for row in found[:5]] == pytest.approx([seasonal[t % 2] for t in range(5)])
    assert found[1]["q_residual"] == pytest.approx(6 / (4 * seasonal[1]))
    assert found[0]["q_residual"] is None
    with pytest.raises(InvalidInputError, match="needs values above 0, and there is 0"):
        workshop.rows(workshop.table([{"q": 0}, {"q": 1}, {"q": 2}]), SeasonalDecompose("q", 2, "multiplicative"))


def test_decomposition_of_too_little_is_missing(workshop: Workshop) -> None:
    table = workshop.table([{"q": q} for q in (1, 2, 3, None, 5, 6)])
    found = workshop.rows(table, SeasonalDecompose("q", 3))
    assert [row["q_trend"] for row in found] == [None, 2.0, None, None, None, None]
    assert [row["q_seasonal"] for row in found] == [None] * 6
    assert workshop.rows(table, Filter("q > 100"), SeasonalDecompose("q", 3)) == []


PARIS = [
    {"t": t}
    for t in (
        "2020-01-01T12:00:00", "2020-07-01T12:00:00", "2020-03-29T02:30:00", "2020-10-25T02:30:00", None,
        "2020-03-29T03:00:00", "2020-10-25T03:00:00", "2020-10-25T01:59:59",
    )
]  # fmt: skip


def test_summer_time_has_a_gap_and_an_overlap(workshop: Workshop) -> None:
    table = workshop.table(PARIS)
    step = ConvertTimeZone("t", "Europe/Paris", "UTC", into="utc", flag="fault")
    assert [(row["utc"], row["fault"]) for row in workshop.rows(table, step)] == [
        ("2020-01-01T11:00:00", None), ("2020-07-01T10:00:00", None), ("2020-03-29T01:30:00", "gap"),
        ("2020-10-25T00:30:00", "overlap"), (None, None), ("2020-03-29T01:00:00", None), ("2020-10-25T02:00:00", None),
        ("2020-10-24T23:59:59", None),
    ]  # fmt: skip
    later = workshop.column(table, "t", ConvertTimeZone("t", "Europe/Paris", overlap="later"))
    assert later[3] == "2020-10-25T01:30:00"
    shifted = workshop.column(table, "t", ConvertTimeZone("t", "UTC", "Asia/Kolkata"))
    assert shifted[0] == "2020-01-01T17:30:00"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    zone=st.sampled_from(["America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Europe/London", "Asia/Kolkata"]),
    hours=st.lists(st.integers(0, 24 * 365 * 2), min_size=1, max_size=50),
)
def test_clock_and_back_is_the_moment(workshop: Workshop, zone: str, hours: list[int]) -> None:
    moments = [datetime(2010, 6, 1, tzinfo=UTC) + timedelta(hours=h / 2) for h in hours]
    table = workshop.table([{"t": m.replace(tzinfo=None).isoformat(), "n": n} for n, m in enumerate(moments)])
    there = workshop.rows(table, ConvertTimeZone("t", "UTC", zone, into="local"))
    clock = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat() for m in moments]
    assert [row["local"] for row in there] == clock
    for overlap in ("earlier", "later"):
        back = workshop.rows(table, ConvertTimeZone("t", "UTC", zone, into="local"),
                             ConvertTimeZone("local", zone, "UTC", overlap, flag="f"))  # fmt: skip
        assert {row["f"] for row in back} <= {None, "overlap"}
        assert all(row["local"] == row["t"] for row in back if row["f"] is None)


def test_time_zones_are_replayed_on_a_row(workshop: Workshop) -> None:
    table = workshop.table(PARIS)
    recipe = (RecipeStep(ConvertTimeZone("t", "Europe/Paris", into="utc")),)
    assert workshop.engine.replay(table.columns, recipe, PARIS) == workshop.view(View(table, recipe))


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        (Resample("q", P.DAY, (MEAN,)), ("time",), "“q” is integer; choose a date or timestamp"),
        (Resample("day", P.DAY, (MEAN,), ("day",)), ("time",), "one of the groups"),
        (Resample("day", P.DAY, (MEAN,), ("x",)), ("groups", 0), "no column “x”"),
        (Resample("day", P.DAY, (Summary(S.MEAN, "q", name="day"),)), ("values",), "two columns “day”"),
        (Resample("day", P.DAY, (Summary(S.MEAN, "s"),)), ("values", 0, "column"), "needs numbers"),
        (Regularise("day", step=TimeStep(1, StepUnit.HOURS)), ("step",), "holds dates"),
        (Regularise("s"), ("time",), "is text"),
        (SeasonalDecompose("s", 3), ("column",), "needs numbers"),
        (SeasonalDecompose("q", 3, order="x"), ("order",), "no column “x”"),
        (ConvertTimeZone("day"), ("column",), "time zones are of timestamps"),
        (ConvertTimeZone("at", "Europe/Pari"), ("source",), "there is no time zone “Europe/Pari”"),
        (ConvertTimeZone("at", "UTC", "'; --"), ("target",), "there is no time zone"),
        (ConvertTimeZone("at", into="s"), ("into",), "a column “s” already"),
        (ConvertTimeZone("at", flag="q"), ("flag",), "a column “q” already"),
    ],
)
def test_refusals_name_the_place(workshop: Workshop, step: Step, place: tuple[Any, ...], words: str) -> None:
    table = workshop.table([{"day": "2020-01-01", "at": "2020-01-01T00:00:00", "q": 1, "s": "é"}])
    with pytest.raises(InvalidInputError, match=words) as caught:
        workshop.engine.schema(table, (RecipeStep(step),))
    assert caught.value.faults[0].loc == place


@pytest.mark.parametrize(
    "make",
    [
        lambda: Resample("t", P.DAY, ()),
        lambda: Resample("t", P.DAY, (MEAN,), completeness=1.1),
        lambda: Resample("t", P.WATER_YEAR, (MEAN,), start_month=13),
        lambda: Resample("t", P.DAY, (MEAN,), step=TimeStep(0, StepUnit.DAYS)),
        lambda: Regularise("t", step=TimeStep(10**9, StepUnit.YEARS)),
        lambda: SeasonalDecompose("q", 1),
        lambda: ConvertTimeZone("t", " "),
        lambda: ConvertTimeZone("t", into="a", flag="a"),
    ],
)
def test_parameters_are_checked(make: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make()
    assert caught.value.faults[0].loc


def test_types_after_resampling(workshop: Workshop) -> None:
    table = workshop.table(days("2020-01-01", 3))
    for period, kind in ((P.HOUR, ColumnType.TIMESTAMP), (P.MONTH, ColumnType.DATE)):
        columns = workshop.engine.schema(table, (RecipeStep(Resample("day", period, (MEAN, COUNT))),))
        assert [c.type for c in columns] == [kind, ColumnType.NUMBER, ColumnType.INTEGER]
