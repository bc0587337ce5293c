"""Slices of lists by keyset: as fast at the end of a list as at its beginning."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select, tuple_

from hydroml.adapters.cursors import Position, read_order, write_cursor
from hydroml.application.ports.repositories import Listing, Slice

T = TypeVar("T")


def by_name(table: Table) -> ColumnElement[str]:
    """The key for an order by name: without regard to case, and by code point, so that every database agrees."""
    return func.lower(table.c.name).collate("C")


def contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether a column holds `text`, in any case; `%` and `_` mean themselves."""
    return column.ilike(f"%{like_literal(text)}%", escape="\\")


def like_literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def slice_of(  # noqa: PLR0917 (read in this order by every list)
    connection: Connection,
    query: Select[Any],
    table: Table,
    keys: Mapping[str, ColumnElement[Any]],
    listing: Listing,
    from_row: Callable[[Row[Any]], T],
    *,
    name: ColumnElement[str] | None = None,
) -> Slice[T]:
    """The slice of `query`'s rows that `listing` asks for; `keys` are the fields it can be sorted by, and `name` is
    what is searched, the column of that name when not given."""
    order = read_order(listing, tuple(keys))
    key = keys[order.field]
    if listing.search:
        query = query.where(contains(table.c.name if name is None else name, listing.search))
    total = connection.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    page = query.add_columns(key.label("sort_key"))
    place = tuple_(key, table.c.id)
    if order.after is not None:
        last = tuple_(order.after.key, order.after.id)
        page = page.where(place < last if order.descending else place > last)
    directed = (key.desc(), table.c.id.desc()) if order.descending else (key.asc(), table.c.id.asc())
    rows = connection.execute(page.order_by(*directed).limit(listing.limit + 1)).all()
    shown = rows[: listing.limit]
    cursor = None
    if len(rows) > len(shown):
        cursor = write_cursor(listing.sort, Position(shown[-1].sort_key, shown[-1].id))
    return Slice(tuple(from_row(row) for row in shown), cursor, total)
