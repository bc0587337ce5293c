"""Suites: trials started as jobs, as many at a time as are wanted, until the plan is done."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from hydroml.application.access import experiment_of, project_of, suite_of
from hydroml.application.activity import tell
from hydroml.application.experiments import version_in
from hydroml.application.jobs import JobSender
from hydroml.application.notifications import tell_end
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.learning import TrainingTask
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.searching import Searcher
from hydroml.application.ports.storage import BlobStore
from hydroml.application.preflight import PreflightService
from hydroml.domain.errors import DomainError, Fault, InvalidInputError, NotFoundError
from hydroml.domain.experiments.plans import Basis, CrossValidation, Nested, Plan, Selection, Sweep
from hydroml.domain.experiments.runs import (
    Experiment,
    ExperimentId,
    PrunedError,
    Run,
    RunId,
    RunStatus,
    SuiteId,
    Variation,
)
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.experiments.suites import (
    MAIN_METRICS,
    Suite,
    SuiteNotFoundError,
    SuiteStateError,
    SuiteStatus,
    Trial,
    metric_faults,
)
from hydroml.domain.jobs import Job, JobId, JobKind, JobStateError, Subject
from hydroml.domain.projects import NAME_LENGTH, ProjectId, Role, UserId

logger = logging.getLogger(__name__)

VALIDATION = 3
"""Folds within the training part, unless the specification says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSuite:
    """What somebody asks for."""

    of: ExperimentId | Specification
    """An experiment as it is now, or what becomes one."""
    plan: Plan
    name: str = ""
    """Empty: the experiment's, with the kind of plan."""
    metric: str | None = None
    """None: the main one for the problem."""
    parallel: int = 2
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SuiteDetail:
    suite: Suite
    trials: tuple[Trial, ...] = ()
    spent: float = 0.0
    """Seconds of running so far."""

    @property
    def best(self) -> Trial | None:
        return self.suite.best(self.trials)


class SuiteService:
    """What people see of suites, and how they make, start and stop one."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        preflight: PreflightService,
        searcher: Searcher,
        sender: JobSender,
        clock: Clock,
    ) -> None:
        self._uow, self._preflight, self._searcher = uow, preflight, searcher
        self._sender, self._clock = sender, clock

    def create(self, user: UserId, project_id: ProjectId, wanted: NewSuite) -> SuiteDetail:
        """Raises InvalidInputError that names every fault."""
        with self._uow() as uow:
            project_of(uow, user, project_id, Role.EDITOR)
            experiment = self._experiment(uow, user, project_id, wanted.of)
            version = version_in(uow, user, experiment.specification, project_id)
        base = _judged(experiment.specification, wanted.plan)
        checked = self._preflight.check(base, version)
        if checked.problem is None or checked.faults:
            raise InvalidInputError(checked.faults[0].msg, tuple(_within("specification", f) for f in checked.faults))
        basis = Basis(base, checked.problem, version.columns)
        if isinstance(wanted.plan, Nested):
            base = replace(base, split=wanted.plan.divided(base.split, basis.split))
            faults = self._preflight.check(base, version).faults
            if faults:
                raise InvalidInputError(faults[0].msg, tuple(_within("specification", f) for f in faults))
        plan = wanted.plan.resolved(basis)
        metric = wanted.metric or MAIN_METRICS[checked.problem]
        faults = (
            *metric_faults(metric, checked.problem),
            *(_within("plan", fault) for fault in plan.faults(basis)),
        )
        if faults:
            raise InvalidInputError(faults[0].msg if len(faults) == 1 else f"{len(faults)} things are wrong", faults)
        now = self._clock()
        suite = Suite(
            id=SuiteId(uuid4()),
            project_id=project_id,
            experiment_id=experiment.id,
            name=wanted.name or f"{experiment.name}: {plan.kind.replace('_', ' ')}"[:NAME_LENGTH],
            # Hydrology's are computed by name where there is no time column.
            specification=replace(base, metrics=tuple(dict.fromkeys((*base.metrics, metric)))),
            plan=plan,
            metric=metric,
            parallel=wanted.parallel,
            seconds=wanted.seconds,
            created_by=user,
            created_at=now,
        )
        with self._uow() as uow:
            if isinstance(wanted.of, Specification):
                uow.experiments.add(experiment)
                tell(uow, user, "created", experiment, now)
            uow.suites.add(suite)
            tell(uow, user, "created", suite, now)
            uow.commit()
        return SuiteDetail(suite)

    def _experiment(
        self, uow: UnitOfWork, user: UserId, project_id: ProjectId, of: ExperimentId | Specification
    ) -> Experiment:
        if isinstance(of, Specification):
            return Experiment(
                id=ExperimentId(uuid4()),
                project_id=project_id,
                specification=of,
                created_by=user,
                created_at=self._clock(),
            )
        try:
            experiment = experiment_of(uow, user, of)
        except NotFoundError:
            raise _no_experiment() from None
        if experiment.project_id != project_id:
            raise _no_experiment()
        return experiment

    def get(self, user: UserId, suite_id: SuiteId) -> SuiteDetail:
        with self._uow() as uow:
            return self._detail(uow, suite_of(uow, user, suite_id))

    def list(self, user: UserId, project_id: ProjectId, listing: Listing) -> Slice[SuiteDetail]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            found = uow.suites.of_project(project_id, listing)
            items = tuple(self._detail(uow, suite) for suite in found.items)
        return Slice(items, found.next_cursor, found.total)

    def _detail(self, uow: UnitOfWork, suite: Suite) -> SuiteDetail:
        return SuiteDetail(suite, tuple(uow.runs.trials(suite.id)), suite.elapsed(self._clock()))

    def start(self, user: UserId, suite_id: SuiteId) -> tuple[SuiteDetail, Job]:
        """For the first time, or where it was stopped: trials that were cancelled run again. Raises SuiteStateError
        when it runs or has come to its end."""
        now = self._clock()
        again = []
        with self._uow() as uow:
            suite = suite_of(uow, user, suite_id, Role.EDITOR)
            job = Job(
                id=JobId(uuid4()),
                kind=JobKind.SUITE,
                requested_by=user,
                project_id=suite.project_id,
                subject=Subject("suite", suite.id, suite.name),
                created_at=now,
            )
            suite.start(job.id, now)
            for trial in uow.runs.trials(suite_id):
                if not trial.has_ended:
                    raise SuiteStateError(f"trial {trial.number + 1} is still being stopped; try again in a moment")
                if trial.status is RunStatus.CANCELLED:
                    again.append(_queue_again(uow, trial))
            uow.suites.save(suite)
            uow.jobs.add(job)
            tell(uow, user, "started", suite, now)
            uow.commit()
        for job_id in (*again, job.id):
            self._sender.send(job_id)
        return self.get(user, suite_id), job

    def running_job(self, user: UserId, suite_id: SuiteId) -> JobId:
        """The job to cancel in order to stop the suite. Raises SuiteStateError when it does not run."""
        with self._uow() as uow:
            suite = suite_of(uow, user, suite_id, Role.EDITOR)
        if suite.status is not SuiteStatus.RUNNING or suite.job_id is None:
            raise SuiteStateError(f"suite “{suite.name}” is {suite.status}")
        return JobId(suite.job_id)

    def delete(self, user: UserId, suite_id: SuiteId) -> None:
        """Removes the suite with its runs. Raises ConflictError while a model is made from one of them, and
        SuiteStateError while it runs."""
        with self._uow() as uow:
            suite = suite_of(uow, user, suite_id, Role.EDITOR)
            if suite.status is SuiteStatus.RUNNING:
                raise SuiteStateError(f"suite “{suite.name}” is running; stop it first")
            uow.suites.delete(suite_id)
            tell(uow, user, "deleted", suite, self._clock())
            uow.commit()
        try:
            self._searcher.forget(suite_id)
        except DomainError:
            logger.warning("what was searched in suite %s could not be forgotten", suite_id, exc_info=True)


class SuiteHandler:
    """The handler of suite: its job is handed over to the trials, the last of which ends it."""

    def __init__(
        self, *, uow: UnitOfWorkFactory, searcher: Searcher, blobs: BlobStore, sender: JobSender, clock: Clock
    ) -> None:
        self._uow, self._searcher, self._blobs = uow, searcher, blobs
        self._sender, self._clock = sender, clock

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any] | None:
        monitor.report(None, "starting")
        suite_id = SuiteId(job.subject_id)
        self._advance(suite_id)
        with self._uow() as uow:
            suite = uow.suites.get(suite_id)
            if suite.status is SuiteStatus.FAILED:
                raise SuiteStateError(suite.error or "")
            return None if suite.status is SuiteStatus.RUNNING else _result(suite, uow.runs.trials(suite_id))

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        """Trials that run are cancelled: they begin anew when the suite is started again."""
        now = self._clock()
        try:
            suite = uow.suites.get(SuiteId(job.subject_id))
        except SuiteNotFoundError:
            return  # it went with its project
        if suite.status is not SuiteStatus.RUNNING or suite.job_id != job.id:
            return
        suite.stop(now, job.error)
        uow.suites.save(suite)
        for trial in uow.runs.trials(suite.id):
            if not trial.has_ended and trial.job_id is not None:
                _cancel(uow, trial, now)
        tell(uow, job.requested_by, "stopped", suite, now, job.error or "")

    def clean(self, job: Job) -> None:
        """There is nothing outside the database."""

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:  # noqa: ARG002 - it never is
        raise JobStateError("start the suite again instead")

    def task_of(self, run: Run, task: TrainingTask) -> TrainingTask:
        """As the run's suite wants it: what it calls after each fold raises PrunedError once the trial is given up."""
        variation = run.variation
        if variation is None:
            return task
        with self._uow() as uow:
            suite = uow.suites.get(variation.suite_id)
        task = replace(task, thorough=False)
        if isinstance(suite.plan, Selection):
            return replace(task, explain_within=suite.plan.needs_importance)
        if not isinstance(suite.plan, Sweep) or not suite.plan.prune:
            return task

        def on_fold(fold: int, metrics: Mapping[str, float]) -> None:
            score = metrics.get(suite.metric)
            if score is not None and self._searcher.gives_up(suite, variation.number, fold, score):
                raise PrunedError

        return replace(task, on_fold=on_fold)

    def trial_ended(self, run: Run) -> None:
        """Whatever goes wrong here, the scheduler makes up for it."""
        if run.variation is not None:
            try:
                self._advance(run.variation.suite_id)
            except Exception:
                logger.warning("suite %s waits for the scheduler", run.variation.suite_id, exc_info=True)

    def nudge(self) -> int:
        """Sends the jobs of suites that stand still, as when a worker died between two trials; gives how many."""
        now, still = self._clock(), []
        with self._uow() as uow:
            for job in uow.jobs.active():
                if job.kind is JobKind.SUITE and job.is_handed_over:
                    trials = uow.runs.trials(SuiteId(job.subject_id))
                    if all(trial.has_ended for trial in trials) or (
                        uow.suites.get(SuiteId(job.subject_id)).wanted(trials, now) > 0
                    ):
                        still.append(job.id)
        for job_id in still:
            self._sender.send(job_id)
        return len(still)

    def forget_gone(self) -> int:
        """Removes what was searched for suites that went with their project or experiment; gives how many."""
        gone = []
        for suite_id in self._searcher.known():
            try:
                with self._uow() as uow:
                    uow.suites.get(suite_id)
            except SuiteNotFoundError:
                gone.append(suite_id)
        for suite_id in gone:
            self._searcher.forget(suite_id)
        return len(gone)

    def _advance(self, suite_id: SuiteId) -> None:
        """Starts as many trials as there is room for, or ends the suite.

        The lock on the suite's job keeps others from doing the same; so the searcher is asked within the transaction,
        which takes some milliseconds.
        """
        started: list[JobId] = []
        with self._uow() as uow:
            job_id = uow.suites.get(suite_id).job_id
            if job_id is None:
                return
            job = uow.jobs.get_for_update(JobId(job_id))
            suite = uow.suites.get(suite_id)
            if suite.job_id != job.id or suite.status is not SuiteStatus.RUNNING or job.cancel_requested:
                return
            trials, now = list(uow.runs.trials(suite_id)), self._clock()
            for _ in range(suite.wanted(trials, now)):
                run = self._next(uow, suite, trials, now)
                if run is None:
                    break
                uow.runs.add(run)
                uow.jobs.add(_job_of(run, suite))
                started.append(JobId(run.job_id or uuid4()))
                trials.append(Trial.of(run))
            if isinstance(suite.plan, Sweep):
                suite.importance = dict(self._searcher.importance(suite, trials))
            if all(trial.has_ended for trial in trials):
                suite.finish(trials, now)
                tell(uow, suite.created_by, "finished", suite, now, suite.error or "")
            uow.suites.save(suite)
            self._tell_job(uow, job, suite, trials, now)
            uow.commit()
        for sent in started:
            self._sender.send(sent)

    def _next(self, uow: UnitOfWork, suite: Suite, trials: list[Trial], now: datetime) -> Run | None:
        if isinstance(suite.plan, Sweep):
            proposal = self._searcher.propose(suite, trials)
            if proposal is None:
                return None
            number, values = proposal.number, dict(proposal.values)
            specification = suite.plan.varied(suite.specification, values)
        elif isinstance(suite.plan, Nested):
            search = suite.search(trials)
            if search is None:
                return None
            within, known, place = search
            number, values = len(trials), place | dict(self._searcher.suggest(within, known))
            specification = suite.plan.varied(suite.specification, values)
        else:
            variant = suite.upcoming(trials, self._importance(uow, suite, trials))
            if variant is None:
                return None
            number, values, specification = len(trials), variant.values, variant.specification
        ending = f", trial {number + 1}"
        name = suite.name[: NAME_LENGTH - len(ending)] + ending
        return Run(
            id=RunId(uuid4()),
            experiment_id=suite.experiment_id,
            project_id=suite.project_id,
            specification=replace(specification, name=name),
            variation=Variation(suite.id, number, values),
            job_id=JobId(uuid4()),
            created_by=suite.created_by,
            created_at=now,
        )

    def _importance(self, uow: UnitOfWork, suite: Suite, trials: list[Trial]) -> dict[int, dict[str, float]]:
        """Of the features, by the number of the trial; where the split is in folds, no row is kept from choices."""
        if not isinstance(suite.plan, Selection) or not suite.plan.needs_importance:
            return {}
        found = {}
        for trial in trials:
            if trial.status is RunStatus.SUCCEEDED:
                artifacts = uow.runs.get(trial.run_id).artifacts
                key = artifacts.get("importance_within" if suite.judged_by == "validation" else "importance")
                if key is not None:
                    with self._blobs.open(key) as blob:
                        items = json.loads(blob.read())["items"]
                    found[trial.number] = {item["feature"]: float(item["mean"]) for item in items}
        return found

    def _tell_job(self, uow: UnitOfWork, job: Job, suite: Suite, trials: list[Trial], now: datetime) -> None:
        ended, most = sum(trial.has_ended for trial in trials), suite.plan.most(suite.specification)
        job.report(job.worker, progress=ended / most, phase="trials", message=f"{ended:,} of {most:,} trials")
        if job.worker is None and suite.status is SuiteStatus.SUCCEEDED:
            job.succeed(None, _result(suite, trials), now)
            tell_end(uow, job, now)
        elif job.worker is None and suite.status is SuiteStatus.FAILED:
            job.fail(suite.error or "", now)
            tell_end(uow, job, now)
        uow.jobs.save(job)


def _no_experiment() -> InvalidInputError:
    return InvalidInputError.at("experiment_id", msg="there is no such experiment", code="unknown_experiment")


def _judged(specification: Specification, plan: Plan) -> Specification:
    """With folds to judge trials by, so that the test part is left for the winner."""
    if isinstance(plan, Nested) or (isinstance(plan, CrossValidation) and not plan.candidates):
        return specification
    split = specification.split
    if split.validation or (split.kind is not None and split.kind.is_folded):
        return specification
    return replace(specification, split=replace(split, validation=VALIDATION))


def _within(place: str, fault: Fault) -> Fault:
    return replace(fault, loc=(place, *fault.loc))


def _result(suite: Suite, trials: Any) -> dict[str, Any]:
    best = suite.best(trials)
    return {"suite_id": str(suite.id), "best_run_id": None if best is None else str(best.run_id)}


def _job_of(run: Run, suite: Suite) -> Job:
    return Job(
        id=JobId(run.job_id or uuid4()),
        kind=JobKind.TRAIN,
        payload={"suite_id": str(suite.id)} | run.job_settings,
        requested_by=suite.created_by,
        project_id=suite.project_id,
        subject=Subject("run", run.id, run.specification.name),
        created_at=run.created_at,
    )


def _cancel(uow: UnitOfWork, trial: Trial, now: datetime) -> None:
    job = uow.jobs.get_for_update(JobId(trial.job_id or uuid4()))
    held, ended = job.worker is not None, job.state.is_final
    if ended:
        return
    job.request_cancel(now)
    uow.jobs.save(job)
    if not held:
        run = uow.runs.get_for_update(trial.run_id)
        run.cancel(now)
        uow.runs.save(run)


def _queue_again(uow: UnitOfWork, trial: Trial) -> JobId:
    job = uow.jobs.get_for_update(JobId(trial.job_id or uuid4()))
    job.retry()
    uow.jobs.save(job)
    run = uow.runs.get_for_update(trial.run_id)
    run.queue_again(job.id)
    uow.runs.save(run)
    return job.id
