"""Looking for a text in the cells of a view, a part of the file at a time.

What a part holds is kept as row positions, so that to look further, or for the same again, reads it no more.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.views import Opened, Positions, Views, shown_columns
from hydroml.application.ports.tables import TextHit, TextSearch, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType

SECONDS = 1.5
_CELLS = 4_000_000
_FEWEST_ROWS, _MOST_ROWS = 20_000, 1_000_000

_WRITTEN = {
    ColumnType.INTEGER: "[-0-9]+",
    ColumnType.DECIMAL: "[-0-9.]+",
    ColumnType.NUMBER: "[-+0-9.einf]+",
    ColumnType.DATE: "[-0-9]+",
    ColumnType.TIMESTAMP: "[-0-9: .]+",
    ColumnType.BOOLEAN: "t|r|u|e|tr|ru|ue|tru|rue|true|f|a|l|s|fa|al|ls|se|fal|als|lse|fals|alse|false",
}
"""What can stand in a value as it is written; columns that cannot hold a text need not be read."""
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")


@dataclass(frozen=True, slots=True)
class _Search:
    views: Views
    opened: Opened
    columns: tuple[Column, ...]
    """Those that can hold the text."""
    text: str

    @property
    def part(self) -> int:
        """Rows of the file that are looked through at once."""
        return min(_MOST_ROWS, max(_FEWEST_ROWS, _CELLS // max(len(self.columns), 1)))

    @property
    def parts(self) -> int:
        return -(-self.opened.rows // self.part)

    @property
    def tests(self) -> list[str]:
        """For each column, whether a cell of it holds the text."""
        return [
            f"contains(lower({sql.name(c.name)}::VARCHAR), lower({sql.text(_as_written(self.text, c.type))}))"
            for c in self.columns
        ]

    def question(self, number: int) -> str:
        names = [column.name for column in self.columns]
        return f"found\n{self.opened.identity}\n{self.opened.recipe!r}\n{names!r}\n{self.text!r}\n{self.part} {number}"

    def held(self, number: int) -> Positions:
        """Positions in the file of the rows of a part that hold the text, ascending."""

        def query() -> str:
            first = number * self.part
            where = f"file_row_number BETWEEN {first} AND {first + self.part - 1}"
            select = f"SELECT {sql.name(sql.ROW)}::UINTEGER AS position FROM {self.opened.plan.last}"
            source = self.opened.source(where, {column.name for column in self.columns})
            return self.opened.plan.query(source, f"{select} WHERE {' OR '.join(self.tests)}")

        return np.sort(np.asarray(self.views.kept(self.opened, self.question(number), query)))

    def searched(self) -> list[int]:
        return [number for number in range(self.parts) if self.views.keeps(self.question(number))]

    def holding(self, position: int) -> list[str]:
        """The columns of a row that hold the text."""
        source = self.opened.source(f"file_row_number = {position}", {column.name for column in self.columns})
        select = f"SELECT {', '.join(self.tests)} FROM {self.opened.plan.last}"
        with self.views.connection(self.opened) as connection:
            found = connection.rows(self.opened.plan.query(source, select))
        return [c.name for c, holds in zip(self.columns, found[0] if found else (), strict=False) if holds]


@dataclass(frozen=True, slots=True)
class _Order:
    """A view's rows: positions in the file, in the view's order; None when they are all rows of the file."""

    positions: Positions | None
    rows: int
    ascending: bool

    def at(self, index: int) -> int:
        return index if self.positions is None else int(self.positions[index])

    def indexes(self, held: Positions, rows_of_file: int) -> Positions:
        """Where in the view's order the rows at these positions stand, ascending."""
        if self.positions is None or not len(held):
            return held
        if self.ascending:
            places = np.searchsorted(self.positions, held)
            inside = places < len(self.positions)
            places, held = places[inside], held[inside]
            return np.asarray(places[np.asarray(self.positions[places]) == held], dtype=np.uint32)
        marked = np.zeros(rows_of_file, dtype=bool)
        marked[held] = True
        return np.asarray(np.flatnonzero(marked[self.positions]), dtype=np.uint32)


def find(views: Views, view: View, search: TextSearch) -> TextHit:
    started = time.perf_counter()
    with views.opened(view.table, view.recipe) as opened:
        columns = shown_columns(view, opened.plan.columns)
        if search.column is not None and search.column not in {column.name for column in columns}:
            raise InvalidInputError.at(
                "column", msg=f"there is no column “{search.column[:100]}” among these", code="unknown_column"
            )
        able = tuple(column for column in columns if _can_hold(search.text, column.type))
        positions = views.positions(opened, view)
        order = _Order(
            positions,
            opened.rows if positions is None else len(positions),
            ascending=not view.sort and not opened.plan.reorders,
        )
        searching = _Search(views, opened, able, search.text)
        index, column, done = _next(searching, order, search, [c.name for c in columns], started) if able else _NOTHING
        known = searching.searched() if able else []
        rows = None
        if len(known) == searching.parts or not able:
            rows = sum(len(order.indexes(searching.held(number), opened.rows)) for number in known)
    share = len(known) / searching.parts if able and searching.parts else 1.0
    return TextHit(index, column, rows, share, done, (time.perf_counter() - started) * 1000)


_NOTHING: tuple[int | None, str | None, bool] = (None, None, True)


def _next(
    searching: _Search, order: _Order, search: TextSearch, names: Sequence[str], started: float
) -> tuple[int | None, str | None, bool]:
    """Position and column of the next cell, and whether all that had to be looked at could be."""
    start = search.after
    if start is not None and not 0 <= start < order.rows:
        start = None
    pick = -1 if search.backwards else 0
    if start is not None and search.column is not None:
        place = names.index(search.column)
        ahead = names[:place] if search.backwards else names[place + 1 :]
        beside = [name for name in searching.holding(order.at(start)) if name in ahead]
        if beside:
            return start, beside[pick], True
    parts = _parts_in_turn(searching, order, start, backwards=search.backwards)
    for turn in parts:
        indexes = []
        for number in turn:
            if time.perf_counter() - started > SECONDS and not searching.views.keeps(searching.question(number)):
                return None, None, False
            indexes.append(order.indexes(searching.held(number), searching.opened.rows))
        found = _nearest(np.concatenate(indexes), start, search.backwards) if indexes else None
        whole = turn is not parts[0] or len(parts) == 1  # else it may be nearer in the parts to come
        if found is not None and (whole or _is_beyond(found, start, search.backwards)):
            return found, searching.holding(order.at(found))[pick], True
    return _NOTHING


def _parts_in_turn(searching: _Search, order: _Order, start: int | None, *, backwards: bool) -> list[list[int]]:
    """Which parts of the file are looked at together, one after the other: in an order of its own, all at once; else
    from where the search starts to the end, and from the other end back to there."""
    every = range(searching.parts)
    if not order.ascending:
        return [list(every)]
    ahead = list(reversed(every)) if backwards else list(every)
    if start is None:
        return [[number] for number in ahead]
    at = ahead.index(order.at(start) // searching.part)
    return [[number] for number in [*ahead[at:], *ahead[: at + 1]]]


def _nearest(indexes: Positions, start: int | None, backwards: bool) -> int | None:
    """The next one beyond the start, or the first of them from the other end."""
    if not len(indexes):
        return None
    ordered = np.sort(indexes)
    beyond = ordered if start is None else ordered[ordered < start] if backwards else ordered[ordered > start]
    pick = -1 if backwards else 0
    return int(beyond[pick] if len(beyond) else ordered[pick])


def _is_beyond(index: int, start: int | None, backwards: bool) -> bool:
    return start is None or (index < start if backwards else index > start)


def _can_hold(text: str, kind: ColumnType) -> bool:
    written = _WRITTEN.get(kind)
    return written is None or re.fullmatch(written, _as_written(text, kind).lower()) is not None


def _as_written(text: str, kind: ColumnType) -> str:
    """A text as values of the type are written, where the grid shows them in another way: −1,234.5."""
    if kind.is_numeric:
        text = text.replace("\N{MINUS SIGN}", "-")
        return text.replace(",", "") if _GROUPED.fullmatch(text) else text
    return re.sub(r"(?<=\d)T(?=\d)", " ", text) if kind is ColumnType.TIMESTAMP else text
