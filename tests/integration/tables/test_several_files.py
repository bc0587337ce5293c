"""Several files and archives as one table, and rows appended to a table: nothing lost, and nothing left behind."""

import bz2
import gzip
import io
import json
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, Detection, ImportOptions, Table, UnreadableFileError
from tests.tables import QuietMonitor, Workshop

T = ColumnType
Contents = Mapping[str, bytes | str]


def joined(
    workshop: Workshop, contents: Contents, onto: Table | None = None, **options: Any
) -> tuple[WrittenTable, Table, list[dict[str, Any]]]:
    return workshop.joined(contents, ImportOptions(**options), onto)


def shown(workshop: Workshop, contents: Contents, **options: Any) -> Detection:
    return workshop.engine.detect(workshop.incoming(contents), ImportOptions(**options))


def archive(files: Contents, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def left_behind(workshop: Workshop) -> list[Path]:
    return [path for path in (workshop.folder / "tmp").rglob("*") if path.is_file() and path.name != "lock"]


A = "date,flow,site\n2020-01-01,1,a\n2020-01-02,2,a\n"
B = "site;flow;level\nb;1,5;0,25\n"


def test_columns_are_united_by_name(workshop: Workshop) -> None:
    written, table, _ = joined(workshop, {"a.csv": A, "b.csv": B})
    assert [(c.name, c.type) for c in written.columns] == [
        ("date", T.DATE), ("flow", T.NUMBER), ("site", T.TEXT), ("level", T.NUMBER),
    ]  # fmt: skip
    assert workshop.rows(table) == [
        {"date": "2020-01-01", "flow": 1.0, "site": "a", "level": None},
        {"date": "2020-01-02", "flow": 2.0, "site": "a", "level": None},
        {"date": None, "flow": 1.5, "site": "b", "level": 0.25},
    ]
    assert any("“date” is absent in 1 of 2 files" in note for note in written.notes)
    assert left_behind(workshop) == []


def test_detection_shows_the_joined_table(workshop: Workshop) -> None:
    found = shown(workshop, {"a.csv": A, "b.csv": B})
    assert [(file.name, file.size) for file in found.files] == [("a.csv", len(A)), ("b.csv", len(B))]
    assert [(c.name, c.type) for c in found.columns] == [
        ("date", T.DATE), ("flow", T.NUMBER), ("site", T.TEXT), ("level", T.NUMBER),
    ]  # fmt: skip
    assert found.rows[2] == (None, 1.5, "b", 0.25)
    assert (found.options.delimiter, found.options.header) == (None, True)
    written, table, _ = joined(workshop, {"a.csv": A, "b.csv": B})
    again = workshop.engine.import_files(
        workshop.incoming({"a.csv": A, "b.csv": B}), found.options, workshop.folder / "o", workshop.folder / "r",
        QuietMonitor(),
    )  # fmt: skip
    assert (again.columns, again.rows) == (written.columns, table.rows)


@pytest.mark.parametrize(
    ("first", "second", "kind", "read"),
    [
        (["1"], ["2.50"], T.NUMBER, [1.0, 2.5]),
        (["1.50"], ["word"], T.TEXT, ["1.50", "word"]),
        (["TRUE"], ["1"], T.TEXT, ["TRUE", "1"]),
        (["007"], ["1"], T.TEXT, ["007", "1"]),
        (["9007199254740993"], ["0.5"], T.DECIMAL, ["9007199254740993.0", "0.5"]),
        (["9007199254740993"], ["1e30"], T.TEXT, ["9007199254740993", "1e30"]),
        (["9223372036854775808"], ["1"], T.DECIMAL, ["9223372036854775808", "1"]),
        (["123456789012345678.25"], ["1.5"], T.DECIMAL, ["123456789012345678.25", "1.50"]),
        (["123456789012345678.25"], ["1e300"], T.TEXT, ["123456789012345678.25", "1e300"]),
        (["2020-01-01"], ["2020-01-02 03:00"], T.TIMESTAMP, ["2020-01-01T00:00:00", "2020-01-02T03:00:00"]),
        (["31.12.2020"], ["12"], T.TEXT, ["31.12.2020", "12"]),
        (["", ""], ["5"], T.INTEGER, [None, None, 5]),
        (["NA", "-"], ["5"], T.INTEGER, [None, None, 5]),
        (["NA"], ["text"], T.TEXT, ["NA", "text"]),
    ],
)
def test_types_are_joined_without_loss(
    workshop: Workshop, first: list[str], second: list[str], kind: T, read: list[Any]
) -> None:
    files = {name: "x;y\n" + "".join(f"{cell};t\n" for cell in cells)
             for name, cells in (("a.csv", first), ("b.csv", second))}  # fmt: skip
    written, table, _ = joined(workshop, files)
    assert (written.columns[0].type, workshop.column(table, "x")) == (kind, read)
    found = shown(workshop, files)
    if not {c.type for c in found.columns[:1]} & {T.NUMBER, T.DECIMAL}:  # which of them, only all values can tell
        assert (found.columns[0].type, [row[0] for row in found.rows]) == (kind, read)


def test_files_of_different_forms_become_one_table(workshop: Workshop) -> None:
    parquet = io.BytesIO()
    pq.write_table(pa.table({"flow": pa.array([4], pa.int16()), "site": ["p"]}), parquet)
    files = {
        "a.csv": A, "b.json": json.dumps([{"site": "j", "flow": 3.5}]), "c.parquet": parquet.getvalue(),
        "d.csv.gz": gzip.compress(b"flow,site\n7,g\n"), "e.csv.bz2": bz2.compress(b"Flow,site\n8,z\n"),
    }  # fmt: skip
    _, table, _ = joined(workshop, files)
    assert workshop.column(table, "flow") == [1, 2, 3.5, 4, 7, 8]
    assert workshop.column(table, "site") == ["a", "a", "j", "p", "g", "z"]


def test_rejected_rows_tell_their_file(workshop: Workshop) -> None:
    written, _, rejected = joined(workshop, {"a.csv": "a,b\n1,2\n3\n4,5\n", "b.csv": "a,b\n1,2\n3,4\n5,6,7\n"})
    assert (written.rows, written.rejected) == (4, 2)
    assert [(row["file"], row["line"]) for row in rejected] == [("a.csv", 3), ("b.csv", 4)]
    found = shown(workshop, {"a.csv": "a,b\n1,2\n3\n4,5\n", "b.csv": "a,b\n1,2\n3,4\n5,6,7\n"})
    assert (found.rejected, [row.file for row in found.rejects]) == (2, ["a.csv", "b.csv"])


def test_the_unreadable_one_is_named(workshop: Workshop) -> None:
    for read in (joined, shown):
        with pytest.raises(UnreadableFileError, match=r"“b\.csv”: the file is empty"):
            read(workshop, {"a.csv": A, "b.csv": ""})
    assert left_behind(workshop) == []


def test_chosen_types_are_of_all_files(workshop: Workshop) -> None:
    files = {"a.csv": A, "b.csv": B}
    written, table, _ = joined(workshop, files, types={"level": T.TEXT, "flow": T.INTEGER})
    assert workshop.column(table, "level")[2] == "0,25"
    assert workshop.column(table, "flow") == [1, 2, None]
    assert any("does not fit" in note and "b.csv" in note for note in written.notes)
    for read in (joined, shown):
        with pytest.raises(InvalidInputError) as caught:
            read(workshop, files, types={"nothing": T.TEXT})
        assert caught.value.faults[0].loc == ("options", "types", "nothing")


def test_zip_is_read_as_its_tables(workshop: Workshop) -> None:
    content = archive(
        {"data/a.csv": A, "data/b.csv": B, "README.md": "# no table", "__MACOSX/._a.csv": "x", "empty/": ""}
    )
    found = shown(workshop, {"all.zip": content})
    assert [(file.name, file.size) for file in found.files] == [("data/a.csv", len(A)), ("data/b.csv", len(B))]
    written, table, _ = joined(workshop, {"all.zip": content})
    assert (written.rows, workshop.column(table, "flow")) == (3, [1, 2, 1.5])
    assert any("README.md" in note for note in written.notes)
    written, table, _ = joined(workshop, {"all.zip": content}, files=("data/b.csv",))
    assert workshop.column(table, "flow") == [1.5]
    with pytest.raises(InvalidInputError) as caught:
        joined(workshop, {"all.zip": content}, files=("c.csv",))
    assert caught.value.faults[0].loc == ("options", "files")
    assert left_behind(workshop) == []


def test_zip_of_one_file_is_that_file(workshop: Workshop) -> None:
    found = shown(workshop, {"a.zip": archive({"notes from the field": A})})
    assert (found.format, found.options.delimiter, len(found.files)) == ("csv", ",", 1)


def link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        member = zipfile.ZipInfo("a.csv")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("a.csv", A)
        with pytest.warns(UserWarning, match="Duplicate"):
            target.writestr("a.csv", B)
    return buffer.getvalue()


def locked() -> bytes:
    content = bytearray(archive({"a.csv": A}, zipfile.ZIP_STORED))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + at] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(archive({"a.csv": A}, zipfile.ZIP_STORED))
    at = content.index(b"2020")
    content[at : at + 4] = b"1999"
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive({"../a.csv": A}), "points out of it"),
        (archive({"x/../../a.csv": A}), "points out of it"),
        (archive({"/etc/a.csv": A}), "points out of it"),
        (archive({"C:\\a.csv": A}), "points out of it"),
        (archive({"..\\a.csv": A}), "points out of it"),
        (link(), "is a link"),
        (twice(), "more than once"),
        (locked(), "password"),
        (damaged(), "damaged"),
        (archive({"a.csv": A})[:-30], "damaged"),
        (archive({}), "empty"),
        (archive({"a.png": b"\x89PNG", "b.md": "x"}), "no tables"),
        (archive({"inner.zip": archive({"a.csv": A})}), "archive itself"),
        (archive({"inner.csv": archive({"a.csv": A})}), "within another one"),
        (archive({"a.csv.gz": gzip.compress(archive({"a.csv": A}))}), "within another one"),
        (archive({"a.csv.gz": gzip.compress(gzip.compress(A.encode()))}), "compressed"),
        (archive({"a.csv": bytes(3 << 30 >> 1)}), "far more"),
    ],
    ids=["above", "further above", "absolute", "drive", "backslash", "link", "twice", "locked", "damaged", "cut off",
         "empty", "no table", "zip in zip", "hidden zip", "zip in gzip", "gzip in gzip", "zeros"],
)  # fmt: skip
def test_traps_in_archives_are_refused(workshop: Workshop, content: bytes, reason: str) -> None:
    for read in (joined, shown):
        with pytest.raises(UnreadableFileError, match=reason):
            read(workshop, {"a.zip": content})
    assert left_behind(workshop) == []
    assert [path for path in workshop.folder.iterdir() if path.suffix == ".parquet"] == []


def test_rows_are_appended_to_a_table(workshop: Workshop) -> None:
    _, table = workshop.imported("id,flow,day,note\n7,0.5,2020-01-01,x\n8,1.5,2020-01-02,\n")
    written, longer, _ = joined(workshop, {"more.csv": "flow,id,extra\n3,9,new\n"}, onto=table)
    assert [(c.name, c.type) for c in written.columns] == [
        ("id", T.INTEGER), ("flow", T.NUMBER), ("day", T.DATE), ("note", T.TEXT), ("extra", T.TEXT),
    ]  # fmt: skip
    assert workshop.rows(longer)[1:] == [
        {"id": 8, "flow": 1.5, "day": "2020-01-02", "note": None, "extra": None},
        {"id": 9, "flow": 3.0, "day": None, "note": None, "extra": "new"},
    ]
    assert left_behind(workshop) == []


def test_appended_values_widen_a_type_or_are_refused(workshop: Workshop) -> None:
    _, table = workshop.imported("n,d,t\n1,2020-01-01,x\n")
    written, longer, _ = joined(workshop, {"b.csv": "n,d,t\n1.5,2020-01-01 06:00,007\n"}, onto=table)
    assert [c.type for c in written.columns] == [T.NUMBER, T.TIMESTAMP, T.TEXT]
    assert workshop.column(longer, "t") == ["x", "007"]
    with pytest.raises(UnreadableFileError, match=r"“n” holds values of type integer so far.*as in “many”"):
        joined(workshop, {"b.csv": "n,d\nmany,2020-01-02\n"}, onto=table)
    _, longer, _ = joined(workshop, {"b.csv": "n,d\nmany,2020-01-02\n"}, onto=table, types={"n": T.INTEGER})
    assert workshop.column(longer, "n") == [1, None]
    assert workshop.column(table, "n") == [1]


def test_appended_tables_are_stored_like_fresh_ones(workshop: Workshop) -> None:
    rows = "".join(f"{n},{n / 8}\n" for n in range(60_000))
    _, first = workshop.imported("n,x\n" + rows)
    written, longer, _ = joined(workshop, {"b.csv": "n,x\n" + rows, "c.csv": "n,x\n" + rows}, onto=first)
    assert written.rows == 180_000
    with workshop.blobs.local(longer.blob) as file:
        groups = pq.ParquetFile(file)
        assert [groups.metadata.row_group(at).num_rows // 1_000 for at in range(4)] == [51, 51, 51, 25]
        column = groups.read(columns=["n"]).column("n").to_pylist()
    assert column == list(range(60_000)) * 3
