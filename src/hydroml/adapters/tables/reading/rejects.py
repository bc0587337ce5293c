"""Rows that cannot be read: kept in a table of their own, with the line each stood in and the reason in words."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.reading import layouts
from hydroml.adapters.tables.reading.dialect import Dialect
from hydroml.domain.sources import RejectedRow, UnreadableFileError

if TYPE_CHECKING:
    from hydroml.adapters.tables.reading.text import Text

IGNORED = "ignore_errors = true"
"""How the reader is told to leave such rows out."""
_LIMIT = 1_000_000
_TEXT = 1_000
_SHOWN = 20
_CHUNK = 4 << 20
_OPEN = ("UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM")
_REASONS = {
    "UNQUOTED VALUE": "a quote is not closed, or text follows a closing quote",
    "INVALID ENCODING": "it holds bytes that are no text",
}


def storing(query: str) -> str:
    """The query, with the rows left out kept for `found` and `written`."""
    return query.replace(IGNORED, f"store_rejects = true, rejects_limit = {_LIMIT + 1}")


def forget(connection: Connection) -> None:
    """Before a file is read once more."""
    connection.run("DROP TABLE IF EXISTS reject_errors")
    connection.run("DROP TABLE IF EXISTS reject_scans")


def found(connection: Connection, text: "Text", file: Path, query: str) -> tuple[int, tuple[RejectedRow, ...]]:
    """How many rows of `file` are rejected by a query over it, and the first of them."""
    forget(connection)
    connection.rows(query)
    errors = _errors(connection, text, file)
    shown = errors[:_SHOWN]
    lines = _lines(file, [position for position, _, _ in shown])
    return len(errors), tuple(
        RejectedRow(text.name, line + text.cut_lines, reason, row[:_TEXT])
        for line, (_, reason, row) in zip(lines, shown, strict=True)
    )


def written(connection: Connection, text: "Text", rows: int, out: Path) -> int:
    """Writes the rejected rows of the last query that stored them, if any, and gives their count.

    Raises UnreadableFileError when more rows are rejected than read: then something else is wrong.
    """
    file = text.prepared.file
    errors = _errors(connection, text, file)
    if not errors:
        return 0
    lines = _lines(file, [position for position, _, _ in errors])
    if len(errors) > max(rows, 1) or len(errors) > _LIMIT:
        first = [
            RejectedRow(text.name, line + text.cut_lines, reason, "")
            for line, (_, reason, _) in zip(lines[:5], errors, strict=False)
        ]
        raise UnreadableFileError(in_words(first))
    kept = [
        RejectedRow(text.name, line + text.cut_lines, reason, row[:_TEXT])
        for line, (_, reason, row) in zip(lines, errors, strict=True)
    ]
    return stored(connection, kept, out)


def stored(connection: Connection, rows: Sequence[RejectedRow], out: Path) -> int:
    """Writes rejected rows of one file, and gives their count."""
    connection.run(
        f"COPY (SELECT {sql.text(rows[0].file)} AS file, unnest(?::BIGINT[]) AS line, unnest(?::VARCHAR[]) AS reason,"
        f" unnest(?::VARCHAR[]) AS text) TO {sql.text(str(out))} (FORMAT parquet, COMPRESSION zstd)",
        [[row.line for row in rows], [row.reason for row in rows], [row.text for row in rows]],
    )
    return len(rows)


def in_words(rejected: Sequence[RejectedRow]) -> str:
    shown = "; ".join(f"line {row.line:,}: {row.reason}" for row in rejected[:5])
    return f"most rows do not fit the table: {shown}"


def misfits_in_words(name: str, count: int) -> str:
    """What an import did with cells of a column whose type was chosen."""
    return f"“{name}”: {count:,} {'cell does' if count == 1 else 'cells do'} not fit the chosen type and became empty"


def why(dialect: Dialect, file: Path, message: str) -> str:  # noqa: ARG001 - a place in the file may be found here
    line = re.search(r"Line: (\d+)", message)
    where = f" in line {int(line[1]):,}" if line else ""
    if "unterminated quote" in message or "state machine" in message:
        return f"a quote is not closed, or text follows a closing quote{where}"
    return f"the text cannot be read as a table{where}"


def _errors(connection: Connection, text: "Text", file: Path) -> list[tuple[int, str, str]]:
    """Of each rejected row, in their order: at which byte it begins, the reason, and its text."""
    if not connection.row("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'")[0]:
        return []
    rows = connection.rows(
        "SELECT line_byte_position, min(error_type::VARCHAR), arg_min(error_message, column_idx),"
        f" arg_max(error_message, column_idx), left(any_value(csv_line), {2 * _TEXT})"
        f" FROM reject_errors GROUP BY 1 ORDER BY 1 LIMIT {_LIMIT + 1}"
    )
    return [_error(text, file, row) for row in rows]


def _error(text: "Text", file: Path, row: tuple[Any, ...]) -> tuple[int, str, str]:
    position, kind, first, last, line = row
    # The reader counts from 1, and may begin with the end of the line before.
    start = (position or 1) - 1 + len(line or "") - len((line or "").lstrip("\r\n"))
    content = (line or "").strip("\r\n").replace(layouts.DELIMITER, " ")
    opened = _opened_at(file, start, text.dialect.quote.encode()) if kind in _OPEN else None
    if opened is not None:
        number = _lines(file, [opened])[0] + text.cut_lines
        raise UnreadableFileError(f"a quote is opened in line {number:,} and never closed")
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS"):
        message = first if kind == "MISSING COLUMNS" else last
        count = re.search(r"Found: (\d+)", message or "")
        cells = int(count[1]) if count else 0
        return start, f"it has {cells:,} {'cell' if cells == 1 else 'cells'}, not {text.dialect.width:,}", content
    return start, _REASONS.get(kind, "it cannot be read as a row"), content


def _opened_at(file: Path, start: int, quote: bytes) -> int | None:
    """Where the line begins that opens a quote and does not close it, from `start` on; None when the quotes of the
    line there are in pairs. Behind an open quote the reader leaves rows out without a word, so it must not go on."""
    with file.open("rb") as stream:
        stream.seek(start)
        line = stream.readline()
        if line.count(quote) and line.count(quote) % 2 == 0:
            return None
        at = start
        for _ in range(_SHOWN):
            if line.count(quote) % 2:
                return at
            at += len(line)
            line = stream.readline()
    return start


def _lines(file: Path, positions: Sequence[int]) -> list[int]:
    """The number, from 1, of the line that each of the ascending byte positions stands in."""
    lines: list[int] = []
    count, start, at = 1, 0, 0
    with file.open("rb") as stream:
        while at < len(positions) and (chunk := stream.read(_CHUNK)):
            done = 0
            while at < len(positions) and positions[at] < start + len(chunk):
                here = positions[at] - start
                count += chunk.count(b"\n", done, here)
                done = here
                lines.append(count)
                at += 1
            count += chunk.count(b"\n", done)
            start += len(chunk)
    return lines + [count] * (len(positions) - len(lines))
