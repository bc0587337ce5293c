"""Projects and their members."""

from collections.abc import Collection, Hashable, Mapping
from typing import Protocol, TypeVar

from hydroml.adapters.memory.store import Rows, Transaction, save_revised, slice_of
from hydroml.application.ports.repositories import Listing, ProjectCounts, Slice
from hydroml.application.ports.tracking import Change
from hydroml.domain.charts import ChartId, SavedChart
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId, SuiteId
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.exports import ExportTemplate, TemplateId
from hydroml.domain.jobs import Job, JobId
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import Project, ProjectId, ProjectNotFoundError, UserId
from hydroml.domain.sources import DataSource, SourceId
from hydroml.domain.studio.recipes import RecipeId, SavedRecipe
from hydroml.domain.studio.session import Session, SessionId


class InMemoryProjectRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[ProjectId, Project] = transaction.rows("project")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")
        self._sessions: Rows[SessionId, Session] = transaction.rows("session")
        self._suites: Rows[SuiteId, Suite] = transaction.rows("suite")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._runs: Rows[RunId, Run] = transaction.rows("run")
        self._logged: Rows[RunId, LoggedRun] = transaction.rows("logged run")
        self._changes: Rows[str, Change] = transaction.rows("logged change")
        self._models: Rows[ModelId, Model] = transaction.rows("model")
        self._names: Rows[tuple[ProjectId, str], ModelId] = transaction.rows("model name")
        self._jobs: Rows[JobId, Job] = transaction.rows("job")
        self._charts: Rows[ChartId, SavedChart] = transaction.rows("chart")
        self._templates: Rows[TemplateId, ExportTemplate] = transaction.rows("export_template")
        self._recipes: Rows[RecipeId, SavedRecipe] = transaction.rows("recipe")

    def add(self, entity: Project) -> None:
        self._rows.put(entity.id, entity)

    def get(self, project_id: ProjectId) -> Project:
        found = self._rows.get(project_id)
        if found is None:
            raise ProjectNotFoundError(project_id)
        return found

    def save(self, entity: Project) -> None:
        save_revised(self._rows, entity)

    def delete(self, project_id: ProjectId) -> None:
        if not self._rows.has(project_id):
            raise ProjectNotFoundError(project_id)
        for source in self._sources.where(lambda s: project_id in s.project_ids):
            source.project_ids -= {project_id}
            self._sources.put(source.id, source)
        for job in self._jobs.where(lambda j: j.project_id == project_id):
            job.project_id = None
            self._jobs.put(job.id, job)
        for model in self._models.where(lambda m: m.project_id == project_id):
            self._models.remove(model.id)
            self._names.remove((project_id, model.name))
        _remove_within(self._runs, project_id)
        _remove_within(self._logged, project_id)
        _remove_within(self._changes, project_id)
        for suite_id in self._suites.keys_where(lambda s: s.project_id == project_id):
            self._suites.remove(suite_id)
        for experiment_id in self._experiments.keys_where(lambda e: e.project_id == project_id):
            self._experiments.remove(experiment_id)
        for session_id in self._sessions.keys_where(lambda s: s.project_id == project_id):
            self._sessions.remove(session_id)
        for chart_id in self._charts.keys_where(lambda c: c.project_id == project_id):
            self._charts.remove(chart_id)
        for template_id in self._templates.keys_where(lambda t: t.project_id == project_id):
            self._templates.remove(template_id)
        for recipe_id in self._recipes.keys_where(lambda r: r.project_id == project_id):
            self._recipes.remove(recipe_id)
        self._rows.remove(project_id)

    def of_member(self, user: UserId, listing: Listing) -> Slice[Project]:
        mine = self._rows.where(lambda p: user in p.members)
        keys = {"created_at": lambda p: p.created_at, "name": lambda p: p.name.lower()}
        return slice_of(mine, listing, keys, lambda p: p.name)

    def counts(self, project_ids: Collection[ProjectId]) -> Mapping[ProjectId, ProjectCounts]:
        return {id_: self._counts_of(id_) for id_ in project_ids}

    def roles(self, user: UserId, project_ids: Collection[ProjectId]) -> Collection[ProjectId]:
        return {p.id for p in self._rows.where(lambda p: p.id in project_ids and user in p.members)}

    def _counts_of(self, project_id: ProjectId) -> ProjectCounts:
        return ProjectCounts(
            sources=self._sources.count(lambda s: project_id in s.project_ids and s.deleted_at is None),
            experiments=self._experiments.count(lambda e: e.project_id == project_id),
            models=self._models.count(lambda m: m.project_id == project_id),
        )


class _Within(Protocol):
    @property
    def project_id(self) -> ProjectId: ...


_K = TypeVar("_K", bound=Hashable)
_W = TypeVar("_W", bound=_Within)


def _remove_within(rows: Rows[_K, _W], project_id: ProjectId) -> None:
    for key in rows.keys_where(lambda row: row.project_id == project_id):
        rows.remove(key)
