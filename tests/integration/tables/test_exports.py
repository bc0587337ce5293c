"""Exports: read back, in every format, they are the table they were made of."""

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.exports import (
    SHEET_ROWS,
    ExportFormat,
    ExportOptions,
    ExportShape,
    check_sheet,
    guarded,
)
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.sources import ColumnType, ImportOptions, Table
from hydroml.domain.studio.steps import SortKey
from tests.tables import QuietMonitor, Workshop

TYPES = {
    "row": (pa.int64(), ColumnType.INTEGER),
    "whole": (pa.int64(), ColumnType.INTEGER),
    "real": (pa.float64(), ColumnType.NUMBER),
    "exact": (pa.decimal128(20, 4), ColumnType.DECIMAL),
    "yes": (pa.bool_(), ColumnType.BOOLEAN),
    "=text": (pa.string(), ColumnType.TEXT),
    "day": (pa.date32(), ColumnType.DATE),
    "moment": (pa.timestamp("us"), ColumnType.TIMESTAMP),
}
AS_TYPED = ImportOptions(types={name: kind for name, (_, kind) in TYPES.items()}, missing=(), header=True)

# No text is empty, since an empty cell is a missing value, and a text stands between signs that keep its blanks.
letters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
awkward = ("=1+1", "+a", "-1", "@a", "'=a", "''-b", "'", "'a", "\t=a", '"=x"', "=a,b;c", "#a", "NA", "1", "a\r\nb")
texts = st.sampled_from(awkward) | st.text(letters, min_size=1, max_size=6).filter(lambda t: t.strip() == t)
moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 - tables know no zones
rows_ = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.decimals(-(10**15), 10**15, places=4),
        st.none() | st.booleans(),
        st.none() | texts,
        st.none() | st.dates(date(1000, 1, 1)),
        st.none() | moments,
    ),
    min_size=1,
    max_size=8,
)


def stored(workshop: Workshop, rows: Sequence[tuple[Any, ...]]) -> Table:
    rows = [(at, *row) for at, row in enumerate(rows)]
    arrays = [pa.array([row[at] for row in rows], kind) for at, (kind, _) in enumerate(TYPES.values())]
    stream = io.BytesIO()
    pq.write_table(pa.table(arrays, names=list(TYPES)), stream)
    return workshop.imported(stream.getvalue(), "table.parquet")[1]


def values(workshop: Workshop, table: Table) -> list[tuple[Any, ...]]:
    """The rows as they are stored: every digit and every microsecond."""
    with workshop.blobs.local(table.blob) as file:
        return [tuple(row.values()) for row in pq.read_table(file).to_pylist()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=rows_,
    format_=st.sampled_from([ExportFormat.CSV, ExportFormat.TSV, ExportFormat.XLSX, ExportFormat.PARQUET]),
    signs=st.sampled_from([(",", "."), (";", "."), (";", ","), ("|", ".")]),
    bom=st.booleans(),
)
def test_any_table_is_the_same_after_export_and_import(
    workshop: Workshop, rows: list[tuple[Any, ...]], format_: ExportFormat, signs: tuple[str, str], bom: bool
) -> None:
    table = stored(workshop, rows)
    delimiter, decimal = signs
    shape = ExportShape(format_, options=ExportOptions(delimiter=delimiter, decimal=decimal, bom=bom))
    content = workshop.exported(table, shape)
    how = AS_TYPED
    if format_ in (ExportFormat.CSV, ExportFormat.TSV):
        how = ImportOptions(types=AS_TYPED.types, missing=(), header=True, delimiter=shape.delimiter, decimal=decimal)
    if format_ is ExportFormat.PARQUET:
        how = ImportOptions()
    written, back = workshop.imported(content, f"table.{format_}", how)
    assert [(c.name, c.type) for c in written.columns] == [(name, kind) for name, (_, kind) in TYPES.items()]
    assert values(workshop, back) == values(workshop, table)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_)
def test_feather_and_json_hold_every_value(workshop: Workshop, rows: list[tuple[Any, ...]]) -> None:
    table = stored(workshop, rows)
    arrow = pyarrow.feather.read_table(io.BytesIO(workshop.exported(table, ExportShape(ExportFormat.FEATHER))))
    assert [tuple(row.values()) for row in arrow.to_pylist()] == values(workshop, table)
    assert arrow.schema.types == [kind for kind, _ in TYPES.values()]
    lines = workshop.exported(table, ExportShape(ExportFormat.JSONL)).decode().split("\n")
    whole = json.loads(workshop.exported(table, ExportShape(ExportFormat.JSON)), parse_float=str)
    assert [json.loads(line, parse_float=str) for line in lines if line] == whole
    for document, row in zip(whole, values(workshop, table), strict=True):
        _, i, x, d, b, t, day, moment = row
        assert (document["whole"], document["yes"], document["=text"]) == (i, b, t)
        assert (None if document["real"] is None else float(document["real"])) == x
        assert (None if document["exact"] is None else Decimal(document["exact"])) == d
        assert document["day"] == (day and day.isoformat())
        assert (document["moment"] and datetime.fromisoformat(document["moment"])) == moment


def test_a_spreadsheet_runs_nothing(workshop: Workshop) -> None:
    leap, noon = date(2020, 2, 29), datetime(2020, 1, 1, 12)  # noqa: DTZ001
    table = stored(workshop, [(1, 1.5, Decimal("1.5"), True, "=1+1", leap, noon)])
    book = openpyxl.load_workbook(io.BytesIO(workshop.exported(table, ExportShape(ExportFormat.XLSX))))
    head, cells = book.active.iter_rows()
    assert [cell.value for cell in head] == [guarded(name) for name in TYPES]
    assert [cell.data_type for cell in cells] == ["n", "n", "n", "n", "b", "s", "d", "d"]
    assert [cell.value for cell in cells][:-2] == [0, 1, 1.5, 1.5, True, "'=1+1"]
    assert [cell.value.isoformat() for cell in cells[-2:]] == ["2020-02-29T00:00:00", "2020-01-01T12:00:00"]


def test_rows_come_sorted_out_of_a_large_table(workshop: Workshop) -> None:
    content = "n,x\n" + "".join(f"{at * 7919 % 100_003},{at}\n" for at in range(100_003))
    _, table = workshop.imported(content)
    shape = ExportShape(ExportFormat.XLSX, ("n",), sort=(SortKey("n", descending=True),))
    written, back = workshop.imported(workshop.exported(table, shape), "t.xlsx")
    assert written.rows == 100_003
    assert [row[0] for row in values(workshop, back)] == list(range(100_002, -1, -1))


def test_a_table_beyond_a_sheet_is_refused_in_words(workshop: Workshop) -> None:
    _, table = workshop.imported("n\n" + "".join(f"{at}\n" for at in range(SHEET_ROWS)))
    with pytest.raises(InvalidInputError, match="1,048,576 rows with the header, and this would be 1,048,576"):
        workshop.engine.check_export(table, ExportShape(ExportFormat.XLSX))
    for shape in (
        ExportShape(ExportFormat.XLSX, options=ExportOptions(header=False)),
        ExportShape(ExportFormat.XLSX, limit=10),
        ExportShape(ExportFormat.XLSX, filter="n > 0"),
        ExportShape(ExportFormat.CSV),
    ):
        workshop.engine.check_export(table, shape)
    with pytest.raises(InvalidInputError, match="16,384 columns, and this would be 16,385"):
        check_sheet(1, 16_385, header=True)


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_infinite_numbers_and_no_rows(workshop: Workshop, format_: ExportFormat) -> None:
    table = stored(workshop, [(1, x, None, None, None, None, None) for x in (float("inf"), float("-inf"))])
    content = workshop.exported(table, ExportShape(format_, ("real",)))
    if format_ is ExportFormat.JSON:
        assert json.loads(content, parse_constant=pytest.fail) == [{"real": None}] * 2
    if format_ is ExportFormat.CSV:
        assert content == b"real\ninf\n-inf\n"
    if format_ is ExportFormat.XLSX:
        assert b"inf" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    empty = workshop.exported(table, ExportShape(format_, filter="whole > 1"))
    assert empty or format_ is ExportFormat.JSONL


@pytest.mark.parametrize("format_", [ExportFormat.CSV, ExportFormat.XLSX, ExportFormat.FEATHER])
def test_a_cancelled_export_leaves_no_file(workshop: Workshop, format_: ExportFormat, tmp_path: Path) -> None:
    _, table = workshop.imported("a\n" + "1\n" * 1_000)
    out = tmp_path / "out"
    with pytest.raises(JobCancelledError):
        workshop.engine.export(table, ExportShape(format_), out, QuietMonitor(cancelled=True))
    assert not out.exists()


def test_durations_and_odd_characters_stay(workshop: Workshop) -> None:
    stream = io.BytesIO()
    odd = "a\x08\x1f_x0041_\r\n<&>\"'é🌊"
    pq.write_table(pa.table({"t": [odd, None], "d": pa.array([timedelta(hours=30), None], pa.duration("us"))}), stream)
    _, table = workshop.imported(stream.getvalue(), "t.parquet")
    _, back = workshop.imported(workshop.exported(table, ExportShape(ExportFormat.XLSX)), "t.xlsx")
    assert values(workshop, back)[0][0] == odd
