"""What nothing needs is removed, and nothing else ever is."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hydroml.adapters.persistence import unit_of_work  # noqa: F401 - it knows all tables
from hydroml.adapters.persistence.metadata import metadata
from hydroml.application.blobs import UNTOLD
from hydroml.application.garbage import FORGOTTEN, Collected
from hydroml.application.imports import Upload
from hydroml.application.ports.repositories import Listing
from hydroml.domain.exports import ExportFormat, ExportShape
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import SourceId
from tests.harness import Harness
from tests.unit.application.test_experiments import trained

CONTENTS = [b"a,b\n1,2\n", b"a,b\n1,2\n3\n", b"c\n5\n"]


class Garbage(RuleBasedStateMachine):
    """Sources come, go to the trash, come back and are purged; jobs are late; bytes are shared; crashes leave blobs."""

    def __init__(self) -> None:
        super().__init__()
        self.app = Harness()
        self.me = self.app.user()
        self.project = self.app.project(self.me)
        self.sources: list[SourceId] = []
        self.trash: list[SourceId] = []

    def _picked(self, data: st.DataObject, among: list[SourceId]) -> SourceId:
        return among.pop(data.draw(st.integers(0, len(among) - 1)))

    @rule(content=st.sampled_from(CONTENTS), at_once=st.booleans())
    def bring(self, content: bytes, at_once: bool) -> None:
        source, _ = self.app.imports.create(self.me, self.project, Upload("t.csv", [content]))
        if at_once:
            self.app.work()
            self.sources.append(source.id)

    @rule()
    def work(self) -> None:
        self.app.work()

    @precondition(lambda self: self.sources)
    @rule(data=st.data(), content=st.sampled_from(CONTENTS))
    def bring_another_version(self, data: st.DataObject, content: bytes) -> None:
        source = self._picked(data, self.sources)
        self.app.imports.add_version(self.me, source, Upload("t.csv", [content]))
        self.app.work()
        self.sources.append(source)

    @precondition(lambda self: self.sources)
    @rule(data=st.data())
    def export(self, data: st.DataObject) -> None:
        source = self._picked(data, self.sources)
        self.sources.append(source)
        version = self.app.current(self.me, source)
        self.app.exports.request(self.me, version.id, ExportShape(ExportFormat.CSV))
        self.app.work()

    @precondition(lambda self: self.sources)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        source = self._picked(data, self.sources)
        self.app.sources.delete(self.me, source)
        self.trash.append(source)

    @precondition(lambda self: self.trash)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        source = self._picked(data, self.trash)
        self.app.sources.restore(self.me, source)
        self.sources.append(source)

    @precondition(lambda self: self.trash)
    @rule(data=st.data(), later=st.booleans())
    def purge(self, data: st.DataObject, later: bool) -> None:
        if later:
            self.app.work()
            self.app.clock.advance(timedelta(seconds=1))
        source = self._picked(data, self.trash)
        announced = self.app.sources.to_purge(self.me, source).size
        held = sum(len(content) for content in self.app.blobs.held.values())
        with self.app.uow() as uow:
            name = uow.sources.get(source).name
        assert self.app.sources.purge(self.me, source, name) == announced
        if later:
            assert held - sum(len(content) for content in self.app.blobs.held.values()) == announced

    @rule(content=st.binary(min_size=1, max_size=3))
    def crash(self, content: bytes) -> None:
        """Between storing a blob and telling the database; and between the last byte and the job of an upload."""
        self.app.blobs.add_bytes(content)
        self.app.blobs.receive(f"upload-{content.hex()}", [content], 10)

    @rule(by=st.sampled_from([timedelta(minutes=1), UNTOLD, timedelta(days=8)]))
    def wait(self, by: timedelta) -> None:
        self.app.clock.advance(by)

    @rule()
    def collect(self) -> None:
        self.app.garbage.collect()

    @rule()
    def collect_all(self) -> None:
        self.app.work()
        self.app.clock.advance(FORGOTTEN + timedelta(minutes=1))
        before = dict(self.app.blobs.held)
        told = self.app.garbage.collect(dry_run=True)
        assert self.app.blobs.held == before
        collected = self.app.garbage.collect()
        assert collected.size >= told.size
        assert set(self.app.blobs.held) == self._needed()
        assert not self.app.blobs.waiting
        assert self.app.garbage.collect() == Collected()

    @invariant()
    def all_that_is_needed_is_there(self) -> None:
        assert self._needed() <= set(self.app.blobs.held)

    def _needed(self) -> set[str]:
        with self.app.uow() as uow:
            found = [v for s in (*self.sources, *self.trash, *self._others()) for v in uow.versions.of_source(s)]
            exports = uow.exports.of_versions([version.id for version in found])
        return {b for version in found for b in version.blobs} | {e.blob for e in exports if e.blob is not None}

    def _others(self) -> list[SourceId]:
        """Sources whose import came later."""
        known = {*self.sources, *self.trash}
        listed = self.app.sources.list(self.me, self.project, Listing(limit=500)).items
        return [detail.source.id for detail in listed if detail.source.id not in known]


Garbage.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestGarbage = Garbage.TestCase


@pytest.fixture
def app() -> Harness:
    return Harness()


@pytest.fixture
def me(app: Harness) -> UserId:
    return app.user()


@pytest.fixture
def project(app: Harness, me: UserId) -> ProjectId:
    return app.project(me)


def test_bytes_that_come_again_while_they_are_purged_stay(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    app.clock.advance(timedelta(days=1))
    again, job = app.imports.create(me, project, Upload("again.csv", [b"a\n1\n"]))
    # The new import's worker has found the bytes there, and is about to say so.
    content = app.blobs.held[version.fingerprint]
    app.blobs.add_bytes(content)
    app.sources.delete(me, version.source_id)
    app.sources.purge(me, version.source_id, "flows.csv")
    assert version.fingerprint in app.blobs.held
    assert version.origin.originals[0].blob not in app.blobs.held
    app.work()
    app.clock.advance(timedelta(hours=2))
    assert app.garbage.collect().blobs == 1
    assert version.fingerprint not in app.blobs.held
    assert app.current(me, again.id).id == job.id


def test_models_and_plots_of_runs_are_needed(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    run = trained(app, me, project, version)
    app.clock.advance(timedelta(days=1))
    assert app.garbage.collect().blobs == 0
    assert {run.model_blob, run.rows_blob, *run.artifacts.values()} <= set(app.blobs.held)


def test_folders_of_dead_jobs_go(app: Harness, me: UserId, project: ProjectId) -> None:
    app.clock.advance(timedelta(days=36_500))  # folders are real, so their times are
    _, job = app.imports.create(me, project, Upload("t.csv", [b"a\n1\n"]))
    with app.scratch.folder(f"job-{job.id}") as mine, app.scratch.folder("job-gone") as gone:
        (gone / "part").write_bytes(b"12345")
        found = app.garbage.collect()
        assert (found.folders, found.size) == (1, 5)
        assert mine.exists()
        assert not gone.exists()


def test_every_place_that_holds_blobs_is_known() -> None:
    """A new column with blobs belongs into `blobs_in_use`."""
    held = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if any(word in column.name for word in ("blob", "artifact", "fingerprint"))
    }
    of_runs = {"run.artifacts", "run.model_blob", "run.rows_blob"}
    assert held == {"version.blobs", "version.fingerprint", "export.blob"} | of_runs
