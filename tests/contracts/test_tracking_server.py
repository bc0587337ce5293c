"""What every `TrackingServer` promises: MLflow in this process, a server elsewhere, and the twin."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from hydroml.adapters.memory.tracking import InMemoryTrackingServer
from hydroml.adapters.tracking import MlflowTracker
from hydroml.adapters.tracking.server import tracking_server
from hydroml.application.ports.tracking import Call, TrackingServer
from hydroml.domain.errors import UnavailableError
from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.container import artifact_root
from hydroml.entrypoints.settings import Settings
from tests.tracking_server import MlflowServer

API = "api/2.0/mlflow/"
FILES = "api/2.0/mlflow-artifacts/artifacts/"


@dataclass
class Place:
    server: TrackingServer
    away: TrackingServer
    experiment: str
    run: str
    folder: str
    """Of the run's artifacts."""


def read(server: TrackingServer, path: str, **query: str) -> tuple[int, Any]:
    answer = server.answer(Call("GET", API + path, tuple(query.items())))
    return answer.status, json.loads(b"".join(answer.body))


class TrackingServerContract:
    """Subclasses give the fixture `place`."""

    def test_it_answers_what_is_there(self, place: Place) -> None:
        status, found = read(place.server, "experiments/get", experiment_id=place.experiment)
        assert (status, found["experiment"]["experiment_id"]) == (200, place.experiment)
        status, found = read(place.server, "runs/get", run_id=place.run)
        assert (status, found["run"]["info"]["experiment_id"]) == (200, place.experiment)

    def test_what_is_not_there_is_said_in_its_own_words(self, place: Place) -> None:
        status, found = read(place.server, "runs/get", run_id="0" * 32)
        assert (status, found["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")

    def test_a_body_is_carried_there_and_back_as_it_is(self, place: Place) -> None:
        content = bytes(range(256)) * 9_000
        path = f"{FILES}{place.folder}/a b/ä.bin"
        longer = io.BytesIO(content + b"what comes after it is no part of it")
        sent = place.server.answer(Call("PUT", path, (), longer, len(content), "application/octet-stream"))
        assert (sent.status, b"".join(sent.body) != content) == (200, True)
        answer = place.server.answer(Call("GET", path))
        assert (answer.status, b"".join(answer.body)) == (200, content)
        assert all(name == name.lower() for name in answer.headers)
        gone = place.server.answer(Call("GET", f"{FILES}{place.folder}/other.bin"))
        assert gone.status >= 400

    def test_one_that_is_away_says_so(self, place: Place) -> None:
        with pytest.raises(UnavailableError):
            place.away.answer(Call("GET", f"{API}experiments/get", (("experiment_id", place.experiment),)))


class TestInMemoryTrackingServer(TrackingServerContract):
    @pytest.fixture
    def place(self) -> Place:
        server, away = InMemoryTrackingServer(), InMemoryTrackingServer()
        away.away = True
        project = ProjectId(uuid4())
        server.add_experiment("1", project)
        server.add_run("a" * 32, "1")
        return Place(server, away, "1", "a" * 32, f"{project}/{'a' * 32}/artifacts")


def _place(uri: str, root: str | None, away: str) -> Place:
    from mlflow import MlflowClient

    experiment = MlflowTracker(uri, root).experiment(ProjectId(uuid4()), "Rivers")
    run = MlflowClient(uri, uri).create_run(experiment).info
    server = tracking_server(uri, root)
    _, found = read(server, "runs/get", run_id=run.run_id)
    place = found["run"]["info"]["artifact_uri"]
    assert place.startswith("mlflow-artifacts:/"), "never a folder of the server's"
    return Place(server, tracking_server(away, root), experiment, run.run_id, place.removeprefix("mlflow-artifacts:/"))


@pytest.mark.services
class TestLocalServer(TrackingServerContract):
    @pytest.fixture(scope="class")
    def place(self, database_url: str) -> Place:
        # MLflow takes one store for a process: that of the installation, which the tests of the web use too
        settings = Settings()
        away = "postgresql+psycopg://nobody@127.0.0.1:9/mlflow"
        return _place(settings.mlflow_tracking_uri, artifact_root(settings), away)


@pytest.mark.services
class TestRemoteServer(TrackingServerContract):
    @pytest.fixture(scope="class")
    def place(self, mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
        server = MlflowServer(mlflow_url, tmp_path_factory.mktemp("server"))
        try:
            server.start()
            yield _place(server.uri, None, "http://127.0.0.1:9")
        finally:
            server.stop()
