"""Imports a file, like an upload."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from hydroml.application.documents import read_options
from hydroml.application.imports import Upload
from hydroml.domain.sources import ImportOptions
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import JobCommand, acting_user, add_user_option, project_named
from hydroml.entrypoints.management.commands._base import WRONG_USE

CHUNK = 2**20


class Command(JobCommand):
    """The project is made when there is none of that name."""

    help = "Import a file (CSV, TSV, Parquet, Excel) into a project as a new data source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--project", metavar="NAME", required=True, help="name or id; made when missing")
        parser.add_argument("--name", help="of the data source (default: the file's)")
        parser.add_argument(
            "--option",
            metavar="KEY=VALUE",
            action="append",
            default=[],
            help="delimiter, encoding, quote, decimal, header, sheet, missing (again for several); detected otherwise",
        )
        parser.add_argument("--wait", action="store_true", help="until the import has ended")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"there is no file {file}", returncode=WRONG_USE)
        wanted = parse_options(options["option"])
        user = acting_user(options["user"])
        project = project_named(user, options["project"], create=True)
        upload = Upload(file.name, _chunks(file), wanted, options["name"])
        source, job = container().imports().create(user, project.id, upload)
        document: dict[str, Any] = {"source_id": source.id, "project_id": project.id, "job_id": job.id}
        if not options["wait"]:
            self.tell(f"“{source.name}” ({source.id}) is being imported by job {job.id}.", document)
            return
        result = self.finish(job).result
        self.tell(
            f"“{source.name}” ({source.id}): {result['rows']:,} rows, {result['columns']:,} columns.",
            document | result,
        )


def parse_options(given: list[str]) -> ImportOptions:
    """`key=value` pairs as import options; raises CommandError for anything else."""
    document: dict[str, Any] = {}
    for pair in given:
        key, separator, value = pair.partition("=")
        if not separator:
            raise CommandError(f"--option takes KEY=VALUE, not “{pair}”", returncode=WRONG_USE)
        if key == "missing":
            document.setdefault("missing", []).append(value)
        elif key == "header":
            document[key] = json.loads(value.lower()) if value.lower() in ("true", "false") else value
        else:
            document[key] = {"\\t": "\t", "tab": "\t"}.get(value, value)
    return read_options(document)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")
