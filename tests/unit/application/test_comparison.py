"""Versions compared by a job."""

from uuid import uuid4

import pytest

from hydroml.application.imports import Upload
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId, VersionNotFoundError
from tests.harness import Harness


def test_a_job_tells_what_has_changed(app: Harness, me: UserId, project: ProjectId) -> None:
    first = app.imported(me, project, "id,flow\n1,5\n2,6\n")
    app.imports.add_version(me, first.source_id, Upload("more.csv", [b"id,flow\n1,5\n2,7\n3,8\n"]))
    app.work()
    second = app.current(me, first.source_id)
    job = app.comparisons.request(me, second.id, first.id, None)
    assert app.work()[0].state is JobState.SUCCEEDED
    found = app.job(job.id).result["comparison"]
    assert found["key"] == ["id"]
    assert found["rows"] == {"before": 2, "after": 3, "added": 1, "removed": 0, "changed": 1, "unchanged": 1}
    assert found["samples"]["changed"] == [{"key": [2], "cells": {"flow": [6, 7]}}]


def test_a_key_that_is_none_fails_the_job_in_words(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    job = app.comparisons.request(me, version.id, version.id, ["nothing"])
    app.work()
    ended = app.job(job.id)
    assert ended.state is JobState.FAILED
    assert "not in both" in (ended.error or "")


def test_both_versions_must_be_ones_own(app: Harness, me: UserId, project: ProjectId) -> None:
    version, other = app.imported(me, project), app.user()
    theirs = app.imported(other, app.project(other, "Theirs"))
    for later, earlier in ((version.id, theirs.id), (theirs.id, version.id), (version.id, VersionId(uuid4()))):
        with pytest.raises(VersionNotFoundError):
            app.comparisons.request(me, later, earlier, None)
