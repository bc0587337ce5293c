"""Rules with their results, and notifications, in every unit of work."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.domain.errors import ConcurrentUpdateError
from hydroml.domain.notifications import Notification, NotificationId, Tone
from hydroml.domain.projects import UserId
from hydroml.domain.rules import (
    ForeignKey,
    Formula,
    Monotonic,
    NotNull,
    OneOf,
    Pattern,
    Range,
    RowCount,
    Rule,
    RuleId,
    RuleNotFoundError,
    RuleResult,
    RuleSeverity,
    Unique,
)
from hydroml.domain.sources import SourceId, SourceNotFoundError, Version
from tests.contracts import examples

CHECKS = [
    (Range(-1.5, None), ("a", "b")),
    (OneOf(("x", 1, 2.5, True, "it's")), ("a",)),
    (Pattern("[A-Z]{2}\\d+"), ("a",)),
    (NotNull(), ("a", 'with "quotes"')),
    (Unique(), ("a", "b")),
    (Monotonic(descending=True, strict=False, group="b"), ("a",)),
    (ForeignKey(uuid4(), ("id",)), ("a",)),
    (RowCount(1, 9), ()),
    (Formula("a > b"), ()),
]


@pytest.fixture
def version(uow: UnitOfWorkFactory) -> Version:
    source = examples.source()
    version = examples.version(source)
    with uow() as work:
        work.sources.add(source)
        work.versions.add(version)
        work.commit()
    return version


def rule(source_id: SourceId, **changes: Any) -> Rule:
    values: dict[str, Any] = {
        "id": RuleId(uuid4()),
        "source_id": source_id,
        "name": examples.AWKWARD,
        "check": Range(0, 1),
        "columns": ("a",),
        "severity": RuleSeverity.WARNING,
        "enabled": False,
        "created_by": examples.user(),
        "created_at": examples.NOON,
    }
    return Rule(**(values | changes))


def result(rule: Rule, version: Version, **changes: Any) -> RuleResult:
    values: dict[str, Any] = {
        "id": uuid4(),
        "rule_id": rule.id,
        "rule_name": rule.name,
        "severity": rule.severity,
        "source_id": rule.source_id,
        "version_id": version.id,
        "version_number": version.number,
        "passed": False,
        "failing_rows": 3,
        "filter": '"a" < 0',
        "row_numbers": (1, 5, 9),
        "error": None,
        "checked_at": examples.NOON,
    }
    return RuleResult(**(values | changes))


@pytest.mark.parametrize(("check", "columns"), CHECKS, ids=lambda given: getattr(given, "kind", ""))
def test_every_kind_of_rule_comes_back_as_it_was(
    uow: UnitOfWorkFactory, version: Version, check: Any, columns: tuple[str, ...]
) -> None:
    kept = rule(version.source_id, check=check, columns=columns)
    with uow() as work:
        work.rules.add(kept)
        work.commit()
    with uow() as work:
        assert work.rules.get(kept.id) == kept
        assert list(work.rules.of_source(version.source_id)) == [kept]


def test_the_second_writer_of_a_rule_loses(uow: UnitOfWorkFactory, version: Version) -> None:
    kept = rule(version.source_id)
    with uow() as work:
        work.rules.add(kept)
        work.commit()
    with uow() as work:
        mine, theirs = work.rules.get(kept.id), work.rules.get(kept.id)
        mine.change(name="mine", enabled=True)
        work.rules.save(mine)
        work.commit()
    with uow() as work:
        assert work.rules.get(kept.id) == mine
        with pytest.raises(ConcurrentUpdateError):
            work.rules.save(theirs)


def test_what_is_not_there_is_said(uow: UnitOfWorkFactory, version: Version) -> None:
    with uow() as work:
        with pytest.raises(RuleNotFoundError):
            work.rules.get(RuleId(uuid4()))
        with pytest.raises(RuleNotFoundError):
            work.rules.delete(RuleId(uuid4()))
    with uow() as work, pytest.raises(SourceNotFoundError):
        work.rules.add(rule(SourceId(uuid4())))


def test_a_new_result_replaces_the_old_one_of_the_same_version(uow: UnitOfWorkFactory, version: Version) -> None:
    first, second = rule(version.source_id), rule(version.source_id)
    newest = result(first, version, passed=None, error="no", checked_at=examples.at(2), row_numbers=())
    with uow() as work:
        work.rules.add(first)
        work.rules.add(second)
        work.rules.put_results([result(first, version), result(second, version)])
        work.rules.put_results([newest, result(rule(version.source_id), version)])
        work.commit()
    with uow() as work:
        found = work.rules.results(version.source_id, Listing(limit=1, sort="-checked_at"))
        assert (found.items, found.total) == ((newest,), 2)
        rest = work.rules.results(version.source_id, Listing(1, found.next_cursor, "-checked_at"), version.id)
        assert [r.rule_id for r in rest.items] == [second.id]
        assert {r.rule_id for r in work.rules.results_of_version(version.id)} == {first.id, second.id}


def test_results_go_with_their_rule_and_rules_with_their_source(uow: UnitOfWorkFactory, version: Version) -> None:
    kept, gone = rule(version.source_id), rule(version.source_id)
    with uow() as work:
        work.rules.add(kept)
        work.rules.add(gone)
        work.rules.put_results([result(kept, version), result(gone, version)])
        work.commit()
    with uow() as work:
        work.rules.delete(gone.id)
        assert [r.rule_id for r in work.rules.results_of_version(version.id)] == [kept.id]
        work.commit()
    with uow() as work:
        work.sources.delete(version.source_id)
        work.commit()
    with uow() as work, pytest.raises(RuleNotFoundError):
        work.rules.get(kept.id)


def note(user: UserId, minutes: float = 0, **changes: Any) -> Notification:
    values: dict[str, Any] = {
        "id": NotificationId(uuid4()),
        "user_id": user,
        "kind": "rules",
        "tone": Tone.WARNING,
        "title": examples.AWKWARD,
        "text": "two\nlines",
        "href": "/sources/1",
        "read": True,
        "created_at": examples.at(minutes),
    }
    return Notification(**(values | changes))


def test_a_notification_comes_back_as_it_was_numbered(uow: UnitOfWorkFactory) -> None:
    me, other = examples.user(), examples.user()
    mine, theirs = note(me), note(other)
    with uow() as work:
        work.notifications.add(mine)
        work.notifications.add(theirs)
        work.commit()
    assert 0 < mine.sequence < theirs.sequence
    with uow() as work:
        assert work.notifications.of_user(me, Listing()).items == (mine,)
        assert list(work.notifications.since(me, mine.sequence - 1, 10)) == [mine]
        assert list(work.notifications.since(me, mine.sequence, 10)) == []
        assert work.notifications.last_sequence() == theirs.sequence


def test_numbers_of_notifications_and_jobs_are_one_row(uow: UnitOfWorkFactory) -> None:
    job, told = examples.job(project_id=None), note(examples.user())
    with uow() as work:
        work.jobs.add(job)
        work.notifications.add(told)
        work.commit()
    with uow() as work:
        later = work.jobs.get(job.id)
        work.jobs.save(later)
        work.commit()
    assert job.sequence < told.sequence < later.sequence


def test_reading_is_counted_and_only_of_ones_own(uow: UnitOfWorkFactory) -> None:
    me, other = examples.user(), examples.user()
    notes = [note(me, at, read=False) for at in range(3)] + [note(other, read=False)]
    with uow() as work:
        for one in notes:
            work.notifications.add(one)
        work.commit()
    with uow() as work:
        work.notifications.mark_read(me, [notes[0].id, notes[3].id])
        work.commit()
    with uow() as work:
        assert (work.notifications.unread(me), work.notifications.unread(other)) == (2, 1)
        unread = work.notifications.of_user(me, Listing(), unread=True)
        assert [one.id for one in unread.items] == [notes[2].id, notes[1].id]
        work.notifications.mark_read(me, None)
        assert (work.notifications.unread(me), work.notifications.unread(other)) == (0, 1)


def test_old_and_surplus_notifications_go(uow: UnitOfWorkFactory) -> None:
    me, other = examples.user(), examples.user()
    notes = [note(me, at) for at in range(5)]
    with uow() as work:
        for one in (*notes, note(other, -9)):
            work.notifications.add(one)
        work.commit()
    with uow() as work:
        work.notifications.trim(me, examples.NOON + timedelta(minutes=1), 3)
        work.commit()
    with uow() as work:
        assert [one.id for one in work.notifications.of_user(me, Listing()).items] == [n.id for n in notes[:1:-1]]
        work.notifications.trim(me, examples.at(4), 3)
        assert work.notifications.of_user(me, Listing()).total == 1
        assert work.notifications.of_user(other, Listing()).total == 1
