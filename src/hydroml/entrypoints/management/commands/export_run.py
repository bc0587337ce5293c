"""Writes a run as code."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from hydroml.domain.experiments.runs import RunId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import acting_user, add_user_option
from hydroml.entrypoints.management.commands._base import WRONG_USE, HydromlCommand


class Command(HydromlCommand):
    """The format is that of FILE's ending."""

    help = "Write a run as a script, a notebook or a folder with its data, which need no HydroML."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", metavar="RUN", type=UUID, help="its id")
        parser.add_argument("out", metavar="FILE", type=Path, help="ending in .py, .ipynb or, with the data, .zip")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        out: Path = options["out"]
        if not out.parent.is_dir():
            raise CommandError(f"there is no folder {out.parent}", returncode=WRONG_USE)
        if out.suffix not in (".py", ".ipynb", ".zip"):
            raise CommandError("FILE ends in .py, .ipynb or .zip", returncode=WRONG_USE)
        user, run_id, service = acting_user(options["user"]), RunId(options["id"]), container().reproductions()
        unfinished = out.with_name(f".{out.name}.unfinished")
        if out.suffix == ".zip":
            stream, *_ = service.bundle(user, run_id)
            with stream, unfinished.open("wb") as target:
                shutil.copyfileobj(stream, target)
        else:
            _, written = service.code(user, run_id)
            unfinished.write_text(written.script if out.suffix == ".py" else written.notebook, encoding="utf-8")
        unfinished.replace(out)
        self.tell(f"The run is written to {out}.", {"file": str(out), "run_id": str(run_id)})
