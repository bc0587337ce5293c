"""Runs a recipe on a data source."""

from argparse import ArgumentParser
from typing import Any, TypeVar
from uuid import UUID

from django.core.management.base import CommandError

from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.application.saving import Apply, Target
from hydroml.domain.projects import Project, UserId
from hydroml.domain.sources import DataSource, SourceId, Version
from hydroml.domain.studio.judging import StepStatus
from hydroml.domain.studio.recipes import RecipeId, SavedRecipe
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import JobCommand, acting_user, add_user_option, project_named
from hydroml.entrypoints.management.commands._base import FAILED, WRONG_USE

T = TypeVar("T")


class Command(JobCommand):
    """Names are looked for in the project, or else in all of the user's."""

    help = "Apply a recipe to the current version of a data source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipe", metavar="RECIPE", help="its name or id")
        parser.add_argument("--source", metavar="NAME", required=True, help="name or id of the data source")
        parser.add_argument("--project", metavar="NAME", help="name or id (default: any of the user's)")
        parser.add_argument("--name", help="make a new data source of this name (default: the source's next version)")
        parser.add_argument("--partial", action="store_true", help="leave out the steps that cannot run")
        parser.add_argument("--relearn", action="store_true", help="let steps learn from this table")
        parser.add_argument("--wait", action="store_true", help="until the table is there")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        user = acting_user(options["user"])
        wanted = options["project"]
        projects = _projects(user) if wanted is None else [project_named(user, wanted)]
        recipe = _recipe(user, options["recipe"], projects)
        source, version = _source(user, options["source"], projects)
        project_id = None if wanted is None else projects[0].id
        what = Apply(recipe.id, options["partial"], options["relearn"], project_id)
        left_out = [
            step for step in container().saving().check(user, version.id, what).steps
            if step.verdict.status is not StepStatus.OK
        ]  # fmt: skip
        made, job = container().saving().apply(user, version.id, what, Target(options["name"]))
        for step in left_out:
            self.note(f"left out: {step.entry.step.summary()}: {step.verdict.reason}")
        document: dict[str, Any] = {
            "source_id": made.id,
            "recipe_id": recipe.id,
            "job_id": job.id,
            "left_out": [step.entry.step.summary() for step in left_out],
        }
        if not options["wait"]:
            self.tell(f"“{recipe.name}” is being applied to “{source.name}” by job {job.id}.", document)
            return
        result = self.finish(job).result
        self.tell(
            f"“{made.name}” ({made.id}): {result['rows']:,} rows, {result['columns']:,} columns.", document | result
        )


def _projects(user: UserId) -> list[Project]:
    return [summary.project for summary in container().projects().list(user, Listing(limit=MAX_LIMIT)).items]


def _recipe(user: UserId, name: str, projects: list[Project]) -> SavedRecipe:
    id_ = _id(name)
    if id_ is not None:
        return container().recipes().get(user, RecipeId(id_))
    uses = [use for project in projects for use in container().recipes().list(user, project.id)]
    found = [use.recipe for use in uses if use.recipe.name == name]
    return _only(found, "recipe", name)


def _source(user: UserId, name: str, projects: list[Project]) -> tuple[DataSource, Version]:
    id_, listing = _id(name), Listing(limit=MAX_LIMIT, search=name)
    if id_ is not None:
        detail = container().sources().get(user, SourceId(id_))
    else:
        listed = [d for project in projects for d in container().sources().list(user, project.id, listing).items]
        named = {detail.source.id: detail for detail in listed if detail.source.name == name}
        detail = _only(list(named.values()), "data source", name)
    if detail.current is None:
        raise CommandError(f"“{detail.source.name}” has no table yet", returncode=FAILED)
    return detail.source, detail.current


def _only(found: list[T], what: str, name: str) -> T:
    if len(found) > 1:
        raise CommandError(f"more than one {what} is called “{name}”; give the id", returncode=WRONG_USE)
    if not found:
        raise CommandError(f"there is no {what} “{name}”", returncode=FAILED)
    return found[0]


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
