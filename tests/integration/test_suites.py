"""A sweep with the real learner, Optuna and PostgreSQL; only the broker and MLflow are twins."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from dependency_injector import providers

from hydroml.adapters.memory.jobs import InMemoryBell, InMemoryJobQueue
from hydroml.adapters.memory.tracking import InMemoryTracker
from hydroml.application.documents import read_plan, read_specification
from hydroml.application.imports import Upload
from hydroml.application.suites import NewSuite, SuiteDetail
from hydroml.domain.experiments.runs import ExperimentId, RunStatus, SuiteId
from hydroml.domain.experiments.suites import SuiteStatus
from hydroml.domain.jobs import JobId
from hydroml.domain.projects import ProjectId, UserId
from hydroml.entrypoints.container import Container
from hydroml.entrypoints.settings import Settings

pytestmark = pytest.mark.services

TABLE = "rain,snow,flow\n" + "".join(
    f"{day * 37 % 23},{day * 11 % 7},{(day * 37 % 23) ** 2 + day % 5}\n" for day in range(120)
)
PLAN = {
    "kind": "sweep",
    "sampler": "tpe",
    "trials": 8,
    "space": {
        "learning_rate": {"low": 0.02, "high": 0.5, "log": True},
        "max_iter": {"low": 5, "high": 30},
        "min_samples_leaf": {"low": 2, "high": 40},
    },
}


class Plant:
    def __init__(self, settings: Settings) -> None:
        self.ahead = timedelta()
        self.container = Container(settings=settings)
        self.queue = InMemoryJobQueue()
        self.container.queue.override(providers.Object(self.queue))
        self.container.bell.override(providers.Object(InMemoryBell()))
        self.container.tracker.override(providers.Object(InMemoryTracker()))
        self.container.clock.override(providers.Object(lambda: datetime.now(UTC) + self.ahead))
        self.me = UserId(uuid4())
        self.project: ProjectId = self.container.projects().create(self.me, "Rivers").project.id
        source, _ = self.container.imports().create(self.me, self.project, Upload("flows.csv", [TABLE.encode()]))
        self.work()
        version = self.container.sources().get(self.me, source.id).current
        document = {"name": "Flow", "version_id": str(version.id if version else ""), "target": "flow"}
        made = self.container.experiments().create(self.me, self.project, read_specification(document))
        self.experiment: ExperimentId = made.experiment.id

    def work(self, most: int = 1_000) -> None:
        while self.queue.sent and most > 0:
            self.container.runner().execute(self.queue.sent.pop(0), f"worker-{uuid4()}", lambda: None)
            most -= 1

    def started(self) -> SuiteId:
        wanted = NewSuite(of=self.experiment, plan=read_plan(PLAN), metric="nse", parallel=1)
        suite_id = self.container.suites().create(self.me, self.project, wanted).suite.id
        self.container.suites().start(self.me, suite_id)
        return suite_id

    def of(self, suite_id: SuiteId) -> SuiteDetail:
        detail: SuiteDetail = self.container.suites().get(self.me, suite_id)
        return detail


@pytest.fixture
def plant(clean_database: str, settings: Settings) -> Iterator[Plant]:
    plant = Plant(settings)
    yield plant
    plant.container.engine().dispose()


def test_a_sweep_goes_on_after_a_killed_worker_and_a_failed_trial(plant: Plant) -> None:
    straight = plant.started()
    plant.work()
    whole = plant.of(straight)
    assert whole.suite.status is SuiteStatus.SUCCEEDED
    assert len(whole.trials) == 8

    broken = plant.started()
    plant.work(3)  # the suite's own job, and two trials
    third = plant.of(broken).trials[2]
    plant.queue.sent.clear()
    with plant.container.uow() as uow:  # a worker begins it, and is killed
        job = uow.jobs.get_for_update(JobId(third.job_id or broken))
        job.take("killed", datetime.now(UTC), timedelta(seconds=30))
        uow.jobs.save(job)
        run = uow.runs.get(third.run_id)
        run.start(datetime.now(UTC))
        uow.runs.save(run)
        uow.commit()
    plant.ahead = timedelta(minutes=5)
    plant.container.runner().sweep()
    plant.work()
    again = plant.of(broken)
    assert again.suite.status is SuiteStatus.SUCCEEDED
    assert [(t.values, t.status, t.metrics) for t in again.trials] == [
        (t.values, t.status, t.metrics) for t in whole.trials
    ]
    assert again.best is not None
    assert again.best.metrics["validation"]["nse"] == max(
        t.metrics["validation"]["nse"] for t in again.trials if t.status is RunStatus.SUCCEEDED
    )

    with plant.container.uow() as uow:
        run = uow.runs.get(again.best.run_id)
        run.status = RunStatus.FAILED
        uow.runs.save(run)
        uow.commit()
    after = plant.of(broken).best
    assert after is not None
    assert after.run_id != again.best.run_id
