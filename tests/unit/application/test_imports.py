"""A file comes in: kept, read, or refused without a trace."""

from collections.abc import Iterator

import pytest

from hydroml.application.imports import Upload, clean_filename
from hydroml.domain.errors import TooLargeError
from hydroml.domain.jobs import JobState, JobStateError
from hydroml.domain.projects import ProjectId, ProjectNotFoundError, UserId
from hydroml.domain.sources import ColumnType, SourceBusyError, SourceStatus
from tests.harness import FLOWS, MAX_UPLOAD, Harness


def upload(text: str = FLOWS, filename: str = "flows.csv") -> Upload:
    return Upload(filename, [text.encode()])


def test_a_file_becomes_version_one_and_stays_as_it_was(app: Harness, me: UserId, project: ProjectId) -> None:
    source, job = app.imports.create(me, project, upload())
    assert (source.status, app.job(job.id).state) == (SourceStatus.PROCESSING, JobState.QUEUED)
    app.work()
    version = app.current(me, source.id)
    assert (version.number, version.rows, [c.type for c in version.columns]) == (1, 60, [ColumnType.INTEGER] * 3)
    assert app.job(job.id).result["rows"] == 60
    original, stream = app.sources.original(me, version.id)
    with stream:
        assert (original.filename, stream.read().decode()) == ("flows.csv", FLOWS)


def test_a_broken_file_leaves_its_reason_and_nothing_else(app: Harness, me: UserId, project: ProjectId) -> None:
    source, job = app.imports.create(me, project, upload("a,b\n1,2\n1,2,3\n1\n"))
    app.work()
    failed = app.source(me, source.id)
    assert (failed.status, app.job(job.id).state) == (SourceStatus.FAILED, JobState.FAILED)
    assert "line 3" in (failed.error or "")
    assert app.job(job.id).error == failed.error
    assert not app.sources.versions(me, source.id)
    assert app.keeps_nothing()
    with pytest.raises(JobStateError, match="upload it again"):
        app.jobs.retry(me, job.id)


def test_a_second_version_that_fails_leaves_the_first_one(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    app.imports.add_version(me, version.source_id, upload(""))
    app.work()
    assert app.current(me, version.source_id) == version
    assert app.source(me, version.source_id).error is not None


def test_a_new_file_becomes_the_next_version(app: Harness, me: UserId, project: ProjectId) -> None:
    first = app.imported(me, project)
    app.imports.add_version(me, first.source_id, upload("day,rain\n1,2\n"))
    with pytest.raises(SourceBusyError):
        app.imports.add_version(me, first.source_id, upload())
    app.work()
    assert [v.number for v in app.sources.versions(me, first.source_id)] == [2, 1]


def test_a_file_beyond_the_limit_is_refused_and_forgotten(app: Harness, me: UserId, project: ProjectId) -> None:
    with pytest.raises(TooLargeError):
        app.imports.create(me, project, Upload("big.csv", (b"x" * 100_000 for _ in range(MAX_UPLOAD // 100_000 + 1))))
    assert app.keeps_nothing()


def test_an_upload_that_breaks_off_leaves_nothing(app: Harness, me: UserId, project: ProjectId) -> None:
    def broken() -> Iterator[bytes]:
        yield b"day,rain\n"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        app.imports.create(me, project, Upload("flows.csv", broken()))
    assert app.keeps_nothing()


def test_a_stranger_cannot_import_and_nothing_is_kept(app: Harness, project: ProjectId) -> None:
    with pytest.raises(ProjectNotFoundError):
        app.imports.create(app.user(), project, upload())
    assert app.keeps_nothing()


def test_an_import_that_is_cancelled_while_it_waits_leaves_nothing(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    source, job = app.imports.create(me, project, upload())
    app.jobs.cancel(me, job.id)
    app.work()
    assert app.source(me, source.id).status is SourceStatus.FAILED
    assert app.keeps_nothing()


def test_the_same_bytes_are_kept_once_and_go_with_the_last_source(app: Harness, me: UserId, project: ProjectId) -> None:
    one, other = app.imported(me, project), app.imported(me, project)
    assert one.fingerprint == other.fingerprint
    app.sources.delete(me, one.source_id)
    assert app.sources.purge(me, one.source_id, "flows.csv") == 0
    app.tables.page(app.tables.version_view(me, other.id), 0, 1)
    app.sources.delete(me, other.source_id)
    assert app.sources.purge(me, other.source_id, " flows.csv ") == other.size + len(FLOWS.encode())
    assert app.keeps_nothing()


def test_what_would_be_read_is_shown_before_anything_is_kept(app: Harness) -> None:
    detection = app.imports.detect(upload())
    assert [c.name for c in detection.columns] == ["day", "rain", "flow"]
    assert app.keeps_nothing()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\a.csv", "a.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("", "file"),
        ("/", "file"),
    ],
)
def test_a_filename_is_only_a_name(given: str, kept: str) -> None:
    assert clean_filename(given) == kept
