"""What a file is: by its first bytes, not by its name. A workbook named .csv is one still."""

import re
import zipfile
from pathlib import Path

from hydroml.domain.sources import UnreadableFileError

PARTLY_READABLE = frozenset(("text", "json", "jsonl"))
"""Forms whose beginning can be read without the rest."""
_WORKBOOKS = frozenset((".xlsx", ".xls", ".xlsb", ".xlsm", ".xlam", ".ods"))
_WORKBOOK_MARKS = ("[Content_Types].xml", "mimetype", "xl/workbook.xml", "xl/workbook.bin", "content.xml")
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_TEXTS = frozenset((".csv", ".tsv", ".tab", ".psv", ".dat", ".asc", ".rdb"))
_JSON_LINES = frozenset((".jsonl", ".ndjson"))
_JSON = re.compile(rb'\[\s*[\[{]|\[\s*\]\s*$|\{\s*["}]')
_WHOLE_LINE = re.compile(rb"\{[^\n]*\}[ \t]*\r?\n\s*\{")


def form(file: Path, name: str) -> str:
    """text, json, jsonl, parquet, arrow or excel. Raises UnreadableFileError for an archive."""
    with file.open("rb") as stream:
        start = stream.read(1 << 16)
    ending = Path(name).suffix.lower()
    if start.startswith(b"PAR1") or ending in (".parquet", ".pq"):
        return "parquet"
    if is_archive(file, name):
        raise UnreadableFileError("this is an archive within another one; unpack it first")
    if ending in _WORKBOOKS or start.startswith((_ZIP, _COMPOUND)):
        return "excel"
    if start.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return "arrow"
    return _json(start, ending) or "text"


def is_partly_readable(file: Path, name: str) -> bool:
    return form(file, name) in PARTLY_READABLE and not _is_packed(file)


def is_archive(file: Path, name: str) -> bool:
    """Whether it is a ZIP, and none that is a workbook."""
    if Path(name).suffix.lower() in _WORKBOOKS:
        return False
    with file.open("rb") as stream:
        if not stream.read(4).startswith((_ZIP, _EMPTY_ZIP)):
            return False
    try:
        with zipfile.ZipFile(file) as archive:
            return not any(mark in archive.NameToInfo for mark in _WORKBOOK_MARKS)
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def _is_packed(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(6).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))


def _json(start: bytes, ending: str) -> str | None:
    if ending in _JSON_LINES:
        return "jsonl"
    if ending in _TEXTS:
        return None
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.replace(b"\0", b"")[2:]
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _WHOLE_LINE.match(start):
        return "jsonl"
    return "json" if ending in (".json", ".geojson") or _JSON.match(start) else None
