"""Files that are no tables, or hardly: each ends in a clear word at the right place, and leaves nothing behind."""

import gzip
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from sqlalchemy import text

from hydroml.adapters.tables.reading import compression
from hydroml.entrypoints.bootstrap import container
from tests.integration.web.people import CSV, Person, finish, upload

Made = dict[str, Any]


@pytest.fixture
def project(alice: Person) -> UUID:
    return UUID(alice.post("/projects", {"name": "Rivers"}).json()["id"])


def files() -> set[str]:
    """Every file of the installation: blobs, uploads, scratch, spill, MLflow's."""
    root: Path = settings.HYDROML.data_dir
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def children() -> set[str]:
    """Processes of this one."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def versions() -> int:
    with container().engine().connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM hydroml.version")).scalar_one())


@contextmanager
def nothing_left() -> Iterator[None]:
    """What happens within makes no version and leaves no file and no process."""
    container().handlers()  # each engine makes its folder once
    before = (files(), children(), versions())
    yield
    assert (files(), children(), versions()) == before


def imported(owner: Person, project: UUID, content: bytes, name: str = "table.csv", **fields: str) -> Made:
    """The source after its import, with its job under `job`."""
    accepted = upload(owner, project, content, name, **fields)
    assert accepted.status_code == 202, accepted.content
    finish(accepted.json()["job"]["id"])
    source: Made = owner.get(f"/sources/{accepted.json()['source']['id']}").json()
    return source


def rows(owner: Person, source: Made, query: str = "") -> list[list[Any]]:
    found: list[list[Any]] = owner.get(f"/versions/{source['current_version']['id']}/rows?{query}").json()["rows"]
    return found


def parquet(table: pa.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def boasting_parquet() -> bytes:
    """A file with one row, whose footer speaks of 500 million in each of its counts."""
    small = parquet(pa.table({"flow": pa.nulls(1, pa.int64())}))
    length = struct.unpack("<I", small[-8:-4])[0]
    footer = small[-8 - length : -8]
    one = b"\x16\x02"  # as Thrift writes a count of 1: zigzag, in sevens of bits
    assert footer.count(one) == 3
    swollen = footer.replace(one, b"\x16" + varint(2 * 500_000_000))
    return small[: -8 - length] + swollen + struct.pack("<I", len(swollen)) + b"PAR1"


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def workbook(sheet: bytes, **others: bytes) -> bytes:
    """A workbook of one sheet, given as XML."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="a" Type="{kind}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rels}"><Relationship Id="b" Type="{kind}/worksheet"'
        ' Target="worksheets/sheet1.xml"/></Relationships>',
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            member.write(sheet)
    return stream.getvalue()


def sheet(rows: str, head: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{head}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def zip_bomb() -> bytes:
    """60 MB of blanks in the sheet, 60 KB in the file."""
    return workbook(sheet("<row><c><v>1</v></c></row>" + " " * 60_000_000))


def lying_bomb() -> bytes:
    """The same, but the directory of the archive says that the sheet has 100 bytes."""
    content = bytearray(zip_bomb())
    at = content.rfind(b"PK\x01\x02")
    while at >= 0:
        if content[at + 46 :].startswith(b"xl/worksheets/sheet1.xml"):
            struct.pack_into("<I", content, at + 24, 100)
            break
        at = content.rfind(b"PK\x01\x02", 0, at)
    return bytes(content)


GOOD_PARQUET = parquet(pa.table({"flow": list(range(10_000)), "site": ["x"] * 10_000}))
BROKEN: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("empty.csv", lambda: b"", "empty"),
    "blank": ("blank.csv", lambda: b"\n \n\t\n", "empty"),
    "bom alone": ("bom.csv", lambda: b"\xef\xbb\xbf", "empty"),
    "garbage": ("noise.csv", lambda: os.urandom(50_000) + bytes(100), "binary"),
    "program": ("tool.csv", lambda: b"\x7fELF" + os.urandom(5_000), "program"),
    "zeros": ("zeros.csv", lambda: b"a,b\n" + bytes(10_000), "binary"),
    "late zeros": ("late.csv", lambda: b"a,b\n" + b"1,2\n" * 400_000 + bytes(10) + b"\n", "binary"),
    "ragged": ("ragged.csv", lambda: b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n", "line 3: it has 2 cells, not 3; line 4"),
    "open quote": ("quote.csv", lambda: b'a,b\n1,2\n"3,4\n5,6\n' + b"1,2\n" * 1000, "line 3"),
    "truncated parquet": ("cut.parquet", lambda: GOOD_PARQUET[: len(GOOD_PARQUET) // 2], "cut off"),
    "parquet with its middle gone": (
        "hole.parquet", lambda: GOOD_PARQUET[:40] + bytes(400) + GOOD_PARQUET[440:], "damaged",
    ),
    "parquet magic alone": ("magic.parquet", lambda: b"PAR1PAR1", "cut off"),
    "text named parquet": ("text.parquet", lambda: b"a,b\n1,2\n", "Parquet"),
    "boasting parquet": ("boast.parquet", boasting_parquet, "damaged"),
    "zip bomb": ("bomb.xlsx", zip_bomb, "unpacks to far more"),
    "lying zip bomb": ("bomb.xlsx", lying_bomb, "damaged"),
    "billion laughs": (
        "laughs.xlsx",
        lambda: workbook(
            sheet(
                '<row><c t="str"><v>&j;</v></c></row>',
                "<!DOCTYPE w [<!ENTITY a 'ha'>" + "".join(
                    f"<!ENTITY {chr(98 + at)} '{f'&{chr(97 + at)};' * 10}'>" for at in range(9)
                ) + "]>",
            )
        ),
        "",
    ),
    "cut workbook": ("cut.xlsx", lambda: workbook(sheet("<row/>"))[:300], "workbook"),
    "sheet at the end of the world": (
        "far.xlsx",
        lambda: workbook(sheet('<row r="1"><c r="A1"><v>1</v></c></row><row><c r="XFD1048576"><v>1</v></c></row>')),
        "far more cells",
    ),
    "twenty thousand columns": (
        "wide.csv",
        lambda: (",".join(f"c{at}" for at in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n").encode(),
        "20,000 columns",
    ),
    "twenty thousand columns of parquet": (
        "wide.parquet", lambda: parquet(pa.table({f"c{at}": [1] for at in range(20_000)})), "20,000 columns",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_ends_in_words_and_leaves_nothing(alice: Person, project: UUID, kind: str) -> None:
    name, make, words = BROKEN[kind]
    content = make()
    with nothing_left():
        source = imported(alice, project, content, name)
    assert source["status"] == "failed", source
    assert source["current_version"] is None
    assert words in source["error"]
    job = source["job"]
    assert (job["state"], job["error"]) == ("failed", source["error"])
    assert "unexpected" not in job["error"]
    assert alice.get(f"/sources/{source['id']}/versions").json()["total"] == 0
    assert alice.get(f"/jobs/{job['id']}/log").json()["items"][-1]["message"] == job["error"]
    with nothing_left():
        response = alice.client.post("/api/v1/sources/detect", {"file": SimpleUploadedFile(name, content)})
    assert response.status_code in (200, 422), response.content


def test_a_gzip_bomb_is_not_unpacked(alice: Person, project: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_SUSPICIOUS_INFLATED", 2**23)  # a bomb of a few bytes; the real limit is 1 GB
    with nothing_left():
        source = imported(alice, project, gzip.compress(b"1,2\n" * 2**24), "bomb.csv.gz")
    assert source["error"] == "the compressed file unpacks to far more than a table would"


def test_a_name_in_a_file_is_kept_exactly(alice: Person, project: UUID) -> None:
    names = ['say "hi"', "<script>alert(1)</script>", "🌊 débit", "a;b", "it's", "{x}", "$1", "%s", "--", "a.b", "NULL"]
    head = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    source = imported(alice, project, f"{head}\n{','.join(str(at) for at in range(len(names)))}\n".encode())
    assert [column["name"] for column in source["current_version"]["columns"]] == names
    assert rows(alice, source) == [list(range(len(names)))]
    version = source["current_version"]["id"]
    for at, name in enumerate(names):
        quoted = '"' + name.replace('"', '""') + '"'
        page = alice.client.get(
            f"/api/v1/versions/{version}/rows",
            {"filter": f"{quoted} = {at}", "sort": json.dumps(["-" + name]), "columns": json.dumps([name])},
        )
        assert page.json()["rows"] == [[at]], page.content
    shown = alice.client.get(f"/sources/{source['id']}").content.decode()
    assert "<script>alert(1)" not in shown


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("flow,flow,flow", ["flow", "flow_2", "flow_3"]),
        ("flow,Flow,FLOW", ["flow", "Flow_2", "FLOW_3"]),
        ("flow,flow_2,flow", ["flow", "flow_2", "flow_3"]),
        ("a,,b,", ["a", "column_2", "b", "column_4"]),
        (" a , b,c ", ["a", "b", "c"]),
    ],
)
def test_double_and_empty_names_become_different_ones(
    alice: Person, project: UUID, head: str, names: list[str]
) -> None:
    width = head.count(",") + 1
    source = imported(alice, project, f"{head}\n{','.join(str(at) for at in range(width))}\n".encode())
    assert [column["name"] for column in source["current_version"]["columns"]] == names
    assert rows(alice, source) == [list(range(width))]
    log = [line["message"] for line in alice.get(f"/jobs/{source['job']['id']}/log").json()["items"]]
    assert any("column" in message for message in log)


def test_a_late_value_is_never_rounded_to_the_type_of_the_early_ones(alice: Person, project: UUID) -> None:
    late = b"id,flow\n" + b"".join(b"%d,7\n" % at for at in range(1, 300_000)) + b"300000,1.5\n300001,8\n"
    source = imported(alice, project, late)
    assert [c["type"] for c in source["current_version"]["columns"]] == ["integer", "number"]
    assert rows(alice, source, "offset=299998&limit=3") == [[299_999, 7.0], [300_000, 1.5], [300_001, 8.0]]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("oops", "text"),
        ("9223372036854775808", "decimal"),
        ("0.1234567890123456789", "decimal"),
        ("007", "text"),
        ("2020-02-30", "text"),
        ("1e400", "text"),
        ("true", "text"),
    ],
)
def test_a_late_value_that_does_not_fit_is_kept_as_it_is(alice: Person, project: UUID, value: str, kind: str) -> None:
    source = imported(alice, project, b"id,flow\n" + b"1,7\n" * 299_999 + f"1,{value}\n".encode())
    assert source["status"] == "ready", source
    assert source["current_version"]["columns"][1]["type"] == kind
    assert rows(alice, source, "offset=299999&limit=1")[0][1] == value


GOOD_BOOK = workbook(sheet("<row><c t='str'><v>flow</v></c></row><row><c><v>1.5</v></c></row>"))
OPTIONS: list[Any] = [
    {"delimiter": "\x00"}, {"delimiter": "\n"}, {"delimiter": "\r"}, {"delimiter": '"'}, {"delimiter": "é"},
    {"delimiter": "🌊"}, {"delimiter": "'"}, {"delimiter": "\\"}, {"delimiter": " "}, {"delimiter": "1"},
    {"delimiter": "\ud800"}, {"delimiter": ",,"}, {"quote": ","}, {"quote": "\n"}, {"quote": "\x00"},
    {"quote": "é"}, {"quote": "a"}, {"decimal": "1"}, {"decimal": "'"}, {"decimal": "\\"}, {"decimal": "\x00"},
    {"decimal": ","}, {"decimal": "("}, {"encoding": "\x00"}, {"encoding": "rot13"}, {"encoding": "zlib"},
    {"encoding": "bz2"}, {"encoding": "hex"}, {"encoding": "idna"}, {"encoding": "punycode"},
    {"encoding": "undefined"}, {"encoding": "unicode_escape"}, {"encoding": "utf-7"}, {"encoding": "utf-16"},
    {"encoding": "../x"}, {"encoding": "x" * 10_000}, {"encoding": "\ud800"}, {"encoding": "é"},
    {"sheet": "\x00"}, {"sheet": "\ud800"}, {"sheet": "x" * 60_000}, {"missing": ["\x00"]},
    {"missing": ["\ud800"]}, {"missing": ["'", "\\", "(", "[", "%"]}, {"missing": [""]}, {"missing": "x"},
    {"missing": [1]}, {"header": "yes"}, {"header": False}, {"header": None}, {"nothing": 1}, {"delimiter": 1},
    [], None, 1, "x", {"quote": "'", "delimiter": "'"}, {"decimal": ",", "delimiter": ","},
]  # fmt: skip


def test_no_option_of_an_import_breaks_anything(alice: Person, project: UUID) -> None:
    for at, options in enumerate(OPTIONS):
        for content, name in ((b"a;b\n1;2,5\n3;'x'\n", "few.csv"), (GOOD_BOOK, "book.xlsx"))[: 1 + (at % 8 == 0)]:
            form = {"options": json.dumps(options), "file": SimpleUploadedFile(name, content)}
            before = files()
            detected = alice.client.post("/api/v1/sources/detect", form)
            assert detected.status_code in (200, 422), (options, detected.content)
            assert files() == before
            form["file"] = SimpleUploadedFile(name, content)
            accepted = alice.client.post(f"/api/v1/projects/{project}/sources", form)
            if accepted.status_code == 422:
                assert accepted.json()["errors"], options
                assert files() == before
                continue
            assert accepted.status_code == 202, (options, accepted.content)
            finish(accepted.json()["job"]["id"])
            job = alice.get(f"/jobs/{accepted.json()['job']['id']}").json()
            assert "unexpected" not in (job["error"] or ""), options
            assert (job["state"] == "succeeded") == (detected.status_code == 200), (options, job, detected.content)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "a\x00b.csv", "a\r\nSet-Cookie: x=1.csv",
        '"; rm -rf.csv',
        "ünïcödé 水.csv", "\u202egpj.csv", "x" * 5_000 + ".csv", "", ".", "..", " ", "%00.csv", "CON", "🌊.csv",
    ],
)  # fmt: skip
def test_a_file_name_is_only_a_label(alice: Person, project: UUID, name: str) -> None:
    before = files()
    accepted = alice.client.generic(
        "POST",
        f"/api/v1/projects/{project}/sources",
        form_with("", name, "limit"),
        content_type="multipart/form-data; boundary=limit",
    )
    if accepted.status_code != 202:
        assert accepted.status_code == 422, accepted.content
        assert files() == before
        return
    finish(accepted.json()["job"]["id"])
    source = alice.get(f"/sources/{accepted.json()['source']['id']}").json()
    assert source["status"] == "ready", source
    assert all("blobs/" in path or path.endswith("/lock") for path in files() - before)
    shown = source["current_version"]["origin"]["filename"]
    assert not set(shown) & set("/\\\x00\r\n")
    answer = alice.get(f"/versions/{source['current_version']['id']}/original")
    header = answer["Content-Disposition"]
    assert header.startswith("attachment")
    assert header.isprintable()
    assert "Set-Cookie" not in answer.headers
    assert b"".join(answer.streaming_content) == CSV


def form_with(name: str, filename: str, boundary: str) -> bytes:
    """A form with a name and CSV under a file name, of whatever characters."""
    named = f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n' if name else ""
    quoted = filename.replace("\\", "\\\\").replace('"', '\\"')
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n\r\n'
    return (named + head).encode("utf-8", "surrogatepass") + CSV + f"\r\n--{boundary}--\r\n".encode()


@pytest.mark.parametrize("name", ["a\x00b", "\x00", "\u202e", "\n", "x" * 100_000, "\ud800", "<b>🌊</b>", "\u200b"])
def test_no_name_of_a_source_breaks_anything(alice: Person, project: UUID, name: str) -> None:
    before = files()
    accepted = alice.client.generic(
        "POST",
        f"/api/v1/projects/{project}/sources",
        form_with(name, "flows.csv", "limit"),
        content_type="multipart/form-data; boundary=limit",
    )
    assert accepted.status_code in (202, 413, 422), accepted.content
    if accepted.status_code == 202:
        shown = accepted.json()["source"]["name"]
        assert shown in (name, "flows.csv", "\ufffd" * 3), shown
        assert alice.client.get(f"/sources/{accepted.json()['source']['id']}").status_code == 200
    else:
        assert files() == before
        assert accepted.status_code == 413 or accepted.json()["errors"][0]["loc"] == ["name"]


@pytest.mark.parametrize("name", ["", "Large"])
def test_a_file_beyond_the_limit_is_refused_by_every_door(alice: Person, project: UUID, name: str) -> None:
    small = settings.HYDROML.model_copy(update={"max_upload_bytes": 100})
    with override_settings(HYDROML=small), nothing_left():
        for path in (f"projects/{project}/sources", "sources/detect"):
            refused = alice.client.generic(
                "POST",
                f"/api/v1/{path}",
                form_with(name, "flows.csv", "limit"),
                content_type="multipart/form-data; boundary=limit",
            )
            assert refused.status_code == 413, refused.content
    assert alice.get(f"/projects/{project}/sources").json()["total"] == 0


def test_a_form_of_countless_parts_is_not_read_to_its_end(alice: Person, project: UUID) -> None:
    part = b'--limit\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n'
    with nothing_left():
        refused = alice.client.generic(
            "POST",
            f"/api/v1/projects/{project}/sources",
            part * 50_000 + form_with("", "flows.csv", "limit"),
            content_type="multipart/form-data; boundary=limit",
        )
    assert refused.status_code == 422, refused.content
    assert "20 other fields" in refused.json()["detail"]


def test_a_wide_file_is_read(alice: Person, project: UUID) -> None:
    width = 1_500
    head, cells = ",".join(f"c{at}" for at in range(width)), ",".join(["1.5"] * (width - 1) + ["x"])
    source = imported(alice, project, f"{head}\n{cells}\n".encode() + f"{cells}\n".encode() * 100, "wide.csv")
    assert source["status"] == "ready", source
    kinds = [column["type"] for column in source["current_version"]["columns"]]
    assert kinds == ["number"] * (width - 1) + ["text"]
