"""What plans are given and what they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydroml.domain.experiments.specification import Problem, Specification, SplitKind
from hydroml.domain.sources import Column

MOST_TRIALS = 1_000


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan starts from: the specification, the problem in force, and the columns of the table."""

    specification: Specification
    problem: Problem
    columns: Sequence[Column]

    @property
    def split(self) -> SplitKind:
        """The split in force."""
        return self.specification.split.resolve(self.specification.time_column, self.problem)

    @property
    def features(self) -> tuple[str, ...]:
        """The features in force."""
        return self.specification.resolved_features(self.columns)


@dataclass(frozen=True, slots=True)
class Variant:
    """A specification that a plan tries, and what is varied in it."""

    values: dict[str, Any]
    specification: Specification


@dataclass(frozen=True, slots=True)
class Scored:
    """A trial as a plan sees it."""

    values: Mapping[str, Any]
    has_ended: bool
    distance: float | None
    """How far from the best there can be; None without a score."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """Of its features, on rows of the training part that its model has not seen; empty where nothing needs it."""
