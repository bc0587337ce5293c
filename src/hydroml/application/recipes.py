"""Recipes under a name: kept from a session's history or from a document, read, renamed, removed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import uuid4

from hydroml.application.access import project_of, recipe_of, session_of, version_of
from hydroml.application.activity import tell
from hydroml.application.inputs import tables_of
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import MadeByRecipe, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.tables import TableEngine
from hydroml.application.projects import check_revision
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import Column, VersionId
from hydroml.domain.studio.judging import speaks_of
from hydroml.domain.studio.recipes import KEPT_IN_TRASH, MOST_RECIPES, Recipe, RecipeId, SavedRecipe, with_inputs
from hydroml.domain.studio.session import EntryId, EntryNotFoundError, SessionId

PURGED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class RecipeUse:
    """A recipe, and the data sources of its project whose current version it has made."""

    recipe: SavedRecipe
    made: tuple[MadeByRecipe, ...]

    @property
    def needs(self) -> tuple[Column, ...]:
        """The columns of the table it was made on that any of its steps names."""
        return tuple(c for c in self.recipe.columns if any(speaks_of(s.step, c.name) for s in self.recipe.steps))


class RecipeService:
    def __init__(self, *, uow: UnitOfWorkFactory, engine: TableEngine, clock: Clock) -> None:
        self._uow, self._engine, self._clock = uow, engine, clock

    def list(self, user: UserId, project_id: ProjectId, *, trashed: bool = False) -> Sequence[RecipeUse]:
        """By name; either those in the trash, or the others."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return _in_use(uow, project_id, uow.recipes.of_project(project_id, trashed=trashed))

    def get(self, user: UserId, recipe_id: RecipeId) -> SavedRecipe:
        with self._uow() as uow:
            return recipe_of(uow, user, recipe_id)

    def use(self, user: UserId, recipe_id: RecipeId) -> RecipeUse:
        """The recipe with what it has made."""
        with self._uow() as uow:
            recipe = recipe_of(uow, user, recipe_id)
            return _in_use(uow, recipe.project_id, [recipe])[0]

    def create(  # noqa: PLR0917 - all that a recipe has
        self,
        user: UserId,
        project_id: ProjectId,
        name: str,
        steps: Recipe,
        columns: Sequence[Column] = (),
        description: str = "",
    ) -> SavedRecipe:
        """Raises ConflictError when the project has too many."""
        with self._uow() as uow:
            recipe = self._add(uow, user, project_id, name, steps, columns, description)
            uow.commit()
        return recipe

    def keep(  # noqa: PLR0917 - where from, and all that a recipe has
        self,
        user: UserId,
        project_id: ProjectId,
        name: str,
        session_id: SessionId,
        chosen: Sequence[EntryId] | None = None,
        description: str = "",
    ) -> SavedRecipe:
        """The applied steps of a session that are switched on, or those of its history that are chosen, in its order.
        Raises EntryNotFoundError for one that is not in the history."""
        with self._uow() as uow:
            session = session_of(uow, user, session_id)
            version, _ = version_of(uow, user, session.version_id)
            path = session.path(session.cursor) if chosen is None else session.history()
            for entry_id in chosen or ():
                if entry_id not in {entry.id for entry in path}:
                    raise EntryNotFoundError(entry_id)
            steps = session.steps([entry for entry in path if chosen is None or entry.id in chosen])
            recipe = self._add(uow, user, project_id, name, tuple(steps.values()), version.columns, description)
            uow.commit()
        return recipe

    def change(
        self,
        user: UserId,
        recipe_id: RecipeId,
        *,
        name: str | None = None,
        description: str | None = None,
        revision: int | None = None,
    ) -> SavedRecipe:
        with self._uow() as uow:
            recipe = recipe_of(uow, user, recipe_id, Role.EDITOR)
            check_revision(recipe.revision, revision)
            before = recipe.name
            recipe.describe(self._clock(), name=name, description=description)
            uow.recipes.save(recipe)
            if recipe.name != before:
                tell(uow, user, "renamed", recipe, recipe.updated_at, f"it was called “{before}”")
            else:
                tell(uow, user, "changed", recipe, recipe.updated_at)
            uow.commit()
        return recipe

    def delete(self, user: UserId, recipe_id: RecipeId) -> None:
        """To the trash, where it is kept for thirty days. What was made by it stays, and is made anew as before."""
        with self._uow() as uow:
            recipe = recipe_of(uow, user, recipe_id, Role.EDITOR)
            recipe.discard(self._clock())
            uow.recipes.save(recipe)
            tell(uow, user, "trashed", recipe, recipe.updated_at)
            uow.commit()

    def restore(self, user: UserId, recipe_id: RecipeId) -> RecipeUse:
        """Out of the trash. Raises ConflictError when the project has too many."""
        with self._uow() as uow:
            recipe = recipe_of(uow, user, recipe_id, Role.EDITOR, trashed=True)
            _check_room(uow, recipe.project_id)
            recipe.restore(self._clock())
            uow.recipes.save(recipe)
            tell(uow, user, "restored", recipe, recipe.updated_at)
            uow.commit()
            return _in_use(uow, recipe.project_id, [recipe])[0]

    def purge(self) -> int:
        """Removes what has been in the trash for thirty days; gives how many that were."""
        with self._uow() as uow:
            old = uow.recipes.discarded_before(self._clock() - KEPT_IN_TRASH, PURGED_AT_ONCE)
            for recipe_id in old:
                uow.recipes.delete(recipe_id)
            uow.commit()
        return len(old)

    def code(self, user: UserId, recipe_id: RecipeId, version_id: VersionId | None = None) -> str:
        """The recipe as a Python program that needs DuckDB alone, for a table with the columns of the version, or else
        of the one it was made on. Raises ConflictError when neither is known, InvalidInputError when a step cannot run
        on such a table."""
        with self._uow() as uow:
            recipe = recipe_of(uow, user, recipe_id)
            columns = recipe.columns
            if version_id is not None:
                columns = version_of(uow, user, version_id)[0].columns
            tables = tables_of(uow, recipe.project_id, (entry.step for entry in recipe.steps))
        if not columns:
            raise ConflictError("the recipe came without the columns of its table; say for which version")
        return self._engine.python(with_inputs(recipe.steps, tables), columns, "table.parquet")

    def _add(  # noqa: PLR0917 - all that a recipe has
        self,
        uow: UnitOfWork,
        user: UserId,
        project_id: ProjectId,
        name: str,
        steps: Recipe,
        columns: Sequence[Column],
        description: str,
    ) -> SavedRecipe:
        project_of(uow, user, project_id, Role.EDITOR)
        _check_room(uow, project_id)
        now = self._clock()
        recipe = SavedRecipe(
            id=RecipeId(uuid4()),
            project_id=project_id,
            name=name,
            description=description,
            steps=steps,
            columns=tuple(columns),
            created_by=user,
            created_at=now,
            updated_at=now,
        )
        uow.recipes.add(recipe)
        tell(uow, user, "created", recipe, now, f"of {len(steps)} {'step' if len(steps) == 1 else 'steps'}")
        return recipe


def _check_room(uow: UnitOfWork, project_id: ProjectId) -> None:
    if len(uow.recipes.of_project(project_id)) >= MOST_RECIPES:
        raise ConflictError(f"a project has at most {MOST_RECIPES} recipes")


def _in_use(uow: UnitOfWork, project_id: ProjectId, recipes: Collection[SavedRecipe]) -> Sequence[RecipeUse]:
    made = uow.sources.made_by_recipes(project_id)
    return [RecipeUse(recipe, tuple(one for one in made if one.recipe_id == recipe.id)) for recipe in recipes]
