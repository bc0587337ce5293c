"""Exports from their request to their end."""

from datetime import timedelta

import pytest

from hydroml.application.ports.repositories import Listing
from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError
from hydroml.domain.exports import (
    ExportFormat,
    ExportNotFoundError,
    ExportShape,
    ExportStatus,
    TemplateNotFoundError,
    export_filename,
)
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, Role, UserId
from hydroml.domain.sources import VersionNotFoundError
from tests.harness import KEPT, Harness
from tests.tables import QuietMonitor

LISTING = Listing()
SHAPE = ExportShape(ExportFormat.CSV, ("day", "flow"), filter="rain = 3", limit=2)


def test_an_export_becomes_a_file(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    export, job = app.exports.request(me, version.id, SHAPE)
    assert (export.status, export.filename) == (ExportStatus.RUNNING, "flows, version 1.csv")
    with pytest.raises(ConflictError):
        app.exports.open(me, export.id)
    with pytest.raises(ConflictError):
        app.exports.delete(me, export.id)
    app.work()
    made, _ = app.exports.get(me, export.id)
    assert (made.status, made.rows, made.expires_at) == (ExportStatus.READY, 2, app.clock() + KEPT)
    _, stream = app.exports.open(me, export.id)
    assert stream.read() == b"day,flow\n3,7\n10,\n"
    assert app.job(job.id).result["rows"] == 2
    assert [found.id for found, _ in app.exports.list(me, version.id, LISTING).items] == [export.id]
    assert "Exported: flows.csv" in [n.title for n in app.notifications.list(me, LISTING)[0].items]
    app.exports.delete(me, export.id)
    with pytest.raises(ExportNotFoundError):
        app.exports.get(me, export.id)
    assert made.blob not in app.blobs.held


def test_done_twice_it_makes_one_file(app: Harness, me: UserId, project: ProjectId) -> None:
    export, job = app.exports.request(me, app.imported(me, project).id, SHAPE)
    app.work()
    before = app.exports.get(me, export.id)
    result = app.exports.run(app.job(job.id), QuietMonitor())
    assert (app.exports.get(me, export.id), result["rows"]) == (before, 2)


def test_files_expire_but_not_what_others_need(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    first, _ = app.exports.request(me, version.id, SHAPE)
    app.work()
    app.clock.advance(timedelta(days=1))
    second, _ = app.exports.request(me, version.id, SHAPE)
    app.work()
    app.clock.advance(KEPT - timedelta(days=1))
    assert (app.exports.expire(), app.exports.expire()) == (1, 0)
    assert app.exports.get(me, first.id)[0].status is ExportStatus.EXPIRED
    with pytest.raises(ConflictError):
        app.exports.open(me, first.id)
    assert app.exports.open(me, second.id)[1].read()
    app.clock.advance(KEPT)
    assert app.exports.expire() == 1
    assert set(app.blobs.held) == set(version.blobs)


def test_a_purge_takes_the_files_along(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    app.exports.request(me, version.id, SHAPE)
    app.work()
    app.sources.delete(me, version.source_id)
    app.sources.purge(me, version.source_id, "flows.csv")
    assert app.keeps_nothing()


def test_a_cancelled_export_is_tried_again(app: Harness, me: UserId, project: ProjectId) -> None:
    export, job = app.exports.request(me, app.imported(me, project).id, SHAPE)
    app.jobs.cancel(me, job.id)
    found, last = app.exports.get(me, export.id)
    assert found.status is ExportStatus.FAILED
    assert last is not None
    assert last.state is JobState.CANCELLED
    app.queue.sent.clear()
    app.jobs.retry(me, job.id)
    app.work()
    assert app.exports.get(me, export.id)[0].status is ExportStatus.READY


def test_what_cannot_be_exported_makes_no_job(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    with pytest.raises(InvalidInputError):
        app.exports.request(me, version.id, ExportShape(ExportFormat.CSV, ("no such",)))
    assert not app.exports.list(me, version.id, LISTING).items


def test_strangers_see_nothing_and_viewers_may_export(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    viewer, stranger = app.user(), app.user()
    app.projects.set_member(me, project, viewer, Role.VIEWER)
    mine, _ = app.exports.request(me, version.id, SHAPE)
    theirs, _ = app.exports.request(viewer, version.id, SHAPE)
    app.work()
    template = app.exports.create_template(me, project, "Two", SHAPE)
    assert app.exports.get(viewer, mine.id)
    with pytest.raises(ForbiddenError):
        app.exports.delete(viewer, mine.id)
    app.exports.delete(viewer, theirs.id)
    with pytest.raises(ForbiddenError):
        app.exports.create_template(viewer, project, "Mine", SHAPE)
    for refused, error in (
        (lambda: app.exports.request(stranger, version.id, SHAPE), VersionNotFoundError),
        (lambda: app.exports.get(stranger, mine.id), ExportNotFoundError),
        (lambda: app.exports.open(stranger, mine.id), ExportNotFoundError),
        (lambda: app.exports.delete(stranger, mine.id), ExportNotFoundError),
        (lambda: app.exports.list(stranger, version.id, LISTING), VersionNotFoundError),
        (lambda: app.exports.templates(stranger, project), ProjectNotFoundError),
        (lambda: app.exports.template(stranger, template.id), TemplateNotFoundError),
        (lambda: app.exports.delete_template(stranger, template.id), TemplateNotFoundError),
    ):
        with pytest.raises(error):
            refused()
    app.exports.delete_template(me, template.id)
    assert not app.exports.templates(me, project)


@pytest.mark.parametrize(
    ("wanted", "filename"),
    [
        (None, "a-b, version 3.csv"),
        ("  ", "a-b, version 3.csv"),
        ("flows", "flows.csv"),
        ("flows.CSV", "flows.csv"),
        ("../../x.csv", "x.csv"),
        ("\x00.csv", "table.csv"),
        ("x" * 300, "x" * 251 + ".csv"),
    ],
)
def test_files_have_names_with_the_right_ending(wanted: str | None, filename: str) -> None:
    assert export_filename(wanted, "a/b", 3, ExportFormat.CSV) == filename
