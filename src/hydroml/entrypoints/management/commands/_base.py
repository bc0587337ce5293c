"""What the commands share: output for people and machines, and errors in one line. Loads no service."""

import json
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from hydroml.domain.errors import DomainError, InvalidInputError

FAILED, WRONG_USE = 1, 2


class HydromlCommand(BaseCommand):
    """A command that calls services. `perform` does it; refusals become one line and exit code 1."""

    requires_system_checks: ClassVar[list[str]] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> ArgumentParser:
        """Without Django's own options, which mean nothing here."""
        parser: ArgumentParser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        self._json: bool = options.pop("json", False)
        try:
            self.perform(**options)
        except DomainError as error:
            raise CommandError(in_words(error), returncode=FAILED) from None

    def perform(self, **options: Any) -> None:
        """Does what the command is for."""
        raise NotImplementedError

    def tell(self, text: str, document: dict[str, Any]) -> None:
        """The result: `text` for people, `document` for machines."""
        self.stdout.write(json.dumps(document, default=str) if self._json else text)

    def note(self, text: str) -> None:
        """Something on the way, for people only."""
        if not self._json:
            self.stderr.write(text)


def in_words(error: DomainError) -> str:
    """The message, and the place of each fault."""
    if isinstance(error, InvalidInputError) and error.faults:
        places = [f"{'.'.join(map(str, f.loc))}: {f.msg}" if f.loc else f.msg for f in error.faults]
        return "; ".join(places) if len(places) > 1 or str(error) in places[0] else f"{error} ({places[0]})"
    return str(error)
