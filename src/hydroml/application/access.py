"""Who may see and change what: everything is reached through a project the asker is a member of.

Whatever is not the asker's raises the same error as what does not exist.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar
from uuid import UUID

from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import ConflictError, ForbiddenError, NotFoundError
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import (
    Experiment,
    ExperimentId,
    ExperimentNotFoundError,
    Run,
    RunId,
    RunNotFoundError,
    SuiteId,
)
from hydroml.domain.experiments.suites import Suite, SuiteNotFoundError
from hydroml.domain.gallery import PublicationId
from hydroml.domain.jobs import Job, JobId, JobNotFoundError
from hydroml.domain.models import Model, ModelId, ModelNotFoundError
from hydroml.domain.projects import Project, ProjectId, ProjectNotFoundError, Role, UserId
from hydroml.domain.sources import (
    DataSource,
    SourceId,
    SourceNotFoundError,
    Version,
    VersionId,
    VersionNotFoundError,
)
from hydroml.domain.studio.recipes import RecipeId, RecipeNotFoundError, SavedRecipe
from hydroml.domain.studio.session import Session, SessionId, SessionNotFoundError


def project_of(uow: UnitOfWork, user: UserId, project_id: ProjectId, role: Role = Role.VIEWER) -> Project:
    """Raises ProjectNotFoundError for strangers, ForbiddenError when the asker's role is smaller than `role`."""
    project = uow.projects.get(project_id)
    project.require(user, role)
    return project


class _InProject(Protocol):
    @property
    def project_id(self) -> ProjectId | None: ...


_Thing = TypeVar("_Thing", bound=_InProject)


def _within(uow: UnitOfWork, user: UserId, thing: _Thing, role: Role, hidden: NotFoundError) -> _Thing:
    """Raises `hidden` for whoever is no member of its project, or where it has none."""
    if thing.project_id is None:
        raise hidden
    try:
        project_of(uow, user, thing.project_id, role)
    except ProjectNotFoundError:
        raise hidden from None
    return thing


def source_of(
    uow: UnitOfWork, user: UserId, source_id: SourceId, role: Role = Role.VIEWER, *, trashed: bool | None = False
) -> DataSource:
    """A source is reached through any of its projects; without one, it is its owner's alone. One in the trash is
    reached only by those who ask for such a one, or for either (None)."""
    source = uow.sources.get(source_id)
    if trashed is not None and (source.deleted_at is not None) is not trashed:
        raise SourceNotFoundError(source_id)
    if not source.project_ids:
        if source.owner_id != user:
            raise SourceNotFoundError(source_id)
        return source
    refusal: ForbiddenError | None = None
    for project_id in source.project_ids:
        try:
            project_of(uow, user, project_id, role)
        except ProjectNotFoundError:
            continue
        except ForbiddenError as error:
            refusal = error
        else:
            return source
    raise refusal or SourceNotFoundError(source_id)


def version_of(
    uow: UnitOfWork, user: UserId, version_id: VersionId, role: Role = Role.VIEWER
) -> tuple[Version, DataSource]:
    version = uow.versions.get(version_id)
    try:
        return version, source_of(uow, user, version.source_id, role)
    except SourceNotFoundError:
        raise VersionNotFoundError(version_id) from None


def session_of(
    uow: UnitOfWork, user: UserId, session_id: SessionId, *, to_change: bool = False, trashed: bool = False
) -> Session:
    """A session is its owner's, as long as they are a member of the project; the other members may look at one that is
    shared. Raises ForbiddenError when such a one is to be changed."""
    session = uow.sessions.get(session_id)
    seen = session.owner_id == user or (session.shared and not trashed)
    if not seen or (session.deleted_at is not None) is not trashed:
        raise SessionNotFoundError(session_id)
    _within(uow, user, session, Role.VIEWER, SessionNotFoundError(session_id))
    if to_change and session.owner_id != user:
        raise ForbiddenError("only its owner changes this session; copy it into one of your own")
    return session


def recipe_of(
    uow: UnitOfWork, user: UserId, recipe_id: RecipeId, role: Role = Role.VIEWER, *, trashed: bool = False
) -> SavedRecipe:
    recipe = uow.recipes.get(recipe_id)
    if (recipe.deleted_at is not None) is not trashed:
        raise RecipeNotFoundError(recipe_id)
    return _within(uow, user, recipe, role, RecipeNotFoundError(recipe_id))


def workplace(
    uow: UnitOfWork,
    user: UserId,
    source: DataSource,
    project_id: ProjectId | None,
    *,
    preferred: ProjectId | None = None,
    role: Role = Role.EDITOR,
) -> ProjectId:
    """The project in which to work on a source: the given one, or else the preferred one or the first one of the source
    that the user is a member of. Raises ConflictError when the source is not in it."""
    if project_id is None:
        mine = uow.projects.roles(user, source.project_ids)
        project_id = preferred if preferred in mine else min(mine, default=None, key=str)
    if project_id is None or project_id not in source.project_ids:
        raise ConflictError("the data source is not in that project")
    return project_of(uow, user, project_id, role).id


def experiment_of(uow: UnitOfWork, user: UserId, experiment_id: ExperimentId, role: Role = Role.VIEWER) -> Experiment:
    return _within(uow, user, uow.experiments.get(experiment_id), role, ExperimentNotFoundError(experiment_id))


def run_of(uow: UnitOfWork, user: UserId, run_id: RunId, role: Role = Role.VIEWER) -> Run:
    return _within(uow, user, uow.runs.get(run_id), role, RunNotFoundError(run_id))


def logged_run_of(uow: UnitOfWork, user: UserId, run_id: RunId) -> LoggedRun:
    """A run that somebody logged with MLflow: it is read only."""
    return _within(uow, user, uow.logged_runs.get(run_id), Role.VIEWER, RunNotFoundError(run_id))


def suite_of(uow: UnitOfWork, user: UserId, suite_id: SuiteId, role: Role = Role.VIEWER) -> Suite:
    return _within(uow, user, uow.suites.get(suite_id), role, SuiteNotFoundError(suite_id))


def model_of(uow: UnitOfWork, user: UserId, model_id: ModelId, role: Role = Role.VIEWER) -> Model:
    return _within(uow, user, uow.models.get(model_id), role, ModelNotFoundError(model_id))


def job_of(uow: UnitOfWork, user: UserId, job_id: JobId, role: Role = Role.VIEWER) -> Job:
    """A job is seen by whoever started it and by the members of its project."""
    job = uow.jobs.get(job_id)
    if job.requested_by == user:
        return job
    return _within(uow, user, job, role, JobNotFoundError(job_id))


_CHECKS: Mapping[str, Callable[[UnitOfWork, UserId, UUID], object]] = {
    "project": lambda uow, user, id_: project_of(uow, user, ProjectId(id_)),
    "source": lambda uow, user, id_: source_of(uow, user, SourceId(id_)),
    "version": lambda uow, user, id_: version_of(uow, user, VersionId(id_)),
    "session": lambda uow, user, id_: session_of(uow, user, SessionId(id_)),
    "recipe": lambda uow, user, id_: recipe_of(uow, user, RecipeId(id_)),
    "experiment": lambda uow, user, id_: experiment_of(uow, user, ExperimentId(id_)),
    "run": lambda uow, user, id_: run_of(uow, user, RunId(id_)),
    "logged run": lambda uow, user, id_: logged_run_of(uow, user, RunId(id_)),
    "suite": lambda uow, user, id_: suite_of(uow, user, SuiteId(id_)),
    "model": lambda uow, user, id_: model_of(uow, user, ModelId(id_)),
    "publication": lambda uow, _, id_: uow.gallery.get(PublicationId(id_)),  # shown to everybody
    "job": lambda uow, user, id_: job_of(uow, user, JobId(id_)),
}


class AccessService:
    """For pages that need no more than to know whether they may be shown."""

    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def check(self, user: UserId, kind: str, id_: UUID) -> None:
        """Raises NotFoundError for what does not exist or is not the asker's."""
        with self._uow() as uow:
            _CHECKS[kind](uow, user, id_)
