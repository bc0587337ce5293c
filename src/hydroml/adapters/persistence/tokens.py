"""Personal tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Index,
    Row,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from hydroml.adapters.persistence.metadata import key, metadata, moment, text, uuid
from hydroml.domain.projects import UserId
from hydroml.domain.tokens import Scope, Token, TokenId, TokenNotFoundError

token = Table(
    "token",
    metadata,
    key(),
    uuid("user_id"),
    text("name"),
    text("digest"),
    Column("scopes", ARRAY(Text), nullable=False),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("last_used_at", nullable=True),
    UniqueConstraint("digest"),
    Index(None, "user_id"),
)


def _to_row(entity: Token) -> dict[str, Any]:
    return {
        "id": entity.id,
        "user_id": entity.user_id,
        "name": entity.name,
        "digest": entity.digest,
        "scopes": sorted(entity.scopes),
        "created_at": entity.created_at,
        "expires_at": entity.expires_at,
        "last_used_at": entity.last_used_at,
    }


def _from_row(row: Row[Any]) -> Token:
    return Token(
        id=TokenId(row.id),
        user_id=UserId(row.user_id),
        name=row.name,
        digest=row.digest,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


class SqlAlchemyTokenRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Token) -> None:
        self._connection.execute(insert(token).values(_to_row(entity)))

    def by_digest(self, digest: str) -> Token:
        row = self._connection.execute(select(token).where(token.c.digest == digest)).one_or_none()
        if row is None:
            raise TokenNotFoundError
        return _from_row(row)

    def of_user(self, user: UserId) -> Sequence[Token]:
        query = select(token).where(token.c.user_id == user).order_by(token.c.created_at.desc(), token.c.id)
        return [_from_row(row) for row in self._connection.execute(query)]

    def used(self, token_id: TokenId, at: datetime) -> None:
        self._connection.execute(update(token).where(token.c.id == token_id).values(last_used_at=at))

    def delete(self, user: UserId, token_id: TokenId) -> None:
        owned = delete(token).where(token.c.id == token_id, token.c.user_id == user)
        if self._connection.execute(owned).rowcount != 1:
            raise TokenNotFoundError(token_id)
