"""The comparer over the twin engine's tables."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from hydroml.adapters.memory.tables import InMemoryTableEngine
from hydroml.application.ports.comparison import MOST_SHOWN, SAMPLES, ChangedRow, Comparison
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, Table

Row = dict[str, Any]


class InMemoryTableComparer:
    def __init__(self, engine: InMemoryTableEngine) -> None:
        self._engine = engine

    def compare(self, before: Table, after: Table, key: Sequence[str] | None, monitor: Monitor) -> Comparison:
        monitor.report(0.5, "comparing")
        was, now = self._rows(before), self._rows(after)
        types = {column.name: column for column in before.columns}
        common = [column for column in after.columns if column.name in types]
        names = tuple(column.name for column in common)
        chosen = _key(common, was, now) if key is None else _checked(names, tuple(key), was, now)
        added, removed, changed = _by_key(chosen, was, now) if chosen else _by_row(names, was, now)
        differs = Counter(name for _, cells in changed for name in cells)
        shown = names[:MOST_SHOWN]
        return Comparison(
            added_columns=tuple(c for c in after.columns if c.name not in names),
            removed_columns=tuple(c for c in before.columns if c.name not in names),
            retyped=tuple(
                (c.name, types[c.name].type.value, c.type.value) for c in common if types[c.name].type is not c.type
            ),
            key=chosen,
            rows_before=len(was),
            rows_after=len(now),
            added=len(added),
            removed=len(removed),
            changed=len(changed) if chosen else None,
            changed_columns={name: differs[name] for name in names if differs[name]},
            shown=shown,
            added_rows=tuple(tuple(row[name] for name in shown) for row in added[:SAMPLES]),
            removed_rows=tuple(tuple(row[name] for name in shown) for row in removed[:SAMPLES]),
            changed_rows=tuple(ChangedRow(values, cells) for values, cells in changed[:SAMPLES]),
        )

    def _rows(self, table: Table) -> list[Row]:
        page = self._engine.page(View(table), 0, table.rows or 1)
        names = [column.name for column in page.columns]
        return [dict(zip(names, row, strict=True)) for row in page.rows]


def _key(common: Sequence[Any], was: list[Row], now: list[Row]) -> tuple[str, ...]:
    likely = [c.name for c in common if c.type in (ColumnType.TEXT, ColumnType.INTEGER)][:6]
    tried = [(name,) for name in likely] + list(combinations(likely, 2))
    return next((names for names in tried if not _shared(names, was) and not _shared(names, now)), ())


def _shared(names: Sequence[str], rows: list[Row]) -> int:
    counts = Counter(tuple(row[name] for name in names) for row in rows)
    return sum(count > 1 for count in counts.values())


def _checked(names: Sequence[str], key: tuple[str, ...], was: list[Row], now: list[Row]) -> tuple[str, ...]:
    for at, name in enumerate(key):
        if name not in names:
            raise InvalidInputError.at("key", at, msg=f"“{name}” is not in both versions", code="unknown_column")
    if key and (_shared(key, was) or _shared(key, now)):
        raise InvalidInputError.at("key", msg="it does not tell rows apart", code="not_unique")
    return key


def _by_key(key: Sequence[str], was: list[Row], now: list[Row]) -> tuple[list[Row], list[Row], list[Any]]:
    before = {tuple(row[name] for name in key): row for row in was}
    after = {tuple(row[name] for name in key): row for row in now}
    changed = []
    for values, row in after.items():
        if values in before:
            old = before[values]
            cells = {n: (old[n], row[n]) for n in row if n in old and n not in key and old[n] != row[n]}
            if cells:
                changed.append((values, cells))
    added = [row for values, row in after.items() if values not in before]
    return added, [row for values, row in before.items() if values not in after], changed


def _by_row(names: Sequence[str], was: list[Row], now: list[Row]) -> tuple[list[Row], list[Row], list[Any]]:
    def tally(rows: list[Row]) -> Counter[tuple[Any, ...]]:
        return Counter(tuple(row[name] for name in names) for row in rows)

    def rows(counts: Counter[tuple[Any, ...]]) -> list[Row]:
        return [dict(zip(names, values, strict=True)) for values in counts.elements()]

    return rows(tally(now) - tally(was)), rows(tally(was) - tally(now)), []
