"""Verifies that no entry of the activity was changed, removed or moved."""

from typing import Any

from django.core.management.base import CommandError

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._base import FAILED, HydromlCommand


class Command(HydromlCommand):
    """The hash it prints stands for everything before it: noted elsewhere, it tells whether all was written anew."""

    help = "Verify that nothing in the record of who did what was changed, removed or moved."

    def perform(self, **options: Any) -> None:
        found = container().activity().verify()
        document = {
            "entries": found.head.sequence,
            "hash": found.head.hash,
            "breaks": [{"sequence": fault.sequence, "reason": fault.reason} for fault in found.breaks],
        }
        if not found.breaks:
            self.tell(f"{found.head.sequence:,} entries, none changed; the last hash is {found.head.hash}.", document)
            return
        self.tell("\n".join(f"entry {fault.sequence:,}: {fault.reason}" for fault in found.breaks), document)
        raise CommandError(f"the record is broken in {len(found.breaks)} places", returncode=FAILED)
