"""The table of a project's runs: searched, sorted, grouped and cut into columns where the runs are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from hydroml.domain.experiments.runs import ExperimentId, RunId, RunStatus, SuiteId
from hydroml.domain.experiments.summary import ColumnValue, Score
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId, VersionId

FIELDS = (
    "created_at", "started_at", "finished_at", "name", "status", "algorithm", "problem", "target", "split", "seed",
    "seconds", "source", "score",
)  # fmt: skip
"""What every run has, and can be sorted by; beside them the places that `columns_of` names."""
GROUPS = (
    "algorithm", "problem", "target", "split", "status", "source", "version", "experiment", "suite", "tag", "origin",
)  # fmt: skip
"""What runs can be grouped by, beside a parameter."""
PREFIXES = ("metrics.", "parameters.")
MAX_NAMES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs, in what order, with which columns.

    `words` must all occur in a run's name, algorithm, target, tags, notes or data source, in any case. `sort` is one of
    `FIELDS` or a column, with - for descending; runs without it come last either way. `group` narrows to one group of
    `group_by`, "" to the runs that have none.
    """

    project_id: ProjectId
    words: str = ""
    statuses: tuple[RunStatus, ...] = ()
    experiment_id: ExperimentId | None = None
    suite_id: SuiteId | None = None
    group_by: str | None = None
    group: str | None = None
    sort: str = "-created_at"
    columns: tuple[str, ...] = ()
    limit: int = 50
    offset: int = 0

    @property
    def sort_field(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_narrowed(self) -> bool:
        """Whether it leaves out any of the project's runs."""
        ids = (self.experiment_id, self.suite_id, self.group)
        return bool(self.words.strip() or self.statuses) or any(one is not None for one in ids)

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as a line of the table; `values` are the columns that were asked for and that it has. One that was `logged`
    with MLflow has no experiment, data version and seed, and an empty algorithm, problem and target."""

    id: RunId
    experiment_id: ExperimentId | None
    suite_id: SuiteId | None
    project_id: ProjectId
    version_id: VersionId | None
    source_id: SourceId | None
    source: str
    """The name of its data source; of a run that was logged, what logged it."""
    version: int | None
    job_id: UUID | None
    name: str
    status: RunStatus
    error: str | None
    problem: str
    split: str | None
    target: str
    algorithm: str
    seed: int | None
    seconds: float | None
    score: Score | None
    tags: tuple[str, ...]
    notes: str
    created_by: UserId | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    logged: bool = False
    values: Mapping[str, ColumnValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSlice:
    """A part of the table; `total` counts the whole of it."""

    rows: tuple[RunRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that have the same: `key` is what `RunQuery.group` takes, and the figures are those of the column that is
    sorted by, where it is a number."""

    key: str
    title: str
    runs: int
    minimum: float | None = None
    mean: float | None = None
    maximum: float | None = None


class RunTable(Protocol):
    def find(self, which: RunQuery) -> RunSlice: ...
    def groups(self, which: RunQuery, limit: int) -> Sequence[RunGroup]:
        """The largest first; a run with several tags is in several groups. `which.group` and the paging do not
        matter."""

    def names(self, project_id: ProjectId) -> Sequence[str]:
        """All columns that some run of the project has, in order of their code points; at most `MAX_NAMES`."""
