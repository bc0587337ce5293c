"""Runs that others logged with MLflow: rows of the table of runs, and which of them are to be read again."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.experiments import run, write_values
from hydroml.adapters.persistence.metadata import metadata, number, reference
from hydroml.application.ports.tracking import Change
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import RunId, RunNotFoundError, RunStatus
from hydroml.domain.projects import ProjectId, UserId

logged_change = Table(
    "logged_change",
    metadata,
    Column("mlflow_run_id", Text, primary_key=True),
    reference("project_id", "project", "CASCADE"),
    number("revision"),
    Index(None, "project_id"),
)
"""One row for each run that is to be read again; `revision` counts the changes since it was last read."""


def _to_row(entity: LoggedRun) -> dict[str, Any]:
    score = entity.score
    return {
        "id": entity.id,
        "logged": {
            "experiment": entity.mlflow_experiment_id,
            # what is not finite is no JSON number
            "metrics": {name: str(value) for name, value in entity.metrics.items()},
            "params": dict(entity.params),
            "tags": dict(entity.tags),
            "user": entity.user,
            "source": entity.source,
            "parent": entity.parent,
        },
        "project_id": entity.project_id,
        "name": entity.name,
        "status": entity.status,
        "artifacts": {},
        "mlflow_run_id": entity.mlflow_run_id,
        "mlflow_behind": False,
        "tags": list(entity.labels),
        "notes": "",
        "algorithm": "",
        "target": "",
        "problem": "",
        "seconds": entity.seconds,
        "score_metric": None if score is None else score.metric,
        "score": None if score is None else score.value,
        "words": entity.words,
        "created_by": entity.logged_by,
        "created_at": entity.started_at,
        "started_at": entity.started_at,
        "finished_at": entity.finished_at,
        "revision": 0,
    }


def _from_row(row: Row[Any]) -> LoggedRun:
    logged = row.logged
    return LoggedRun(
        project_id=ProjectId(row.project_id),
        mlflow_run_id=row.mlflow_run_id,
        mlflow_experiment_id=logged["experiment"],
        name=row.name,
        status=RunStatus(row.status),
        metrics={name: float(value) for name, value in logged["metrics"].items()},
        params=logged["params"],
        tags=logged["tags"],
        user=logged["user"],
        source=logged["source"],
        logged_by=None if row.created_by is None else UserId(row.created_by),
        parent=logged["parent"],
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


class SqlAlchemyLoggedRunRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, entity: LoggedRun) -> None:
        values = _to_row(entity)
        try:
            with self._connection.begin_nested():
                written = insert(run).values(values).on_conflict_do_update(index_elements=[run.c.id], set_=values)
                self._connection.execute(written)
        except IntegrityError:
            return  # the project went meanwhile
        write_values(self._connection, entity.id, entity.project_id, entity.columns)

    def get(self, run_id: RunId) -> LoggedRun:
        found = self.get_many([run_id])
        if run_id not in found:
            raise RunNotFoundError(run_id)
        return found[run_id]

    def get_many(self, run_ids: Sequence[RunId]) -> Mapping[RunId, LoggedRun]:
        rows = self._connection.execute(select(run).where(run.c.logged.is_not(None), run.c.id.in_(run_ids)))
        return {RunId(row.id): _from_row(row) for row in rows}

    def ids(self, project_id: ProjectId) -> AbstractSet[RunId]:
        query = select(run.c.id).where(run.c.project_id == project_id, run.c.logged.is_not(None))
        return {RunId(id_) for id_ in self._connection.execute(query).scalars()}

    def remove(self, run_id: RunId) -> None:
        self._connection.execute(delete(run).where(run.c.logged.is_not(None), run.c.id == run_id))

    def changed(self, project_id: ProjectId, mlflow_run_id: str) -> None:
        row = insert(logged_change).values(mlflow_run_id=mlflow_run_id, project_id=project_id, revision=1)
        once_more = {"revision": logged_change.c.revision + 1}
        self._connection.execute(row.on_conflict_do_update(index_elements=["mlflow_run_id"], set_=once_more))

    def changes(self, limit: int) -> Sequence[Change]:
        rows = self._connection.execute(select(logged_change).limit(limit))
        return [Change(row.mlflow_run_id, ProjectId(row.project_id), row.revision) for row in rows]

    def done(self, change: Change) -> None:
        same = (logged_change.c.mlflow_run_id == change.mlflow_run_id) & (logged_change.c.revision == change.revision)
        self._connection.execute(delete(logged_change).where(same))
