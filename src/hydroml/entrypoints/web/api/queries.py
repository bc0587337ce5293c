"""SQL over the tables of a project."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from hydroml.application.queries import QueryRequest
from hydroml.domain.projects import ProjectId
from hydroml.domain.queries import QUERY_ROWS, QueryId, QueryRun, QueryState
from hydroml.domain.sources import ColumnType, SourceId, Version
from hydroml.domain.studio.session import SessionId
from hydroml.domain.studio.steps.queries import QUERY_LENGTH
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, at_job, json_response, whole
from hydroml.entrypoints.web.api.sources import SourceAccepted
from hydroml.entrypoints.web.api.versions import ColumnOut

router = Router(tags=["queries"])


class AskIn(Schema):
    """A SELECT over the project's data sources by their names, and over a session's table as `this`."""

    sql: str = Field(max_length=QUERY_LENGTH)
    session_id: UUID | None = None

    def request(self, project_id: UUID) -> QueryRequest:
        return QueryRequest(
            ProjectId(project_id), self.sql, None if self.session_id is None else SessionId(self.session_id)
        )


class QueryIn(AskIn):
    """A query, how many rows are wanted, and the id by which it can be cancelled."""

    limit: int = Field(1_000, ge=1, le=QUERY_ROWS)
    id: UUID | None = None


class QuerySaveIn(AskIn):
    """A new data source of that name, or the next version of that one."""

    name: str | None = None
    source_id: UUID | None = None


class QueryColumnOut(Schema):
    name: str
    type: ColumnType


class QueriedTableOut(Schema):
    """A version that a query has read, and what it is called there: as the step `query` names it."""

    name: str
    version_id: UUID


class QueryOut(Schema):
    """The first rows that a query gives; `total` is null when there are more."""

    id: UUID
    columns: list[QueryColumnOut]
    rows: list[list[Any]]
    total: int | None
    truncated: bool
    tables: list[QueriedTableOut]
    elapsed_ms: float


class QueryRunOut(Schema):
    """A query that was run."""

    id: UUID
    session_id: UUID | None
    sql: str
    state: QueryState
    rows: int | None
    elapsed_ms: float | None
    error: str | None
    created_at: datetime

    @classmethod
    def of(cls, run: QueryRun) -> "QueryRunOut":
        return cls(
            id=run.id,
            session_id=run.session_id,
            sql=run.sql,
            state=run.state,
            rows=run.rows,
            elapsed_ms=run.elapsed_ms,
            error=run.error,
            created_at=run.created_at,
        )


class TableOut(Schema):
    """What a query can read, by the name of the data source."""

    name: str
    source_id: UUID
    version_id: UUID
    rows: int
    columns: list[ColumnOut]

    @classmethod
    def of(cls, name: str, version: Version) -> "TableOut":
        return cls(
            name=name,
            source_id=version.source_id,
            version_id=version.id,
            rows=version.rows,
            columns=[ColumnOut.of(column) for column in version.columns],
        )


@router.get("/projects/{uuid:project_id}/tables", response=Page[TableOut])
def list_tables(request: HttpRequest, project_id: UUID) -> Any:
    """What queries can read: the current version of each data source."""
    found = container().queries().tables(request.auth, ProjectId(project_id))
    return whole([TableOut.of(name, version) for name, version in found], TableOut)


@router.post("/projects/{uuid:project_id}/query", response=QueryOut)
def run_query(request: HttpRequest, project_id: UUID, body: QueryIn) -> HttpResponse:
    """Run a SELECT and give its first rows; it has 30 seconds."""
    answer = (
        container()
        .queries()
        .ask(request.auth, body.request(project_id), body.limit, None if body.id is None else QueryId(body.id))
    )
    result = answer.result
    return json_response(
        {
            "id": answer.run.id,
            "columns": [{"name": column.name, "type": column.type} for column in result.columns],
            "rows": result.rows,
            "total": result.total,
            "truncated": result.truncated,
            "tables": [{"name": table.name, "version_id": table.version_id} for table in answer.tables],
            "elapsed_ms": result.elapsed_ms,
        }
    )


@router.post("/projects/{uuid:project_id}/query/save", response={202: SourceAccepted})
def save_query(
    request: HttpRequest, response: HttpResponse, project_id: UUID, body: QuerySaveIn
) -> Status[SourceAccepted]:
    """All rows of a query become a version, with its lineage."""
    source, job = (
        container()
        .queries()
        .save(
            request.auth,
            body.request(project_id),
            name=body.name,
            source_id=None if body.source_id is None else SourceId(body.source_id),
        )
    )
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))


@router.get("/projects/{uuid:project_id}/queries", response=Page[QueryRunOut])
def list_queries(request: HttpRequest, project_id: UUID) -> Any:
    """My last 200 queries in the project, newest first."""
    found = container().queries().history(request.auth, ProjectId(project_id))
    return whole([QueryRunOut.of(run) for run in found], QueryRunOut)


@router.delete("/projects/{uuid:project_id}/queries", response={204: None})
def forget_queries(request: HttpRequest, project_id: UUID) -> Status[None]:
    """Empty my history of the project."""
    container().queries().forget(request.auth, ProjectId(project_id))
    return Status(204, None)


@router.post("/queries/{uuid:query_id}/cancel", response={202: None})
def cancel_query(request: HttpRequest, query_id: UUID) -> Status[None]:
    """End one of my queries; 409 when it has ended already."""
    container().queries().cancel(request.auth, QueryId(query_id))
    return Status(202, None)
