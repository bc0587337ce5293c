"""Pages of views at any size: positions of rows first, then the rows of the page alone.

Steps that look at one row only run on the page's rows. Filters and sorts read their own columns and give positions,
which are kept; the rows a sort scatters over the file are fetched in blocks, so that the pages around are there too.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.views import Opened, Positions, Views, positions_question, shown_columns, without_grid
from hydroml.application.ports.tables import TablePage, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column

MAX_ROWS = 10_000
_BLOCK_CELLS = 40_000
_BLOCKS = 8
_SCATTERED = 500_000
"""A page whose rows lie further apart than this is fetched as a block."""

Rows = list[tuple[int, tuple[Any, ...]]]
"""Rows as JSON values, each with its position in the file."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A view with all that is needed to read it."""

    connection: Connection
    opened: Opened
    view: View
    columns: tuple[Column, ...]

    @property
    def block_size(self) -> int:
        return min(2_000, max(_BLOCK_CELLS // max(len(self.columns), 1), 100))

    def rows(self, where: str, parameters: Sequence[Any] = ()) -> Rows:
        plan = self.opened.plan
        select = f"SELECT {sql.name(sql.ROW)}, {sql.names(c.name for c in self.columns)} FROM {plan.last}"
        source = self.opened.source(where, {c.name for c in self.columns})
        rows = self.connection.rows(plan.query(source, select), parameters)
        return [(row[0], tuple(sql.json_value(cell) for cell in row[1:])) for row in rows]

    def at(self, positions: Positions) -> Rows:
        """The rows at these positions, in their order."""
        if not len(positions):
            return []
        wanted = [int(p) for p in positions]
        where = (
            f"file_row_number BETWEEN {min(wanted)} AND {max(wanted)}"
            " AND file_row_number IN (SELECT unnest($1::BIGINT[]))"
        )
        by_position = dict(self.rows(where, [wanted]))
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
                asked = _Asked(connection, opened, view, columns)
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
            where = f"file_row_number BETWEEN {offset} AND {offset + limit - 1}"
            rows = asked.rows(where) if offset < opened.rows and limit else []
            return sorted(rows, key=_position), opened.rows
        if not self._views.known_positions(opened, view):
            if not opened.selects and view.filter is None and offset + limit <= asked.block_size:
                return self._sorted_start(asked, offset, limit), opened.rows
            if not (total or view.sort or opened.plan.reorders):
                return self._filtered_start(asked, offset, limit), None
        positions = self._views.positions(opened, view)
        assert positions is not None  # noqa: S101 - the view selects or orders
        wanted = np.asarray(positions[offset : offset + limit])
        if len(wanted) and int(wanted.max()) - int(wanted.min()) > _SCATTERED:
            return self._from_blocks(asked, offset, limit, positions), len(positions)
        return asked.at(wanted), len(positions)

    def _sorted_start(self, asked: _Asked, offset: int, limit: int) -> Rows:
        """The beginning of a sorted table: its first positions are found much sooner than all of them."""

        def first() -> Positions:
            query = self._views.positions_query(asked.opened, asked.view, asked.block_size)
            found: Positions = asked.connection.arrays(query)["position"]
            return found

        return self._block(asked, 0, first)[offset : offset + limit]

    def _filtered_start(self, asked: _Asked, offset: int, limit: int) -> Rows:
        """Rows of a filtered view whose count nobody asked for: the search ends with the last row of the page."""
        query = self._views.positions_query(asked.opened, asked.view, offset + limit)
        found = asked.connection.arrays(query)["position"]
        return asked.at(np.sort(np.asarray(found))[offset:])

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
        key = (f"{positions_question(asked.opened, asked.view)}\n{[c.name for c in asked.columns]!r}", number)
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
