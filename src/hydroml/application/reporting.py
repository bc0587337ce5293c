"""Reports of runs and cards of models, made when they are asked for."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hydroml.application.access import model_of, run_of
from hydroml.application.documents import write_specification
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.reporting import Writer
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import TableEngine, View
from hydroml.application.preflight import PreflightService
from hydroml.application.run_comparison import RunComparisonService
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import Run, RunId
from hydroml.domain.models import ModelId
from hydroml.domain.projects import UserId
from hydroml.domain.reporting import comparing, report
from hydroml.domain.reporting.document import Document
from hydroml.domain.reporting.subject import Stretch, Subject
from hydroml.domain.reporting.words import moment
from hydroml.domain.sources import DataSource, Version
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps.reshape import Aggregate
from hydroml.domain.studio.steps.statistics import Statistic, Summary

MOST_STRETCHES = 1_000
"""Folds, drawn so many times, in two parts."""


class Format(StrEnum):
    HTML = "html"
    PDF = "pdf"
    MARKDOWN = "md"


@dataclass(frozen=True, slots=True)
class File:
    name: str
    format: Format
    content: bytes


class ReportService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        preflight: PreflightService,
        comparisons: RunComparisonService,
        blobs: BlobStore,
        writers: Mapping[Format, Writer],
        clock: Clock,
    ) -> None:
        self._uow, self._engine, self._preflight, self._blobs = uow, engine, preflight, blobs
        self._comparisons, self._writers, self._clock = comparisons, writers, clock

    def report(self, user: UserId, run_id: RunId) -> Document:
        """Of a run. Raises RunStateError before it has succeeded."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
            run.result()
            version = uow.versions.get(run.specification.version_id)
            source = uow.sources.get(version.source_id)
        return report.report(self._subject(run, version, source))

    def card(self, user: UserId, model_id: ModelId, number: int) -> Document:
        """Of a version of a model. Raises ModelVersionNotFoundError."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id)
            registered = model.version(number)
            run = uow.runs.get(registered.run_id)
            version = uow.versions.get(run.specification.version_id)
            source = uow.sources.get(version.source_id)
        return report.card(self._subject(run, version, source), model, registered)

    def comparison(self, user: UserId, run_ids: Sequence[RunId]) -> Document:
        """Of several runs. Raises InvalidInputError and RunNotFoundError as a comparison does."""
        found = self._comparisons.compare(user, run_ids)
        return comparing.comparison(
            comparing.Compared(
                names=[run.name if isinstance(run, LoggedRun) else run.specification.name for run in found.runs],
                ids=[str(run.id) for run in found.runs],
                data=found.data,
                differ=found.differ,
                same=found.same,
                metrics=found.metrics,
                obstacles=found.obstacles,
                made_at=self._clock(),
            )
        )

    def file(self, document: Document, kind: Format) -> File:
        """The document as a file, with a name for it."""
        name = f"{document.title}, {document.kind.lower()}.{kind}"
        return File(name, kind, self._writers[kind].write(document))

    def _subject(self, run: Run, version: Version, source: DataSource) -> Subject:
        outcome, _ = run.result()
        checked = self._preflight.check(run.specification, version)
        return Subject(
            run=run,
            outcome=outcome,
            version=version,
            source=source.name,
            artifacts={name: self._artifact(key) for name, key in run.artifacts.items()},
            stretches=tuple(self._stretches(run)),
            warnings=checked.warnings,
            treatments=checked.treatments,
            specification_text=_spelled(write_specification(run.specification)),
            made_at=self._clock(),
        )

    def _artifact(self, key: str) -> Any:
        with self._blobs.open(key) as blob:
            return json.loads(blob.read())

    def _stretches(self, run: Run) -> Iterator[Stretch]:
        """From the table of the rows it was judged on; none where a run has no such table."""
        outcome, wanted = run.outcome, run.specification
        if outcome is None or outcome.rows is None:
            return
        names = [column.name for column in outcome.rows.columns]
        time, group = _named(wanted.time_column, names), _named(wanted.group_column, names)
        figures = [Summary(Statistic.COUNT, name="rows")]
        if time is not None:
            figures += [Summary(Statistic.MIN, time, name="first"), Summary(Statistic.MAX, time, name="last")]
        if group is not None:
            figures.append(Summary(Statistic.COUNT_DISTINCT, group, name="groups"))
        keys = tuple(name for name in ("fold", "part") if name in names)
        step = Aggregate(tuple(figures), keys)
        page = self._engine.page(View(run.judged(), (RecipeStep(step),)), 0, MOST_STRETCHES)
        for row in page.rows:
            cells = dict(zip((column.name for column in page.columns), row, strict=True))
            yield Stretch(
                part=str(cells["part"]),
                rows=int(cells["rows"]),
                fold=cells.get("fold"),
                first=None if cells.get("first") is None else moment(cells["first"]),
                last=None if cells.get("last") is None else moment(cells["last"]),
                groups=cells.get("groups"),
            )


def _spelled(document: Mapping[str, Any], depth: int = 2, margin: str = "  ") -> str:
    """As JSON, with a line for each member down to a depth: lists of many columns take one."""
    lines = [
        f"{margin}{json.dumps(name)}: "
        + (
            _spelled(value, depth - 1, margin + "  ")
            if isinstance(value, Mapping) and value and depth > 1
            else json.dumps(value, ensure_ascii=False)
        )
        for name, value in document.items()
    ]
    return "{\n" + ",\n".join(lines) + f"\n{margin[2:]}}}"


def _named(column: str | None, names: list[str]) -> str | None:
    """What a column of the table is called among those of the rows, which have names of their own."""
    found = [name for name in (f"{column} of the table", column) if column is not None and name in names]
    return found[0] if found else None
