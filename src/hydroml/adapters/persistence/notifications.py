"""Notifications, numbered in one row with the changes of jobs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Row, Table, delete, func, insert, or_, select, update

from hydroml.adapters.persistence.jobs import NUMBERING_LOCK, job_sequence
from hydroml.adapters.persistence.metadata import key, metadata, moment, number, text, uuid
from hydroml.adapters.persistence.paging import slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.notifications import Notification, NotificationId, Tone
from hydroml.domain.projects import UserId

notification = Table(
    "notification",
    metadata,
    key(),
    uuid("user_id"),
    text("kind"),
    text("tone"),
    text("title"),
    text("text"),
    text("href", nullable=True),
    Column("read", Boolean, nullable=False),
    moment("created_at"),
    number("sequence"),
    Index(None, "user_id", "created_at", "id"),
    Index(None, "sequence"),
)


def _to_row(entity: Notification) -> dict[str, Any]:
    return {
        "id": entity.id,
        "user_id": entity.user_id,
        "kind": entity.kind,
        "tone": entity.tone,
        "title": _storable(entity.title),
        "text": _storable(entity.text),
        "href": entity.href,
        "read": entity.read,
        "created_at": entity.created_at,
        "sequence": entity.sequence,
    }


def _from_row(row: Row[Any]) -> Notification:
    return Notification(
        id=NotificationId(row.id),
        user_id=UserId(row.user_id),
        kind=row.kind,
        tone=Tone(row.tone),
        title=row.title,
        text=row.text,
        href=row.href,
        read=row.read,
        created_at=row.created_at,
        sequence=row.sequence,
    )


def _storable(words: str) -> str:
    """PostgreSQL keeps no NUL and no half of a surrogate pair, and an error may quote a file's bytes."""
    return words.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


class SqlAlchemyNotificationRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._added: list[Notification] = []

    def add(self, entity: Notification) -> None:
        self._connection.execute(insert(notification).values(_to_row(entity)))
        self._added.append(entity)

    def number_added(self) -> None:
        """Gives what was added its sequence, under the lock of the jobs' numbers; the last thing before a commit."""
        if not self._added:
            return
        self._connection.execute(select(func.pg_advisory_xact_lock(NUMBERING_LOCK)))
        for entity in self._added:
            numbered = (
                update(notification)
                .where(notification.c.id == entity.id)
                .values(sequence=job_sequence.next_value())
                .returning(notification.c.sequence)
            )
            entity.sequence = self._connection.execute(numbered).scalar_one()
        self._added.clear()

    def of_user(self, user: UserId, listing: Listing, *, unread: bool = False) -> Slice[Notification]:
        query = select(notification).where(notification.c.user_id == user)
        if unread:
            query = query.where(notification.c.read.is_(False))
        keys = {"created_at": notification.c.created_at}
        name = notification.c.title
        return slice_of(self._connection, query, notification, keys, listing, _from_row, name=name)

    def unread(self, user: UserId) -> int:
        query = select(func.count()).where(notification.c.user_id == user, notification.c.read.is_(False))
        return self._connection.execute(query).scalar_one()

    def mark_read(self, user: UserId, ids: Collection[NotificationId] | None) -> None:
        query = update(notification).where(notification.c.user_id == user, notification.c.read.is_(False))
        if ids is not None:
            query = query.where(notification.c.id.in_(ids))
        self._connection.execute(query.values(read=True))

    def since(self, user: UserId, sequence: int, limit: int) -> Sequence[Notification]:
        query = select(notification).where(notification.c.user_id == user, notification.c.sequence > sequence)
        rows = self._connection.execute(query.order_by(notification.c.sequence).limit(limit))
        return [_from_row(row) for row in rows]

    def last_sequence(self) -> int:
        return self._connection.execute(select(func.max(notification.c.sequence))).scalar() or 0

    def trim(self, user: UserId, before: datetime, most: int) -> None:
        mine = notification.c.user_id == user
        newest_first = (notification.c.created_at.desc(), notification.c.id.desc())
        surplus = select(notification.c.id).where(mine).order_by(*newest_first).offset(most)
        old = or_(notification.c.created_at < before, notification.c.id.in_(surplus))
        self._connection.execute(delete(notification).where(mine, old))
