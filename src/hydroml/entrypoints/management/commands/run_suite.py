"""Runs a suite from a document."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from hydroml.application.documents import read_plan, read_specification
from hydroml.application.suites import NewSuite, SuiteDetail
from hydroml.domain.experiments.runs import RunStatus, SuiteId
from hydroml.domain.experiments.suites import SuiteStatus
from hydroml.domain.jobs import JobId, JobState
from hydroml.domain.projects import UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import (
    JobCommand,
    acting_user,
    add_user_option,
    current_version,
    project_named,
    read_document,
    wait_for,
)
from hydroml.entrypoints.management.commands._base import WRONG_USE

FIELDS = {"specification", "plan", "name", "metric", "parallel", "seconds"}


class Command(JobCommand):
    """The document is that of `POST /projects/{id}/suites`; its specification may name a `source` in place of a
    `version_id`."""

    help = "Create a suite (sweep, comparison, …) from a JSON document and run it; prints the best trial."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("document", metavar="SUITE.json", type=Path)
        parser.add_argument("--project", metavar="NAME", required=True, help="name or id")
        parser.add_argument("--wait", action="store_true", help="until the suite has ended")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        document = read_document(options["document"])
        missing, unknown = {"specification", "plan"} - document.keys(), document.keys() - FIELDS
        if missing or unknown:
            words = f"lacks {', '.join(sorted(missing))}" if missing else f"has unknown {', '.join(sorted(unknown))}"
            raise CommandError(f"the document {words}", returncode=WRONG_USE)
        user = acting_user(options["user"])
        project = project_named(user, options["project"])
        specification = dict(document.pop("specification"))
        if "source" in specification and "version_id" not in specification:
            specification["version_id"] = current_version(user, project, str(specification.pop("source")))
        wanted = NewSuite(of=read_specification(specification), plan=read_plan(document.pop("plan")), **document)
        suite = container().suites().create(user, project.id, wanted).suite
        _, job = container().suites().start(user, suite.id)
        result: dict[str, Any] = {"suite_id": suite.id, "experiment_id": suite.experiment_id, "job_id": job.id}
        if not options["wait"]:
            self.tell(f"suite {suite.id} is queued as job {job.id}", result)
            return
        wait_for(user, job.id, self.note, lambda job: job.state.is_final or job.is_handed_over)
        detail = self._ended(user, suite.id)
        done = container().jobs().get(user, job.id)
        if done.state is not JobState.SUCCEEDED:
            raise CommandError(f"suite {detail.suite.status}: {detail.suite.error or done.error or 'no reason given'}")
        self.tell(*_told(detail, result))

    def _ended(self, user: UserId, suite_id: SuiteId) -> SuiteDetail:
        """The suite once it does not run any more; without a worker, its trials are done in this process."""
        while True:
            detail = container().suites().get(user, suite_id)
            if detail.suite.status is not SuiteStatus.RUNNING:
                return detail
            for trial in detail.trials:
                if not trial.has_ended and trial.job_id is not None:
                    wait_for(user, JobId(trial.job_id), self.note)


def _told(detail: SuiteDetail, result: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    suite, best = detail.suite, detail.best
    good = sum(trial.status is RunStatus.SUCCEEDED for trial in detail.trials)
    lines = [f"suite {suite.id}: {len(detail.trials)} trials, {good} succeeded"]
    estimate = suite.estimate(detail.trials)
    if estimate is not None:
        spread = "" if estimate.deviation is None else f" ± {estimate.deviation:.3g}"
        lines.append(f"  {suite.metric} {estimate.mean:.6g}{spread} on {len(estimate.scores)} test parts")
        if estimate.optimistic is not None:
            lines.append(f"  {suite.metric} {estimate.optimistic:.6g} on the folds that chose: without nesting")
        for choice in estimate.choices:
            values = "  ".join(f"{name} {value}" for name, value in choice.trial.values.items())
            lines.append(f"  {choice.score:.6g}  {values}")
        told: dict[str, Any] = {
            "mean": estimate.mean,
            "deviation": estimate.deviation,
            "scores": list(estimate.scores),
            "optimistic": estimate.optimistic,
        }
        return "\n".join(lines), result | {"estimate": told}
    if best is None:
        lines.append("  no trial has a score within the limits")
        return "\n".join(lines), result | {"best": None}
    score, test = suite.score(best), best.metrics.get("test", {}).get(suite.metric)
    values = "  ".join(f"{name} {value}" for name, value in best.values.items())
    lines += [f"  best: trial {best.number + 1}, run {best.run_id}", f"  {values}"]
    lines.append(f"  {suite.metric} {score:.6g} on the folds it was chosen by")
    if suite.judged_by == "validation" and test is not None:
        lines.append(f"  {suite.metric} {test:.6g} on the test part")
    told = {"run_id": best.run_id, "number": best.number, "values": dict(best.values), "score": score, "test": test}
    return "\n".join(lines), result | {"best": told}
