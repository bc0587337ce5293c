"""What every tracker promises: MLflow on PostgreSQL, and the twin that only remembers."""

from dataclasses import dataclass
from uuid import uuid4

import numpy as np
import pytest

from hydroml.adapters.memory.tracking import InMemoryTracker
from hydroml.adapters.tracking import MlflowTracker
from hydroml.application.ports.learning import Tracker, Trained, TrainingTask
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.runs import Run
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import UserId
from tests.contracts import examples
from tests.tasks import NOON, run_of, task_of, train, version_of


@dataclass
class Trackers:
    tracker: Tracker
    away: Tracker
    task: TrainingTask
    trained: Trained

    def run(self) -> Run:
        return run_of(self.task, self.trained.outcome)

    def record(self, run: Run, tracker: Tracker | None = None) -> str:
        version = version_of(self.task)
        return (tracker or self.tracker).record(run, version, "Rivers", self.trained.artifacts, self.trained.model)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingTask, Trained]:
    folder = tmp_path_factory.mktemp("trained")
    task = task_of({"x": np.arange(50.0), "y": np.arange(50.0) * 3}, folder)
    return task, train(task, folder)


@pytest.fixture(scope="module")
def mlflow(mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> MlflowTracker:
    return MlflowTracker(mlflow_url, str(tmp_path_factory.mktemp("mlflow")))


def model_of(run: Run) -> Model:
    return Model(id=ModelId(uuid4()), project_id=run.project_id, name="Flood: a/b", created_at=NOON)


class TrackerContract:
    """Subclasses give the fixture `trackers`."""

    def test_recording_twice_gives_the_same_id(self, trackers: Trackers) -> None:
        run = trackers.run()
        assert trackers.record(run) == trackers.record(run)

    def test_every_run_has_its_own_id(self, trackers: Trackers) -> None:
        assert trackers.record(trackers.run()) != trackers.record(trackers.run())

    def test_a_trial_is_put_beneath_its_suite_as_often_as_one_likes(self, trackers: Trackers) -> None:
        of = examples.suite(examples.experiment(examples.version(examples.source()), examples.project()))
        for _ in range(2):
            trackers.tracker.nest(trackers.record(trackers.run()), of)
        with pytest.raises(UnavailableError):
            trackers.away.nest("some", of)

    def test_registering_twice_gives_the_same_version(self, trackers: Trackers) -> None:
        run = trackers.run()
        run.tracked_as(trackers.record(run))
        model = model_of(run)
        version = model.register(run.id, UserId(uuid4()), NOON)
        first = trackers.tracker.register(model, version, run)
        assert first == trackers.tracker.register(model, version, run) == "1"

    def test_each_version_is_another(self, trackers: Trackers) -> None:
        first, second = trackers.run(), trackers.run()
        model = model_of(first)
        numbers = []
        for run in (first, second):
            run.tracked_as(trackers.record(run))
            numbers.append(trackers.tracker.register(model, model.register(run.id, UserId(uuid4()), NOON), run))
        assert len(set(numbers)) == 2

    def test_store_that_is_away_says_so(self, trackers: Trackers) -> None:
        run = trackers.run()
        with pytest.raises(UnavailableError):
            trackers.record(run, trackers.away)
        model = model_of(run)
        with pytest.raises(UnavailableError):
            trackers.away.register(model, model.register(run.id, UserId(uuid4()), NOON), run)


class TestInMemoryTracker(TrackerContract):
    @pytest.fixture
    def trackers(self, trained: tuple[TrainingTask, Trained]) -> Trackers:
        away = InMemoryTracker()
        away.away = True
        return Trackers(InMemoryTracker(), away, *trained)


@pytest.mark.services
class TestMlflowTracker(TrackerContract):
    @pytest.fixture
    def trackers(self, mlflow: MlflowTracker, trained: tuple[TrainingTask, Trained]) -> Trackers:
        away = MlflowTracker("postgresql+psycopg://nobody@127.0.0.1:9/mlflow", None)
        return Trackers(mlflow, away, *trained)
