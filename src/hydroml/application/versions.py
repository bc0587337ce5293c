"""Writing a version: the one way by which a table that a job has made becomes a version of a data source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydroml.application.activity import tell
from hydroml.application.analysis import AnalysisService
from hydroml.application.following import Followers
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import Blob, BlobStore, Scratch
from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.errors import ConcurrentUpdateError, NotFoundError
from hydroml.domain.jobs import Job, Subject
from hydroml.domain.sources import Origin, SourceId, Version, VersionId


class VersionWriter:
    """The version has the id of its job: a job that runs twice makes one version."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        blobs: BlobStore,
        scratch: Scratch,
        analyses: AnalysisService,
        followers: Followers,
        clock: Clock,
    ) -> None:
        self._uow, self._blobs, self._scratch, self._clock = uow, blobs, scratch, clock
        self._analyses, self._followers = analyses, followers

    def write(
        self, job: Job, source_id: SourceId, make: Callable[[Path], tuple[WrittenTable, Origin]], monitor: Monitor
    ) -> dict[str, Any]:
        """`make` writes the table as Parquet to the given file, and says what it wrote and where it came from."""
        version_id = VersionId(job.id)
        with self._uow() as uow:
            try:
                return _result(uow.versions.get(version_id))
            except NotFoundError:
                pass
        with self._scratch.folder(_folder(job)) as folder:
            file = folder / "table.parquet"
            written, origin = make(file)
            for note in written.notes:
                monitor.log(note)
            monitor.report(0.98, "storing", "storing the version")
            blob = self._blobs.add(file)
        try:
            return self._store(job, source_id, written, origin, blob)
        except ConcurrentUpdateError:  # the source, or one that follows it, was renamed in that moment
            return self._store(job, source_id, written, origin, blob)

    def _store(
        self, job: Job, source_id: SourceId, written: WrittenTable, origin: Origin, blob: Blob
    ) -> dict[str, Any]:
        with self._uow() as uow:
            source = uow.sources.get(source_id)
            version = Version(
                id=VersionId(job.id),
                source_id=source_id,
                number=source.versions + 1,
                columns=written.columns,
                rows=written.rows,
                size=blob.size,
                fingerprint=blob.key,
                origin=origin,
                created_by=job.requested_by,
                created_at=self._clock(),
            )
            source.add_version(version)
            uow.versions.add(version)
            uow.sources.save(source)
            analysis = self._analyses.begin(uow, job.requested_by, version, source)
            size = f"{version.rows:,} rows, {len(version.columns):,} columns, by {origin.kind}"
            about = Subject("version", version.id, f"{source.name}, version {version.number}")
            tell(uow, job.requested_by, "added", source, version.created_at, size, about=about)
            followers = self._followers.begin(uow, source)
            uow.commit()
        self._analyses.send(analysis)
        self._followers.send(followers)
        return _result(version)

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        """The source shows why its next version could not be made."""
        try:
            source = uow.sources.get(SourceId(job.subject_id))
        except NotFoundError:
            return  # deleted meanwhile
        if source.job_id == job.id:
            source.fail_version(job.error or "the import was cancelled", self._clock())
            uow.sources.save(source)
            tell(uow, job.requested_by, "failed to add a version to", source, self._clock(), source.error or "")
            self._followers.catch_up(uow, source)  # what it begins is sent by the sweep

    def begin_again(self, uow: UnitOfWork, job: Job) -> None:
        """A failed job is tried again. Raises SourceBusyError while another one works on the source."""
        source = uow.sources.get(SourceId(job.subject_id))
        source.begin_version(job.id, self._clock())
        uow.sources.save(source)

    def clean(self, job: Job) -> None:
        self._scratch.remove(_folder(job))


def _folder(job: Job) -> str:
    return f"job-{job.id}"


def _result(version: Version) -> dict[str, Any]:
    return {
        "source_id": str(version.source_id),
        "version_id": str(version.id),
        "rows": version.rows,
        "columns": len(version.columns),
    }
