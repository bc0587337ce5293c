"""Suites: many runs of one experiment, and the best of them."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field, WithJsonSchema

from hydroml.application.documents import plan_schema, read_plan, read_specification, write_plan, write_specification
from hydroml.application.suites import NewSuite, SuiteDetail
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.metrics import Better
from hydroml.domain.experiments.plans import Plan
from hydroml.domain.experiments.runs import ExperimentId, RunStatus, SuiteId
from hydroml.domain.experiments.suites import Estimate, Suite, SuiteStatus, Trial
from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import ListingIn, Page, at_job, inlined, page
from hydroml.entrypoints.web.api.experiments import SpecificationDocument
from hydroml.entrypoints.web.api.jobs import JobOut

router = Router(tags=["suites"])

PlanDocument = Annotated[dict[str, Any], WithJsonSchema(inlined(plan_schema()))]


class SuiteIn(Schema):
    """What is to be tried, of an experiment that is there, or of a specification that becomes one."""

    experiment_id: UUID | None = None
    specification: SpecificationDocument | None = None
    plan: PlanDocument
    name: str = Field("", max_length=200, description="Empty: the experiment's, with the kind of plan.")
    metric: str | None = Field(None, description="What trials are compared by; the main one for the problem if null.")
    parallel: int = Field(2, description="Most trials at the same time.")
    seconds: float | None = Field(None, description="No trial starts after so long a time of running.")


class TrialOut(Schema):
    """One of a suite's runs."""

    number: int
    run_id: UUID
    job_id: UUID | None
    status: RunStatus
    values: dict[str, Any] = Field(description="What was varied.")
    score: float | None = Field(description="By the suite's metric, on the rows it judges by.")
    within_limits: bool
    seconds: float | None
    model_bytes: int | None
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, suite: Suite, trial: Trial) -> "TrialOut":
        succeeded = trial.status is RunStatus.SUCCEEDED
        return cls(
            number=trial.number,
            run_id=trial.run_id,
            job_id=trial.job_id,
            status=trial.status,
            values=dict(trial.values),
            score=suite.score(trial),
            within_limits=suite.is_feasible(trial),
            seconds=trial.seconds if succeeded else None,
            model_bytes=trial.model_bytes if succeeded else None,
            error=trial.error,
            started_at=trial.started_at,
            finished_at=trial.finished_at,
        )


class BestOut(TrialOut):
    """The best trial; the test part of its split, if there is one, has judged no choice."""

    test_score: float | None = None


class ChoiceOut(Schema):
    """What was chosen in one division of the rows: its score on the folds that chose it, and on the part that tests."""

    number: int
    run_id: UUID
    values: dict[str, Any]
    chosen_by: float | None
    score: float


class EstimateOut(Schema):
    """What a study says: the score on the test part of each division of the rows, and their mean and spread."""

    mean: float
    deviation: float | None
    scores: list[float]
    optimistic: float | None = Field(
        description="The mean score on the folds that chose, as a search without nesting would tell it."
    )
    choices: list[ChoiceOut]

    @classmethod
    def of(cls, estimate: Estimate) -> "EstimateOut":
        return cls(
            mean=estimate.mean,
            deviation=estimate.deviation,
            scores=list(estimate.scores),
            optimistic=estimate.optimistic,
            choices=[
                ChoiceOut(
                    number=c.trial.number,
                    run_id=c.trial.run_id,
                    values=dict(c.trial.values),
                    chosen_by=c.chosen_by,
                    score=c.score,
                )
                for c in estimate.choices
            ],
        )


class CountsOut(Schema):
    """Trials by how they have ended; `most` is how many there can be."""

    most: int
    waiting: int
    running: int
    succeeded: int
    failed: int
    pruned: int
    cancelled: int


class SuiteOut(Schema):
    """A suite; its trials where one suite is asked for."""

    id: UUID
    project_id: UUID
    experiment_id: UUID
    name: str
    status: SuiteStatus
    error: str | None
    specification: SpecificationDocument
    plan: PlanDocument
    metric: str
    better: Better
    judged_by: str = Field(
        description="`validation`: folds within the training part; `test`: the split's own folds, on which the best "
        "trial's score is the kindest of many."
    )
    parallel: int
    seconds: float | None
    spent: float = Field(description="Seconds of running so far.")
    importance: dict[str, float] = Field(description="Of what is varied, for the score; together 1.")
    counts: CountsOut
    best: BestOut | None
    estimate: EstimateOut | None = Field(description="A study's, in place of a best trial.")
    trials: list[TrialOut]
    job_id: UUID | None
    created_by: UUID
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, detail: SuiteDetail, *, with_trials: bool = False) -> "SuiteOut":
        suite, best = detail.suite, detail.best
        estimate = suite.estimate(detail.trials)
        return cls(
            id=suite.id,
            project_id=suite.project_id,
            experiment_id=suite.experiment_id,
            name=suite.name,
            status=suite.status,
            error=suite.error,
            specification=write_specification(suite.specification),
            plan=write_plan(suite.plan),
            metric=suite.metric,
            better=suite.measure.better,
            judged_by=suite.judged_by,
            parallel=suite.parallel,
            seconds=suite.seconds,
            spent=round(detail.spent, 1),
            importance=suite.importance,
            counts=_counts(detail),
            best=None if best is None else _best(suite, best),
            estimate=None if estimate is None else EstimateOut.of(estimate),
            trials=[TrialOut.of(suite, trial) for trial in detail.trials] if with_trials else [],
            job_id=suite.job_id,
            created_by=suite.created_by,
            created_at=suite.created_at,
            started_at=suite.started_at,
            finished_at=suite.finished_at,
        )


class SuiteAccepted(Schema):
    """A suite, and the job that its trials carry on."""

    suite: SuiteOut
    job: JobOut = Field(description="Its Location is in the header.")


@router.get("/projects/{uuid:project_id}/suites", response=Page[SuiteOut])
def list_suites(request: HttpRequest, project_id: UUID, which: Query[ListingIn]) -> Any:
    """A project's suites, without their trials. Sort by `created_at` or `name`."""
    return page(container().suites().list(request.auth, ProjectId(project_id), which.listing()), SuiteOut)


@router.post("/projects/{uuid:project_id}/suites", response={201: SuiteOut})
def create_suite(request: HttpRequest, response: HttpResponse, project_id: UUID, body: SuiteIn) -> Status[SuiteOut]:
    """A suite that is ready to start; 422 names everything that stands in the way."""
    container().access().check(request.auth, "project", project_id)
    if (body.experiment_id is None) is (body.specification is None):
        raise InvalidInputError.at("experiment_id", msg="either experiment_id or specification", code="required")
    wanted = NewSuite(
        of=ExperimentId(body.experiment_id) if body.experiment_id else read_specification(body.specification),
        plan=_plan(body.plan),
        name=body.name,
        metric=body.metric,
        parallel=body.parallel,
        seconds=body.seconds,
    )
    detail = container().suites().create(request.auth, ProjectId(project_id), wanted)
    response["Location"] = f"/api/v1/suites/{detail.suite.id}"
    return Status(201, SuiteOut.of(detail))


@router.get("/suites/{uuid:suite_id}", response=SuiteOut)
def get_suite(request: HttpRequest, suite_id: UUID) -> SuiteOut:
    """A suite with its trials."""
    return SuiteOut.of(container().suites().get(request.auth, SuiteId(suite_id)), with_trials=True)


@router.post("/suites/{uuid:suite_id}/start", response={202: SuiteAccepted})
def start_suite(request: HttpRequest, response: HttpResponse, suite_id: UUID) -> Status[SuiteAccepted]:
    """For the first time, or where it was stopped; 409 while it runs, and once it has come to its end."""
    detail, job = container().suites().start(request.auth, SuiteId(suite_id))
    at_job(response, job.id)
    return Status(202, SuiteAccepted(suite=SuiteOut.of(detail, with_trials=True), job=JobOut.of(job)))


@router.post("/suites/{uuid:suite_id}/stop", response=SuiteOut)
def stop_suite(request: HttpRequest, suite_id: UUID) -> SuiteOut:
    """What runs is cancelled, and begins anew when the suite is started again; as cancelling the suite's job."""
    job_id = container().suites().running_job(request.auth, SuiteId(suite_id))
    container().jobs().cancel(request.auth, job_id)
    return SuiteOut.of(container().suites().get(request.auth, SuiteId(suite_id)), with_trials=True)


@router.delete("/suites/{uuid:suite_id}", response={204: None})
def delete_suite(request: HttpRequest, suite_id: UUID) -> Status[None]:
    """Removes it with its runs; 409 while it runs, or while a model is made from one of them."""
    container().suites().delete(request.auth, SuiteId(suite_id))
    return Status(204, None)


def _plan(document: dict[str, Any]) -> Plan:
    try:
        return read_plan(document)
    except InvalidInputError as error:
        faults = tuple(replace(fault, loc=("plan", *fault.loc)) for fault in error.faults)
        raise InvalidInputError(str(error), faults) from None


def _best(suite: Suite, trial: Trial) -> BestOut:
    test = trial.metrics.get("test", {}).get(suite.metric) if suite.judged_by == "validation" else None
    return BestOut(**TrialOut.of(suite, trial).model_dump(), test_score=test)


def _counts(detail: SuiteDetail) -> CountsOut:
    statuses = [trial.status for trial in detail.trials]
    return CountsOut(
        most=detail.suite.plan.most(detail.suite.specification),
        waiting=statuses.count(RunStatus.QUEUED),
        running=statuses.count(RunStatus.RUNNING),
        succeeded=statuses.count(RunStatus.SUCCEEDED),
        failed=statuses.count(RunStatus.FAILED),
        pruned=statuses.count(RunStatus.PRUNED),
        cancelled=statuses.count(RunStatus.CANCELLED),
    )
