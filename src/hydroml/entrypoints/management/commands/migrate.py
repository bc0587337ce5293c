"""Brings both parts of the database up to date."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import migrate as django_migrate
from django.db import connection

from hydroml.adapters.persistence.migrations import create_database_if_missing
from hydroml.adapters.persistence.migrations import migrate as migrate_ours
from hydroml.domain.errors import UnavailableError
from hydroml.entrypoints.management.commands._base import HydromlCommand

_LOCK = 0x6879_6472_6F6E  # any number but Alembic's, as long as it is always this one


class Command(HydromlCommand):
    """Django's tables first, then ours: an order that never changes, behind a lock."""

    autodetector = django_migrate.Command.autodetector  # Django's checks ask for it; Celery runs them
    help = "Bring the database up to date: identity (Django), then everything else (Alembic). Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-input", action="store_true", help="accepted for scripts; nothing is ever asked")

    def perform(self, **options: Any) -> None:
        ours = settings.HYDROML
        with connection.cursor() as cursor:  # two processes that start at once must not both create tables
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            try:
                call_command(django_migrate.Command(), interactive=False, verbosity=0)
                migrate_ours(ours.database_url)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        self._tracking_database(ours.database_url, ours.mlflow_tracking_uri)
        self.tell("The database is up to date.", {"migrated": True})

    def _tracking_database(self, database_url: str, tracking_uri: str) -> None:
        """MLflow's store lives beside ours unless the settings say otherwise, and makes its tables itself."""
        ours, theirs = urlsplit(database_url), urlsplit(tracking_uri)
        if not theirs.scheme.startswith("postgresql") or (ours.netloc, ours.query) != (theirs.netloc, theirs.query):
            return
        try:
            create_database_if_missing(database_url, theirs.path.lstrip("/"))
        except UnavailableError as error:
            self.note(f"MLflow's database has to be made by hand: {error}")
