"""Recipes: steps in order, each with what it learnt; and those that a project keeps under a name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import ConflictError, InvalidInputError, NotFoundError
from hydroml.domain.projects import ProjectId, UserId, clean_name
from hydroml.domain.sources import Column, Table, VersionId
from hydroml.domain.studio.steps import Fitted, RowEffect, Step

RecipeId = NewType("RecipeId", UUID)

MAX_STEPS = 500
MOST_RECIPES = 500
"""In a project."""
DESCRIPTION_LENGTH = 4_000
KEPT_IN_TRASH = timedelta(days=30)


class RecipeNotFoundError(NotFoundError):
    def __init__(self, recipe_id: RecipeId) -> None:
        super().__init__(f"recipe {recipe_id} does not exist")


@dataclass(frozen=True, slots=True)
class RecipeStep:
    step: Step
    fitted: Fitted = field(default_factory=dict)
    inputs: tuple[Table, ...] = ()
    """The tables of `step.others`, for as long as the recipe runs; they are no part of what is stored."""
    made: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """The columns it added, or gave another type, when it last ran."""


Recipe = tuple[RecipeStep, ...]


def with_inputs(recipe: Recipe, tables: Mapping[VersionId, Table]) -> Recipe:
    """Each step with its other tables; a step that lacks one of them gets none, and cannot run."""
    return tuple(
        replace(entry, inputs=tuple(tables[other] for other in entry.step.others))
        if entry.step.others and all(other in tables for other in entry.step.others)
        else entry
        for entry in recipe
    )


def row_local_part(recipe: Recipe) -> Recipe:
    """The steps that can be replayed on any single row: what a prediction runs on new rows."""
    return tuple(entry for entry in recipe if entry.step.effect is RowEffect.LOCAL)


@dataclass(slots=True, kw_only=True)
class SavedRecipe:
    """A recipe under a name, to be used on other tables. Raises InvalidInputError without a step, or with too many."""

    id: RecipeId
    project_id: ProjectId
    name: str
    description: str = ""
    steps: Recipe
    columns: tuple[Column, ...] = ()
    """Those of the table it was made on; none where that is not known."""
    created_by: UserId
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    """Since when it has been in the trash."""
    revision: int = 0

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)
        self.description = _described(self.description)
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise InvalidInputError.at(
                "steps", msg=f"a recipe has 1 to {MAX_STEPS:,} steps, this one has {len(self.steps)}", code="length"
            )

    def describe(self, at: datetime, *, name: str | None = None, description: str | None = None) -> None:
        self.name = self.name if name is None else clean_name(name)
        self.description = self.description if description is None else _described(description)
        self.updated_at = at

    def discard(self, at: datetime) -> None:
        """To the trash."""
        self.deleted_at = self.updated_at = at

    def restore(self, at: datetime) -> None:
        """Out of the trash. Raises ConflictError when it is not there."""
        if self.deleted_at is None:
            raise ConflictError(f"“{self.name}” is not in the trash")
        self.deleted_at, self.updated_at = None, at


def _described(text: str) -> str:
    if len(text) > DESCRIPTION_LENGTH or "\x00" in text:
        raise InvalidInputError.at(
            "description", msg=f"a description has at most {DESCRIPTION_LENGTH:,} characters", code="length"
        )
    return text.strip()
