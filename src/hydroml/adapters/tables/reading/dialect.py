"""How a text table is written: delimiter, quote, decimal sign, header, and lines before the table."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ImportOptions, UnreadableFileError

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLED_ROWS = 500
_VALUE = re.compile(
    r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|(true|false)|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*"
    r"|-?inf",
    re.IGNORECASE,
)
"""What is no name of a column; words for a missing value may be one: sodium is Na."""
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_POINT_NUMBER = re.compile(r"[+-]?\d+\.\d+([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    delimiter: str
    quote: str
    decimal: str
    header: bool
    skip: int
    """Lines before the table."""
    names: tuple[str, ...]
    """The header's cells as they are; empty texts without a header."""
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.names)


def sniff(head: str, options: ImportOptions) -> Dialect:
    """`head` is the beginning of the text, whole lines. Raises UnreadableFileError when there is no table in it."""
    quote = options.quote or '"'
    delimiter = options.delimiter or _delimiter(head, quote)
    for name, sign in (("decimal", options.decimal), ("quote", options.quote)):
        if sign == delimiter:
            raise InvalidInputError.at(
                "options", name, msg=f"the cells of this file are separated by “{sign}” already", code="ambiguous"
            )
    rows = _rows(head, delimiter, quote)
    if not rows:
        raise UnreadableFileError("the file is empty")
    skip = _before(rows)
    notes = (_skipped(skip),) if skip else ()
    table = [cells for _, cells in rows[skip:]]
    first, rest = table[0], table[1:]
    header = _looks_like_header(first, rest) if options.header is None else options.header
    decimal = options.decimal or _decimal(table[header:], delimiter)
    names = tuple(first) if header else ("",) * len(first)
    lines = rows[skip - 1][0] if skip else 0
    return Dialect(delimiter, quote, decimal, header, lines, names, notes)


def _rows(head: str, delimiter: str, quote: str) -> list[tuple[int, list[str]]]:
    """The first rows that are not blank, with the number of the line each ends on."""
    reader = csv.reader(head.splitlines(keepends=True), delimiter=delimiter, quotechar=quote, strict=False)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if cells:
                rows.append((reader.line_num, cells))
            if len(rows) >= _SAMPLED_ROWS:
                break
    except csv.Error:
        raise UnreadableFileError("the file's text cannot be read as rows and columns") from None
    return rows


def _delimiter(head: str, quote: str) -> str:
    """The one that cuts most rows into the same number of cells."""
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = Counter(len(cells) for _, cells in _rows(head, delimiter, quote))
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        if width < 2:
            continue
        agreement = rows / sum(widths.values())
        score = agreement**2 * (1 + min(width, 50) / 100)
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    return best


def _before(rows: Sequence[tuple[int, list[str]]]) -> int:
    """How many leading rows are a title or comments: one cell or a # where the table has several columns."""
    widths = Counter(len(cells) for _, cells in rows)
    usual = widths.most_common(1)[0][0]
    skip = 0
    for _, cells in rows[:-1]:
        if (cells[0].startswith("#") and (len(cells) != usual or usual == 1)) or (
            usual > 1 and len(cells) == 1 and widths[usual] > 1
        ):
            skip += 1
        else:
            break
    return skip


def _skipped(count: int) -> str:
    return (
        "the first line is not part of the table"
        if count == 1
        else f"the first {count} lines are not part of the table"
    )


def _looks_like_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Names are not values: a row with a number, date or truth value in it is data."""
    cells = [cell.strip() for cell in first]
    if not any(cells):
        return False
    return bool(rest or len(cells) > 1) and not any(_VALUE.fullmatch(cell) for cell in cells if cell)


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    commas = points = 0
    for cells in rows:
        for cell in cells:
            text = cell.strip()
            if _COMMA_NUMBER.fullmatch(text):
                commas += 1
            elif _POINT_NUMBER.fullmatch(text):
                points += 1
    return "," if commas > points else "."
