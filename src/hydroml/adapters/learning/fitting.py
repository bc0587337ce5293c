"""A fit that can be watched, cancelled and limited in time, although scikit-learn offers none of it."""

import ctypes
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.errors import InvalidInputError, TooLargeError

_POLL = 0.2


class Interrupted(BaseException):
    """Raised inside the fitting thread; no `except Exception` of a library swallows it."""


def run(
    fit: Callable[[], Any],
    *,
    threads: int,
    monitor: Monitor,
    phase: str,
    progress: Callable[[], float] = lambda: 0.0,
    message: Callable[[], str] = str,
    stop: Callable[[], None] = lambda: None,
    deadline: float | None = None,
) -> None:
    """Calls `fit` in a thread of its own and reports meanwhile.

    A request to cancel, which a report raises, and a `deadline` of the monotonic clock both stop the fit: an exception
    is set in its thread and fires at its next step in Python, which the solvers and trees take many times a second; a
    library that would not let it through is told by `stop`.
    Raises what the report raised, TooLargeError for the time, and InvalidInputError when scikit-learn refuses the data.
    """
    failure: list[BaseException] = []
    remarks: list[warnings.WarningMessage] = []

    def work() -> None:
        try:
            # linear algebra on several threads would sum in another order than on one
            with (
                threadpool_limits(threads, "openmp"),
                threadpool_limits(1, "blas"),
                warnings.catch_warnings(record=True) as caught,
            ):
                warnings.simplefilter("always")
                fit()
            remarks.extend(caught)
        except BaseException as error:  # noqa: BLE001  it is raised again in the thread that waits
            failure.append(error)

    worker = threading.Thread(target=work, name=phase, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            monitor.report(progress(), phase, message())
            worker.join(_POLL)
            if deadline is not None and time.monotonic() > deadline and worker.is_alive():
                raise TooLargeError(f"{phase} took longer than the budget of time")
    finally:
        if worker.is_alive():
            stop()
        _stop(worker)
    for words in dict.fromkeys(str(remark.message).split("\n")[0] for remark in remarks):
        monitor.log(words, "warning")
    if failure:
        raise _translated(failure[0])


def interrupt(thread: int) -> None:
    """Has Interrupted raised in the thread of this id, at its next step in Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))


def _stop(worker: threading.Thread) -> None:
    while worker.is_alive():
        interrupt(worker.ident or 0)
        worker.join(1.0)


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, MemoryError):
        return TooLargeError("the training ran out of memory; take fewer features, or fewer rows by a filter")
    if isinstance(error, ValueError):
        refusal = InvalidInputError(f"this table cannot be learnt from: {str(error).splitlines()[0]}")
        refusal.__cause__ = error
        return refusal
    return error
