"""What people find in MLflow: read back with MLflow's own client, and its models loaded by MLflow."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hydroml.adapters.tracking import MlflowTracker
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.runs import Run
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Split, SplitKind
from hydroml.domain.models import Approval, Decision, Model, ModelId
from hydroml.domain.projects import ProjectId, UserId
from tests.contracts import examples
from tests.tasks import NOON, run_of, table_of, task_of, train, version_of

pytestmark = pytest.mark.services

TABLE = {
    "x": pa.array(np.arange(80.0), mask=np.arange(80) % 9 == 0),
    "n": np.arange(80) % 7,
    "wet": np.arange(80) % 3 == 0,
    "site": np.array(["a", "b"])[np.arange(80) % 2],
    "y": np.arange(80.0) * 2,
    "class": np.array(["low", "high"])[(np.arange(80) > 40) * 1],
}


@dataclass
class Store:
    uri: str
    root: Path
    tracker: MlflowTracker
    client: Any


@dataclass
class Recorded:
    store: Store
    task: TrainingTask
    trained: Trained
    run: Run
    id: str

    @property
    def mlflow(self) -> Any:
        return self.store.client.get_run(self.id)


@pytest.fixture(scope="module")
def store(mlflow_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("mlflow")
    tracker = MlflowTracker(mlflow_url, str(root))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        tracker.prepare()
        from mlflow import MlflowClient

        yield Store(mlflow_url, root, tracker, MlflowClient(mlflow_url, mlflow_url))
        assert not list(Path.cwd().iterdir()), "MLflow leaves nothing in the working folder"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingTask, Trained]:
    folder = tmp_path_factory.mktemp("trained")
    choice = AlgorithmChoice("random_forest", {"n_estimators": 5})
    task = task_of(TABLE, folder, features=("x", "n", "wet", "site"), algorithm=choice)
    return task, train(task, folder)


@pytest.fixture(scope="module")
def recorded(store: Store, trained: tuple[TrainingTask, Trained]) -> Recorded:
    return record(store, *trained)


def record(store: Store, task: TrainingTask, trained: Trained, project: ProjectId | None = None) -> Recorded:
    run = run_of(task, trained.outcome, project)
    mlflow_id = store.tracker.record(run, version_of(task), "Rivers: α/β", trained.artifacts, trained.model)
    run.tracked_as(mlflow_id)
    return Recorded(store, task, trained, run, mlflow_id)


def test_trials_stand_beneath_one_run_of_their_suite(store: Store, tmp_path: Path) -> None:
    task = task_of({"x": np.arange(50.0), "y": np.arange(50.0) * 3}, tmp_path)
    trained = train(task, tmp_path)
    suite = examples.suite(examples.experiment(examples.version(examples.source()), examples.project()))
    trials = []
    for _ in range(2):
        run = replace(run_of(task, trained.outcome), project_id=suite.project_id)
        trials.append(store.tracker.record(run, version_of(task), "Rivers", trained.artifacts, trained.model))
        store.tracker.nest(trials[-1], suite)
    parents = {store.client.get_run(trial).data.tags["mlflow.parentRunId"] for trial in trials}
    assert len(parents) == 1
    parent = store.client.get_run(parents.pop())
    assert (parent.info.run_name, parent.info.status) == (suite.name, "FINISHED")
    assert (parent.data.tags["hydroml.suite_id"], parent.data.params["metric"]) == (str(suite.id), suite.metric)


def test_run_has_parameters_metrics_and_tags(recorded: Recorded) -> None:
    run = recorded.mlflow
    outcome = recorded.trained.outcome
    assert run.info.status == "FINISHED"
    assert run.data.params["algorithm"] == "random_forest"
    assert run.data.params["n_estimators"] == "5"
    assert run.data.params["target"] == "y"
    assert run.data.params["features"] == "x, n, wet, site"
    assert run.data.metrics["test_rmse"] == outcome.metrics["test"]["rmse"]
    assert run.data.metrics["train_r2"] == outcome.metrics["train"]["r2"]
    assert run.data.metrics["baseline_mean_rmse"] == outcome.baselines["mean"]["rmse"]
    assert run.data.tags["hydroml.run_id"] == str(recorded.run.id)


def test_experiment_is_the_project(recorded: Recorded) -> None:
    experiment = recorded.store.client.get_experiment(recorded.mlflow.info.experiment_id)
    assert experiment.name.startswith("Rivers: α/β (")
    assert experiment.tags["hydroml.project_id"] == str(recorded.run.project_id)


def test_dataset_is_named_with_its_digest_and_schema(recorded: Recorded) -> None:
    [dataset] = [entry.dataset for entry in recorded.mlflow.inputs.dataset_inputs]
    version = version_of(recorded.task)
    assert dataset.name.endswith("v1")
    assert version.fingerprint.startswith(dataset.digest)
    assert [c["name"] for c in json.loads(dataset.schema)["mlflow_colspec"]] == [c.name for c in version.columns]


def test_plot_data_is_there(recorded: Recorded) -> None:
    paths = {a.path for a in recorded.store.client.list_artifacts(recorded.id, "hydroml")}
    names = {*recorded.trained.artifacts, "specification", "environment"}
    assert paths == {f"hydroml/{name}.json" for name in names}
    for name, version in recorded.trained.outcome.environment.items():
        assert recorded.mlflow.data.tags[f"hydroml.environment.{name}"] == version


def test_each_fold_is_a_step(store: Store, tmp_path: Path) -> None:
    split = Split(kind=SplitKind.KFOLD, folds=3)
    task = task_of({"x": np.arange(60.0), "y": np.arange(60.0) * 3 + np.arange(60) % 5}, tmp_path, split=split)
    done = record(store, task, train(task, tmp_path))
    history = store.client.get_metric_history(done.id, "fold_rmse")
    items = json.loads(done.trained.artifacts["folds"])["items"]
    assert [(m.step, m.value) for m in history] == [(one["fold"], one["metrics"]["rmse"]) for one in items]


def test_tags_and_notes_follow(store: Store, trained: tuple[TrainingTask, Trained]) -> None:
    done = record(store, *trained)
    done.run.annotate(["wet years", "for: paper"], "Look at May.")
    again = store.tracker.record(done.run, version_of(done.task), "Rivers", trained[1].artifacts, trained[1].model)
    assert again == done.id
    tags = done.mlflow.data.tags
    assert (tags["hydroml.tag.wet years"], tags["hydroml.tag.for_ paper"]) == ("wet years", "for: paper")
    assert tags["mlflow.note.content"] == "Look at May."
    done.run.annotate([], "")
    store.tracker.record(done.run, version_of(done.task), "Rivers", trained[1].artifacts, trained[1].model)
    assert not {name for name in done.mlflow.data.tags if name.startswith(("hydroml.tag.", "mlflow.note"))}


def test_nothing_is_pickled(recorded: Recorded) -> None:
    files = [file for file in recorded.store.root.rglob("*") if file.is_file()]
    assert [file.name for file in files if file.suffix == ".skops"]
    for file in files:
        assert file.suffix not in {".pkl", ".pickle", ".joblib", ".cloudpickle"}
        assert file.read_bytes()[:1] != b"\x80"
    [document] = {file.read_text() for file in files if file.name == "MLmodel" and recorded.id in file.read_text()}
    assert "serialization_format: skops" in document


@pytest.mark.parametrize("target", ["y", "class"])
def test_mlflow_loads_the_model_and_predicts_the_same(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    import mlflow

    choice = AlgorithmChoice("hist_gradient_boosting", {"max_iter": 10})
    problem = Problem.REGRESSION if target == "y" else Problem.BINARY
    features = ("x", "n", "wet", "site")
    task = task_of(TABLE, tmp_path, target, features=features, algorithm=choice, problem=problem)
    done = record(store, task, train(task, tmp_path))
    [output] = done.mlflow.outputs.model_outputs
    logged = store.client.get_logged_model(output.model_id)
    assert str(logged.status) == "READY"
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")  # which MLflow asks for with skops too
    frame = pq.read_table(task.file).to_pandas()[list(features)].astype({"wet": float, "n": float})
    judged = json.loads(done.trained.artifacts["predictions"])
    generic = mlflow.pyfunc.load_model(logged.artifact_location)
    assert list(generic.predict(frame)[judged["row_numbers"]]) == judged["predicted"]
    native = mlflow.sklearn.load_model(logged.artifact_location)
    assert list(native.predict(frame)) == list(generic.predict(frame))
    assert generic.metadata.signature.inputs.input_names() == list(features)
    assert generic.input_example is not None
    generic.predict(generic.input_example)


def test_record_that_broke_off_is_finished(store: Store, trained: tuple[TrainingTask, Trained]) -> None:
    task, result = trained
    run = run_of(task, result.outcome)
    version = version_of(task)
    with pytest.raises(UnavailableError):
        store.tracker.record(run, version, "Broken", result.artifacts, Path("there/is/no/model"))
    mlflow_id = store.tracker.record(run, version, "Renamed", result.artifacts, result.model)
    found = store.client.get_run(mlflow_id)
    assert found.info.status == "FINISHED"
    experiment = store.client.get_experiment(found.info.experiment_id)
    assert experiment.name.startswith("Renamed (")
    assert len(store.client.search_runs([experiment.experiment_id])) == 1
    assert len(store.client.get_metric_history(mlflow_id, "test_rmse")) == 1
    assert len(found.outputs.model_outputs) == 1


def test_experiment_that_somebody_deleted_comes_back(store: Store, trained: tuple[TrainingTask, Trained]) -> None:
    project = ProjectId(uuid4())
    first = record(store, *trained, project)
    store.client.delete_experiment(first.mlflow.info.experiment_id)
    second = record(store, *trained, project)
    assert second.mlflow.info.experiment_id == first.mlflow.info.experiment_id


def test_registry_mirrors_versions_and_aliases(store: Store, trained: tuple[TrainingTask, Trained]) -> None:
    first, second = record(store, *trained), record(store, *trained)
    model = Model(id=ModelId(uuid4()), project_id=first.run.project_id, name="..a/b: 'c' %", created_at=NOON)
    by = UserId(uuid4())
    one = model.register(first.run.id, by, NOON)
    model.point("latest", 1)
    assert store.tracker.register(model, one, first.run) == "1"
    two = model.register(second.run.id, by, NOON)
    model.decide(2, Decision(Approval.APPROVED, by, NOON, "better"))
    model.point("champion", 2)
    model.point("v1", 1)
    assert store.tracker.register(model, two, second.run) == "2"
    [found] = [m for m in store.client.search_registered_models() if m.tags["hydroml.model_id"] == str(model.id)]
    assert {alias: str(number) for alias, number in found.aliases.items()} == {
        "champion": "2", "hydroml-latest": "1", "hydroml-v1": "1",
    }  # fmt: skip
    assert store.client.get_model_version_by_alias(found.name, "champion").run_id == second.id
    model.decide(2, Decision(Approval.REJECTED, by, NOON, "not so"))
    assert store.tracker.register(model, two, second.run) == "2"
    held = store.client.search_model_versions(f"name = '{found.name}'")
    assert {str(v.version): v.tags["hydroml.approval"] for v in held} == {"1": "pending", "2": "rejected"}
    assert set(store.client.get_registered_model(found.name).aliases) == {"hydroml-latest", "hydroml-v1"}


def test_model_waits_for_its_run(store: Store, trained: tuple[TrainingTask, Trained]) -> None:
    task, result = trained
    run = run_of(task, result.outcome)
    model = Model(id=ModelId(uuid4()), project_id=run.project_id, name="early", created_at=NOON)
    version = model.register(run.id, UserId(uuid4()), NOON)
    with pytest.raises(UnavailableError, match="not recorded"):
        store.tracker.register(model, version, run)


def test_table_of_many_columns_is_recorded(store: Store, tmp_path: Path) -> None:
    wide = {f"a column with a long name, number {i}": np.arange(40.0) for i in range(180)} | {"y": np.arange(40.0)}
    task = task_of(table_of(wide), tmp_path)
    done = record(store, task, train(task, tmp_path))
    assert len(done.mlflow.data.params["features"]) == 6_000
