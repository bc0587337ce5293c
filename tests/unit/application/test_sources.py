"""The trash, the projects of a source, and going back to an earlier version."""

import pytest

from hydroml.application.imports import Upload
from hydroml.application.ports.repositories import Listing
from hydroml.domain.errors import ForbiddenError, InvalidInputError
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, Role, UserId
from hydroml.domain.sources import OriginKind, SourceBusyError, SourceNotFoundError, VersionNotFoundError
from tests.harness import Harness


def test_the_trash_hides_and_gives_back(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    source_id = version.source_id
    app.sources.delete(me, source_id)
    assert app.sources.list(me, project, Listing()).total == 0
    assert [detail.source.id for detail in app.sources.trash(me, project, Listing()).items] == [source_id]
    for attempt in (
        lambda: app.sources.get(me, source_id),
        lambda: app.sources.change(me, source_id, name="x"),
        lambda: app.sources.delete(me, source_id),
    ):
        with pytest.raises(SourceNotFoundError):
            attempt()
    with pytest.raises(VersionNotFoundError):
        app.tables.version_view(me, version.id)
    assert app.sources.restore(me, source_id).current == version
    assert app.sources.list(me, project, Listing()).total == 1
    with pytest.raises(SourceNotFoundError):
        app.sources.restore(me, source_id)


def test_purging_takes_the_name_and_frees_the_disk(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    with pytest.raises(SourceNotFoundError):
        app.sources.purge(me, version.source_id, "flows.csv")
    app.sources.delete(me, version.source_id)
    with pytest.raises(InvalidInputError):
        app.sources.purge(me, version.source_id, "another")
    expected = app.sources.to_purge(me, version.source_id)
    assert app.sources.purge(me, version.source_id, "flows.csv") == expected.size > version.size
    assert app.keeps_nothing()


def test_a_source_that_is_imported_is_not_thrown_away(app: Harness, me: UserId, project: ProjectId) -> None:
    source, _ = app.imports.create(me, project, Upload("a.csv", [b"a\n1\n"]))
    with pytest.raises(SourceBusyError):
        app.sources.delete(me, source.id)


def test_a_source_in_several_projects(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    other = app.project(me)
    app.sources.put_into(me, version.source_id, other)
    app.projects.delete(me, project)
    assert app.source(me, version.source_id).project_ids == {other}
    friend = app.user()
    app.projects.set_member(me, other, friend, Role.VIEWER)
    assert app.sources.get(friend, version.source_id).current == version
    with pytest.raises(ForbiddenError):
        app.sources.take_from(friend, version.source_id, other)
    with pytest.raises(ProjectNotFoundError):
        app.sources.put_into(me, version.source_id, app.project(friend))
    app.sources.take_from(me, version.source_id, other)
    assert app.source(me, version.source_id).project_ids == frozenset()
    with pytest.raises(SourceNotFoundError):
        app.sources.get(friend, version.source_id)


def test_rolling_back_makes_a_new_version_of_an_earlier_one(app: Harness, me: UserId, project: ProjectId) -> None:
    first = app.imported(me, project)
    app.imports.add_version(me, first.source_id, Upload("new.csv", [b"a,b\n1,2\n"]))
    app.work()
    back = app.sources.roll_back(me, first.source_id, first.id)
    assert (back.number, back.fingerprint, back.columns) == (3, first.fingerprint, first.columns)
    assert (back.origin.kind, back.origin.parents) == (OriginKind.ROLLBACK, (first.id,))
    assert app.current(me, first.source_id) == back
    assert [version.number for version in app.sources.versions(me, first.source_id)] == [3, 2, 1]
    with pytest.raises(VersionNotFoundError):
        app.sources.roll_back(me, first.source_id, app.imported(me, project).id)
