"""Workers die, messages are lost or doubled: a job still comes to its end, once."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from hydroml.application.imports import Upload
from hydroml.application.jobs import RESEND_AFTER
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.jobs import Job, JobKind, JobNotFoundError, JobState
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceStatus
from tests.harness import FLOWS, LEASE, Aborted, Harness


class Handler:
    """Does what a test wants done."""

    def __init__(self, app: Harness, work: Any) -> None:
        self._inner, self._work = app.handlers[JobKind.IMPORT_FILE], work

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        result: dict[str, Any] = self._work(job, monitor)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def queued(app: Harness, me: UserId, project: ProjectId) -> Job:
    return app.imports.create(me, project, Upload("flows.csv", [FLOWS.encode()]))[1]


def test_a_lost_message_is_sent_again(app: Harness, me: UserId, project: ProjectId) -> None:
    job = queued(app, me, project)
    app.queue.sent.clear()
    assert app.runner.sweep() == 0
    app.clock.advance(RESEND_AFTER + timedelta(seconds=1))
    assert app.runner.sweep() == 1
    app.work()
    assert app.job(job.id).state is JobState.SUCCEEDED


def test_a_broker_that_was_away_does_not_matter(app: Harness, me: UserId, project: ProjectId) -> None:
    app.queue.away = True
    job = queued(app, me, project)
    app.queue.away = False
    app.runner.sweep()
    app.work()
    assert app.job(job.id).state is JobState.SUCCEEDED


def test_a_doubled_message_does_the_work_once(app: Harness, me: UserId, project: ProjectId) -> None:
    job = queued(app, me, project)
    app.queue.send(job.id)
    app.work()
    done = app.job(job.id)
    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 1)


def test_a_job_whose_worker_died_is_taken_up_by_another_one(app: Harness, me: UserId, project: ProjectId) -> None:
    def die(job: Job, monitor: Monitor) -> dict[str, Any]:
        raise Aborted

    job = queued(app, me, project)
    handler = app.handlers[JobKind.IMPORT_FILE]
    app.handlers[JobKind.IMPORT_FILE] = Handler(app, die)
    with pytest.raises(Aborted):
        app.work()
    app.handlers[JobKind.IMPORT_FILE] = handler
    assert app.job(job.id).state is JobState.RUNNING
    app.clock.advance(LEASE + timedelta(seconds=1))
    app.runner.sweep()
    app.work()
    done = app.job(job.id)
    assert (done.state, done.attempts) == (JobState.SUCCEEDED, 2)


def test_a_job_that_always_kills_its_worker_ends_as_failed_with_its_source(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    def die(job: Job, monitor: Monitor) -> dict[str, Any]:
        raise Aborted

    job = queued(app, me, project)
    app.handlers[JobKind.IMPORT_FILE] = Handler(app, die)
    for _ in range(3):
        with pytest.raises(Aborted):
            app.work()
        app.clock.advance(LEASE + timedelta(seconds=1))
        app.runner.sweep()
    ended = app.job(job.id)
    assert ended.state is JobState.FAILED
    assert app.source(me, ended.subject_id).status is SourceStatus.FAILED  # type: ignore[arg-type]
    assert app.keeps_nothing()


def test_work_that_was_done_before_the_worker_died_is_not_done_twice(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    job = queued(app, me, project)
    handler = app.handlers[JobKind.IMPORT_FILE]

    def work_and_die(job: Job, monitor: Monitor) -> dict[str, Any]:
        handler.run(job, monitor)
        raise Aborted

    app.handlers[JobKind.IMPORT_FILE] = Handler(app, work_and_die)
    with pytest.raises(Aborted):
        app.work()
    app.handlers[JobKind.IMPORT_FILE] = handler
    app.clock.advance(LEASE + timedelta(seconds=1))
    app.runner.sweep()
    app.work()
    done = app.job(job.id)
    assert done.state is JobState.SUCCEEDED
    assert len(app.sources.versions(me, done.subject_id)) == 1  # type: ignore[arg-type]


def test_a_running_job_stops_at_its_next_report(app: Harness, me: UserId, project: ProjectId) -> None:
    working, asked = threading.Event(), threading.Event()

    def work(job: Job, monitor: Monitor) -> dict[str, Any]:
        working.set()
        with monitor.interrupting(asked.set):
            asked.wait(20)
            monitor.report(0.5)
        return {}

    job = queued(app, me, project)
    app.handlers[JobKind.IMPORT_FILE] = Handler(app, work)
    worker = threading.Thread(target=app.work)
    worker.start()
    assert working.wait(20)
    app.jobs.cancel(me, job.id)
    worker.join(20)
    assert app.job(job.id).state is JobState.CANCELLED
    assert app.keeps_nothing()


def test_an_unexpected_error_is_not_shown_to_people(app: Harness, me: UserId, project: ProjectId) -> None:
    def fail(job: Job, monitor: Monitor) -> dict[str, Any]:
        raise RuntimeError("postgresql://user:hunter2@host")

    job = queued(app, me, project)
    app.handlers[JobKind.IMPORT_FILE] = Handler(app, fail)
    app.work()
    assert "hunter2" not in (app.job(job.id).error or "")
    assert app.job(job.id).state is JobState.FAILED


def test_progress_and_log_are_stored(app: Harness, me: UserId, project: ProjectId) -> None:
    def work(job: Job, monitor: Monitor) -> dict[str, Any]:
        monitor.part(0.5, 1.0).report(0.5, "reading", "12,000 rows")
        monitor.log("a remark")
        return {}

    job = queued(app, me, project)
    app.handlers[JobKind.IMPORT_FILE] = Handler(app, work)
    app.work()
    assert app.job(job.id).phase == "reading"
    assert [line.message for line in app.jobs.log(me, job.id)] == ["a remark"]


def test_a_job_that_exceeds_its_budget_says_so(app: Harness, me: UserId, project: ProjectId) -> None:
    stop = threading.Event()

    def work(job: Job, monitor: Monitor) -> dict[str, Any]:
        with monitor.interrupting(stop.set):
            stop.wait(20)
            monitor.report(0.5)
        return {}

    job = queued(app, me, project)
    with app.uow() as uow:
        held = uow.jobs.get_for_update(job.id)
        held.payload["seconds"] = 0.1
        uow.jobs.save(held)
        uow.commit()
    app.handlers[JobKind.IMPORT_FILE] = Handler(app, work)
    app.work()
    assert "budget" in (app.job(job.id).error or "")


def test_a_strangers_job_does_not_exist(app: Harness, me: UserId, project: ProjectId) -> None:
    job = queued(app, me, project)
    stranger = app.user()
    for ask in (app.jobs.get, app.jobs.cancel, app.jobs.finish, app.jobs.retry, app.jobs.log):
        with pytest.raises(JobNotFoundError):
            ask(stranger, job.id)
    assert not app.jobs.changed_since(stranger, 0)


def test_the_pages_hear_of_every_change(app: Harness, me: UserId, project: ProjectId) -> None:
    job = queued(app, me, project)
    seen = app.jobs.last_sequence()
    app.work(1)
    analysis, changed = app.jobs.changed_since(me, seen)
    assert (changed.id, changed.state) == (job.id, JobState.SUCCEEDED)
    assert (analysis.kind, analysis.state) == (JobKind.ANALYSE, JobState.QUEUED)
    assert app.bell.rings > 0
