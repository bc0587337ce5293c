"""A tracking server that remembers what it was told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import Run, RunId, SuiteId
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.models import Model, ModelVersion
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import Version


class InMemoryTracker:
    """`others` are the runs of other clients, by id; `away` makes it refuse, as when the server does not answer."""

    def __init__(self) -> None:
        self.runs: dict[RunId, str] = {}
        self.models: dict[tuple[object, int], str] = {}
        self.suites: dict[str, SuiteId] = {}
        self.others: dict[str, LoggedRun] = {}
        self.away = False

    def experiment(self, project_id: ProjectId, project_name: str) -> str:
        self._answer()
        return project_id.hex

    def logged(self, mlflow_run_ids: Sequence[str]) -> Sequence[LoggedRun]:
        self._answer()
        return [self.others[id_] for id_ in mlflow_run_ids if id_ in self.others]

    def newest(self, limit: int, project_id: ProjectId | None = None) -> Sequence[LoggedRun]:
        self._answer()
        found = [run for run in self.others.values() if project_id in (None, run.project_id)]
        return sorted(found, key=lambda run: run.started_at, reverse=True)[:limit]

    def record(self, run: Run, version: Version, project_name: str, artifacts: Mapping[str, bytes], model: Path) -> str:
        self._answer()
        return self.runs.setdefault(run.id, run.id.hex)

    def nest(self, mlflow_run_id: str, suite: Suite) -> None:
        self._answer()
        self.suites[mlflow_run_id] = suite.id

    def register(self, model: Model, version: ModelVersion, run: Run) -> str:
        self._answer()
        return self.models.setdefault((model.id, version.number), str(version.number))

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("the tracking server is away")
