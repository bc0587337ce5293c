"""What a document is about: a run that has succeeded, and what is known around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hydroml.domain.experiments.doubts import Doubt
from hydroml.domain.experiments.runs import Outcome, Run
from hydroml.domain.experiments.specification import Specification, SplitKind
from hydroml.domain.experiments.treatment import Treatment
from hydroml.domain.sources import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The rows of one part, of one fold where there are several: how many, and from when to when."""

    part: str
    rows: int
    fold: int | None = None
    first: str | None = None
    last: str | None = None
    groups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    run: Run
    outcome: Outcome
    version: Version
    source: str
    """The name of the data source."""
    artifacts: Mapping[str, Any]
    stretches: Sequence[Stretch] = ()
    warnings: Sequence[Doubt] = ()
    """Of pre-flight."""
    treatments: Sequence[Treatment] = ()
    specification_text: str = ""
    """The specification as a JSON document."""
    made_at: datetime

    @property
    def wanted(self) -> Specification:
        return self.run.specification

    @property
    def split(self) -> SplitKind:
        """The one in force."""
        return SplitKind(self.outcome.split)

    @property
    def in_folds(self) -> bool:
        """Whether several folds test, each by a model of its own."""
        return self.wanted.split.in_folds(self.split)

    @property
    def is_regression(self) -> bool:
        return self.outcome.problem == "regression"

    def period(self, part: str) -> tuple[str, str] | None:
        """From the first to the last moment of a part, over all folds."""
        known = [one for one in self.stretches if one.part == part and one.first and one.last]
        if not known:
            return None
        return min(one.first or "" for one in known), max(one.last or "" for one in known)
