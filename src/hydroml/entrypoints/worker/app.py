"""The Celery application of the workers, and its one task."""

import logging
import os
import signal
import socket
from typing import Any
from uuid import UUID, uuid4

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from structlog.contextvars import bound_contextvars

from hydroml.adapters.jobs.queue import RUN_JOB, celery_app
from hydroml.domain.errors import UnavailableError
from hydroml.domain.jobs import JobId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.observability import report
from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.supervisor.processes import die_with_parent

logger = logging.getLogger(__name__)

JOBS_PER_PROCESS = 100
"""A process is replaced after so many, since libraries and allocators never give everything back."""
LEAST_MEMORY = 1 << 30


def worker_app(settings: Settings) -> Celery:
    """Connects to nothing yet: everything with a connection is built after the fork."""
    app = celery_app(settings.broker_url)
    app.conf.update(
        worker_max_tasks_per_child=JOBS_PER_PROCESS,
        # In KiB, and of the largest size a process has had: after a large job it makes room for others.
        worker_max_memory_per_child=max(int(settings.memory_limit), LEAST_MEMORY) // 1024,
        # Cancelling goes through the job's row, so the broker need not be able to steer workers.
        worker_enable_remote_control=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    app.task(name=RUN_JOB)(run_job)
    return app


def run_job(job_id: str) -> None:
    """Runs the job to its end; a message that is doubled, late or forged comes to nothing."""
    try:
        id_ = JobId(UUID(job_id))
    except (ValueError, AttributeError, TypeError):
        logger.warning("a message with the malformed job id %.100r was thrown away", job_id)
        return
    with bound_contextvars(job_id=str(id_)):
        try:
            container().runner().execute(id_, worker_name(), abort)
        except UnavailableError as error:
            logger.warning("job %s waits for the sweep: %s", id_, error)
        except Exception as error:
            # Its end could not be stored. The job is taken up again once its lease has run out.
            logger.exception("job %s was dropped", id_)
            report(error)


def worker_name() -> str:
    """Names this attempt and no other: a process that is taken for dead must not pass for its successor."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


def abort() -> None:
    """Ends this process at once, with whatever does not listen in it; Celery starts another one."""
    logging.shutdown()
    os.kill(os.getpid(), signal.SIGKILL)


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """A receiver, whatever it does, keeps Celery from setting up its own."""


@worker_process_init.connect
def _begin_process(**_: Any) -> None:
    """Nothing with a connection may cross the fork; and a killed worker takes its processes along."""
    container.cache_clear()
    die_with_parent()
