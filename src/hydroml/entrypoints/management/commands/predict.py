"""Predicts the rows of a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import Progress, acting_user, add_user_option, model_named
from hydroml.entrypoints.management.commands._base import WRONG_USE, HydromlCommand


class Command(HydromlCommand):
    """The format of the result is that of OUT's ending."""

    help = "Predict every row of a file with a registered model, into another file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        words = "name or id; without an alias the champion, or the newest version that is not rejected"
        parser.add_argument("model", metavar="MODEL[@ALIAS]", help=words)
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
        model = model_named(user, name, options["project"])
        rows = (
            container()
            .predictions()
            .file(user, model.id, source, out, Progress(self.note), alias=alias or None, number=options["number"])
        )
        self.tell(f"{rows:,} rows predicted into {out}.", {"rows": rows, "file": str(out), "model_id": model.id})
