"""The learner, and the tracking server that keeps a record of its runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.preparation import Derived
from hydroml.domain.experiments.runs import Outcome, Run
from hydroml.domain.experiments.specification import Problem, Specification, SplitKind
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.models import Model, ModelVersion
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import Column, ColumnType, Version


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """What to learn, from which Parquet file; `features` and `problem` are the resolved ones."""

    file: Path
    columns: tuple[Column, ...]
    specification: Specification
    features: tuple[str, ...]
    problem: Problem
    enough: Callable[[], bool] = lambda: False
    """Whether somebody asked an automatic search to stop and keep the best it has."""
    found: Mapping[str, Any] | None = None
    """The leaderboard of the run that this one repeats: what an automatic search found then is fitted again."""
    on_fold: Callable[[int, Mapping[str, float]], None] | None = None
    """Called after each fold, counted from 1, with the means of the metrics so far: of the folds within the training
    part, or of the split's own. What it raises ends the training."""
    thorough: bool = True
    """Whether the model is explained beyond the importance of its features, as one that is looked at."""
    explain_within: bool = False
    """Also say how important the features are in the last of the folds within the training part, as the artifact
    importance_within: who chooses features must not look at the test part."""

    @property
    def derived(self) -> tuple[Derived, ...]:
        """What is made from dates among the features and from earlier rows."""
        dates = [c.name for c in self.columns if c.type.is_temporal and c.name in self.features]
        return self.specification.preparation.derived(dates)

    @property
    def split(self) -> SplitKind:
        """The split in force."""
        return self.specification.split.resolve(self.specification.time_column, self.problem)

    @property
    def direct(self) -> tuple[Column, ...]:
        """The features that the model sees as they are."""
        columns = [self.column(name) for name in self.features]
        return tuple(column for column in columns if not column.type.is_temporal)

    @property
    def seen(self) -> tuple[Column, ...]:
        """All that the model sees: features as they are, and what is derived."""
        return (*self.direct, *(Column(one.name, ColumnType.NUMBER) for one in self.derived))

    def column(self, name: str) -> Column:
        """Raises InvalidInputError when the table has none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InvalidInputError(f"the table has no column “{name}”")


@dataclass(frozen=True, slots=True)
class Trained:
    """`artifacts` are JSON documents for plots and tables, by name; `model` is a file that holds no pickle; `rows` is
    the table of the rows it was judged on, as the outcome describes it."""

    outcome: Outcome
    artifacts: Mapping[str, bytes]
    model: Path
    rows: Path


@dataclass(frozen=True, slots=True)
class PredictionWarning:
    """A value that the model has not seen the like of: `code` is out_of_range, unseen_category, missing or
    no_history."""

    row: int
    column: str
    code: str
    msg: str


@dataclass(frozen=True, slots=True)
class Predictions:
    """One prediction a row, in order; for classes also each class's probability, for numbers the interval's bounds
    where one is known."""

    predictions: tuple[float | str | int | bool | None, ...]
    probabilities: tuple[Mapping[str, float], ...] | None
    warnings: tuple[PredictionWarning, ...]
    intervals: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A succeeded run as it is to be written out; the file of the `task` is where the script will find the data."""

    run: Run
    task: TrainingTask
    data: str
    """What people call its data, and which version."""
    training_rows: tuple[int, ...]
    """How many rows train, in each fold if there are several."""
    recipe: str = ""
    """A program that makes the data from the version it came from, if a recipe did."""


@dataclass(frozen=True, slots=True)
class Written:
    """A run as a Python script, the same as a Jupyter notebook, and what belongs to them."""

    script: str
    notebook: str
    requirements: str
    readme: str


class Learner(Protocol):
    def train(self, task: TrainingTask, folder: Path, monitor: Monitor) -> Trained:
        """Splits, fits preparation and algorithm on the training part only, and judges on the test part beside the
        baselines. The same task gives the same numbers. Files go into `folder`. Raises InvalidInputError when the
        table does not allow it (too few rows in a part, one class only) and TooLargeError when it cannot fit in
        memory."""

    def predict_rows(self, model: Path, outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        """`rows` hold JSON values. Raises InvalidInputError for a missing feature or a value of the wrong type, naming
        row and column."""

    def predict_table(  # noqa: PLR0917 - what, with what, from where, to where
        self, model: Path, outcome: Outcome, target: str, table: Path, out: Path, monitor: Monitor
    ) -> None:
        """Writes the Parquet file `table` with the predictions as further columns to `out`, in the same row order and
        in bounded memory: `<target>_predicted`; for classes `<target>_probability`, the predicted class's, for
        numbers with a known interval `<target>_lower` and `<target>_upper`; and `<target>_remarks`, what in the row the
        model has not seen the like of. Raises InvalidInputError when a feature is missing or has another type."""

    def bundle(self, model: Path, outcome: Outcome, target: str, title: str, out: Path) -> None:
        """Writes the model as a folder that predicts without HydroML, with public libraries only, to the zip `out`."""

    def onnx(self, model: Path, outcome: Outcome, title: str, out: Path) -> None:
        """Writes the model with its preparation as one ONNX graph. Raises InvalidInputError for a part that cannot be
        written, UnavailableError where ONNX is not installed."""

    def write(self, reproduction: Reproduction) -> Written:
        """Code that computes the run's figures again, with public libraries only. Whatever people named stands in it
        as a literal. Raises RunStateError where the run does not tell all that it depends on."""

    def pack(self, reproduction: Reproduction, data: Path, rows: Path, out: Path) -> None:
        """The same as a folder with the data and with the rows that trained and tested, in the zip `out`; `rows` is
        the table that `train` gave. In bounded memory."""


class Tracker(Protocol):
    """A record of runs and models where others look for it. Raises UnavailableError when it does not answer."""

    def experiment(self, project_id: ProjectId, project_name: str) -> str:
        """The id there of the project's experiment, which is made if need be."""

    def logged(self, mlflow_run_ids: Sequence[str]) -> Sequence[LoggedRun]:
        """Those of the runs that are there and that others logged into a project's experiment; artifacts are never
        looked at."""

    def newest(self, limit: int, project_id: ProjectId | None = None) -> Sequence[LoggedRun]:
        """The runs that others logged into the project's experiment, or any project's, the newest first."""

    def record(self, run: Run, version: Version, project_name: str, artifacts: Mapping[str, bytes], model: Path) -> str:
        """Records a succeeded run (parameters, metrics, dataset, artifacts, model with signature) and gives its id
        there. Done again for the same run, it gives the id of what is there already."""

    def nest(self, mlflow_run_id: str, suite: Suite) -> None:
        """Puts a recorded trial beneath the record of its suite, which the first one makes; idempotent."""

    def register(self, model: Model, version: ModelVersion, run: Run) -> str:
        """Mirrors a model version in the registry, aliases included, and gives its version there; idempotent."""
