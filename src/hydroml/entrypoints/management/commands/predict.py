"""Predicts the rows of a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import Progress, acting_user, add_user_option, project_named
from hydroml.entrypoints.management.commands._base import WRONG_USE, HydromlCommand


class Command(HydromlCommand):
    """The format of the result is that of OUT's ending."""

    help = "Predict every row of a file with a registered model, into another file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL[@ALIAS]", help="name or id; the champion without an alias")
        parser.add_argument("source", metavar="IN", type=Path)
        parser.add_argument("out", metavar="OUT", type=Path, help="ending in .csv, .tsv, .parquet or .json")
        parser.add_argument("--project", metavar="NAME", help="where to look for the model (default: everywhere)")
        parser.add_argument("--version", type=int, dest="number", metavar="N", help="in place of an alias")
        add_user_option(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> ArgumentParser:
        """`--version` is the model's here; Django's own would be in the way."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def perform(self, **options: Any) -> None:
        source, out = options["source"], options["out"]
        if not source.is_file():
            raise CommandError(f"there is no file {source}", returncode=WRONG_USE)
        if not out.parent.is_dir():
            raise CommandError(f"there is no folder {out.parent}", returncode=WRONG_USE)
        name, _, alias = options["model"].partition("@")
        user = acting_user(options["user"])
        model = _find(user, name, options["project"])
        rows = (
            container()
            .predictions()
            .file(user, model.id, source, out, Progress(self.note), alias=alias or None, number=options["number"])
        )
        self.tell(f"{rows:,} rows predicted into {out}.", {"rows": rows, "file": str(out), "model_id": model.id})


def _find(user: UserId, name: str, project: str | None) -> Model:
    models = container().models()
    try:
        return models.get(user, ModelId(UUID(name))).model
    except ValueError:
        pass
    listing = Listing(limit=MAX_LIMIT, search=name)
    if project is None:
        found = models.mine(user, listing).items
    else:
        found = models.of_project(user, project_named(user, project).id, listing).items
    matching = [model for model in found if model.name == name]
    if len(matching) != 1:
        reason = f"{len(matching)} models are called “{name}”; give --project or the id" if matching else ""
        raise CommandError(reason or f"there is no model “{name}”")
    return matching[0]
