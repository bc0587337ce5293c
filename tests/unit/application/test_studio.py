"""A person's work on a table, through the services."""

from datetime import timedelta

import pytest

from hydroml.application.documents import read_step, step_schema
from hydroml.application.lineage import Edge, LineageKind
from hydroml.application.saving import Target
from hydroml.application.studio import SessionDetail, Start
from hydroml.domain.errors import ForbiddenError, InvalidInputError, StaleRevisionError
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import OriginKind, VersionNotFoundError
from hydroml.domain.studio.session import SessionNotFoundError
from hydroml.domain.studio.steps import STEPS, Derive, DropColumns, FillMethod, FillMissing, Filter, Sort, SortKey, Step
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


def statuses(detail: SessionDetail) -> list[str]:
    return [str(detail.verdicts[entry.id].status) for entry in detail.session.history()]


def test_a_step_that_cannot_run_any_more_is_marked_and_the_table_is_that_of_the_others(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    derive = app.studio.add(me, session, Derive("double", "rain * 2")).session.cursor
    for step in (Derive("four", "double * 2"), Filter("four > 16"), Derive("half", "flow / 2"), Filter("rain > 2")):
        app.studio.add(me, session, step)
    assert derive is not None
    detail = app.studio.remove(me, session, derive)
    assert statuses(detail) == ["failed", "waiting", "ok", "ok"]
    broken, waiting = detail.session.history()[:2]
    assert "double" in detail.verdicts[broken.id].reason
    assert detail.verdicts[waiting.id].waits_for == broken.id
    assert [column.name for column in detail.columns] == ["day", "rain", "flow", "half"]
    page = app.tables.page(app.tables.session_view(me, session), 0, 100)
    assert [column.name for column in page.columns] == ["day", "rain", "flow", "half"]
    assert min(row[1] for row in page.rows) == 3
    assert "rain > 2" in app.studio.code(me, session)
    assert "four" not in app.studio.code(me, session)
    source, _ = app.saving.request(me, session, Target("Saved"))
    app.work()
    assert (app.current(me, source.id).rows, len(app.current(me, source.id).origin.recipe)) == (page.total, 2)
    app.studio.undo(me, session)
    app.studio.add(me, session, Filter("half > 5"))  # work goes on beside what is broken


def test_what_had_to_wait_runs_again_once_it_can(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    app.studio.add(me, session, Derive("double", "rain * 2"))
    app.studio.add(me, session, FillMissing(("double",), FillMethod.MEAN))
    first = app.studio.get(me, session).session.history()[0].id
    detail = app.studio.change(me, session, first, enabled=False)
    assert statuses(detail) == ["disabled", "failed"]
    detail = app.studio.change(me, session, detail.session.history()[0].id, enabled=True)
    assert statuses(detail) == ["ok", "ok"]


def test_a_step_with_nothing_to_learn_from_is_marked_and_the_table_is_there(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    first = app.studio.add(me, session, Filter("day > 1")).session.cursor
    app.studio.add(me, session, FillMissing(("flow",), FillMethod.MEAN))
    assert first is not None
    detail = app.studio.change(me, session, first, step=Filter("day = 10"))  # where flow is missing
    assert statuses(detail) == ["ok", "failed"]
    assert app.tables.page(app.tables.session_view(me, session), 0, 10).rows == ((10, 3, None),)
    edited = detail.session.history()[0].id
    detail = app.studio.change(me, session, edited, step=Filter("day < 3"))
    assert (statuses(detail), detail.session.history()[1].fitted) == (["ok", "ok"], {"values": {"flow": 4.0}})


def test_an_edited_step_has_to_run(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    step = app.studio.add(me, session, Filter("rain > 1")).session.cursor
    assert step is not None
    with pytest.raises(InvalidInputError, match="snow"):
        app.studio.change(me, session, step, step=Filter("snow > 1"))
    assert len(app.studio.get(me, session).session.entries) == 1


def test_a_moved_step_and_those_after_it_learn_from_what_they_see_there(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    app.studio.add(me, session, Filter("rain = 3"))
    fill = app.studio.add(me, session, FillMissing(("flow",), FillMethod.MEAN)).session.cursor
    assert fill is not None
    history = app.studio.move(me, session, fill, None).session.history()
    assert [entry.step.op for entry in history] == ["fill_missing", "filter"]
    assert history[0].fitted == {"values": {"flow": pytest.approx(368 / 54)}}


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
    edges = app.lineage.of(me, LineageKind.VERSION, saved.id).edges
    assert Edge(str(version.id), str(saved.id), "2 steps") in edges


def test_a_session_can_be_saved_as_a_new_source(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    session = app.studio.open(me, version.id).session.id
    source, _ = app.saving.request(me, session, Target("Rain only"))
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


def test_a_shared_session_is_looked_at_and_copied_and_not_changed(app: Harness, me: UserId, project: ProjectId) -> None:
    colleague, stranger = app.user(), app.user()
    app.projects.set_member(me, project, colleague, Role.EDITOR)
    version = app.imported(me, project)
    session = app.studio.open(me, version.id, name="Dry days").session.id
    step = app.studio.add(me, session, Filter("rain > 2")).session.cursor
    assert step is not None
    app.studio.describe(me, session, shared=True)
    assert names(app, colleague, session) == ["day", "rain", "flow"]
    assert app.tables.page(app.tables.session_view(colleague, session), 0, 1).total == 34
    assert "rain > 2" in app.studio.code(colleague, session)
    for refused in (
        lambda: app.studio.add(colleague, session, Filter("rain > 3")),
        lambda: app.studio.undo(colleague, session),
        lambda: app.studio.describe(colleague, session, name="Mine"),
        lambda: app.studio.discard(colleague, session),
        lambda: app.saving.request(colleague, session),
        lambda: app.studio.mark(colleague, session, step, name="x"),
    ):
        with pytest.raises(ForbiddenError):
            refused()
    with pytest.raises(SessionNotFoundError):
        app.studio.get(stranger, session)
    copy = app.studio.open(colleague, version.id, start=Start(session_id=session))
    app.studio.add(colleague, copy.session.id, Filter("rain > 3"))
    assert len(app.studio.get(me, session).session.entries) == 1
    assert [s.summary.id for s in app.studio.list(colleague, project_id=project)] == [copy.session.id]
    (shared,) = app.studio.list(colleague, version_id=version.id, shared=True)
    assert (shared.summary.id, shared.summary.name, shared.summary.steps) == (session, "Dry days", 1)
    app.studio.describe(me, session, shared=False)
    with pytest.raises(SessionNotFoundError):
        app.studio.get(colleague, session)


def test_a_discarded_session_waits_in_the_trash_for_thirty_days(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    session = app.studio.open(me, version.id).session.id
    app.studio.add(me, session, Filter("rain > 2"))
    app.studio.discard(me, session)
    for gone in (lambda: app.studio.get(me, session), lambda: app.tables.session_view(me, session)):
        with pytest.raises(SessionNotFoundError):
            gone()
    assert app.studio.list(me, version_id=version.id) == ()
    assert [s.summary.id for s in app.studio.list(me, version_id=version.id, trashed=True)] == [session]
    assert len(app.studio.restore(me, session).session.entries) == 1
    with pytest.raises(SessionNotFoundError):
        app.studio.restore(me, session)
    app.studio.discard(me, session)
    app.clock.advance(timedelta(days=29))
    assert app.studio.purge() == 0
    app.clock.advance(timedelta(days=2))
    assert app.studio.purge() == 1
    with pytest.raises(SessionNotFoundError):
        app.studio.restore(me, session)


def test_a_comment_stays_with_its_step_through_edits(app: Harness, me: UserId, project: ProjectId) -> None:
    colleague = app.user()
    app.projects.set_member(me, project, colleague, Role.VIEWER)
    session = app.studio.open(me, app.imported(me, project).id).session.id
    step = app.studio.add(me, session, Filter("rain > 2")).session.cursor
    assert step is not None
    with pytest.raises(SessionNotFoundError):
        app.studio.comment(colleague, session, step, "Why?")
    app.studio.describe(me, session, shared=True)
    theirs = app.studio.comment(colleague, session, step, " Why 2? ")
    detail = app.studio.change(me, session, step, step=Filter("rain > 1"))
    (entry,) = detail.session.history()
    assert [(c.text, c.author_id) for c in detail.comments] == [("Why 2?", colleague)]
    assert detail.comments[0].entry_id in detail.session.states()[entry.id]
    mine = app.studio.comment(me, session, entry.id, "Better?")
    with pytest.raises(ForbiddenError):
        app.studio.remove_comment(colleague, session, mine.id)
    app.studio.remove_comment(me, session, theirs.id)
    assert app.studio.get(me, session).comments == (mine,)
    with pytest.raises(InvalidInputError):
        app.studio.comment(me, session, entry.id, "  ")


def test_steps_are_copied_between_sessions_and_learn_anew(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    one, other = (app.studio.open(me, version.id).session.id for _ in range(2))
    app.studio.add(me, one, Derive("double", "rain * 2"))
    app.studio.add(me, one, FillMissing(("flow",), FillMethod.MEAN))
    app.studio.add(me, one, Filter("double > 6"))
    steps = [entry.id for entry in app.studio.get(me, one).session.history()]
    app.studio.add(me, other, Filter("rain = 1"))
    with pytest.raises(InvalidInputError, match="filter rows step cannot run here") as refusal:
        app.studio.copy(me, other, one, [steps[1], steps[2]])
    assert refusal.value.faults[0].loc[:2] == ("steps", 1)
    assert len(app.studio.get(me, other).session.entries) == 1
    history = app.studio.copy(me, other, one, [steps[1], steps[0]]).session.history()
    assert [entry.step.op for entry in history] == ["filter", "fill_missing", "derive"]
    assert history[1].fitted == {"values": {"flow": 3.0}}
    stranger = app.user()
    with pytest.raises(SessionNotFoundError):
        app.studio.copy(stranger, other, one, steps)


def test_branches_are_compared_step_by_step_column_by_column(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    for step in (Filter("rain > 2"), Derive("x", "rain * 2"), Sort((SortKey("day"),))):
        app.studio.add(me, session, step)
    second = app.studio.get(me, session).session.history()[1].id
    detail = app.studio.change(me, session, second, step=Derive("y", "rain > 3"))
    found = app.studio.compare(me, session, detail.session.branches()[0].tip.id)
    assert [(a.step.op, b.step.op) for a, b in found.common] == [("filter", "filter"), ("sort", "sort")]
    assert ([e.step.summary() for e in found.here], [e.step.summary() for e in found.there]) == (
        ["y = rain > 3"],
        ["x = rain * 2"],
    )
    assert ([c.name for c in found.columns_here][-1], [c.name for c in found.columns_there][-1]) == ("y", "x")
    assert (found.rows_here, found.rows_there) == (34, 34)


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


def test_place_of_a_fault_is_that_of_the_parameter() -> None:
    for document, place, words in (
        ({"op": "rolling", "columns": ["flow"], "window": "x"}, ("window",), "valid integer"),
        ({"op": "rolling", "columns": ["flow"], "window": 2, "statistic": "first"}, ("statistic",), "'mean', 'sum'"),
        ({"op": "rolling", "columns": ["flow"], "window": 0}, ("window",), "window: between 1 and"),
        ({"op": "lag_lead", "columns": ["flow"], "offsets": [1, 0]}, ("offsets", 1), "offsets: between 1 and"),
        ({"op": "aggregate", "values": [{"statistic": "mean", "colum": "x"}]}, ("values", 0, "colum"), "Unexpected"),
    ):
        with pytest.raises(InvalidInputError) as refusal:
            read_step(document)
        assert refusal.value.faults[0].loc == place
        assert words in refusal.value.faults[0].msg


@pytest.mark.parametrize("kind", [kind for kind in STEPS if kind.info.group in ("reshape", "combine", "time")])
def test_form_of_a_step_says_what_its_texts_stand_for(kind: type[Step]) -> None:
    """A text is a name or a formula, of which the form has to know, or one of a few words."""
    schema = step_schema(kind)
    parts = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
    free = {"prefix", "suffix", "label", "name", "other_label", "source", "target"}
    for name, described in (item for part in parts for item in part["properties"].items()):
        plain = described.get("type") == "string" and not {"enum", "const", "$ref"} & set(described)
        assert not plain or "x-role" in described or name in free, f"{kind.__name__}.{name}"
