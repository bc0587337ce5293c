"""Sweeps: hyperparameters tried within a space, as a searcher proposes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import Any, Literal

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.algorithms import (
    ALGORITHMS,
    Algorithm,
    Hyperparameter,
    HyperparameterType,
    HyperparameterValue,
)
from hydroml.domain.experiments.plans.base import MOST_TRIALS, Basis
from hydroml.domain.experiments.specification import AlgorithmChoice, Specification

MOST_STEPS = 100


class Sampler(StrEnum):
    """How a sweep chooses the next values: where good ones were (TPE), by chance, or one after another."""

    TPE = "tpe"
    RANDOM = "random"
    GRID = "grid"


@dataclass(frozen=True, slots=True)
class Space:
    """Where a sweep looks for one hyperparameter: among `choices`, or from `low` to `high`.

    A grid takes `steps` values from a range, both ends among them, evenly spaced: on a logarithmic scale by ratio.
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    steps: int = 5
    choices: tuple[HyperparameterValue, ...] = ()

    @classmethod
    def of(cls, parameter: Hyperparameter) -> "Space | None":
        """The one that comes with the algorithm; None for what is better left as it is."""
        match parameter.type:
            case HyperparameterType.CHOICE:
                return cls(choices=parameter.choices)
            case HyperparameterType.BOOLEAN:
                return cls(choices=(False, True))
            case HyperparameterType.INTEGER | HyperparameterType.NUMBER:
                found = parameter.search
                return None if found is None else cls(found.low, found.high, found.log)

    def faults(self, parameter: Hyperparameter) -> Iterator[Fault]:
        """Places are within this space."""
        if self.choices:
            if self.low is not None or self.high is not None:
                yield Fault(("choices",), "either choices, or low and high", "space")
            for index, value in enumerate(self.choices):
                if (message := parameter.complaint(value)) is not None:
                    yield Fault(("choices", index), f"{parameter.name} {message}", "hyperparameter")
            if len(set(map(repr, self.choices))) < len(self.choices):
                yield Fault(("choices",), "each choice once", "space")
        elif parameter.type not in (HyperparameterType.INTEGER, HyperparameterType.NUMBER):
            yield Fault(("choices",), f"{parameter.name} needs choices to try", "required")
        else:
            yield from self._range_faults(parameter)

    def holds(self, value: HyperparameterValue) -> bool:
        if self.choices:
            return repr(value) in map(repr, self.choices)
        if not isinstance(value, int | float) or self.low is None or self.high is None:
            return False
        return self.low <= value <= self.high

    def _range_faults(self, parameter: Hyperparameter) -> Iterator[Fault]:
        whole = parameter.type is HyperparameterType.INTEGER
        ends = []
        for place, end in (("low", self.low), ("high", self.high)):
            if end is None or not isfinite(end):
                yield Fault((place,), "needs a number", "required")
            elif (message := parameter.complaint(int(end) if whole and end == int(end) else end)) is not None:
                yield Fault((place,), f"{parameter.name} {message}", "hyperparameter")
            else:
                ends.append(end)
        if len(ends) == 2 and ends[0] >= ends[1]:
            yield Fault(("high",), "must be greater than low", "range")
        if self.log and ends and ends[0] <= 0:
            yield Fault(("low",), "must be above 0 on a logarithmic scale", "range")
        if not 2 <= self.steps <= MOST_STEPS:
            yield Fault(("steps",), f"between 2 and {MOST_STEPS}", "range")

    def grid(self, parameter: Hyperparameter) -> tuple[HyperparameterValue, ...]:
        """The values that a grid takes, ascending; a whole number comes once however close the steps are."""
        if self.choices:
            return self.choices
        low, high = self.low or 0.0, self.high or 0.0
        shares = [step / (self.steps - 1) for step in range(self.steps)]
        values = [low * (high / low) ** share if self.log else low + (high - low) * share for share in shares]
        values[0], values[-1] = low, high
        if parameter.type is HyperparameterType.INTEGER:
            return tuple(dict.fromkeys(round(value) for value in values))
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a trial must keep to be the best one; None for no limit."""

    seconds: float | None = None
    """For the whole training."""
    model_bytes: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("seconds", self.seconds), ("model_bytes", self.model_bytes)):
            if value is not None and not (isfinite(value) and value > 0):
                raise InvalidInputError.at("limits", name, msg="must be above 0", code="range")

    def excesses(self, seconds: float, model_bytes: int) -> tuple[float, ...]:
        """By how much each limit is exceeded, as a share of it; 0 or less where it is kept."""
        pairs = ((self.seconds, seconds), (self.model_bytes, model_bytes))
        return tuple(used / limit - 1 for limit, used in pairs if limit is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Tries hyperparameters of the specification's algorithm, and keeps the others as they are."""

    kind: Literal["sweep"] = "sweep"
    sampler: Sampler = Sampler.TPE
    space: dict[str, Space] = field(default_factory=dict)
    """By hyperparameter. Empty: all that the algorithm says are worth searching, where it says."""
    trials: int = 50
    """Most of them; a grid may have fewer."""
    prune: bool = True
    """Give a trial up when after some folds it is worse than half of the others were then."""
    limits: Limits = Limits()
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MOST_TRIALS:
            raise InvalidInputError.at("trials", msg=f"between 1 and {MOST_TRIALS:,}", code="range")
        if not 0 <= self.seed < 2**32:
            raise InvalidInputError.at("seed", msg="a whole number from 0 to 4,294,967,295", code="range")

    def resolved(self, basis: Basis) -> "Sweep":
        """With the algorithm's own spaces where none is given."""
        if self.space:
            return self
        spaces = {p.name: Space.of(p) for p in ALGORITHMS[basis.specification.algorithm.name].hyperparameters}
        return replace(self, space={name: space for name, space in spaces.items() if space is not None})

    def faults(self, basis: Basis) -> Iterator[Fault]:
        """Places are within the plan. To be asked once it is resolved."""
        algorithm = ALGORITHMS[basis.specification.algorithm.name]
        known = _parameters(algorithm)
        for name, space in self.space.items():
            if name not in known:
                msg = f"{algorithm.title} has no hyperparameter “{name}”"
                yield Fault(("space", name), msg, "unknown_hyperparameter")
                continue
            for fault in space.faults(known[name]):
                yield replace(fault, loc=("space", name, *fault.loc))
        if not self.space:
            yield Fault(("space",), f"{algorithm.title} has nothing to search: say what to try", "required")

    def most(self, base: Specification) -> int:
        """How many trials there can be."""
        if self.sampler is not Sampler.GRID:
            return self.trials
        known, points = _parameters(ALGORITHMS[base.algorithm.name]), 1
        for name, space in self.space.items():
            points *= len(space.grid(known[name]))
        return min(points, self.trials)

    def start(self, base: Specification) -> dict[str, HyperparameterValue]:
        """What TPE tries first: the experiment's own values, as far as they lie within the space, so that its best is
        no worse than what one began with. The other samplers start by chance or in order."""
        if self.sampler is not Sampler.TPE:
            return {}
        own = ALGORITHMS[base.algorithm.name].complete(base.algorithm.hyperparameters)
        return {name: own[name] for name, space in self.space.items() if space.holds(own[name])}

    def varied(self, base: Specification, values: Mapping[str, Any]) -> Specification:
        """What a trial with these values is to do."""
        chosen = AlgorithmChoice(base.algorithm.name, base.algorithm.hyperparameters | dict(values))
        return replace(base, algorithm=chosen)


def _parameters(algorithm: Algorithm) -> dict[str, Hyperparameter]:
    return {parameter.name: parameter for parameter in algorithm.hyperparameters}
