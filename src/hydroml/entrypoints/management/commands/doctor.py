"""Looks whether everything is well."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from hydroml.entrypoints import checks
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._base import HydromlCommand
from hydroml.entrypoints.web.accounts.models import User
from hydroml.entrypoints.web.settings import WEB


class Command(HydromlCommand):
    """Every fault comes with what to do about it; exit code 1 when there is one."""

    help = "Check database, broker, storage, disk, memory, secrets and front end; says what to mend."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print faults only")

    def perform(self, **options: Any) -> None:
        found = [
            *checks.service_checks(),
            checks.attempt("schema", _schema, "run: hydroml migrate"),
            checks.attempt(
                "storage, writing", checks.storage_writes, "look at the storage's permissions and free space"
            ),
            checks.attempt("users", _users, "run: hydroml create_user NAME --admin"),
            *checks.machine_checks(container().settings(), WEB / "static"),
        ]
        faults = [check for check in found if not check.ok]
        lines = []
        for check in faults if options["quiet"] else found:
            lines.append(f"{'ok    ' if check.ok else 'FAULT '} {check.name}: {check.detail}")
            if not check.ok:
                lines.append(f"        → {check.remedy}")
        self.tell("\n".join(lines), {"ok": not faults, "checks": [asdict(check) for check in found]})
        if faults:
            raise CommandError(f"{len(faults)} fault{'' if len(faults) == 1 else 's'} found")


def _schema() -> str:
    """Nothing is left to migrate."""
    executor = MigrationExecutor(connections["default"])
    left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if left:
        raise RuntimeError(f"{len(left)} migrations of the accounts are missing")
    return "up to date"


def _users() -> str:
    """Somebody can administer the installation."""
    total = User.objects.filter(is_active=True).count()
    if not User.objects.filter(is_active=True, is_superuser=True).exists():
        raise RuntimeError("there is no administrator")
    return f"{total:,}"
