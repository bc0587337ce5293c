"""The tracking server as others see it: what they logged there, and its interface behind our login."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import ProjectId


class Readable(Protocol):
    """The body of a request, which need not fit in memory."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Call:
    """A request in MLflow's interface. `path` begins without a slash and is not quoted."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: bytes | Readable = b""
    length: int = 0
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is sent as it comes; whoever does not read it to its end must close it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterator[bytes] = field(default_factory=lambda: iter(()))


class TrackingServer(Protocol):
    """MLflow's interface. Places of artifacts are `mlflow-artifacts:/…`, wherever they are kept."""

    def answer(self, call: Call) -> Answer:
        """Raises UnavailableError when it does not answer."""


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody wrote to a run in a project's MLflow experiment."""

    mlflow_run_id: str
    project_id: ProjectId
    revision: int


class LoggedRunRepository(Protocol):
    """Runs of others go with their project."""

    def put(self, run: LoggedRun) -> None: ...  # in place of what was there; nothing when the project is gone
    def get(self, run_id: RunId) -> LoggedRun: ...  # raises RunNotFoundError
    def get_many(self, run_ids: Sequence[RunId]) -> Mapping[RunId, LoggedRun]: ...
    def ids(self, project_id: ProjectId) -> AbstractSet[RunId]: ...
    def remove(self, run_id: RunId) -> None: ...  # nothing when it is not there
    def changed(self, project_id: ProjectId, mlflow_run_id: str) -> None:
        """Remembers that the run is to be read again."""

    def changes(self, limit: int) -> Sequence[Change]:
        """What is to be read again, the oldest first."""

    def done(self, change: Change) -> None:
        """Forgets it, unless the run changed once more meanwhile."""
