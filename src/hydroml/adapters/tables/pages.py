"""Pages of views at any size: positions of rows first, then the rows of the page alone.

Steps that look at one row only run on the page's rows. Filters and sorts read their own columns and give positions,
which are kept. The rows that a sort scatters over the file are read from a row file, once there is one; until then in
blocks, so that the pages around are there too.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from hydroml.adapters.tables import rowfiles, sql
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.rowfiles import RowFile
from hydroml.adapters.tables.views import Opened, Positions, Views, identity, shown_columns, without_grid
from hydroml.application.ports.tables import TablePage, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column

MAX_ROWS = 10_000
_FIRST = 2_000
"""So far down an order its rows are found before all are sorted."""
_BLOCK_CELLS = 40_000
_BLOCKS = 8
_SCATTERED = 500_000
"""A page whose rows lie further apart than this is fetched as a block."""
_AT_HAND = "rows_at_hand"

Rows = list[tuple[int, tuple[Any, ...]]]
"""Rows as JSON values, each with its position in the file."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A view with all that is needed to read it."""

    connection: Connection
    opened: Opened
    view: View
    columns: tuple[Column, ...]
    row_file: RowFile | None

    @property
    def block_size(self) -> int:
        return min(2_000, max(_BLOCK_CELLS // max(len(self.columns), 1), 100))

    def rows(self, source: str, rest: str = "", parameters: Sequence[Any] = ()) -> Rows:
        """Those of the plan's last stage over the source."""
        plan = self.opened.plan
        select = f"SELECT {sql.name(sql.ROW)}, {sql.names(c.name for c in self.columns)} FROM {plan.last}{rest}"
        rows = self.connection.rows(plan.query(source, select), parameters)
        return [(row[0], tuple(sql.json_value(cell) for cell in row[1:])) for row in rows]

    def source(self, where: str = "") -> str:
        return self.opened.source(where, {column.name for column in self.columns})

    def at(self, positions: Positions) -> Rows:
        """The rows at these positions, in their order."""
        if not len(positions):
            return []
        wanted = [int(p) for p in positions]
        if self.row_file is not None:
            columns = [column.name for column in self.opened.needed({column.name for column in self.columns})]
            rows = self.row_file.at(np.asarray(positions, dtype=np.int64), columns)
            with self.connection.seeing(_AT_HAND, rows):
                found = self.rows(rowfiles.source(_AT_HAND, columns))
        else:
            where = (
                f"file_row_number BETWEEN {min(wanted)} AND {max(wanted)}"
                " AND file_row_number IN (SELECT unnest($1::BIGINT[]))"
            )
            found = self.rows(self.source(where), parameters=[wanted])
        by_position = dict(found)
        return [(p, by_position[p]) for p in wanted]


class Pages:
    def __init__(self, views: Views) -> None:
        self._views = views
        self._blocks: OrderedDict[tuple[str, int], Rows] = OrderedDict()
        self._lock = Lock()

    def page(self, view: View, offset: int, limit: int, *, total: bool) -> TablePage:
        started = time.perf_counter()
        if offset < 0 or not 0 <= limit <= MAX_ROWS:
            raise InvalidInputError.at("limit", msg=f"offset is 0 or more, limit 0 to {MAX_ROWS:,}", code="range")
        with self._views.opened(view.table, view.recipe) as opened:
            columns = shown_columns(view, opened.plan.columns)
            with self._views.connection(opened) as connection:
                asked = _Asked(connection, opened, view, columns, self._views.row_file(opened))
                found, count = self._rows(asked, offset, limit, total=total)
            numbers = self._numbers(opened, view, [position for position, _ in found], offset)
        rows = tuple(row for _, row in found)
        places = tuple(position + 1 for position, _ in found)
        elapsed = (time.perf_counter() - started) * 1000
        return TablePage(columns, rows, numbers, count if total else None, elapsed, places)

    def total(self, view: View) -> int:
        with self._views.opened(view.table, view.recipe) as opened:
            positions = self._views.positions(opened, view)
            return opened.rows if positions is None else len(positions)

    def _rows(self, asked: _Asked, offset: int, limit: int, *, total: bool) -> tuple[Rows, int | None]:
        opened, view = asked.opened, asked.view
        if opened.whole and view.filter is None and not view.sort:
            return self._range(asked, offset, limit), opened.rows
        positions = self._views.known_positions(opened, view)
        if view.sort or opened.plan.reorders:
            self._views.prepare(view)
            if positions is None and offset + limit <= min(asked.block_size, _FIRST):
                count = self._views.count(asked.connection, opened, view) if total else None
                return self._sorted_start(asked, offset, limit), count
        elif positions is None and not total:
            return self._filtered_start(asked, offset, limit), None
        if positions is None:
            positions = self._views.positions(opened, view)
        assert positions is not None  # noqa: S101 - the view selects or orders
        return self._at(asked, positions, offset, limit), len(positions)

    def _range(self, asked: _Asked, offset: int, limit: int) -> Rows:
        end = min(offset + limit, asked.opened.rows)
        if offset >= end:
            return []
        if asked.row_file is not None:
            return asked.at(np.arange(offset, end, dtype=np.uint32))
        return sorted(asked.rows(asked.source(f"file_row_number BETWEEN {offset} AND {end - 1}")), key=_position)

    def _at(self, asked: _Asked, positions: Positions, offset: int, limit: int) -> Rows:
        wanted = np.asarray(positions[offset : offset + limit])
        if len(wanted) and asked.row_file is None and int(wanted.max()) - int(wanted.min()) > _SCATTERED:
            return self._from_blocks(asked, offset, limit, positions)
        return asked.at(wanted)

    def _sorted_start(self, asked: _Asked, offset: int, limit: int) -> Rows:
        """The beginning of an order: its first positions are found much sooner than all of them."""
        if asked.row_file is not None:
            first = self._views.first_positions(asked.connection, asked.opened, asked.view, offset + limit)
            return asked.at(first[offset:])

        def block() -> Positions:
            return self._views.first_positions(asked.connection, asked.opened, asked.view, asked.block_size)

        return self._block(asked, 0, block)[offset : offset + limit]

    def _filtered_start(self, asked: _Asked, offset: int, limit: int) -> Rows:
        """Rows of a filtered view whose count nobody asked for: the search ends with the last row of the page."""
        first = self._views.first_positions(asked.connection, asked.opened, asked.view, offset + limit)
        return asked.at(np.sort(first)[offset:])

    def _from_blocks(self, asked: _Asked, offset: int, limit: int, positions: Positions) -> Rows:
        size = asked.block_size
        rows: Rows = []
        for number in range(offset // size, (offset + limit - 1) // size + 1):

            def part(number: int = number) -> Positions:
                return np.asarray(positions[number * size : (number + 1) * size])

            rows += self._block(asked, number, part)
        skipped = offset - offset // size * size
        return rows[skipped : skipped + limit]

    def _block(self, asked: _Asked, number: int, positions: Callable[[], Positions]) -> Rows:
        key = (f"{identity(asked.opened, asked.view)}\n{[c.name for c in asked.columns]!r}", number)
        with self._lock:
            found = self._blocks.get(key)
            if found is not None:
                self._blocks.move_to_end(key)
                return found
        found = asked.at(positions())
        with self._lock:
            self._blocks[key] = found
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        return found

    def _numbers(self, opened: Opened, view: View, positions: list[int], offset: int) -> tuple[int, ...] | None:
        """Where the rows stand in the table the recipe gives."""
        if opened.plan.reorders:
            return None
        if not opened.selects:
            return tuple(position + 1 for position in positions)
        if view.filter is None and not view.sort:
            return tuple(range(offset + 1, offset + 1 + len(positions)))
        kept = self._views.positions(opened, without_grid(view))
        return None if kept is None else tuple(int(n) + 1 for n in np.searchsorted(kept, positions))


def _position(row: tuple[int, tuple[Any, ...]]) -> int:
    return row[0]
