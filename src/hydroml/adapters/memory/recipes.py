"""Recipes under a name."""

from collections.abc import Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction, save_revised
from hydroml.domain.projects import Project, ProjectId, ProjectNotFoundError
from hydroml.domain.studio.recipes import RecipeId, RecipeNotFoundError, SavedRecipe


class InMemoryRecipeRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[RecipeId, SavedRecipe] = transaction.rows("recipe")
        self._projects: Rows[ProjectId, Project] = transaction.rows("project")

    def add(self, entity: SavedRecipe) -> None:
        if not self._projects.has(entity.project_id):
            raise ProjectNotFoundError(entity.project_id)
        self._rows.put(entity.id, entity)

    def get(self, recipe_id: RecipeId) -> SavedRecipe:
        found = self._rows.get(recipe_id)
        if found is None:
            raise RecipeNotFoundError(recipe_id)
        return found

    def save(self, entity: SavedRecipe) -> None:
        save_revised(self._rows, entity)

    def delete(self, recipe_id: RecipeId) -> None:
        if not self._rows.has(recipe_id):
            raise RecipeNotFoundError(recipe_id)
        self._rows.remove(recipe_id)

    def of_project(self, project_id: ProjectId, *, trashed: bool = False) -> Sequence[SavedRecipe]:
        found = self._rows.where(lambda r: r.project_id == project_id and (r.deleted_at is not None) is trashed)
        return sorted(found, key=lambda r: (r.name.lower(), r.id))

    def discarded_before(self, at: datetime, limit: int) -> Sequence[RecipeId]:
        old = [(r.deleted_at, r.id) for r in self._rows.where(lambda r: r.deleted_at is not None)]
        return [id_ for deleted, id_ in sorted(old) if deleted is not None and deleted <= at][:limit]
