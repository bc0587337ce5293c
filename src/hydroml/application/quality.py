"""The quality report of a version: made with its analysis or when somebody asks, kept, compared and shown."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

from hydroml.application.access import version_of
from hydroml.application.analysis import AnalysisService
from hydroml.application.documents import write_step
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.quality import MissingFacts, TableInspector
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.errors import ConflictError
from hydroml.domain.jobs import Job
from hydroml.domain.projects import UserId
from hydroml.domain.quality.facts import Gap, TimeIndex
from hydroml.domain.quality.findings import Finding
from hydroml.domain.quality.report import QualityReport, compared, report, suspected
from hydroml.domain.sources import DataSource, Table, Version, VersionId

REPORT = "quality"
SMALL = 500_000
"""Up to so many cells a report is made while somebody waits."""
FORMAT = 1
"""Grows when reports hold something else: an older one is made again."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What there is: the report as a document, if it is made, and the job that makes it, if one does."""

    document: Mapping[str, Any] | None
    job: Job | None


class Silence:
    """A monitor that nobody listens to: of what is made while somebody waits."""

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None: ...
    def log(self, message: str, level: str = "info") -> None: ...
    def interrupting(self, stop: object) -> AbstractContextManager[None]:  # noqa: ARG002 - nobody asks to cancel
        return nullcontext()

    def part(self, start: float, end: float) -> Monitor:  # noqa: ARG002
        return self


class QualityAnalysis:
    """Makes and keeps the report; part of the analysis of every new version."""

    def __init__(self, *, uow: UnitOfWorkFactory, inspector: TableInspector, clock: Clock) -> None:
        self._uow, self._inspector, self._clock = uow, inspector, clock

    def run(self, version: Version, monitor: Monitor) -> dict[str, Any]:
        """Raises VersionNotFoundError when the version was removed meanwhile."""
        document = self.make(version, monitor)
        return {"findings": len(document["findings"])}

    def at_hand(self, version: Version) -> Mapping[str, Any] | None:
        """The report that is kept; of a small table it is made now if need be."""
        with self._uow() as uow:
            document = uow.reports.get(version.id, REPORT)
        if document is not None and document.get("format") == FORMAT:
            return document
        return self.make(version, Silence()) if version.rows * len(version.columns) <= SMALL else None

    def make(self, version: Version, monitor: Monitor) -> Mapping[str, Any]:
        now = self._clock()
        table = Table.of(version)
        facts = self._inspector.measure(table, monitor)
        findings = suspected(facts, now.replace(tzinfo=None))
        monitor.report(0.92, "quality", "Counting the rows of the findings")
        counted = iter(self._inspector.hits(table, [f.filter for f in findings if f.filter], monitor))
        made = report(facts, len(version.columns), findings, [next(counted) if f.filter else None for f in findings])
        document: dict[str, Any] = _storable(written(made)) | {"format": FORMAT, "created_at": now.isoformat()}
        with self._uow() as uow:
            uow.reports.put(version.id, REPORT, document, now)
            uow.commit()
        return document


class QualityService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        inspector: TableInspector,
        analysis: QualityAnalysis,
        analyses: AnalysisService,
    ) -> None:
        self._uow, self._inspector, self._analysis, self._analyses = uow, inspector, analysis, analyses

    def get(self, user: UserId, version_id: VersionId) -> Quality:
        """The report; of a large table a job makes it."""
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        document = self._analysis.at_hand(version)
        if document is not None:
            return Quality(document, None)
        return Quality(None, self._analyses.current(user, version_id))

    def found(self, user: UserId, version_id: VersionId) -> tuple[Version, DataSource, Mapping[str, Any]]:
        """The report with what it is about. Raises ConflictError while it is being made."""
        quality = self.get(user, version_id)
        if quality.document is None:
            raise ConflictError("the quality report is being made; ask again when its job has ended")
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id)
        return version, source, quality.document

    def compare(self, user: UserId, version_id: VersionId, earlier_id: VersionId) -> dict[str, list[Any]]:
        """Findings of the version that are new, gone and still there since the earlier one."""
        _, _, later = self.found(user, version_id)
        _, _, earlier = self.found(user, earlier_id)
        return compared(earlier["findings"], later["findings"])

    def missing(self, user: UserId, version_id: VersionId, chosen: Sequence[str]) -> MissingFacts:
        with self._uow() as uow:
            version, _ = version_of(uow, user, version_id)
        return self._inspector.missing(Table.of(version), chosen, Silence())


def written(made: QualityReport) -> dict[str, Any]:
    """The report as the document that is kept and shown."""
    return {
        "rows": made.rows,
        "columns": made.columns,
        "findings": [_finding(finding) for finding in made.findings],
        "fitness": [
            {
                "column": fitness.column,
                "as_feature": fitness.as_feature.value,
                "as_target": fitness.as_target.value,
                "reasons": list(fitness.reasons),
            }
            for fitness in made.fitness
        ],
        "time": None if made.time is None else _time(made.time),
        "associations": [asdict(association) for association in made.associations],
        "bounds": list(made.bounds),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "kind": finding.kind,
        "dimension": finding.dimension.value,
        "severity": finding.severity.value,
        "columns": list(finding.columns),
        "title": finding.title,
        "detail": finding.detail,
        "rows": finding.rows,
        "share": finding.share,
        "filter": finding.filter,
        "row_numbers": list(finding.row_numbers),
        "step": None if finding.step is None else write_step(finding.step),
    }


def _time(index: TimeIndex) -> dict[str, Any]:
    return {
        "column": index.column,
        "parts": list(index.parts),
        "group": index.group,
        "groups": index.groups,
        "from": index.start,
        "to": index.end,
        "step": index.step,
        "regular": index.regular,
        "gaps": [_gap(gap) for gap in index.gaps],
        "gap_count": index.gap_count,
        "missing_steps": index.missing_steps,
        "duplicates": index.duplicates.rows,
        "out_of_order": index.out_of_order.rows,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"from": gap.start, "to": gap.end, "missing": gap.missing, "group": gap.group}


def _storable(part: Any) -> Any:
    """PostgreSQL keeps no NUL, and cells that findings quote may hold one."""
    if isinstance(part, str):
        return part.replace("\x00", "\ufffd")
    if isinstance(part, dict):
        return {key: _storable(value) for key, value in part.items()}
    return [_storable(value) for value in part] if isinstance(part, (list, tuple)) else part
