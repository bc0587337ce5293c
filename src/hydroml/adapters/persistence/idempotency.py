"""Answers by idempotency key."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Index, Table, Text, Uuid, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from hydroml.adapters.persistence.metadata import metadata, moment, text
from hydroml.application.ports.repositories import KeptAnswer
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import UserId

CLAIM = timedelta(minutes=1)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    text("digest"),
    moment("claimed_at"),
    Column("status", BigInteger),
    text("body", nullable=True),
    text("location", nullable=True),
    Index(None, "claimed_at"),
)


class SqlAlchemyIdempotencyRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, user: UserId, key: str, digest: str, at: datetime) -> KeptAnswer | None:
        values = {"user_id": user, "key": key, "digest": digest, "claimed_at": at}
        # Waits for whoever claims the same key at this moment, so that one of the two is second.
        claimed = insert(idempotency_key).values(values).on_conflict_do_nothing().returning(idempotency_key.c.key)
        if self._connection.execute(claimed).one_or_none() is not None:
            return None
        query = select(idempotency_key).where(_is(user, key)).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise ConflictError("the first request with this Idempotency-Key has just been refused; send it again")
        if row.digest != digest:
            raise ConflictError("this Idempotency-Key belongs to a different request")
        if row.status is not None:
            return KeptAnswer(row.digest, row.status, row.body, row.location)
        if row.claimed_at > at - CLAIM:
            raise ConflictError("the first request with this Idempotency-Key is still being answered")
        self._connection.execute(update(idempotency_key).where(_is(user, key)).values(claimed_at=at))
        return None

    def keep(self, user: UserId, key: str, answer: KeptAnswer) -> None:
        values = {
            "digest": answer.digest,
            "status": answer.status,
            "body": answer.body,
            "location": answer.location,
        }
        self._connection.execute(update(idempotency_key).where(_is(user, key)).values(values))

    def release(self, user: UserId, key: str) -> None:
        self._connection.execute(delete(idempotency_key).where(_is(user, key)))

    def forget(self, before: datetime) -> None:
        self._connection.execute(delete(idempotency_key).where(idempotency_key.c.claimed_at < before))


def _is(user: UserId, key: str) -> ColumnElement[bool]:
    return (idempotency_key.c.user_id == user) & (idempotency_key.c.key == key)
