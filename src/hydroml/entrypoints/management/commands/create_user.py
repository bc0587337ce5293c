"""Makes a user."""

import sys
from argparse import ArgumentParser
from typing import Any

from hydroml.domain.errors import ConflictError
from hydroml.entrypoints.management.commands._base import HydromlCommand
from hydroml.entrypoints.web.accounts import users


class Command(HydromlCommand):
    """Without --password-stdin the password is made up and printed once."""

    help = "Create a user; prints a made-up password once, unless one comes on standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--admin", action="store_true", help="may administer the installation")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        how.add_argument(
            "--generated-password",
            action="store_true",
            help="make the password up (the default); an existing user of that name is left alone and is no failure",
        )

    def perform(self, **options: Any) -> None:
        name: str = options["name"]
        given = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        try:
            user, password = users.create(name, given, admin=options["admin"])
        except ConflictError:
            if not options["generated_password"]:
                raise
            self.tell(f"There is a user “{name}” already; the password stays.", {"username": name, "created": False})
            return
        document = {"id": user.pk, "username": name, "admin": options["admin"], "created": True}
        if given is not None:
            self.tell(f"Created the user “{name}”.", document)
            return
        self.tell(
            f"Created the user “{name}”. The password is shown this once:\n\n    {password}\n",
            document | {"password": password},
        )
