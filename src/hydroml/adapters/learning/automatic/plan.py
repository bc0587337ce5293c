"""Which candidates answer together, and the one estimator that they become."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder

from hydroml.adapters.learning.automatic.learners import Setting, learner
from hydroml.adapters.learning.automatic.material import Material
from hydroml.adapters.learning.automatic.portfolio import Candidate
from hydroml.adapters.learning.watching import elect


@dataclass(frozen=True, slots=True)
class Member:
    """A candidate as it is fitted to all training rows; `seconds` is how long that may take."""

    candidate: Candidate
    rounds: int
    rate: float | None
    weight: float
    seconds: float

    def document(self) -> dict[str, Any]:
        """All that its fit depends on, for another run that repeats it."""
        one = self.candidate
        return {
            "name": one.name,
            "title": one.title,
            "family": one.family,
            "parameters": dict(one.parameters),
            "learning_rate": self.rate,
            "rounds": self.rounds,
            "weight": self.weight,
        }

    @staticmethod
    def read(document: Mapping[str, Any]) -> "Member":
        candidate = Candidate(document["name"], document["title"], document["family"], document["parameters"])
        return Member(candidate, document["rounds"], document["learning_rate"], document["weight"], 0.0)


@dataclass(slots=True)
class Ended:
    """Whether a fit came to its end."""

    whole: bool = False


@contextmanager
def undisturbed(_: Member) -> Iterator[Ended]:
    """A fit that nothing may end."""
    yield Ended(whole=True)


def fitted(
    members: Sequence[Member],
    material: Material,
    *,
    seed: int,
    threads: int,
    go_on: Callable[[Member], bool] = lambda _: True,
    begin: Callable[[Member], AbstractContextManager[Ended]] = undisturbed,
) -> tuple[list[Member], list[Pipeline]]:
    """The members fitted to all training rows, the weightiest first; those that `go_on` refuses, beyond the first, are
    left out. `begin` gives the context in which a member is fitted."""
    rows = material.rows
    taken: list[Member] = []
    pipelines: list[Pipeline] = []
    for member in sorted(members, key=lambda one: -one.weight):
        if taken and not go_on(member):
            continue
        prepare = material.transformer(member.candidate.family, rows)
        features = material.features.iloc[rows]
        setting = Setting(
            member.candidate,
            of_classes=material.classes > 0,
            seed=seed,
            threads=threads,
            rows=len(rows),
            columns=features.shape[1],
            rate=member.rate,
        )
        pipeline = Pipeline([("prepare", prepare), ("learn", learner(setting).unfitted(member.rounds))])
        with begin(member) as ended:
            pipeline.fit(features, material.target[rows])
        if ended.whole:
            taken.append(member)
            pipelines.append(pipeline)
    return taken, pipelines


def together(members: Sequence[Member], pipelines: list[Pipeline], labels: Sequence[Any] | None) -> Any:
    """One scikit-learn estimator that votes by weight; `labels` are the classes behind the codes."""
    names = [(member.candidate.name, pipeline) for member, pipeline in zip(members, pipelines, strict=True)]
    total = sum(member.weight for member in members)
    weights = [member.weight / total for member in members]
    if labels is None:
        voting: Any = VotingRegressor(names, weights=weights)
        encoder = None
    else:
        voting = VotingClassifier(names, voting="soft", weights=weights)
        encoder = LabelEncoder().fit(np.asarray(labels))
    elect(voting, pipelines, encoder)
    return voting
