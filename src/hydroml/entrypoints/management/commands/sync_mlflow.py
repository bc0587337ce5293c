"""Brings MLflow and HydroML in step at once."""

from typing import Any

from django.core.management.base import CommandParser

from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import acting_user, add_user_option, project_named
from hydroml.entrypoints.management.commands._base import HydromlCommand


class Command(HydromlCommand):
    """The scheduler does most of it every minute; this also finds old runs that were changed past HydroML."""

    help = "Record in MLflow what waits for it, and read all runs that others logged there."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", metavar="NAME", help="only the runs logged into this one (name or id)")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        recorded = 0
        while done := container().tracking().sync():
            recorded += done
        container().logged_runs().gather()
        user = acting_user(options["user"])
        if options["project"] is not None:
            projects = [project_named(user, options["project"])]
        else:
            mine = container().projects().list(user, Listing(limit=MAX_LIMIT)).items
            projects = [summary.project for summary in mine]
        read = sum(container().logged_runs().look_through(project.id) for project in projects)
        self.tell(
            f"{recorded:,} records sent to MLflow; {read:,} logged runs were new or had changed.",
            {"recorded": recorded, "read": read},
        )
