"""Repositories and the unit of work that holds them.

What `get` returns is a snapshot: nothing is stored until `save`. `save` of an aggregate with a revision raises
ConcurrentUpdateError when somebody else saved it meanwhile, and counts the revision up otherwise.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId, RunStatus
from hydroml.domain.jobs import Job, JobId, JobState, LogLine
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.sources import DataSource, SourceId, Version, VersionId
from hydroml.domain.studio.session import Session, SessionId
from hydroml.domain.tokens import Token, TokenId

T = TypeVar("T")

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Listing:
    """Which part of a list is wanted.

    `cursor` is what the slice before gave as `next_cursor`; `sort` is a field, with - for descending; `search` is
    a part of the name, in any case.
    """

    limit: int = 50
    cursor: str | None = None
    sort: str = "-created_at"
    search: str = ""


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A part of a list; `total` counts the whole of it."""

    items: tuple[T, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class ProjectCounts:
    sources: int = 0
    experiments: int = 0
    models: int = 0


class ProjectRepository(Protocol):
    def add(self, project: Project) -> None: ...
    def get(self, project_id: ProjectId) -> Project: ...  # raises ProjectNotFoundError
    def save(self, project: Project) -> None: ...
    def delete(self, project_id: ProjectId) -> None:
        """Removes the project with its experiments, runs, models and sessions; sources only leave it."""

    def of_member(self, user: UserId, listing: Listing) -> Slice[Project]:
        """Sortable by created_at and name. Raises InvalidInputError for another field or a broken cursor."""

    def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]: ...
    def roles(self, user: UserId, project_ids: Collection[ProjectId]) -> Collection[ProjectId]:
        """Those of `project_ids` that the user is a member of."""


class SourceRepository(Protocol):
    def add(self, source: DataSource) -> None: ...
    def get(self, source_id: SourceId) -> DataSource: ...  # raises SourceNotFoundError
    def save(self, source: DataSource) -> None: ...
    def delete(self, source_id: SourceId) -> None:
        """Removes the source with its versions and sessions; raises SourceInUseError while a run stands on one."""

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[DataSource]:
        """Sortable by created_at, updated_at and name."""


class VersionRepository(Protocol):
    def add(self, version: Version) -> None: ...
    def get(self, version_id: VersionId) -> Version: ...  # raises VersionNotFoundError
    def of_source(self, source_id: SourceId) -> Sequence[Version]:
        """Newest first."""

    def get_many(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, Version]: ...
    def children(self, version_id: VersionId) -> Sequence[Version]:
        """Versions that name it as a parent, oldest first."""

    def blobs_in_use(self, blobs: Collection[str]) -> Collection[str]:
        """Those of `blobs` that some version's table or original still needs."""


class SessionRepository(Protocol):
    def add(self, session: Session) -> None: ...
    def get(self, session_id: SessionId) -> Session: ...  # raises SessionNotFoundError
    def save(self, session: Session) -> None: ...
    def delete(self, session_id: SessionId) -> None: ...
    def of_owner(self, owner: UserId, *, version_id: VersionId | None = None, project_id: ProjectId | None = None
                 ) -> Sequence[Session]:  # fmt: skip
        """Last changed first, at most 200."""


class ExperimentRepository(Protocol):
    def add(self, experiment: Experiment) -> None: ...
    def get(self, experiment_id: ExperimentId) -> Experiment: ...  # raises ExperimentNotFoundError
    def save(self, experiment: Experiment) -> None: ...
    def delete(self, experiment_id: ExperimentId) -> None:
        """Removes it with its runs."""

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Experiment]:
        """Sortable by created_at and name."""

    def run_counts(self, experiment_ids: Collection[ExperimentId]) -> Mapping[ExperimentId, int]: ...


class RunRepository(Protocol):
    def add(self, run: Run) -> None: ...
    def get(self, run_id: RunId) -> Run: ...  # raises RunNotFoundError
    def save(self, run: Run) -> None: ...
    def of_experiment(self, experiment_id: ExperimentId, listing: Listing) -> Slice[Run]:
        """Sortable by created_at."""

    def of_project(self, project_id: ProjectId, listing: Listing, status: RunStatus | None = None) -> Slice[Run]: ...
    def of_member(self, user: UserId, listing: Listing) -> Slice[Run]:
        """Runs of all projects the user is a member of."""

    def of_versions(self, version_ids: Collection[VersionId]) -> Sequence[Run]:
        """Runs trained on any of the versions, oldest first."""

    def untracked(self, limit: int) -> Sequence[Run]:
        """Succeeded runs that the tracking server does not have yet, oldest first."""


class ModelRepository(Protocol):
    def add(self, model: Model) -> None: ...  # raises ConflictError when the project has a model of that name
    def get(self, model_id: ModelId) -> Model: ...  # raises ModelNotFoundError
    def save(self, model: Model) -> None: ...
    def named(self, project_id: ProjectId, name: str) -> Model | None: ...
    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Model]:
        """Sortable by created_at and name."""

    def of_member(self, user: UserId, listing: Listing) -> Slice[Model]:
        """Models of all projects the user is a member of."""

    def of_run(self, run_id: RunId) -> Sequence[Model]:
        """Models with a version made from the run."""

    def unmirrored(self, limit: int) -> Sequence[Model]:
        """Models with a version that the tracking server's registry does not have yet."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs: those the user started or that belong to a project the user is a member of, narrowed."""

    user: UserId
    states: tuple[JobState, ...] = ()
    project_id: ProjectId | None = None


class JobRepository(Protocol):
    """Jobs have no revision: `get_for_update` locks the row until the transaction ends, and `save` writes it."""

    def add(self, job: Job) -> None: ...
    def get(self, job_id: JobId) -> Job: ...  # raises JobNotFoundError
    def get_for_update(self, job_id: JobId) -> Job: ...  # raises JobNotFoundError
    def save(self, job: Job) -> None:
        """Gives the job a new `sequence`, greater than any given before."""

    def of_user(self, which: JobFilter, listing: Listing) -> Slice[Job]:
        """Sortable by created_at."""

    def changed_since(self, user: UserId, sequence: int, limit: int) -> Sequence[Job]:
        """The user's jobs (as JobFilter) with a greater sequence, in its order."""

    def last_sequence(self) -> int: ...
    def unsent(self, before: datetime, limit: int) -> Sequence[JobId]:
        """Queued jobs that were never sent, or sent before `before` and still not taken."""

    def lost(self, now: datetime, limit: int) -> Sequence[JobId]:
        """Running jobs whose lease has run out."""

    def log(self, job_id: JobId, line: LogLine) -> None: ...
    def log_of(self, job_id: JobId, limit: int = 1_000) -> Sequence[LogLine]:
        """The last lines, oldest first."""


class TokenRepository(Protocol):
    def add(self, token: Token) -> None: ...
    def by_digest(self, digest: str) -> Token: ...  # raises TokenNotFoundError
    def of_user(self, user: UserId) -> Sequence[Token]: ...
    def used(self, token_id: TokenId, at: datetime) -> None: ...
    def delete(self, user: UserId, token_id: TokenId) -> None: ...  # raises TokenNotFoundError, also for another's


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request with an idempotency key was answered; `digest` is of the request it belongs to."""

    digest: str
    status: int
    body: str
    location: str | None


class IdempotencyRepository(Protocol):
    """Answers by user and key, so that a repeated request is answered the same and done once."""

    def claim(self, user: UserId, key: str, digest: str, at: datetime) -> KeptAnswer | None:
        """None: the key was free and is now the caller's. Raises ConflictError when the key belongs to a different
        request, or to one whose answer is not there yet and that was claimed in the last minute."""

    def keep(self, user: UserId, key: str, answer: KeptAnswer) -> None: ...
    def release(self, user: UserId, key: str) -> None:
        """The request was refused: the key is free again."""

    def forget(self, before: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A search result: what kind of thing, its id and name, and the project it is in."""

    kind: str
    id: UUID
    name: str
    project_id: ProjectId
    project_name: str


class SearchIndex(Protocol):
    def find(self, user: UserId, text: str, limit: int) -> Sequence[Found]:
        """Projects, sources, experiments and models of the user's projects whose name holds `text`, best first."""


class UnitOfWork(AbstractContextManager["UnitOfWork", None], Protocol):
    """One transaction; leaving the block without `commit` rolls back."""

    @property
    def projects(self) -> ProjectRepository: ...
    @property
    def sources(self) -> SourceRepository: ...
    @property
    def versions(self) -> VersionRepository: ...
    @property
    def sessions(self) -> SessionRepository: ...
    @property
    def experiments(self) -> ExperimentRepository: ...
    @property
    def runs(self) -> RunRepository: ...
    @property
    def models(self) -> ModelRepository: ...
    @property
    def jobs(self) -> JobRepository: ...
    @property
    def tokens(self) -> TokenRepository: ...
    @property
    def idempotency(self) -> IdempotencyRepository: ...
    @property
    def search(self) -> SearchIndex: ...
    def commit(self) -> None: ...


UnitOfWorkFactory = Callable[[], UnitOfWork]
