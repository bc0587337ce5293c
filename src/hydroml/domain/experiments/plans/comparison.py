"""Comparisons: algorithms beside each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hydroml.domain.errors import Fault
from hydroml.domain.experiments.algorithms import ALGORITHMS, AUTOMATIC
from hydroml.domain.experiments.plans.base import Basis, Scored, Variant
from hydroml.domain.experiments.specification import AlgorithmChoice, Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Tries algorithms, each as it is given, on the same rows."""

    kind: Literal["comparison"] = "comparison"
    algorithms: tuple[AlgorithmChoice, ...] = ()
    """Empty: all for the problem that need no further package, with their defaults; not the search among them."""

    def resolved(self, basis: Basis) -> "Comparison":
        """With all algorithms where none is given."""
        if self.algorithms:
            return self
        fitting = [a for a in ALGORITHMS.values() if basis.problem in a.problems and a.package is None]
        return replace(self, algorithms=tuple(AlgorithmChoice(a.name) for a in fitting if a is not AUTOMATIC))

    def faults(self, basis: Basis) -> Iterator[Fault]:
        """Places are within the plan."""
        yield from choice_faults("algorithms", self.algorithms, basis)
        if len(self.algorithms) < 2:
            yield Fault(("algorithms",), "at least two are compared", "required")

    def most(self, base: Specification) -> int:  # noqa: ARG002 - as for other plans
        """How many trials there can be."""
        return len(self.algorithms)

    def upcoming(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        """What comes after these trials."""
        later = self.algorithms[len(scored) :]
        return [Variant({"algorithm": c.name, **c.hyperparameters}, replace(base, algorithm=c)) for c in later]


def named(choice: AlgorithmChoice) -> dict[str, Any]:
    """As the values of a trial."""
    return {"algorithm": choice.name, **choice.hyperparameters}


def choice_faults(place: str, choices: Sequence[AlgorithmChoice], basis: Basis) -> Iterator[Fault]:
    """What is wrong with a list of algorithms in the plan."""
    for index, choice in enumerate(choices):
        for fault in replace(basis.specification, algorithm=choice).faults(basis.columns):
            if fault.loc[0] == "algorithm":
                yield replace(fault, loc=(place, index, *fault.loc[1:]))
        known = ALGORITHMS.get(choice.name)
        if known is not None and basis.problem not in known.problems:
            yield Fault((place, index, "name"), f"{known.title} is not for a {basis.problem} problem", "algorithm")
        if choice in choices[:index]:
            yield Fault((place, index), "it is there already", "duplicate")
