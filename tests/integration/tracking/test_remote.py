"""A tracking server of its own, over HTTP: away at the start, in the middle and at the end, and full."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from hydroml.adapters.tracking import MlflowTracker
from hydroml.adapters.tracking.server import tracking_server
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.application.ports.tracking import Call
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.runs import Run
from hydroml.domain.projects import ProjectId
from tests.tasks import run_of, task_of, train, version_of
from tests.tracking_server import MlflowServer

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server(mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    one = MlflowServer(mlflow_url, tmp_path_factory.mktemp("server"))
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingTask, Trained]:
    folder = tmp_path_factory.mktemp("trained")
    task = task_of({"x": np.arange(50.0), "y": np.arange(50.0) * 3}, folder)
    return task, train(task, folder)


def record(tracker: MlflowTracker, run: Run, task: TrainingTask, trained: Trained) -> str:
    return tracker.record(run, version_of(task), "Rivers", trained.artifacts, trained.model)


def ask(server: MlflowServer, path: str, /, **query: str) -> Any:
    answer = tracking_server(server.uri, None).answer(Call("GET", f"api/2.0/mlflow/{path}", tuple(query.items())))
    assert answer.status == 200
    return json.loads(b"".join(answer.body))


def test_it_is_recorded_whole_and_once_when_the_server_is_back(
    server: MlflowServer, trained: tuple[TrainingTask, Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    task, result = trained
    project = ProjectId(uuid4())
    run = run_of(task, result.outcome, project)
    tracker = MlflowTracker(server.uri, None)
    server.stop()
    with pytest.raises(UnavailableError):
        record(tracker, run, task, result)
    with pytest.raises(UnavailableError):
        tracking_server(server.uri, None).answer(Call("GET", "version"))
    server.start()
    artifacts = server.folder / "artifacts"
    artifacts.write_text("a disk that takes no files")
    with pytest.raises(UnavailableError):
        record(tracker, run, task, result)
    artifacts.unlink()
    server.stop()
    with pytest.raises(UnavailableError):
        record(tracker, run, task, result)
    server.start()
    first, second = record(tracker, run, task, result), record(tracker, run, task, result)
    assert first == second
    found = ask(server, "runs/get", run_id=first)["run"]
    experiment = found["info"]["experiment_id"]
    assert found["info"]["status"] == "FINISHED"
    assert found["info"]["artifact_uri"].startswith("mlflow-artifacts:/"), "the server keeps the files"
    assert len(found["outputs"]["model_outputs"]) == 1
    assert {file["path"] for file in ask(server, "artifacts/list", run_id=first, path="hydroml")["files"]} >= {
        f"hydroml/{name}.json" for name in result.artifacts
    }
    from mlflow import MlflowClient

    client = MlflowClient(server.uri, server.uri)
    assert len(client.search_runs([experiment])) == 1, "what broke off was finished, not begun anew"
    assert len(client.get_metric_history(first, "test_rmse")) == 1
    assert list(artifacts.rglob("*.skops"))
    assert tracker.newest(10, project) == []


def test_what_is_logged_past_us_is_found(server: MlflowServer, trained: tuple[TrainingTask, Trained]) -> None:
    task, result = trained
    tracker = MlflowTracker(server.uri, None)
    project = ProjectId(uuid4())
    ours = record(tracker, run_of(task, result.outcome, project), task, result)
    from mlflow import MlflowClient

    client = MlflowClient(server.uri, server.uri)
    experiment = tracker.experiment(project, "Rivers")
    theirs = client.create_run(experiment, run_name="theirs").info.run_id
    client.log_metric(theirs, "loss", 0.5)
    client.create_run("0", run_name="nobody's")
    (found,) = tracker.newest(10, project)
    assert (found.mlflow_run_id, found.metrics, found.logged_by) == (theirs, {"loss": 0.5}, None)
    assert [run.mlflow_run_id for run in tracker.newest(1_000) if run.project_id == project] == [theirs]
    assert [run.name for run in tracker.logged([ours, theirs, uuid4().hex])] == ["theirs"]
    client.delete_run(theirs)
    assert tracker.newest(10, project) == []
    assert tracker.logged([theirs]) == []


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "http://nowhere.invalid", "nonsense://x"])
def test_a_wrong_address_is_a_server_that_is_away(
    uri: str, trained: tuple[TrainingTask, Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    task, result = trained
    with pytest.raises(UnavailableError):
        record(MlflowTracker(uri, None), run_of(task, result.outcome), task, result)
