"""The quality report of a table: every judgement over the facts, and what has changed since another report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hydroml.domain.quality import columns, relations, series, values
from hydroml.domain.quality.facts import Association, Facts, Hits, TimeIndex
from hydroml.domain.quality.findings import Finding, counted, dropping, most_severe_first
from hydroml.domain.quality.fitness import Fitness, fitness
from hydroml.domain.quality.kinds import Severity

MOST_FINDINGS = 1_000
_ENOUGH = 4
_MANY = {
    "empty_column": "{} columns hold no value at all.",
    "constant": "{} columns have the same value in every row that has one: a model learns nothing from them.",
}


@dataclass(frozen=True, slots=True)
class QualityReport:
    rows: int
    columns: int
    findings: tuple[Finding, ...]
    fitness: tuple[Fitness, ...]
    time: TimeIndex | None
    associations: tuple[Association, ...]
    bounds: tuple[str, ...]


def suspected(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """What the facts suggest. Findings with a filter still have to be counted by it."""
    found = [finding for column in facts.columns for finding in _of_column(facts, column.name, now)]
    found += [*_duplicates(facts), *relations.judged(facts), *series.judged(facts)]
    found = _together(found, len(facts.columns))
    with_stretches = {f.columns for f in found if f.kind == "missing_stretches"}
    return tuple(f for f in found if not (f.kind == "missing" and f.columns in with_stretches))


def report(facts: Facts, total_columns: int, findings: Sequence[Finding], hits: Sequence[Hits | None]) -> QualityReport:
    """`hits` are what the findings' filters show, in their order; what shows nothing is no finding."""
    kept = []
    for finding, found in zip(findings, hits, strict=True):
        if found is None:
            kept.append(finding)
        elif found.rows:
            kept.append(finding.counted(found, facts.rows))
    kept = [finding for finding in kept if not _is_a_tail(finding)]
    bounds = facts.bounds
    if len(kept) > MOST_FINDINGS:
        bounds = (*bounds, f"Of {len(kept):,} findings the {MOST_FINDINGS:,} most severe are listed.")
    ordered = most_severe_first(kept)[:MOST_FINDINGS]
    return QualityReport(
        facts.rows, total_columns, ordered, fitness(facts, ordered), facts.time, facts.associations, bounds
    )


def compared(earlier: Sequence[Mapping[str, Any]], later: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Findings, as documents, that are new, gone and still there; told apart by their ids."""
    before, after = {f["id"] for f in earlier}, {f["id"] for f in later}
    return {
        "new": [f for f in later if f["id"] not in before],
        "gone": [f for f in earlier if f["id"] not in after],
        "same": [f for f in later if f["id"] in before],
    }


def _of_column(facts: Facts, name: str, now: datetime) -> Iterator[Finding]:
    column = facts.column(name)
    yield from columns.judged(column, facts)
    yield from values.judged(column, facts, now)


def _together(findings: Sequence[Finding], total: int) -> list[Finding]:
    """Many columns that are empty, or constant, are one finding each: they can be dropped at once."""
    result = list(findings)
    for kind, detail in _MANY.items():
        same = [finding for finding in result if finding.kind == kind]
        if len(same) < _ENOUGH:
            continue
        names = tuple(name for finding in same for name in finding.columns)
        worst = min((finding.severity for finding in same), key=lambda severity: severity.rank)
        result = [finding for finding in result if finding.kind != kind]
        result.append(Finding(kind, worst, names, detail.format(len(names)), step=dropping(names, total)))
    return result


def _duplicates(facts: Facts) -> Iterator[Finding]:
    if facts.duplicates.rows:
        yield Finding(
            "duplicate_rows", Severity.WARNING, (),
            f"In {counted(facts.duplicates.rows, 'rows')} every column is as in a row before.",
            subject=f"{facts.duplicates.rows:,} of {facts.rows:,}",
        ).counted(facts.duplicates, facts.rows)  # fmt: skip


def _is_a_tail(finding: Finding) -> bool:
    return finding.kind == "outliers" and (finding.share or 0.0) > values.MOST_OUTLIERS
