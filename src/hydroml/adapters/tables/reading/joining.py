"""Tables joined one behind the other: columns by name, and for each the type that holds all values without loss."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.reading.kinds import DIGITS, Raw
from hydroml.adapters.tables.reading.names import MAX_COLUMNS
from hydroml.domain.sources import ColumnType, UnreadableFileError

_AT_ONCE = 200
_NUMERIC = frozenset((ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL))
_TEMPORAL = frozenset((ColumnType.DATE, ColumnType.TIMESTAMP))


@dataclass(frozen=True, slots=True)
class Part:
    """A Parquet file of ours; `columns` are names and DuckDB types."""

    file: Path
    name: str
    columns: tuple[tuple[str, str], ...]
    is_table: bool = False
    """It is the table that rows are appended to: it cannot be read anew in another way."""

    def find(self, key: str) -> tuple[str, str] | None:
        return next((column for column in self.columns if column[0].casefold() == key), None)


@dataclass(frozen=True, slots=True)
class _Values:
    """What the values of one column of a part need: digits before and behind the point, and what else a type asks."""

    kind: ColumnType
    count: int
    whole: int = 0
    scale: int = 0
    is_exact: bool = True
    """Integers that a real number holds too; numbers that can be written with those digits."""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Joint:
    """The columns of the joined table, as names and DuckDB types."""

    columns: tuple[tuple[str, str], ...]
    casts: tuple[tuple[str, ...], ...]
    """For each part, the expression of each column."""
    anew: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Columns by part that have to be read again as text, since their spelling would be lost."""
    notes: tuple[str, ...] = ()

    def query(self, parts: Sequence[Part]) -> str:
        """Neighbours that are read alike are one scan."""
        selects = []
        for cells, run in groupby(zip(self.casts, parts, strict=True), key=lambda each: each[0]):
            files = ", ".join(sql.text(str(part.file)) for _, part in run)
            selects.append(f"SELECT {', '.join(cells)} FROM read_parquet([{files}])")
        return " UNION ALL ".join(selects)


def common_type(kinds: set[ColumnType]) -> ColumnType:
    """The type for values of all these; no kind at all is text."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds and kinds <= _NUMERIC:
        return ColumnType.DECIMAL if ColumnType.DECIMAL in kinds else ColumnType.NUMBER
    return ColumnType.TIMESTAMP if kinds and kinds <= _TEMPORAL else ColumnType.TEXT


def joint(connection: Connection, parts: Sequence[Part], missing: tuple[str, ...] | None) -> Joint:
    """How the parts are joined. Raises UnreadableFileError when rows do not fit the table they are appended to."""
    names: dict[str, str] = {}
    for part in parts:
        for name, _ in part.columns:
            names.setdefault(name.casefold(), name)
    if len(names) > MAX_COLUMNS:
        raise UnreadableFileError(
            f"together the files have {len(names):,} columns; at most {MAX_COLUMNS:,} can be read"
        )
    found = [{name.casefold(): kind for name, kind in part.columns} for part in parts]
    kinds = {key: {part[key] for part in found if key in part} for key in names}
    differing = [key for key in names if len(kinds[key]) > 1]
    values = [dict(_values(connection, part, differing, missing)) for part in parts]
    types: dict[str, str] = {}
    notes: list[str] = []
    for key, name in names.items():
        if key not in differing:
            types[key] = next(iter(kinds[key]))
            continue
        types[key] = _type(name, [(part, at[key]) for part, at in zip(parts, values, strict=True) if key in at], notes)
    anew = {
        at: columns for at, part in enumerate(parts) if (columns := tuple(_to_be_read_anew(part, values[at], types)))
    }
    casts = tuple(
        tuple(f"{_cast(part, values[at], key, types[key])} AS {sql.name(name)}" for key, name in names.items())
        for at, part in enumerate(parts)
    )
    absent = [f"“{name}” is absent in {count:,} of {len(parts):,} {_files(parts)}, and missing there"
              for key, name in names.items() if (count := sum(key not in part for part in found))]  # fmt: skip
    return Joint(tuple((name, types[key]) for key, name in names.items()), casts, anew, (*notes, *absent))


def _files(parts: Sequence[Part]) -> str:
    return "tables" if parts[0].is_table else "files"


def _to_be_read_anew(part: Part, values: Mapping[str, _Values], types: Mapping[str, str]) -> Iterator[str]:
    for name, kind in part.columns:
        key = name.casefold()
        if types[key] == "VARCHAR" != kind and values[key].count and not part.is_table:
            yield name


def _cast(part: Part, values: Mapping[str, _Values], key: str, wanted: str) -> str:
    column = part.find(key)
    if column is None or (key in values and not values[key].count):
        return f"NULL::{wanted}"
    cell = sql.name(column[0])
    if column[1] == wanted:
        return cell
    if column[1] == "DOUBLE" and wanted.startswith("DECIMAL"):
        return f"{cell}::VARCHAR::{wanted}"  # as it is written, not as it is stored in binary
    return f"{cell}::{wanted}"


def _type(name: str, found: Sequence[tuple[Part, _Values]], notes: list[str]) -> str:
    """The DuckDB type of a column whose type differs between parts."""
    filled = [(part, values) for part, values in found if values.count]
    table = next(((part, values) for part, values in found if part.is_table), None)
    if table is not None and table[1].kind is ColumnType.TEXT:
        return "VARCHAR"
    kinds = {values.kind for _, values in filled}
    kind = common_type(kinds)
    result = sql.sql_type(kind)
    if len(kinds) > 1 and kind is ColumnType.NUMBER and not all(v.is_exact for _, v in filled):
        kind = ColumnType.DECIMAL
    if kind is ColumnType.DECIMAL:
        whole, scale = max(v.whole for _, v in filled), max(v.scale for _, v in filled)
        fits = whole + scale <= DIGITS and all(v.is_exact for _, v in filled if v.kind is ColumnType.NUMBER)
        kind = kind if fits else ColumnType.TEXT
        result = f"DECIMAL({max(whole + scale, 1)},{scale})" if fits else "VARCHAR"
    if len(kinds) < 2 and kind in kinds:
        return result
    if kind is ColumnType.TEXT and table is not None and table[1].count:
        part, other = next((p, v) for p, v in filled if v.kind is not table[1].kind)
        example = f", as in “{other.example[:100]}”" if other.example else ""
        raise UnreadableFileError(
            f"“{name[:100]}” holds values of type {table[1].kind} so far, and of type {other.kind} in"
            f" “{part.name[:100]}”{example}; choose its type, and what does not fit becomes missing"
        )
    if len(kinds) > 1:
        seen = dict.fromkeys(f"{v.kind} in “{p.name[:100]}”" for p, v in reversed(_firsts(filled)))
        notes.append(f"“{name}” is {' and '.join(reversed(seen))}; it is read as {kind}")
    return result


def _firsts(found: Sequence[tuple[Part, _Values]]) -> list[tuple[Part, _Values]]:
    """The first part of each kind."""
    seen: dict[ColumnType, tuple[Part, _Values]] = {}
    for part, values in found:
        seen.setdefault(values.kind, (part, values))
    return list(seen.values())


def _values(
    connection: Connection, part: Part, keys: Sequence[str], missing: tuple[str, ...] | None
) -> Iterator[tuple[str, _Values]]:
    columns = [(key, column) for key in keys if (column := part.find(key)) is not None]
    for start in range(0, len(columns), _AT_ONCE):
        some = columns[start : start + _AT_ONCE]
        wanted = ", ".join(_question(sql.name(name), kind, missing) for _, (name, kind) in some)
        row = connection.row(f"SELECT {wanted} FROM read_parquet({sql.path(part.file)})")
        for at, (key, (_, kind)) in enumerate(some):
            count, whole, scale, inexact, example = row[5 * at : 5 * at + 5]
            yield key, _Values(sql.column_type(kind), count, whole or 0, scale or 0, not inexact, example or "")


def _question(cell: str, kind: str, missing: tuple[str, ...] | None) -> str:
    """How many values; the most digits before and behind the point; how many are not exact; one of them as text."""
    written = f"ltrim({cell}::VARCHAR, '-')"
    whole, scale, inexact, counted = "0", "0", "0", cell
    match sql.column_type(kind):
        case ColumnType.TEXT:
            counted = f"CASE WHEN NOT {Raw('', (), missing=missing).is_marker(f'trim({cell})')} THEN {cell} END"
        case ColumnType.INTEGER:
            whole = f"max(length({written}))"
            inexact = f"count(CASE WHEN {cell}::DOUBLE::HUGEINT <> {cell}::HUGEINT THEN 1 END)"
        case ColumnType.NUMBER:
            whole = f"max(length(split_part({written}, '.', 1)))"
            scale = f"max(length(rtrim(split_part({written}, '.', 2), '0')))"
            inexact = f"count(CASE WHEN regexp_matches({cell}::VARCHAR, '[en]') THEN 1 END)"
        case ColumnType.DECIMAL:
            digits, _, behind = kind.removeprefix("DECIMAL(").removesuffix(")").partition(",")
            whole, scale = str(int(digits) - int(behind)), behind
    return f"count({counted}), {whole}, {scale}, {inexact}, left(any_value({counted})::VARCHAR, 100)"
