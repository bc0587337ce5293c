"""Text tables as they come: written by any program, in any encoding, and broken in any way."""

import bz2
import gzip
import lzma
import random
from collections.abc import Callable

import pyarrow as pa
import pytest

from hydroml.application.ports.tables import IncomingFile, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, DateOrder, ImportOptions, Ragged, UnreadableFileError
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
    found = workshop.detect(content, "t.csv")
    assert (found.options.delimiter, [c.name for c in found.columns]) == (delimiter, ["a", "b c", "d"])


def test_decimal_comma(workshop: Workshop) -> None:
    content = "x;y\n1,5;2\n-0,25;3\n"
    assert workshop.detect(content, "t.csv").options.decimal == ","
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


LINES = "".join(f"{n},x\n" for n in range(50_000))


@pytest.mark.parametrize(
    ("content", "rejected"),
    [
        ("a,b\n1,2\n3\n4,5\n6,7,8\n9,9\n", [(3, "1 cell, not 2", "3"), (5, "3 cells, not 2", "6,7,8")]),
        ('a,b\n"x\ny",1\n"x\ny",1\n2\n', [(6, "1 cell", "2")]),
        ('a,b\n1,2\n3,"x"y\n4,5\n', [(3, "quote", '3,"x"y')]),
        (f"a,b\n{LINES}3\n{LINES}", [(50_002, "1 cell", "3")]),
        ("# title\n# by me\na,b\r\n1,2\n\n1,2\r\n3\n", [(7, "1 cell", "3")]),
        ("a b\n1 2\n3\n" + "4 5\n" * 30 + "6 7 8\n9 9\n", [(3, "1 cell", "3"), (34, "3 cells", "6 7 8")]),
        ('"one\ntwo",b\n1,2\n3\n4,5\n', [(4, "1 cell", "3")]),
        ("name,v\n1,2\n3,4\n5\n\ufeff6,7\n", [(4, "1 cell", "5")]),
    ],
    ids=["short and long", "lines in cells", "text after a quote", "far down", "title", "blanks", "names", "mark"],
)
def test_rows_that_cannot_be_read_are_kept_apart(
    workshop: Workshop, content: str, rejected: list[tuple[int, str, str]]
) -> None:
    written, found = workshop.with_rejected(content)
    assert written.rejected == len(rejected) == len(found)
    for row, (line, reason, text) in zip(found, rejected, strict=True):
        assert (row["file"], row["line"], row["text"]) == ("t.csv", line, text)
        assert reason in row["reason"]
    shown = workshop.detect(content)
    if shown.judged_all:
        assert [(r.line, r.text) for r in shown.rejects] == [(line, text) for line, _, text in rejected]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n3\n4,5,6\n7\n", "line 3: it has 1 cell, not 2; line 4: it has 3 cells, not 2"),
        ('a,b\n1,2\n3,"open\n4,5\n', "a quote is opened in line 3 and never closed"),
        ('a,b\n1,2\n3,"open\n' + "4,5\n" * 3_000_000, "a quote is opened in line 3 and never closed"),
    ],
    ids=["most", "open", "open and long"],
)
def test_what_is_hardly_a_table_is_refused(workshop: Workshop, content: str, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        workshop.imported(content)
    assert not list(workshop.folder.glob("*.parquet"))


def test_short_rows_are_filled_on_demand(workshop: Workshop) -> None:
    content = 'a,b,c\n1,2,3\n4\n5,"x\ny"\n6,7,8,9\n'
    written, rejected = workshop.with_rejected(content, ImportOptions(ragged=Ragged.FILL))
    assert (written.rows, [row["line"] for row in rejected]) == (3, [6])
    assert workshop.rows(workshop.imported(content, options=ImportOptions(ragged=Ragged.FILL))[1])[1:] == [
        {"a": 4, "b": None, "c": None},
        {"a": 5, "b": "x\ny", "c": None},
    ]


@pytest.mark.parametrize(
    ("content", "names", "first"),
    [
        ("% one\n% two\na;b\n1;2\n% three\n3;4\n", ["a", "b"], [1, 2]),
        ("Station list\nmade 2020\n\nid,name\n1,x\n2,y\n", ["id", "name"], [1, "x"]),
        ("#\n# head\na\tb\n5s\t15d\n1\tx\n2\ty\n", ["a", "b"], [1, "x"]),
        ("a^b\n1^2\n3^4\n", ["a", "b"], [1, 2]),
        ("#id,v\n1,2\n3,4\n", ["#id", "v"], [1, 2]),
        ("x,y\nr1,1,2\nr2,3,4\n", ["column_1", "x", "y"], ["r1", 1, 2]),
        ("Year Day  q\n2000 01 1.5\n2000 02 22.5\n", ["Year", "Day", "q"], [2000, "01", 1.5]),
        ("name      place        n\nA. Miller Paris        1\nB. K. Lee New York     22\n",
         ["name", "place", "n"], ["A. Miller", "Paris", 1]),
        ("'a','b'\n'x,1','y'\n'z','w'\n", ["a", "b"], ["x,1", "y"]),
        ('a,b\n"say \\"x\\"",1\n"y",2\n', ["a", "b"], ['say "x"', 1]),
    ],
    ids=[
        "percent", "title", "widths", "caret", "hash name", "row names", "blanks", "fixed", "apostrophes", "backslash"
    ],
)  # fmt: skip
def test_how_a_table_is_written_is_found(
    workshop: Workshop, content: str, names: list[str], first: list[object]
) -> None:
    shown = workshop.detect(content)
    written, table = workshop.imported(content)
    assert [c.name for c in written.columns] == [c.name for c in shown.columns] == names
    assert list(workshop.rows(table)[0].values()) == list(shown.rows[0]) == first
    assert written.rejected == 0
    again, _ = workshop.imported(content, options=shown.options)
    assert (again.columns, again.rows) == (written.columns, written.rows)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1,234,567", "12", "-1,000"], [1234567, 12, -1000]),
        (["1,234.5", "0.25"], [1234.5, 0.25]),
        (["1 234", "5"], [1234, 5]),
        (["1'234'567.5", "5.5"], [1234567.5, 5.5]),
        (["1,5", "2,25"], ["1,5", "2,25"]),
        (["1,234", "1,23"], ["1,234", "1,23"]),
    ],
)
def test_grouped_digits(workshop: Workshop, cells: list[str], read: list[object]) -> None:
    assert values(workshop, "x\ty\n" + "".join(f"{cell}\tt\n" for cell in cells), decimal=".") == read


def test_gaps_beside_grouped_digits(workshop: Workshop) -> None:
    _, table = workshop.imported("n,m,note\n1 000,2,some words\n12,,\n,12,none\n")
    assert [list(row.values()) for row in workshop.rows(table)] == [
        [1000, 2, "some words"],
        [12, None, None],
        [None, 12, "none"],
    ]


def test_dates_of_two_readings_are_asked_for(workshop: Workshop) -> None:
    content = "day,v\n1/2/2020,1\n3/4/2020,2\n"
    shown = workshop.detect(content)
    assert [(q.option, q.columns) for q in shown.questions] == [("date_order", ("day",))]
    assert shown.columns[0].type is T.TEXT
    for order, first in (("dmy", "2020-02-01"), ("mdy", "2020-01-02")):
        options = ImportOptions(date_order=DateOrder(order))
        assert not workshop.detect(content, options=options).questions
        assert values(workshop, content, "day", date_order=DateOrder(order))[0] == first
    assert values(workshop, content.replace("1/2", "13/2"), "day", date_order=DateOrder.MONTH_FIRST)[0] == "2020-02-13"


def test_a_chosen_type_counts_what_does_not_fit(workshop: Workshop) -> None:
    content = "x,y,z\n1,a,2020-01-02\n2.5,b,soon\n?,c,\n"
    options = ImportOptions(types={"x": T.INTEGER, "y": T.NUMBER, "z": T.DATE})
    shown = workshop.detect(content, options=options)
    assert [(c.type, c.misfits) for c in shown.columns] == [(T.INTEGER, 1), (T.NUMBER, 3), (T.DATE, 1)]
    written, table = workshop.imported(content, options=options)
    assert [list(row.values()) for row in workshop.rows(table)] == [[1, None, "2020-01-02"], [None] * 3, [None] * 3]
    assert any("“y”: 3 cells do not fit" in note for note in written.notes)
    for kind in T:
        if kind is not T.CATEGORY:
            assert types(workshop, content, types={"x": kind})[0] is kind
    with pytest.raises(InvalidInputError):
        workshop.imported(content, options=ImportOptions(types={"nowhere": T.TEXT}))


def test_markers_are_proposed(workshop: Workshop) -> None:
    content = "q,t,s\n1.5,3,NA\n-,-9999,a\n2.5,4,b\n"
    shown = workshop.detect(content)
    assert {(m.text, m.columns, m.cells, m.applied) for m in shown.missing} == {
        ("-", ("q",), 1, True), ("-9999", ("t",), 1, False),
    }  # fmt: skip
    _, table = workshop.imported(content)
    assert workshop.column(table, "t") == [3, -9999, 4]
    assert workshop.column(table, "s") == ["NA", "a", "b"]
    _, named = workshop.imported(content, options=ImportOptions(missing=("-", "-9999", "NA")))
    assert workshop.rows(named) == [
        {"q": 1.5, "t": 3, "s": None}, {"q": None, "t": None, "s": "a"}, {"q": 2.5, "t": 4, "s": "b"},
    ]  # fmt: skip
    assert types(workshop, content, missing=()) == [T.TEXT, T.INTEGER, T.TEXT]


def test_guards_against_spreadsheets_are_taken_off(workshop: Workshop) -> None:
    content = "x,y\n'=1+1,1\n''=2,2\nit's,3\n"
    assert values(workshop, content) == ["=1+1", "'=2", "it's"]
    assert values(workshop, content, guards=False) == ["'=1+1", "''=2", "it's"]
    assert any("apostrophe" in note for note in workshop.detect(content).notes)


def test_numbers_in_a_column_of_dates(workshop: Workshop) -> None:
    assert types(workshop, "date,n\n19580329,19580329\n19580405,19580405\n") == [T.DATE, T.INTEGER]


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
        lambda: workshop.detect(content, "t.csv"),
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
        workshop.engine.detect([IncomingFile(file, "t.csv")], ImportOptions())


def test_compressed_text(workshop: Workshop) -> None:
    assert values(workshop, gzip.compress(b"x,y\n1,2\n")) == [1]


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


WIDE = (
    "n;x;code;day;mark;gap;text\n1;1,5;007;2020-01-02;-9999;;a\n2;2;010;2020-01-03;4;;NA\nshort;1\n"
    '3;;x;2020-01-04;5;;"q"""\n;1,25;1;;6;;\'=1+1\n'
)


@pytest.mark.parametrize("chosen", [{}, {"code": T.INTEGER, "mark": T.DECIMAL}, {"x": T.TEXT, "day": T.NUMBER}])
def test_a_wide_table_is_read_like_a_narrow_one(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, ColumnType]
) -> None:
    options = ImportOptions(types=chosen)

    def read() -> tuple[object, ...]:
        written, table, rejected = workshop.joined({"t.csv": WIDE}, options)
        found = workshop.detect(WIDE, options=options)
        return written, workshop.rows(table), rejected, found

    narrow = read()
    monkeypatch.setattr("hydroml.adapters.tables.reading.text._WIDE", 1)
    monkeypatch.setattr("hydroml.adapters.tables.reading.text._GROUP", 2)
    assert read() == narrow


def test_rows_keep_the_order_of_the_file(workshop: Workshop) -> None:
    rows = 300_000
    written, table = workshop.imported("n,text\n" + "".join(f"{n},some text {n}\n" for n in range(rows)))
    assert written.rows == rows
    for offset in (0, 123_456, rows - 5):
        page = workshop.engine.page(View(table), offset, 5)
        assert [row[0] for row in page.rows] == list(range(offset, offset + 5))


def test_failed_import_leaves_nothing(workshop: Workshop) -> None:
    with pytest.raises(UnreadableFileError):
        workshop.imported("a,b\n" + "1,2\n" * 200_000 + '1,"open\n')
    assert not list(workshop.folder.glob("*.parquet"))
    left = [p for p in (workshop.folder / "tmp").rglob("*") if p.is_file() and p.name != "lock"]
    assert left == []


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: bytes(pa.compress(content, "zstd")),
}


@pytest.mark.parametrize("ending", PACKERS)
def test_compressed_tables(workshop: Workshop, ending: str) -> None:
    content = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(100_000))
    packed = PACKERS[ending](content)
    written, _ = workshop.imported(packed, f"table.csv.{ending}")
    assert written.rows == 100_000
    with pytest.raises(UnreadableFileError, match="damaged or cut off"):
        workshop.imported(packed[: len(packed) // 2])


def test_a_table_of_two_packed_parts(workshop: Workshop) -> None:
    for ending in ("gz", "bz2", "xz", "zst"):
        written, _ = workshop.imported(PACKERS[ending](b"a,b\n1,2\n") + PACKERS[ending](b"3,4\n"))
        assert written.rows == 2, ending


@pytest.mark.slow
@pytest.mark.parametrize("ending", PACKERS)
def test_a_bomb_is_not_unpacked(workshop: Workshop, ending: str) -> None:
    """Two gigabytes of zeros: bounded on disk, in words, and nothing is left."""
    part = PACKERS[ending](bytes(64 << 20))
    with pytest.raises(UnreadableFileError, match=r"far more|zero"):
        workshop.imported(part * 32)
    assert not [p for p in (workshop.folder / "tmp").rglob("*") if p.is_file() and p.name != "lock"]
