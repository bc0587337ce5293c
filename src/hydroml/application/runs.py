"""Runs: an experiment carried out by a job, its result kept, and its record sent to the tracking server."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from time import monotonic
from typing import Any, BinaryIO
from uuid import uuid4

from hydroml.application.access import experiment_of, run_of
from hydroml.application.activity import tell
from hydroml.application.experiments import version_in
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.learning import Learner, Tracker, TrainingTask
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore, Scratch
from hydroml.application.preflight import PreflightService
from hydroml.application.projects import check_revision
from hydroml.application.suites import SuiteHandler
from hydroml.domain.errors import ConflictError, InvalidInputError, UnavailableError
from hydroml.domain.experiments.runs import (
    Experiment,
    ExperimentId,
    PrunedError,
    Run,
    RunId,
    RunNotFoundError,
    RunStatus,
)
from hydroml.domain.experiments.specification import Problem, Specification, SplitKind
from hydroml.domain.gallery import Publication
from hydroml.domain.jobs import Job, JobId, JobKind, JobState, Subject
from hydroml.domain.models import Model
from hydroml.domain.projects import Role, UserId

logger = logging.getLogger(__name__)

MOST_REFUSED = 3
"""After so many records that fail, the tracking server is taken for away."""


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with the models made from it, and the newest runs that divide its rows the other way and that repeat it."""

    run: Run
    models: tuple[Model, ...]
    twin: Run | None = None
    repeat: Run | None = None
    publication: Publication | None = None
    """Its place in the gallery."""


class RunService:
    """What people see of runs, and how they start one."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        preflight: PreflightService,
        blobs: BlobStore,
        sender: JobSender,
        clock: Clock,
    ) -> None:
        self._uow, self._preflight, self._blobs = uow, preflight, blobs
        self._sender, self._clock = sender, clock

    def request(self, user: UserId, experiment_id: ExperimentId) -> tuple[Run, Job]:
        """Raises InvalidInputError that names every fault pre-flight finds."""
        with self._uow() as uow:
            experiment = experiment_of(uow, user, experiment_id, Role.EDITOR)
        return self._start(user, experiment, experiment.specification)

    def divide_otherwise(self, user: UserId, run_id: RunId) -> tuple[Run, Job]:
        """Starts the same with its rows divided the other way: at random what kept time or groups whole, and in time or
        by group what was drawn at random. Both scores side by side show the price of random splitting.

        Raises RunStateError before the run has succeeded, ConflictError when it is being done or there is no other way.
        """
        with self._uow() as uow:
            run = run_of(uow, user, run_id, Role.EDITOR)
            outcome, _ = run.result()
            if _goes_on(twin for twin in uow.runs.made_from(run_id) if twin.twin_of):
                raise ConflictError("the other way is being scored already")
            experiment = uow.experiments.get(run.experiment_id)
        features = tuple(feature.name for feature in outcome.features)
        other = replace(run.specification, features=features, problem=Problem(outcome.problem))
        return self._start(user, experiment, other.divided_otherwise(SplitKind(outcome.split)), twin_of=run_id)

    def repeat(self, user: UserId, run_id: RunId) -> tuple[Run, Job]:
        """Starts it once more, to see whether the same comes out. Raises RunStateError before it has succeeded,
        ConflictError while it is being repeated."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id, Role.EDITOR)
            run.result()
            if _goes_on(again for again in uow.runs.made_from(run_id) if again.repeat_of):
                raise ConflictError("it is being repeated already")
            experiment = uow.experiments.get(run.experiment_id)
        return self._start(user, experiment, run.specification, repeat_of=run_id)

    def _start(
        self,
        user: UserId,
        experiment: Experiment,
        specification: Specification,
        *,
        twin_of: RunId | None = None,
        repeat_of: RunId | None = None,
    ) -> tuple[Run, Job]:
        with self._uow() as uow:
            version = version_in(uow, user, specification, experiment.project_id)
        checked = self._preflight.check(specification, version)
        if checked.faults:
            raise InvalidInputError(checked.faults[0].msg, checked.faults)
        now = self._clock()
        run_id, job_id = RunId(uuid4()), JobId(uuid4())
        run = Run(
            id=run_id,
            experiment_id=experiment.id,
            project_id=experiment.project_id,
            specification=specification,
            twin_of=twin_of,
            repeat_of=repeat_of,
            job_id=job_id,
            created_by=user,
            created_at=now,
        )
        job = Job(
            id=job_id,
            kind=JobKind.TRAIN,
            payload=run.job_settings,
            requested_by=user,
            project_id=experiment.project_id,
            subject=Subject("run", run_id, experiment.name),
            created_at=now,
        )
        with self._uow() as uow:
            uow.runs.add(run)
            uow.jobs.add(job)
            tell(uow, user, "started", run, now)
            uow.commit()
        self._sender.send(job_id)
        return run, job

    def get(self, user: UserId, run_id: RunId) -> RunDetail:
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
            made = uow.runs.made_from(run_id)
            twin = next((one for one in made if one.twin_of), None)
            repeat = next((one for one in made if one.repeat_of), None)
            return RunDetail(run, tuple(uow.models.of_run(run_id)), twin, repeat, uow.gallery.of_run(run_id))

    def of_experiment(self, user: UserId, experiment_id: ExperimentId, listing: Listing) -> Slice[Run]:
        with self._uow() as uow:
            experiment_of(uow, user, experiment_id)
            return uow.runs.of_experiment(experiment_id, listing)

    def mine(self, user: UserId, listing: Listing) -> Slice[Run]:
        """Runs of all the asker's projects."""
        with self._uow() as uow:
            return uow.runs.of_member(user, listing)

    def annotate(
        self,
        user: UserId,
        run_id: RunId,
        *,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        revision: int | None = None,
    ) -> RunDetail:
        """Tags and notes of a run, whatever its state; None keeps what is there."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id, Role.EDITOR)
            check_revision(run.revision, revision)
            run.annotate(tags, notes)
            uow.runs.save(run)
            tell(uow, user, "annotated", run, self._clock())
            uow.commit()
        return self.get(user, run_id)

    def artifact(self, user: UserId, run_id: RunId, name: str) -> bytes:
        """A JSON document of the run. Raises ArtifactNotFoundError."""
        with self._uow() as uow:
            key = run_of(uow, user, run_id).artifact(name)
        with self._blobs.open(key) as blob:
            return blob.read()

    def rows(self, user: UserId, run_id: RunId) -> tuple[Run, BinaryIO]:
        """The file of the rows it was judged on. Raises RunStateError before it has succeeded."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
        return run, self._blobs.open(run.judged().blob)


class TrainingHandler:
    """The handler of train."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        preflight: PreflightService,
        learner: Learner,
        tracking: "TrackingService",
        blobs: BlobStore,
        scratch: Scratch,
        suites: SuiteHandler,
        clock: Clock,
    ) -> None:
        self._uow, self._preflight, self._learner, self._tracking = uow, preflight, learner, tracking
        self._blobs, self._scratch, self._suites, self._clock = blobs, scratch, suites, clock

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        run_id = RunId(job.subject_id)
        with self._uow() as uow:
            run = uow.runs.get_for_update(run_id)
            version = uow.versions.get(run.specification.version_id)
            if not run.is_done:
                run.start(self._clock())
                uow.runs.save(run)
                uow.commit()
        if not run.is_done:
            checked = self._preflight.check(run.specification, version)
            if checked.problem is None:
                raise InvalidInputError(checked.faults[0].msg, checked.faults)
            with self._scratch.folder(_folder(job)) as folder, self._blobs.local(version.fingerprint) as file:
                task = TrainingTask(
                    file,
                    version.columns,
                    run.specification,
                    checked.features,
                    checked.problem,
                    enough=self._enough(job),
                    found=self._found(run),
                )
                try:
                    trained = self._learner.train(self._suites.task_of(run, task), folder, monitor.part(0, 0.9))
                except PrunedError as error:
                    monitor.log(str(error))
                    return self._pruned(run_id)
                monitor.report(0.9, "storing", "storing the model and its figures")
                artifacts = {name: self._blobs.add_bytes(data).key for name, data in trained.artifacts.items()}
                model = self._blobs.add(trained.model).key
                rows = self._blobs.add(trained.rows).key
            with self._uow() as uow:
                run = uow.runs.get_for_update(run_id)  # somebody may have written tags or notes meanwhile
                run.succeed(trained.outcome, artifacts, model, rows, self._clock())
                uow.runs.save(run)
                if run.variation is None:
                    tell(uow, job.requested_by, "finished", run, self._clock())
                uow.commit()
        self._suites.trial_ended(run)
        if run.status is RunStatus.PRUNED:
            return {"run_id": str(run_id)}
        monitor.report(0.95, "recording", "recording the run in MLflow")
        try:
            self._tracking.record(run_id)
        except UnavailableError as error:
            monitor.log(f"MLflow does not answer; the run will be recorded there later ({error})", "warning")
        return {"run_id": str(run_id)}

    def _found(self, run: Run) -> Mapping[str, Any] | None:
        """The leaderboard of the run that this one repeats: a search goes by the clock and would end elsewhere."""
        if run.repeat_of is None:
            return None
        with self._uow() as uow:
            key = uow.runs.get(run.repeat_of).artifacts.get("leaderboard")
        if key is None:
            return None
        with self._blobs.open(key) as blob:
            return dict(json.loads(blob.read()))

    def _enough(self, job: Job) -> Callable[[], bool]:
        """Whether somebody has asked for what there is; looked up once a second at most."""
        looked, asked = -inf, False

        def enough() -> bool:
            nonlocal looked, asked
            if job.can_finish and not asked and monotonic() - looked > 1:
                looked = monotonic()
                with self._uow() as uow:
                    asked = uow.jobs.get(job.id).finish_requested
            return asked

        return enough

    def _pruned(self, run_id: RunId) -> dict[str, Any]:
        with self._uow() as uow:
            run = uow.runs.get_for_update(run_id)
            run.prune(self._clock())
            uow.runs.save(run)
            uow.commit()
        self._suites.trial_ended(run)
        return {"run_id": str(run.id)}

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        run = uow.runs.get_for_update(RunId(job.subject_id))
        if job.state is JobState.CANCELLED:
            run.cancel(self._clock())
        else:
            run.fail(job.error or "", self._clock())
        uow.runs.save(run)
        if run.variation is None:
            tell(uow, job.requested_by, str(run.status), run, self._clock(), run.error or "")

    def clean(self, job: Job) -> None:
        self._scratch.remove(_folder(job))
        try:
            with self._uow() as uow:
                run = uow.runs.get(RunId(job.subject_id))
        except RunNotFoundError:
            return  # it went with its project
        self._suites.trial_ended(run)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        run = uow.runs.get_for_update(RunId(job.subject_id))
        run.queue_again(job.id)
        uow.runs.save(run)


class TrackingService:
    """Keeps the tracking server's record in step with ours, now or later."""

    def __init__(self, *, uow: UnitOfWorkFactory, tracker: Tracker, blobs: BlobStore) -> None:
        self._uow, self._tracker, self._blobs = uow, tracker, blobs

    def record(self, run_id: RunId) -> bool:
        """Whether there was anything to do; not while somebody else records the run: the worker that trained it, the
        scheduler, a command. Raises UnavailableError when the tracking server does not answer."""
        with self._uow() as claim:
            return claim.runs.claim(run_id) and self._record_alone(run_id)

    def _record_alone(self, run_id: RunId) -> bool:
        with self._uow() as uow:
            run = uow.runs.get(run_id)
            version = uow.versions.get(run.specification.version_id)
            project = uow.projects.get(run.project_id)
            suite = None if run.variation is None else uow.suites.get(run.variation.suite_id)
        if run.mlflow_run_id is not None and not run.mlflow_behind:
            return False
        _, model_blob = run.result()
        artifacts = {}
        for name, key in run.artifacts.items():
            with self._blobs.open(key) as blob:
                artifacts[name] = blob.read()
        with self._blobs.local(model_blob) as model:
            mlflow_run_id = self._tracker.record(run, version, project.name, artifacts, model)
        if suite is not None:
            self._tracker.nest(mlflow_run_id, suite)
        with self._uow() as uow:
            current = uow.runs.get_for_update(run_id)
            current.tracked_as(mlflow_run_id, run.revision)
            uow.runs.save(current)
            uow.commit()
        return True

    def sync(self, limit: int = 20) -> int:
        """Records what is not there yet, runs first, then model versions; gives how many it did."""
        with self._uow() as uow:
            runs = uow.runs.untracked(limit)
            models = uow.models.unmirrored(limit)
        done, refused = 0, 0
        records: list[Callable[[], int]] = [partial(self.record, run.id) for run in runs]
        records += [partial(self._mirror, model) for model in models]
        for record in records:
            try:
                done += record()
            except UnavailableError as error:
                refused += 1  # one that cannot be recorded must not keep the others back
                logger.warning("MLflow does not answer, records wait: %s", error)
                if refused == MOST_REFUSED:
                    break
        return done

    def _mirror(self, model: Model) -> int:
        with self._uow() as claim:
            return self._mirror_alone(claim.models.get(model.id)) if claim.models.claim(model.id) else 0

    def _mirror_alone(self, model: Model) -> int:
        """Tells of versions that are not there yet, or else of the last one: aliases and approvals go with either."""
        missing = [version for version in model.versions if version.mlflow_version is None]
        done, seen = 0, model.revision
        for version in missing or model.versions[-1:]:
            with self._uow() as uow:
                run = uow.runs.get(version.run_id)
            if run.mlflow_run_id is None:
                continue
            number = self._tracker.register(model, version, run)
            with self._uow() as uow:
                current = uow.models.get(model.id)
                current.mirrored(version.number, number)
                if current.revision == seen:  # else what changed meanwhile is still to be told
                    current.mirror_due = False
                uow.models.save(current)
                uow.commit()
            seen = current.revision if not current.mirror_due else -1
            done += 1
        return done


def _goes_on(runs: Iterable[Run]) -> bool:
    return any(run.status in (RunStatus.QUEUED, RunStatus.RUNNING) for run in runs)


def _folder(job: Job) -> str:
    return f"job-{job.id}"
