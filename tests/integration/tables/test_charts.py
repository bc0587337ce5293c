"""What charts draw, against pandas and NumPy on the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.application.ports.tables import ChartData, View
from hydroml.domain.charts import (
    MOST_MARKS,
    Aggregate,
    Bar,
    Box,
    Calendar,
    Chart,
    Correlation,
    CorrelationMethod,
    DoubleMass,
    FlowDuration,
    Gaps,
    HeatMap,
    Histogram,
    Hydrograph,
    Line,
    Scatter,
    Seasons,
    SiteMap,
    TimeSeries,
)
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Filter
from tests.tables import Workshop

ROWS = 12_000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(7)
    flow = random.lognormal(0, 1, ROWS)
    flow[random.random(ROWS) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "date": pd.date_range("1990-01-01", periods=ROWS // 2).repeat(2),
            "site": np.tile(["A", "B"], ROWS // 2),
            "flow": flow,
            "rain": random.gamma(0.5, 4, ROWS).round(1),
            "storms": random.integers(0, 6, ROWS),
            "lon": np.tile([7.5, 8.25], ROWS // 2),
            "lat": np.tile([46.0, 47.5], ROWS // 2),
        }
    )


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder: Path = tmp_path_factory.mktemp("charts")
    blobs = FolderBlobStore(folder / "blobs")
    return Workshop(DuckDbTableEngine(blobs, folder / "tmp", 1 << 30, 2), blobs, folder)


@pytest.fixture(scope="module")
def table(workshop: Workshop, frame: pd.DataFrame) -> Table:
    return workshop.imported(frame.to_csv(index=False))[1]


class Drawer:
    def __init__(self, workshop: Workshop, table: Table) -> None:
        self._workshop, self.table = workshop, table

    def data(self, chart: Chart, **view: Any) -> ChartData:
        return self._workshop.engine.chart(View(self.table, **view), chart)

    def frame(self, chart: Chart, **view: Any) -> pd.DataFrame:
        found = self.data(chart, **view)
        assert len(found.marks) <= MOST_MARKS * 1.2
        return pd.DataFrame(found.marks, columns=[column.name for column in found.columns])


@pytest.fixture
def draw(workshop: Workshop, table: Table) -> Drawer:
    return Drawer(workshop, table)


def test_histogram_counts_as_numpy_does(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(Histogram("flow", 25))
    counts, edges = np.histogram(frame["flow"].dropna(), 25)
    assert list(found["rows"]) == list(counts)
    assert np.allclose([*found["from"], found["to"].iloc[-1]], edges)


def test_whole_numbers_and_days_have_round_bins(draw: Drawer, frame: pd.DataFrame) -> None:
    storms = draw.frame(Histogram("storms"))
    assert list(storms["from"]) == [0, 1, 2, 3, 4, 5]
    assert list(storms["rows"]) == list(frame["storms"].value_counts().sort_index())
    days = draw.data(Histogram("date", 10))
    assert sum(mark[2] for mark in days.marks) == days.used == ROWS
    assert all(len(mark[0]) == len("2000-01-01") for mark in days.marks)
    assert [mark[1] for mark in days.marks[:-1]] == [mark[0] for mark in days.marks[1:]]


def test_boxes_have_the_quartiles_and_whiskers_of_each_group(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(Box("flow", "site")).set_index("category")
    for site, values in frame.dropna().groupby("site")["flow"]:
        low, middle, high = values.quantile([0.25, 0.5, 0.75])
        inside = values[(values >= low - 1.5 * (high - low)) & (values <= high + 1.5 * (high - low))]
        expected = [len(values), values.min(), inside.min(), low, middle, high, inside.max(), values.max()]
        assert np.allclose(found.loc[site].drop("mean"), expected)
        assert np.isclose(found.loc[site, "mean"], values.mean())
    months = draw.frame(Seasons("date", "flow")).set_index("month")
    assert np.allclose(months["median"], frame.groupby(frame["date"].dt.month)["flow"].median())


def test_a_large_scatter_is_a_sample_that_is_the_same_each_time(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.data(Scatter("rain", "flow", "site"))
    known = int(frame["flow"].notna().sum())
    assert (found.how, found.used, found.rows) == ("sampled", MOST_MARKS, ROWS)
    assert found.note == f"{MOST_MARKS:,} of {known:,} rows, the same each time."
    assert found.marks == draw.data(Scatter("rain", "flow", "site")).marks
    pairs = set(zip(frame["rain"], frame["flow"], frame["site"], strict=True))
    assert {(x, y, site) for x, y, site in found.marks} <= pairs
    few = draw.data(Scatter("date", "flow"), filter="date < '1990-03-01'")
    assert (few.how, few.note, few.used) == ("all", "", frame["flow"][frame["date"] < "1990-03-01"].notna().sum())


@pytest.mark.parametrize("chart", [
    TimeSeries(time="date", columns=("flow", "rain")),
    TimeSeries(time="date", columns=("flow",), by="site"),
    Line(x="rain", columns=("flow",)),
    Hydrograph("date", "flow", "rain"),
], ids=lambda chart: chart.kind)  # fmt: skip
def test_lines_keep_every_extreme_and_all_rows(draw: Drawer, frame: pd.DataFrame, chart: Any) -> None:
    found = draw.frame(chart)
    for line, part in found.groupby("line"):
        of = frame["flow"][frame["site"] == line] if line in "AB" else frame[line]
        assert part["rows"].sum() == of.notna().sum()
        assert np.isclose(part["sum"].sum(), of.sum())
        assert (part["minimum"].min(), part["maximum"].max()) == (of.min(), of.max())


def test_a_short_series_is_drawn_as_it_is(draw: Drawer, frame: pd.DataFrame) -> None:
    view = "site = 'A' AND date < '1991-01-01'"
    found = draw.data(TimeSeries(time="date", columns=("rain",)), filter=view)
    of = frame[(frame["site"] == "A") & (frame["date"] < "1991-01-01")]
    assert found.how == "all"
    assert [mark[0] for mark in found.marks] == list(of["date"].dt.strftime("%Y-%m-%d"))
    assert [mark[4] for mark in found.marks] == list(of["rain"])


def test_bars_and_the_calendar_aggregate_as_pandas_does(draw: Drawer, frame: pd.DataFrame) -> None:
    for aggregate in Aggregate:
        how = {"mean": "mean", "minimum": "min", "maximum": "max"}.get(aggregate, str(aggregate))
        bars = draw.frame(Bar("site", "flow", aggregate)).set_index("category")["value"].sort_index()
        assert np.allclose(bars, frame.groupby("site")["flow"].agg(how))
        months = draw.frame(Calendar("date", "flow", aggregate)).set_index(["year", "month"])["value"]
        grouped = frame.groupby([frame["date"].dt.year, frame["date"].dt.month])["flow"].agg(how)
        assert np.allclose(months, grouped)
    assert list(draw.frame(Bar("storms")).sort_values("category")["value"]) == list(
        frame["storms"].value_counts().sort_index()
    )


def test_a_heat_map_counts_as_numpy_does(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(HeatMap("flow", "rain", bins=8))
    known = frame.dropna()
    counts, x, _ = np.histogram2d(known["flow"], known["rain"], 8)
    assert found["rows"].sum() == counts.sum()
    assert sorted(found["rows"]) == sorted(counts[counts > 0])
    assert np.allclose(found["x from"].min(), x[0])
    named = draw.frame(HeatMap("site", "storms", "flow", Aggregate.MEAN)).set_index(["x from", "y from"])["value"]
    assert np.allclose(named.sort_index(), frame.groupby(["site", "storms"])["flow"].mean())


@pytest.mark.parametrize("method", CorrelationMethod)
def test_correlations_are_of_rows_in_which_both_are_known(
    draw: Drawer, frame: pd.DataFrame, method: CorrelationMethod
) -> None:
    found = draw.frame(Correlation(("flow", "rain", "lat"), method))
    for _, pair in found.iterrows():
        both = frame[[pair["column"], pair["other"]]].dropna()
        ranked = both.rank() if method is CorrelationMethod.SPEARMAN else both
        expected = np.corrcoef(ranked.to_numpy().T)[0, 1]
        assert np.isclose(pair["correlation"], expected)
        assert pair["rows"] == len(both)


def test_sites_are_one_mark_each(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(SiteMap("lon", "lat", "flow", Aggregate.MEDIAN)).sort_values("longitude")
    assert list(zip(found["longitude"], found["latitude"], strict=True)) == [(7.5, 46.0), (8.25, 47.5)]
    assert np.allclose(found["value"], frame.groupby("site")["flow"].median())


def test_flow_duration_is_the_quantiles_from_the_largest_down(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(FlowDuration(("flow", "rain")))
    for name in ("flow", "rain"):
        line = found[found["line"] == name]
        expected = frame[name].quantile(1 - line["exceeded in percent"].to_numpy() / 100)
        assert np.allclose(line["value"], expected)


def test_double_mass_ends_with_the_sums(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(DoubleMass("date", "flow", "rain"))
    known = frame.dropna()
    assert np.allclose(found.iloc[-1][["flow", "rain"]].to_numpy(float), [known["flow"].sum(), known["rain"].sum()])
    until = known[known["date"] <= found.iloc[100]["at"]]
    assert np.isclose(found.iloc[100]["flow"], until["flow"].sum())


def test_gaps_tell_what_is_there_in_each_period(draw: Drawer, frame: pd.DataFrame) -> None:
    found = draw.frame(Gaps("date", ("flow", "site")))
    of = found[found["column"] == "flow"]
    assert of["present"].sum() == frame["flow"].notna().sum()
    first = frame[(frame["date"] >= of.iloc[5]["from"]) & (frame["date"] < of.iloc[5]["to"])]
    assert (of.iloc[5]["present"], of.iloc[5]["rows"]) == (first["flow"].notna().sum(), len(first))
    assert (found[found["column"] == "site"]["present"] == found[found["column"] == "site"]["rows"]).all()


def test_charts_are_of_the_steps_and_of_the_filter(draw: Drawer, frame: pd.DataFrame) -> None:
    recipe = (RecipeStep(Filter("rain > 1")),)
    found = draw.data(Bar("site"), recipe=recipe, filter="flow > 1")
    expected = frame[(frame["rain"] > 1) & (frame["flow"] > 1)]
    assert found.rows == found.used == len(expected)
    assert {site: value for site, value, _ in found.marks} == dict(expected["site"].value_counts())


@pytest.mark.parametrize(("chart", "place"), [
    (Histogram("nothing"), "column"),
    (Histogram("site"), "column"),
    (Scatter("site", "flow"), "x"),
    (TimeSeries(time="flow", columns=("rain",)), "time"),
    (Correlation(("flow", "site")), "columns"),
], ids=str)  # fmt: skip
def test_columns_that_do_not_suit_are_named(draw: Drawer, chart: Chart, place: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        draw.data(chart)
    assert [fault.loc for fault in refused.value.faults] == [(place,)]


EVERY: list[Chart] = [
    Histogram("x"), Histogram("t"), Box("x", "c"), Scatter("x", "x", "c"), Line(x="x", columns=("x",), by="c"),
    TimeSeries(time="t", columns=("x", "y")), Bar("c"), HeatMap("x", "t"), HeatMap("c", "y"), Calendar("t"),
    Correlation(("x", "y")), Correlation(("x", "y"), CorrelationMethod.SPEARMAN), SiteMap("x", "y"),
    Hydrograph("t", "x", "y"), FlowDuration(("x", "y")), Seasons("t", "x"), DoubleMass("t", "x", "y"),
    Gaps("t", ("x",)),
]  # fmt: skip


@pytest.mark.parametrize("content", [
    "t,x,y,c\n2020-01-01T00:00:01.5,1.5,1,a\n",
    "t,x,y,c\n2020-01-01,inf,1,\n2020-01-02,nan,2,it's\n,-inf,,\n2020-01-04,1e308,4,\n2020-01-05,-1e308,4,b\n",
    "t,x,y,c\n2020-01-01,0.1,3,a\n2020-01-01,0.1,,a\n",
], ids=["one row", "far and missing", "constant"])  # fmt: skip
@pytest.mark.parametrize("chart", EVERY, ids=lambda chart: chart.kind)
def test_no_table_is_too_odd(workshop: Workshop, content: str, chart: Chart) -> None:
    drawer = Drawer(workshop, workshop.imported(content)[1])
    for filtered in (None, "x > 5", "x IS NULL AND x IS NOT NULL"):
        found = drawer.data(chart, filter=filtered)
        assert all(len(mark) == len(found.columns) for mark in found.marks)
