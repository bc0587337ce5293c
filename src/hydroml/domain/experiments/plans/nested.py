"""Nested cross-validation: what to expect of a training whose hyperparameters were searched for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.plans.base import MOST_TRIALS, Basis, Scored, Variant
from hydroml.domain.experiments.plans.sweep import Sampler, Space, Sweep
from hydroml.domain.experiments.specification import Specification, Split, SplitKind

_WITHIN = 3
"""Inner folds, unless the specification says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """Divides the rows into outer folds, and within the training part of each searches for hyperparameters, as a sweep
    of its own that inner folds judge; the outer fold then judges what was chosen, and nothing else.

    See Cawley and Talbot (2010), J. Mach. Learn. Res. 11, for why the score of the search itself is too kind.
    """

    kind: Literal["nested"] = "nested"
    folds: int = 5
    """Outer ones, of the kind that goes with the specification's split."""
    repeats: int = 1
    """How often the outer folds are drawn anew."""
    trials: int = 20
    """Of the search in each outer fold."""
    sampler: Sampler = Sampler.TPE
    space: dict[str, Space] = field(default_factory=dict)
    """As of a sweep."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, low, high in (("folds", self.folds, 2, 20), ("repeats", self.repeats, 1, 20)):
            if not low <= value <= high:
                raise InvalidInputError.at(name, msg=f"between {low} and {high}", code="range")
        if not 2 <= self.trials <= 200:
            raise InvalidInputError.at("trials", msg="between 2 and 200", code="range")
        if self.repeats * self.folds * self.trials > MOST_TRIALS:
            words = f"{self.repeats * self.folds * self.trials:,} trials in all; at most {MOST_TRIALS:,}"
            raise InvalidInputError.at("trials", msg=words, code="range")
        self.search(1, 1)  # whose values are checked

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Each outer fold as (repeat, fold), counted from 1."""
        return tuple((r, f) for r in range(1, self.repeats + 1) for f in range(1, self.folds + 1))

    def search(self, repeat: int, fold: int) -> Sweep:
        """That of one outer fold, with a chance of its own."""
        seed = (self.seed + (repeat - 1) * self.folds + fold - 1) % 2**32
        return Sweep(sampler=self.sampler, trials=self.trials, space=self.space, prune=False, seed=seed)

    def resolved(self, basis: Basis) -> "Nested":
        """With the algorithm's own spaces where none is given."""
        return replace(self, space=self.search(1, 1).resolved(basis).space)

    def faults(self, basis: Basis) -> Iterator[Fault]:
        """Places are within the plan. To be asked once it is resolved."""
        if self.sampler is Sampler.GRID:
            yield Fault(("sampler",), "a nested study searches by TPE or at random", "sampler")
        if self.repeats > 1 and basis.split.is_chronological:
            yield Fault(("repeats",), "time divides the rows in one way only: there is nothing to repeat", "split")
        yield from self.search(1, 1).faults(basis)

    def most(self, base: Specification) -> int:  # noqa: ARG002 - as for other plans
        """How many trials there are."""
        return len(self.places) * self.trials

    def divided(self, split: Split, kind: SplitKind) -> Split:
        """The split of the trials, of which `kind` is in force: an outer fold tests, inner folds judge the search."""
        within = split.validation or _WITHIN
        return replace(split, kind=kind.folded, folds=self.folds, repeats=1, fold=1, validation=within)

    def at(self, base: Specification, repeat: int, fold: int) -> Specification:
        """What the trials of one outer fold start from."""
        return replace(base, seed=(base.seed + repeat - 1) % 2**32, split=replace(base.split, fold=fold))

    def varied(self, base: Specification, values: Mapping[str, Any]) -> Specification:
        """What a trial with these values is to do."""
        repeat, fold = place_of(values)
        found = {name: value for name, value in values.items() if name in self.space}
        return self.search(repeat, fold).varied(self.at(base, repeat, fold), found)

    def next_place(self, trials: Sequence[tuple[Mapping[str, Any], bool]]) -> tuple[int, int] | None:
        """Where the next trial belongs, given the values of each and whether it has ended: the first outer fold with
        trials left in which the fewest run, so that a search knows as much as it can. None when all are there."""
        open_ = []
        for place in self.places:
            mine = [ended for values, ended in trials if place_of(values) == place]
            if len(mine) < self.trials:
                open_.append((mine.count(False), place))
        return min(open_)[1] if open_ else None

    def upcoming(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:  # noqa: ARG002
        """A searcher proposes them."""
        return ()


def place_of(values: Mapping[str, Any]) -> tuple[Any, Any]:
    """The outer fold that a trial belongs to."""
    return values.get("repeat"), values.get("fold")
