"""Parquet and workbooks, real files of others, and any table written by any dialect of CSV."""

import csv
import gzip
import io
import json
import threading
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hydroml.application.ports.tables import IncomingFile, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.exports import ExportShape, format_of
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.sources import ColumnType, ImportOptions, UnreadableFileError
from tests.shared_data import SHARED, needs_shared_data
from tests.tables import QuietMonitor, Workshop

T = ColumnType
AT = datetime(2020, 1, 2, 3)  # noqa: DTZ001 - a file has no zone


def parquet(columns: dict[str, pa.Array]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def workbook(rows: list[list[Any]], sheet: str = "Data") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(row)
    book.create_sheet("Other").append(["x"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_parquet_types_are_kept(workshop: Workshop) -> None:
    zoned = pa.timestamp("us", "Europe/Paris")
    content = parquet(
        {
            "i": pa.array([1, None], pa.int32()),
            "u": pa.array([2**64 - 1, 1], pa.uint64()),
            "f": pa.array([0.5, float("nan")], pa.float32()),
            "d": pa.array([Decimal("1.10"), None], pa.decimal128(9, 2)),
            "b": pa.array([True, None]),
            "c": pa.array(["x", "y"]).dictionary_encode(),
            "day": pa.array([date(2020, 1, 2), None]),
            "at": pa.array([AT, None], pa.timestamp("ns")),
            "zoned": pa.array([AT, None], zoned),
            "list": pa.array([[1, 2], None]),
            "raw": pa.array([b"\x01\xff", None]),
            "A": pa.array([1, 2]),
            "a": pa.array([3, 4]),
        }
    )
    written, table = workshop.imported(content, "t.parquet")
    assert {c.name: c.type for c in written.columns} == {
        "i": T.INTEGER, "u": T.DECIMAL, "f": T.NUMBER, "d": T.DECIMAL, "b": T.BOOLEAN, "c": T.TEXT, "day": T.DATE,
        "at": T.TIMESTAMP, "zoned": T.TIMESTAMP, "list": T.TEXT, "raw": T.TEXT, "A": T.INTEGER, "a_1": T.INTEGER,
    }  # fmt: skip
    assert workshop.rows(table)[0] == {
        "i": 1, "u": str(2**64 - 1), "f": 0.5, "d": "1.10", "b": True, "c": "x", "day": "2020-01-02",
        "at": "2020-01-02T03:00:00", "zoned": "2020-01-02T03:00:00", "list": "[1,2]", "raw": "01ff", "A": 1, "a_1": 3,
    }  # fmt: skip
    assert any("NaN" in note for note in written.notes)
    assert [c.nullable for c in written.columns][-2:] == [False, False]
    found = workshop.detect(content, "t.parquet")
    assert (found.format, [c.name for c in found.columns]) == ("parquet", [c.name for c in written.columns])


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_truncated_parquet_is_refused(workshop: Workshop, keep: float) -> None:
    content = parquet({"x": pa.array(range(1000))})
    with pytest.raises(UnreadableFileError, match="Parquet"):
        workshop.imported(content[: int(len(content) * keep)], "t.parquet")
    damaged = content[:100] + b"\xff" * 400 + content[500:]
    with pytest.raises(UnreadableFileError, match="damaged"):
        workshop.imported(damaged, "t.parquet")
    assert not list(workshop.folder.glob("*.parquet"))


def test_workbook_is_read_sheet_by_sheet(workshop: Workshop) -> None:
    content = workbook(
        [["code", "n", "x", "day", "at", "ok"], ["007", 1, 0.1, date(2020, 1, 2), AT, True],
         ["8", None, 2, None, None, False]]
    )  # fmt: skip
    written, table = workshop.imported(content, "book.xlsx")
    assert [c.type for c in written.columns] == [T.TEXT, T.INTEGER, T.NUMBER, T.DATE, T.TIMESTAMP, T.BOOLEAN]
    assert workshop.rows(table)[0] == {
        "code": "007", "n": 1, "x": 0.1, "day": "2020-01-02", "at": "2020-01-02T03:00:00", "ok": True,
    }  # fmt: skip
    assert any("Other" in note for note in written.notes)
    found = workshop.detect(content, "book.xlsx")
    assert (found.format, found.sheets, found.options.sheet) == ("excel", ("Data", "Other"), "Data")
    with pytest.raises(InvalidInputError) as caught:
        workshop.imported(content, "book.xlsx", ImportOptions(sheet="None"))
    assert caught.value.faults[0].loc == ("options", "sheet")


def test_zip_bomb_is_not_opened(workshop: Workshop) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (100 << 20))
    with pytest.raises(UnreadableFileError, match="unpacks to far more"):
        workshop.imported(buffer.getvalue(), "bomb.xlsx")


@pytest.mark.parametrize(
    ("content", "filename"),
    [(b"PK\x03\x04 no archive", "a.xlsx"), (b"plain text", "a.xlsx"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls")],
)
def test_broken_workbook_is_refused(workshop: Workshop, content: bytes, filename: str) -> None:
    with pytest.raises(UnreadableFileError):
        workshop.imported(content, filename)


class CancelLater(QuietMonitor):
    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:
        if self.stopped:
            raise JobCancelledError

    @contextmanager
    def _watched(self, stop: Callable[[], None]) -> Any:
        def end() -> None:
            self.stopped = True
            stop()

        timer = threading.Timer(0.05, end)
        timer.start()
        yield
        timer.cancel()

    def interrupting(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return self._watched(stop)


def test_cancel_interrupts_the_query(workshop: Workshop) -> None:
    file = workshop.file("a,b,c\n" + "1.5,some text,2020-01-01\n" * 1_000_000)
    out = workshop.folder / "out.parquet"
    with pytest.raises(JobCancelledError):
        workshop.engine.import_files(
            [IncomingFile(file, "t.csv")], ImportOptions(), out, out.with_suffix(".rejected"), CancelLater()
        )
    assert not out.exists()


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".json", ".parquet"])
def test_exports_hold_every_value(workshop: Workshop, ending: str) -> None:
    _, table = workshop.imported('n,s,x\n1,"a ""b"", c",0.1\n,"two\nlines",\n')
    out = workshop.folder / f"out{ending}"
    with workshop.blobs.local(table.blob) as file:
        workshop.engine.export(file, ExportShape(format_of(out.name)), out, QuietMonitor())
    if ending == ".json":
        assert json.loads(out.read_text()) == workshop.rows(table)
    else:
        assert workshop.rows(workshop.imported(out.read_bytes(), out.name)[1]) == workshop.rows(table)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs", "Cc")), max_size=8)
tables = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        texts,
        st.none() | st.dates(date(1000, 1, 1)),
    ),
    min_size=1,
    max_size=8,
)


def test_backslash_escapes_within_quotes_and_is_itself_outside(workshop: Workshop) -> None:
    content = b'place,said\nC:\\new,"a \\"b\\" c"\nD:\\old,plain \\" sign\n'
    _, table = workshop.imported(content, options=ImportOptions(escape="\\"))
    assert workshop.rows(table) == [
        {"place": "C:\\new", "said": 'a "b" c'},
        {"place": "D:\\old", "said": 'plain \\" sign'},
    ]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    ends=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    escape=st.sampled_from(['"', "\\"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "shift_jis", "gb18030"]),
    preamble=st.lists(st.sampled_from(["# a comment", "# 1,2;3", "#"]), max_size=3),
    packed=st.booleans(),
    wide=st.booleans(),
)
def test_any_table_survives_any_dialect(
    workshop: Workshop, rows: list[tuple[Any, ...]], delimiter: str, ends: str, quoting: int, escape: str, decimal: str,
    encoding: str, preamble: list[str], packed: bool, wide: bool,
) -> None:  # fmt: skip
    assume(decimal != delimiter)
    held = [(i, x, s.encode(encoding, "ignore").decode(encoding).replace("\\", "/"), d) for i, x, s, d in rows]
    text = io.StringIO()
    text.writelines(line + ends for line in preamble)
    if escape == "\\" and quoting == csv.QUOTE_MINIMAL:
        quoting = csv.QUOTE_NONNUMERIC  # Python would escape outside of quotes, where a backslash is itself
    writer = csv.writer(
        text, delimiter=delimiter, lineterminator=ends, quoting=quoting,  # type: ignore[arg-type]
        doublequote=escape == '"', escapechar=None if escape == '"' else escape,
    )  # fmt: skip
    writer.writerow(["int", "real", "text", "day"])
    # A word beside each text keeps it text: alone, it might well be a number or a marker.
    writer.writerows([i, x if x is None else repr(x).replace(".", decimal), f"~{s}", d] for i, x, s, d in held)
    options = ImportOptions(
        delimiter=delimiter, header=True, escape=escape, decimal=decimal, comment="#" if preamble else None,
        encoding=None if encoding.startswith("utf") else encoding,
    )  # fmt: skip
    content = text.getvalue().encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        if wide:  # four columns, read as thousands are
            patch.setattr("hydroml.adapters.tables.reading.text._WIDE", 0)
            patch.setattr("hydroml.adapters.tables.reading.text._GROUP", 3)
        _, table = workshop.imported(gzip.compress(content) if packed else content, options=options)
    read = [tuple(row.values()) for row in workshop.rows(table)]
    assert read == [
        (i if i is None or abs(i) <= 2**53 else str(i), x, f"~{s}", d and d.isoformat()) for i, x, s, d in held
    ]


@needs_shared_data
@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("diamonds/diamonds.csv.gz", 53_940, 10),
        ("diamonds/diamonds.parquet", 53_940, 10),
        ("camels_fr/A273011002.csv", 7_305, 6),
        ("camels_us/attributes.csv", 671, 60),
        ("flights/flights-20k.parquet", 20_000, 5),
        ("flights/flights-2k.csv", 2_000, 5),
        ("birdstrikes/birdstrikes.csv", 10_000, 14),
        ("penguins/penguins_raw.csv", 344, 17),
        ("excel_samples/readxl_datasets.xlsx", 32, 11),
        ("excel_samples/readxl_datasets.xls", 32, 11),
        ("excel_samples/calamine_date.ods", 4, 2),
        ("csv_samples/readr/challenge.csv", 2_000, 2),
    ],
)
def test_real_files_are_read_whole(workshop: Workshop, name: str, rows: int, columns: int) -> None:
    file = SHARED / name
    out = workshop.folder / "out.parquet"
    written = workshop.engine.import_files(
        [IncomingFile(file, file.name)], ImportOptions(), out, out.with_suffix(".rejected"), QuietMonitor()
    )
    found = workshop.engine.detect([IncomingFile(file, file.name)], ImportOptions())
    assert (written.rows, len(written.columns)) == (rows, columns), (written, found)
    assert [c.name for c in found.columns] == [c.name for c in written.columns]


@needs_shared_data
def test_diamonds_are_the_same_from_both_formats(workshop: Workshop) -> None:
    profiles = []
    for name in ("diamonds.csv.gz", "diamonds.parquet"):
        _, table = workshop.imported((SHARED / "diamonds" / name).read_bytes(), name)
        columns = workshop.engine.profile(View(table)).columns
        profiles.append({c.name: (c.missing, c.minimum, c.maximum, c.mean) for c in columns})
    assert profiles[0] == profiles[1]


@needs_shared_data
@pytest.mark.parametrize("file", sorted((SHARED / "csv_samples" / "csv_spectrum").rglob("*.csv")), ids=lambda f: f.stem)
def test_hard_csv_samples(workshop: Workshop, file: Path) -> None:
    expected = json.loads(next(SHARED.rglob(f"{file.stem}.json")).read_text())
    _, table = workshop.imported(file.read_bytes(), options=ImportOptions(header=True))
    read = [{k: "" if v is None else str(v) for k, v in row.items()} for row in workshop.rows(table)]
    assert read == [{k: str(v) for k, v in row.items()} for row in expected]
