"""Search by name over everything in one's projects."""

from collections.abc import Iterator, Sequence

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.application.ports.repositories import Found
from hydroml.domain.experiments.runs import Experiment, ExperimentId
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import Project, ProjectId, UserId
from hydroml.domain.sources import DataSource, SourceId
from hydroml.domain.studio.recipes import RecipeId, SavedRecipe


class InMemorySearchIndex:
    def __init__(self, transaction: Transaction) -> None:
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._models: Rows[ModelId, Model] = transaction.rows("model")
        self._recipes: Rows[RecipeId, SavedRecipe] = transaction.rows("recipe")

    def find(self, user: UserId, text: str, limit: int) -> Sequence[Found]:
        wanted = text.strip().lower()
        if not wanted:
            return []
        found = [hit for hit in self._all_of(user) if wanted in hit.name.lower()]

        def rank(hit: Found) -> tuple[object, ...]:
            name = hit.name.lower()
            return (0 if name == wanted else 1 if name.startswith(wanted) else 2, len(name), name, hit.id)

        return sorted(found, key=rank)[:limit]

    def _all_of(self, user: UserId) -> Iterator[Found]:
        mine = sorted(self._projects.where(lambda p: user in p.members), key=lambda p: (p.created_at, p.id))
        names = {p.id: p.name for p in mine}
        for project in mine:
            yield Found("project", project.id, project.name, project.id, project.name)
        for source in self._sources.where(lambda s: s.deleted_at is None and any(p in names for p in s.project_ids)):
            first = next(p for p in names if p in source.project_ids)
            yield Found("source", source.id, source.name, first, names[first])
        for experiment in self._experiments.where(lambda e: e.project_id in names):
            project_id = experiment.project_id
            yield Found("experiment", experiment.id, experiment.name, project_id, names[project_id])
        for model in self._models.where(lambda m: m.project_id in names):
            yield Found("model", model.id, model.name, model.project_id, names[model.project_id])
        for recipe in self._recipes.where(lambda r: r.project_id in names and r.deleted_at is None):
            yield Found("recipe", recipe.id, recipe.name, recipe.project_id, names[recipe.project_id])
