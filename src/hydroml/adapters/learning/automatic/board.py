"""The record of a search: every candidate, what became of it and why."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hydroml.adapters.learning.automatic.portfolio import Candidate
from hydroml.adapters.learning.automatic.scores import Score


class State(StrEnum):
    DONE = "done"
    DROPPED = "dropped"
    TOO_SLOW = "too_slow"
    CUT = "cut"
    FAILED = "failed"


@dataclass(slots=True)
class Entry:
    """Losses are turned into the metric when they are shown; seconds count from the search's beginning."""

    candidate: Candidate
    started: float
    state: State = State.FAILED
    reason: str = ""
    seconds: float = 0.0
    rate: float | None = None
    rounds: int | None = None
    race_loss: float | None = None
    fold_losses: list[float] = field(default_factory=list)
    loss: float | None = None
    weight: float = 0.0

    def document(self, score: Score) -> dict[str, Any]:
        def shown(loss: float | None) -> float | None:
            return None if loss is None else score.value(loss)

        return {
            "name": self.candidate.name,
            "title": self.candidate.title,
            "family": self.candidate.family,
            "parameters": dict(self.candidate.parameters),
            "learning_rate": self.rate,
            "rounds": self.rounds,
            "state": self.state.value,
            "reason": self.reason,
            "started": round(self.started, 2),
            "seconds": round(self.seconds, 2),
            "race": shown(self.race_loss),
            "folds": [shown(loss) for loss in self.fold_losses],
            "score": shown(self.loss),
            "weight": self.weight,
        }
