"""`hydroml worker` and `hydroml scheduler`."""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

from hydroml.domain.errors import UnavailableError
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.observability import configure_logging, configure_sentry, report
from hydroml.entrypoints.settings import Settings

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
TRACKING_SECONDS = 60.0
FORGETTING_SECONDS = 3_600.0
COLLECTING_SECONDS = 86_400.0
NEWEST_RUNS = 200
KEEP_ANSWERS = timedelta(days=1)


def worker(arguments: list[str]) -> int:
    """Runs jobs until SIGTERM, which lets those that run come to their end; a second one does not."""
    settings = Settings()
    parser = argparse.ArgumentParser(prog="hydroml worker", description="Run background jobs until SIGTERM.")
    parser.add_argument(
        "--concurrency",
        type=_positive,
        default=settings.worker_concurrency,
        help="jobs at the same time (default: HYDROML_WORKER_CONCURRENCY, %(default)s)",
    )
    options = parser.parse_args(arguments)
    configure_logging(settings)
    configure_sentry(settings)
    from hydroml.entrypoints.worker.app import worker_app  # Celery: not for the scheduler

    runner = worker_app(settings).Worker(
        concurrency=options.concurrency,
        pool="prefork",
        optimization="fair",
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    logger.info("the worker runs %d jobs at a time", options.concurrency)
    runner.start()
    return int(runner.exitcode or 0)


def scheduler(arguments: list[str]) -> int:
    """Keeps jobs moving until SIGTERM. More than one does no harm: each job's row is locked while it is looked at."""
    parser = argparse.ArgumentParser(
        prog="hydroml scheduler", description="Send what is due and take up again what was lost, until SIGTERM."
    )
    parser.add_argument(
        "--interval",
        type=_seconds,
        default=SWEEP_SECONDS,
        help="seconds between two looks at the jobs (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    settings = Settings()
    configure_logging(settings)
    configure_sentry(settings)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    logger.info("the scheduler looks at the jobs every %g seconds", options.interval)
    later = time.monotonic() + FORGETTING_SECONDS
    duties = (
        _Duty("sweep the jobs", 0.0, lambda: container().runner().sweep()),
        _Duty("wake suites that stand still", SWEEP_SECONDS, lambda: container().suite_jobs().nudge()),
        _Duty("remove uploads that nobody used", FORGETTING_SECONDS, lambda: container().uploads().expire()),
        _Duty("remove exports whose time has come", FORGETTING_SECONDS, lambda: container().exports().expire()),
        _Duty("collect garbage", COLLECTING_SECONDS, _collect_garbage, later),
        _Duty("forget what was searched for suites that are gone", COLLECTING_SECONDS, _forget_searches, later),
        _Duty("remove old sessions from the trash", FORGETTING_SECONDS, lambda: container().studio().purge()),
        _Duty("remove old recipes from the trash", FORGETTING_SECONDS, lambda: container().recipes().purge()),
        _Duty("forget old answers", FORGETTING_SECONDS, _forget_answers),
    )
    tracking = (
        _Duty("bring the tracking server up to date", TRACKING_SECONDS, lambda: container().tracking().sync()),
        _Duty("read runs that were logged with MLflow", SWEEP_SECONDS, lambda: container().logged_runs().gather()),
        _Duty("look for runs that were logged past us", TRACKING_SECONDS, _look_through),
    )
    # a tracking server that hangs must not keep the jobs waiting
    threading.Thread(target=_keep_doing, args=(tracking, stopping, options.interval), daemon=True).start()
    _keep_doing(duties, stopping, options.interval)
    return 0


def _keep_doing(duties: Sequence["_Duty"], stopping: threading.Event, interval: float) -> None:
    while not stopping.is_set():
        for duty in duties:
            if not stopping.is_set():
                duty.do_when_due()
        stopping.wait(interval)


@dataclass(slots=True)
class _Duty:
    """Something to be done again and again, at most every `seconds`."""

    what: str
    seconds: float
    do: Callable[[], int]
    due: float = 0.0

    def do_when_due(self) -> None:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + self.seconds
            _try(self.what, self.do)


def _look_through() -> int:
    """Nobody can reach MLflow's database without us, but they can reach a tracking server."""
    settings = container().settings()
    return container().logged_runs().look_through(limit=NEWEST_RUNS) if settings.mlflow_is_elsewhere else 0


def _collect_garbage() -> int:
    return container().garbage().collect().blobs


def _forget_searches() -> int:
    return container().suite_jobs().forget_gone()


def _forget_answers() -> int:
    """A request that is repeated after a day is a new one."""
    with container().uow() as uow:
        uow.idempotency.forget(datetime.now(UTC) - KEEP_ANSWERS)
        uow.commit()
    return 0


def _try(what: str, do: Callable[[], int]) -> None:
    """Whatever fails is tried again at the next turn."""
    try:
        done = do()
    except UnavailableError as error:
        logger.warning("could not %s: %s", what, error)
    except Exception as error:
        logger.exception("could not %s", what)
        report(error)
    else:
        if done:
            logger.info("%s: %d", what, done)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0.05 <= number <= 3_600:
        raise argparse.ArgumentTypeError("between 0.05 and 3600 seconds")
    return number
