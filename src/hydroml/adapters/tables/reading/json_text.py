"""JSON as a text table, so that types are found by the same rules: read piece by piece, numbers as they are written."""

import csv
import json
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from hydroml.adapters.tables.reading.names import MAX_COLUMNS
from hydroml.adapters.tables.reading.prepare import MAX_LINE, transcoded
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.sources import RejectedRow, UnreadableFileError

_CHUNK = 1 << 20
_MAX_DOCUMENT = 64 << 20
"""Characters of one document that has to be read in one piece, or of one row."""
_MAX_REJECTED = 1_000_000
_TEXT = 1_000
_SPACE = " \t\r\n"

Row = dict[str, str]


class _Number(str):
    """A number as it is written: neither digits nor trailing zeros are lost."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number, strict=False)


def as_text(
    file: Path, name: str, out: Path, monitor: Monitor | None = None, *, lines: bool = False, is_whole: bool = True
) -> tuple[tuple[str, ...], tuple[RejectedRow, ...]]:
    """Writes the rows as CSV and gives remarks, and the lines that are no rows. Raises UnreadableFileError.

    Objects are rows, their keys columns; an object in a row gives a column for each of its keys, as in `a.b`; whatever
    is nested deeper, and every array, is kept as JSON text. A file that is not whole may end anywhere.
    """
    with file.open("rb") as stream:
        encoding = json.detect_encoding(stream.read(4))
    plain = file if encoding.startswith("utf-8") else transcoded(file, encoding, out.parent)
    writer = _Writer(out)
    rejected: list[RejectedRow] = []
    try:
        if lines:
            _read_lines(plain, name, writer, rejected, monitor)
        else:
            _read_document(plain, writer, monitor, is_whole=is_whole)
    except UnicodeDecodeError:
        raise UnreadableFileError("the JSON holds bytes that are no text") from None
    except RecursionError:
        raise UnreadableFileError("the JSON is nested far deeper than a table would be") from None
    finally:
        writer.close()
    if not writer.rows:
        reason = f"line {rejected[0].line}: {rejected[0].reason}" if rejected else "it holds no rows"
        raise UnreadableFileError(f"the JSON cannot be read as a table: {reason}")
    if len(rejected) > writer.rows:
        raise UnreadableFileError(f"most lines are no JSON: line {rejected[0].line:,}: {rejected[0].reason}")
    return writer.finish(), tuple(rejected)


def _read_lines(file: Path, name: str, writer: "_Writer", rejected: list[RejectedRow], monitor: Monitor | None) -> None:
    size = max(file.stat().st_size, 1)
    done = 0
    with file.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE + 1), b""), start=1):
            if len(line) > MAX_LINE:
                raise UnreadableFileError(f"line {number:,} is longer than {MAX_LINE >> 20} MB")
            done += len(line)
            if monitor is not None and number % 10_000 == 0:
                monitor.report(done / size)
            if not line.strip():
                continue
            try:
                writer.add(_DECODER.decode(line.decode("utf-8-sig")))
            except (ValueError, RecursionError) as error:
                if len(rejected) >= _MAX_REJECTED:
                    raise UnreadableFileError("most lines are no JSON") from None
                text = line.decode(errors="replace").strip()[:_TEXT]
                rejected.append(RejectedRow(name, number, _reason(error), text))


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON from character {error.pos + 1:,} on"
    return "it holds bytes that are no text" if isinstance(error, UnicodeDecodeError) else "it is nested too deeply"


def _read_document(file: Path, writer: "_Writer", monitor: Monitor | None, *, is_whole: bool) -> None:
    size = max(file.stat().st_size, 1)
    with file.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8-sig") as stream:
        text = stream.read(_CHUNK).lstrip(_SPACE)
        if text.startswith("["):
            for number, value in enumerate(_Elements(stream, text[1:], is_whole=is_whole)):
                writer.add(value)
                if monitor is not None and number % 10_000 == 0:
                    monitor.report(min(raw.tell() / size, 1.0))
            return
        text += stream.read(_MAX_DOCUMENT)
        if stream.read(1):
            raise UnreadableFileError(
                f"a JSON document of more than {_MAX_DOCUMENT >> 20} MB has to be an array of objects, or JSON lines"
            )
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UnreadableFileError(f"the JSON is damaged in line {error.lineno:,}, column {error.colno:,}") from None
    for value in _rows_of(document, writer.notes):
        writer.add(value)


class _Elements:
    """The elements of an array, one after the other; `text` is what of it has been read already."""

    def __init__(self, stream: TextIOWrapper, text: str, *, is_whole: bool) -> None:
        self._stream, self._text, self._at, self._is_whole = stream, text, 0, is_whole
        self._count = 0

    def __iter__(self) -> Iterator[Any]:
        if self._next_sign() == "]":
            return
        while (found := self._value()) is not None:
            yield found[0]
            self._count += 1
            sign = self._next_sign()
            if sign in ("]", ""):
                return
            if sign != ",":
                raise self._damaged()
            self._at += 1
            self._next_sign()

    def _value(self) -> tuple[Any] | None:
        """None where a file that is not whole ends in the middle of one."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                end = len(self._text)
            if end < len(self._text):  # a number at the end of what was read may go on behind it
                self._at = end
                return (value,)
            # Twice as much each time, so that no row is read too often.
            wanted = max(len(self._text) - self._at, _CHUNK)
            if wanted > _MAX_DOCUMENT:
                raise self._damaged()
            if not self._read(wanted):
                return None

    def _next_sign(self) -> str:
        """What stands next but blanks; nothing at the end of a file that is not whole."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read(_CHUNK):
                return ""

    def _read(self, wanted: int) -> bool:
        more = self._stream.read(wanted)
        self._text, self._at = self._text[self._at :] + more, 0
        if not more and self._is_whole:
            raise self._damaged()
        return bool(more)

    def _damaged(self) -> UnreadableFileError:
        return UnreadableFileError(f"the JSON is damaged or cut off behind {self._count:,} rows")


def _rows_of(document: Any, notes: list[str]) -> Iterator[Any]:
    """The rows in an object: its arrays as columns, the array of objects that it holds, or itself."""
    if not isinstance(document, dict) or not document:
        yield document
        return
    values = list(document.values())
    if all(isinstance(value, list) for value in values) and not any(isinstance(v, dict) for col in values for v in col):
        if len({len(value) for value in values}) > 1:
            raise UnreadableFileError("the JSON has arrays of different lengths, which are no columns of one table")
        yield from (dict(zip(document, cells, strict=True)) for cells in zip(*values, strict=True))
        return
    tables = [
        key for key, value in document.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    if len(tables) == 1:
        if len(document) > 1:
            notes.append(f"the rows are those of “{tables[0][:100]}”; what stands beside it was left out")
        yield from document[tables[0]]
        return
    yield document


class _Writer:
    """Rows to CSV; a column may show up in any row."""

    def __init__(self, out: Path) -> None:
        self.notes: list[str] = []
        self.rows = 0
        self._out = out
        self._names: dict[str, int] = {}
        self._narrow = 0
        """Rows that were written before the last column was known."""
        self._body = out.with_suffix(".rows")
        self._stream = self._body.open("w", encoding="utf-8", newline="", errors="surrogatepass")
        self._csv = csv.writer(self._stream, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def add(self, value: Any) -> None:
        row = _flat(value)
        for name in row:
            if name not in self._names:
                self._names[name] = len(self._names)
                self._narrow = self.rows
        if len(self._names) > MAX_COLUMNS:
            raise UnreadableFileError(f"the rows have more than {MAX_COLUMNS:,} columns together")
        self._csv.writerow([row.get(name, "") for name in self._names])
        self.rows += 1

    def close(self) -> None:
        self._stream.close()

    def finish(self) -> tuple[str, ...]:
        """Writes the names above the rows, and fills the rows that were written when not all names were known."""
        csv.field_size_limit(2 * MAX_LINE)
        width = len(self._names)
        with (
            self._body.open(encoding="utf-8", newline="") as rows,
            self._out.open("w", encoding="utf-8", newline="") as target,
        ):
            writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerow(self._names)
            if self._narrow:
                reader = csv.reader(rows)
                for _ in range(self._narrow):
                    cells = next(reader)
                    writer.writerow(cells + [""] * (width - len(cells)))
                writer.writerows(reader)
            else:
                while chunk := rows.read(_CHUNK):
                    target.write(chunk)
        self._body.unlink()
        return tuple(self.notes)


def _flat(value: Any) -> Row:
    """The cells of a row; an object within it is flattened once."""
    if isinstance(value, list):
        return {f"column_{at}": _cell(item) for at, item in enumerate(value, start=1)}
    if not isinstance(value, dict):
        return {"value": _cell(value)}
    row: Row = {}
    for name, item in value.items():
        if isinstance(item, dict) and item:
            row.update((f"{name}.{key}", _cell(inner)) for key, inner in item.items())
        else:
            row[name] = _cell(item)
    return row


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: Any) -> str:
    """JSON text in which numbers are written as they were."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
