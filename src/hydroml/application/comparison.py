"""What has changed from one version to another, found out by a job."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hydroml.application.access import version_of
from hydroml.application.analysis import version_job
from hydroml.application.jobs import JobSender
from hydroml.application.ports.comparison import Comparison, TableComparer
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.domain.jobs import Job, JobKind
from hydroml.domain.projects import UserId
from hydroml.domain.sources import Table, VersionId


class ComparisonService:
    def __init__(self, *, uow: UnitOfWorkFactory, comparer: TableComparer, sender: JobSender, clock: Clock) -> None:
        self._uow, self._comparer, self._sender, self._clock = uow, comparer, sender, clock

    def request(self, user: UserId, version_id: VersionId, earlier_id: VersionId, key: Sequence[str] | None) -> Job:
        """A job whose result is the comparison; the key as the comparer takes it."""
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id)
            version_of(uow, user, earlier_id)
            job = version_job(JobKind.COMPARE, user, version, source, self._clock())
            job.payload = {"with": str(earlier_id), "key": None if key is None else list(key)}
            uow.jobs.add(job)
            uow.commit()
        self._sender.send(job.id)
        return job

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        with self._uow() as uow:
            later = uow.versions.get(VersionId(job.subject_id))
            earlier = uow.versions.get(VersionId(UUID(job.payload["with"])))
        found = self._comparer.compare(Table.of(earlier), Table.of(later), job.payload["key"], monitor)
        return {"with": job.payload["with"], "version_id": str(later.id), "comparison": written(found)}

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        """Nothing was promised but the job's own result."""

    def clean(self, job: Job) -> None:
        """It leaves nothing outside the database."""

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        uow.versions.get(VersionId(job.subject_id))
        uow.versions.get(VersionId(UUID(job.payload["with"])))


def written(found: Comparison) -> dict[str, Any]:
    """As a document."""
    return {
        "schema": {
            "added": [{"name": column.name, "type": column.type.value} for column in found.added_columns],
            "removed": [{"name": column.name, "type": column.type.value} for column in found.removed_columns],
            "retyped": [{"name": name, "from": before, "to": after} for name, before, after in found.retyped],
        },
        "key": list(found.key),
        "rows": {
            "before": found.rows_before,
            "after": found.rows_after,
            "added": found.added,
            "removed": found.removed,
            "changed": found.changed,
            "unchanged": found.unchanged,
        },
        "changed_columns": dict(found.changed_columns),
        "columns": list(found.shown),
        "samples": {
            "added": [list(row) for row in found.added_rows],
            "removed": [list(row) for row in found.removed_rows],
            "changed": [
                {"key": list(row.key), "cells": {name: list(cells) for name, cells in row.cells.items()}}
                for row in found.changed_rows
            ],
        },
    }
