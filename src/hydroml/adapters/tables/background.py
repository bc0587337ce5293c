"""Work that is done before anybody asks for it: one thing at a time, and only with what the processors have left."""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from hydroml.domain.errors import DomainError

logger = logging.getLogger(__name__)

_MOST = 16
_NICE = 15


class Background:
    """What was asked for last is done first; of much, the oldest is forgotten."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Callable[[], object]] = OrderedDict()
        self._wake = threading.Condition()
        self._working: str | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, key: str, work: Callable[[], object]) -> None:
        """Does nothing while the same is being done."""
        with self._wake:
            if self._closed or key == self._working:
                return
            self._waiting[key] = work
            self._waiting.move_to_end(key)
            if len(self._waiting) > _MOST:
                self._waiting.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tables in the background", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def idle(self, timeout: float | None = None) -> bool:
        """Waits until there is nothing left to do."""
        with self._wake:
            return self._wake.wait_for(lambda: self._working is None and not self._waiting, timeout)

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._waiting.clear()
            self._wake.notify_all()

    def _run(self) -> None:
        with suppress(OSError, AttributeError):  # on Linux a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            with self._wake:
                self._working = None
                self._wake.notify_all()
                self._wake.wait_for(lambda: bool(self._waiting) or self._closed)
                if self._closed:
                    return
                self._working, work = self._waiting.popitem()
            try:
                work()
            except DomainError as error:  # who asks for it in the foreground will hear of it
                logger.info("not done in the background: %s", error)
            except Exception:
                logger.exception("work in the background failed")
