"""Removes what nothing needs any more."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._base import HydromlCommand


class Command(HydromlCommand):
    """The scheduler does the same once a day."""

    help = "Remove files that nothing needs any more: of crashed jobs, forgotten uploads, removed projects and runs."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="remove nothing, but tell what would be")

    def perform(self, **options: Any) -> None:
        found = container().garbage().collect(dry_run=options["dry_run"])
        verb = "would be removed" if options["dry_run"] else "removed"
        self.tell(
            f"{found.blobs:,} blobs, {found.uploads:,} uploads, {found.folders:,} scratch folders,"
            f" {found.exports:,} exports and {found.computed:,} computed files {verb}: {found.size / 1e6:,.1f} MB.",
            asdict(found) | {"dry_run": options["dry_run"]},
        )
