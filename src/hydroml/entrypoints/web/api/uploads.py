"""Uploads that resume, by the tus protocol (https://tus.io/protocols/resumable-upload, version 1.0.0)."""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from hydroml.application.documents import read_options
from hydroml.application.imports import Uploaded
from hydroml.application.uploads import Received
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.uploads import UploadId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import Page, whole
from hydroml.entrypoints.web.api.sources import DetectionOut

router = Router(tags=["uploads"])

VERSION = "1.0.0"
CHUNK = 2**20
SENT_AT_ONCE = 2**23
"""What a client had better send by one request: what it loses when the line breaks."""
OFFSET_STREAM = "application/offset+octet-stream"


class UploadOut(Schema):
    """A file on its way, or one that waits to be used."""

    id: UUID
    filename: str
    bytes: int
    received: int
    complete: bool
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, found: Received) -> "UploadOut":
        upload = found.upload
        return cls(
            id=upload.id,
            filename=upload.filename,
            bytes=upload.size,
            received=found.received,
            complete=found.is_complete,
            created_at=upload.created_at,
            expires_at=upload.expires_at,
        )


class LimitsOut(Schema):
    """What may be uploaded, and in which pieces."""

    max_bytes: int
    chunk_bytes: int


class DetectIn(Schema):
    """Uploads that are to become one table, and how to read them."""

    upload_ids: list[UUID] = Field(min_length=1, max_length=1_000)
    options: dict[str, Any] = Field(default_factory=dict, description="As in an import.")


@router.api_operation(["OPTIONS"], "/uploads", response={204: None}, operation_id="upload_protocol")
def protocol(request: HttpRequest, response: HttpResponse) -> Status[None]:
    """What of tus this server speaks, and how large a file may be."""
    response["Tus-Version"] = VERSION
    response["Tus-Extension"] = "creation,expiration,termination"
    response["Tus-Max-Size"] = str(container().uploads().limit)
    _speak(response)
    return Status(204, None)


@router.get("/uploads/limits", response=LimitsOut)
def limits(request: HttpRequest) -> LimitsOut:
    """How large a file may be, and how much of it had better be sent by one request."""
    return LimitsOut(max_bytes=container().uploads().limit, chunk_bytes=SENT_AT_ONCE)


@router.get("/uploads", response=Page[UploadOut])
def list_uploads(request: HttpRequest) -> Any:
    """My uploads that are not finished, or not used yet; newest first."""
    return whole([UploadOut.of(found) for found in container().uploads().list(request.auth)], UploadOut)


@router.post("/uploads/detect", response=DetectionOut)
def detect_uploads(request: HttpRequest, body: DetectIn) -> DetectionOut:
    """What an import of these uploads would do; they stay as they are."""
    what = Uploaded(tuple(UploadId(id_) for id_ in body.upload_ids), read_options(body.options))
    return DetectionOut.of(container().imports().detect_uploaded(request.auth, what))


@router.post("/uploads", response={201: UploadOut})
def begin(request: HttpRequest, response: HttpResponse) -> Status[UploadOut]:
    """Announces a file: its size in `Upload-Length`, its name as `filename` in `Upload-Metadata`."""
    size = _number(request, "Upload-Length")
    found = container().uploads().begin(request.auth, _filename(request), size)
    response["Location"] = f"/api/v1/uploads/{found.upload.id}"
    _tell(response, found)
    return Status(201, UploadOut.of(found))


@router.get("/uploads/{uuid:upload_id}", response=UploadOut)
def get_upload(request: HttpRequest, upload_id: UUID) -> UploadOut:
    """How much of it has come."""
    return UploadOut.of(container().uploads().get(request.auth, UploadId(upload_id)))


@router.api_operation(["HEAD"], "/uploads/{uuid:upload_id}", response={200: None}, operation_id="upload_offset")
def offset(request: HttpRequest, response: HttpResponse, upload_id: UUID) -> Status[None]:
    """From which byte on to send the rest."""
    found = container().uploads().get(request.auth, UploadId(upload_id))
    _tell(response, found)
    response["Upload-Length"] = str(found.upload.size)
    response["Cache-Control"] = "no-store"
    return Status(200, None)


@router.patch("/uploads/{uuid:upload_id}", response={204: None})
def send(request: HttpRequest, response: HttpResponse, upload_id: UUID) -> Status[None]:
    """The bytes from `Upload-Offset` on; 409 when that is not where it broke off."""
    container().uploads().get(request.auth, UploadId(upload_id))  # before gigabytes come in
    if request.content_type != OFFSET_STREAM:
        raise InvalidInputError.at("Content-Type", msg=f"send the bytes as {OFFSET_STREAM}", code="media_type")
    at = _number(request, "Upload-Offset")
    _tell(response, container().uploads().append(request.auth, UploadId(upload_id), at, _chunks(request)))
    return Status(204, None)


@router.delete("/uploads/{uuid:upload_id}", response={204: None})
def discard(request: HttpRequest, response: HttpResponse, upload_id: UUID) -> Status[None]:
    """It is not wanted any more."""
    container().uploads().discard(request.auth, UploadId(upload_id))
    _speak(response)
    return Status(204, None)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    yield from iter(lambda: request.read(CHUNK), b"")


def _speak(response: HttpResponse) -> None:
    response["Tus-Resumable"] = VERSION


def _tell(response: HttpResponse, found: Received) -> None:
    _speak(response)
    response["Upload-Offset"] = str(found.received)
    response["Upload-Expires"] = found.upload.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _number(request: HttpRequest, header: str) -> int:
    given = request.headers.get(header, "")
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise InvalidInputError.at(header, msg="a number of bytes is needed", code="required")
    return int(given)


def _filename(request: HttpRequest) -> str:
    """From pairs of a key and a value in base64, with commas between them."""
    for pair in request.headers.get("Upload-Metadata", "")[:4_000].split(","):
        key, _, value = pair.strip().partition(" ")
        if key in ("filename", "name"):
            try:
                return base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                break
    raise InvalidInputError.at(
        "Upload-Metadata", msg="the name of the file is needed, as “filename” in base64", code="required"
    )
