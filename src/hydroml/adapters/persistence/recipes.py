"""Recipes under a name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Index, Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name
from hydroml.application.documents import read_recipe, write_recipe
from hydroml.domain.errors import ConcurrentUpdateError
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, UserId
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeId, RecipeNotFoundError, SavedRecipe

recipe = Table(
    "recipe",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    text("name"),
    text("description"),
    document("steps"),
    document("columns"),
    uuid("created_by"),
    moment("created_at"),
    moment("updated_at"),
    moment("deleted_at", nullable=True),
    number("revision"),
    Index(None, "project_id"),
    Index(None, "deleted_at"),
)

is_trashed = recipe.c.deleted_at.is_not(None)


def _to_row(entity: SavedRecipe) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "name": entity.name,
        "description": entity.description,
        "steps": list(write_recipe(entity.steps)),
        "columns": [[c.name, c.type, c.nullable] for c in entity.columns],
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
        "deleted_at": entity.deleted_at,
        "revision": entity.revision,
    }


def _from_row(row: Row[Any]) -> SavedRecipe:
    return SavedRecipe(
        id=RecipeId(row.id),
        project_id=ProjectId(row.project_id),
        name=row.name,
        description=row.description,
        steps=read_recipe(row.steps),
        columns=tuple(Column(name, ColumnType(type_), nullable) for name, type_, nullable in row.columns),
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
        revision=row.revision,
    )


class SqlAlchemyRecipeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: SavedRecipe) -> None:
        try:
            self._connection.execute(insert(recipe).values(_to_row(entity)))
        except IntegrityError as error:
            raise ProjectNotFoundError(entity.project_id) from error

    def get(self, recipe_id: RecipeId) -> SavedRecipe:
        row = self._connection.execute(select(recipe).where(recipe.c.id == recipe_id)).one_or_none()
        if row is None:
            raise RecipeNotFoundError(recipe_id)
        return _from_row(row)

    def save(self, entity: SavedRecipe) -> None:
        seen = entity.revision
        values = _to_row(entity) | {"revision": seen + 1}
        changed = update(recipe).where(recipe.c.id == entity.id, recipe.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"recipe {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, recipe_id: RecipeId) -> None:
        if self._connection.execute(delete(recipe).where(recipe.c.id == recipe_id)).rowcount != 1:
            raise RecipeNotFoundError(recipe_id)

    def of_project(self, project_id: ProjectId, *, trashed: bool = False) -> Sequence[SavedRecipe]:
        query = select(recipe).where(recipe.c.project_id == project_id, is_trashed if trashed else ~is_trashed)
        return [_from_row(row) for row in self._connection.execute(query.order_by(by_name(recipe), recipe.c.id))]

    def discarded_before(self, at: datetime, limit: int) -> Sequence[RecipeId]:
        query = select(recipe.c.id).where(recipe.c.deleted_at <= at).order_by(recipe.c.deleted_at).limit(limit)
        return [RecipeId(id_) for id_ in self._connection.execute(query.with_for_update()).scalars()]
