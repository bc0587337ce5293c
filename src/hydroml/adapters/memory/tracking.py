"""Tracking servers that remember what they were told."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from hydroml.application.ports.tracking import Answer, Call
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


class InMemoryTrackingServer:
    """MLflow's interface over documents by kind and id; `calls` are those that came, and `away` makes it refuse."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Any] = {}
        self.files: dict[str, bytes] = {}
        self.calls: list[Call] = []
        self.away = False

    def add_experiment(self, id_: str, project_id: ProjectId | None) -> None:
        tags = [] if project_id is None else [{"key": "hydroml.project_id", "value": str(project_id)}]
        self.documents["experiment", id_] = {"experiment_id": id_, "name": f"experiment {id_}", "tags": tags}

    def add_run(self, id_: str, experiment_id: str, **tags: str) -> None:
        pairs = [{"key": name, "value": value} for name, value in tags.items()]
        info = {"run_id": id_, "experiment_id": experiment_id}
        self.documents["run", id_] = {"info": info, "data": {"tags": pairs}}

    def answer(self, call: Call) -> Answer:
        if self.away:
            raise UnavailableError("the tracking server is away")
        self.calls.append(call)
        body = call.body if isinstance(call.body, bytes) else call.body.read(call.length)
        query, path = dict(call.query), call.path.removeprefix("api/2.0/")
        answer = _said(200, {})
        match call.method, path:
            case "GET", "mlflow/experiments/get":
                answer = self._found("experiment", query.get("experiment_id", ""))
            case "GET", "mlflow/runs/get":
                answer = self._found("run", query.get("run_id", ""))
            case "POST", "mlflow/runs/create":
                self.add_run(uuid4().hex, json.loads(body)["experiment_id"])
                answer = _said(200, {"run": [*self.documents.values()][-1]})
            case "PUT", _:
                self.files[path] = body
            case "GET", _ if path in self.files:
                answer = Answer(200, {"content-type": "application/octet-stream"}, iter([self.files[path]]))
            case "GET", _:
                answer = _said(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
        return answer

    def _found(self, kind: str, id_: str) -> Answer:
        if (kind, id_) not in self.documents:
            return _said(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
        return _said(200, {kind: self.documents[kind, id_]})


def _said(status: int, document: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, iter([json.dumps(document).encode()]))
