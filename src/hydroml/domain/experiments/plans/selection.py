"""Selection: which features to keep."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.plans.base import MOST_TRIALS, Basis, Scored, Variant
from hydroml.domain.experiments.specification import Specification


class Method(StrEnum):
    """How features are chosen.

    Forward begins with none and adds, round by round, the one that helps most; backward begins with all and takes away
    the one that is missed least; importance keeps the most important half, quarter and so on; stability trains with
    all under several seeds and keeps those that are important under most of them.
    """

    FORWARD = "forward"
    BACKWARD = "backward"
    IMPORTANCE = "importance"
    STABILITY = "stability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Tries subsets of the features."""

    kind: Literal["selection"] = "selection"
    method: Method = Method.FORWARD
    most_features: int | None = None
    """Forward ends with so many; None for no limit."""
    tolerance: float = 0.0
    """Forward goes on while the score gains more than this share of itself; backward while it loses no more."""
    seeds: int = 8
    """How often stability trains with all features."""
    threshold: float = 0.6
    """In which share of them a feature has to be among the more important half."""
    features: tuple[str, ...] = ()
    """All of them, as the specification has them; filled in."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("tolerance", self.tolerance, 0, 1),
            ("seeds", self.seeds, 3, 100),
            ("threshold", self.threshold, 0.05, 1),
            ("most_features", self.most_features or 1, 1, MOST_TRIALS),
        ):
            if not low <= value <= high:
                raise InvalidInputError.at(name, msg=f"between {low} and {high}", code="range")

    def resolved(self, basis: Basis) -> "Selection":
        return replace(self, features=basis.features)

    def faults(self, basis: Basis) -> Iterator[Fault]:
        """Places are within the plan. To be asked once it is resolved."""
        if len(self.features) < 2:
            yield Fault(("features",), "there must be two features to choose from", "required")
        if self.most(basis.specification) > MOST_TRIALS:
            words = (
                f"{len(self.features):,} features could take {self.most(basis.specification):,} trials; at most "
                f"{MOST_TRIALS:,}: name fewer of them, set most_features, or choose by importance"
            )
            yield Fault(("method",), words, "too_many")

    @property
    def needs_importance(self) -> bool:
        return self.method in (Method.IMPORTANCE, Method.STABILITY)

    def competes(self, values: Any) -> bool:
        """Whether such a trial can be the best: one under another seed has it easier or harder than the rest."""
        return bool(values.get("draw", 1) == 1)

    def most(self, base: Specification) -> int:  # noqa: ARG002 - as for other plans
        """How many trials there can be."""
        number = len(self.features)
        match self.method:
            case Method.FORWARD:
                rounds = min(self.most_features or number, number)
                return sum(number - added for added in range(rounds))
            case Method.BACKWARD:
                return 1 + sum(range(2, number + 1))
            case Method.IMPORTANCE:
                return 1 + len(_halves(number))
            case Method.STABILITY:
                return self.seeds + 1

    def upcoming(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        """What comes after these trials; nothing while they have to end first."""
        match self.method:
            case Method.FORWARD:
                return self._forward(base, scored)
            case Method.BACKWARD:
                return self._backward(base, scored)
            case Method.IMPORTANCE:
                return self._by_importance(base, scored)
            case Method.STABILITY:
                return self._by_stability(base, scored)

    def _forward(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        chosen: list[str] = []
        best: float | None = None
        done, number = 0, 0
        while len(chosen) < min(self.most_features or len(self.features), len(self.features)):
            number += 1
            open_ = [f for f in self.features if f not in chosen]
            tried = scored[done : done + len(open_)]
            if len(tried) < len(open_):
                return [self._variant(base, {"round": number, "added": f}, [*chosen, f]) for f in open_[len(tried) :]]
            winner = _winner(tried)
            if winner is None:
                return ()
            place, distance = winner
            if best is not None and not distance < best - self.tolerance * abs(best):
                return ()
            chosen.append(open_[place])
            best, done = distance, done + len(open_)
        return ()

    def _backward(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        if not scored:
            return [self._variant(base, {"round": 0, "removed": None}, self.features)]
        kept, best, done, number = list(self.features), scored[0].distance, 1, 0
        if best is None:
            return ()  # it runs still, or has failed
        while len(kept) > 1:
            number += 1
            tried = scored[done : done + len(kept)]
            if len(tried) < len(kept):
                return [
                    self._variant(base, {"round": number, "removed": f}, [k for k in kept if k != f])
                    for f in kept[len(tried) :]
                ]
            winner = _winner(tried)
            if winner is None or winner[1] > best + self.tolerance * abs(best):
                return ()
            done += len(kept)
            kept.pop(winner[0])
            best = winner[1]
        return ()

    def _by_importance(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        if not scored:
            return [self._variant(base, {"kept": "all"}, self.features)]
        ranking = scored[0].importance
        if not ranking:
            return ()
        ordered = sorted(self.features, key=lambda f: (-ranking.get(f, 0.0), self.features.index(f)))
        subsets = [(f"{count} most important", ordered[:count]) for count in _halves(len(ordered))]
        return [self._variant(base, {"kept": words}, subset) for words, subset in subsets[len(scored) - 1 :]]

    def _by_stability(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        if len(scored) < self.seeds:
            return [
                Variant(
                    {"kept": "all", "draw": draw + 1, "features": len(self.features)},
                    replace(base, features=self.features, seed=(base.seed + draw) % 2**32),
                )
                for draw in range(len(scored), self.seeds)
            ]
        if len(scored) > self.seeds or not all(trial.has_ended for trial in scored):
            return ()
        rankings = [trial.importance for trial in scored if trial.importance]
        half = (len(self.features) + 1) // 2
        chosen = Counter(
            name
            for ranking in rankings
            for name in sorted(self.features, key=lambda f: -ranking.get(f, 0.0))[:half]
            if ranking.get(name, 0.0) > 0
        )
        stable = [f for f in self.features if rankings and chosen[f] / len(rankings) >= self.threshold]
        return [self._variant(base, {"kept": "stable", "draw": 1}, stable)] if stable else ()

    def _variant(self, base: Specification, values: dict[str, Any], kept: Sequence[str]) -> Variant:
        ordered = tuple(f for f in self.features if f in kept)
        return Variant(values | {"features": len(ordered)}, replace(base, features=ordered))


def _winner(tried: Sequence[Scored]) -> tuple[int, float] | None:
    """The place and distance of the best; None while one runs, or where all have failed."""
    if not all(trial.has_ended for trial in tried):
        return None
    found = [(trial.distance, place) for place, trial in enumerate(tried) if trial.distance is not None]
    if not found:
        return None
    distance, place = min(found)
    return place, distance


def _halves(number: int) -> list[int]:
    found = []
    while number > 1:
        number = (number + 1) // 2
        found.append(number)
    return found
