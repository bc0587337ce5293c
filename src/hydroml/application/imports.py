"""Imports: a file comes in, is kept as it is, and becomes the next version of a data source."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from hydroml.application.access import project_of, source_of
from hydroml.application.documents import read_options, write_options
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobNotFoundError, BlobStore, Scratch
from hydroml.application.ports.tables import TableEngine, WrittenTable
from hydroml.application.versions import VersionWriter
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.jobs import Job, JobId, JobKind, JobStateError, Subject
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import DataSource, Detection, ImportOptions, Origin, Original, OriginKind, SourceId

FILENAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes in: its bytes once, in chunks."""

    filename: str
    chunks: Iterable[bytes]
    options: ImportOptions = field(default_factory=ImportOptions)
    name: str | None = None
    """The name of the new data source; the file's when None."""


class ImportService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        blobs: BlobStore,
        scratch: Scratch,
        engine: TableEngine,
        versions: VersionWriter,
        sender: JobSender,
        clock: Clock,
        max_upload_bytes: int,
    ) -> None:
        self._uow, self._blobs, self._scratch, self._engine = uow, blobs, scratch, engine
        self._versions, self._sender, self._clock, self._limit = versions, sender, clock, max_upload_bytes

    def detect(self, upload: Upload) -> Detection:
        """What an import of the file, or of its first bytes if it is text, would do. Keeps nothing."""
        with self._scratch.folder(f"detect-{uuid4()}") as folder:
            file = folder / "head"
            with file.open("wb") as head:
                for chunk in upload.chunks:
                    head.write(chunk)
            return self._engine.detect(file, clean_filename(upload.filename), upload.options)

    def create(self, user: UserId, project_id: ProjectId, upload: Upload) -> tuple[DataSource, Job]:
        """A new data source in the project, to be filled by the job. Raises TooLargeError."""
        filename = clean_filename(upload.filename)
        now = self._clock()
        job_id = JobId(uuid4())
        with self._uow() as uow:
            project_of(uow, user, project_id, Role.EDITOR)
        source = DataSource(
            id=SourceId(uuid4()),
            name=upload.name or filename,
            owner_id=user,
            project_ids=frozenset({project_id}),
            created_at=now,
            updated_at=now,
        )
        source.begin_version(job_id, now)
        job = self._job(job_id, user, project_id, source, upload)
        self._blobs.receive(_waiting(job_id), upload.chunks, self._limit)
        try:
            with self._uow() as uow:
                uow.sources.add(source)
                uow.jobs.add(job)
                uow.commit()
        except BaseException:
            self._blobs.discard(_waiting(job_id))
            raise
        self._sender.send(job_id)
        return source, job

    def add_version(self, user: UserId, source_id: SourceId, upload: Upload) -> tuple[DataSource, Job]:
        """The file becomes the next version of the source. Raises SourceBusyError while another import runs."""
        job_id = JobId(uuid4())
        with self._uow() as uow:
            source_of(uow, user, source_id, Role.EDITOR)
        self._blobs.receive(_waiting(job_id), upload.chunks, self._limit)
        try:
            with self._uow() as uow:
                source = source_of(uow, user, source_id, Role.EDITOR)
                source.begin_version(job_id, self._clock())
                project_id = min(source.project_ids, default=None)
                job = self._job(job_id, user, project_id, source, upload)
                uow.sources.save(source)
                uow.jobs.add(job)
                uow.commit()
        except BaseException:
            self._blobs.discard(_waiting(job_id))
            raise
        self._sender.send(job_id)
        return source, job

    def _job(
        self, job_id: JobId, user: UserId, project_id: ProjectId | None, source: DataSource, upload: Upload
    ) -> Job:
        return Job(
            id=job_id,
            kind=JobKind.IMPORT_FILE,
            payload={"filename": clean_filename(upload.filename), "options": write_options(upload.options)},
            requested_by=user,
            project_id=project_id,
            subject=Subject("source", source.id, source.name),
            created_at=self._clock(),
        )

    # The handler of import_file

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        options = read_options(job.payload["options"])
        filename = job.payload["filename"]

        def make(out: Path) -> tuple[WrittenTable, Origin]:
            with self._blobs.received(_waiting(job.id)) as file:
                written = self._engine.import_file(file, filename, options, out, monitor.part(0, 0.95))
            monitor.report(0.97, "keeping", "keeping the original")
            blob = self._blobs.keep(_waiting(job.id))
            original = Original(blob.key, filename, blob.size)
            return written, Origin(OriginKind.UPLOAD, original=original, options=options)

        try:
            result = self._versions.write(job, SourceId(job.subject_id), make, monitor)
        except BlobNotFoundError:
            raise InvalidInputError("the uploaded file is gone; upload it again") from None
        self._blobs.discard(_waiting(job.id))
        return result

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.give_up(uow, job)

    def clean(self, job: Job) -> None:
        self._blobs.discard(_waiting(job.id))
        self._versions.clean(job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:  # noqa: ARG002 - the handler's shape
        raise JobStateError("a failed import leaves nothing behind, so its file is gone: upload it again")


def clean_filename(filename: str) -> str:
    """The last part of the name, without control characters, cut to 255 characters from its end."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if c.isprintable()).strip()
    return kept[-FILENAME_LENGTH:] or "file"


def _waiting(job_id: JobId) -> str:
    """The name under which the upload waits until its job knows whether it is wanted."""
    return f"upload-{job_id}"
