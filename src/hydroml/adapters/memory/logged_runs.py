"""Runs that others logged with MLflow."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.application.ports.tracking import Change
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import RunId, RunNotFoundError
from hydroml.domain.projects import Project, ProjectId


class InMemoryLoggedRunRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[RunId, LoggedRun] = transaction.rows("logged run")
        self._changes: Rows[str, Change] = transaction.rows("logged change")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def put(self, entity: LoggedRun) -> None:
        if self._projects.has(entity.project_id):
            self._rows.put(entity.id, entity)

    def get(self, run_id: RunId) -> LoggedRun:
        found = self._rows.get(run_id)
        if found is None:
            raise RunNotFoundError(run_id)
        return found

    def get_many(self, run_ids: Sequence[RunId]) -> Mapping[RunId, LoggedRun]:
        found = (self._rows.get(run_id) for run_id in run_ids)
        return {run.id: run for run in found if run is not None}

    def ids(self, project_id: ProjectId) -> AbstractSet[RunId]:
        return set(self._rows.keys_where(lambda r: r.project_id == project_id))

    def remove(self, run_id: RunId) -> None:
        if self._rows.has(run_id):
            self._rows.remove(run_id)

    def changed(self, project_id: ProjectId, mlflow_run_id: str) -> None:
        before = self._changes.get(mlflow_run_id)
        revision = 1 if before is None else before.revision + 1
        self._changes.put(mlflow_run_id, Change(mlflow_run_id, project_id, revision))

    def changes(self, limit: int) -> Sequence[Change]:
        return self._changes.where(lambda _: True)[:limit]

    def done(self, change: Change) -> None:
        if self._changes.get(change.mlflow_run_id) == change:
            self._changes.remove(change.mlflow_run_id)
