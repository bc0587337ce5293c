"""Queries that people run over the tables of a project: what was asked, and how it ended."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.studio.session import SessionId

QueryId = NewType("QueryId", UUID)

QUERY_SECONDS = 30.0
"""How long a query may take whose result somebody waits for."""
QUERY_ROWS = 10_000
KEPT_QUERIES = 200
"""How many a person's history of a project holds."""
_LOST = timedelta(seconds=3 * QUERY_SECONDS)


class QueryNotFoundError(NotFoundError):
    def __init__(self, query_id: QueryId) -> None:
        super().__init__(f"query {query_id} does not exist")


class QueryStateError(ConflictError):
    """The query is not in a state that allows this."""


class QueryCancelledError(ConflictError):
    """Raised where a query runs once somebody asked to cancel it."""

    def __init__(self) -> None:
        super().__init__("the query was cancelled")


class QueryState(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True, kw_only=True)
class QueryRun:
    """One query of one person: running → succeeded, failed or cancelled."""

    id: QueryId
    project_id: ProjectId
    owner_id: UserId
    session_id: SessionId | None = None
    """Whose table the query reads as `this`."""
    sql: str
    state: QueryState = QueryState.RUNNING
    cancel_requested: bool = False
    rows: int | None = None
    elapsed_ms: float | None = None
    error: str | None = None
    created_at: datetime

    def succeed(self, rows: int, elapsed_ms: float) -> None:
        self._end(QueryState.SUCCEEDED)
        self.rows, self.elapsed_ms = rows, elapsed_ms

    def fail(self, error: str) -> None:
        self._end(QueryState.CANCELLED if self.cancel_requested else QueryState.FAILED)
        self.error = error

    def cancel(self) -> None:
        """Ask for an end. Raises QueryStateError when it has ended already."""
        if self.state is not QueryState.RUNNING:
            raise QueryStateError("the query has ended already")
        self.cancel_requested = True

    def seen_at(self, now: datetime) -> "QueryRun":
        """As it stands; one that runs for much longer than it may was lost with its process."""
        if self.state is QueryState.RUNNING and now - self.created_at > _LOST:
            return replace(self, state=QueryState.FAILED, error="the query broke off")
        return self

    def _end(self, state: QueryState) -> None:
        if self.state is not QueryState.RUNNING:
            raise QueryStateError("the query has ended already")
        self.state = state
