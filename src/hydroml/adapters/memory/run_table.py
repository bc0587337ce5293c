"""The table of a project's runs."""

from collections.abc import Sequence
from statistics import fmean

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.application.ports.run_table import MAX_NAMES, RunGroup, RunQuery, RunRow, RunSlice
from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId, SuiteId
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.experiments.summary import ColumnValue, columns_of, score_of, words_of
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import DataSource, SourceId, Version, VersionId, VersionNotFoundError

NOTE_START = 200


class InMemoryRunTable:
    def __init__(self, transaction: Transaction) -> None:
        self._runs: Rows[RunId, Run] = transaction.rows("run")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._suites: Rows[SuiteId, Suite] = transaction.rows("suite")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._sources: Rows[SourceId, DataSource] = transaction.rows("source")

    def find(self, which: RunQuery) -> RunSlice:
        found = self._matching(which)
        if which.group is not None:
            found = [run for run in found if which.group in [key for key, _ in self._groups_of(run, which.group_by)]]
        found.sort(key=lambda run: run.id, reverse=which.descending)
        keyed = [(self._sort_key(run, which.sort_field), run) for run in found]
        known = sorted(((k, r) for k, r in keyed if k is not None), key=lambda pair: pair[0], reverse=which.descending)
        numbers_first = sorted(known, key=lambda pair: pair[0][0])  # whichever way
        ordered = [run for _, run in numbers_first] + [run for key, run in keyed if key is None]
        shown = ordered[which.offset : which.offset + which.limit]
        return RunSlice(tuple(self._row(run, which.columns) for run in shown), len(found))

    def groups(self, which: RunQuery, limit: int) -> Sequence[RunGroup]:
        members: dict[tuple[str, str], list[Run]] = {}
        for run in self._matching(which):
            for group in self._groups_of(run, which.group_by):
                members.setdefault(group, []).append(run)
        found = []
        for (key, title), runs in members.items():
            values = [self._number(run, which.sort_field) for run in runs]
            numbers = [value for value in values if value is not None]
            figures = (min(numbers), fmean(numbers), max(numbers)) if numbers else ()
            found.append(RunGroup(key, title, len(runs), *figures))
        return sorted(found, key=lambda group: (-group.runs, group.title, group.key))[:limit]

    def names(self, project_id: ProjectId) -> Sequence[str]:
        inside = self._runs.where(lambda r: r.project_id == project_id)
        return sorted({name for run in inside for name in columns_of(run)})[:MAX_NAMES]

    def _matching(self, which: RunQuery) -> list[Run]:
        def fits(run: Run) -> bool:
            return (
                run.project_id == which.project_id
                and (not which.statuses or run.status in which.statuses)
                and which.experiment_id in (None, run.experiment_id)
                and (which.suite_id is None or (run.variation is not None and run.variation.suite_id == which.suite_id))
            )

        words = which.words.lower().split()
        return [
            run
            for run in self._runs.where(fits)
            if all(w in words_of(run) or w in self._data_of(run)[0].name.lower() for w in words)
        ]

    def _data_of(self, run: Run) -> tuple[DataSource, Version]:
        version = self._versions.peek(run.specification.version_id)
        source = None if version is None else self._sources.peek(version.source_id)
        if version is None or source is None:  # a run keeps both
            raise VersionNotFoundError(run.specification.version_id)
        return source, version

    def _value(self, run: Run, name: str) -> ColumnValue | None:
        return columns_of(run).get(name)

    def _sort_key(self, run: Run, name: str) -> tuple[int, object] | None:
        """Numbers come before words; None is last."""
        row = self._row(run, ())
        match name:
            case "name" | "source":
                return (1, getattr(row, name).lower())
            case "score":
                return None if row.score is None else (0, row.score.value)
            case _ if name.startswith(("metrics.", "parameters.")):
                value = self._value(run, name)
            case _:
                value = getattr(row, name)
        return None if value is None else (1 if isinstance(value, str) else 0, value)

    def _number(self, run: Run, name: str) -> float | None:
        if name in ("created_at", "started_at", "finished_at"):
            return None
        key = self._sort_key(run, name)
        return float(key[1]) if key is not None and key[0] == 0 else None  # type: ignore[arg-type]

    def _groups_of(self, run: Run, by: str | None) -> list[tuple[str, str]]:
        source, version = self._data_of(run)
        match by:
            case "source":
                return [(str(source.id), source.name)]
            case "version":
                return [(str(version.id), f"{source.name}, version {version.number}")]
            case "experiment":
                experiment = self._experiments.peek(run.experiment_id)
                return [(str(run.experiment_id), experiment.name if experiment else "")]
            case "suite":
                suite = None if run.variation is None else self._suites.peek(run.variation.suite_id)
                return [("", "") if suite is None else (str(suite.id), suite.name)]
            case "tag":
                return [(tag, tag) for tag in run.tags] or [("", "")]
            case "algorithm" | "problem" | "target" | "split" | "status":
                value = getattr(self._row(run, ()), by)
            case _:
                value = self._value(run, by or "")
        text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
        return [(text, text)]

    def _row(self, run: Run, columns: Sequence[str]) -> RunRow:
        source, version = self._data_of(run)
        wanted, outcome, values = run.specification, run.outcome, columns_of(run)
        return RunRow(
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
            values={name: values[name] for name in columns if name in values},
        )
