"""How fit each column is as a feature and as a target, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hydroml.domain.quality.facts import FEW, ColumnFacts, Facts
from hydroml.domain.quality.findings import Finding, percent
from hydroml.domain.sources import ColumnType


class Fit(StrEnum):
    GOOD = "good"
    DOUBTFUL = "doubtful"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Fitness:
    column: str
    as_feature: Fit
    as_target: Fit
    reasons: tuple[str, ...]


_FEATURE: dict[str, tuple[Fit, str]] = {
    "candidate_key": (Fit.UNFIT, "as a feature: it names the rows"),
    "broken_key": (Fit.UNFIT, "as a feature: it names the rows"),
    "near_constant": (Fit.DOUBTFUL, "as a feature: it hardly ever changes"),
    "high_cardinality": (Fit.DOUBTFUL, "as a feature: too many different texts"),
    "personal_data": (Fit.DOUBTFUL, "as a feature: it may be personal"),
    "mixed_types": (Fit.DOUBTFUL, "as a feature: numbers and words are mixed in it"),
}
_TARGET: dict[str, tuple[Fit, str]] = {
    "candidate_key": (Fit.UNFIT, "as a target: every row has a value of its own"),
    "broken_key": (Fit.UNFIT, "as a target: it names the rows"),
    "near_constant": (Fit.DOUBTFUL, "as a target: it hardly ever changes"),
    "imbalance": (Fit.DOUBTFUL, "as a target: one class dominates"),
    "rare_class": (Fit.DOUBTFUL, "as a target: some classes have fewer than ten rows"),
    "mixed_types": (Fit.DOUBTFUL, "as a target: numbers and words are mixed in it"),
    "sentinel_numbers": (Fit.DOUBTFUL, "as a target: some numbers seem to stand for missing values"),
}
_ONE_WAY = ("combination", "determined")
"""Of these findings only the first column follows from the others."""
GIVEN_AWAY = ("linear_copy", "identical_columns", "near_identical_columns", "same_information", *_ONE_WAY)
"""Findings of columns that give each other away as features and target."""


def fitness(facts: Facts, findings: Sequence[Finding]) -> tuple[Fitness, ...]:
    by_column: dict[str, list[Finding]] = {column.name: [] for column in facts.columns}
    for finding in findings:
        for name in finding.columns:
            by_column[name].append(finding)
    return tuple(_fitness(column, by_column[column.name], facts) for column in facts.columns)


class _Opinion:
    def __init__(self) -> None:
        self.fit = Fit.GOOD
        self.reasons: list[str] = []

    def __call__(self, fit: Fit, reason: str) -> None:
        if list(Fit).index(fit) > list(Fit).index(self.fit):
            self.fit = fit
        self.reasons.append(reason)


def _fitness(column: ColumnFacts, findings: Sequence[Finding], facts: Facts) -> Fitness:
    feature, target = _Opinion(), _Opinion()
    if column.known == 0 or (column.exact and column.distinct <= 1):
        reason = "it is empty" if column.known == 0 else "it always has the same value"
        return Fitness(column.name, Fit.UNFIT, Fit.UNFIT, (reason,))
    if column.share_missing >= 0.5:
        feature(Fit.DOUBTFUL, f"as a feature: {percent(column.share_missing)} is missing")
    if column.share_missing >= 0.2:
        target(
            Fit.DOUBTFUL, f"as a target: {percent(column.share_missing)} is missing, those rows cannot be learnt from"
        )
    if facts.time is not None and column.name == facts.time.group:
        feature(Fit.DOUBTFUL, "as a feature: a model would learn the sites by heart")
        target(Fit.UNFIT, "as a target: it names the series")
    _by_type(column, facts, feature, target)
    for finding in findings:
        if finding.kind in _FEATURE:
            feature(*_FEATURE[finding.kind])
        if finding.kind in _TARGET:
            target(*_TARGET[finding.kind])
        if finding.kind in GIVEN_AWAY:
            _given_away(column.name, finding, feature, target)
    reasons = tuple(dict.fromkeys((*feature.reasons, *target.reasons)))
    return Fitness(column.name, feature.fit, target.fit, reasons)


def _by_type(column: ColumnFacts, facts: Facts, feature: _Opinion, target: _Opinion) -> None:
    if column.type.is_temporal:
        feature(Fit.DOUBTFUL, "as a feature: derive month or day of the year from it; as it is it only ever grows")
        target(Fit.UNFIT, "as a target: a time cannot be predicted")
    elif column.name in facts.compact_dates or (facts.time is not None and column.name == facts.time.column):
        feature(Fit.DOUBTFUL, "as a feature: it is the time of the rows")
        target(Fit.UNFIT, "as a target: it is the time of the rows")
    elif column.type in (ColumnType.TEXT, ColumnType.CATEGORY) and column.distinct > FEW:
        target(Fit.UNFIT, f"as a target: about {column.distinct:,} different texts are too many classes")


def _given_away(name: str, finding: Finding, feature: _Opinion, target: _Opinion) -> None:
    others = [other for other in finding.columns if other != name]
    if finding.kind in _ONE_WAY and finding.columns[0] != name:
        feature(Fit.DOUBTFUL, f"as a feature for “{finding.columns[0]}”: it gives the answer away")
        return
    shown = ", ".join(f"“{other}”" for other in others[:3])
    target(Fit.DOUBTFUL, f"as a target: leave {shown} out of the features, which give it away")
    if finding.kind not in _ONE_WAY:
        feature(Fit.DOUBTFUL, f"as a feature for {shown}: it gives the answer away")
