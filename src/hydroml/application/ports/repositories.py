"""Repositories and the unit of work that holds them.

What `get` returns is a snapshot: nothing is stored until `save`. `save` of an aggregate with a revision raises
ConcurrentUpdateError when somebody else saved it meanwhile, and counts the revision up otherwise.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from hydroml.application.ports.run_table import RunTable
from hydroml.application.ports.tracking import LoggedRunRepository
from hydroml.domain.activity import Activity, Head, Link
from hydroml.domain.charts import ChartId, SavedChart
from hydroml.domain.experiments.presets import Preset, PresetId
from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId, SuiteId
from hydroml.domain.experiments.suites import Suite, Trial
from hydroml.domain.exports import Export, ExportId, ExportTemplate, TemplateId
from hydroml.domain.gallery import Publication, PublicationId
from hydroml.domain.jobs import Job, JobId, JobState, LogLine
from hydroml.domain.models import Model, ModelId
from hydroml.domain.notifications import Notification, NotificationId
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.queries import QueryId, QueryRun
from hydroml.domain.rules import Rule, RuleId, RuleResult
from hydroml.domain.sources import DataSource, SourceId, Version, VersionId
from hydroml.domain.studio.recipes import RecipeId, SavedRecipe
from hydroml.domain.studio.session import Comment, CommentId, Session, SessionId
from hydroml.domain.tokens import Token, TokenId
from hydroml.domain.uploads import FileUpload, UploadId
from hydroml.domain.views import SavedView, SavedViewId

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
        """Removes the project with its experiments, runs, models, sessions and recipes; sources only leave it."""

    def of_member(self, user: UserId, listing: Listing) -> Slice[Project]:
        """Sortable by created_at and name. Raises InvalidInputError for another field or a broken cursor."""

    def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]: ...
    def roles(self, user: UserId, project_ids: Collection[ProjectId]) -> Collection[ProjectId]:
        """Those of `project_ids` that the user is a member of."""


@dataclass(frozen=True, slots=True)
class MadeByRecipe:
    """A data source whose current version a recipe has made of one of `parent`; whether it `follows` that."""

    recipe_id: RecipeId
    id: SourceId
    name: str
    parent_id: SourceId
    parent: str
    follows: bool


class SourceRepository(Protocol):
    def add(self, source: DataSource) -> None: ...
    def get(self, source_id: SourceId) -> DataSource: ...  # raises SourceNotFoundError
    def save(self, source: DataSource) -> None: ...
    def delete(self, source_id: SourceId) -> None:
        """Removes the source with its versions and sessions; raises SourceInUseError while a run stands on one."""

    def of_project(self, project_id: ProjectId, listing: Listing, *, trashed: bool = False) -> Slice[DataSource]:
        """Sortable by created_at, updated_at and name; either those in the trash, or the others."""

    def followers(self, source_id: SourceId) -> Sequence[DataSource]:
        """Those that follow it, oldest first."""

    def made_by_recipes(self, project_id: ProjectId) -> Sequence[MadeByRecipe]:
        """Those of the project whose current version a recipe has made, by name; at most 500."""


class VersionRepository(Protocol):
    def add(self, version: Version) -> None: ...
    def get(self, version_id: VersionId) -> Version: ...  # raises VersionNotFoundError
    def of_source(self, source_id: SourceId) -> Sequence[Version]:
        """Newest first."""

    def get_many(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, Version]: ...
    def children(self, version_ids: Collection[VersionId], limit: int) -> Sequence[Version]:
        """Versions that name any of them as a parent, oldest first."""

    def blobs_in_use(self, blobs: Collection[str], *, but: Collection[VersionId] = ()) -> Collection[str]:
        """Those of `blobs` that some version needs, other than the versions in `but`."""


class ReportRepository(Protocol):
    """What was found out about a version, as JSON by kind (such as profile and quality): can be made again."""

    def put(self, version_id: VersionId, kind: str, document: Mapping[str, Any], at: datetime) -> None:
        """Replaces an earlier one. Raises VersionNotFoundError."""

    def get(self, version_id: VersionId, kind: str) -> Mapping[str, Any] | None: ...
    def delete(self, version_id: VersionId, kind: str) -> None: ...


class RuleRepository(Protocol):
    """Rules of data sources, and what they have said about versions: the newest result of each rule and version."""

    def add(self, rule: Rule) -> None: ...  # raises SourceNotFoundError
    def get(self, rule_id: RuleId) -> Rule: ...  # raises RuleNotFoundError
    def save(self, rule: Rule) -> None: ...
    def delete(self, rule_id: RuleId) -> None:
        """Removes it with its results."""

    def of_source(self, source_id: SourceId) -> Sequence[Rule]:
        """Oldest first."""

    def put_results(self, results: Sequence[RuleResult]) -> None:
        """Replaces earlier ones of the same rule and version; of rules and versions that are gone nothing is kept."""

    def results(self, source_id: SourceId, listing: Listing, version_id: VersionId | None = None) -> Slice[RuleResult]:
        """Sortable by checked_at."""

    def results_of_version(self, version_id: VersionId) -> Sequence[RuleResult]: ...


class ChartRepository(Protocol):
    """Charts go with their project, and with the version or session they are drawn of."""

    def add(self, chart: SavedChart) -> None: ...  # raises ConflictError when any of these is gone
    def get(self, chart_id: ChartId) -> SavedChart: ...  # raises ChartNotFoundError
    def save(self, chart: SavedChart) -> None: ...
    def delete(self, chart_id: ChartId) -> None: ...  # raises ChartNotFoundError
    def of_project(self, project_id: ProjectId) -> Sequence[SavedChart]:
        """By name."""


class ExportRepository(Protocol):
    """Exports go with their version, and templates with their project."""

    def add(self, export: Export) -> None: ...  # raises VersionNotFoundError
    def get(self, export_id: ExportId) -> Export: ...  # raises ExportNotFoundError
    def save(self, export: Export) -> None: ...  # raises ExportNotFoundError
    def delete(self, export_id: ExportId) -> None: ...  # raises ExportNotFoundError
    def of_version(self, version_id: VersionId, listing: Listing) -> Slice[Export]:
        """Sortable by created_at."""

    def of_versions(self, version_ids: Collection[VersionId], limit: int | None = None) -> Sequence[Export]:
        """Exports of any of the versions, oldest first."""

    def expired(self, at: datetime, limit: int) -> Sequence[Export]:
        """Ready ones whose time has come, oldest first."""

    def blobs_in_use(self, blobs: Collection[str], *, but: Collection[VersionId] = ()) -> Collection[str]:
        """Those of `blobs` that are some export's file, other than the exports of the versions in `but`."""

    def add_template(self, template: ExportTemplate) -> None: ...  # raises ProjectNotFoundError
    def template(self, template_id: TemplateId) -> ExportTemplate: ...  # raises TemplateNotFoundError
    def templates(self, project_id: ProjectId) -> Sequence[ExportTemplate]:
        """By name."""

    def delete_template(self, template_id: TemplateId) -> None: ...  # raises TemplateNotFoundError


class ActivityRepository(Protocol):
    """Entries are put at the end of their chain at the commit, one transaction after the other, and never change."""

    def add(self, entry: Activity) -> None: ...
    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Activity]:
        """Sortable by created_at, which is the time of the entry."""

    def of_source(self, source_id: SourceId, listing: Listing) -> Slice[Activity]: ...
    def all(self, listing: Listing) -> Slice[Activity]: ...
    def chain(self, after: int, limit: int) -> Sequence[Link]:
        """Entries with a greater number, in the order of their numbers."""

    def head(self) -> Head: ...


class NotificationRepository(Protocol):
    """Notifications are numbered at the commit, in one row with the changes of jobs: `JobRepository.changed_since`."""

    def add(self, notification: Notification) -> None: ...
    def of_user(self, user: UserId, listing: Listing, *, unread: bool = False) -> Slice[Notification]:
        """Sortable by created_at."""

    def unread(self, user: UserId) -> int: ...
    def mark_read(self, user: UserId, ids: Collection[NotificationId] | None) -> None:
        """Those of the user's, all when None."""

    def since(self, user: UserId, sequence: int, limit: int) -> Sequence[Notification]:
        """The user's with a greater sequence, in its order."""

    def last_sequence(self) -> int: ...
    def trim(self, user: UserId, before: datetime, most: int) -> None:
        """Forgets those that are older, and all but the newest `most`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """A session without its tree; `steps` are those applied."""

    id: SessionId
    version_id: VersionId
    project_id: ProjectId
    owner_id: UserId
    name: str
    shared: bool
    steps: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class SessionRepository(Protocol):
    """Sessions, and what is said of their steps. An entry that was stored once is never written again."""

    def add(self, session: Session) -> None: ...
    def get(self, session_id: SessionId) -> Session: ...  # raises SessionNotFoundError
    def save(self, session: Session) -> None: ...
    def delete(self, session_id: SessionId) -> None:
        """Removes it with its comments."""

    def seen_by(
        self,
        user: UserId,
        *,
        version_id: VersionId | None = None,
        project_id: ProjectId | None = None,
        shared: bool = False,
        trashed: bool = False,
    ) -> Sequence[SessionSummary]:
        """The user's own, or those that others share with them, in projects the user is a member of: last changed
        first, at most 200; either those in the trash, or the others."""

    def discarded_before(self, at: datetime, limit: int) -> Sequence[SessionId]:
        """In the trash since that time or longer; nobody restores them before the end of the transaction."""

    def add_comment(self, comment: Comment) -> None: ...  # raises SessionNotFoundError
    def comments(self, session_id: SessionId) -> Sequence[Comment]:
        """Oldest first."""

    def delete_comment(self, session_id: SessionId, comment_id: CommentId) -> None: ...  # raises CommentNotFoundError


class RecipeRepository(Protocol):
    """Recipes go with their project."""

    def add(self, recipe: SavedRecipe) -> None: ...  # raises ProjectNotFoundError
    def get(self, recipe_id: RecipeId) -> SavedRecipe: ...  # raises RecipeNotFoundError
    def save(self, recipe: SavedRecipe) -> None: ...
    def delete(self, recipe_id: RecipeId) -> None: ...  # raises RecipeNotFoundError
    def of_project(self, project_id: ProjectId, *, trashed: bool = False) -> Sequence[SavedRecipe]:
        """By name; either those in the trash, or the others."""

    def discarded_before(self, at: datetime, limit: int) -> Sequence[RecipeId]:
        """In the trash since that time or longer; nobody restores them before the end of the transaction."""


class UploadRepository(Protocol):
    def add(self, upload: FileUpload) -> None: ...
    def get(self, upload_id: UploadId) -> FileUpload: ...  # raises UploadNotFoundError
    def of_owner(self, owner: UserId) -> Sequence[FileUpload]:
        """Newest first."""

    def begun_before(self, at: datetime, limit: int) -> Sequence[FileUpload]:
        """Announced at that time or before, oldest first."""

    def delete(self, upload_id: UploadId) -> None:
        """No error when it is gone already."""


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
    def get_for_update(self, run_id: RunId) -> Run:
        """Nobody else can change it until the end of the transaction. Raises RunNotFoundError."""

    def get_many(self, run_ids: Collection[RunId]) -> Mapping[RunId, Run]: ...
    def save(self, run: Run) -> None: ...
    def of_experiment(self, experiment_id: ExperimentId, listing: Listing) -> Slice[Run]:
        """Sortable by created_at."""

    def of_member(self, user: UserId, listing: Listing) -> Slice[Run]:
        """Runs of all projects the user is a member of."""

    def of_versions(self, version_ids: Collection[VersionId], limit: int | None = None) -> Sequence[Run]:
        """Runs trained on any of the versions, oldest first."""

    def made_from(self, run_id: RunId) -> Sequence[Run]:
        """The runs that repeat it or divide its rows the other way, newest first."""

    def blobs_in_use(self, blobs: Collection[str]) -> Collection[str]:
        """Those of `blobs` that are some run's model, artifact or table of rows."""

    def trials(self, suite_id: SuiteId) -> Sequence[Trial]:
        """What a suite knows of its runs, by number."""

    def claim(self, run_id: RunId) -> bool:
        """Whether nobody else has claimed the run; until this unit of work ends, nobody else can."""

    def untracked(self, limit: int) -> Sequence[Run]:
        """Succeeded runs that the tracking server does not have yet, or not with their present tags and notes; oldest
        first."""


class SuiteRepository(Protocol):
    """Suites go with their experiment, and their runs with them."""

    def add(self, suite: Suite) -> None: ...  # raises ConflictError when the experiment or its version is gone
    def get(self, suite_id: SuiteId) -> Suite: ...  # raises SuiteNotFoundError
    def save(self, suite: Suite) -> None: ...
    def delete(self, suite_id: SuiteId) -> None:
        """Removes it with its runs. Raises ConflictError while a model is made from one of them."""

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Suite]:
        """Sortable by created_at and name."""


class PresetRepository(Protocol):
    def add(self, preset: Preset) -> None: ...
    def get(self, preset_id: PresetId) -> Preset: ...  # raises PresetNotFoundError
    def save(self, preset: Preset) -> None: ...
    def delete(self, preset_id: PresetId) -> None: ...  # raises PresetNotFoundError
    def of_owner(self, owner: UserId) -> Sequence[Preset]:
        """By name."""


class GalleryRepository(Protocol):
    """Publications go with their run."""

    def add(self, publication: Publication) -> None: ...  # raises ConflictError when the run has one, or is gone
    def get(self, publication_id: PublicationId) -> Publication: ...  # raises PublicationNotFoundError
    def of_run(self, run_id: RunId) -> Publication | None: ...
    def all(self, listing: Listing) -> Slice[Publication]:
        """Sortable by published_at and title; the search looks through title and summary."""

    def delete(self, publication_id: PublicationId) -> None: ...  # raises PublicationNotFoundError


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

    def revision_for(self, user: UserId, model_id: ModelId) -> int | None:
        """The model's revision, if the user is a member of its project: whether what is in memory may be used."""

    def claim(self, model_id: ModelId) -> bool:
        """Whether nobody else has claimed the model; until this unit of work ends, nobody else can."""

    def unmirrored(self, limit: int) -> Sequence[Model]:
        """Models with a version that the tracking server's registry does not have yet, or of which it has to be told
        something anew."""


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

    def active(self) -> Sequence[Job]:
        """All that are queued or running."""

    def log(self, job_id: JobId, line: LogLine) -> None: ...
    def log_of(self, job_id: JobId, limit: int = 1_000) -> Sequence[LogLine]:
        """The last lines, oldest first."""


class QueryRepository(Protocol):
    """Queries that people have run."""

    def add(self, run: QueryRun) -> None: ...  # raises ConflictError for an id that is taken
    def get(self, query_id: QueryId) -> QueryRun: ...  # raises QueryNotFoundError
    def get_for_update(self, query_id: QueryId) -> QueryRun:
        """Nobody else can change it until the end of the transaction."""

    def save(self, run: QueryRun) -> None: ...
    def of_owner(self, owner: UserId, project_id: ProjectId) -> Sequence[QueryRun]:
        """Newest first."""

    def trim(self, owner: UserId, project_id: ProjectId, keep: int) -> None:
        """Removes all but the newest `keep`."""


class SavedViewRepository(Protocol):
    """Views of data sources that people keep; they go with the source."""

    def add(self, view: SavedView) -> None: ...  # raises ConflictError when the source is gone
    def get(self, view_id: SavedViewId) -> SavedView: ...  # raises SavedViewNotFoundError
    def save(self, view: SavedView) -> None: ...  # raises ConcurrentUpdateError
    def delete(self, view_id: SavedViewId) -> None: ...  # raises SavedViewNotFoundError
    def of_owner(self, owner: UserId, source_id: SourceId) -> Sequence[SavedView]:
        """By name."""


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
        """Projects, sources, recipes, experiments and models of the user's projects whose name holds `text`, best
        first."""


class UnitOfWork(AbstractContextManager["UnitOfWork", None], Protocol):
    """One transaction; leaving the block without `commit` rolls back."""

    @property
    def projects(self) -> ProjectRepository: ...
    @property
    def sources(self) -> SourceRepository: ...
    @property
    def versions(self) -> VersionRepository: ...
    @property
    def reports(self) -> ReportRepository: ...
    @property
    def rules(self) -> RuleRepository: ...
    @property
    def charts(self) -> ChartRepository: ...
    @property
    def notifications(self) -> NotificationRepository: ...
    @property
    def activity(self) -> ActivityRepository: ...
    @property
    def exports(self) -> ExportRepository: ...
    @property
    def sessions(self) -> SessionRepository: ...
    @property
    def recipes(self) -> RecipeRepository: ...
    @property
    def queries(self) -> QueryRepository: ...
    @property
    def views(self) -> SavedViewRepository: ...
    @property
    def uploads(self) -> UploadRepository: ...
    @property
    def experiments(self) -> ExperimentRepository: ...
    @property
    def runs(self) -> RunRepository: ...
    @property
    def suites(self) -> SuiteRepository: ...
    @property
    def logged_runs(self) -> LoggedRunRepository: ...
    @property
    def run_table(self) -> RunTable: ...
    @property
    def presets(self) -> PresetRepository: ...
    @property
    def gallery(self) -> GalleryRepository: ...
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
