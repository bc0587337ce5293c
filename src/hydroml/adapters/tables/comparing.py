"""Tables compared by DuckDB: rows meet by their key, or by a fingerprint of all their cells."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.cache import own_folder
from hydroml.adapters.tables.connection import Connection, Connections
from hydroml.application.ports.comparison import MOST_SHOWN, SAMPLES, ChangedRow, Comparison
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType, Table

_TRIED = 6
"""So many columns, and the pairs of them, are tried as the key."""
_LONGEST = 200
_ROW = sql.name(sql.ROW)
_KEYS = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.INTEGER, ColumnType.DATE, ColumnType.TIMESTAMP)


class DuckDbTableComparer:
    """Threads and processes may share it; what it spills lies below `temp_folder`."""

    def __init__(self, blobs: BlobStore, temp_folder: Path, memory_limit: int, threads: int) -> None:
        folder = temp_folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        own = own_folder(folder)
        self._blobs = blobs
        self._connections = Connections(own, own, memory_limit, threads)

    def close(self) -> None:
        self._connections.close()

    def compare(self, before: Table, after: Table, key: Sequence[str] | None, monitor: Monitor) -> Comparison:
        with self._opened(before, after) as (connection, files):
            pair = _Pair(connection, files, before, after)
            monitor.report(0.0, "comparing", "Looking for what tells rows apart")
            with connection.monitored(monitor.part(0.0, 0.3)):
                chosen = pair.key() if key is None else pair.checked(key)
            monitor.report(0.3, "comparing", "Comparing the rows")
            with connection.monitored(monitor.part(0.3, 1.0)):
                return pair.compared(chosen)

    @contextmanager
    def _opened(self, before: Table, after: Table) -> Iterator[tuple[Connection, tuple[Path, Path]]]:
        with ExitStack() as stack:
            files = (
                stack.enter_context(self._blobs.local(before.blob)),
                stack.enter_context(self._blobs.local(after.blob)),
            )
            yield stack.enter_context(self._connections.fresh(*files)), files


class _Pair:
    def __init__(self, connection: Connection, files: tuple[Path, Path], before: Table, after: Table) -> None:
        self._connection, self._before, self._after = connection, before, after
        self._sources = [f"read_parquet({sql.path(file)}, file_row_number = true)" for file in files]
        was = {column.name: column for column in before.columns}
        self._common = [(was[column.name], column) for column in after.columns if column.name in was]

    def key(self) -> tuple[str, ...]:
        """The first that is unique in both; empty when none is."""
        likely = [now.name for was, now in self._common if now.type in _KEYS and was.type is now.type][:_TRIED]
        tried = [(name,) for name in likely] + list(combinations(likely, 2))
        return next((names for names in tried if not any(self._shared(at, names) for at in (0, 1))), ())

    def checked(self, key: Sequence[str]) -> tuple[str, ...]:
        types = {now.name: (was.type, now.type) for was, now in self._common}
        for at, name in enumerate(key):
            if name not in types:
                raise InvalidInputError.at(
                    "key", at, msg=f"“{name[:100]}” is not in both versions", code="unknown_column"
                )
            if types[name][0] is not types[name][1]:
                raise InvalidInputError.at("key", at, msg=f"“{name[:100]}” has another type now", code="type")
        for at, which in enumerate(("the earlier", "the later")):
            shared = self._shared(at, key) if key else 0
            if shared:
                msg = f"it does not tell rows apart: in {which} version {shared:,} of its values come more than once"
                raise InvalidInputError.at("key", msg=msg, code="not_unique")
        return tuple(dict.fromkeys(key))

    def _shared(self, at: int, names: Sequence[str]) -> int:
        """How many values of the key come more than once."""
        cells = sql.names(names)
        query = f"SELECT 1 FROM {self._sources[at]} GROUP BY {cells} HAVING count(*) > 1"
        return int(self._connection.row(f"SELECT count(*) FROM ({query})")[0])

    def compared(self, key: tuple[str, ...]) -> Comparison:
        others = [(was, now) for was, now in self._common if now.name not in key]
        if key:
            self._meet(key, others)
        else:
            self._tally()
        changed = [f"count(*) FILTER (c{at})" for at in range(len(others))] if key else []
        found = self._connection.row(
            "SELECT coalesce(sum(n) FILTER (b IS NULL), 0)::BIGINT, coalesce(sum(n) FILTER (a IS NULL), 0)::BIGINT,"
            f" count(*) FILTER (a IS NOT NULL AND b IS NOT NULL) {''.join(', ' + one for one in changed)} FROM met"
        )
        added, removed, together, *counts = found
        shown = tuple(now.name for _, now in self._common)[:MOST_SHOWN]
        names = {column.name for column, _ in self._common}
        return Comparison(
            added_columns=tuple(c for c in self._after.columns if c.name not in names),
            removed_columns=tuple(c for c in self._before.columns if c.name not in names),
            retyped=tuple((n.name, w.type.value, n.type.value) for w, n in self._common if w.type is not n.type),
            key=key,
            rows_before=self._before.rows,
            rows_after=self._after.rows,
            added=added,
            removed=removed,
            changed=together if key else None,
            changed_columns={now.name: count for (_, now), count in zip(others, counts, strict=False) if count},
            shown=shown,
            added_rows=self._rows(1, shown, "SELECT a FROM met WHERE b IS NULL"),
            removed_rows=self._rows(0, shown, "SELECT b FROM met WHERE a IS NULL"),
            changed_rows=self._changed(key, [now for _, now in others]) if key else (),
        )

    def _meet(self, key: Sequence[str], others: Sequence[tuple[Column, Column]]) -> None:
        """Into `met`: positions before and after of all rows that are not the same in both, and which cells differ."""
        differs = [f"({_cell('x', was, now)} IS DISTINCT FROM {_cell('y', now, was)})" for was, now in others]
        both = f"x.{_ROW} IS NOT NULL AND y.{_ROW} IS NOT NULL"
        flags = "".join(f", ({both} AND {flag}) AS c{at}" for at, flag in enumerate(differs))
        same = " AND ".join(f"x.{sql.name(name)} IS NOT DISTINCT FROM y.{sql.name(name)}" for name in key)
        columns = sql.names(now.name for _, now in self._common)
        sides = [f"(SELECT {columns}, file_row_number AS {_ROW} FROM {source})" for source in self._sources]
        either = " OR ".join(["b IS NULL", "a IS NULL", *(f"c{at}" for at in range(len(differs)))])
        self._connection.run(
            f"CREATE TEMP TABLE met AS SELECT * FROM (SELECT x.{_ROW} AS b, y.{_ROW} AS a, 1 AS n{flags}"
            f" FROM {sides[0]} AS x FULL JOIN {sides[1]} AS y ON {same}) WHERE {either}"
        )

    def _tally(self) -> None:
        """Into `met`: of rows that one table has more often than the other, how much more often, and the first."""
        kinds = {now.name: (was, now) for was, now in self._common}
        sides = []
        for at, sign in ((0, -1), (1, 1)):
            cells = ", ".join(_cell("t", *(pair if at == 0 else pair[::-1])) for pair in kinds.values()) or "NULL"
            # Two fingerprints of 64 bits: with one, two of twenty million rows might look the same.
            sides.append(
                f"SELECT hash({cells}) AS h, hash('salt', {cells}) AS g, {sign} AS n, file_row_number AS row"
                f" FROM {self._sources[at]} AS t"
            )
        self._connection.run(
            "CREATE TEMP TABLE met AS SELECT abs(total) AS n, CASE WHEN total < 0 THEN b END AS b,"
            " CASE WHEN total > 0 THEN a END AS a FROM (SELECT sum(n) AS total, min(row) FILTER (n < 0) AS b,"
            f" min(row) FILTER (n > 0) AS a FROM ({' UNION ALL '.join(sides)}) GROUP BY h, g) WHERE total <> 0"
        )

    def _rows(self, at: int, shown: Sequence[str], positions: str) -> tuple[tuple[Any, ...], ...]:
        return tuple(
            tuple(map(_short, row)) for row in self._at(at, shown, f"{positions} ORDER BY 1 LIMIT {SAMPLES}").values()
        )

    def _at(self, at: int, names: Sequence[str], positions: str) -> dict[int, tuple[Any, ...]]:
        """Rows by their position, in the order of their table."""
        wanted = [row[0] for row in self._connection.rows(positions)]
        if not wanted or not names:
            return {}
        found = self._connection.rows(
            f"SELECT file_row_number, {sql.names(names)} FROM {self._sources[at]}"
            f" WHERE file_row_number IN ({', '.join(map(str, wanted))}) ORDER BY 1"
        )
        return {row[0]: row[1:] for row in found}

    def _changed(self, key: Sequence[str], others: Sequence[Column]) -> tuple[ChangedRow, ...]:
        met = self._connection.rows(
            f"SELECT a, b{''.join(f', c{at}' for at in range(len(others)))} FROM met"
            f" WHERE a IS NOT NULL AND b IS NOT NULL ORDER BY a LIMIT {SAMPLES}"
        )
        names = [*key, *(column.name for column in others)]
        before = self._at(0, names, f"SELECT unnest([{', '.join(str(row[1]) for row in met)}]::BIGINT[])")
        after = self._at(1, names, f"SELECT unnest([{', '.join(str(row[0]) for row in met)}]::BIGINT[])")
        changed = []
        for a, b, *flags in met:
            cells: dict[str, tuple[Any, Any]] = {}
            for at, (column, differs) in enumerate(zip(others, flags, strict=True), start=len(key)):
                if differs and len(cells) < MOST_SHOWN:
                    cells[column.name] = (_short(before[b][at]), _short(after[a][at]))
            changed.append(ChangedRow(tuple(map(_short, after[a][: len(key)])), cells))
        return tuple(changed)


def _cell(table: str, column: Column, other: Column) -> str:
    """A cell so that it can be compared with one of another type: numbers as numbers, all else as it is written."""
    cell = f"{table}.{sql.name(column.name)}"
    types = {column.type, other.type}
    if len(types) == 1 and ColumnType.DECIMAL not in types:
        return cell
    if ColumnType.NUMBER in types and all(kind.is_numeric for kind in types):
        return f"{cell}::DOUBLE"
    text = f"{cell}::VARCHAR"
    if types <= {ColumnType.INTEGER, ColumnType.DECIMAL}:  # 2.50 is 2.5
        return f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"
    return text


def _short(value: Any) -> Any:
    shown = sql.json_value(value)
    return shown[:_LONGEST] + "…" if isinstance(shown, str) and len(shown) > _LONGEST else shown
