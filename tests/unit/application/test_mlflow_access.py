"""What is let through to MLflow: whatever is sent, nothing reaches it that names what is not the asker's."""

import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydroml.adapters.memory import InMemoryStore, InMemoryUnitOfWork
from hydroml.adapters.memory.tracking import InMemoryTracker, InMemoryTrackingServer
from hydroml.application.mlflow_access import MlflowAccess
from hydroml.application.ports.tracking import Call
from hydroml.domain.errors import DomainError, ForbiddenError, NotFoundError, UnavailableError
from hydroml.domain.projects import Role, UserId
from tests.contracts import examples

API = "api/2.0/mlflow/"
MINE, OURS, THEIRS, NOBODYS = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
"""Runs: the asker's, one that HydroML recorded for them, another project's, and one in no project."""
FOREIGN = (OURS, THEIRS, NOBODYS, "2", "3", "e" * 32)


class Bench:
    """The asker edits the project of experiment 1; 2 is another project's, and 3 is nobody's."""

    def __init__(self) -> None:
        store = InMemoryStore()
        self.uow = lambda: InMemoryUnitOfWork(store)
        self.server = InMemoryTrackingServer()
        self.me, self.viewer = UserId(uuid4()), UserId(uuid4())
        self.project = examples.project(self.me)
        self.project.members[self.viewer] = Role.VIEWER
        other = examples.project(UserId(uuid4()))
        with self.uow() as uow:
            uow.projects.add(self.project)
            uow.projects.add(other)
            uow.commit()
        for id_, project in (("1", self.project.id), ("2", other.id), ("3", None)):
            self.server.add_experiment(id_, project)
        self.server.add_run(MINE, "1")
        self.server.add_run(OURS, "1", **{"hydroml.run_id": str(uuid4())})
        self.server.add_run(THEIRS, "2")
        self.server.add_run(NOBODYS, "3")
        self.access = MlflowAccess(uow=self.uow, tracker=InMemoryTracker(), server=self.server)

    def post(self, path: str, body: Any, user: UserId | None = None, *, may_write: bool = True) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        call = Call("POST", API + path, (), content, len(content), "application/json")
        return self.access.ask(user or self.me, call, may_write=may_write).status

    @property
    def written(self) -> str:
        """All that reached the server but the looking up of ids."""
        sent = [call.body for call in self.server.calls if call.method != "GET"]
        return " ".join(body.decode() for body in sent if isinstance(body, bytes))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


IDS = st.sampled_from([MINE, *FOREIGN, "1"])
NAMES = st.sampled_from([
    "run_id", "run_uuid", "runId", "run_ids", "experiment_id", "experimentId", "experiment_ids", "source_run_id",
    "model_id", "modelId", "metrics", "tags", "models", "datasets", "key", "value",
])  # fmt: skip
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        IDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=6,
)
WRITES = st.sampled_from([
    "runs/create", "runs/update", "runs/log-batch", "runs/set-tag", "runs/outputs", "logged-models",
])  # fmt: skip
PARTS = st.sampled_from(["..", ".", "", "a", MINE, THEIRS, "models", "%2e", "x\\y", "1", "2"])


def _ids(document: Any, under: str = "") -> set[str]:
    """What stands where MLflow looks for an id."""
    if isinstance(document, dict):
        return {id_ for name, part in document.items() for id_ in _ids(part, name)}
    if isinstance(document, list):
        return {id_ for part in document for id_ in _ids(part, under)}
    return {document} if isinstance(document, str) and under.lower().replace("_", "").endswith(("id", "ids")) else set()


@settings(max_examples=2000)
@given(path=WRITES, document=DOCUMENTS)
def test_no_write_names_what_is_not_the_askers(bench: Bench, path: str, document: dict[str, Any]) -> None:
    bench.server.calls.clear()
    with suppress(DomainError):
        bench.post(path, document)
    for call in bench.server.calls:
        if call.method != "GET":
            assert isinstance(call.body, bytes)
            document = json.loads(call.body)
            assert _ids(document) <= {MINE, "1"}
            if path in ("runs/create", "logged-models"):
                assert document["experiment_id"] == "1", "else MLflow would choose"
            elif path != "runs/outputs":
                assert document["run_id"] == MINE


@settings(max_examples=200)
@given(document=DOCUMENTS)
def test_no_search_names_what_is_not_the_askers(bench: Bench, document: dict[str, Any]) -> None:
    bench.server.calls.clear()
    with suppress(DomainError):
        bench.post("runs/search", document)
    for call in bench.server.calls:
        if call.method != "GET":
            assert isinstance(call.body, bytes)
            document = json.loads(call.body)
            assert _ids(document) <= {MINE, OURS, "1"}
            assert set(document["experiment_ids"]) == {"1"}, "else MLflow would take all"
            assert isinstance(document["experiment_ids"], list)


@settings(max_examples=200)
@given(parts=st.lists(PARTS, max_size=6))
def test_no_file_is_written_outside_a_run_of_the_askers(bench: Bench, parts: list[str]) -> None:
    bench.server.files.clear()
    own = str(bench.project.id)
    for top in ([], [own]):
        path = "api/2.0/mlflow-artifacts/artifacts/" + "/".join([*top, *parts])
        with suppress(DomainError):
            bench.access.ask(bench.me, Call("PUT", path, (), b"x", 1), may_write=True)
    for written in bench.server.files:
        first, second, *rest = written.removeprefix("mlflow-artifacts/artifacts/").split("/")
        assert (first in {own, "1"}, second) == (True, MINE)
        assert not {"..", ".", ""} & set(rest)


def test_an_editor_writes_a_viewer_reads_and_a_reading_token_reads(bench: Bench) -> None:
    tag = {"run_id": MINE, "key": "a", "value": "b"}
    assert bench.post("runs/set-tag", tag) == 200
    for user, may_write in ((bench.viewer, True), (bench.me, False)):
        with pytest.raises(ForbiddenError):
            bench.post("runs/set-tag", tag, user, may_write=may_write)
        assert bench.post("runs/search", {"experiment_ids": ["1"]}, user, may_write=may_write) == 200
    with pytest.raises(NotFoundError):
        bench.post("runs/search", {"experiment_ids": ["1"]}, UserId(uuid4()))


def test_what_was_written_is_to_be_read_again(bench: Bench) -> None:
    bench.post("runs/set-tag", {"run_id": MINE, "key": "a", "value": "b"})
    with bench.uow() as uow:
        (change,) = uow.logged_runs.changes(10)
    assert (change.mlflow_run_id, change.project_id) == (MINE, bench.project.id)


def test_a_server_that_is_away_is_said_to_be_and_not_remembered_as_nothing() -> None:
    bench = Bench()
    bench.server.away = True
    with pytest.raises(UnavailableError):
        bench.post("runs/set-tag", {"run_id": MINE, "key": "a", "value": "b"})
    bench.server.away = False
    assert bench.post("runs/set-tag", {"run_id": MINE, "key": "a", "value": "b"}) == 200
