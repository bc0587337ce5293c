"""Queries that people have run."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    Row,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import key, metadata, moment, reference, text, uuid
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.queries import QueryId, QueryNotFoundError, QueryRun, QueryState
from hydroml.domain.studio.session import SessionId

query = Table(
    "query",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    uuid("owner_id"),
    uuid("session_id", nullable=True),
    text("sql"),
    text("state"),
    Column("cancel_requested", Boolean, nullable=False),
    Column("rows", BigInteger),
    Column("elapsed_ms", Double),
    text("error", nullable=True),
    moment("created_at"),
    Index(None, "project_id", "owner_id", "created_at"),
)


def _to_row(entity: QueryRun) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "owner_id": entity.owner_id,
        "session_id": entity.session_id,
        "sql": entity.sql,
        "state": entity.state,
        "cancel_requested": entity.cancel_requested,
        "rows": entity.rows,
        "elapsed_ms": entity.elapsed_ms,
        "error": entity.error,
        "created_at": entity.created_at,
    }


def _from_row(row: Row[Any]) -> QueryRun:
    return QueryRun(
        id=QueryId(row.id),
        project_id=ProjectId(row.project_id),
        owner_id=UserId(row.owner_id),
        session_id=None if row.session_id is None else SessionId(row.session_id),
        sql=row.sql,
        state=QueryState(row.state),
        cancel_requested=row.cancel_requested,
        rows=row.rows,
        elapsed_ms=row.elapsed_ms,
        error=row.error,
        created_at=row.created_at,
    )


class SqlAlchemyQueryRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: QueryRun) -> None:
        try:
            self._connection.execute(insert(query).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("there is a query of this id already, or the project is gone") from error

    def get(self, query_id: QueryId) -> QueryRun:
        return self._one(query_id, lock=False)

    def get_for_update(self, query_id: QueryId) -> QueryRun:
        return self._one(query_id, lock=True)

    def save(self, entity: QueryRun) -> None:
        changed = update(query).where(query.c.id == entity.id).values(_to_row(entity))
        if self._connection.execute(changed).rowcount != 1:
            raise QueryNotFoundError(entity.id)

    def of_owner(self, owner: UserId, project_id: ProjectId) -> Sequence[QueryRun]:
        mine = select(query).where(query.c.project_id == project_id, query.c.owner_id == owner)
        rows = self._connection.execute(mine.order_by(query.c.created_at.desc(), query.c.id.desc()))
        return [_from_row(row) for row in rows]

    def trim(self, owner: UserId, project_id: ProjectId, keep: int) -> None:
        mine = select(query.c.id).where(query.c.project_id == project_id, query.c.owner_id == owner)
        old = mine.order_by(query.c.created_at.desc(), query.c.id.desc()).offset(keep)
        self._connection.execute(delete(query).where(query.c.id.in_(old)))

    def _one(self, query_id: QueryId, *, lock: bool) -> QueryRun:
        wanted = select(query).where(query.c.id == query_id)
        row = self._connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
        if row is None:
            raise QueryNotFoundError(query_id)
        return _from_row(row)
