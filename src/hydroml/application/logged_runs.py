"""Runs that others log with MLflow: read from there into the table of runs, and how one logs such a run."""

import logging
from dataclasses import dataclass

from hydroml.application.access import logged_run_of, project_of
from hydroml.application.ports.learning import Tracker
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.logged import LoggedRun, experiment_name, logged_run_id
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import ProjectId, UserId

logger = logging.getLogger(__name__)

MAX_RUNS = 10_000
"""So many of a project's runs are looked at when all are read anew."""


@dataclass(frozen=True, slots=True)
class LoggedDetail:
    """A run with the one it is nested in, where that is here too."""

    run: LoggedRun
    parent: LoggedRun | None


class LoggedRunService:
    def __init__(self, *, uow: UnitOfWorkFactory, tracker: Tracker) -> None:
        self._uow, self._tracker = uow, tracker

    def get(self, user: UserId, run_id: RunId) -> LoggedDetail:
        """Raises RunNotFoundError, also for a run of ours."""
        with self._uow() as uow:
            run = logged_run_of(uow, user, run_id)
            parent_id = None if run.parent is None else logged_run_id(run.parent)
            above = {} if parent_id is None else uow.logged_runs.get_many([parent_id])
        parent = next((one for one in above.values() if one.project_id == run.project_id), None)
        return LoggedDetail(run, parent)

    def experiment(self, user: UserId, project_id: ProjectId) -> str:
        """The name of the MLflow experiment whose runs are the project's."""
        with self._uow() as uow:
            return experiment_name(project_id, project_of(uow, user, project_id).name)

    def gather(self, limit: int = 200) -> int:
        """Reads again what was written through HydroML; gives how many runs those were."""
        with self._uow() as uow:
            changes = uow.logged_runs.changes(limit)
        if not changes:
            return 0
        try:
            found = {run.mlflow_run_id: run for run in self._tracker.logged([c.mlflow_run_id for c in changes])}
        except UnavailableError as error:
            logger.warning("MLflow does not answer, %d logged runs wait: %s", len(changes), error)
            return 0
        with self._uow() as uow:
            for change in changes:
                if (run := found.get(change.mlflow_run_id)) is not None:
                    uow.logged_runs.put(run)
                else:
                    uow.logged_runs.remove(logged_run_id(change.mlflow_run_id))
                uow.logged_runs.done(change)
            uow.commit()
        return len(changes)

    def look_through(self, project_id: ProjectId | None = None, limit: int = MAX_RUNS) -> int:
        """Reads the newest runs of a project's experiment, or of all, also those that did not come through HydroML;
        gives how many are other than before. Of a project with fewer than `limit`, those that
        are gone from MLflow go here too. Raises UnavailableError."""
        found = {run.id: run for run in self._tracker.newest(limit, project_id)}
        with self._uow() as uow:
            known = uow.logged_runs.get_many(list(found))
            fresh = [run for run in found.values() if known.get(run.id) != run]
            for run in fresh:
                uow.logged_runs.put(run)
            whole = project_id is not None and len(found) < limit
            gone = uow.logged_runs.ids(project_id) - found.keys() if whole and project_id is not None else set()
            for run_id in gone:
                uow.logged_runs.remove(run_id)
            uow.commit()
        return len(fresh) + len(gone)
