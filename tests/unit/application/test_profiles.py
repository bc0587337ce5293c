"""The profile of a version: made in the background, kept in parts, and asked for by columns."""

import pytest

from hydroml.application import profiles
from hydroml.application.imports import Upload
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import Version, VersionNotFoundError
from tests.harness import Harness

WIDE = 600
ROWS = 40
TEXT = ",".join(f"c{at}" for at in range(WIDE)) + ("\n1" + "," * (WIDE - 1)) * ROWS


def wide(app: Harness, me: UserId, project: ProjectId) -> Version:
    """A version whose analysis still waits."""
    source, _ = app.imports.create(me, project, Upload("wide.csv", [TEXT.encode()]))
    app.work(1)
    return app.current(me, source.id)


def test_the_profile_of_a_large_table_waits_for_its_analysis(
    app: Harness, me: UserId, project: ProjectId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "SMALL", 1_000)
    version = wide(app, me, project)
    first = app.profiles.get(me, version.id)
    assert first.job is not None
    assert [column.name for column in first.profile.columns] == [f"c{at}" for at in range(500)]
    assert first.total_columns == WIDE
    (job,) = app.work()
    assert job.id == first.job.id
    kept = app.profiles.get(me, version.id, offset=240, limit=20)
    assert kept.job is None
    assert [column.name for column in kept.profile.columns] == [f"c{at}" for at in range(240, 260)]
    again = app.profiles.get(me, version.id, search="C59")
    assert [column.name for column in again.profile.columns] == ["c59", *(f"c{at}" for at in range(590, 600))]
    assert again.total_columns == 11
    assert again.profile.columns[0].missing == ROWS


def test_a_small_table_and_a_filtered_one_are_read_at_once(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    with app.uow() as uow:
        assert uow.reports.get(version.id, "profile 0") is not None
        uow.reports.delete(version.id, "profile 0")
        uow.commit()
    found = app.profiles.get(me, version.id)
    assert (found.job, found.profile.rows) == (None, version.rows)
    assert app.profiles.get(me, version.id, filter="flow > 1").profile.rows < version.rows


def test_bounds_and_strangers(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    with pytest.raises(VersionNotFoundError):
        app.profiles.get(app.user(), version.id)
    with pytest.raises(VersionNotFoundError):
        app.analyses.request(app.user(), version.id)
    for wrong in ({"offset": -1}, {"limit": 0}, {"limit": 501}):
        with pytest.raises(InvalidInputError):
            app.profiles.get(me, version.id, **wrong)  # type: ignore[arg-type]
    assert app.profiles.get(me, version.id, search="nothing").profile.columns == ()


def test_a_version_that_comes_back_is_analysed_too(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    again = app.sources.roll_back(me, version.source_id, version.id)
    (job,) = app.work()
    assert job.result["version_id"] == str(again.id)
    assert app.quality.get(me, again.id).document is not None
