"""Suites; their trials are runs."""

from typing import Any

from sqlalchemy import Column as SqlColumn
from sqlalchemy import Connection, Float, Index, Integer, Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name, slice_of
from hydroml.application.documents import read_plan, read_specification, write_plan, write_specification
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.experiments.runs import ExperimentId, SuiteId
from hydroml.domain.experiments.suites import Suite, SuiteNotFoundError, SuiteStatus
from hydroml.domain.projects import ProjectId, UserId

suite = Table(
    "suite",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    reference("experiment_id", "experiment", "CASCADE"),
    reference("version_id", "version", "RESTRICT"),
    text("name"),
    document("specification"),
    document("plan"),
    text("metric"),
    SqlColumn("parallel", Integer, nullable=False),
    SqlColumn("seconds", Float, nullable=True),
    text("status"),
    text("error", nullable=True),
    document("importance"),
    uuid("job_id", nullable=True),
    uuid("created_by"),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    SqlColumn("spent", Float, nullable=False),
    number("revision"),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "experiment_id"),
    Index(None, "version_id"),
)


def _to_row(entity: Suite) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "experiment_id": entity.experiment_id,
        "version_id": entity.specification.version_id,
        "name": entity.name,
        "specification": write_specification(entity.specification),
        "plan": write_plan(entity.plan),
        "metric": entity.metric,
        "parallel": entity.parallel,
        "seconds": entity.seconds,
        "status": entity.status,
        "error": None if entity.error is None else entity.error.replace("\x00", "\ufffd"),
        "importance": entity.importance,
        "job_id": entity.job_id,
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "started_at": entity.started_at,
        "finished_at": entity.finished_at,
        "spent": entity.spent,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any]) -> Suite:
    return Suite(
        id=SuiteId(row.id),
        project_id=ProjectId(row.project_id),
        experiment_id=ExperimentId(row.experiment_id),
        name=row.name,
        specification=read_specification(row.specification),
        plan=read_plan(row.plan),
        metric=row.metric,
        parallel=row.parallel,
        seconds=row.seconds,
        status=SuiteStatus(row.status),
        error=row.error,
        importance=row.importance,
        job_id=row.job_id,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        spent=row.spent,
        revision=row.revision,
    )


class SqlAlchemySuiteRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Suite) -> None:
        try:
            self._connection.execute(insert(suite).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the experiment or its version was removed meanwhile") from error

    def get(self, suite_id: SuiteId) -> Suite:
        row = self._connection.execute(select(suite).where(suite.c.id == suite_id)).one_or_none()
        if row is None:
            raise SuiteNotFoundError(suite_id)
        return _from_row(row)

    def save(self, entity: Suite) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(suite).where(suite.c.id == entity.id, suite.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"suite {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, suite_id: SuiteId) -> None:
        try:
            gone = self._connection.execute(delete(suite).where(suite.c.id == suite_id)).rowcount
        except IntegrityError as error:
            raise ConflictError("a model was made from one of its runs") from error
        if gone != 1:
            raise SuiteNotFoundError(suite_id)

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Suite]:
        query = select(suite).where(suite.c.project_id == project_id)
        keys = {"created_at": suite.c.created_at, "name": by_name(suite)}
        return slice_of(self._connection, query, suite, keys, listing, _from_row)
