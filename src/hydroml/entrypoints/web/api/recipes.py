"""Recipes: kept under a name, taken elsewhere as documents or programs, and applied to versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import read_steps, write_recipe
from hydroml.application.ports.repositories import MadeByRecipe
from hydroml.application.recipes import RecipeUse
from hydroml.application.saving import Apply, Check, CheckedStep
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import Column, ColumnType, VersionId
from hydroml.domain.studio.judging import StepStatus
from hydroml.domain.studio.recipes import MAX_STEPS, RecipeId
from hydroml.domain.studio.session import EntryId, SessionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import Page, at_job, json_response, seen_revision, tag, whole
from hydroml.entrypoints.web.api.sessions import PROGRAM, SaveIn, StepDocument, program, somebody
from hydroml.entrypoints.web.api.sources import OwnerOut, SourceAccepted
from hydroml.entrypoints.web.api.versions import ColumnOut, NamedOut

router = Router(tags=["recipes"])

FORMAT: Literal["hydroml-recipe-1"] = "hydroml-recipe-1"


class RecipeStepOut(Schema):
    """A step with what it has learnt."""

    step: StepDocument
    fitted: dict[str, Any]
    made: list[str] = Field(description="The columns it added or gave another type when it last ran.")
    summary: str


class MadeOut(Schema):
    """A data source whose current version the recipe has made of one of `parent`."""

    id: UUID
    name: str
    parent: NamedOut
    follows: bool = Field(description="Whether it is made anew whenever that one gets a new version.")

    @classmethod
    def of(cls, made: MadeByRecipe) -> "MadeOut":
        parent = NamedOut(id=made.parent_id, name=made.parent)
        return cls(id=made.id, name=made.name, parent=parent, follows=made.follows)


class ListedRecipeOut(Schema):
    """A recipe without its steps."""

    id: UUID
    project_id: UUID
    name: str
    description: str
    step_count: int
    made: list[MadeOut]
    created_by: OwnerOut
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def fields(cls, use: RecipeUse, names: Mapping[UserId, str]) -> dict[str, Any]:
        recipe = use.recipe
        return {
            "id": recipe.id,
            "project_id": recipe.project_id,
            "name": recipe.name,
            "description": recipe.description,
            "step_count": len(recipe.steps),
            "made": [MadeOut.of(made) for made in use.made],
            "created_by": somebody(recipe.created_by, names),
            "created_at": recipe.created_at,
            "updated_at": recipe.updated_at,
            "deleted_at": recipe.deleted_at,
        }

    @classmethod
    def of(cls, use: RecipeUse, names: Mapping[UserId, str]) -> "ListedRecipeOut":
        return cls(**cls.fields(use, names))


class RecipeOut(ListedRecipeOut):
    """Steps under a name, and the columns of the table they were made on; `needs` are those that a step names."""

    steps: list[RecipeStepOut]
    columns: list[ColumnOut]
    needs: list[ColumnOut]
    revision: int

    @classmethod
    def made_of(cls, use: RecipeUse) -> "RecipeOut":
        recipe = use.recipe
        documents = zip(write_recipe(recipe.steps), recipe.steps, strict=True)
        return cls(
            **cls.fields(use, users.names({recipe.created_by})),
            steps=[RecipeStepOut(**document, summary=entry.step.summary()) for document, entry in documents],
            columns=[ColumnOut.of(column) for column in recipe.columns],
            needs=[ColumnOut.of(column) for column in use.needs],
            revision=recipe.revision,
        )


class ColumnIn(Schema):
    """A column of the table a recipe was made on."""

    name: str = Field(min_length=1, max_length=1_000, pattern="^[^\x00]*$")
    type: ColumnType
    nullable: bool = True


class RecipeIn(Schema):
    """A recipe from a session (its applied steps, or those of its history in `step_ids`), or from its steps; a recipe's
    document fits as it is."""

    format: Literal["hydroml-recipe-1"] = FORMAT
    name: str
    description: str = ""
    session_id: UUID | None = None
    step_ids: list[UUID] | None = Field(None, max_length=MAX_STEPS)
    steps: list[dict[str, Any]] | None = Field(
        None, max_length=MAX_STEPS, description="Steps, each bare or as {step, fitted, made}."
    )
    columns: list[ColumnIn] = Field(default_factory=list, max_length=100_000)


class RecipePatch(Schema):
    """What changes."""

    name: str | None = None
    description: str | None = None


class ApplyIn(SaveIn):
    """Which recipe, and where its table is to go."""

    recipe_id: UUID
    project_id: UUID | None = Field(None, description="A project of the data source; the recipe's otherwise.")
    partial: bool = Field(False, description="Whether the steps that can run are enough.")
    relearn: bool = Field(False, description="Whether steps learn from this version what they have learnt elsewhere.")

    def apply(self) -> Apply:
        project_id = None if self.project_id is None else ProjectId(self.project_id)
        return Apply(RecipeId(self.recipe_id), self.partial, self.relearn, project_id)


class CheckIn(Schema):
    """Which recipe."""

    recipe_id: UUID
    project_id: UUID | None = None


class ChangedColumnOut(Schema):
    """A column of another type than where the recipe was made."""

    name: str
    was: ColumnType
    now: ColumnType


class CheckedStepOut(Schema):
    """Whether a step can run on the version. `missing` and `changed` are of the columns that it names."""

    step: StepDocument
    summary: str
    status: StepStatus
    error: str | None
    waits_for: int | None = Field(description="The place of the step it waits for, counted from 0.")
    missing: list[str]
    changed: list[ChangedColumnOut]
    learns: bool = Field(description="Whether it learns from the table, such as a mean.")

    @classmethod
    def of(cls, checked: CheckedStep) -> "CheckedStepOut":
        return cls(
            step=write_recipe((checked.entry,))[0]["step"],
            summary=checked.entry.step.summary(),
            status=checked.verdict.status,
            error=checked.verdict.reason or None,
            waits_for=checked.verdict.waits_for,
            missing=list(checked.missing),
            changed=[ChangedColumnOut(name=name, was=was, now=now) for name, was, now in checked.changed],
            learns=checked.entry.step.learns,
        )


class CheckOut(Schema):
    """What a recipe would do to a version: whether all its steps can run, how many can, and the columns after those."""

    complete: bool
    runs: int
    steps: list[CheckedStepOut]
    schema_: list[ColumnOut] = Field(alias="schema")

    @classmethod
    def of(cls, check: Check) -> "CheckOut":
        return cls(
            complete=check.runs == len(check.steps),
            runs=check.runs,
            steps=[CheckedStepOut.of(step) for step in check.steps],
            schema=[ColumnOut.of(column) for column in check.columns],
        )


class WhichRecipes(Schema):
    """Those in the trash, or the others."""

    trashed: bool = False


class ForIn(Schema):
    """For a table with which columns."""

    version_id: UUID | None = Field(None, description="Those of this version; of the table it was made on otherwise.")


@router.get("/projects/{uuid:project_id}/recipes", response=Page[ListedRecipeOut])
def list_recipes(request: HttpRequest, project_id: UUID, which: Query[WhichRecipes]) -> Any:
    """The recipes of a project, by name."""
    found = container().recipes().list(request.auth, ProjectId(project_id), trashed=which.trashed)
    names = users.names({use.recipe.created_by for use in found})
    return whole([ListedRecipeOut.of(use, names) for use in found], ListedRecipeOut)


@router.post("/projects/{uuid:project_id}/recipes", response={201: RecipeOut})
def create_recipe(request: HttpRequest, response: HttpResponse, project_id: UUID, body: RecipeIn) -> Status[RecipeOut]:
    """Keep the steps of a session, or a recipe from elsewhere."""
    container().access().check(request.auth, "project", project_id)
    if (body.session_id is None) == (body.steps is None):
        raise InvalidInputError.at("steps", msg="give session_id, or steps", code="required")
    recipes, project = container().recipes(), ProjectId(project_id)
    if body.session_id is not None:
        chosen = None if body.step_ids is None else [EntryId(step) for step in body.step_ids]
        made = recipes.keep(request.auth, project, body.name, SessionId(body.session_id), chosen, body.description)
    else:
        columns = [Column(column.name, column.type, column.nullable) for column in body.columns]
        made = recipes.create(request.auth, project, body.name, read_steps(body.steps or []), columns, body.description)
    response["Location"] = f"/api/v1/recipes/{made.id}"
    return Status(201, _tagged(response, RecipeUse(made, ())))


@router.get("/recipes/{uuid:recipe_id}", response=RecipeOut)
def get_recipe(request: HttpRequest, response: HttpResponse, recipe_id: UUID) -> RecipeOut:
    """A recipe with its steps, and what it has made."""
    return _tagged(response, container().recipes().use(request.auth, RecipeId(recipe_id)))


@router.patch("/recipes/{uuid:recipe_id}", response=RecipeOut)
def change_recipe(request: HttpRequest, response: HttpResponse, recipe_id: UUID, body: RecipePatch) -> RecipeOut:
    """Rename a recipe, or describe it."""
    recipes, seen = container().recipes(), seen_revision(request)
    recipes.change(request.auth, RecipeId(recipe_id), name=body.name, description=body.description, revision=seen)
    return _tagged(response, recipes.use(request.auth, RecipeId(recipe_id)))


@router.delete("/recipes/{uuid:recipe_id}", response={204: None})
def delete_recipe(request: HttpRequest, recipe_id: UUID) -> Status[None]:
    """To the trash, for thirty days. What was made by it stays, and what follows goes on."""
    container().recipes().delete(request.auth, RecipeId(recipe_id))
    return Status(204, None)


@router.post("/recipes/{uuid:recipe_id}/restore", response=RecipeOut)
def restore_recipe(request: HttpRequest, response: HttpResponse, recipe_id: UUID) -> RecipeOut:
    """Out of the trash."""
    return _tagged(response, container().recipes().restore(request.auth, RecipeId(recipe_id)))


@router.get("/recipes/{uuid:recipe_id}/document", response=dict[str, Any])
def get_recipe_document(request: HttpRequest, recipe_id: UUID) -> HttpResponse:
    """The recipe as a document that can be sent to the recipes of any project, here or elsewhere."""
    recipe = container().recipes().get(request.auth, RecipeId(recipe_id))
    response = json_response(
        {
            "format": FORMAT,
            "name": recipe.name,
            "description": recipe.description,
            "steps": write_recipe(recipe.steps),
            "columns": [{"name": c.name, "type": c.type, "nullable": c.nullable} for c in recipe.columns],
        }
    )
    response["Content-Disposition"] = 'attachment; filename="recipe.json"'
    return response


@router.get("/recipes/{uuid:recipe_id}/code", openapi_extra=PROGRAM)
def get_recipe_code(request: HttpRequest, recipe_id: UUID, which: Query[ForIn]) -> HttpResponse:
    """The recipe as a Python program that needs DuckDB alone."""
    version_id = None if which.version_id is None else VersionId(which.version_id)
    return program(container().recipes().code(request.auth, RecipeId(recipe_id), version_id))


@router.post("/versions/{uuid:version_id}/apply/check", response=CheckOut, by_alias=True)
def check_recipe(request: HttpRequest, version_id: UUID, body: CheckIn) -> CheckOut:
    """Which steps of a recipe can run on a version, what stands against the others, and what the part would give."""
    project_id = None if body.project_id is None else ProjectId(body.project_id)
    what = Apply(RecipeId(body.recipe_id), project_id=project_id)
    return CheckOut.of(container().saving().check(request.auth, VersionId(version_id), what))


@router.post("/versions/{uuid:version_id}/apply", response={202: SourceAccepted})
def apply_recipe(
    request: HttpRequest, response: HttpResponse, version_id: UUID, body: ApplyIn
) -> Status[SourceAccepted]:
    """Run a recipe on a version, into a version; 422 names every step that cannot run, unless a part is enough."""
    saving = container().saving()
    source, job = saving.apply(request.auth, VersionId(version_id), body.apply(), body.target())
    at_job(response, job.id)
    return Status(202, SourceAccepted.of(source, job))


def _tagged(response: HttpResponse, use: RecipeUse) -> RecipeOut:
    tag(response, use.recipe.revision)
    return RecipeOut.made_of(use)
