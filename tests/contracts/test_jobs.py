"""Jobs: locked rows, numbered changes, what is unsent and lost, and the log."""

import threading
import time
from collections.abc import Sequence

import pytest

from hydroml.application.ports.repositories import JobFilter, Listing, UnitOfWorkFactory
from hydroml.domain.jobs import Job, JobId, JobNotFoundError, JobState, LogLine
from tests.contracts import examples
from tests.contracts.examples import World


def stored(uow: UnitOfWorkFactory, *jobs: Job) -> None:
    with uow() as unit:
        for job in jobs:
            unit.jobs.add(job)
        unit.commit()


def read(uow: UnitOfWorkFactory, job_id: JobId) -> Job:
    with uow() as unit:
        return unit.jobs.get(job_id)


def test_it_comes_back_as_it_was(uow: UnitOfWorkFactory) -> None:
    job = World(uow).job
    assert job.sequence > 0
    assert read(uow, job.id) == job
    with uow() as unit:
        assert unit.jobs.get_for_update(job.id) == job


def test_an_unknown_id_raises(uow: UnitOfWorkFactory) -> None:
    job = examples.job()
    with uow() as unit:
        with pytest.raises(JobNotFoundError):
            unit.jobs.get(job.id)
        with pytest.raises(JobNotFoundError):
            unit.jobs.get_for_update(job.id)
        with pytest.raises(JobNotFoundError):
            unit.jobs.save(job)


def test_without_a_commit_there_is_no_trace(uow: UnitOfWorkFactory) -> None:
    job = examples.job()
    stored(uow, job)
    with uow() as unit:
        changed = unit.jobs.get_for_update(job.id)
        changed.message = "changed"
        unit.jobs.save(changed)
        unit.jobs.log(job.id, LogLine(examples.NOON, "info", "changed"))
        unit.jobs.add(examples.job())
    assert read(uow, job.id) == job
    with uow() as unit:
        assert list(unit.jobs.log_of(job.id)) == []
        assert unit.jobs.last_sequence() == job.sequence


def test_every_change_gets_a_greater_number(uow: UnitOfWorkFactory) -> None:
    first, second = examples.job(), examples.job()
    stored(uow, first, second)
    seen = [first.sequence, second.sequence]
    assert len(set(seen)) == 2
    for job in (first, second, first):
        before = max(seen)
        with uow() as unit:
            current = unit.jobs.get_for_update(job.id)
            unit.jobs.save(current)
            unit.commit()
        assert current.sequence > before
        assert read(uow, job.id).sequence == current.sequence
        seen.append(current.sequence)
    with uow() as unit:
        assert unit.jobs.last_sequence() == max(seen)


def test_no_jobs_no_number(uow: UnitOfWorkFactory) -> None:
    with uow() as unit:
        assert unit.jobs.last_sequence() == 0
        assert list(unit.jobs.changed_since(examples.user(), 0, 10)) == []


def test_changes_come_in_their_order_and_from_where_one_left_off(uow: UnitOfWorkFactory) -> None:
    world = World(uow)
    jobs = [examples.job(world.owner) for _ in range(3)]
    for job in jobs:
        stored(uow, job)
    with uow() as unit:
        again = unit.jobs.get_for_update(jobs[0].id)
        unit.jobs.save(again)
        unit.commit()
    with uow() as unit:
        changed = unit.jobs.changed_since(world.owner, world.job.sequence, 10)
        assert [job.id for job in changed] == [jobs[1].id, jobs[2].id, jobs[0].id]
        assert [job.id for job in unit.jobs.changed_since(world.owner, jobs[1].sequence, 1)] == [jobs[2].id]
        assert list(unit.jobs.changed_since(world.owner, again.sequence, 10)) == []


def test_one_sees_ones_own_and_those_of_ones_projects(uow: UnitOfWorkFactory) -> None:
    world, foreign = World(uow), World(uow)
    by_colleague = examples.queued(within=world.project, created_at=examples.at(1))
    elsewhere = examples.queued(world.owner, created_at=examples.at(2))
    stored(uow, by_colleague, elsewhere)
    with uow() as unit:

        def listed(which: JobFilter) -> list[JobId]:
            return [job.id for job in unit.jobs.of_user(which, Listing(sort="created_at")).items]

        assert listed(JobFilter(world.owner)) == [world.job.id, by_colleague.id, elsewhere.id]
        assert listed(JobFilter(world.owner, (JobState.QUEUED, JobState.FAILED))) == [by_colleague.id, elsewhere.id]
        assert listed(JobFilter(world.owner, project_id=world.project.id)) == [world.job.id, by_colleague.id]
        assert listed(JobFilter(examples.user())) == []
        ids = {job.id for job in unit.jobs.changed_since(world.owner, 0, 10)}
        assert ids == {world.job.id, by_colleague.id, elsewhere.id}
        assert foreign.job.id not in ids


def test_unsent_jobs_are_queued_and_their_message_old_or_never_sent(uow: UnitOfWorkFactory) -> None:
    never = examples.queued(created_at=examples.at(2))
    old = examples.queued(created_at=examples.at(1), sent_at=examples.at(3))
    fresh = examples.queued(sent_at=examples.at(5))
    taken = examples.job(sent_at=None)
    stored(uow, never, old, fresh, taken)
    with uow() as unit:
        assert list(unit.jobs.unsent(examples.at(4), 10)) == [old.id, never.id]
        assert list(unit.jobs.unsent(examples.at(4), 1)) == [old.id]


def test_lost_jobs_run_with_a_lease_that_has_run_out(uow: UnitOfWorkFactory) -> None:
    lost = examples.job(lease_until=examples.at(1))
    longer = examples.job(lease_until=examples.at(0.5))
    alive = examples.job(lease_until=examples.at(3))
    waiting = examples.queued()
    stored(uow, lost, longer, alive, waiting)
    with uow() as unit:
        assert list(unit.jobs.lost(examples.at(2), 10)) == [longer.id, lost.id]
        assert list(unit.jobs.lost(examples.at(2), 1)) == [longer.id]


def test_the_log_keeps_its_order_and_gives_the_last_lines(uow: UnitOfWorkFactory) -> None:
    job, other = examples.job(), examples.job()
    stored(uow, job, other)
    lines = [LogLine(examples.at(-number), "warning", f"{number} {examples.AWKWARD}") for number in range(5)]
    with uow() as unit:
        for line in lines:
            unit.jobs.log(job.id, line)
            unit.jobs.log(other.id, line)
        unit.commit()
    with uow() as unit:
        assert list(unit.jobs.log_of(job.id)) == lines
        assert list(unit.jobs.log_of(job.id, 2)) == lines[3:]


def test_a_locked_job_makes_others_wait_and_see_what_became_of_it(uow: UnitOfWorkFactory) -> None:
    job = examples.queued()
    stored(uow, job)
    seen: list[str] = []
    locked = threading.Event()

    def second() -> None:
        locked.wait(5)
        with uow() as unit:
            seen.append(unit.jobs.get_for_update(job.id).message)

    thread = threading.Thread(target=second)
    thread.start()
    with uow() as unit:
        mine = unit.jobs.get_for_update(job.id)
        locked.set()
        time.sleep(0.2)
        assert seen == []
        mine.message = "by the first"
        unit.jobs.save(mine)
        unit.commit()
    thread.join(10)
    assert seen == ["by the first"]


def test_many_take_a_job_and_one_gets_it(uow: UnitOfWorkFactory) -> None:
    job = examples.queued(attempts=0)
    stored(uow, job)

    def take(_: int) -> None:
        with uow() as unit:
            mine = unit.jobs.get_for_update(job.id)
            if mine.state is JobState.QUEUED:
                mine.state = JobState.RUNNING
                mine.attempts += 1
                unit.jobs.save(mine)
                unit.commit()

    _together(take, 6)
    assert read(uow, job.id).attempts == 1


def test_who_follows_the_changes_misses_none(uow: UnitOfWorkFactory) -> None:
    """Numbers must become visible in their order, or a reader that has seen 8 misses 7."""
    owner = examples.user()
    jobs = [examples.job(owner) for _ in range(4)]
    stored(uow, *jobs)
    rounds = 12
    followed: dict[JobId, str] = {}
    done = threading.Event()

    def follow() -> None:
        last = 0
        while True:
            finished = done.is_set()
            with uow() as unit:
                changed: Sequence[Job] = unit.jobs.changed_since(owner, last, 3)
            for job in changed:
                followed[job.id] = job.message
                last = job.sequence
            if finished and not changed:
                return
            time.sleep(0.001)  # a reader that never pauses keeps the writers from the lock

    def work(number: int) -> None:
        for turn in range(rounds):
            with uow() as unit:
                job = unit.jobs.get_for_update(jobs[number].id)
                job.message = str(turn)
                unit.jobs.save(job)
                time.sleep(0.001 * ((number + turn) % 4))
                unit.commit()

    follower = threading.Thread(target=follow)
    follower.start()
    _together(work, len(jobs))
    done.set()
    follower.join(20)
    assert followed == dict.fromkeys((job.id for job in jobs), str(rounds - 1))


def _together(work: object, number: int) -> None:
    threads = [threading.Thread(target=work, args=(i,)) for i in range(number)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
