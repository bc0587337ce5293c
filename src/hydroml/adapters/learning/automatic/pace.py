"""When a learner that goes round by round has gone far enough."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

_TIMED = (2, 10)
"""Rounds between which the speed is taken: before them it sets up its tables."""
_LEARNT = 20.0
"""A learning rate wants so many rounds divided by it."""


@dataclass(slots=True)
class Pace:
    """Told each round's loss on validation rows, it says whether to stop.

    `limit` is in seconds. With a `rate` it also stops early on, `affordable` being set, when at this speed time would
    not suffice for the rounds that the rate wants.
    """

    limit: float
    patience: int | None = None
    rate: float | None = None
    stopped: Callable[[], bool] = lambda: False
    curve: list[float] = field(default_factory=list)
    rounds: int = 0
    affordable: int | None = None
    cut: bool = False
    _begun: float = field(default_factory=time.monotonic)
    _marked: float = 0.0

    def tell(self, loss: float | None = None) -> bool:
        """One more round is done; True asks the learner to stop."""
        self.rounds += 1
        if loss is not None:
            self.curve.append(loss)
        now = time.monotonic()
        first, last = _TIMED
        if self.rounds == first:
            self._marked = now
        if self.rounds == last and self.rate is not None:
            each = max((now - self._marked) / (last - first), 1e-6)
            affordable = int(max(self.limit - (self._marked - self._begun), 0.0) / each)
            if affordable * self.rate < _LEARNT:
                self.affordable = affordable
                return True
        if self.stopped() or now - self._begun > self.limit:
            self.cut = True
            return True
        return self.patience is not None and self._since_best() >= self.patience

    def _since_best(self) -> int:
        if len(self.curve) < 2:
            return 0
        return len(self.curve) - 1 - min(range(len(self.curve)), key=self.curve.__getitem__)


def faster(rate: float, affordable: int) -> float | None:
    """The learning rate with which so many rounds suffice; None where it would learn too coarsely."""
    needed = max(rate, _LEARNT / max(affordable, 1))
    return needed if needed <= COARSEST else None


COARSEST = 0.2
