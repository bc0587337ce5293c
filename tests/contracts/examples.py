"""One of everything, with every field set to something that is not its default."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.experiments.algorithms import HyperparameterValue
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.plans import Limits, Sampler, Space, Sweep
from hydroml.domain.experiments.preparation import (
    ColumnGroup,
    DatePart,
    Dates,
    Derived,
    Encoding,
    Imputation,
    Numbers,
    Past,
    Preparation,
    Scaling,
    Statistic,
    Texts,
    Transform,
    Wave,
    Window,
)
from hydroml.domain.experiments.runs import (
    Counts,
    DerivedFeature,
    Experiment,
    ExperimentId,
    Feature,
    Outcome,
    Run,
    RunId,
    RunStatus,
    SuiteId,
    Variation,
)
from hydroml.domain.experiments.specification import (
    AlgorithmChoice,
    Budget,
    Problem,
    Specification,
    Split,
    SplitKind,
)
from hydroml.domain.experiments.suites import Suite, SuiteStatus
from hydroml.domain.jobs import Job, JobId, JobKind, JobState, Subject
from hydroml.domain.models import Approval, Decision, Model, ModelId
from hydroml.domain.projects import Project, ProjectId, Role, UserId
from hydroml.domain.sources import (
    Column,
    ColumnType,
    DataSource,
    Following,
    ImportOptions,
    Layout,
    Origin,
    Original,
    OriginKind,
    SourceId,
    SourceStatus,
    Table,
    Version,
    VersionId,
)
from hydroml.domain.studio.recipes import RecipeId, RecipeStep, SavedRecipe
from hydroml.domain.studio.session import Comment, CommentId, Session, SessionId
from hydroml.domain.studio.steps import Derive, DropColumns, FillMethod, FillMissing, Filter, Sort, SortKey
from hydroml.domain.tokens import Scope, Token, TokenId

NOON = datetime(2026, 3, 4, 12, 0, 0, 123_456, tzinfo=UTC)
AWKWARD = "Größe “x” <b>’; DROP TABLE run; -- \\ 100 % _ 🌊"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def user() -> UserId:
    return UserId(uuid4())


def project(owner: UserId | None = None, **changes: Any) -> Project:
    values: dict[str, Any] = {
        "id": ProjectId(uuid4()),
        "name": AWKWARD,
        "description": "Two lines\nand “quotes”",
        "four_eyes": True,
        "members": {owner or user(): Role.OWNER, user(): Role.EDITOR, user(): Role.VIEWER},
        "created_at": datetime(2026, 3, 4, 14, 0, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    }
    return Project(**(values | changes))


def source(*projects: Project, **changes: Any) -> DataSource:
    values: dict[str, Any] = {
        "id": SourceId(uuid4()),
        "name": AWKWARD,
        "owner_id": user(),
        "project_ids": frozenset(p.id for p in projects),
        "status": SourceStatus.READY,
        "error": "the last import failed: \ufffd",
        "current_version_id": VersionId(uuid4()),
        "versions": 3,
        "job_id": uuid4(),
        "following": Following(
            SourceId(uuid4()),
            ProjectId(uuid4()),
            ({"step": {"op": "filter", "condition": "a > 1"}, "fitted": {"a": 1.5}, "made": ["b"]},),
            relearn=True,
            recipe_name=AWKWARD,
            recipe_id=uuid4(),
            behind=True,
        ),
        "created_at": NOON,
        "updated_at": at(1),
    }
    return DataSource(**(values | changes))


def version(of: DataSource, number: int = 1, **changes: Any) -> Version:
    values: dict[str, Any] = {
        "id": VersionId(uuid4()),
        "source_id": of.id,
        "number": number,
        "columns": tuple(Column(f"{type_} {AWKWARD}", type_, nullable=type_ != "text") for type_ in ColumnType),
        "rows": 10_000_000_000,
        "size": 2**40,
        "fingerprint": uuid4().hex * 2,
        "origin": Origin(
            OriginKind.UPLOAD,
            parents=(VersionId(uuid4()), VersionId(uuid4())),
            originals=(Original(uuid4().hex * 2, "räume.csv", 2**35), Original(uuid4().hex * 2, "2.csv", 1)),
            rejected=Table(uuid4().hex * 2, (Column("line", ColumnType.INTEGER),), 3, 99),
            options=ImportOptions(
                delimiter=";",
                encoding="cp1252",
                quote="'",
                decimal=",",
                header=False,
                sheet="Blatt 1",
                missing=("NA", "-999"),
                types={"a": ColumnType.TEXT},
                widths=(3, 4),
                layout=Layout.FIXED,
            ),
            recipe=({"step": {"op": "sort", "by": [{"column": "a", "descending": True}]}, "fitted": {"a": 1.5}},),
            recipe_name=AWKWARD,
            recipe_id=uuid4(),
            model=uuid4(),
        ),
        "created_by": user(),
        "created_at": at(2),
    }
    return Version(**(values | changes))


def session(of: Version, within: Project, **changes: Any) -> Session:
    """A tree with a branch, a step switched off, a name, and a redo."""
    values: dict[str, Any] = {
        "id": SessionId(uuid4()),
        "version_id": of.id,
        "project_id": within.id,
        "owner_id": user(),
        "name": AWKWARD,
        "shared": True,
        "created_at": NOON,
        "updated_at": at(3),
    }
    made = Session(**(values | changes))
    made.add(Filter("flow > 3 AND site = 'A'"))
    filling = FillMissing(("flow", "rain"), FillMethod.MEAN, flag=True)
    made.add(filling, lambda e: replace(e, fitted={"flow": 1.25, "rain": [0.1, None]}, made=("flow_filled", AWKWARD)))
    made.undo()
    made.add(Derive("flow_log", "ln(flow + 1)"))
    made.add(DropColumns(("a", "b")))
    last = made.add(Sort((SortKey("flow", descending=True), SortKey("rain"))))
    made.change(last.id, enabled=False)
    made.mark(made.history()[-1].id, name=AWKWARD)
    made.undo()
    return made


def comment(on: Session, **changes: Any) -> Comment:
    values: dict[str, Any] = {
        "id": CommentId(uuid4()),
        "session_id": on.id,
        "entry_id": on.entries[0].id,
        "author_id": user(),
        "text": AWKWARD,
        "created_at": at(5),
    }
    return Comment(**(values | changes))


def recipe(within: Project, **changes: Any) -> SavedRecipe:
    filling = FillMissing(("flow", "rain"), FillMethod.MEAN, flag=True)
    values: dict[str, Any] = {
        "id": RecipeId(uuid4()),
        "project_id": within.id,
        "name": AWKWARD,
        "description": f"Two lines\n{AWKWARD}",
        "steps": (
            RecipeStep(filling, {"flow": 1.25, "rain": [0.1, None]}, made=("flow_filled",)),
            RecipeStep(Sort((SortKey("flow", descending=True),))),
        ),
        "columns": tuple(Column(f"{type_} {AWKWARD}", type_, nullable=type_ != "text") for type_ in ColumnType),
        "created_by": user(),
        "created_at": NOON,
        "updated_at": at(3),
        "deleted_at": at(4),
    }
    return SavedRecipe(**(values | changes))


def specification(on: Version, **changes: Any) -> Specification:
    hyperparameters: dict[str, HyperparameterValue] = {
        "max_depth": 7,
        "learning_rate": 0.1,
        "loss": "gamma",
        "early_stopping": True,
        "max_bins": None,
    }
    values: dict[str, Any] = {
        "name": AWKWARD,
        "version_id": on.id,
        "target": "flow",
        "features": ("rain", "temperature"),
        "problem": Problem.REGRESSION,
        "time_column": "day",
        "group_column": "site",
        "preparation": Preparation(
            Numbers(Imputation.CONSTANT, 1.5, indicator=False, transform=Transform.POWER, scale=Scaling.ROBUST),
            Texts(Imputation.CONSTANT, AWKWARD, False, Encoding.TARGET, 12, 0.01, 3, 16),
            Dates((DatePart.MONTH, DatePart.YEAR), cyclic=True),
            (ColumnGroup(columns=("rain", "site"), name=AWKWARD, numbers=Numbers(), texts=Texts()),),
            (Past(columns=("flow",), lags=(1, 7), windows=(Window(Statistic.SUM, 30, 2),)),),
        ),
        "split": Split(SplitKind.CHRONOLOGICAL, test_size=0.25, gap=0.05, reason="why not"),
        "algorithm": AlgorithmChoice("random_forest", hyperparameters),
        "metrics": ("rmse", "kge"),
        "seed": 2**32 - 1,
        "budget": Budget(90.5),
    }
    return Specification(**(values | changes))


def experiment(on: Version, within: Project, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "id": ExperimentId(uuid4()),
        "project_id": within.id,
        "specification": specification(on),
        "parent_id": ExperimentId(uuid4()),
        "created_by": user(),
        "created_at": at(4),
    }
    return Experiment(**(values | changes))


def outcome() -> Outcome:
    return Outcome(
        problem="binary",
        split="chronological",
        parameters={"max_depth": 7, "nested": {"a": [1, 2.5, None, True]}},
        metrics={"test": {"rmse": 0.1 + 0.2, "r2": -1e300}, "train": {"rmse": 5e-324}},
        baselines={"mean": {"rmse": 1.0}},
        counts=Counts(100, 90, 10, 70, 20),
        features=(
            Feature("rain", "number", 0.0, 12.5),
            Feature("site", "text", categories=("A", "B", AWKWARD)),
            Feature("day", "date", direct=False),
        ),
        derived=(
            DerivedFeature(Derived("day", DatePart.MONTH, Wave.SIN), -1.0, 1.0),
            DerivedFeature(Derived("rain", lag=1, rows=7, statistic=Statistic.SUM)),
        ),
        time_column="day",
        group_column="site",
        classes=("no", "yes"),
        seconds=12.75,
        model_bytes=4_096,
    )


def suite(of: Experiment, **changes: Any) -> Suite:
    """A sweep; with every field set."""
    space = {
        "max_depth": Space(2.0, 9.0, log=True, steps=3),
        "learning_rate": Space(0.01, 0.5),
        "loss": Space(choices=("gamma", 1, 2.5, True, None)),
    }
    values: dict[str, Any] = {
        "id": SuiteId(uuid4()),
        "project_id": of.project_id,
        "experiment_id": of.id,
        "name": AWKWARD,
        "specification": of.specification,
        "plan": Sweep(
            sampler=Sampler.GRID, space=space, trials=17, prune=False, limits=Limits(12.5, 1_000_000), seed=2**32 - 1
        ),
        "metric": "rmse",
        "parallel": 3,
        "seconds": 90.5,
        "status": SuiteStatus.RUNNING,
        "error": "an error, all the same",
        "importance": {"max_depth": 0.75, "loss": 0.25},
        "job_id": uuid4(),
        "created_by": user(),
        "created_at": at(5),
        "started_at": at(6),
        "finished_at": at(7),
        "spent": 12.25,
    }
    return Suite(**(values | changes))


def run(of: Experiment, **changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": RunId(uuid4()),
        "experiment_id": of.id,
        "project_id": of.project_id,
        "specification": of.specification,
        "status": RunStatus.SUCCEEDED,
        "job_id": uuid4(),
        "outcome": outcome(),
        "error": "an error, all the same",
        "artifacts": {"predictions": uuid4().hex, "residuals": uuid4().hex},
        "model_blob": uuid4().hex * 2,
        "rows_blob": uuid4().hex * 2,
        "twin_of": RunId(uuid4()),
        "repeat_of": RunId(uuid4()),
        "mlflow_run_id": uuid4().hex,
        "tags": ("wet", AWKWARD[:20]),
        "notes": AWKWARD,
        "created_by": user(),
        "created_at": at(5),
        "started_at": at(6),
        "finished_at": at(7),
    }
    return Run(**(values | changes))


def logged_run(within: Project, **changes: Any) -> LoggedRun:
    values: dict[str, Any] = {
        "project_id": within.id,
        "mlflow_run_id": uuid4().hex,
        "mlflow_experiment_id": "17",
        "name": "caring-crane-42",
        "status": RunStatus.SUCCEEDED,
        "metrics": {"test_nse": 0.5, "loss": 0.125},
        "params": {"depth": "3", "kernel": "rbf"},
        "tags": {"team": "floods"},
        "user": "ana",
        "source": "train.py",
        "logged_by": user(),
        "parent": uuid4().hex,
        "started_at": at(5),
        "finished_at": at(6),
    }
    return LoggedRun(**(values | changes))


def model(within: Project, *runs: Run, **changes: Any) -> Model:
    values: dict[str, Any] = {
        "id": ModelId(uuid4()),
        "project_id": within.id,
        "name": AWKWARD,
        "created_at": at(8),
    }
    made = Model(**(values | changes))
    for number, made_from in enumerate(runs, 1):
        made.register(made_from.id, user(), at(9), AWKWARD)
        made.decide(number, Decision(Approval.APPROVED, user(), at(10), AWKWARD))
        if number > 1:
            made.mirrored(number, str(number))
            made.point("second", number)
    return made


def job(by: UserId | None = None, within: Project | None = None, **changes: Any) -> Job:
    """Running; with every field set."""
    values: dict[str, Any] = {
        "id": JobId(uuid4()),
        "kind": JobKind.IMPORT_FILE,
        "payload": {"filename": AWKWARD, "options": {"missing": ["NA"], "header": None}},
        "requested_by": by or user(),
        "project_id": None if within is None else within.id,
        "subject": Subject("source", uuid4(), AWKWARD),
        "state": JobState.RUNNING,
        "progress": 0.375,
        "phase": "reading",
        "message": "1,000 rows",
        "error": "it broke",
        "result": {"rows": 3, "nested": {"a": [1, None]}},
        "attempts": 2,
        "worker": "host-1-abc",
        "lease_until": at(10),
        "cancel_requested": True,
        "finish_requested": True,
        "created_at": NOON,
        "sent_at": at(1),
        "started_at": at(2),
        "finished_at": at(3),
    }
    return Job(**(values | changes))


def queued(by: UserId | None = None, within: Project | None = None, **changes: Any) -> Job:
    values: dict[str, Any] = {"state": JobState.QUEUED, "worker": None, "lease_until": None, "sent_at": None}
    return job(by, within, **(values | changes))


def token(of: UserId | None = None, **changes: Any) -> Token:
    values: dict[str, Any] = {
        "id": TokenId(uuid4()),
        "user_id": of or user(),
        "name": AWKWARD,
        "digest": uuid4().hex * 2,
        "scopes": frozenset({Scope.READ, Scope.WRITE}),
        "created_at": NOON,
        "expires_at": at(60),
        "last_used_at": at(30),
    }
    return Token(**(values | changes))


class World:
    """A project with one of everything, stored."""

    def __init__(self, uow: UnitOfWorkFactory, owner: UserId | None = None) -> None:
        self.owner = owner or user()
        self.project = project(self.owner)
        self.source = source(self.project)
        self.version = version(self.source)
        self.session = session(self.version, self.project)
        self.recipe = recipe(self.project)
        self.experiment = experiment(self.version, self.project)
        self.suite = suite(self.experiment)
        self.run = run(self.experiment, variation=Variation(self.suite.id, 3, {"max_depth": 4, "loss": None}))
        self.model = model(self.project, self.run)
        self.job = job(self.owner, self.project)
        with uow() as unit:
            unit.projects.add(self.project)
            unit.sources.add(self.source)
            unit.versions.add(self.version)
            unit.sessions.add(self.session)
            unit.recipes.add(self.recipe)
            unit.experiments.add(self.experiment)
            unit.suites.add(self.suite)
            unit.runs.add(self.run)
            unit.models.add(self.model)
            unit.jobs.add(self.job)
            unit.commit()


def without(value: Any, **changes: Any) -> Any:
    return replace(value, **changes)


def uuids(number: int) -> list[UUID]:
    return [uuid4() for _ in range(number)]
