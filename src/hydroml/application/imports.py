"""Imports: files come in, are kept as they are, and become the next version of a data source."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hydroml.application.access import project_of, source_of
from hydroml.application.activity import tell
from hydroml.application.documents import read_options, write_options
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobNotFoundError, BlobStore, Scratch
from hydroml.application.ports.tables import REJECTED_COLUMNS, IncomingFile, TableEngine, WrittenTable
from hydroml.application.uploads import upload_of
from hydroml.application.versions import VersionWriter
from hydroml.domain.errors import InvalidInputError, TooLargeError
from hydroml.domain.jobs import Job, JobId, JobKind, JobStateError, Subject
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import (
    DataSource,
    Detection,
    ImportOptions,
    Origin,
    Original,
    OriginKind,
    SourceId,
    Table,
    VersionId,
    clean_filename,
)
from hydroml.domain.uploads import FileUpload, UploadId, UploadUnfinishedError

MAX_FILES = 1_000
"""So many files can become one table."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes in: its bytes once, in chunks."""

    filename: str
    chunks: Iterable[bytes]
    options: ImportOptions = field(default_factory=ImportOptions)
    name: str | None = None
    """The name of the new data source; the file's when None."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Uploads that have come whole, to be read as one table."""

    ids: tuple[UploadId, ...]
    options: ImportOptions = field(default_factory=ImportOptions)
    name: str | None = None
    append: bool = False
    """Whether the rows come behind those of the current version."""


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
            size = 0
            with file.open("wb") as head:
                for chunk in upload.chunks:
                    size += len(chunk)
                    if size > self._limit:
                        raise TooLargeError(f"the file has more than {self._limit:,} bytes, the limit of this server")
                    head.write(chunk)
            return self._engine.detect([IncomingFile(file, clean_filename(upload.filename))], upload.options)

    def detect_uploaded(self, user: UserId, what: Uploaded) -> Detection:
        """What an import of the uploads would do; they stay. Raises UploadUnfinishedError."""
        files = self._waiting(user, what.ids)
        with ExitStack() as stack:
            incoming = [
                IncomingFile(stack.enter_context(self._blobs.received(file.waiting_name)), file.filename)
                for file in files
            ]
            return self._engine.detect(incoming, what.options)

    def create(self, user: UserId, project_id: ProjectId, what: Upload | Uploaded) -> tuple[DataSource, Job]:
        """A new data source in the project, to be filled by the job. Raises TooLargeError, UploadUnfinishedError."""
        now = self._clock()
        job_id = JobId(uuid4())
        with self._uow() as uow:
            project_of(uow, user, project_id, Role.EDITOR)
        files = self._files(user, job_id, what)
        source = DataSource(
            id=SourceId(uuid4()),
            name=what.name or files[0]["filename"],
            owner_id=user,
            project_ids=frozenset({project_id}),
            created_at=now,
            updated_at=now,
        )
        source.begin_version(job_id, now)
        job = self._job(job_id, user, project_id, source, what.options, files)
        self._receive(job_id, what)
        try:
            with self._uow() as uow:
                uow.sources.add(source)
                uow.jobs.add(job)
                tell(uow, user, "created", source, now, f"from {files[0]['filename']}")
                uow.commit()
        except BaseException:
            self._blobs.discard(_waiting(job_id))
            raise
        self._sender.send(job_id)
        return source, job

    def add_version(self, user: UserId, source_id: SourceId, what: Upload | Uploaded) -> tuple[DataSource, Job]:
        """The files become the next version of the source. Raises SourceBusyError while another import runs."""
        job_id = JobId(uuid4())
        with self._uow() as uow:
            source_of(uow, user, source_id, Role.EDITOR)
        files = self._files(user, job_id, what)
        self._receive(job_id, what)
        try:
            with self._uow() as uow:
                source = source_of(uow, user, source_id, Role.EDITOR)
                onto = source.current_version_id if isinstance(what, Uploaded) and what.append else None
                source.begin_version(job_id, self._clock())
                project_id = min(source.project_ids, default=None)
                job = self._job(job_id, user, project_id, source, what.options, files, onto)
                uow.sources.save(source)
                uow.jobs.add(job)
                uow.commit()
        except BaseException:
            self._blobs.discard(_waiting(job_id))
            raise
        self._sender.send(job_id)
        return source, job

    def _files(self, user: UserId, job_id: JobId, what: Upload | Uploaded) -> list[dict[str, str]]:
        """Under which names the files wait, and what they are called."""
        if isinstance(what, Upload):
            return [{"waiting": _waiting(job_id), "filename": clean_filename(what.filename)}]
        return [
            {"waiting": file.waiting_name, "filename": file.filename, "upload": str(file.id)}
            for file in self._waiting(user, what.ids)
        ]

    def _waiting(self, user: UserId, ids: Sequence[UploadId]) -> list[FileUpload]:
        if not 1 <= len(ids) <= MAX_FILES or len(set(ids)) != len(ids):
            raise InvalidInputError.at("upload_ids", msg=f"between 1 and {MAX_FILES} different uploads", code="length")
        with self._uow() as uow:
            files = [upload_of(uow, user, upload_id, self._clock) for upload_id in ids]
        for file in files:
            if self._blobs.appended(file.waiting_name) != file.size:
                raise UploadUnfinishedError(f"“{file.filename}” has not come whole yet")
        return files

    def _receive(self, job_id: JobId, what: Upload | Uploaded) -> None:
        if isinstance(what, Upload):
            self._blobs.receive(_waiting(job_id), what.chunks, self._limit)

    def _job(  # noqa: PLR0917 - all that a job says
        self,
        job_id: JobId,
        user: UserId,
        project_id: ProjectId | None,
        source: DataSource,
        options: ImportOptions,
        files: list[dict[str, str]],
        onto: VersionId | None = None,
    ) -> Job:
        return Job(
            id=job_id,
            kind=JobKind.IMPORT_FILE,
            payload={"files": files, "options": write_options(options), "onto": str(onto) if onto else None},
            requested_by=user,
            project_id=project_id,
            subject=Subject("source", source.id, source.name),
            created_at=self._clock(),
        )

    # The handler of import_file

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        options = read_options(job.payload["options"])
        files = job.payload["files"]

        def make(out: Path) -> tuple[WrittenTable, Origin]:
            onto = self._onto(job)
            rejects = out.with_name("rejected.parquet")
            with ExitStack() as stack:
                incoming = [
                    IncomingFile(stack.enter_context(self._blobs.received(file["waiting"])), file["filename"])
                    for file in files
                ]
                written = self._engine.import_files(
                    incoming, options, out, rejects, monitor.part(0, 0.95), onto=onto[1] if onto else None
                )
            monitor.report(0.97, "keeping", "keeping the original")
            originals = tuple(self._kept(file) for file in files)
            rejected = None
            if written.rejected:
                kept = self._blobs.add(rejects)
                rejected = Table(kept.key, REJECTED_COLUMNS, written.rejected, kept.size)
            parents = (onto[0],) if onto else ()
            return written, Origin(
                OriginKind.UPLOAD, parents=parents, originals=originals, rejected=rejected, options=options
            )

        try:
            result = self._versions.write(job, SourceId(job.subject_id), make, monitor)
        except BlobNotFoundError:
            raise InvalidInputError("the uploaded file is gone; upload it again") from None
        self._forget(files)
        return result

    def _onto(self, job: Job) -> tuple[VersionId, Table] | None:
        if not job.payload.get("onto"):
            return None
        with self._uow() as uow:
            version = uow.versions.get(VersionId(UUID(job.payload["onto"])))
        return version.id, Table.of(version)

    def _kept(self, file: dict[str, str]) -> Original:
        blob = self._blobs.keep(file["waiting"])
        return Original(blob.key, file["filename"], blob.size)

    def _forget(self, files: list[dict[str, str]]) -> None:
        """The uploads have become a version's originals."""
        with self._uow() as uow:
            for file in files:
                if "upload" in file:
                    uow.uploads.delete(UploadId(UUID(file["upload"])))
            uow.commit()
        for file in files:
            self._blobs.discard(file["waiting"])

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.give_up(uow, job)

    def clean(self, job: Job) -> None:
        """A file that came with its request goes; an upload waits on, for other options, until it expires."""
        self._blobs.discard(_waiting(job.id))
        self._versions.clean(job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        for file in job.payload["files"]:
            if self._blobs.appended(file["waiting"]) == 0:
                raise JobStateError("the uploaded file is gone: upload it again")
        self._versions.begin_again(uow, job)


def _waiting(job_id: JobId) -> str:
    """The name under which a file that came with its request waits until its job knows whether it is wanted."""
    return f"upload-{job_id}"
