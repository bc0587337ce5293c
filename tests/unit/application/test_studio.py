"""A person's work on a table, through the services."""

import pytest

from hydroml.domain.errors import ForbiddenError, InvalidInputError, StaleRevisionError
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import OriginKind, VersionNotFoundError
from hydroml.domain.studio.session import SessionNotFoundError
from hydroml.domain.studio.steps import Derive, DropColumns, FillMethod, FillMissing, Filter, Sort, SortKey
from tests.harness import Harness


def names(app: Harness, me: UserId, session_id: object) -> list[str]:
    return [column.name for column in app.studio.get(me, session_id).columns]  # type: ignore[arg-type]


def test_steps_change_what_is_seen_and_undo_brings_it_back(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    session = app.studio.open(me, version.id).session.id
    app.studio.add(me, session, Derive("double", "rain * 2"))
    app.studio.add(me, session, Filter("double > 6"))
    view = app.tables.session_view(me, session)
    page = app.tables.page(view, 0, 2)
    assert [c.name for c in page.columns] == ["day", "rain", "flow", "double"]
    assert page.rows[0][3] > 6
    app.studio.undo(me, session)
    app.studio.undo(me, session)
    assert names(app, me, session) == ["day", "rain", "flow"]
    app.studio.redo(me, session)
    assert names(app, me, session) == ["day", "rain", "flow", "double"]


def test_a_step_that_cannot_run_is_refused_and_not_stored(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    for step in (Filter("snow > 1"), Filter("__import__('os')"), DropColumns(("snow",)), Derive("x", "(SELECT 1)")):
        with pytest.raises(InvalidInputError) as refusal:
            app.studio.add(me, session, step)
        assert refusal.value.faults
    detail = app.studio.get(me, session)
    assert (detail.session.entries, detail.session.revision) == ((), 0)


def test_what_is_learnt_stays_when_rows_change_and_is_learnt_anew_after_an_edit(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    first = app.studio.add(me, session, Filter("rain = 3")).session.cursor
    app.studio.add(me, session, FillMissing(("flow",), FillMethod.MEAN))
    assert app.studio.get(me, session).session.history()[1].fitted == {"values": {"flow": 7.0}}
    assert first is not None
    app.studio.change(me, session, first, step=Filter("rain = 1"))
    assert app.studio.get(me, session).session.history()[1].fitted == {"values": {"flow": 3.0}}


def test_a_step_that_an_edit_breaks_is_marked_with_the_reason(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    derive = app.studio.add(me, session, Derive("double", "rain * 2")).session.cursor
    app.studio.add(me, session, Filter("double > 6"))
    assert derive is not None
    detail = app.studio.remove(me, session, derive)
    (reason,) = detail.broken.values()
    assert "double" in reason
    app.studio.undo(me, session)
    assert app.studio.get(me, session).broken == {}


def test_two_tabs_cannot_overwrite_each_other(app: Harness, me: UserId, project: ProjectId) -> None:
    detail = app.studio.open(me, app.imported(me, project).id)
    session, seen = detail.session.id, detail.session.revision
    app.studio.add(me, session, Filter("rain > 1"), seen)
    with pytest.raises(StaleRevisionError):
        app.studio.add(me, session, Filter("rain > 2"), seen)
    assert len(app.studio.get(me, session).session.entries) == 1


def test_a_saved_session_is_the_next_version_with_its_lineage(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    session = app.studio.open(me, version.id).session.id
    app.studio.add(me, session, Filter("rain > 3"))
    app.studio.add(me, session, Sort((SortKey("day", descending=True),)))
    source, job = app.saving.request(me, session)
    app.work()
    assert app.job(job.id).state is JobState.SUCCEEDED
    saved = app.current(me, source.id)
    assert (saved.number, saved.origin.kind, saved.origin.parents) == (2, OriginKind.RECIPE, (version.id,))
    assert app.current(me, version.source_id) == saved
    assert app.tables.page(app.tables.version_view(me, saved.id), 0, 1).rows[0][0] == 60
    edges = app.sources.lineage(me, saved.id).edges
    assert (str(version.id), str(saved.id)) in edges


def test_a_session_can_be_saved_as_a_new_source(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    session = app.studio.open(me, version.id).session.id
    source, _ = app.saving.request(me, session, name="Rain only")
    app.work()
    assert app.current(me, source.id).number == 1
    assert source.id != version.source_id


def test_a_session_is_its_owners_alone(app: Harness, me: UserId, project: ProjectId) -> None:
    colleague = app.user()
    app.projects.set_member(me, project, colleague, Role.EDITOR)
    session = app.studio.open(me, app.imported(me, project).id).session.id
    with pytest.raises(SessionNotFoundError):
        app.studio.get(colleague, session)
    app.projects.set_member(me, project, colleague, Role.OWNER)
    app.projects.remove_member(colleague, project, me)
    with pytest.raises(SessionNotFoundError):
        app.studio.get(me, session)


def test_a_viewer_looks_and_a_stranger_does_not(app: Harness, me: UserId, project: ProjectId) -> None:
    viewer, stranger = app.user(), app.user()
    app.projects.set_member(me, project, viewer, Role.VIEWER)
    version = app.imported(me, project)
    assert app.tables.page(app.tables.version_view(viewer, version.id), 0, 1).total == 60
    with pytest.raises(ForbiddenError):
        app.studio.open(viewer, version.id)
    with pytest.raises(VersionNotFoundError):
        app.tables.version_view(stranger, version.id)


@pytest.mark.parametrize(("offset", "limit"), [(-1, 10), (0, 0), (0, 1_001)])
def test_a_page_has_bounds(app: Harness, me: UserId, project: ProjectId, offset: int, limit: int) -> None:
    view = app.tables.version_view(me, app.imported(me, project).id)
    with pytest.raises(InvalidInputError):
        app.tables.page(view, offset, limit)


def test_a_preview_says_what_a_step_would_do_and_stores_nothing(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    preview = app.tables.preview(me, session, FillMissing(("flow",), value=0, flag=True))
    assert (preview.added_columns, preview.changed_cells) == (("flow_filled",), {"flow": 6})
    assert app.studio.get(me, session).session.entries == ()
