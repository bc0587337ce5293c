"""Writes a comparison of runs to a file."""

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

    help = "Write a comparison of runs, which says what differs and which is best, to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", metavar="FILE", type=Path, help="ending in .html, .pdf or .md")
        parser.add_argument("ids", metavar="RUN", type=UUID, nargs="+", help="two or more ids")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        out, user = options["out"], acting_user(options["user"])
        runs = [RunId(run) for run in options["ids"]]
        size = write_document(lambda: container().reports().comparison(user, runs), out)
        self.tell(f"comparison of {size:,} bytes written to {out}.", {"file": str(out), "run_ids": runs})
