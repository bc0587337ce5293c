"""Writes the card of a model to a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import (
    acting_user,
    add_user_option,
    model_named,
    write_document,
)
from hydroml.entrypoints.management.commands._base import HydromlCommand


class Command(HydromlCommand):
    """The format is that of FILE's ending."""

    help = "Write the card of a registered model, which says what it is for and what not, to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "model", metavar="MODEL[@ALIAS]", help="name or id; without an alias the champion, or the newest"
        )
        parser.add_argument("out", metavar="FILE", type=Path, help="ending in .html, .pdf or .md")
        parser.add_argument("--project", metavar="NAME", help="where to look for the model (default: everywhere)")
        parser.add_argument("--version", type=int, dest="number", metavar="N", help="in place of an alias")
        add_user_option(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> ArgumentParser:
        """`--version` is the model's here; Django's own would be in the way."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def perform(self, **options: Any) -> None:
        out, user = options["out"], acting_user(options["user"])
        name, _, alias = options["model"].partition("@")
        model = model_named(user, name, options["project"])
        number = options["number"]
        version = model.resolve(alias or None, None) if number is None else model.version(number)
        size = write_document(lambda: container().reports().card(user, model.id, version.number), out)
        result = {"file": str(out), "model_id": model.id, "version": version.number}
        self.tell(f"card of {size:,} bytes written to {out}.", result)
