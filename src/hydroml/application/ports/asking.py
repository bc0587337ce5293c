"""Who waits for an answer: when nobody does any more, the work for it ends."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, Thread

from hydroml.domain.errors import UnavailableError

_PAUSE = 0.05


class AbandonedError(UnavailableError):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("nobody waits for the answer any more")


class Asker:
    """Somebody who waits for an answer, and may go away before it is there."""

    def __init__(self) -> None:
        self._gone = False
        self._stops: list[Callable[[], None]] = []
        self._lock = Lock()

    @property
    def gone(self) -> bool:
        return self._gone

    def leave(self) -> None:
        """Ends what runs for this asker, from any thread."""
        with self._lock:
            self._gone = True
            if self._stops:
                Thread(target=self._stop, daemon=True).start()

    def _stop(self) -> None:
        # More than once: what has not quite begun would not hear of it.
        while self._stops:
            with self._lock:
                for stop in self._stops:
                    stop()
            time.sleep(_PAUSE)

    def check(self) -> None:
        """Raises AbandonedError when the asker has gone."""
        if self._gone:
            raise AbandonedError

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        """Within the block, leaving calls `stop` from another thread. Raises AbandonedError when that has happened
        before."""
        with self._lock:
            self.check()
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)


_current: ContextVar[Asker | None] = ContextVar("asker", default=None)


def asker() -> Asker:
    """For whom this thread or task works: one that never leaves where nobody has been named."""
    return _current.get() or Asker()


@contextmanager
def asking(who: Asker) -> Iterator[Asker]:
    """Within the block, and in what it starts, work is done for `who`."""
    token = _current.set(who)
    try:
        yield who
    finally:
        _current.reset(token)
