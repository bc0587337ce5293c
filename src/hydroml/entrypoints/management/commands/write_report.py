"""Writes the report of a run to a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from hydroml.domain.experiments.runs import RunId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import acting_user, add_user_option, write_document
from hydroml.entrypoints.management.commands._base import HydromlCommand


class Command(HydromlCommand):
    """The format is that of FILE's ending."""

    help = "Write the report of a run, with methods, metrics and figures, to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", metavar="RUN", type=UUID, help="its id")
        parser.add_argument("out", metavar="FILE", type=Path, help="ending in .html, .pdf or .md")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        out, user = options["out"], acting_user(options["user"])
        size = write_document(lambda: container().reports().report(user, RunId(options["id"])), out)
        self.tell(f"report of {size:,} bytes written to {out}.", {"file": str(out), "run_id": options["id"]})
