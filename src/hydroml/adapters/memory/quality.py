"""A small inspector on the twin of the table engine: it knows what is missing and what is the same, and no more."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from hydroml.adapters.memory.tables import evaluate
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.quality import MOST_COMBINED, Combination, MissingFacts, Pattern
from hydroml.application.ports.tables import TableEngine, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.quality.facts import FEW, ColumnFacts, Facts, Hits
from hydroml.domain.quality.findings import MOST_ROW_NUMBERS
from hydroml.domain.sources import Column, Table

_ALL = 1_000_000


class InMemoryTableInspector:
    def __init__(self, engine: TableEngine) -> None:
        self._engine = engine

    def measure(self, table: Table, monitor: Monitor) -> Facts:
        monitor.report(0.5, "quality")
        rows = self._rows(table)
        columns = []
        for column in table.columns:
            known = Counter(row[column.name] for row in rows if row[column.name] is not None)
            values = tuple(known.most_common(FEW))
            columns.append(
                ColumnFacts(column.name, column.type, len(rows), len(rows) - known.total(), len(known), values=values)
            )
        again = _again([tuple(row.values()) for row in rows])
        return Facts(len(rows), tuple(columns), again)

    def check(self, columns: Sequence[Column], condition: str) -> None:
        evaluate(tuple(columns), [dict.fromkeys(c.name for c in columns)], condition, "condition")

    def hits(self, table: Table, conditions: Sequence[str], monitor: Monitor) -> list[Hits]:
        found = []
        for condition in conditions:
            page = self._engine.page(View(table, filter=condition), 0, _ALL)
            found.append(Hits(len(page.rows), (page.row_numbers or ())[:MOST_ROW_NUMBERS]))
        return found

    def repeated(self, table: Table, columns: Sequence[str], monitor: Monitor) -> Hits:
        return _again([_key(row, columns) for row in self._rows(table, *columns)])

    def disordered(
        self, table: Table, column: str, group: str | None, *, descending: bool, strict: bool, monitor: Monitor
    ) -> Hits:
        last: dict[Any, Any] = {}
        wrong = []
        for number, row in enumerate(self._rows(table, column, *([group] if group else [])), start=1):
            value, place = row[column], row[group] if group else None
            if value is None:
                continue
            if place in last:
                before, after = (value, last[place]) if descending else (last[place], value)
                if before > after or (strict and before == after):
                    wrong.append(number)
            last[place] = value
        return Hits(len(wrong), tuple(wrong[:MOST_ROW_NUMBERS]))

    def orphans(
        self, table: Table, columns: Sequence[str], other: Table, other_columns: Sequence[str], monitor: Monitor
    ) -> Hits:
        there = {_key(row, other_columns) for row in self._rows(other, *other_columns)}
        keys = [_key(row, columns) for row in self._rows(table, *columns)]
        wrong = [at for at, key in enumerate(keys, start=1) if key is not None and key not in there]
        return Hits(len(wrong), tuple(wrong[:MOST_ROW_NUMBERS]))

    def missing(self, table: Table, chosen: Sequence[str], monitor: Monitor) -> MissingFacts:
        rows = self._rows(table, *chosen)
        if len(chosen) > MOST_COMBINED:
            raise InvalidInputError.at("columns", msg=f"choose at most {MOST_COMBINED} columns", code="length")
        gaps = {c.name: sum(row[c.name] is None for row in rows) for c in table.columns}
        patterns = Counter(tuple(name for name in gaps if row[name] is None) for row in rows)
        picked = list(dict.fromkeys(chosen)) or [name for name, count in gaps.items() if count][:MOST_COMBINED]
        combined: list[Combination] = []
        for size in range(1, len(picked) + 1):
            of_size = [
                Combination(names, sum(all(row[n] is not None for n in names) for row in rows))
                for names in combinations(picked, size)
            ]
            combined += sorted(of_size, key=lambda c: -c.complete_rows)
        found = tuple(Pattern(names, count) for names, count in patterns.most_common())
        return MissingFacts(len(rows), tuple(gaps.items()), found, tuple(combined))

    def _rows(self, table: Table, *columns: str) -> list[dict[str, Any]]:
        there = [column.name for column in table.columns]
        for name in columns:
            if name not in there:
                raise InvalidInputError.at("columns", msg=f"there is no column “{name}”", code="unknown_column")
        page = self._engine.page(View(table), 0, _ALL)
        return [dict(zip(there, row, strict=True)) for row in page.rows]


def _key(row: dict[str, Any], columns: Sequence[str]) -> tuple[Any, ...] | None:
    key = tuple(row[name] for name in columns)
    return None if None in key else key


def _again(keys: Sequence[Any]) -> Hits:
    seen: set[Any] = set()
    again = []
    for number, key in enumerate(keys, start=1):
        if key is not None and key in seen:
            again.append(number)
        seen.add(key)
    return Hits(len(again), tuple(again[:MOST_ROW_NUMBERS]))
