"""Sessions. The tree of steps is one document: it is read and written as a whole, and its size is bounded."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Index, Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, uuid
from hydroml.application.documents import read_step, write_step
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import Entry, EntryId, Session, SessionId, SessionNotFoundError

MOST_SESSIONS = 200

session = Table(
    "session",
    metadata,
    key(),
    reference("version_id", "version", "CASCADE"),
    reference("project_id", "project", "CASCADE"),
    uuid("owner_id"),
    document("entries"),
    uuid("cursor", nullable=True),
    document("ahead"),
    moment("created_at"),
    moment("updated_at"),
    number("revision"),
    Index(None, "owner_id", "updated_at"),
    Index(None, "version_id"),
    Index(None, "project_id"),
)


def _to_row(entity: Session) -> dict[str, Any]:
    return {
        "id": entity.id,
        "version_id": entity.version_id,
        "project_id": entity.project_id,
        "owner_id": entity.owner_id,
        "entries": [
            {
                "id": e.id.hex,
                "parent": _hex(e.parent),
                "step": write_step(e.step),
                "fitted": dict(e.fitted),
                "enabled": e.enabled,
            }
            for e in entity.entries
        ],
        "cursor": entity.cursor,
        "ahead": [[_hex(place), child.hex] for place, child in entity.ahead.items()],
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any]) -> Session:
    return Session(
        id=SessionId(row.id),
        version_id=VersionId(row.version_id),
        project_id=ProjectId(row.project_id),
        owner_id=UserId(row.owner_id),
        entries=tuple(
            Entry(EntryId(UUID(e["id"])), _entry_id(e["parent"]), read_step(e["step"]), e["fitted"], e["enabled"])
            for e in row.entries
        ),
        cursor=None if row.cursor is None else EntryId(row.cursor),
        ahead={_entry_id(place): EntryId(UUID(child)) for place, child in row.ahead},
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
    )


def _hex(entry_id: EntryId | None) -> str | None:
    return None if entry_id is None else entry_id.hex


def _entry_id(text: str | None) -> EntryId | None:
    return None if text is None else EntryId(UUID(text))


class SqlAlchemySessionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Session) -> None:
        try:
            self._connection.execute(insert(session).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the version or the project was removed meanwhile") from error

    def get(self, session_id: SessionId) -> Session:
        row = self._connection.execute(select(session).where(session.c.id == session_id)).one_or_none()
        if row is None:
            raise SessionNotFoundError(session_id)
        return _from_row(row)

    def save(self, entity: Session) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(session).where(session.c.id == entity.id, session.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"session {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, session_id: SessionId) -> None:
        if self._connection.execute(delete(session).where(session.c.id == session_id)).rowcount != 1:
            raise SessionNotFoundError(session_id)

    def of_owner(
        self, owner: UserId, *, version_id: VersionId | None = None, project_id: ProjectId | None = None
    ) -> Sequence[Session]:
        query = select(session).where(session.c.owner_id == owner)
        if version_id is not None:
            query = query.where(session.c.version_id == version_id)
        if project_id is not None:
            query = query.where(session.c.project_id == project_id)
        query = query.order_by(session.c.updated_at.desc(), session.c.id.desc()).limit(MOST_SESSIONS)
        return [_from_row(row) for row in self._connection.execute(query)]
