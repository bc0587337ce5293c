"""Cross-validation studies: how much a score owes to the division of the rows, and to having chosen by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.plans.base import Basis, Scored, Variant
from hydroml.domain.experiments.plans.comparison import choice_faults, named
from hydroml.domain.experiments.specification import AlgorithmChoice, Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """Divides the rows anew in each repeat, and trains on each division.

    With candidates it is nested: in each repeat they are compared on folds within the training part, and the best of
    them alone is judged on the test part, as whoever chooses by validation would have to be judged.
    """

    kind: Literal["cross_validation"] = "cross_validation"
    repeats: int = 5
    candidates: tuple[AlgorithmChoice, ...] = ()
    """Empty: the specification's algorithm alone, and nothing is chosen."""

    def __post_init__(self) -> None:
        if not 2 <= self.repeats <= 100:
            raise InvalidInputError.at("repeats", msg="between 2 and 100", code="range")

    def resolved(self, basis: Basis) -> "CrossValidation":  # noqa: ARG002 - as for other plans
        return self

    def faults(self, basis: Basis) -> Iterator[Fault]:
        """Places are within the plan."""
        kind = basis.split
        if kind.is_chronological:
            words = f"{kind.value.replace('_', ' ')} divides the rows in one way only: there is nothing to repeat"
            yield Fault(("repeats",), words, "split")
        if self.candidates and kind.is_folded:
            words = "a nested study draws its folds within the training part: choose a split with one test part"
            yield Fault(("candidates",), words, "split")
        if len(self.candidates) == 1:
            yield Fault(("candidates",), "none, or at least two to choose from", "required")
        yield from choice_faults("candidates", self.candidates, basis)

    def most(self, base: Specification) -> int:  # noqa: ARG002 - as for other plans
        """How many trials there are."""
        return self.repeats * max(len(self.candidates), 1)

    def upcoming(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        """What comes after these trials."""
        every = [
            Variant(
                {"repeat": repeat + 1} | ({} if choice is None else named(choice)),
                replace(base, seed=(base.seed + repeat) % 2**32, algorithm=choice or base.algorithm),
            )
            for repeat in range(self.repeats)
            for choice in self.candidates or (None,)
        ]
        return every[len(scored) :]
