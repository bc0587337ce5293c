"""How a text table is written: layout, signs, header, and lines before the table."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hydroml.adapters.tables.reading import layouts
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ImportOptions, Layout, UnreadableFileError

_DELIMITERS = (",", ";", "\t", "|", ":", "^", "~")
_WEAK = frozenset(":^~")
"""Separators that also stand within values: only taken where no other cuts the lines."""
_SAMPLED_ROWS = 500
_MAX_PREAMBLE = 500
_VALUE = re.compile(
    r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|(true|false)|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*"
    r"|-?inf",
    re.IGNORECASE,
)
"""What is no name of a column; words for a missing value may be one: sodium is Na."""
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_POINT_NUMBER = re.compile(r"[+-]?\d+\.\d+([eE][+-]?\d+)?")
_WIDTH_CELL = re.compile(r"\d+[sdn]", re.IGNORECASE)
"""Below the names of a USGS table stand the widths of its columns, as in 5s and 15d."""
_GROUPED = {
    sign: re.compile(rf"[+-]?\d{{1,3}}({re.escape(sign)}\d{{3}})+({re.escape(point)}\d+)?")
    for sign, point in ((",", "."), (".", ","), ("'", "."), ("’", "."), (" ", "."), ("\u00a0", "."), ("\u202f", "."))
}

Record = tuple[int, list[str]]
"""The number of the line a row ends on, from 1, and its cells."""


@dataclass(frozen=True, slots=True)
class Dialect:
    layout: Layout
    delimiter: str
    quote: str
    escape: str
    decimal: str
    thousands: str
    """Empty where digits are not grouped."""
    comment: str
    """Empty where no line is a comment."""
    skip: int
    """Lines before the table."""
    header_rows: int
    first_line: int
    """Lines before the first row of data."""
    widths: tuple[int, ...]
    names: tuple[str, ...]
    """The header's cells as they are; empty texts without a header."""
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.names)


def sniff(head: str, options: ImportOptions) -> Dialect:
    """`head` is the beginning of the text, whole lines. Raises UnreadableFileError when there is no table in it."""
    lines = head.splitlines(keepends=True)
    quote = options.quote or _quote(head)
    escape = options.escape or _escape(head, quote)
    comment = options.comment or _comment(lines)
    layout, delimiter, widths = _layout(lines, options, quote, escape, comment)
    for name, sign in (("decimal", options.decimal), ("quote", options.quote), ("thousands", options.thousands)):
        if sign == delimiter and layout is Layout.DELIMITED:
            raise InvalidInputError.at(
                "options", name, msg=f"the cells of this file are separated by “{sign}” already", code="ambiguous"
            )
    rows = cut(lines, layout, delimiter, quote, escape, widths, comment)
    if options.skip is not None:
        rows = [row for row in rows if row[0] > options.skip]
    if not rows:
        raise UnreadableFileError("the file is empty")
    before = 0 if options.skip is not None else _before(rows)
    table = rows[before:]
    skip = options.skip if options.skip is not None else (rows[before - 1][0] if before else 0)
    if comment and not before and options.skip is None and table[0][0] > 1:
        skip = _leading(lines, comment)
    header_rows = _header_rows(table, options)
    used, notes = header_rows, []
    if skip:
        notes.append(_skipped(skip))
    if header_rows and len(table) > used and all(_WIDTH_CELL.fullmatch(cell.strip()) for cell in table[used][1]):
        used += 1
        notes.append("the line of column widths below the names is no row")
    data = [cells for _, cells in table[used:]]
    names = _names([cells for _, cells in table[:header_rows]], data, len(table[0][1]))
    decimal, thousands = _signs(data, delimiter if layout is Layout.DELIMITED else "", options)
    return Dialect(
        layout, delimiter, quote, escape, decimal, thousands, comment, skip, header_rows,
        table[used - 1][0] if used else skip, widths, names, tuple(notes),
    )  # fmt: skip


def cut(  # noqa: PLR0917 - what a dialect is made of
    lines: Sequence[str], layout: Layout, delimiter: str, quote: str, escape: str, widths: Sequence[int], comment: str
) -> list[Record]:
    """The first rows that are neither blank nor comments."""
    if layout is not Layout.DELIMITED:
        rows = ((at, layouts.cells(line, widths)) for at, line in enumerate(lines, start=1))
        found = [(at, cells) for at, cells in rows if any(cells) and not (comment and cells[0].startswith(comment))]
        return found[:_SAMPLED_ROWS]
    doubled = escape == quote
    reader = csv.reader(
        _without_comments(lines, comment), delimiter=delimiter, quotechar=quote, doublequote=doubled,
        escapechar=None if doubled else escape,
    )  # fmt: skip
    records: list[Record] = []
    try:
        for cells in reader:
            if cells and any(cell.strip() for cell in cells) | (len(cells) > 1):
                records.append((reader.line_num, cells))
            if len(records) >= _SAMPLED_ROWS:
                break
    except csv.Error:
        raise UnreadableFileError("the file's text cannot be read as rows and columns") from None
    return records


def _without_comments(lines: Sequence[str], comment: str) -> Sequence[str]:
    if not comment:
        return lines
    return ["\n" if line.startswith(comment) else line for line in lines]


def _quote(head: str) -> str:
    """An apostrophe only where whole cells stand in apostrophes and no quote is to be seen."""
    if '"' in head or "'" not in head:
        return '"'
    enclosed = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", head, re.MULTILINE))
    return "'" if enclosed * 2 > head.count("'") * 0.9 else '"'


def _escape(head: str, quote: str) -> str:
    """A backslash where quotes within cells have one before them more often than they are doubled."""
    doubled = len(re.findall(rf"(?<=[^\\,;\t|\r\n{quote}]){quote}{quote}(?=[^,;\t|\r\n])", head))
    return "\\" if head.count(f"\\{quote}") > doubled else quote


def _comment(lines: Sequence[str]) -> str:
    """The sign that the first lines begin with; a single one may be the name of a column."""
    for sign in ("#", "%"):
        count = 0
        for line in lines:
            if not line.startswith(sign):
                break
            count += 1
        if count > 1 or (count == 1 and re.match(rf"{sign}\s*\S+\s+\S+\s+\S+", lines[0]) and not _has_cells(lines)):
            return sign
    return ""


def _has_cells(lines: Sequence[str]) -> bool:
    """Whether the first line is cut like the second one: a header may begin with a #."""
    return len(lines) > 1 and any(
        lines[0].count(delimiter) == lines[1].count(delimiter) > 0 for delimiter in _DELIMITERS
    )


def _leading(lines: Sequence[str], comment: str) -> int:
    count = 0
    for line in lines:
        if line.strip() and not line.startswith(comment):
            break
        count += 1
    return count


def _layout(  # noqa: PLR0911 - one for each layout and reason
    lines: Sequence[str], options: ImportOptions, quote: str, escape: str, comment: str
) -> tuple[Layout, str, tuple[int, ...]]:
    """The layout, the delimiter and the widths: by the options, or by what cuts most lines alike."""
    if options.widths or options.layout is Layout.FIXED:
        return Layout.FIXED, layouts.DELIMITER, options.widths or layouts.widths_of(lines, comment)
    if options.layout is Layout.WHITESPACE:
        return Layout.WHITESPACE, layouts.DELIMITER, ()
    if options.delimiter is not None:
        return Layout.DELIMITED, options.delimiter, ()
    scores = {
        delimiter: _agreement(cut(lines, Layout.DELIMITED, delimiter, quote, escape, (), comment))
        for delimiter in _DELIMITERS
    }
    strong = [delimiter for delimiter in _DELIMITERS if delimiter not in _WEAK]
    best = max(strong, key=lambda delimiter: scores[delimiter])
    if options.layout is Layout.DELIMITED or scores[best] > 0.9:
        return Layout.DELIMITED, best, ()
    spaced = _agreement(cut(lines, Layout.WHITESPACE, layouts.DELIMITER, quote, escape, (), comment))
    if spaced > max(scores[best], 0.81):
        return Layout.WHITESPACE, layouts.DELIMITER, ()
    weak = max(_WEAK, key=lambda delimiter: scores[delimiter])
    if scores[weak] > max(scores[best], 0.9):
        return Layout.DELIMITED, weak, ()
    if scores[best] == 0:
        widths = layouts.widths_of(lines, comment)
        if len(widths) > 1:
            return Layout.FIXED, layouts.DELIMITER, widths
    return Layout.DELIMITED, best, ()


def _agreement(rows: Sequence[Record]) -> float:
    """How alike the rows are cut, from 0 (into one cell) on; more cells count a little more.

    The first row of the usual width should have nothing above it but titles: names that are cut unlike the values are a
    sign of the wrong delimiter.
    """
    widths = [len(cells) for _, cells in rows]
    if not widths:
        return 0.0
    usual, count = max(Counter(widths).items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if usual < 2:
        return 0.0
    first = widths.index(usual)
    headless = first > 0 and widths[first - 1] == 1 and first < 10 and _wordy(rows[first - 1][1][0])
    return (count / len(widths)) ** 2 * (1 + min(usual, 50) / 100) * (0.7 if headless else 1)


def _wordy(text: str) -> bool:
    """Whether a line looks like several names and not like one title or value."""
    words = text.split()
    return len(words) >= 4 and not any(_VALUE.fullmatch(word) for word in words)


def _before(rows: Sequence[Record]) -> int:
    """How many leading rows are a title or comments: they have fewer cells than the table."""
    widths = Counter(len(cells) for _, cells in rows)
    usual = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))[0]
    skip = 0
    for at, (_, cells) in enumerate(rows[:-1]):
        if at >= _MAX_PREAMBLE or len(cells) >= usual or widths[usual] < 2:
            break
        if len(cells) == usual - 1 > 1 and len(rows[at + 1][1]) == usual and _all_names(cells):
            break  # a table with row names, whose column has no name
        skip += 1
    else:
        return 0
    return skip


def _all_names(cells: Sequence[str]) -> bool:
    return all(cell.strip() and not _VALUE.fullmatch(cell.strip()) for cell in cells)


def _skipped(count: int) -> str:
    return (
        "the first line is not part of the table"
        if count == 1
        else f"the first {count} lines are not part of the table"
    )


def _header_rows(table: Sequence[Record], options: ImportOptions) -> int:
    if options.header is False:
        return 0
    if options.header_rows is not None:
        return min(options.header_rows, len(table))
    if options.header is None:
        return int(_looks_like_header(table[0][1], [cells for _, cells in table[1:]]))
    return 1


def _looks_like_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Names are not values: a row with a number, date or truth value in it is data."""
    cells = [cell.strip() for cell in first]
    if not any(cells):
        return False
    if any(_VALUE.fullmatch(cell) for cell in cells if cell) or _written_alike(cells, rest):
        return False
    return bool(rest or len(cells) > 1)


def _written_alike(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a cell with digits, such as 418-Y11, is written like all those below it."""
    for at, cell in enumerate(first):
        below = {_shape(row[at].strip()) for row in rest if at < len(row)}
        if len(re.findall(r"\d+", cell)) > 1 and below == {_shape(cell)}:
            return True
    return False


def _shape(text: str) -> str:
    return re.sub(r"[^\W_]", "x", text)


def _names(header: Sequence[Sequence[str]], data: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """One name for each column; a name over several columns belongs to each of them where names have several rows."""
    if data:
        usual = Counter(len(cells) for cells in data).most_common(1)[0][0]
        if header and len(header[-1]) == usual - 1 and _all_names(header[-1]):
            header = [["", *row] for row in header]
        width = max(len(header[-1]), 1) if header else usual
    if not header:
        return ("",) * width
    rows = [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in header]
    for row in rows[:-1]:
        for at in range(1, width):
            row[at] = row[at] or row[at - 1]
    if len(rows) == 1:
        return tuple(header[0])
    return tuple(" ".join(dict.fromkeys(row[at] for row in rows if row[at])) for at in range(width))


def _signs(rows: Sequence[Sequence[str]], delimiter: str, options: ImportOptions) -> tuple[str, str]:
    """The decimal sign, and what groups digits where that is beyond doubt."""
    cells = [text for row in rows for cell in row if (text := cell.strip()) and text[-1].isdigit()]
    decimal = options.decimal or _decimal(cells, delimiter)
    if options.thousands is not None:
        return decimal, options.thousands
    for sign, pattern in _GROUPED.items():
        if sign in (delimiter, decimal) or (sign in ",." and {sign, decimal} != {",", "."}):
            continue
        grouped = [cell for cell in cells if sign in cell and pattern.fullmatch(cell)]
        others = [cell for cell in cells if sign in cell and cell not in grouped and _digits_only(cell, sign, decimal)]
        certain = any(cell.count(sign) > 1 or decimal in cell for cell in grouped) or (sign not in ",." and grouped)
        if certain and not others:
            return decimal, sign
    return decimal, ""


def _digits_only(cell: str, sign: str, decimal: str) -> bool:
    return cell.replace(sign, "").replace(decimal, "").lstrip("+-").isdigit()


def _decimal(cells: Sequence[str], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    commas = sum(1 for text in cells if _COMMA_NUMBER.fullmatch(text))
    points = sum(1 for text in cells if _POINT_NUMBER.fullmatch(text))
    if not commas:  # 1.234,5 has both
        commas = sum(1 for text in cells if _GROUPED["."].fullmatch(text) and "," in text)
    return "," if commas > points else "."
