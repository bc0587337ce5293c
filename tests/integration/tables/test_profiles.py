"""Profiles: every figure is the one pandas gives, on generated and on shared tables; and what a sample tells."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hydroml.application.ports.tables import QUANTILES, ColumnProfile, IncomingFile, View
from hydroml.domain.sources import ColumnType, ImportOptions, Table
from tests.shared_data import SHARED, needs_shared_data
from tests.tables import QuietMonitor, Workshop

SOME = [
    "bike_sharing/day.csv",
    "camels_fr/A273011002.csv",
    "camels_us/attributes.csv",
    "diamonds/diamonds.csv.gz",
    "penguins/penguins_raw.csv",
    "climate_series/co2_mauna_loa_weekly.csv",
]


def test_generated_columns_are_as_pandas_sees_them(workshop: Workshop) -> None:
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "flow": random.lognormal(1, 2, 3000).round(4),
            "count": random.integers(-3, 9, 3000),
            "site": random.choice(["Alder Brook", "é", "a\nb", ""], 3000),
            "day": pd.date_range("1999-12-30", periods=3000, freq="D").strftime("%Y-%m-%d"),
            "empty": [None] * 3000,
        }
    )
    frame.loc[::7, "flow"] = None
    _, table = workshop.imported(frame.to_csv(index=False))
    compare(workshop, table)


@needs_shared_data
@pytest.mark.parametrize("name", SOME)
def test_shared_tables_are_as_pandas_sees_them(workshop: Workshop, name: str) -> None:
    out = workshop.folder / "out.parquet"
    file = IncomingFile(SHARED / name, Path(name).name)
    written = workshop.engine.import_files([file], ImportOptions(), out, workshop.folder / "no", QuietMonitor())
    blob = workshop.blobs.add(out)
    compare(workshop, Table(blob.key, written.columns, written.rows, blob.size))


def test_a_sample_is_of_all_parts_of_the_table_and_its_bounds_are_of_all_rows(workshop: Workshop) -> None:
    rows = 300_000
    lines = "\n".join(f"{n},{'' if n % 4 == 0 else n * 0.5},{'low' if n < rows / 2 else 'high'}" for n in range(rows))
    _, table = workshop.imported(f"n,x,half\n{lines}")
    found = workshop.engine.sample_profile(View(table))
    assert (found.rows, found.rows_read) == (rows, 50_000)
    n, x, half = found.columns
    assert (n.minimum, n.maximum, n.missing, n.distinct) == (0, rows - 1, 0, 50_000)
    assert (x.missing, x.maximum) == (rows / 4, (rows - 1) * 0.5)
    assert {value for value, _ in half.top or ()} == {"low", "high"}
    assert n.mean == pytest.approx(rows / 2, rel=0.02)


def test_a_wide_table_is_profiled_whole_in_the_background_and_in_part_while_somebody_waits(workshop: Workshop) -> None:
    wide = "\n".join(",".join(f"{row}.{column}" for column in range(1200)) for row in range(3))
    _, table = workshop.imported(",".join(f"c{at}" for at in range(1200)) + "\n" + wide)
    assert len(workshop.engine.profile(View(table)).columns) == 500
    whole = workshop.engine.profile(View(table), QuietMonitor()).columns
    assert [column.name for column in whole] == [f"c{at}" for at in range(1200)]
    assert (whole[-1].minimum, whole[-1].maximum) == (0.1199, 2.1199)


def compare(workshop: Workshop, table: Table) -> None:
    profile = workshop.engine.profile(View(table))
    with workshop.blobs.local(table.blob) as file:
        frame = pd.read_parquet(file, dtype_backend="pyarrow")
    assert profile.rows == profile.rows_read == len(frame)
    for column in profile.columns:
        values = frame[column.name].dropna()
        if column.type == ColumnType.NUMBER:
            values = values + 0.0  # Arrow tells -0.0 from 0.0
        assert column.missing == frame[column.name].isna().sum(), column.name
        assert column.distinct == values.nunique(), column.name
        counts = values.value_counts()
        assert [count for _, count in column.top or ()] == list(counts.iloc[:10]), column.name
        if column.type in {ColumnType.INTEGER, ColumnType.NUMBER} and len(values):
            _compare_numbers(column, values.astype(float))
        elif column.type in {ColumnType.DATE, ColumnType.TIMESTAMP}:
            assert column.minimum == values.min().isoformat(), column.name
            assert column.maximum == values.max().isoformat(), column.name
        elif column.type in {ColumnType.TEXT, ColumnType.CATEGORY} and len(values):
            assert column.lengths == (values.str.len().min(), values.str.len().max()), column.name
            assert all(counts[value] == count for value, count in column.top or ()), column.name


def _compare_numbers(column: ColumnProfile, values: "pd.Series[float]") -> None:
    def same(found: Any, expected: float) -> None:
        assert found == pytest.approx(expected, rel=1e-9), column.name

    same(column.minimum, values.min())
    same(column.maximum, values.max())
    same(column.mean, values.mean())
    if len(values) > 1:
        same(column.std, values.std())
    assert column.zeros == (values == 0).sum()
    assert column.quantiles is not None
    for found, at in zip(column.quantiles, QUANTILES, strict=True):
        same(found, values.quantile(at))
    assert column.histogram is not None
    edges, counts = column.histogram
    assert sum(counts) == len(values)
    if len(counts) > 1:
        expected, _ = np.histogram(values, bins=len(counts))
        moved = np.abs(np.cumsum(expected) - np.cumsum(counts)).max()
        assert moved <= max((values.round(6) == round(edge, 6)).sum() for edge in edges), column.name
    assert math.isclose(edges[-1], values.max())
