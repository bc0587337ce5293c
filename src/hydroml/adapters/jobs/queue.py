"""The queue: Celery on Redis or Valkey, with one task that takes a job's id."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from hydroml.domain.errors import UnavailableError
from hydroml.domain.jobs import JobId

QUEUE = "hydroml"
RUN_JOB = "hydroml.run_job"
SEND_SECONDS = 2


def celery_app(broker_url: str) -> Celery:
    """The application both ends share.

    A message is acknowledged when its job has ended. What a killed worker held comes back after the visibility
    timeout, and sooner by the sweep, which is why that timeout can be generous: a message that is delivered while its
    job runs finds the lease taken and comes to nothing.
    """
    app = Celery("hydroml", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=SEND_SECONDS,
        broker_transport_options={
            "visibility_timeout": 3_600,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": SEND_SECONDS,
            "socket_keepalive": True,
        },
    )
    return app


class CeleryJobQueue:
    """Sends and never waits long: whoever sends is answering a person."""

    def __init__(self, broker_url: str) -> None:
        self._app = celery_app(broker_url)
        self._app.conf.broker_transport_options |= {"socket_timeout": SEND_SECONDS, "max_retries": 0}

    def send(self, job_id: JobId) -> None:
        with _words():
            self._app.send_task(RUN_JOB, args=[str(job_id)], retry=False, ignore_result=True)

    def waiting(self) -> int:
        with _words(), self._app.connection_for_write() as connection:
            try:
                return int(connection.default_channel.queue_declare(QUEUE, passive=True).message_count)
            except connection.channel_errors:
                return 0  # nothing was ever sent, or the broker was wiped


@contextmanager
def _words() -> Iterator[None]:
    try:
        yield
    except (OperationalError, RedisError, OSError) as error:
        raise UnavailableError(f"the broker does not answer: {type(error).__name__}") from None
