"""The searcher: proposes what a sweep tries next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hydroml.domain.experiments.algorithms import HyperparameterValue
from hydroml.domain.experiments.runs import SuiteId
from hydroml.domain.experiments.suites import Suite, Trial


@dataclass(frozen=True, slots=True)
class Proposal:
    """The number and the values of a trial."""

    number: int
    values: Mapping[str, HyperparameterValue]


class Searcher(Protocol):
    """Knows each sweep's trials beside the suite itself, and is brought up to date with them whenever it is asked.

    The same sweep and seed give the same proposals after the same trials, whatever process asks. Of one suite one
    process asks at a time. Methods raise UnavailableError when the searcher's storage does not answer.
    """

    def propose(self, suite: Suite, trials: Sequence[Trial]) -> Proposal | None:
        """What to try after these trials, ended or not; None when everything has been tried. A proposal that did not
        become a trial is made again, with the same number."""

    def suggest(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, HyperparameterValue]:
        """What to try after these trials of a sweep, of which nothing is known but what they say themselves, and
        nothing is kept."""

    def gives_up(self, suite: Suite, number: int, fold: int, score: float) -> bool:
        """Whether a trial that has this score after so many folds is worse than half of the others were then."""

    def importance(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, float]:
        """How much of the differences of the scores each hyperparameter explains, together 1; empty while there are
        too few trials to say."""

    def known(self) -> Sequence[SuiteId]:
        """Suites that it knows something of."""

    def forget(self, suite_id: SuiteId) -> None:
        """No error when it knows nothing of it."""
