"""Sessions. Their entries never change: to save a session is to write those that are new, and its own small row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Row,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.membership import projects_of
from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.application.documents import read_step, write_step
from hydroml.application.ports.repositories import SessionSummary
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.session import (
    Comment,
    CommentId,
    CommentNotFoundError,
    Entry,
    EntryId,
    Mark,
    Session,
    SessionId,
    SessionNotFoundError,
)

MOST_SESSIONS = 200

session = Table(
    "session",
    metadata,
    key(),
    reference("version_id", "version", "CASCADE"),
    reference("project_id", "project", "CASCADE"),
    uuid("owner_id"),
    text("name"),
    Column("shared", Boolean, nullable=False),
    uuid("cursor", nullable=True),
    number("steps"),
    # Both name entries by their position; the root is -1.
    document("ahead"),
    document("marks"),
    moment("created_at"),
    moment("updated_at"),
    moment("deleted_at", nullable=True),
    number("revision"),
    Index(None, "owner_id", "updated_at"),
    Index(None, "version_id"),
    Index(None, "project_id"),
    Index(None, "deleted_at"),
)

session_entry = Table(
    "session_entry",
    metadata,
    reference("session_id", "session", "CASCADE", primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    uuid("entry_id"),
    uuid("parent", nullable=True),
    document("step"),
    document("fitted"),
    document("made"),
    Column("enabled", Boolean, nullable=False),
    uuid("replaces", nullable=True),
    UniqueConstraint("session_id", "entry_id"),
)

session_comment = Table(
    "session_comment",
    metadata,
    key(),
    reference("session_id", "session", "CASCADE"),
    uuid("entry_id"),
    uuid("author_id"),
    text("text"),
    moment("created_at"),
    Index(None, "session_id", "created_at", "id"),
)


def _to_row(entity: Session) -> dict[str, Any]:
    position = {entry.id: at for at, entry in enumerate(entity.entries)}
    return {
        "id": entity.id,
        "version_id": entity.version_id,
        "project_id": entity.project_id,
        "owner_id": entity.owner_id,
        "name": entity.name,
        "shared": entity.shared,
        "cursor": entity.cursor,
        "steps": len(entity.path(entity.cursor)),
        "ahead": [[-1 if at is None else position[at], position[child]] for at, child in entity.ahead.items()],
        "marks": [[position[tip], mark.name, mark.aside] for tip, mark in entity.marks.items()],
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
        "deleted_at": entity.deleted_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any], entries: tuple[Entry, ...]) -> Session:
    return Session(
        id=SessionId(row.id),
        version_id=VersionId(row.version_id),
        project_id=ProjectId(row.project_id),
        owner_id=UserId(row.owner_id),
        name=row.name,
        shared=row.shared,
        entries=entries,
        cursor=_entry_id(row.cursor),
        ahead={None if at < 0 else entries[at].id: entries[child].id for at, child in row.ahead},
        marks={entries[tip].id: Mark(name, aside) for tip, name, aside in row.marks},
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        revision=row.revision,
    )


def _entry_to_row(session_id: SessionId, position: int, entry: Entry) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "position": position,
        "entry_id": entry.id,
        "parent": entry.parent,
        "step": write_step(entry.step),
        "fitted": dict(entry.fitted),
        "made": list(entry.made),
        "enabled": entry.enabled,
        "replaces": entry.replaces,
    }


def _entry_from_row(row: Row[Any]) -> Entry:
    return Entry(
        id=EntryId(row.entry_id),
        parent=_entry_id(row.parent),
        step=read_step(row.step),
        fitted=row.fitted,
        made=tuple(row.made),
        enabled=row.enabled,
        replaces=_entry_id(row.replaces),
    )


def _entry_id(value: Any) -> EntryId | None:
    return None if value is None else EntryId(value)


def _comment_to_row(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "session_id": comment.session_id,
        "entry_id": comment.entry_id,
        "author_id": comment.author_id,
        "text": comment.text,
        "created_at": comment.created_at,
    }


def _comment_from_row(row: Row[Any]) -> Comment:
    return Comment(
        id=CommentId(row.id),
        session_id=SessionId(row.session_id),
        entry_id=EntryId(row.entry_id),
        author_id=UserId(row.author_id),
        text=row.text,
        created_at=row.created_at,
    )


class SqlAlchemySessionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Session) -> None:
        try:
            self._connection.execute(insert(session).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the version or the project was removed meanwhile") from error
        self._add_entries(entity, 0)

    def get(self, session_id: SessionId) -> Session:
        row = self._connection.execute(select(session).where(session.c.id == session_id)).one_or_none()
        if row is None:
            raise SessionNotFoundError(session_id)
        query = select(session_entry).where(session_entry.c.session_id == session_id)
        rows = self._connection.execute(query.order_by(session_entry.c.position))
        return _from_row(row, tuple(_entry_from_row(entry) for entry in rows))

    def save(self, entity: Session) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(session).where(session.c.id == entity.id, session.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"session {entity.id} was changed meanwhile")
        stored = select(func.count()).where(session_entry.c.session_id == entity.id)
        self._add_entries(entity, self._connection.execute(stored).scalar_one())
        entity.revision = seen + 1

    def delete(self, session_id: SessionId) -> None:
        if self._connection.execute(delete(session).where(session.c.id == session_id)).rowcount != 1:
            raise SessionNotFoundError(session_id)

    def seen_by(
        self,
        user: UserId,
        *,
        version_id: VersionId | None = None,
        project_id: ProjectId | None = None,
        shared: bool = False,
        trashed: bool = False,
    ) -> Sequence[SessionSummary]:
        query = select(session).where(session.c.project_id.in_(projects_of(user)))
        query = query.where(session.c.deleted_at.is_not(None) if trashed else session.c.deleted_at.is_(None))
        query = (
            query.where(session.c.owner_id != user, session.c.shared)
            if shared
            else query.where(session.c.owner_id == user)
        )
        if version_id is not None:
            query = query.where(session.c.version_id == version_id)
        if project_id is not None:
            query = query.where(session.c.project_id == project_id)
        query = query.order_by(session.c.updated_at.desc(), session.c.id.desc()).limit(MOST_SESSIONS)
        return [_summary(row) for row in self._connection.execute(query)]

    def discarded_before(self, at: datetime, limit: int) -> Sequence[SessionId]:
        query = select(session.c.id).where(session.c.deleted_at <= at).order_by(session.c.deleted_at).limit(limit)
        # Whoever restores one in this moment is told to try again, instead of losing it.
        return [SessionId(id_) for id_ in self._connection.execute(query.with_for_update()).scalars()]

    def add_comment(self, comment: Comment) -> None:
        try:
            self._connection.execute(insert(session_comment).values(_comment_to_row(comment)))
        except IntegrityError as error:
            raise SessionNotFoundError(comment.session_id) from error

    def comments(self, session_id: SessionId) -> Sequence[Comment]:
        query = select(session_comment).where(session_comment.c.session_id == session_id)
        rows = self._connection.execute(query.order_by(session_comment.c.created_at, session_comment.c.id))
        return [_comment_from_row(row) for row in rows]

    def delete_comment(self, session_id: SessionId, comment_id: CommentId) -> None:
        gone = delete(session_comment).where(
            session_comment.c.id == comment_id, session_comment.c.session_id == session_id
        )
        if self._connection.execute(gone).rowcount != 1:
            raise CommentNotFoundError(comment_id)

    def _add_entries(self, entity: Session, stored: int) -> None:
        new = [_entry_to_row(entity.id, at, e) for at, e in enumerate(entity.entries[stored:], start=stored)]
        if new:
            self._connection.execute(insert(session_entry), new)


def _summary(row: Row[Any]) -> SessionSummary:
    return SessionSummary(
        id=SessionId(row.id),
        version_id=VersionId(row.version_id),
        project_id=ProjectId(row.project_id),
        owner_id=UserId(row.owner_id),
        name=row.name,
        shared=row.shared,
        steps=row.steps,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )
