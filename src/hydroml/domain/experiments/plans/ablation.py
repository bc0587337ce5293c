"""Ablation: what groups of features are worth, each left out and each alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hydroml.domain.errors import Fault
from hydroml.domain.experiments.plans.base import MOST_TRIALS, Basis, Scored, Variant
from hydroml.domain.experiments.specification import Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Trains with all features, then without each group, then with each group alone."""

    kind: Literal["ablation"] = "ablation"
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Features by the name of their group; those in none are left out by no trial but the lone ones. Empty: each
    feature is a group."""
    alone: bool = True
    """Whether each group is also tried alone."""
    features: tuple[str, ...] = ()
    """All of them, as the specification has them; filled in."""

    def resolved(self, basis: Basis) -> "Ablation":
        """With a group for each feature where none is given."""
        groups = self.groups or {name: (name,) for name in basis.features}
        return replace(self, groups=groups, features=basis.features)

    def faults(self, basis: Basis) -> Iterator[Fault]:
        """Places are within the plan. To be asked once it is resolved."""
        for name, members in self.groups.items():
            if not name.strip() or len(name) > 100:
                yield Fault(("groups", name), "a name of 1 to 100 characters", "name")
            if not members:
                yield Fault(("groups", name), f"there is no feature in “{name}”", "required")
            for index, feature in enumerate(members):
                if feature not in basis.features:
                    yield Fault(("groups", name, index), f"“{feature}” is no feature of the experiment", "feature")
            if not set(basis.features) - set(members):
                yield Fault(("groups", name), f"without “{name}” no feature would be left", "required")
        if self.most(basis.specification) > MOST_TRIALS:
            words = f"they would take {self.most(basis.specification):,} trials; at most {MOST_TRIALS:,}"
            yield Fault(("groups",), words, "too_many")

    def most(self, base: Specification) -> int:  # noqa: ARG002 - as for other plans
        """How many trials there are."""
        return 1 + len(self.groups) * (2 if self.alone else 1)

    def upcoming(self, base: Specification, scored: Sequence[Scored]) -> Sequence[Variant]:
        """What comes after these trials."""
        return self._all(base)[len(scored) :]

    def _all(self, base: Specification) -> list[Variant]:
        def variant(words: str, kept: Sequence[str]) -> Variant:
            return Variant({"features": words}, replace(base, features=tuple(kept)))

        without = [
            variant(f"without {name}", [f for f in self.features if f not in members])
            for name, members in self.groups.items()
        ]
        alone = [
            variant(f"only {name}", [f for f in self.features if f in members]) for name, members in self.groups.items()
        ]
        return [variant("all", self.features), *without, *(alone if self.alone else ())]
