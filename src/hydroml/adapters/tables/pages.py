"""Pages of views at any size: positions of rows first, then the rows of the page alone.

Steps that look at one row only run on the page's rows. Filters and sorts read their own columns and give positions,
which are kept; the rows a sort scatters over the file are fetched in blocks, so that the pages around are there too.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
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
                found, count = self._rows(connection, opened, view, columns, offset, limit, total)
            numbers = self._numbers(opened, view, [position for position, _ in found], offset)
        rows = tuple(row for _, row in found)
        return TablePage(columns, rows, numbers, count if total else None, (time.perf_counter() - started) * 1000)

    def total(self, view: View) -> int:
        with self._views.opened(view.table, view.recipe) as opened:
            positions = self._views.positions(opened, view)
            return opened.rows if positions is None else len(positions)

    def _rows(
        self, connection: Connection, opened: Opened, view: View, columns: Sequence[Column], offset: int, limit: int, total: bool
    ) -> tuple[Rows, int | None]:
        if opened.whole and view.filter is None and not view.sort:
            where = f"file_row_number BETWEEN {offset} AND {offset + limit - 1}"
            rows = _fetched(connection, opened, columns, where) if offset < opened.rows and limit else []
            return sorted(rows, key=_position), opened.rows
        ordered = bool(view.sort) or opened.plan.reorders
        if not self._views.known_positions(opened, view) and not opened.selects and view.filter is None:
            return self._sorted_start(connection, opened, view, columns, offset, limit), opened.rows
        if not self._views.known_positions(opened, view) and not ordered and not total:
            return _filter_start(connection, self._views, opened, view, columns, offset, limit), None
        positions = self._views.positions(opened, view)
        if positions is None:
            return [], 0
        wanted = np.asarray(positions[offset : offset + limit])
        if len(wanted) and int(wanted.max()) - int(wanted.min()) > _SCATTERED:
            return self._from_blocks(connection, opened, view, columns, offset, limit, positions), len(positions)
        return _at(connection, opened, columns, wanted), len(positions)

    def _sorted_start(
        self, connection: Connection, opened: Opened, view: View, columns: Sequence[Column], offset: int, limit: int
    ) -> Rows:
        """The beginning of a sorted table: its first positions are found much sooner than all of them."""
        size = _block_size(columns)
        if offset + limit > size:
            positions = self._views.positions(opened, view)
            return [] if positions is None else self._from_blocks(
                connection, opened, view, columns, offset, limit, positions
            )  # fmt: skip

        def first() -> Positions:
            found: Positions = connection.arrays(self._views.positions_query(opened, view, size))["position"]
            return found

        return self._block(connection, opened, view, columns, 0, first)[offset : offset + limit]

    def _from_blocks(
        self, connection: Connection, opened: Opened, view: View, columns: Sequence[Column], offset: int, limit: int,
        positions: Positions,
    ) -> Rows:  # fmt: skip
        size = _block_size(columns)
        rows: Rows = []
        for number in range(offset // size, (offset + max(limit, 1) - 1) // size + 1):

            def part(number: int = number) -> Positions:
                return np.asarray(positions[number * size : (number + 1) * size])

            rows += self._block(connection, opened, view, columns, number, part)
        skipped = offset - offset // size * size
        return rows[skipped : skipped + limit]

    def _block(
        self, connection: Connection, opened: Opened, view: View, columns: Sequence[Column], number: int, positions: Any
    ) -> Rows:
        key = (f"{positions_question(opened, view)}\n{[c.name for c in columns]!r}", number)
        with self._lock:
            found = self._blocks.get(key)
            if found is not None:
                self._blocks.move_to_end(key)
                return found
        found = _at(connection, opened, columns, positions())
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


def _block_size(columns: Sequence[Column]) -> int:
    return min(2_000, max(_BLOCK_CELLS // max(len(columns), 1), 100))


def _position(row: tuple[int, tuple[Any, ...]]) -> int:
    return row[0]


def _fetched(connection: Connection, opened: Opened, columns: Sequence[Column], where: str, parameters: Sequence[Any] = ()) -> Rows:
    plan = opened.plan
    select = f"SELECT {sql.name(sql.ROW)}, {sql.names(c.name for c in columns)} FROM {plan.last}"
    rows = connection.rows(plan.query(opened.source(where), select), parameters)
    return [(row[0], tuple(sql.json_value(cell) for cell in row[1:])) for row in rows]


def _at(connection: Connection, opened: Opened, columns: Sequence[Column], positions: Positions) -> Rows:
    """The rows at these positions, in their order."""
    if not len(positions):
        return []
    wanted = [int(p) for p in positions]
    where = (
        f"file_row_number BETWEEN {min(wanted)} AND {max(wanted)} AND file_row_number IN (SELECT unnest($1::BIGINT[]))"
    )
    by_position = dict(_fetched(connection, opened, columns, where, [wanted]))
    return [(p, by_position[p]) for p in wanted]


def _filter_start(
    connection: Connection, views: Views, opened: Opened, view: View, columns: Sequence[Column], offset: int, limit: int
) -> Rows:
    """Rows of a filtered view whose count nobody asked for: the search ends with the last row of the page."""
    found = connection.arrays(views.positions_query(opened, view, offset + limit))["position"]
    return _at(connection, opened, columns, np.sort(np.asarray(found))[offset:])
