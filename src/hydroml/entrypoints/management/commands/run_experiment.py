"""Trains a model from a specification."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from hydroml.application.documents import read_specification
from hydroml.application.preflight import Preflight
from hydroml.domain.experiments.cost import in_bytes
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import (
    JobCommand,
    acting_user,
    add_user_option,
    current_version,
    project_named,
    read_document,
)


class Command(JobCommand):
    """The specification may name a `source` in place of a `version_id`: its current version is meant then."""

    help = "Create an experiment from a JSON specification and run it; prints the run's id and metrics."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("specification", metavar="SPEC.json", type=Path)
        parser.add_argument("--project", metavar="NAME", required=True, help="name or id")
        parser.add_argument("--wait", action="store_true", help="until the run has ended")
        parser.add_argument("--check", action="store_true", help="say what stands against it and what it takes, only")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        document = read_document(options["specification"])
        user = acting_user(options["user"])
        project = project_named(user, options["project"])
        if "source" in document and "version_id" not in document:
            document["version_id"] = current_version(user, project, str(document.pop("source")))
        specification = read_specification(document)
        if options["check"]:
            self._check(container().preflight().ask(user, project.id, specification))
            return
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

    def _check(self, checked: Preflight) -> None:
        lines = [f"{'.'.join(map(str, fault.loc))}: {fault.msg}" for fault in checked.faults]
        if lines:
            raise CommandError("\n".join(lines))
        lines = [f"{checked.training_rows:,} rows train, {checked.test_rows:,} test"]
        lines += [f"doubtful: {doubt.msg}" for doubt in checked.warnings]
        estimate = checked.estimate
        if estimate is not None:
            lines.append(f"takes about {in_bytes(estimate.memory_bytes)} of memory, {estimate.words}")
        self.tell(
            "\n".join(lines),
            {
                "warnings": [asdict(doubt) for doubt in checked.warnings],
                "estimate": None if estimate is None else asdict(estimate),
            },
        )
