"""Trains a model from a specification."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from hydroml.application.documents import read_specification
from hydroml.application.ports.repositories import MAX_LIMIT, Listing
from hydroml.domain.projects import Project, UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import JobCommand, acting_user, add_user_option, project_named
from hydroml.entrypoints.management.commands._base import FAILED, WRONG_USE


class Command(JobCommand):
    """The specification may name a `source` in place of a `version_id`: its current version is meant then."""

    help = "Create an experiment from a JSON specification and run it; prints the run's id and metrics."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("specification", metavar="SPEC.json", type=Path)
        parser.add_argument("--project", metavar="NAME", required=True, help="name or id")
        parser.add_argument("--wait", action="store_true", help="until the run has ended")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        document = _read(options["specification"])
        user = acting_user(options["user"])
        project = project_named(user, options["project"])
        if "source" in document and "version_id" not in document:
            document["version_id"] = _current_version(user, project, str(document.pop("source")))
        specification = read_specification(document)
        experiment = container().experiments().create(user, project.id, specification).experiment
        run, job = container().runs().request(user, experiment.id)
        result: dict[str, Any] = {"run_id": run.id, "experiment_id": experiment.id, "job_id": job.id}
        if not options["wait"]:
            self.tell(f"run {run.id} is queued as job {job.id}", result)
            return
        self.finish(job)
        outcome, _ = container().runs().get(user, run.id).run.result()
        parts = {"test": outcome.metrics.get("test", {}), "train": outcome.metrics.get("train", {})}
        lines = [f"run {run.id} ({outcome.problem}, {outcome.split} split)"]
        for part, metrics in (parts | outcome.baselines).items():
            lines.append(f"  {part:>14}  " + "  ".join(f"{name} {value:.6g}" for name, value in metrics.items()))
        self.tell("\n".join(lines), result | {"metrics": parts | {"baselines": outcome.baselines}})


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", returncode=WRONG_USE) from None
    except ValueError as error:
        raise CommandError(f"{file} is not JSON: {error}", returncode=WRONG_USE) from None
    if not isinstance(document, dict):
        raise CommandError(f"{file} holds no JSON object", returncode=WRONG_USE)
    return document


def _current_version(user: UserId, project: Project, name: str) -> str:
    found = container().sources().list(user, project.id, Listing(limit=MAX_LIMIT, search=name)).items
    matching = [detail for detail in found if name in (detail.source.name, str(detail.source.id))]
    if len(matching) != 1 or matching[0].current is None:
        reason = "is not ready" if matching else "does not exist"
        raise CommandError(f"the data source “{name}” {reason} in “{project.name}”", returncode=FAILED)
    return str(matching[0].current.id)
