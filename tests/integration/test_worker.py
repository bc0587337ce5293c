"""Real workers on a real broker: whatever is killed, doubled or wiped, every job comes to its end once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from sqlalchemy import Engine

from hydroml.adapters.jobs.bell import client_url
from hydroml.adapters.jobs.queue import RUN_JOB, CeleryJobQueue, celery_app
from hydroml.adapters.memory import InMemoryBell
from hydroml.adapters.persistence.engine import create_engine
from hydroml.adapters.persistence.migrations import migrate
from hydroml.adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from hydroml.application.jobs import RESEND_AFTER, JobRunner, JobSender
from hydroml.domain.errors import ConflictError
from hydroml.domain.jobs import MAX_ATTEMPTS, Job, JobId, JobKind, JobState
from hydroml.domain.projects import UserId
from hydroml.entrypoints.supervisor.processes import wait_until
from tests import services
from tests.contracts import examples
from tests.integration.worker_process import NOTES

pytestmark = [pytest.mark.services, pytest.mark.slow]

LEASE = timedelta(seconds=4)
"""Short, so that a dead worker is noticed soon, but no busy machine keeps a live one from renewing it."""
PATIENCE = 120
"""Seconds until what has not happened counts as never happening."""


class Office:
    """Where jobs are made and looked at, as the web and the scheduler do it, in this process."""

    def __init__(self, engine: Engine, broker_url: str, folder: Path) -> None:
        self.folder, self.broker_url = folder, broker_url
        self.uow = partial(SqlAlchemyUnitOfWork, engine)
        self.ahead = timedelta()
        bell = InMemoryBell()
        self.sender = JobSender(uow=self.uow, queue=CeleryJobQueue(broker_url), bell=bell, clock=self.now)
        self.runner = JobRunner(uow=self.uow, sender=self.sender, bell=bell, clock=self.now, handlers={}, lease=LEASE)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def start(self, **payload: Any) -> JobId:
        job = Job(
            id=JobId(uuid4()),
            kind=JobKind.TRAIN,
            payload=payload,
            requested_by=examples.user(),
            created_at=self.now(),
        )
        with self.uow() as uow:
            uow.jobs.add(job)
            uow.commit()
        self.sender.send(job.id)
        return job.id

    def job(self, job_id: JobId) -> Job:
        with self.uow() as uow:
            return uow.jobs.get(job_id)

    def wait(self, job_id: JobId, *states: JobState, sweep: bool = False) -> Job:
        def reached() -> bool:
            if sweep:
                self.runner.sweep()
            return self.job(job_id).state in states

        assert wait_until(reached, PATIENCE, step=0.05), (self.job(job_id), self.log())
        return self.job(job_id)

    def knows_key(self, user: UserId) -> bool:
        """Whether the key of a claim two days ago is still there."""
        with self.uow() as uow:
            try:
                uow.idempotency.claim(user, "key", "another", self.now())
            except ConflictError:
                return True
            return False

    def begun(self, job_id: JobId) -> int:
        """The process in which the job has begun, the last time it did."""
        assert wait_until(lambda: bool(self.notes(job_id, "begin")), PATIENCE), (self.job(job_id), self.log())
        return self.notes(job_id, "begin")[-1]

    def notes(self, job_id: JobId, what: str) -> list[int]:
        try:
            lines = [line.split("\t") for line in (self.folder / NOTES).read_text().splitlines()]
        except FileNotFoundError:
            return []
        return [int(pid) for noted, id_, pid in lines if noted == what and id_ == str(job_id)]

    def log(self) -> str:
        return "\n".join(file.read_text() for file in self.folder.glob("*.log"))

    @contextmanager
    def process(self, name: str, *arguments: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
        """`hydroml <name>` with the handler of these tests; whatever is left of it ends with the block."""
        with (self.folder / f"{name}-{uuid4().hex[:6]}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.worker_process", name, *arguments],
                cwd=services.ROOT,
                env=os.environ
                | {
                    "PYTHONPATH": str(services.ROOT / "src"),
                    "HYDROML_DATA_DIR": str(self.folder),
                    "HYDROML_BROKER_URL": self.broker_url,
                    "HYDROML_LEASE_SECONDS": str(int(LEASE.total_seconds())),
                }
                | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[Engine, str]]:
    url = services.create_database(f"{services.database_name()}_worker")
    migrate(url)
    engine = create_engine(url)
    yield engine, url
    engine.dispose()


@pytest.fixture
def office(engine: tuple[Engine, str], broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("HYDROML_DATABASE_URL", engine[1])
    return Office(engine[0], broker_url, tmp_path)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_jobs_are_run_and_end_as_they_should(office: Office) -> None:
    with office.process("worker", "--concurrency", "2") as worker:
        good = office.start()
        bad = office.start(refusal="this cannot be done")
        done = office.wait(good, JobState.SUCCEEDED)
        assert done.result["pid"] != worker.pid
        assert (done.attempts, done.progress) == (1, 1.0)
        failed = office.wait(bad, JobState.FAILED)
        assert failed.error == "this cannot be done"
        assert office.notes(bad, "clean")

        # What nobody of us has sent comes to nothing, and the worker goes on.
        app = celery_app(office.broker_url)
        for arguments in (["nonsense"], [str(uuid4())], [None], [{"a": 1}], [], ["x", "y"]):
            app.send_task(RUN_JOB, args=arguments, ignore_result=True)
        app.send_task("os.system", args=["true"], ignore_result=True)
        assert office.wait(office.start(), JobState.SUCCEEDED).attempts == 1
        assert worker.poll() is None


def test_a_doubled_message_does_no_harm(office: Office) -> None:
    with office.process("worker", "--concurrency", "2"):
        job_id = office.start(seconds_of_work=1)
        for _ in range(3):
            office.sender.send(job_id)
        office.wait(job_id, JobState.SUCCEEDED)
        office.sender.send(job_id)
        office.wait(office.start(), JobState.SUCCEEDED)
        assert len(office.notes(job_id, "begin")) == 1
        assert office.job(job_id).attempts == 1


def test_a_killed_process_loses_its_job_to_another(office: Office) -> None:
    with office.process("worker", "--concurrency", "1"):
        job_id = office.start(seconds_of_work=1.5)
        first = office.begun(job_id)
        os.kill(first, signal.SIGKILL)
        done = office.wait(job_id, JobState.SUCCEEDED, sweep=True)
        assert done.attempts == 2
        assert done.result["pid"] != first


def test_a_killed_worker_takes_its_processes_along_and_another_does_its_job(office: Office) -> None:
    with office.process("worker", "--concurrency", "2") as worker:
        job_id = office.start(seconds_of_work=1.5)
        child = office.begun(job_id)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE)
        assert wait_until(lambda: not alive(child), PATIENCE)
    with office.process("worker", "--concurrency", "1"):
        assert office.wait(job_id, JobState.SUCCEEDED, sweep=True).attempts == 2


def test_a_job_that_kills_whoever_takes_it_ends_as_failed(office: Office) -> None:
    with office.process("worker", "--concurrency", "1"):
        job_id = office.start(seconds_of_work=60)
        killed: list[int] = []

        def begun_again() -> bool:
            if killed:  # or the broker hands its message over again, once the lease of the dead one is over
                office.runner.sweep()
            return len(office.notes(job_id, "begin")) > len(killed)

        for _ in range(MAX_ATTEMPTS):
            assert wait_until(begun_again, PATIENCE), (office.job(job_id), office.log())
            killed.append(office.notes(job_id, "begin")[-1])
            os.kill(killed[-1], signal.SIGKILL)
        with office.process("scheduler", "--interval", "0.2"):
            failed = office.wait(job_id, JobState.FAILED)
        assert f"died {MAX_ATTEMPTS} times" in (failed.error or "")
        assert office.notes(job_id, "give up")
        office.wait(office.start(), JobState.SUCCEEDED)


def test_a_wiped_broker_loses_nothing(office: Office) -> None:
    job_id = office.start()
    with redis.Redis.from_url(client_url(office.broker_url)) as broker:
        broker.flushdb()
    with office.process("worker", "--concurrency", "1"):
        office.ahead = RESEND_AFTER + timedelta(seconds=1)
        assert wait_until(lambda: office.runner.sweep() == 1, PATIENCE)
        office.ahead = timedelta()
        assert office.wait(job_id, JobState.SUCCEEDED).attempts == 1


def test_work_that_does_not_listen_is_ended_with_its_process(office: Office) -> None:
    with office.process("worker", "--concurrency", "1"):
        job_id = office.start(seconds_of_work=60, deaf=True)
        deaf = office.begun(job_id)
        with office.uow() as uow:
            job = uow.jobs.get_for_update(job_id)
            job.request_cancel(office.now())
            uow.jobs.save(job)
            uow.commit()
        office.wait(job_id, JobState.CANCELLED)
        assert wait_until(lambda: not alive(deaf), PATIENCE)
        done = office.wait(office.start(), JobState.SUCCEEDED)
        assert done.result["pid"] != deaf
        assert len(office.notes(job_id, "begin")) == 1


def test_a_worker_that_is_asked_to_stop_finishes_its_job_first(office: Office) -> None:
    with office.process("worker", "--concurrency", "1") as worker:
        job_id = office.start(seconds_of_work=1)
        office.begun(job_id)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
        assert office.job(job_id).state is JobState.SUCCEEDED


def test_the_scheduler_takes_back_what_was_lost_and_stops_at_once(office: Office) -> None:
    job_id, somebody = office.start(), examples.user()
    with office.uow() as uow:
        uow.idempotency.claim(somebody, "key", "digest", office.now() - timedelta(days=2))
        job = uow.jobs.get_for_update(job_id)
        job.take("dead", office.now() - timedelta(minutes=1), LEASE)
        uow.jobs.save(job)
        uow.commit()
    with office.process("scheduler", "--interval", "0.2") as scheduler:
        office.wait(job_id, JobState.QUEUED)
        assert wait_until(lambda: office.job(job_id).sent_at is not None, PATIENCE)
        assert wait_until(lambda: not office.knows_key(somebody), PATIENCE)
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(PATIENCE) == 0


def test_the_scheduler_outlives_a_database_that_is_away(office: Office) -> None:
    away = "postgresql://hydroml:x@127.0.0.1:9/hydroml"
    with office.process("scheduler", "--interval", "0.1", HYDROML_DATABASE_URL=away) as scheduler:
        assert wait_until(lambda: office.log().count("could not sweep") > 2, PATIENCE), office.log()
        assert scheduler.poll() is None
        scheduler.send_signal(signal.SIGINT)
        assert scheduler.wait(PATIENCE) == 0
