"""Uploads that resume, and what becomes of them."""

from datetime import timedelta

import pytest

from hydroml.application.imports import Uploaded
from hydroml.domain.errors import ConflictError, TooLargeError
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.uploads import KEPT, UploadId, UploadNotFoundError, UploadUnfinishedError
from tests.harness import FLOWS, MAX_UPLOAD, Harness


def sent(app: Harness, user: UserId, content: str = FLOWS, name: str = "flows.csv") -> UploadId:
    """A file in two parts."""
    data = content.encode()
    upload = app.uploads.begin(user, name, len(data)).upload
    half = len(data) // 2
    app.uploads.append(user, upload.id, 0, [data[:half]])
    assert app.uploads.append(user, upload.id, half, [data[half:]]).is_complete
    return upload.id


def test_uploads_become_a_source(app: Harness, me: UserId, project: ProjectId) -> None:
    upload_id = sent(app, me)
    what = Uploaded((upload_id,), name="Flows")
    assert len(app.imports.detect_uploaded(me, what).columns) == 3
    source, _ = app.imports.create(me, project, what)
    app.work()
    version = app.current(me, source.id)
    assert (version.rows, [o.filename for o in version.origin.originals]) == (60, ["flows.csv"])
    assert not app.uploads.list(me)
    assert not app.blobs.waiting


def test_a_failed_import_keeps_its_uploads_for_other_options(app: Harness, me: UserId, project: ProjectId) -> None:
    upload_id = sent(app, me, "a,b\n1,2\n1\n1\n")
    _, job = app.imports.create(me, project, Uploaded((upload_id,)))
    app.work()
    assert app.job(job.id).state is JobState.FAILED
    assert [found.upload.id for found in app.uploads.list(me)] == [upload_id]
    app.jobs.retry(me, job.id)
    app.work()
    assert app.job(job.id).state is JobState.FAILED


def test_what_is_not_there_yet_is_not_imported(app: Harness, me: UserId, project: ProjectId) -> None:
    upload = app.uploads.begin(me, "flows.csv", 10).upload
    app.uploads.append(me, upload.id, 0, [b"12345"])
    with pytest.raises(UploadUnfinishedError):
        app.imports.create(me, project, Uploaded((upload.id,)))
    with pytest.raises(ConflictError):
        app.uploads.append(me, upload.id, 4, [b"5"])
    with pytest.raises(TooLargeError):
        app.uploads.append(me, upload.id, 5, [b"678901"])
    with pytest.raises(TooLargeError):
        app.uploads.begin(me, "huge.csv", MAX_UPLOAD + 1)


def test_an_upload_is_its_owners_alone_and_expires(app: Harness, me: UserId) -> None:
    stranger = app.user()
    upload_id = sent(app, me)
    for attempt in (
        lambda: app.uploads.get(stranger, upload_id),
        lambda: app.uploads.append(stranger, upload_id, 0, [b"x"]),
        lambda: app.uploads.discard(stranger, upload_id),
        lambda: app.imports.detect_uploaded(stranger, Uploaded((upload_id,))),
    ):
        with pytest.raises(UploadNotFoundError):
            attempt()
    assert app.uploads.expire() == 0
    app.clock.advance(KEPT + timedelta(seconds=1))
    with pytest.raises(UploadNotFoundError):
        app.uploads.get(me, upload_id)
    assert app.uploads.expire() == 1
    assert not app.blobs.waiting


def test_an_upload_that_a_job_has_yet_to_read_does_not_expire(app: Harness, me: UserId, project: ProjectId) -> None:
    upload = app.uploads.begin(me, "flows.csv", len(FLOWS)).upload
    app.uploads.append(me, upload.id, 0, [FLOWS.encode()])
    source, _ = app.imports.create(me, project, Uploaded((upload.id,)))
    app.clock.advance(2 * KEPT)  # no worker is there for days
    assert app.uploads.expire() == 0
    app.work()
    assert app.current(me, source.id).rows == 60
    assert app.uploads.expire() == 0
