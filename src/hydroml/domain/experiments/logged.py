"""Runs that others logged into a project's MLflow experiment: shown beside ours, never computed or loaded here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from uuid import UUID, uuid5

from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.runs import RunId, RunStatus
from hydroml.domain.experiments.summary import HEADLINES, ColumnValue, Score
from hydroml.domain.projects import ProjectId, UserId

LOGGED = "logged"
"""The part of metrics whose names do not tell any of ours."""
MAX_VALUES = 1_000
"""So many metrics, parameters and tags each are kept of a run; MLflow has the rest."""
MAX_TEXT = 500
_NAMESPACE = UUID("5b0d3f3e-7d53-4a0b-8a07-2f3e6f0c9d11")
_PARTS = ("test", "train", "validation")
_PRIVATE = ("mlflow.", "hydroml.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRun:
    """A run as MLflow holds it. `metrics` are the last values; `user` and `source` are what the client said."""

    project_id: ProjectId
    mlflow_run_id: str
    mlflow_experiment_id: str
    name: str
    status: RunStatus
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    source: str = ""
    logged_by: UserId | None = None
    """Whose token it came with; None where it did not come through HydroML."""
    parent: str | None = None
    """The run it is nested in, by MLflow's id."""
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def id(self) -> RunId:
        return logged_run_id(self.mlflow_run_id)

    @property
    def labels(self) -> tuple[str, ...]:
        """Its tags as the table shows them."""
        return tuple(f"{name}: {value}" if value else name for name, value in self.tags.items())

    @property
    def seconds(self) -> float | None:
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()

    @property
    def parts(self) -> dict[str, dict[str, float]]:
        """Metrics by part: `test_rmse` is the RMSE on the test part, as HydroML itself logs it; a name that is not made
        of a part and one of our metrics stands under `LOGGED` as it is."""
        found: dict[str, dict[str, float]] = {}
        for name, value in self.metrics.items():
            part, _, metric = name.partition("_")
            known = part in _PARTS and metric in METRICS
            found.setdefault(part if known else LOGGED, {})[metric if known else name] = value
        return found

    @property
    def columns(self) -> dict[str, ColumnValue]:
        """Its numbers and words under their places in the table of runs."""
        found: dict[str, ColumnValue] = {f"parameters.{name}": _value(text) for name, text in self.params.items()}
        for part, metrics in self.parts.items():
            found |= {f"metrics.{part}.{name}": value for name, value in metrics.items() if isfinite(value)}
        return found

    @property
    def score(self) -> Score | None:
        """The first of `HEADLINES` on its test part."""
        test = self.parts.get("test", {})
        return next((Score(name, test[name]) for name in HEADLINES if isfinite(test.get(name, float("nan")))), None)

    @property
    def words(self) -> str:
        """What a search in words looks through, in lower case."""
        return " ".join(("mlflow", self.name, self.user, self.source, *self.labels)).lower()


def logged_run_id(mlflow_run_id: str) -> RunId:
    """The same each time it is read."""
    return RunId(uuid5(_NAMESPACE, mlflow_run_id))


def experiment_name(project_id: UUID, project_name: str) -> str:
    """What MLflow's experiment of a project is called; names are one space there, for all projects."""
    return f"{project_name} ({project_id.hex[:8]})"


def kept(values: Mapping[str, str]) -> dict[str, str]:
    """Of parameters or tags what is kept: not MLflow's and HydroML's own, and not beyond the bounds."""
    own = sorted(name for name in values if not name.startswith(_PRIVATE))[:MAX_VALUES]
    return {_clean(name): _clean(values[name]) for name in own}


def _clean(text: str) -> str:
    """PostgreSQL has no NUL."""
    return text[:MAX_TEXT].replace("\x00", "\ufffd")


def _value(text: str) -> ColumnValue:
    """A number where it is written as one, since MLflow keeps parameters as text."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text
