"""Views that people keep."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Index, Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.projects import UserId
from hydroml.domain.sources import SourceId
from hydroml.domain.studio.steps import SortKey
from hydroml.domain.views import Layout, SavedView, SavedViewId, SavedViewNotFoundError

saved_view = Table(
    "saved_view",
    metadata,
    key(),
    uuid("owner_id"),
    reference("source_id", "source", "CASCADE"),
    text("name"),
    text("filter", nullable=True),
    document("sort"),
    document("layout"),
    moment("created_at"),
    number("revision"),
    Index(None, "source_id", "owner_id"),
)


def _to_row(view: SavedView) -> dict[str, Any]:
    layout = view.layout
    return {
        "id": view.id,
        "owner_id": view.owner_id,
        "source_id": view.source_id,
        "name": view.name,
        "filter": view.filter,
        "sort": [[key.column, key.descending] for key in view.sort],
        "layout": {
            "order": list(layout.order),
            "hidden": list(layout.hidden),
            "pinned": list(layout.pinned),
            "widths": dict(layout.widths),
        },
        "created_at": view.created_at,
        "revision": view.revision,
    }


def _from_row(row: Row[Any]) -> SavedView:
    layout = row.layout
    return SavedView(
        id=SavedViewId(row.id),
        owner_id=UserId(row.owner_id),
        source_id=SourceId(row.source_id),
        name=row.name,
        filter=row.filter,
        sort=tuple(SortKey(column, descending) for column, descending in row.sort),
        layout=Layout(tuple(layout["order"]), tuple(layout["hidden"]), tuple(layout["pinned"]), dict(layout["widths"])),
        created_at=row.created_at,
        revision=row.revision,
    )


class SqlAlchemySavedViewRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, view: SavedView) -> None:
        try:
            self._connection.execute(insert(saved_view).values(_to_row(view)))
        except IntegrityError as error:
            raise ConflictError("the data source is not there any more") from error

    def get(self, view_id: SavedViewId) -> SavedView:
        row = self._connection.execute(select(saved_view).where(saved_view.c.id == view_id)).one_or_none()
        if row is None:
            raise SavedViewNotFoundError(view_id)
        return _from_row(row)

    def save(self, view: SavedView) -> None:
        seen = view.revision
        values = _to_row(view) | {"revision": seen + 1}
        changed = update(saved_view).where(saved_view.c.id == view.id, saved_view.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"view {view.id} was changed meanwhile")
        view.revision = seen + 1

    def delete(self, view_id: SavedViewId) -> None:
        if self._connection.execute(delete(saved_view).where(saved_view.c.id == view_id)).rowcount != 1:
            raise SavedViewNotFoundError(view_id)

    def of_owner(self, owner: UserId, source_id: SourceId) -> Sequence[SavedView]:
        mine = (saved_view.c.owner_id == owner, saved_view.c.source_id == source_id)
        query = select(saved_view).where(*mine).order_by(by_name(saved_view), saved_view.c.id)
        return [_from_row(row) for row in self._connection.execute(query)]
