"""Activity, and its chain."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from hydroml.adapters.persistence.unit_of_work import SqlAlchemyUnitOfWork
from hydroml.application.activity import ActivityService
from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.activity import Activity, ActivityId, Head, breaks
from hydroml.domain.jobs import Subject
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId
from tests.contracts.examples import AWKWARD, NOON

HERE, THERE = ProjectId(uuid4()), ProjectId(uuid4())
SOURCE = SourceId(uuid4())


def entry(minutes: int = 0, **changes: Any) -> Activity:
    values: dict[str, Any] = {
        "id": ActivityId(uuid4()),
        "at": NOON + timedelta(minutes=minutes),
        "actor_id": UserId(uuid4()),
        "verb": "renamed",
        "subject": Subject("source", SOURCE, AWKWARD),
        "text": f"it was called “{AWKWARD}”",
        "project_ids": frozenset({HERE, THERE}),
        "source_id": SOURCE,
    }
    return Activity(**(values | changes))


def written(uow: UnitOfWorkFactory, *entries: Activity) -> None:
    with uow() as work:
        for one in entries:
            work.activity.add(one)
        work.commit()


def test_entries_come_back_as_they_were_to_whom_they_concern(uow: UnitOfWorkFactory) -> None:
    first, second = entry(), entry(1)
    third = entry(2, project_ids=frozenset({HERE}), source_id=None, subject=Subject("token", uuid4(), "x"))
    written(uow, first, second)
    written(uow, third)
    with uow() as work:
        assert work.activity.of_project(HERE, Listing()).items == (third, second, first)
        assert work.activity.of_project(THERE, Listing()).items == (second, first)
        assert work.activity.of_project(ProjectId(uuid4()), Listing()).total == 0
        assert work.activity.of_source(SOURCE, Listing(sort="created_at")).items == (first, second)
        part = work.activity.all(Listing(limit=2))
        assert (part.items, part.total) == ((third, second), 3)
        assert work.activity.all(Listing(limit=2, cursor=part.next_cursor)).items == (first,)
        assert work.activity.all(Listing(search="größe")).total == 2


def test_the_chain_is_in_the_order_of_the_commits(uow: UnitOfWorkFactory) -> None:
    late, early = entry(9), entry(0)
    with uow() as slow:
        slow.activity.add(early)
        written(uow, late)
        slow.commit()
    with uow() as work:
        links = work.activity.chain(0, 10)
        assert [link.activity for link in links] == [late, early]
        assert [link.place.sequence for link in links] == [1, 2]
        assert work.activity.head() == links[-1].place
        assert list(work.activity.chain(1, 10)) == list(links[1:])
        assert not list(breaks(links, work.activity.head))


def test_what_is_not_committed_is_no_link(uow: UnitOfWorkFactory) -> None:
    with uow() as work:
        work.activity.add(entry())
    with uow() as work:
        assert (work.activity.head(), list(work.activity.chain(0, 10))) == (Head(), [])


def test_writers_at_once_make_one_chain(uow: UnitOfWorkFactory) -> None:
    errors: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(10):
                written(uow, entry(), entry(1))
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    found = ActivityService(uow=uow).verify()
    assert (found.head.sequence, found.breaks) == (80, ())


@pytest.mark.services
@pytest.mark.parametrize(
    ("tampering", "places"),
    [
        ("UPDATE activity SET verb = 'deleted' WHERE sequence = 3", [3]),
        ("UPDATE activity SET at = at + interval '1 microsecond' WHERE sequence = 3", [3]),
        ("UPDATE activity SET project_ids = '{}' WHERE sequence = 3", [3]),
        ("UPDATE activity SET subject_name = subject_name || ' ' WHERE sequence = 5", [5]),
        ("UPDATE activity SET actor_id = gen_random_uuid() WHERE sequence = 1", [1]),
        ("DELETE FROM activity WHERE sequence = 1", [1]),
        ("DELETE FROM activity WHERE sequence IN (2, 3)", [2]),
        ("DELETE FROM activity WHERE sequence = 5", [5]),
        ("DELETE FROM activity", [1]),
        ("UPDATE activity SET hash = 'a' WHERE sequence = 2", [2, 3]),
        ("UPDATE activity SET hash = 'a' WHERE sequence = 5", [5, 5]),
        ("UPDATE activity SET sequence = 7 - sequence WHERE sequence IN (3, 4)", [3, 4, 5]),
        (
            """INSERT INTO activity SELECT gen_random_uuid(), 6, at, actor_id, verb, subject_kind, subject_id,
                                           subject_name, text, project_ids, source_id, hash
               FROM activity WHERE sequence = 5""",
            [6, 6],
        ),
        ("DELETE FROM activity_head", [1]),
        ("UPDATE activity_head SET sequence = 4", [5]),
    ],
)
def test_tampering_is_found(engine: Engine, tampering: str, places: list[int]) -> None:
    def uow() -> SqlAlchemyUnitOfWork:
        return SqlAlchemyUnitOfWork(engine)

    written(uow, *(entry(minute) for minute in range(5)))
    service = ActivityService(uow=uow)
    assert not service.verify().breaks
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = hydroml"))
        connection.execute(text("ALTER TABLE activity DROP CONSTRAINT uq_activity_sequence"))
        connection.execute(text(tampering))
    try:
        assert [fault.sequence for fault in service.verify().breaks] == places
    finally:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL search_path = hydroml"))
            connection.execute(text("TRUNCATE activity"))
            connection.execute(text("ALTER TABLE activity ADD CONSTRAINT uq_activity_sequence UNIQUE (sequence)"))
