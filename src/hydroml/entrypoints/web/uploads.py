"""Uploads of any size: read from the request as they come in, never held in memory.

The parts of the form are read in order. When a field stands before the file, or `?name=` or `?options=` in the address,
the file goes from the socket straight to storage. A file that stands first may be followed by its options, so it waits
in a temporary file of the data folder until the form has ended.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.multipartparser import FILE, ChunkIter, LazyStream, MultiPartParser, MultiPartParserError, Parser
from ninja import Schema
from pydantic import Field, ValidationError

from hydroml.application.documents import read_options
from hydroml.application.imports import MAX_FILES, Upload, Uploaded
from hydroml.domain.errors import Fault, InvalidInputError, TooLargeError
from hydroml.domain.sources import ImportOptions
from hydroml.domain.uploads import UploadId

CHUNK = 2**20
FIELD_LENGTH = 2**16
FIELDS = 20
"""As many parts a form may have beside the file: each costs the parser more than its bytes."""
FORM_OVERHEAD = 2**20
"""What a form may hold beside the file."""


@contextmanager
def received(request: HttpRequest) -> Iterator[Upload]:
    """The file of a multipart form, to be read once within the block.

    Raises TooLargeError before anything is read when the request says that it is too large, and InvalidInputError for
    a form without a file or with options that are none.
    """
    limit: int = settings.HYDROML.max_upload_bytes
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isascii() and announced.isdigit() and int(announced) > limit + FORM_OVERHEAD:
        raise TooLargeError(f"the file has more than {limit:,} bytes, the limit of this server")
    form = _Form(request)
    try:
        filename, incoming = form.file()
        chunks = _limited(incoming, limit)
        if form.fields:
            yield form.upload(filename, _followed_by_nothing(chunks, form))
            return
        settings.HYDROML.tmp_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.SpooledTemporaryFile(max_size=CHUNK, dir=settings.HYDROML.tmp_dir) as waiting:
            for chunk in chunks:
                waiting.write(chunk)
            form.rest()
            waiting.seek(0)
            yield form.upload(filename, iter(lambda: waiting.read(CHUNK), b""))
    except MultiPartParserError as error:
        raise InvalidInputError(f"this is not a form with a file: {error}") from None


class _UploadedIn(Schema):
    """Uploads that have come already, to be read as one table."""

    upload_ids: list[UUID] = Field(min_length=1, max_length=MAX_FILES)
    name: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    append: bool = False


@contextmanager
def given(request: HttpRequest) -> Iterator[Upload | Uploaded]:
    """The file of a form, or the uploads that a JSON body names; to be used within the block."""
    if request.content_type != "application/json":
        with received(request) as upload:
            yield upload
        return
    try:
        body = _UploadedIn.model_validate_json(request.body)
    except ValidationError as error:
        faults = tuple(Fault(tuple(e["loc"]), e["msg"], e["type"]) for e in error.errors(include_url=False))
        raise InvalidInputError("the body names no uploads", faults) from None
    ids = tuple(UploadId(id_) for id_ in body.upload_ids)
    yield Uploaded(ids, read_options(body.options), (body.name or "").strip() or None, body.append)


class _Form:
    """The parts of a form, one after another."""

    def __init__(self, request: HttpRequest) -> None:
        # Django's parser checks the header; its `parse` wants handlers, so only its reading of parts is used.
        boundary = MultiPartParser(request.META, request, [], request.encoding)._boundary  # noqa: SLF001
        self._parts = iter(Parser(LazyStream(ChunkIter(request, CHUNK)), boundary))
        self._read = 0
        self.fields = {name: request.GET[name] for name in ("name", "options") if name in request.GET}

    def file(self) -> tuple[str, Iterator[bytes]]:
        """The first file's name and its bytes; the fields before it are read."""
        for kind, head, stream in self._parts:
            name, filename = _names(head)
            if kind == FILE and name == "file":
                if head.get("content-transfer-encoding", ("",))[0].strip().lower() == "base64":
                    raise MultiPartParserError("files are sent as they are, not in base64")
                return filename, iter(stream)
            self._keep(name, stream)
        raise InvalidInputError.at("file", msg="there is no part named “file” with a file name", code="required")

    def rest(self) -> bool:
        """Reads what follows the file; whether that was a field we know."""
        before = dict(self.fields)
        for _, head, stream in self._parts:
            self._keep(_names(head)[0], stream)
        return self.fields != before

    def upload(self, filename: str, chunks: Iterator[bytes]) -> Upload:
        name = self.fields.get("name", "").strip() or None
        return Upload(filename, chunks, _options(self.fields.get("options", "")), name)

    def _keep(self, name: str, stream: Any) -> None:
        self._read += 1
        if self._read > FIELDS:
            raise InvalidInputError(f"a form with a file has at most {FIELDS} other fields")
        text = stream.read(FIELD_LENGTH + 1)
        if len(text) > FIELD_LENGTH:
            raise TooLargeError(f"a field of the form has more than {FIELD_LENGTH:,} bytes")
        if name in ("name", "options"):
            self.fields[name] = text.decode("utf-8", "replace")


def _limited(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """A request need not say how long it is, or tell the truth."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLargeError(f"the file has more than {limit:,} bytes, the limit of this server")
        yield chunk


def _followed_by_nothing(chunks: Iterator[bytes], form: _Form) -> Iterator[bytes]:
    yield from chunks
    if form.rest():
        raise InvalidInputError("send name and options before the file, or nothing before it")


def _names(head: Any) -> tuple[str, str]:
    """A part's name, and the name of its file."""
    disposition = head.get("content-disposition", ("", {}))[1]
    name, filename = disposition.get("name", b""), disposition.get("filename", b"")
    return name.decode("utf-8", "replace").strip(), filename.decode("utf-8", "replace")


def _options(text: str) -> ImportOptions:
    if not text.strip():
        return ImportOptions()
    try:
        document = json.loads(text)
    except ValueError:
        raise InvalidInputError.at("options", msg="options are a JSON object", code="json_invalid") from None
    return read_options(document)
