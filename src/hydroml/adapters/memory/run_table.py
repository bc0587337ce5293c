"""The table of a project's runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.application.ports.run_table import MAX_NAMES, RunGroup, RunQuery, RunRow, RunSlice
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId, SuiteId
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.experiments.summary import ColumnValue, columns_of, score_of, words_of
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import DataSource, SourceId, Version, VersionId, VersionNotFoundError

NOTE_START = 200


@dataclass(frozen=True)
class _Line:
    """A run of either kind: its row without columns, all its columns, and what it is found by."""

    row: RunRow
    columns: Mapping[str, ColumnValue]
    words: str


class InMemoryRunTable:
    def __init__(self, transaction: Transaction) -> None:
        self._runs: Rows[RunId, Run] = transaction.rows("run")
        self._logged: Rows[RunId, LoggedRun] = transaction.rows("logged run")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._suites: Rows[SuiteId, Suite] = transaction.rows("suite")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")

    def find(self, which: RunQuery) -> RunSlice:
        found = self._matching(which)
        if which.group is not None:
            found = [line for line in found if which.group in [key for key, _ in self._groups_of(line, which.group_by)]]
        found.sort(key=lambda line: line.row.id, reverse=which.descending)
        keyed = [(_sort_key(line, which.sort_field), line) for line in found]
        known = sorted(((k, r) for k, r in keyed if k is not None), key=lambda pair: pair[0], reverse=which.descending)
        numbers_first = sorted(known, key=lambda pair: pair[0][0])  # whichever way
        ordered = [line for _, line in numbers_first] + [line for key, line in keyed if key is None]
        shown = ordered[which.offset : which.offset + which.limit]
        return RunSlice(tuple(_shown(line, which.columns) for line in shown), len(found))

    def groups(self, which: RunQuery, limit: int) -> Sequence[RunGroup]:
        members: dict[tuple[str, str], list[_Line]] = {}
        for line in self._matching(which):
            for group in self._groups_of(line, which.group_by):
                members.setdefault(group, []).append(line)
        found = []
        for (key, title), lines in members.items():
            values = [_number(line, which.sort_field) for line in lines]
            numbers = [value for value in values if value is not None]
            figures = (min(numbers), fmean(numbers), max(numbers)) if numbers else ()
            found.append(RunGroup(key, title, len(lines), *figures))
        return sorted(found, key=lambda group: (-group.runs, group.title, group.key))[:limit]

    def names(self, project_id: ProjectId) -> Sequence[str]:
        return sorted({name for line in self._lines(project_id) for name in line.columns})[:MAX_NAMES]

    def _lines(self, project_id: ProjectId) -> list[_Line]:
        ours = self._runs.where(lambda r: r.project_id == project_id)
        return [
            *(self._line(run) for run in ours),
            *(_logged_line(run) for run in self._logged.where(lambda r: r.project_id == project_id)),
        ]

    def _matching(self, which: RunQuery) -> list[_Line]:
        words = which.words.lower().split()
        return [
            line
            for line in self._lines(which.project_id)
            if (not which.statuses or line.row.status in which.statuses)
            and which.experiment_id in (None, line.row.experiment_id)
            and which.suite_id in (None, line.row.suite_id)
            and all(word in line.words or (word in line.row.source.lower() and not line.row.logged) for word in words)
        ]

    def _groups_of(self, line: _Line, by: str | None) -> list[tuple[str, str]]:
        row = line.row
        match by:
            case "source":
                return [(str(row.source_id or row.source), row.source)]
            case "version":
                known = row.version_id is not None
                return [(str(row.version_id), f"{row.source}, version {row.version}") if known else ("", "")]
            case "experiment":
                experiment = None if row.experiment_id is None else self._experiments.peek(row.experiment_id)
                return [("", "") if experiment is None else (str(experiment.id), experiment.name)]
            case "suite":
                suite = None if row.suite_id is None else self._suites.peek(row.suite_id)
                return [("", "") if suite is None else (str(suite.id), suite.name)]
            case "tag":
                return [(tag, tag) for tag in row.tags] or [("", "")]
            case "origin":
                value: ColumnValue | None = "mlflow" if row.logged else "hydroml"
            case "algorithm" | "problem" | "target" | "split" | "status":
                value = getattr(row, by)
            case _:
                value = line.columns.get(by or "")
        text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        return [(text, text)]

    def _line(self, run: Run) -> _Line:
        version = self._versions.peek(run.specification.version_id)
        source = None if version is None else self._sources.peek(version.source_id)
        if version is None or source is None:  # a run keeps both
            raise VersionNotFoundError(run.specification.version_id)
        wanted, outcome = run.specification, run.outcome
        row = RunRow(
            id=run.id,
            experiment_id=run.experiment_id,
            suite_id=None if run.variation is None else run.variation.suite_id,
            project_id=run.project_id,
            version_id=wanted.version_id,
            source_id=source.id,
            source=source.name,
            version=version.number,
            job_id=run.job_id,
            name=wanted.name,
            status=run.status,
            error=run.error,
            problem=wanted.problem if outcome is None else outcome.problem,
            split=wanted.split.kind if outcome is None else outcome.split,
            target=wanted.target,
            algorithm=wanted.algorithm.name,
            seed=wanted.seed,
            seconds=None if outcome is None else outcome.seconds,
            score=score_of(run),
            tags=run.tags,
            notes=run.notes[:NOTE_START],
            created_by=run.created_by,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )
        return _Line(row, columns_of(run), words_of(run))


def _logged_line(run: LoggedRun) -> _Line:
    row = RunRow(
        id=run.id,
        experiment_id=None,
        suite_id=None,
        project_id=run.project_id,
        version_id=None,
        source_id=None,
        source=run.source,
        version=None,
        job_id=None,
        name=run.name,
        status=run.status,
        error=None,
        problem="",
        split=None,
        target="",
        algorithm="",
        seed=None,
        seconds=run.seconds,
        score=run.score,
        tags=run.labels,
        notes="",
        created_by=run.logged_by,
        created_at=run.started_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        logged=True,
    )
    return _Line(row, run.columns, run.words)


def _shown(line: _Line, columns: Sequence[str]) -> RunRow:
    return replace(line.row, values={name: line.columns[name] for name in columns if name in line.columns})


def _sort_key(line: _Line, name: str) -> tuple[int, object] | None:
    """Numbers come before words; None is last."""
    row = line.row
    match name:
        case "name" | "source":
            return (1, getattr(row, name).lower())
        case "score":
            return None if row.score is None else (0, row.score.value)
        case _ if name.startswith(("metrics.", "parameters.")):
            value = line.columns.get(name)
        case _:
            value = getattr(row, name)
    return None if value is None else (1 if isinstance(value, str) else 0, value)


def _number(line: _Line, name: str) -> float | None:
    if name in ("created_at", "started_at", "finished_at"):
        return None
    key = _sort_key(line, name)
    return float(key[1]) if key is not None and key[0] == 0 else None  # type: ignore[arg-type]
