"""What single kinds of step give: beside pandas, NumPy and SciPy where they do the same, by hand where they do not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy import stats

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio import steps
from hydroml.domain.studio.steps import FillMethod, SortKey, Step
from hydroml.domain.studio.steps.columns import Renaming
from hydroml.domain.studio.steps.dates import Part
from hydroml.domain.studio.steps.outliers import Bounds, Treatment
from hydroml.domain.studio.steps.rows import End, Keep
from hydroml.domain.studio.steps.scaling import Encoding, Scaling
from hydroml.domain.studio.steps.texts import Case
from hydroml.domain.studio.steps.values import Binning, Mapping, Misfit, Rest
from tests.tables import Workshop

LARGEST = "9223372036854775807.000000000"
X = [0.5, None, -3.25, 8.0, None, None, 2.0, 100.0, 0.0, 1.75]
G = ["a", "a", "b", "a", "b", "b", "a", "b", "a", "b"]
XG = [{"x": x, "g": g, "i": i} for i, (x, g) in enumerate(zip(X, G, strict=True))]
FRAME = pd.DataFrame({"x": pd.array(X, dtype="Float64"), "g": G, "i": range(len(X))})


def values(workshop: Workshop, *applied: Step, rows: list[dict[str, Any]] = XG, name: str = "x") -> list[Any]:
    return workshop.column(workshop.table(rows), name, *applied)


def plain(series: Any) -> list[Any]:
    return [None if pd.isna(value) else value for value in series.tolist()]


def near(found: list[Any], expected: Any) -> None:
    assert [value is None for value in found] == [value is None for value in expected]
    np.testing.assert_allclose(
        [v for v in found if v is not None], [v for v in expected if v is not None], rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize(("keep", "pandas"), [(Keep.FIRST, "first"), (Keep.LAST, "last"), (Keep.NONE, False)])
def test_duplicates(workshop: Workshop, keep: Keep, pandas: Any) -> None:
    rows = [{"k": k, "n": n} for n, k in enumerate(["a", None, "b", "a", None, "c"])]
    expected = pd.DataFrame(rows).drop_duplicates("k", keep=pandas)["n"].tolist()
    assert values(workshop, steps.DropDuplicates(("k",), keep), rows=rows, name="n") == expected


def test_the_latest_of_each_is_kept_in_the_order_of_rows(workshop: Workshop) -> None:
    rows = [{"k": k, "t": t} for k, t in [("a", 3), ("b", None), ("a", 9), ("b", 2), ("a", 9)]]
    assert values(workshop, steps.DropDuplicates(("k",), Keep.LAST, "t"), rows=rows, name="t") == [2, 9]
    ordered = (steps.Sort((SortKey("t", descending=True),)), steps.DropDuplicates(("k",)))
    assert values(workshop, *ordered, rows=rows, name="t") == [9, 2]


def test_samples_are_the_same_each_time_and_of_the_size_asked_for(workshop: Workshop) -> None:
    rows = [{"n": n} for n in range(2_000)]
    table = workshop.table(rows)
    first = workshop.column(table, "n", steps.Sample(rows=100, seed=1))
    assert first == workshop.column(table, "n", steps.Sample(rows=100, seed=1)) == sorted(first)
    assert len(first) == 100
    assert first != workshop.column(table, "n", steps.Sample(rows=100, seed=2))
    share = workshop.column(table, "n", steps.Sample(share=0.25))
    assert 400 < len(share) < 600
    assert workshop.column(table, "n", steps.Sample(share=1.0)) == list(range(2_000))


def test_limits_from_both_ends(workshop: Workshop) -> None:
    assert values(workshop, steps.Limit(3, skip=2), name="i") == [2, 3, 4]
    assert values(workshop, steps.Limit(2, End.LAST, skip=1), name="i") == [7, 8]
    assert values(workshop, steps.Sort((SortKey("x"),)), steps.Limit(2), name="i") == [2, 8]


@pytest.mark.parametrize("method", [FillMethod.PREVIOUS, FillMethod.NEXT])
@pytest.mark.parametrize("groups", [(), ("g",)])
def test_filling_from_the_neighbours(workshop: Workshop, method: FillMethod, groups: tuple[str, ...]) -> None:
    series = FRAME.groupby("g")["x"] if groups else FRAME["x"]
    expected = plain(series.ffill() if method is FillMethod.PREVIOUS else series.bfill())
    assert values(workshop, steps.FillMissing(("x",), method, groups=groups)) == expected


def test_lines_are_drawn_within_and_never_beyond(workshop: Workshop) -> None:
    rows = [{"x": x, "t": t} for x, t in zip([None, 1, None, None, 4, None], [0, 10, 20, 40, 50, 60], strict=True)]
    assert values(workshop, steps.FillMissing(("x",), FillMethod.LINEAR), rows=rows) == [None, 1, 2, 3, 4, None]
    near(values(workshop, steps.FillMissing(("x",), FillMethod.LINEAR, order_by="t"), rows=rows),
         [None, 1, 1.75, 3.25, 4, None])  # fmt: skip
    longest = steps.FillMissing(("x",), FillMethod.LINEAR, max_gap=1, flag=True)
    assert values(workshop, longest, rows=rows) == [None, 1, None, None, 4, None]
    assert values(workshop, longest, rows=rows, name="x_filled") == [False] * 6


def test_a_gap_is_as_long_as_all_of_it(workshop: Workshop) -> None:
    rows = [{"x": x, "i": i} for i, x in enumerate([None, 1, None, None, 2, None, None])]
    for method, expected in (
        (FillMethod.PREVIOUS, [None, 1, 1, 1, 2, 2, 2]),
        (FillMethod.NEXT, [1, 1, 2, 2, 2, None, None]),
    ):
        assert values(workshop, steps.FillMissing(("x",), method, max_gap=2), rows=rows) == expected
        short = [expected[at] if at == 0 and method is FillMethod.NEXT else x["x"] for at, x in enumerate(rows)]
        assert values(workshop, steps.FillMissing(("x",), method, max_gap=1), rows=rows) == short


def test_lines_follow_dates_and_need_numbers(workshop: Workshop) -> None:
    rows = [{"x": x, "d": d, "s": "t"} for x, d in [(4, "2020-03-01"), (1, "2020-02-27"), (None, "2020-02-28")]]
    near(values(workshop, steps.FillMissing(("x",), FillMethod.LINEAR, order_by="d"), rows=rows), [4, 1, 2])
    for bad, place in ((("s",), "columns"), (("x",), "order_by")):
        order = "s" if place == "order_by" else None
        with pytest.raises(InvalidInputError) as refused:
            values(workshop, steps.FillMissing(bad, FillMethod.LINEAR, order_by=order), rows=rows)
        assert refused.value.faults[0].loc[0] == place


known = [x for x in X if x is not None]
FENCES = ((0.25, -1.5), (0.75, 1.5))


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [
        (steps.Outliers(("x",)), *(np.quantile(known, q) + f * stats.iqr(known) for q, f in FENCES)),
        (steps.Outliers(("x",), Bounds.Z_SCORE, 2.0), *(np.mean(known) + s * np.std(known, ddof=1) for s in (-2, 2))),
        (steps.Outliers(("x",), Bounds.QUANTILES, low=0.1, high=0.8), *np.quantile(known, [0.1, 0.8])),
        (steps.Outliers(("x",), Bounds.GIVEN, high=5.0), -np.inf, 5.0),
    ],
    ids=["iqr", "z", "quantiles", "given"],
)  # fmt: skip
def test_outliers(workshop: Workshop, bounds: steps.Outliers, low: float, high: float) -> None:
    from dataclasses import replace

    far = [x is not None and not low <= x <= high for x in X]
    near(values(workshop, bounds), [x if x is None else min(max(x, low), high) for x in X])
    flagged = replace(bounds, treatment=Treatment.FLAG)
    assert values(workshop, flagged, name="x_outlier") == far
    kept = [x for x, out in zip(X, far, strict=True) if not out]
    assert values(workshop, replace(bounds, treatment=Treatment.REMOVE)) == kept
    gaps = [None if out else x for x, out in zip(X, far, strict=True)]
    assert values(workshop, replace(bounds, treatment=Treatment.MISSING)) == gaps


def test_scales(workshop: Workshop) -> None:
    numbers = np.array(known)

    def apart(expected: np.ndarray) -> list[Any]:
        rest = iter(expected.tolist())
        return [None if x is None else next(rest) for x in X]

    near(values(workshop, steps.Scale(("x",))), apart(stats.zscore(numbers, ddof=1)))
    span = numbers.max() - numbers.min()
    near(values(workshop, steps.Scale(("x",), Scaling.MIN_MAX)), apart((numbers - numbers.min()) / span))
    robust = (numbers - np.median(numbers)) / stats.iqr(numbers)
    near(values(workshop, steps.Scale(("x",), Scaling.ROBUST)), apart(robust))
    expected = [np.log(x + 3) if x is not None and x > -3 else None for x in X]
    near(values(workshop, steps.Scale(("x",), Scaling.LOG, offset=3)), expected)
    power = stats.zscore(stats.yeojohnson(numbers)[0], ddof=1)
    found = values(workshop, steps.Scale(("x",), Scaling.POWER))
    np.testing.assert_allclose([x for x in found if x is not None], power, rtol=1e-4)
    constant = [{"x": 3, "y": y} for y in range(3)]
    assert values(workshop, steps.Scale(("x",)), rows=constant) == [0, 0, 0]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(x=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), lam=st.floats(-2, 4))
@example(x=[0.0, 1.0, 1e6, -1.0], lam=1e-9)
@example(x=[1.0, 1e6], lam=-9.9e-6)
@example(x=[-1.0, -1e6], lam=2 - 1.1e-5)
def test_yeo_johnson_is_scipys(workshop: Workshop, x: list[float], lam: float) -> None:
    import duckdb

    from hydroml.adapters.tables.steps.scaling import yeo_johnson

    found = duckdb.sql(f"SELECT {yeo_johnson('x', lam)} AS y FROM (SELECT unnest({x}::DOUBLE[]) AS x)").fetchnumpy()[
        "y"
    ]
    np.testing.assert_allclose(found, stats.yeojohnson(x, lam), rtol=1e-9, atol=1e-9)


def test_classes_become_numbers(workshop: Workshop) -> None:
    rows = [{"c": c, "i": i} for i, c in enumerate(["b", "a", None, "b", "b", "é"])]
    table = workshop.table(rows)
    dummies = pd.get_dummies(pd.Series([row["c"] for row in rows]))
    hot = workshop.rows(table, steps.Encode(("c",)))
    for name in ("a", "b", "é"):
        assert [row[f"c={name}"] for row in hot] == dummies[name].tolist()
    assert list(hot[0]) == ["c=a", "c=b", "c=é", "i"]
    assert workshop.column(table, "c", steps.Encode(("c",), Encoding.ORDINAL)) == [1, 0, None, 1, 1, 2]
    near(
        workshop.column(table, "c", steps.Encode(("c",), Encoding.FREQUENCY)), [1 / 2, 1 / 6, None, 1 / 2, 1 / 2, 1 / 6]
    )
    rare = workshop.column(table, "c", steps.Encode(("c",), Encoding.RARE, 0.2))
    assert rare == ["b", "other", None, "b", "b", "other"]


def test_an_unseen_class_is_no_error(workshop: Workshop) -> None:
    table = workshop.table([{"c": c, "i": 1} for c in "aab"])
    for method, expected in ((Encoding.ORDINAL, None), (Encoding.FREQUENCY, 0), (Encoding.RARE, "other")):
        recipe = workshop.learnt(table, steps.Encode(("c",), method, 0.2))
        assert workshop.engine.replay(table.columns, recipe, [{"c": "new", "i": 1}])[0]["c"] == expected


def test_bins_beside_pandas(workshop: Workshop) -> None:
    numbers = [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 10]
    rows = [{"x": x, "i": 0} for x in [*numbers, None]]
    width = pd.cut(pd.Series(numbers), np.linspace(0, 10, 6), right=False, labels=False) + 1
    expected = [*[5 if pd.isna(x) else int(x) for x in width], None]  # the last class holds its upper edge
    assert values(workshop, steps.Bin("x", "b", Binning.WIDTH, 5), rows=rows, name="b") == expected
    edges = steps.Bin("x", "b", Binning.EDGES, edges=(2.0, 5.0, 8.0))
    assert values(workshop, edges, rows=rows, name="b") == [None, None, 1, 1, 1, 2, 2, 2, 2, None, None]
    counts = values(workshop, steps.Bin("x", "b", Binning.COUNT, 5), rows=rows, name="b")
    assert pd.Series(counts).value_counts().tolist() == [2] * 5


def test_date_parts_beside_pandas(workshop: Workshop) -> None:
    days = ["2019-12-30", "2020-02-29", "2020-09-30", "2020-10-01", "2021-01-03"]
    rows = workshop.rows(workshop.table([{"d": d, "i": 1} for d in days]), steps.DateParts("d", tuple(Part)))
    dates = pd.to_datetime(pd.Series(days)).dt
    iso = dates.isocalendar()
    for part, expected in {
        "year": dates.year, "quarter": dates.quarter, "month": dates.month, "day": dates.day, "week": iso.week,
        "day_of_week": iso.day, "day_of_year": dates.dayofyear, "hour": dates.hour, "minute": dates.minute,
    }.items():  # fmt: skip
        assert [row[f"d_{part}"] for row in rows] == expected.tolist(), part
    assert [row["d_water_year"] for row in rows] == [2020, 2020, 2020, 2021, 2021]
    angle = 2 * np.pi * (dates.dayofyear - 1) / 365.25
    np.testing.assert_allclose([row["d_season_sine"] for row in rows], np.sin(angle), atol=1e-12)
    np.testing.assert_allclose([row["d_season_cosine"] for row in rows], np.cos(angle), atol=1e-12)


def test_dates_of_parts_and_formats(workshop: Workshop) -> None:
    rows = [{"y": 2020, "m": "02", "d": 29, "t": "29.02.2020 13:05"}, {"y": 2021, "m": "02", "d": 29, "t": "2020/1/2"}]
    table = workshop.table(rows)
    assert workshop.column(table, "day", steps.ParseDates(("y", "m", "d"), "day")) == ["2020-02-29", None]
    assert list(workshop.rows(table, steps.ParseDates(("m", "y"), "x"))[0]) == ["x", "d", "t"]
    formats = steps.ParseDates(("t",), "at", ("%d.%m.%Y %H:%M", "%Y/%m/%d"), to="timestamp")
    assert workshop.column(table, "at", formats) == ["2020-02-29T13:05:00", "2020-01-02T00:00:00"]
    joined = steps.ParseDates(("d", "m", "y"), "day", ("%d %m %Y",))
    assert workshop.column(table, "day", joined) == ["2020-02-29", None]


def test_times_of_a_zone_become_utc(workshop: Workshop) -> None:
    times = ["2020-07-01T12:00", "2021-03-28T02:30", "2020-10-25T02:30", None]
    table = workshop.table([{"t": t, "i": 1} for t in times])
    step = steps.ParseDates(("t",), "utc", to="timestamp", time_zone="Europe/Berlin")
    summer, passed_over, doubled, missing = workshop.column(table, "utc", step)
    assert (summer, passed_over, missing) == ("2020-07-01T10:00:00", None, None)
    assert doubled in ("2020-10-25T00:30:00", "2020-10-25T01:30:00")
    with pytest.raises(InvalidInputError, match="Europe/Berlin"):
        workshop.column(table, "utc", steps.ParseDates(("t",), "utc", to="timestamp", time_zone="Berlin"))


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("integer", [1, -1234, None, 1000, None, None, "9223372036854775807"]),
        ("number", [1.0, -1234.0, 0.5, 1e3, None, None, 9223372036854775807.0]),
        ("decimal", ["1.000000000", "-1234.000000000", "0.500000000", "1000.000000000", None, None, LARGEST]),
        ("boolean", [True, None, None, None, True, None, None]),
    ],
)  # fmt: skip
def test_texts_as_another_type(workshop: Workshop, to: Any, expected: list[Any]) -> None:
    texts = [" 1 ", "-1,234", "0.5", "1e3", "yes", "1,5", "9223372036854775807"]
    table = workshop.imported("s,i\n" + "\n".join(f'"{s}",x' for s in texts) + "\n")[1]
    step = steps.ChangeType(("s",), to)
    assert workshop.column(table, "s", step) == expected
    with pytest.raises(InvalidInputError, match="do not fit"):
        workshop.column(table, "s", steps.ChangeType(("s",), to, Misfit.REFUSE))


def test_types_that_lose_nothing(workshop: Workshop) -> None:
    digits = "12345678901234567890123456789.123456789"
    table = workshop.imported(f"d,i,x\n{digits},9007199254740993,1.5\n-1.5,2,2\n")[1]
    assert [c.type for c in table.columns] == [ColumnType.DECIMAL, ColumnType.INTEGER, ColumnType.NUMBER]
    text = steps.ChangeType(("d", "i"), "text")
    back = (steps.ChangeType(("d",), "decimal"), steps.ChangeType(("i",), "integer"))
    assert workshop.column(table, "d", text) == [digits, "-1.500000000"]
    assert workshop.column(table, "d", text, *back) == [digits, "-1.500000000"]
    assert workshop.column(table, "i", text, *back) == ["9007199254740993", 2]
    assert workshop.column(table, "x", steps.ChangeType(("x",), "integer")) == [None, 2]
    with pytest.raises(InvalidInputError, match="cannot be read as date"):
        workshop.column(table, "x", steps.ChangeType(("x",), "date"))


def test_texts_are_tidied(workshop: Workshop) -> None:
    table = workshop.imported('s,i\n"  Éva   o\'neill-SMITH ",1\n"   ",2\ne\u0301,3\n')[1]
    assert workshop.column(table, "s", steps.CleanText(("s",))) == ["Éva o'neill-SMITH", None, "é"]
    title = steps.CleanText(("s",), accents=True, case=Case.TITLE)
    assert workshop.column(table, "s", title) == ["Eva O'neill-Smith", None, "E"]


def test_texts_are_cut_and_joined(workshop: Workshop) -> None:
    table = workshop.table([{"s": "a-b-c-d", "n": 1}, {"s": "x", "n": None}, {"s": None, "n": 3}])
    rows = workshop.rows(table, steps.SplitColumn("s", "-", 3, keep=False))
    assert [list(row.values()) for row in rows] == [
        ["a", "b", "c-d", 1],
        ["x", None, None, None],
        [None, None, None, 3],
    ]
    assert workshop.column(table, "k", steps.MergeColumns(("n", "s"), "k", "/")) == ["1/a-b-c-d", "x", "3"]
    assert workshop.column(table, "p", steps.Extract("s", "([a-z])-([a-z])", "p", 2)) == ["b", None, None]
    with pytest.raises(InvalidInputError) as refused:
        workshop.column(table, "p", steps.Extract("s", "([", "p"))
    assert refused.value.faults[0].loc == ("pattern",)


def test_values_are_mapped_by_their_type(workshop: Workshop) -> None:
    table = workshop.table([{"n": 1, "s": "1"}, {"n": None, "s": "b"}, {"n": 3, "s": None}])
    assert workshop.column(table, "n", steps.MapValues("n", (Mapping(1, 5), Mapping(None, 0)))) == [5, 0, 3]
    assert workshop.column(table, "s", steps.MapValues("s", (Mapping("b", "B"),), Rest.MISSING)) == [None, "B", None]
    with pytest.raises(InvalidInputError) as refused:
        workshop.column(table, "n", steps.MapValues("n", (Mapping("x", 1),)))
    assert refused.value.faults[0].loc == ("values", 0, "value")


def test_names_can_change_places_and_must_be_free(workshop: Workshop) -> None:
    table = workshop.table([{"a": 1, "b": 2, "c": 3}])
    swapped = steps.RenameColumns((Renaming("a", "b"), Renaming("b", "a")))
    assert workshop.rows(table, swapped) == [{"b": 1, "a": 2, "c": 3}]
    for step in (steps.RenameColumns((Renaming("a", "C"),)), steps.DuplicateColumn("a", "c")):
        with pytest.raises(InvalidInputError, match=r"there is a column|only in the case"):
            workshop.rows(table, step)
    assert list(workshop.rows(table, steps.MoveColumn("c"))[0]) == ["c", "a", "b"]
    assert list(workshop.rows(table, steps.MoveColumn("a", "b"))[0]) == ["b", "a", "c"]
