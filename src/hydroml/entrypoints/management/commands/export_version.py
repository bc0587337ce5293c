"""Writes a version to a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from hydroml.application.documents import read_shape
from hydroml.domain.exports import ExportShape, format_of
from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import Progress, acting_user, add_user_option
from hydroml.entrypoints.management.commands._base import WRONG_USE, HydromlCommand
from hydroml.entrypoints.web.api.common import names, sort_keys


class Command(HydromlCommand):
    """The format is that of FILE's ending."""

    help = "Export a version of a data source to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", metavar="VERSION", type=UUID, help="its id")
        parser.add_argument(
            "out", metavar="FILE", type=Path, help="ending in .csv, .tsv, .xlsx, .json, .jsonl, .parquet or .feather"
        )
        parser.add_argument("--columns", default="", metavar="A,B", help="these, in this order (default: all)")
        parser.add_argument("--filter", metavar="FORMULA", help="rows for which it is true")
        parser.add_argument("--sort", default="", metavar="-A,B", help="with - before a column, descending")
        parser.add_argument("--limit", type=int, metavar="N", help="the first rows only")
        parser.add_argument(
            "--option",
            metavar="KEY=VALUE",
            action="append",
            default=[],
            help="delimiter, decimal, missing; header, bom, neutralise (true or false)",
        )
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        out: Path = options["out"]
        if not out.parent.is_dir():
            raise CommandError(f"there is no folder {out.parent}", returncode=WRONG_USE)
        shape = _shape(options)
        user = acting_user(options["user"])
        unfinished = out.with_name(f".{out.name}.unfinished")
        rows = container().exports().write(user, VersionId(options["id"]), shape, unfinished, Progress(self.note))
        unfinished.replace(out)
        self.tell(f"{rows:,} rows exported to {out}.", {"rows": rows, "file": str(out), "version_id": options["id"]})


def _shape(options: dict[str, Any]) -> ExportShape:
    """Raises InvalidInputError, and CommandError for an option without a value."""
    given: dict[str, Any] = {}
    for pair in options["option"]:
        key, separator, value = pair.partition("=")
        if not separator:
            raise CommandError(f"--option takes KEY=VALUE, not “{pair}”", returncode=WRONG_USE)
        given[key] = json.loads(value) if value in ("true", "false") else {"\\t": "\t", "tab": "\t"}.get(value, value)
    sort = [{"column": key.column, "descending": key.descending} for key in sort_keys(options["sort"])]
    return read_shape(
        {
            "format": format_of(options["out"].name),
            "columns": names(options["columns"], "columns") or None,
            "filter": options["filter"],
            "sort": sort,
            "limit": options["limit"],
            "options": given,
        }
    )
