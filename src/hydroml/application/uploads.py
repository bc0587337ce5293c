"""Uploads that resume: announced, sent in parts from wherever they broke off, and kept until they are used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore
from hydroml.domain.errors import ConflictError, InvalidInputError, TooLargeError
from hydroml.domain.jobs import Job
from hydroml.domain.projects import UserId
from hydroml.domain.sources import clean_filename
from hydroml.domain.uploads import KEPT, FileUpload, UploadId, UploadNotFoundError

MAX_OPEN = 200
"""As many uploads of one person may wait."""
EXPIRED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Received:
    """An upload, and how many of its bytes have come."""

    upload: FileUpload
    received: int

    @property
    def is_complete(self) -> bool:
        return self.received == self.upload.size


class UploadService:
    def __init__(self, *, uow: UnitOfWorkFactory, blobs: BlobStore, clock: Clock, max_upload_bytes: int) -> None:
        self._uow, self._blobs, self._clock, self.limit = uow, blobs, clock, max_upload_bytes

    def begin(self, user: UserId, filename: str, size: int) -> Received:
        """Announces a file of so many bytes. Raises TooLargeError beyond the server's limit."""
        if size < 0:
            raise InvalidInputError.at("size", msg="a file has no fewer than 0 bytes", code="range")
        if size > self.limit:
            raise TooLargeError(f"the file has more than {self.limit:,} bytes, the limit of this server")
        upload = FileUpload(
            id=UploadId(uuid4()),
            owner_id=user,
            filename=clean_filename(filename),
            size=size,
            created_at=self._clock(),
        )
        with self._uow() as uow:
            if len(uow.uploads.of_owner(user)) >= MAX_OPEN:
                raise ConflictError(f"{MAX_OPEN} of your uploads wait to be used; discard some first")
            uow.uploads.add(upload)
            uow.commit()
        if size == 0:
            self._blobs.append(upload.waiting_name, 0, (), 0)
        return Received(upload, 0)

    def get(self, user: UserId, upload_id: UploadId) -> Received:
        with self._uow() as uow:
            upload = upload_of(uow, user, upload_id, self._clock)
        return Received(upload, self._blobs.appended(upload.waiting_name))

    def list(self, user: UserId) -> Sequence[Received]:
        """Newest first."""
        now = self._clock()
        with self._uow() as uow:
            found = [upload for upload in uow.uploads.of_owner(user) if upload.expires_at > now]
        return [Received(upload, self._blobs.appended(upload.waiting_name)) for upload in found]

    def append(self, user: UserId, upload_id: UploadId, offset: int, chunks: Iterable[bytes]) -> Received:
        """The bytes from `offset` on; whatever has come when the line breaks is kept.

        Raises ConflictError unless exactly `offset` bytes have come before, TooLargeError beyond the announced size.
        """
        with self._uow() as uow:
            upload = upload_of(uow, user, upload_id, self._clock)
        return Received(upload, self._blobs.append(upload.waiting_name, offset, chunks, upload.size))

    def discard(self, user: UserId, upload_id: UploadId) -> None:
        with self._uow() as uow:
            upload = upload_of(uow, user, upload_id, self._clock)
            uow.uploads.delete(upload_id)
            uow.commit()
        self._blobs.discard(upload.waiting_name)

    def expire(self) -> int:
        """Removes what nobody has used in time; gives the number of uploads. What a job has yet to read stays."""
        with self._uow() as uow:
            read = {name for job in uow.jobs.active() for name in waiting_names(job)}
            late = uow.uploads.begun_before(self._clock() - KEPT, EXPIRED_AT_ONCE)
        late = [upload for upload in late if upload.waiting_name not in read]
        for upload in late:
            # The file goes first: a crash between the two leaves a row for the next turn, not a file nobody knows.
            self._blobs.discard(upload.waiting_name)
            with self._uow() as uow:
                uow.uploads.delete(upload.id)
                uow.commit()
        return len(late)


def waiting_names(job: Job) -> list[str]:
    """Under which names the files wait that an import reads; none for other jobs."""
    return [file["waiting"] for file in job.payload.get("files", ())]


def upload_of(uow: UnitOfWork, user: UserId, upload_id: UploadId, clock: Clock) -> FileUpload:
    """Raises UploadNotFoundError for another's, and for one that has expired."""
    upload = uow.uploads.get(upload_id)
    if upload.owner_id != user or upload.expires_at <= clock():
        raise UploadNotFoundError(upload_id)
    return upload
