"""Makes the sample project."""

from argparse import ArgumentParser
from typing import Any

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import JobCommand, acting_user, add_user_option


class Command(JobCommand):
    """Asked again, it adds only what is missing."""

    help = "Create the sample project, with generated data; can be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_user_option(parser)
        parser.add_argument("--no-wait", action="store_true", help="leave the imports to a worker")

    def perform(self, **options: Any) -> None:
        project, jobs = container().demo().create(acting_user(options["user"]))
        if not options["no_wait"]:
            jobs = [self.finish(job) for job in jobs]
        done = f"{len(jobs)} tables {'queued' if options['no_wait'] else 'imported'}" if jobs else "all of it was there"
        document = {"project_id": project.id, "name": project.name, "jobs": [job.id for job in jobs]}
        self.tell(f"“{project.name}” ({project.id}): {done}.", document)
