"""Sheets of Excel (ECMA-376, part 1): DuckDB writes each row as XML, and the rows are packed as they come.

Libraries for workbooks were tried and passed over: one cuts numbers to sixteen digits, the other keeps to a fifth of
the speed. What a cell cannot hold exactly is text in it: integers from 2^53, decimals of more than 15 digits, times
finer than milliseconds, dates before March 1900 and after 9999.
"""

import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from hydroml.adapters.tables import sql
from hydroml.domain.exports import SHEET_ROWS
from hydroml.domain.sources import Column, ColumnType

MOST_ROWS = SHEET_ROWS
_NUMBER = "__hydroml_number"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DATE_STYLE, _TIME_STYLE = 1, 2
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Table" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}">'
        '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts>'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}
_FIRST_DAY, _LAST_DAY, _DAY_ZERO = "DATE '1900-03-01'", "DATE '9999-12-31'", "DATE '1899-12-30'"
"""Excel takes 1900 for a leap year: before March its days are one off."""
_UNWRITABLE = r"[\x{0}-\x{8}\x{B}\x{C}\x{E}-\x{1F}\x{FFFE}\x{FFFF}]"
_ESCAPED = r"_(x[0-9A-Fa-f]{4}_)"
"""A character that XML cannot hold stands as _x0008_, and so what looks like one is written otherwise."""


class Sheet:
    """A workbook of one sheet, written row by row."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=3))
            for name, content in _PARTS.items():
                archive.writestr(name, _XML + content)
            self._stream = stack.enter_context(archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True))
            self._open = stack.pop_all()
        self.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>')
        return self

    def write(self, text: str) -> None:
        self._stream.write(text.encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.write("</sheetData></worksheet>")
        self._open.close()


def header(names: Sequence[str]) -> str:
    """The first row."""
    cells = "".join(
        f'<c r="{letters(at)}1" t="inlineStr"><is><t xml:space="preserve">{escape(name)}</t></is></c>'
        for at, name in enumerate(names)
    )
    return f'<row r="1">{cells}</row>'


def letters(at: int) -> str:
    """The name of the column at a place from 0: A, …, Z, AA, …"""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(65 + rest) + name
    return name


def rows(query: str, columns: Sequence[Column], after: int) -> str:
    """A query whose only column holds `query`'s rows as XML, numbered from `after` + 1 on."""
    # Not by ||: thousands of columns would be an expression nested as deeply.
    cells = ", ".join(_cell(column, letters(at)) for at, column in enumerate(columns))
    numbered = f"SELECT *, row_number() OVER () + {after} AS {_NUMBER} FROM ({query})"
    return f"SELECT concat('<row r=\"', {_NUMBER}, '\">', {cells}, '</row>') FROM ({numbered})"


def units(text: str) -> str:
    """The length of a text in units of UTF-16, as Excel counts."""
    return f"length({text}) + length(regexp_replace({text}, '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g'))"


def _cell(column: Column, letter: str) -> str:  # noqa: PLR0911 - one for each type
    """A cell as XML, or NULL, which `concat` leaves out."""
    name = sql.name(column.name)
    match column.type:
        case ColumnType.BOOLEAN:
            return _written(letter, 't="b"', f"{name}::INTEGER")
        case ColumnType.INTEGER:
            return _or_text(letter, name, f"{name} BETWEEN -9007199254740991 AND 9007199254740991", "", name)
        case ColumnType.NUMBER:
            return _written(letter, "", f"CASE WHEN isfinite({name}) THEN {name} END")
        case ColumnType.DECIMAL:
            digits = f"length(regexp_replace({name}::VARCHAR, '[^0-9]', '', 'g'))"
            return _or_text(letter, name, f"{digits} <= 15", "", name)
        case ColumnType.DATE:
            exact = f"{name} BETWEEN {_FIRST_DAY} AND {_LAST_DAY}"
            return _or_text(letter, name, exact, f's="{_DATE_STYLE}"', f"{name} - {_DAY_ZERO}")
        case ColumnType.TIMESTAMP:
            exact = f"{name}::DATE BETWEEN {_FIRST_DAY} AND {_LAST_DAY} AND epoch_us({name}) % 1000 = 0"
            days = f"(epoch_us({name}) - epoch_us({_DAY_ZERO}::TIMESTAMP)) / 86400000000.0::DOUBLE"
            return _or_text(letter, name, exact, f's="{_TIME_STYLE}"', days)
        case _:
            return _text(letter, name)


def _or_text(letter: str, name: str, exact: str, style: str, value: str) -> str:
    return f"CASE WHEN {exact} THEN {_written(letter, style, value)} ELSE {_text(letter, name)} END"


def _written(letter: str, style: str, value: str) -> str:
    start = f'<c r="{letter}'
    attributes = f'" {style}' if style else '"'
    return f"'{start}' || {_NUMBER} || '{attributes}><v>' || ({value}) || '</v></c>'"


def _text(letter: str, name: str) -> str:
    text = f"{name}::VARCHAR"
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = f"replace({text}, {sql.text(sign)}, '{entity}')"
    odd = f"regexp_matches({name}::VARCHAR, '{_UNWRITABLE}|{_ESCAPED}')"
    hidden = f"regexp_replace({text}, '{_ESCAPED}', '_x005F_\\1', 'g')"
    spelt = (
        f"array_to_string(list_transform(string_split({hidden}, ''), lambda c: CASE WHEN"
        f" regexp_matches(c, '{_UNWRITABLE}') THEN printf('_x%04X_', unicode(c)) ELSE c END), '')"
    )
    written = f"CASE WHEN {odd} THEN {spelt} ELSE {text} END"
    start = f'<c r="{letter}'
    return (
        f"'{start}' || {_NUMBER} || '\" t=\"inlineStr\"><is><t xml:space=\"preserve\">' || {written} || '</t></is></c>'"
    )
