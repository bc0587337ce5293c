"""Text tables as they come: written by any program, in any encoding, and broken in any way."""

import gzip
import random

import pytest

from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, ImportOptions, UnreadableFileError
from tests.tables import Workshop

T = ColumnType


def types(workshop: Workshop, content: str | bytes, **options: object) -> list[ColumnType]:
    written, _ = workshop.imported(content, options=ImportOptions(**options))  # type: ignore[arg-type]
    return [column.type for column in written.columns]


def values(workshop: Workshop, content: str | bytes, name: str = "x", **options: object) -> list[object]:
    _, table = workshop.imported(content, options=ImportOptions(**options))  # type: ignore[arg-type]
    return workshop.column(table, name)


def column(*cells: str) -> str:
    """A column x beside another one, so that an empty cell is no blank line."""
    return "x;y\n" + "".join(f"{cell};text\n" for cell in cells)


@pytest.mark.parametrize(
    ("cells", "kind", "read"),
    [
        (["1", "-2", "0"], T.INTEGER, [1, -2, 0]),
        ([" 1", "2 "], T.INTEGER, [1, 2]),
        (["9223372036854775807"], T.INTEGER, ["9223372036854775807"]),
        (["9223372036854775808", "1"], T.DECIMAL, ["9223372036854775808", "1"]),
        (["1" * 39], T.TEXT, ["1" * 39]),
        (["1", "1.5"], T.NUMBER, [1.0, 1.5]),
        (["1e3", "-.5", "5."], T.NUMBER, [1000.0, -0.5, 5.0]),
        (["0.1", "123456789012345678.25"], T.DECIMAL, ["0.10", "123456789012345678.25"]),
        (["1e-400"], T.TEXT, ["1e-400"]),
        (["0.11705708095841637"], T.NUMBER, [0.11705708095841637]),
        (["1.234567890123456781e-05"], T.NUMBER, [1.234567890123456781e-05]),
        (["007", "123"], T.TEXT, ["007", "123"]),
        (["+49301234567"], T.TEXT, ["+49301234567"]),
        (["1_000", "2"], T.TEXT, ["1_000", "2"]),
        (["0x10"], T.TEXT, ["0x10"]),
        (["TRUE", "false"], T.BOOLEAN, [True, False]),
        (["yes", "no"], T.TEXT, ["yes", "no"]),
        (["1", "NA", "nan", "", "N/A"], T.INTEGER, [1, None, None, None, None]),
        (["a", "NA", "None"], T.TEXT, ["a", "NA", "None"]),
        (["NA", "NA"], T.TEXT, ["NA", "NA"]),
        (["", ""], T.TEXT, [None, None]),
        (["2020-01-02", "1999-12-31"], T.DATE, ["2020-01-02", "1999-12-31"]),
        (["2020-01-02", "2020-13-01"], T.TEXT, ["2020-01-02", "2020-13-01"]),
        (["13/02/2020", "01/02/2020"], T.DATE, ["2020-02-13", "2020-02-01"]),
        (["02/13/2020", "01/02/2020"], T.DATE, ["2020-02-13", "2020-01-02"]),
        (["01/02/2020", "03/04/2020"], T.TEXT, ["01/02/2020", "03/04/2020"]),
        (["31.12.2020"], T.DATE, ["2020-12-31"]),
        (
            ["2020-01-02 03:04", "2020-01-02T03:04:05.5"],
            T.TIMESTAMP,
            ["2020-01-02T03:04:00", "2020-01-02T03:04:05.500000"],
        ),
        (["2020-01-02", "2020-01-02 03:04:05"], T.TIMESTAMP, ["2020-01-02T00:00:00", "2020-01-02T03:04:05"]),
        (["2020-01-02T03:04:05.1234567"], T.TEXT, ["2020-01-02T03:04:05.1234567"]),
        (
            ["2020-01-02T03:04:05+02:00", "2020-01-02T03:04:05Z"],
            T.TIMESTAMP,
            ["2020-01-02T01:04:05", "2020-01-02T03:04:05"],
        ),
        (["13/02/2020 04:05"], T.TIMESTAMP, ["2020-02-13T04:05:00"]),
    ],
)  # fmt: skip
def test_type_has_room_for_every_value(
    workshop: Workshop, cells: list[str], kind: ColumnType, read: list[object]
) -> None:
    _, table = workshop.imported(column(*cells))
    assert (table.columns[0].type, workshop.column(table, "x")) == (kind, read)


@pytest.mark.parametrize(
    ("usual", "late", "kind"),
    [
        ("1", "1.5", T.NUMBER),
        ("1", "late", T.TEXT),
        ("1.5", "123456789012345.123", T.DECIMAL),
        ("2020-01-01", "2020-01-01 05:00", T.TIMESTAMP),
        ("2020-01-01", "01.01.2020", T.TEXT),
        ("1", "9223372036854775808", T.DECIMAL),
        ("", "5", T.INTEGER),
        ("", "text", T.TEXT),
        ("true", "1", T.TEXT),
    ],
)
def test_late_value_decides_too(workshop: Workshop, usual: str, late: str, kind: ColumnType) -> None:
    rows = 120_000  # more than the beginning that is looked at first
    content = "x,y\n" + f"{usual},filling text\n" * rows + f"{late},end\n"
    written, table = workshop.imported(content)
    assert (written.columns[0].type, written.rows) == (kind, rows + 1)
    page = workshop.engine.page(View(table), rows, 1)
    shown = page.rows[0][0]
    assert str(shown) == late or kind is T.TIMESTAMP


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(workshop: Workshop, delimiter: str) -> None:
    content = "\n".join(delimiter.join(row) for row in (["a", "b c", "d"], ["1", "x y", "2"], ["3", "z", "4"]))
    found = workshop.engine.detect(workshop.file(content), "t.csv", ImportOptions())
    assert (found.options.delimiter, [c.name for c in found.columns]) == (delimiter, ["a", "b c", "d"])


def test_decimal_comma(workshop: Workshop) -> None:
    content = "x;y\n1,5;2\n-0,25;3\n"
    assert workshop.engine.detect(workshop.file(content), "t.csv", ImportOptions()).options.decimal == ","
    assert values(workshop, content) == [1.5, -0.25]
    assert values(workshop, "x;y\n1.000;1\n2,5;2\n", decimal=",") == ["1.000", "2,5"]  # a point means something else


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_encoding_is_found(workshop: Workshop, encoding: str) -> None:
    content = "größe,ort\n" + "1,Köln\n2,Besançon\n3,Zürich – Süd\n".replace("–", "-" if encoding == "latin-1" else "–")
    _, table = workshop.imported(content.encode(encoding))
    assert [c.name for c in table.columns] == ["größe", "ort"]
    assert workshop.column(table, "ort")[:2] == ["Köln", "Besançon"]


def test_encoding_can_be_said_and_must_be_one(workshop: Workshop) -> None:
    assert values(workshop, "x,y\nпривет,1\n".encode("cp1251"), encoding="cp1251") == ["привет"]
    with pytest.raises(InvalidInputError) as caught:
        workshop.imported("x,y\n1,2\n", options=ImportOptions(encoding="klingon"))
    assert caught.value.faults[0].loc == ("options", "encoding")
    with pytest.raises(UnreadableFileError, match="utf-8"):
        workshop.imported("x,y\nü,2\n".encode("latin-1"), options=ImportOptions(encoding="utf-8"))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "mixed"])
def test_line_ends_of_any_kind(workshop: Workshop, ends: str) -> None:
    rows = ["x,y", '1,"in a\r\ncell"', "2,plain", '3,"in\na cell"']
    marks = ["\r\n", "\n", "\r\n", "\n"] if ends == "mixed" else [ends] * 4
    content = "".join(row + mark for row, mark in zip(rows, marks, strict=True))
    _, table = workshop.imported(content)
    assert workshop.column(table, "x") == [1, 2, 3]
    assert workshop.column(table, "y") == ["in a\r\ncell", "plain", "in\na cell"]


def test_last_line_needs_no_end(workshop: Workshop) -> None:
    assert values(workshop, "x,y\r\n1,2\r\n3,4") == [1, 3]


def test_header_or_not(workshop: Workshop) -> None:
    written, _ = workshop.imported("1,a\n2,b\n")
    assert [c.name for c in written.columns] == ["column_1", "column_2"]
    assert written.rows == 2
    assert workshop.imported("p,q\nr,s\n")[0].rows == 1
    assert workshop.imported("p,q\nr,s\n", options=ImportOptions(header=False))[0].rows == 2
    assert workshop.imported("1,2\n3,4\n", options=ImportOptions(header=True))[0].rows == 1


def test_title_and_comment_lines_are_no_rows(workshop: Workshop) -> None:
    written, table = workshop.imported("Gauge 17\n# made by hand\na,b\n1,2\n3,4\n")
    assert [c.name for c in written.columns] == ["a", "b"]
    assert any("2 lines" in note for note in written.notes)
    assert workshop.column(table, "a") == [1, 3]


def test_names_are_kept_and_made_unique(workshop: Workshop) -> None:
    raw = ["a", "a", "A", "", "<b>x</b>", "🌊", "it's", 'say ""hi""', "select", "a_2", "file_row_number"]
    header = ",".join(f'"{name}"' for name in raw)
    written, table = workshop.imported(f"{header}\n" + ",".join(str(n) for n in range(len(raw))) + "\n")
    names = [c.name for c in written.columns]
    assert names == [
        "a", "a_3", "A_4", "column_4", "<b>x</b>", "🌊", "it's", 'say "hi"', "select", "a_2", "file_row_number_2",
    ]  # fmt: skip
    assert len(written.notes) == 4
    assert list(workshop.rows(table)[0].values()) == list(range(len(raw)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n3\n4,5,6\n", "line 3 has 1; line 4 has 3"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3"),
        ('a,b\n1,2\n3,"open\n4,5\n', "quote"),
        ("a,b\n" + "1,2\n" * 50_000 + "3\n", "line 50,002 has 1"),
    ],
)
def test_broken_rows_are_named(workshop: Workshop, content: str, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        workshop.imported(content)
    assert not list(workshop.folder.glob("*.parquet"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (random.Random(1).randbytes(5_000), "not text|not a text|zero bytes"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "image"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"a,b\n1,\x00\n", "binary"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-10], "damaged|cut off"),
    ],
    ids=["empty", "blank", "noise", "picture", "pdf", "zero", "cut"],
)
def test_what_is_no_text_says_so(workshop: Workshop, content: bytes, words: str) -> None:
    for attempt in (
        lambda: workshop.imported(content),
        lambda: workshop.engine.detect(workshop.file(content), "t.csv", ImportOptions()),
    ):
        with pytest.raises(UnreadableFileError, match=words):
            attempt()


def test_endless_line_is_refused_soon(workshop: Workshop) -> None:
    file = workshop.folder / "endless"
    with file.open("wb") as stream:
        stream.truncate(0)
        for _ in range(40):
            stream.write(b"x" * (1 << 20))
    with pytest.raises(UnreadableFileError, match="longer than"):
        workshop.engine.detect(file, "t.csv", ImportOptions())


def test_compressed_text(workshop: Workshop) -> None:
    assert values(workshop, gzip.compress(b"x,y\n1,2\n")) == [1]


def test_compression_bomb_is_refused(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hydroml.adapters.tables.reading.prepare._SUSPICIOUS_INFLATED", 1 << 20)
    with pytest.raises(UnreadableFileError, match="unpacks to far more"):
        workshop.imported(gzip.compress(b"1,2\n" * 10_000_000, 9))


def test_markers_for_missing_values_can_be_named(workshop: Workshop) -> None:
    _, table = workshop.imported("x,y\n-999,a\n5,unknown\n", options=ImportOptions(missing=("-999", "unknown")))
    assert workshop.rows(table) == [{"x": None, "y": "a"}, {"x": 5, "y": None}]


def test_what_became_empty_is_said(workshop: Workshop) -> None:
    written, _ = workshop.imported(column("1", "NA", "NaN"))
    assert any("2 cells" in note and "“x”" in note for note in written.notes)
    written, _ = workshop.imported(column("01/02/2020"))
    assert any("day/month/year or month/day/year" in note for note in written.notes)


def test_single_column_with_gaps_keeps_its_rows(workshop: Workshop) -> None:
    assert values(workshop, "x\n1\n\n3\n") == [1, None, 3]


@pytest.mark.slow
def test_very_many_columns_are_read_or_refused(workshop: Workshop) -> None:
    for width, fits in ((20_000, False), (2_000, True)):
        content = ",".join(f"c{n}" for n in range(width)) + "\n" + ",".join("1" * width) + "\n"
        if fits:
            assert len(workshop.imported(content)[0].columns) == width
        else:
            with pytest.raises(UnreadableFileError, match="20,000 columns"):
                workshop.imported(content)


def test_rows_keep_the_order_of_the_file(workshop: Workshop) -> None:
    rows = 300_000
    written, table = workshop.imported("n,text\n" + "".join(f"{n},some text {n}\n" for n in range(rows)))
    assert written.rows == rows
    for offset in (0, 123_456, rows - 5):
        page = workshop.engine.page(View(table), offset, 5)
        assert [row[0] for row in page.rows] == list(range(offset, offset + 5))


def test_failed_import_leaves_nothing(workshop: Workshop) -> None:
    with pytest.raises(UnreadableFileError):
        workshop.imported("a,b\n" + "1,2\n" * 200_000 + "1\n")
    assert not list(workshop.folder.glob("*.parquet"))
    left = [p for p in (workshop.folder / "tmp").rglob("*") if p.is_file() and p.name != "lock"]
    assert left == []
