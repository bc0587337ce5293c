"""Makes a token."""

from argparse import ArgumentParser
from typing import Any

from hydroml.domain.projects import UserId
from hydroml.domain.tokens import Scope
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._base import HydromlCommand
from hydroml.entrypoints.web.accounts import users


class Command(HydromlCommand):
    """The secret is printed once and not kept."""

    help = "Create a token for the API; prints it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument(
            "--scope",
            choices=[scope.value for scope in Scope],
            action="append",
            help="read, or write, which includes read (default: write)",
        )
        parser.add_argument("--days", type=int, help="how long it is valid (default: without an end)")
        parser.add_argument("--name", default="command line", help="what it is for (default: %(default)s)")

    def perform(self, **options: Any) -> None:
        user = users.named(options["user"])
        scopes = {Scope(name) for name in options["scope"] or ["write"]}
        if Scope.WRITE in scopes:
            scopes.add(Scope.READ)
        token, secret = container().tokens().create(UserId(user.pk), options["name"], scopes, options["days"])
        document = {"id": token.id, "token": secret, "scopes": sorted(token.scopes), "expires_at": token.expires_at}
        self.tell(secret, document)
