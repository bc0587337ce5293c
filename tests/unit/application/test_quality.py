"""Reports, rules and notifications in the services."""

from datetime import timedelta

import pytest

from hydroml.application.imports import Upload
from hydroml.application.ports.repositories import Listing
from hydroml.application.quality import SMALL
from hydroml.application.rules import check_of
from hydroml.domain.errors import ConflictError, DomainError, InvalidInputError
from hydroml.domain.jobs import JobState
from hydroml.domain.notifications import Tone
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.rules import ForeignKey, NotNull, Range, RuleSeverity, Unique
from hydroml.domain.sources import SourceNotFoundError, Version, VersionNotFoundError
from tests.harness import FLOWS, Harness
from tests.tables import QuietMonitor

LARGE = ",".join(f"c{at}" for at in range(50)) + "\n" + ("1" + "," * 49 + "\n") * (SMALL // 50 + 1)


def unanalysed(app: Harness, me: UserId, project: ProjectId) -> Version:
    """A large version whose analysis still waits."""
    source, _ = app.imports.create(me, project, Upload("wide.csv", [LARGE.encode()]))
    app.work(1)
    return app.current(me, source.id)


def test_a_large_table_is_judged_by_one_job(app: Harness, me: UserId, project: ProjectId) -> None:
    version = unanalysed(app, me, project)
    first, second = (app.quality.get(me, version.id) for _ in range(2))
    assert first.document is None
    assert first.job is not None
    assert second.job is not None
    assert first.job.id == second.job.id
    with pytest.raises(ConflictError, match="being made"):
        app.quality.found(me, version.id)
    assert app.analyses.request(me, version.id).id == first.job.id
    assert [job.state for job in app.work()] == [JobState.SUCCEEDED]
    document = app.quality.get(me, version.id).document
    assert document is not None
    assert "constant" in {finding["kind"] for finding in document["findings"]}
    assert app.analyses.request(me, version.id).id != first.job.id


def test_a_failed_report_says_so_until_it_is_asked_for_again(app: Harness, me: UserId, project: ProjectId) -> None:
    version = unanalysed(app, me, project)
    job = app.quality.get(me, version.id).job
    assert job is not None
    app.jobs.cancel(me, job.id)
    again = app.quality.get(me, version.id)
    assert again.job is not None
    assert (again.job.id, again.job.state) == (job.id, JobState.CANCELLED)
    assert app.analyses.request(me, version.id).id != job.id


def test_strangers_see_no_report_and_no_rules(app: Harness, me: UserId, project: ProjectId) -> None:
    version, stranger = app.imported(me, project), app.user()
    with pytest.raises(VersionNotFoundError):
        app.quality.get(stranger, version.id)
    with pytest.raises(VersionNotFoundError):
        app.quality.missing(stranger, version.id, [])
    with pytest.raises(VersionNotFoundError):
        app.rules.check(stranger, version.id)
    with pytest.raises(SourceNotFoundError):
        app.rules.create(stranger, version.source_id, "x", NotNull(), ["flow"])


def test_rules_run_on_a_new_version_and_tell_once(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    app.rules.create(me, version.source_id, "dry", Range(0, 5), ["rain"], severity=RuleSeverity.WARNING)
    app.rules.create(me, version.source_id, "measured", NotNull(), ["rain"])
    app.rules.create(me, version.source_id, "off", NotNull(), ["flow"], enabled=False)
    before = app.notifications.list(me, listing())[1]
    app.clock.advance(timedelta(minutes=1))
    for _ in range(2):
        assert app.rule_analysis.run(version, QuietMonitor()) == {"rules": 2, "passed": 1, "failed": 1, "unknown": 0}
    told, unread = app.notifications.list(me, listing())
    assert unread == before + 1
    assert (told.items[0].tone, told.items[0].kind) == (Tone.WARNING, "rules")
    assert "dry (8 rows)" in told.items[0].text


def test_a_rule_that_cannot_be_checked_neither_passes_nor_fails(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    app.rules.create(me, version.source_id, "each day", Unique(), ["flow"])
    app.imports.add_version(me, version.source_id, Upload("b.csv", [b"day\n1\n2\n"]))
    app.work()
    newest = app.current(me, version.source_id)
    assert app.rule_analysis.run(newest, QuietMonitor())["unknown"] == 1
    found = app.rules.results(me, version.source_id, listing("-checked_at"), newest.id)
    assert found.items[0].passed is None
    assert "flow" in (found.items[0].error or "")


def test_a_foreign_key_needs_a_common_project(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    elsewhere = app.imported(me, app.project(me, "Lakes"))
    beside = app.imported(me, project, "day,name\n1,a\n2,b\n")
    with pytest.raises(SourceNotFoundError):
        app.rules.create(me, version.source_id, "x", ForeignKey(elsewhere.source_id), ["day"])
    with pytest.raises(InvalidInputError):
        app.rules.create(me, version.source_id, "x", ForeignKey(beside.source_id, ("nope",)), ["day"])
    app.rules.create(me, version.source_id, "x", ForeignKey(beside.source_id), ["day"])
    assert app.rule_analysis.run(version, QuietMonitor())["failed"] == 1
    assert app.rules.results(me, version.source_id, listing("-checked_at")).items[0].failing_rows == 58


def test_jobs_that_fail_and_long_ones_that_end_are_told(app: Harness, me: UserId, project: ProjectId) -> None:
    app.imported(me, project)
    app.clock.advance(timedelta(minutes=1))
    app.imports.create(me, project, Upload("bad.csv", [b""]))
    app.work()
    told = app.notifications.list(me, listing())[0].items
    assert [one.tone for one in told] == [Tone.DANGER, Tone.SUCCESS]
    assert "empty" in told[0].text
    assert app.notifications.since(me, 0)[-1] == told[0]
    version = app.imported(me, project, FLOWS)
    app.analyses.request(me, version.id)
    app.work()
    assert len(app.notifications.list(me, listing())[0].items) == 3


def test_parameters_are_read_with_every_fault_named() -> None:
    assert check_of("range", {"minimum": 1}) == Range(1)
    with pytest.raises(DomainError):
        check_of("range", {"kind": "set"})
    with pytest.raises(InvalidInputError) as error:
        check_of("monotonic", {"descending": "perhaps", "more": 1})
    assert {fault.loc for fault in error.value.faults} == {("parameters", "descending"), ("parameters", "more")}


def listing(sort: str = "-created_at") -> Listing:
    return Listing(sort=sort)
