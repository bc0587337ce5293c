"""Writing a version: the one way by which a table that a job has made becomes a version of a data source."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore, Scratch
from hydroml.application.ports.tables import WrittenTable
from hydroml.domain.errors import NotFoundError
from hydroml.domain.jobs import Job
from hydroml.domain.sources import Origin, SourceId, Version, VersionId


class VersionWriter:
    """The version has the id of its job: a job that runs twice makes one version."""

    def __init__(self, *, uow: UnitOfWorkFactory, blobs: BlobStore, scratch: Scratch, clock: Clock) -> None:
        self._uow, self._blobs, self._scratch, self._clock = uow, blobs, scratch, clock

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
        with self._uow() as uow:
            source = uow.sources.get(source_id)
            version = Version(
                id=version_id,
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
            uow.commit()
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

    def begin_again(self, uow: UnitOfWork, job: Job) -> None:
        """A failed job is tried again. Raises SourceBusyError while another one works on the source."""
        source = uow.sources.get(SourceId(job.subject_id))
        source.begin_version(job.id, self._clock())
        uow.sources.save(source)

    def clean(self, job: Job) -> None:
        self._scratch.remove(_folder(job))


class BlobSweeper:
    """Removes blobs that nothing needs any more."""

    def __init__(self, *, uow: UnitOfWorkFactory, blobs: BlobStore) -> None:
        self._uow, self._blobs = uow, blobs

    def release(self, versions: Sequence[Version]) -> None:
        """Deletes the blobs of removed versions, but for those that another version shares."""
        held = {v.fingerprint for v in versions} | {v.origin.original.blob for v in versions if v.origin.original}
        with self._uow() as uow:
            needed = set(uow.versions.blobs_in_use(held))
        for key in held - needed:
            self._blobs.delete(key)


def _folder(job: Job) -> str:
    return f"job-{job.id}"


def _result(version: Version) -> dict[str, Any]:
    return {
        "source_id": str(version.source_id),
        "version_id": str(version.id),
        "rows": version.rows,
        "columns": len(version.columns),
    }
