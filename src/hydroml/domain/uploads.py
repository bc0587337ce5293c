"""Uploads: files on their way, which wait until somebody makes a table of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import InvalidInputError, NotFoundError
from hydroml.domain.projects import UserId

UploadId = NewType("UploadId", UUID)

KEPT = timedelta(days=1)
"""How long an upload waits after it was announced."""


class UploadNotFoundError(NotFoundError):
    def __init__(self, upload_id: UploadId) -> None:
        super().__init__(f"upload {upload_id} does not exist, or has been used or has expired")


class UploadUnfinishedError(InvalidInputError):
    """A part of the file has not come yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUpload:
    """A file that its owner has announced; how much of it has come is the storage's to say. `size` is in bytes."""

    id: UploadId
    owner_id: UserId
    filename: str
    size: int
    created_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.created_at + KEPT

    @property
    def waiting_name(self) -> str:
        """The name under which the storage keeps what has come."""
        return f"file-{self.id}"
