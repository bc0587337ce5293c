"""From a specification to predictions, through the services."""

import threading
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from hydroml.adapters.memory.learning import BaselineLearner
from hydroml.application.documents import read_specification, write_specification
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.application.ports.repositories import Listing
from hydroml.application.saving import Target
from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError
from hydroml.domain.experiments.runs import (
    ArtifactNotFoundError,
    ExperimentNotFoundError,
    RunNotFoundError,
    RunStateError,
    RunStatus,
)
from hydroml.domain.experiments.specification import SplitKind
from hydroml.domain.jobs import JobState, JobStateError
from hydroml.domain.models import Approval, ApprovalError, ModelNotFoundError
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import OriginKind, SourceInUseError, Version, VersionNotFoundError
from hydroml.domain.studio.steps import Derive
from tests.harness import Harness


def specification(version: Version, **changes: Any) -> Any:
    return read_specification({"name": "Flow", "version_id": str(version.id), "target": "flow"} | changes)


def trained(app: Harness, me: UserId, project: ProjectId, version: Version) -> Any:
    experiment = app.experiments.create(me, project, specification(version)).experiment
    run, _ = app.runs.request(me, experiment.id)
    app.work()
    return app.runs.get(me, run.id).run


def test_a_run_succeeds_and_is_recorded(app: Harness, me: UserId, project: ProjectId) -> None:
    run = trained(app, me, project, app.imported(me, project))
    assert run.status is RunStatus.SUCCEEDED
    assert run.outcome.counts.used == 54
    assert run.outcome.metrics["test"]
    assert run.mlflow_run_id is not None
    for name in run.artifacts:
        assert app.runs.artifact(me, run.id, name)
    with pytest.raises(ArtifactNotFoundError):
        app.runs.artifact(me, run.id, "secrets")


def test_what_somebody_records_just_now_is_left_to_them(app: Harness, me: UserId, project: ProjectId) -> None:
    app.tracker.away = True
    run = trained(app, me, project, app.imported(me, project))
    app.tracker.away = False
    with app.uow() as elsewhere:
        assert elsewhere.runs.claim(run.id)
        app.tracking.sync()
        assert app.tracker.runs == {}
    app.tracking.sync()
    assert list(app.tracker.runs) == [run.id]


def test_a_tracking_server_that_is_away_costs_nothing(app: Harness, me: UserId, project: ProjectId) -> None:
    app.tracker.away = True
    run = trained(app, me, project, app.imported(me, project))
    assert (run.status, run.mlflow_run_id) == (RunStatus.SUCCEEDED, None)
    assert app.tracking.sync() == 0
    app.tracker.away = False
    app.models.register(me, run.id, "flow")
    assert app.tracking.sync() == 2
    assert app.runs.get(me, run.id).run.mlflow_run_id is not None
    assert app.tracking.sync() == 0


@pytest.mark.parametrize(
    ("changes", "code"), [({"target": "snow"}, "unknown_column"), ({"features": ["flow"]}, "leakage")]
)
def test_what_is_wrong_is_said_before_anything_runs(
    app: Harness, me: UserId, project: ProjectId, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        app.experiments.create(me, project, specification(app.imported(me, project), **changes))
    assert [fault.code for fault in refusal.value.faults] == [code]


def test_a_constant_target_is_refused_before_a_job_starts(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project, "x,y\n" + "".join(f"{n},1\n" for n in range(50)))
    experiment = app.experiments.create(me, project, specification(version, target="y")).experiment
    with pytest.raises(InvalidInputError, match="same value"):
        app.runs.request(me, experiment.id)
    assert app.queue.sent == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("logistic_regression", "wrong_problem"),
        ("support_vector_regression", "too_many_rows"),
        ("catboost", "not_installed"),
    ],
)
def test_an_algorithm_that_cannot_learn_this_is_refused_with_alternatives(
    app: Harness, me: UserId, project: ProjectId, name: str, code: str
) -> None:
    app.lacking.add("catboost")
    rows = 13_000 if code == "too_many_rows" else 60
    version = app.imported(me, project, "day,rain,flow\n" + "".join(f"{i},{i % 7},{i % 11}\n" for i in range(rows)))
    wanted = specification(version, algorithm={"name": name})
    [fault] = app.preflight.ask(me, project, wanted).faults
    assert (fault.loc, fault.code) == (("algorithm", "name"), code)
    experiment = app.experiments.create(me, project, wanted).experiment
    with pytest.raises(InvalidInputError):
        app.runs.request(me, experiment.id)


def test_preflight_counts_and_doubts(app: Harness, me: UserId, project: ProjectId) -> None:
    checked = app.preflight.ask(me, project, specification(app.imported(me, project)))
    assert (checked.faults, checked.training_rows + checked.test_rows) == ((), 54)
    assert {"missing_target", "few_rows"} <= {warning.code for warning in checked.warnings}


def test_a_number_is_followed_to_its_rows(app: Harness, me: UserId, project: ProjectId) -> None:
    run = trained(app, me, project, app.imported(me, project))
    page = app.tables.page(app.tables.run_view(me, run.id), 0, 100)
    assert page.total == run.outcome.counts.used
    assert [column.name for column in page.columns] == ["row", "part", "observed", "predicted"]
    with pytest.raises(RunNotFoundError):
        app.tables.run_view(app.user(), run.id)


def test_the_price_of_random_splitting(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    wanted = specification(version, time_column="day", features=["rain"])
    experiment = app.experiments.create(me, project, wanted).experiment
    run, _ = app.runs.request(me, experiment.id)
    with pytest.raises(RunStateError):
        app.runs.divide_otherwise(me, run.id)
    app.work()
    twin, _ = app.runs.divide_otherwise(me, run.id)
    with pytest.raises(ConflictError):
        app.runs.divide_otherwise(me, run.id)
    app.work()
    found = app.runs.get(me, run.id).twin
    assert found is not None
    assert (found.id, found.status, found.twin_of) == (twin.id, RunStatus.SUCCEEDED, run.id)
    assert (found.specification.split.kind, found.specification.features) == (SplitKind.RANDOM, ("rain",))
    assert found.specification.split.reason
    with pytest.raises(RunNotFoundError):
        app.runs.divide_otherwise(app.user(), run.id)


def test_a_run_is_repeated_and_held_against_the_first(app: Harness, me: UserId, project: ProjectId) -> None:
    run = trained(app, me, project, app.imported(me, project))
    app.runs.repeat(me, run.id)
    with pytest.raises(ConflictError):
        app.runs.repeat(me, run.id)
    app.work()
    found = app.runs.get(me, run.id)
    assert found.twin is None
    assert found.repeat is not None
    assert run.differences(found.repeat) == ()
    found.repeat.outcome.environment["python"] = "4"
    found.repeat.outcome.metrics["test"]["mae"] += 1e-15
    told = {(one.what, one.after) for one in run.differences(found.repeat)}
    assert told == {("python", "4"), ("test mae", found.repeat.outcome.metrics["test"]["mae"])}


def test_a_version_of_another_project_is_refused(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, app.project(me, "Other"))
    with pytest.raises(InvalidInputError, match="not in this project"):
        app.experiments.create(me, project, specification(version))


def test_a_search_is_finished_early_and_keeps_what_it_has(app: Harness, me: UserId, project: ProjectId) -> None:
    searching = threading.Event()

    class Searching(BaselineLearner):
        def train(self, task: TrainingTask, folder: Path, monitor: Monitor) -> Trained:
            searching.set()
            for _ in range(200):
                monitor.report(0.5, "searching")
                if task.enough():
                    break
                time.sleep(0.1)
            return super().train(task, folder, monitor)

    app.training._learner = Searching()
    wanted = specification(app.imported(me, project), algorithm={"name": "automatic"}, budget={"seconds": 1})
    run, job = app.runs.request(me, app.experiments.create(me, project, wanted).experiment.id)
    with pytest.raises(JobStateError):
        app.jobs.finish(me, job.id)
    worker = threading.Thread(target=app.work)
    worker.start()
    assert searching.wait(20)
    app.jobs.finish(me, job.id)
    worker.join(30)
    assert app.job(job.id).state is JobState.SUCCEEDED
    assert app.runs.get(me, run.id).run.status is RunStatus.SUCCEEDED


def test_a_cancelled_run_says_so_and_can_be_tried_again(app: Harness, me: UserId, project: ProjectId) -> None:
    experiment = app.experiments.create(me, project, specification(app.imported(me, project))).experiment
    run, job = app.runs.request(me, experiment.id)
    app.jobs.cancel(me, job.id)
    assert app.runs.get(me, run.id).run.status is RunStatus.CANCELLED
    app.jobs.retry(me, job.id)
    app.work()
    assert app.runs.get(me, run.id).run.status is RunStatus.SUCCEEDED


def test_a_model_predicts_rows_and_sources(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    run = trained(app, me, project, version)
    model = app.models.register(me, run.id, "flow").model
    with pytest.raises(ConflictError):
        app.models.register(me, run.id, "flow")
    served, predictions = app.predictions.rows(me, model.id, [{"day": 1, "rain": 2}, {"day": 2, "rain": 3}])
    assert (served.number, len(predictions.predictions)) == (1, 2)
    source, job = app.predictions.request(me, model.id, version.id)
    app.work()
    assert app.job(job.id).state is JobState.SUCCEEDED
    predicted = app.current(me, source.id)
    assert predicted.origin.kind is OriginKind.PREDICTION
    assert predicted.column("flow_predicted") is not None
    assert predicted.rows == version.rows


def test_owners_approve_and_a_rejected_version_predicts_no_more(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    model = app.models.register(me, trained(app, me, project, version).id, "flow", "first try").model
    editor = app.user()
    app.projects.set_member(me, project, editor, Role.EDITOR)
    with pytest.raises(ForbiddenError):
        app.models.decide(editor, model.id, 1, Approval.APPROVED, "looks good")
    with pytest.raises(ApprovalError, match="not approved"):
        app.models.point(editor, model.id, "champion", 1)
    made = app.models.point(me, model.id, "champion", 1, reason="it beats the baselines").model
    [decision] = made.version(1).decisions
    assert (decision.verdict, decision.by, decision.reason) == (Approval.APPROVED, me, "it beats the baselines")
    app.models.decide(me, model.id, 1, Approval.REJECTED, "the gauge was moved")
    for ask in (
        lambda: app.predictions.rows(me, model.id, [{"day": 1, "rain": 2}], number=1),
        lambda: app.predictions.request(me, model.id, version.id),
    ):
        with pytest.raises(ApprovalError):
            ask()
    told = [(entry.verb, entry.text) for entry in app.activity.of_project(me, project, Listing()).items]
    assert ("rejected", "version 1: the gauge was moved") in told
    assert ("approved", "version 1: it beats the baselines") in told


def test_what_onnx_cannot_hold_is_named_before_anything_is_read(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    model = app.models.register(me, trained(app, me, project, version).id, "flow").model
    stream, name, size = app.predictions.onnx(me, model.id, 1)
    with stream:
        assert (name, len(stream.read())) == ("flow, version 1.onnx", size)
    near = read_specification({
        "name": "Near", "version_id": str(version.id), "target": "flow", "algorithm": {"name": "k_nearest_neighbours"},
        "preparation": {"numbers": {"transform": "power"}},
    })  # fmt: skip
    run, _ = app.runs.request(me, app.experiments.create(me, project, near).experiment.id)
    app.work()
    app.models.register(me, run.id, "flow")
    with pytest.raises(InvalidInputError, match=r"neighbours.*the power transformation of “rain”"):
        app.predictions.onnx(me, model.id, 2)


def test_what_changes_of_a_model_is_mirrored_anew(app: Harness, me: UserId, project: ProjectId) -> None:
    model = app.models.register(me, trained(app, me, project, app.imported(me, project)).id, "flow").model
    app.tracking.sync()
    app.models.point(me, model.id, "champion", 1)
    assert app.tracking.sync() == 1
    assert app.tracking.sync() == 0
    app.models.annotate(me, model.id, 1, "of 2026")
    assert app.tracking.sync() == 0
    assert app.models.get(me, model.id).model.version(1).note == "of 2026"


def test_where_two_pairs_of_eyes_are_wanted_an_owner_does_not_approve_alone(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    model = app.models.register(me, trained(app, me, project, app.imported(me, project)).id, "flow").model
    other = app.user()
    app.projects.set_member(me, project, other, Role.OWNER)
    app.projects.update(me, project, four_eyes=True)
    with pytest.raises(ForbiddenError, match="another owner"):
        app.models.point(me, model.id, "champion", 1)
    assert app.models.point(other, model.id, "champion", 1).model.aliases == {"champion": 1}


def test_the_recipe_is_replayed_for_rows_like_the_first_table(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    app.studio.add(me, session, Derive("wet", "rain > 3"))
    source, _ = app.saving.request(me, session, Target("With wet"))
    app.work()
    run = trained(app, me, project, app.current(me, source.id))
    assert "wet" in {feature.name for feature in run.outcome.features}
    model = app.models.register(me, run.id, "flow").model
    _, predictions = app.predictions.rows(me, model.id, [{"day": 1, "rain": 2}])
    assert len(predictions.predictions) == 1


def test_rows_have_a_limit(app: Harness, me: UserId, project: ProjectId) -> None:
    model = app.models.register(me, trained(app, me, project, app.imported(me, project)).id, "flow").model
    with pytest.raises(InvalidInputError):
        app.predictions.rows(me, model.id, [])


def test_a_source_that_a_run_stands_on_is_not_deleted(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    trained(app, me, project, version)
    name = app.source(me, version.source_id).name
    app.sources.delete(me, version.source_id)
    with pytest.raises(SourceInUseError):
        app.sources.purge(me, version.source_id, name)
    assert app.sources.to_purge(me, version.source_id).runs == 1


def test_a_stranger_finds_nothing(app: Harness, me: UserId, project: ProjectId) -> None:
    run = trained(app, me, project, app.imported(me, project))
    model = app.models.register(me, run.id, "flow").model
    stranger = app.user()
    with pytest.raises(RunNotFoundError):
        app.runs.get(stranger, run.id)
    with pytest.raises(RunNotFoundError):
        app.models.register(stranger, run.id, "mine")
    with pytest.raises(ExperimentNotFoundError):
        app.runs.request(stranger, run.experiment_id)
    for ask in (
        lambda: app.models.get(stranger, model.id),
        lambda: app.predictions.rows(stranger, model.id, [{"day": 1, "rain": 2}]),
        lambda: app.models.point(stranger, model.id, "champion", 1),
    ):
        with pytest.raises(ModelNotFoundError):
            ask()


def test_preflight_says_what_it_takes(app: Harness, me: UserId, project: ProjectId) -> None:
    estimate = app.preflight.ask(me, project, specification(app.imported(me, project))).estimate
    assert estimate is not None
    assert (estimate.training_rows, estimate.fits) == (43, 1)
    assert 0 < estimate.matrix_bytes < estimate.memory_bytes
    assert estimate.words.startswith("about ")


def test_what_takes_too_much_is_refused_with_changes_that_mend_it(app: Harness, me: UserId, project: ProjectId) -> None:
    rows = "".join(f"{i},{i % 7},{i % 11}\n" for i in range(20_000))
    wanted = specification(
        app.imported(me, project, "day,rain,flow\n" + rows),
        algorithm={"name": "random_forest", "hyperparameters": {"n_estimators": 1_500, "min_samples_leaf": 1}},
    )
    checked = app.preflight.ask(me, project, wanted)
    [fault] = checked.faults
    assert (fault.loc, fault.code) == (("algorithm", "name"), "memory")
    assert {one.kind for one in checked.alternatives} == {"algorithm", "rows", "size"}
    assert all(one.words in fault.msg for one in checked.alternatives)
    for one in checked.alternatives:
        mended = merged(write_specification(wanted), one.changes)
        assert app.preflight.ask(me, project, read_specification(mended)).faults == ()
    experiment = app.experiments.create(me, project, wanted).experiment
    with pytest.raises(InvalidInputError, match="of memory"):
        app.runs.request(me, experiment.id)


def merged(document: dict[str, Any], changes: Any) -> dict[str, Any]:
    """As the wizard does it."""
    both = dict(document)
    for name, value in changes.items():
        both[name] = merged(both[name], value) if isinstance(value, dict) and name != "hyperparameters" else value
    return both


def test_a_run_is_written_as_code_with_its_data(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    run = trained(app, me, project, version)
    _, written = app.reproductions.code(me, run.id)
    assert str(run.id) in written.script
    stream, name, size = app.reproductions.bundle(me, run.id)
    with stream, ZipFile(stream) as archive:
        assert archive.read("experiment.py").decode() == written.script
        with app.blobs.open(version.fingerprint) as table:
            assert archive.read("data.parquet") == table.read()
        assert "splits.parquet" in archive.namelist()
        assert "recipe.py" not in archive.namelist()
    assert (name, size > 0) == ("Flow.zip", True)
    assert "version 1" in written.readme


def test_the_recipe_that_made_the_data_comes_along(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    app.studio.add(me, session, Derive("wet", "rain > 3"))
    source, _ = app.saving.request(me, session, Target("With wet"))
    app.work()
    run = trained(app, me, project, app.current(me, source.id))
    stream, *_ = app.reproductions.bundle(me, run.id)
    with stream, ZipFile(stream) as archive:
        assert archive.read("recipe.py")
        assert "made by a recipe" in archive.read("README.md").decode()


def test_code_is_for_who_sees_the_run_and_data_for_who_sees_it(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    run = trained(app, me, project, version)
    for ask in (app.reproductions.code, app.reproductions.bundle):
        with pytest.raises(RunNotFoundError):
            ask(app.user(), run.id)
    experiment = app.experiments.create(me, project, specification(version, name="Later")).experiment
    waiting, _ = app.runs.request(me, experiment.id)
    for ask in (app.reproductions.code, app.reproductions.bundle):
        with pytest.raises(RunStateError):
            ask(me, waiting.id)
    app.sources.take_from(me, version.source_id, project)
    colleague = app.user()
    app.projects.set_member(me, project, colleague, Role.VIEWER)
    assert app.reproductions.code(colleague, run.id)[1].script
    with pytest.raises(VersionNotFoundError):
        app.reproductions.bundle(colleague, run.id)
