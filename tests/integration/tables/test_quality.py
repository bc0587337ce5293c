"""What the inspector finds in tables that are known: generated ones, and the shared data where it is there."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.quality import DuckDbTableInspector
from hydroml.adapters.tables.quality.arithmetic import Search
from hydroml.adapters.tables.quality.associations import correlation_ratio, cramers_v, pairwise_correlation, ranked
from hydroml.domain.errors import TooLargeError
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.quality.findings import Finding
from hydroml.domain.quality.report import QualityReport, report, suspected
from hydroml.domain.sources import Table
from tests.shared_data import SHARED, needs_shared_data
from tests.tables import QuietMonitor, Workshop

NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - tables know no zones
MONITOR = QuietMonitor()


@dataclass
class Bench:
    workshop: Workshop
    inspector: DuckDbTableInspector
    folder: Path

    def table(self, frame: pd.DataFrame) -> Table:
        file = self.folder / "frame.parquet"
        frame.to_parquet(file)
        written = self.workshop.engine.describe(file)
        blob = self.workshop.blobs.add(file)
        return Table(blob.key, written.columns, written.rows, blob.size)

    def report(self, table: Table | pd.DataFrame) -> QualityReport:
        if isinstance(table, pd.DataFrame):
            table = self.table(table)
        facts = self.inspector.measure(table, MONITOR)
        found = suspected(facts, NOW)
        hits = iter(self.inspector.hits(table, [f.filter for f in found if f.filter], MONITOR))
        return report(facts, len(table.columns), found, [next(hits) if f.filter else None for f in found])

    def findings(self, table: Table | pd.DataFrame) -> dict[str, Finding]:
        return {finding.kind: finding for finding in self.report(table).findings}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    blobs = FolderBlobStore(tmp_path / "blobs")
    engine = DuckDbTableEngine(blobs, tmp_path / "temp", 1 << 30, 2)
    inspector = DuckDbTableInspector(blobs, tmp_path / "inspector", 1 << 30, 2)
    yield Bench(Workshop(engine, blobs, tmp_path), inspector, tmp_path)
    inspector.close()
    engine.close()


def daily(days: int = 1000, **columns: Any) -> pd.DataFrame:
    """A river: a date, and a flow that is never twice the same."""
    random = np.random.default_rng(7)
    flow = 5 + 3 * np.sin(np.arange(days) / 58) + random.gamma(1.0, 1.0, days)
    return pd.DataFrame({"date": pd.date_range("2000-01-01", periods=days), "flow": flow, **columns})


def test_a_clean_series_is_left_in_peace(bench: Bench) -> None:
    made = bench.report(daily())
    assert [f.kind for f in made.findings if f.severity != "info"] == []
    assert made.time is not None
    assert (made.time.column, made.time.step, made.time.gap_count) == ("date", "1 day", 0)


def test_gaps_duplicates_and_disorder_are_counted(bench: Bench) -> None:
    frame = daily().drop(index=[10, 11, 12, 500]).reset_index(drop=True)
    frame = pd.concat([frame.iloc[:50], frame.iloc[[49]], frame.iloc[50:]], ignore_index=True)
    frame.iloc[[700, 701]] = frame.iloc[[701, 700]].to_numpy()
    made = bench.report(frame)
    found = {f.kind: f for f in made.findings}
    assert made.time is not None
    assert [(g.start, g.end, g.missing) for g in made.time.gaps] == [
        ("2000-01-10", "2000-01-14", 3), ("2001-05-14", "2001-05-16", 1),
    ]  # fmt: skip
    assert found["time_gaps"].rows == 4
    assert (found["time_duplicates"].rows, found["time_duplicates"].row_numbers) == (1, (51,))
    assert (found["out_of_order"].rows, found["out_of_order"].row_numbers) == (1, (702,))
    assert found["duplicate_rows"].rows == 1


def test_series_of_several_sites_are_told_apart(bench: Bench) -> None:
    parts = [daily(400).assign(gauge=name) for name in ("01234", "05678", "00001")]
    parts[1] = parts[1].drop(index=range(100, 130))
    made = bench.report(pd.concat(parts, ignore_index=True))
    assert made.time is not None
    assert (made.time.group, made.time.groups, made.time.missing_steps) == ("gauge", 3, 30)
    assert made.time.gaps[0].group == "05678"


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (pd.date_range("2000-01-01", periods=60, freq="MS"), "1 month"),
        (pd.date_range("2000-01-31", periods=60, freq="ME"), "1 month"),
        (pd.date_range("1950-01-01", periods=60, freq="YS"), "1 year"),
        (pd.date_range("2000-01-01", periods=60, freq="QS"), "3 months"),
        (pd.date_range("2000-01-01", periods=60, freq="15min"), "15 minutes"),
        (pd.date_range("2000-01-01", periods=60, freq="7D"), "7 days"),
    ],
)
def test_the_step_is_told_in_words(bench: Bench, times: Any, step: str) -> None:
    made = bench.report(pd.DataFrame({"t": times, "x": np.random.default_rng(1).normal(size=len(times))}))
    assert made.time is not None
    assert (made.time.step, made.time.regular, made.time.gap_count) == (step, 1.0, 0)


def test_an_irregular_step_is_said(bench: Bench) -> None:
    gaps = np.random.default_rng(3).integers(1, 30, 200).cumsum()
    frame = pd.DataFrame({"t": [datetime(2000, 1, 1) + timedelta(days=int(d)) for d in gaps], "x": gaps * 1.5})  # noqa: DTZ001
    assert "irregular_step" in bench.findings(frame)


def test_changes_of_the_clocks_are_seen(bench: Bench) -> None:
    zoned = pd.date_range("2019-01-01", "2021-12-31", freq="h", tz="Europe/Paris")
    local = zoned.tz_localize(None)
    random = np.random.default_rng(5)
    assert "daylight_saving" in bench.findings(pd.DataFrame({"t": local, "x": random.normal(size=len(local))}))
    utc = zoned.tz_convert("UTC").tz_localize(None)
    assert "daylight_saving" not in bench.findings(pd.DataFrame({"t": utc, "x": random.normal(size=len(utc))}))


def test_a_stuck_sensor_and_a_hole_are_found_with_their_dates(bench: Bench) -> None:
    frame = daily()
    frame.loc[200:240, "flow"] = 4.2
    frame.loc[600:650, "flow"] = None
    found = bench.findings(frame)
    assert (found["flat_line"].rows, found["flat_line"].row_numbers) == (41, (201,))
    assert "2000-07-19 to 2000-08-28" in found["flat_line"].detail
    assert found["missing_stretches"].rows == 51
    assert "51 rows from 2001-08-23 to 2001-10-12" in found["missing_stretches"].detail


def test_sentinels_negatives_and_infinities_are_counted_exactly(bench: Bench) -> None:
    frame = daily(level=np.linspace(900, 905, 1000))
    frame.loc[[5, 6, 7], "flow"] = -9999.0
    frame.loc[8, "flow"] = -0.5
    frame.loc[[9, 10], "level"] = 0.0
    frame["other"] = np.linspace(0, 1, 1000)
    frame.loc[11, "other"] = math.inf
    found = bench.findings(frame)
    assert (found["sentinel_numbers"].rows, found["sentinel_numbers"].row_numbers) == (3, (6, 7, 8))
    assert (found["negative_values"].rows, found["negative_values"].row_numbers) == (1, (9,))
    assert (found["zero_spike"].rows, found["zero_spike"].columns) == (2, ("level",))
    assert (found["infinite"].rows, found["infinite"].row_numbers) == (1, (12,))


def test_texts_are_looked_at_value_by_value(bench: Bench) -> None:
    weather = (["sun", "Sun", "rain ", "rain", "unknown"] * 200)[:1000]
    value = [str(n) for n in range(990)] + ["broken"] * 10
    people = [f"person{n}@example.org" for n in range(1000)]
    found = bench.findings(daily(weather=weather, value=value, contact=people))
    assert found["stray_spaces"].rows == 200
    assert "“Sun”, “sun”" in found["spelling_variants"].detail
    assert found["placeholder_text"].rows == 200
    assert (found["mixed_types"].rows, found["mixed_types"].columns) == (10, ("value",))
    assert found["personal_data"].columns == ("contact",)


def test_copies_sums_means_and_products_are_found_but_for_rounding(bench: Bench) -> None:
    random = np.random.default_rng(11)
    low, high = random.normal(5, 3, 3000).round(1), random.normal(20, 4, 3000).round(1)
    rain, evaporation, storage = (random.gamma(1.0, 3.0, 3000).round(2) for _ in range(3))
    frame = pd.DataFrame(
        {
            "tmin": low, "tmax": high, "tmean": ((low + high) / 2).round(2),
            "rain": rain, "et": evaporation, "ds": storage, "q": (rain + evaporation + storage).round(2),
            "cfs": (rain * 35.3147).round(1),
            "area": random.uniform(1, 90, 3000).round(1),
        }
    )  # fmt: skip
    frame["volume"] = frame["area"] * frame["et"]
    found = {f.columns[0]: f for f in bench.report(frame).findings if f.dimension == "leakage"}
    assert set(found["tmean"].columns[1:]) == {"tmin", "tmax"}
    assert set(found["q"].columns[1:]) == {"rain", "et", "ds"}
    assert found["cfs"].columns == ("cfs", "rain")
    assert set(found["volume"].columns[1:]) == {"area", "et"}
    assert len(found) == 4


def test_an_exception_breaks_a_copy_only_when_there_are_many(bench: Bench) -> None:
    x = np.random.default_rng(2).normal(size=30_000).round(3)
    frame = pd.DataFrame({"x": x, "few": x * 2, "many": x * 2})
    frame.loc[:20, "few"] = 99.0
    frame.loc[::20, "many"] = 99.0
    found = [f for f in bench.report(frame).findings if f.kind == "linear_copy"]
    assert [(f.columns, f.rows) for f in found] == [(("few", "x"), 21)]


def test_classes_that_give_classes_are_found(bench: Bench) -> None:
    random = np.random.default_rng(4)
    site = random.integers(0, 6, 600)
    frame = pd.DataFrame(
        {"site": [f"s{s}" for s in site], "code": [f"c{s}" for s in site], "region": [f"r{s // 2}" for s in site],
         "x": random.normal(size=600)}
    )  # fmt: skip
    found = {f.kind: f for f in bench.report(frame).findings}
    assert found["same_information"].columns == ("code", "site")
    assert found["determined"].columns == ("region", "site")


def test_random_columns_are_not_explained() -> None:
    random = np.random.default_rng(0)
    counts = random.integers(0, 50, size=(2000, 25)).astype(float)
    values = random.normal(size=(2000, 25)).round(2)
    assert list(Search(np.hstack([counts, values])).found()) == []


def test_associations_are_those_of_pandas_and_the_textbook() -> None:
    random = np.random.default_rng(6)
    a = random.normal(size=500)
    frame = pd.DataFrame({"a": a, "b": a + random.normal(size=500), "c": a.round() ** 2})
    frame.loc[::7, "b"] = np.nan
    np.testing.assert_allclose(pairwise_correlation(frame.to_numpy()), frame.corr().to_numpy(), atol=1e-10)
    whole = frame[["a", "c"]]
    np.testing.assert_allclose(
        pairwise_correlation(ranked(whole.to_numpy())), whole.corr("spearman").to_numpy(), atol=1e-10
    )
    classes = random.integers(0, 3, 500)
    assert cramers_v(classes, classes) == pytest.approx(1.0)
    assert cramers_v(classes, random.integers(0, 3, 500)) < 0.1
    assert correlation_ratio(classes, classes.astype(float)) == pytest.approx(1.0)


def test_hostile_names_and_values_are_only_names_and_values(bench: Bench) -> None:
    names = ['"; DROP TABLE sample; --', "a'b", "sélect %s {0}", "__proto__", "x" * 200]
    frame = pd.DataFrame({name: ["'; --", '"', "<b>", None] * 30 for name in names})
    made = bench.report(frame)
    assert {f.kind for f in made.findings} >= {"identical_columns", "missing", "duplicate_rows"}
    assert next(f for f in made.findings if f.kind == "missing").rows == 30


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tiny_tables_are_judged_too(bench: Bench, rows: int) -> None:
    made = bench.report(daily(5, name=list("abcde")).head(rows))
    assert made.rows == rows
    assert len(made.fitness) == 3


def test_wide_tables_say_what_was_left_out(bench: Bench) -> None:
    frame = pd.DataFrame(np.random.default_rng(8).normal(size=(60, 700)), columns=[f"c{at}" for at in range(700)])
    made = bench.report(frame)
    assert made.columns == 700
    assert any("first 500 of 700 columns" in text for text in made.bounds)
    assert any("60 of 500 columns" in text for text in made.bounds)


def test_the_work_ends_when_somebody_cancels(bench: Bench) -> None:
    table = bench.table(daily())
    with pytest.raises((JobCancelledError, TooLargeError)):
        bench.inspector.measure(table, QuietMonitor(cancelled=True))


EXPECTED: list[tuple[str, set[tuple[str, tuple[str, ...]]]]] = [
    ("bike_sharing/day.csv", {("combination", ("cnt", "casual", "registered"))}),
    ("camels_fr/A273011002.csv", {("linear_copy", ("q_mm", "q_ls"))}),
    (
        "camels_fr/E645651001.csv",
        {
            ("linear_copy", ("q_mm", "q_ls")),
            ("missing_stretches", ("q_ls",)),
            ("missing_stretches", ("q_mm",)),
        },
    ),
    (
        "camels_us/daily.csv",
        {
            ("linear_copy", ("q_mm", "q_cfs")),
            ("missing_stretches", ("q_cfs",)),
            ("missing_stretches", ("q_mm",)),
            ("missing", ("qc_flag",)),
            ("constant", ("swe_mm",)),
        },
    ),
    ("camels_us/attributes.csv", {("combination", ("pet_mean", "p_mean", "aridity"))}),
    ("groundwater_pastas/joined_daily.csv", {("missing_stretches", ("rain",))}),
    ("groundwater_pastas/rain_nb1.csv", set()),
    ("climate_series/nile.csv", set()),
    ("weather_us/weather.csv", set()),
    ("california_housing/housing.csv", set()),
    ("ggplot2_small/msleep.csv", {("linear_copy", ("awake", "sleep_total"))}),
    ("fivethirtyeight/recent-grads.csv", {("combination", ("Total", "Men", "Women"))}),
]
"""What must be among the warnings. What is empty has none at all."""


@needs_shared_data
@pytest.mark.parametrize(("name", "expected"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_shared_tables_are_judged_as_their_readers_would(
    bench: Bench, name: str, expected: set[tuple[str, tuple[str, ...]]]
) -> None:
    _, table = bench.workshop.imported((SHARED / name).read_bytes(), Path(name).name)
    warnings = {(f.kind, f.columns) for f in bench.report(table).findings if f.severity != "info"}
    assert expected <= warnings
    if not expected:
        assert warnings == set()


@needs_shared_data
def test_the_times_of_shared_tables_are_found(bench: Bench) -> None:
    found = {}
    for name in (
        "camels_us/daily.csv", "climate_series/co2_mauna_loa_weekly.csv", "climate_series/us_macrodata.csv",
        "birdstrikes/birdstrikes.csv", "groundwater_pastas/joined_daily.csv", "ggplot2_small/txhousing.csv",
        "camels_us/raw/01022500_lump_cida_forcing_leap.txt",
    ):  # fmt: skip
        _, table = bench.workshop.imported((SHARED / name).read_bytes(), Path(name).name)
        time = bench.inspector.measure(table, MONITOR).time
        found[Path(name).stem] = (time.column, time.group, time.step, time.gap_count) if time else None
    assert found == {
        "daily": ("date", "basin_id", "1 day", 0),
        "co2_mauna_loa_weekly": ("date", None, "7 days", 0),
        "us_macrodata": ("year", None, "3 months", 0),
        "birdstrikes": None,
        "joined_daily": ("date", None, "1 day", 0),
        "txhousing": ("year", "city", "1 month", 0),
        "01022500_lump_cida_forcing_leap": ("Year", None, "1 day", 0),
    }
