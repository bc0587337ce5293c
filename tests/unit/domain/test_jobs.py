"""A job's way from queued to its end, whoever dies on the way."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from hydroml.domain.jobs import (
    MAX_ATTEMPTS,
    Job,
    JobCancelledError,
    JobId,
    JobKind,
    JobState,
    JobStateError,
)
from hydroml.domain.projects import UserId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
LATER = NOW + LEASE + timedelta(seconds=1)


def new_job() -> Job:
    return Job(id=JobId(uuid4()), kind=JobKind.TRAIN, requested_by=UserId(uuid4()), created_at=NOW)


def taken_job() -> Job:
    job = new_job()
    job.take("one", NOW, LEASE)
    return job


def test_a_second_worker_cannot_take_it_while_the_lease_runs() -> None:
    job = taken_job()
    with pytest.raises(JobStateError):
        job.take("two", NOW + LEASE / 2, LEASE)


def test_another_worker_takes_it_once_the_lease_has_run_out_and_the_first_one_is_out() -> None:
    job = taken_job()
    job.take("two", LATER, LEASE)
    for late in (
        lambda: job.renew("one", LATER, LEASE),
        lambda: job.report("one"),
        lambda: job.succeed("one", {}, LATER),
    ):
        with pytest.raises(JobStateError):
            late()
    job.succeed("two", {"rows": 1}, LATER)
    assert (job.state, job.result, job.progress) == (JobState.SUCCEEDED, {"rows": 1}, 1.0)


def test_the_heartbeat_prolongs_the_lease() -> None:
    job = taken_job()
    job.renew("one", NOW + LEASE / 2, LEASE)
    with pytest.raises(JobStateError, match="has not lost"):
        job.lose(LATER)


def test_a_job_that_kills_its_workers_fails_in_the_end() -> None:
    job = new_job()
    at = NOW
    for _ in range(MAX_ATTEMPTS):
        job.take("any", at, LEASE)
        at += LEASE * 2
        job.lose(at)
    assert job.state is JobState.FAILED
    assert "memory" in (job.error or "")


def test_a_late_message_does_not_try_it_once_more() -> None:
    job = new_job()
    at = NOW
    for _ in range(MAX_ATTEMPTS):
        job.take("any", at, LEASE)
        at += LEASE * 2
    with pytest.raises(JobStateError):
        job.take("another", at, LEASE)
    job.lose(at)
    assert job.state is JobState.FAILED


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_at_its_next_report() -> None:
    queued, running = new_job(), taken_job()
    queued.request_cancel(NOW)
    running.request_cancel(NOW)
    assert (queued.state, running.state) == (JobState.CANCELLED, JobState.RUNNING)
    with pytest.raises(JobCancelledError):
        running.report("one", progress=0.5)


def test_only_a_search_that_goes_on_can_be_finished_early() -> None:
    job = new_job()
    job.payload = {"can_finish": True}
    for other in (job, taken_job()):
        with pytest.raises(JobStateError):
            other.request_finish()
    job.take("one", NOW, LEASE)
    job.request_finish()
    assert job.finish_requested
    job.report("one", progress=0.5)
    job.fail("broken", NOW)
    job.retry()
    assert not job.finish_requested


def test_a_job_whose_worker_died_after_the_request_is_cancelled() -> None:
    job = taken_job()
    job.request_cancel(NOW)
    job.lose(LATER)
    assert job.state is JobState.CANCELLED


def test_a_retry_begins_from_the_beginning() -> None:
    job = taken_job()
    job.report("one", progress=0.7, phase="fitting", message="half-way")
    job.fail("no", NOW)
    job.retry()
    assert (job.state, job.progress, job.error, job.attempts) == (JobState.QUEUED, 0.0, None, 0)
    assert job.finished_at is None


@pytest.mark.parametrize("ended", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_what_has_ended_stays_ended(ended: JobState) -> None:
    job = taken_job()
    job.state = ended
    for change in (
        lambda: job.take("two", LATER, LEASE),
        lambda: job.fail("x", LATER),
        lambda: job.request_cancel(LATER),
        lambda: job.lose(LATER),
    ):
        with pytest.raises(JobStateError):
            change()


def test_progress_stays_between_nothing_and_all() -> None:
    job = taken_job()
    job.report("one", progress=7)
    assert job.progress == 1.0
