"""Files that are no tables, or hardly: each ends in a clear word at the right place, and leaves nothing behind."""

import io
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
from sqlalchemy import text

from hydroml.entrypoints.bootstrap import container
from tests.integration.web.people import Person, finish, upload

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
    container().tables_engine()
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
    """300 MB of blanks in the sheet, 300 KB in the file."""
    return workbook(sheet("<row><c><v>1</v></c></row>" + " " * 300_000_000))


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
    "ragged": ("ragged.csv", lambda: b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n", "line 3 has 2; line 4 has 4"),
    "ragged late": ("late.csv", lambda: b"a,b\n" + b"1,2\n" * 400_000 + b"1,2,3\n", "line 400,002 has 3"),
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
    "gzip bomb": ("bomb.csv.gz", lambda: gzip_of_zeros(), "unpacks to far more"),
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


def gzip_of_zeros() -> bytes:
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b"1,2\n" * 2**18
    return b"".join(packer.compress(piece) for _ in range(1_100)) + packer.flush()


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
