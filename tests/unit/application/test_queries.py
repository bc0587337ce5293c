"""Queries over the tables of a project, through the services."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from hydroml.application.queries import QueryRequest
from hydroml.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.queries import KEPT_QUERIES, QueryCancelledError, QueryId, QueryRun, QueryState, QueryStateError
from hydroml.domain.sources import OriginKind
from hydroml.domain.studio.steps import Filter, Query
from tests.harness import Harness


def test_query_reads_data_sources_by_name_and_is_remembered(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    name = app.sources.get(me, version.source_id).source.name
    answer = app.queries.ask(me, QueryRequest(project, f'SELECT count(*) AS n FROM "{name}"'), 10)
    assert answer.result.rows == ((60,),)
    assert [(table.name, table.version_id) for table in answer.tables] == [(name, version.id)]
    app.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidInputError):
        app.queries.ask(me, QueryRequest(project, "SELECT nothing"), 10)
    failed, done = app.queries.history(me, project)
    assert (done.state, done.rows, failed.state) == (QueryState.SUCCEEDED, 1, QueryState.FAILED)
    assert failed.error


def test_session_is_read_as_this(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    app.studio.add(me, session, Filter("rain = 3"))
    answer = app.queries.ask(me, QueryRequest(project, "SELECT min(rain), max(rain) FROM this", session), 10)
    assert answer.result.rows == ((3, 3),)
    with pytest.raises(InvalidInputError):
        app.queries.ask(me, QueryRequest(project, "SELECT * FROM this"), 10)


def test_query_reaches_only_what_is_the_askers(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    name = app.sources.get(me, version.source_id).source.name
    session = app.studio.open(me, version.id).session.id
    stranger = app.user()
    theirs = app.project(stranger)
    for request in (QueryRequest(project, "SELECT 1"), QueryRequest(theirs, "SELECT * FROM this", session)):
        with pytest.raises(NotFoundError):
            app.queries.ask(stranger, request, 10)
    with pytest.raises(InvalidInputError):
        app.queries.ask(stranger, QueryRequest(theirs, f'SELECT * FROM "{name}"'), 10)
    for reads in (app.queries.tables, app.queries.history, app.queries.forget):
        with pytest.raises(NotFoundError):
            reads(stranger, project)
    other = app.project(me)
    with pytest.raises(InvalidInputError, match="another project"):
        app.queries.ask(me, QueryRequest(other, "SELECT * FROM this", session), 10)
    assert app.queries.tables(me, other) == []


def test_saved_query_is_a_version_with_its_lineage(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    name = app.sources.get(me, version.source_id).source.name
    session = app.studio.open(me, version.id).session.id
    app.studio.add(me, session, Filter("rain = 3"))
    text = f'SELECT count(*) AS n, (SELECT count(*) FROM "{name}") AS whole FROM this'
    source, job = app.queries.save(me, QueryRequest(project, text, session), name="counted")
    app.work()
    assert app.job(job.id).state is JobState.SUCCEEDED
    saved, _ = app.sources.version(me, app.sources.get(me, source.id).source.current_version_id)  # type: ignore[arg-type]
    assert saved.rows == 1
    assert saved.origin.kind is OriginKind.QUERY
    assert saved.origin.parents == (version.id,)
    assert [entry["step"]["op"] for entry in saved.origin.recipe] == ["filter", "query"]


def test_saving_needs_an_editor_and_a_query_that_runs(app: Harness, me: UserId, project: ProjectId) -> None:
    viewer = app.user()
    app.projects.set_member(me, project, viewer, Role.VIEWER)
    with pytest.raises(ForbiddenError):
        app.queries.save(viewer, QueryRequest(project, "SELECT 1 AS one"), name="x")
    with pytest.raises(InvalidInputError):
        app.queries.save(me, QueryRequest(project, "SELECT nothing"), name="x")
    assert app.queries.tables(me, project) == []


def test_query_is_a_step_of_a_session(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    detail = app.studio.add(me, session, Query("SELECT rain, count(*) AS n FROM this GROUP BY rain"))
    assert [column.name for column in detail.columns] == ["rain", "n"]


def test_running_query_is_cancelled_by_its_asker_alone(app: Harness, me: UserId, project: ProjectId) -> None:
    query_id = QueryId(uuid4())
    started, ended = threading.Event(), threading.Event()

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(app.engine, name)

        def query(self, *arguments: object) -> object:
            watch = arguments[-1]
            with watch.interrupting(ended.set):  # type: ignore[attr-defined]
                started.set()
                assert ended.wait(10)
            watch.report()  # type: ignore[attr-defined]
            return None

    app.queries._engine = Slow()  # type: ignore[assignment]
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            app.queries.ask(me, QueryRequest(project, "SELECT 1"), 10, query_id)
        except QueryCancelledError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert started.wait(10)
    with pytest.raises(NotFoundError):
        app.queries.cancel(app.user(), query_id)
    app.queries.cancel(me, query_id)
    thread.join(10)
    assert failures
    assert app.queries.history(me, project)[0].state is QueryState.CANCELLED
    with pytest.raises(QueryStateError):
        app.queries.cancel(me, query_id)


def test_history_keeps_no_words_of_an_unexpected_failure(app: Harness, me: UserId, project: ProjectId) -> None:
    class Broken:
        def query(self, *arguments: object) -> object:
            raise RuntimeError("/var/lib/hydroml/blobs/1f cannot be opened")

    app.queries._engine = Broken()  # type: ignore[assignment]
    with pytest.raises(RuntimeError):
        app.queries.ask(me, QueryRequest(project, "SELECT 1"), 10)
    run = app.queries.history(me, project)[0]
    assert run.state is QueryState.FAILED
    assert "unexpected error (RuntimeError)" in str(run.error)
    assert "blobs" not in str(run.error)


def test_history_is_bounded_and_tells_what_was_lost(app: Harness, me: UserId, project: ProjectId) -> None:
    with app.uow() as uow:
        for number in range(KEPT_QUERIES + 5):
            uow.queries.add(
                QueryRun(id=QueryId(uuid4()), project_id=project, owner_id=me, sql=str(number), created_at=app.clock())
            )
        uow.commit()
    app.clock.advance(timedelta(minutes=5))
    app.queries.ask(me, QueryRequest(project, "SELECT 1"), 1)
    found = app.queries.history(me, project)
    assert len(found) == KEPT_QUERIES
    assert {run.state for run in found[1:]} == {QueryState.FAILED}
    app.queries.forget(me, project)
    assert app.queries.history(me, project) == []
