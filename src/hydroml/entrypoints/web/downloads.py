"""Files out, of any size: never held in memory."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

CHUNK = 2**18


def download(request: HttpRequest, stream: BinaryIO, filename: str, size: int) -> StreamingHttpResponse:
    """A file of so many bytes to be saved under a name; closes the stream in the end."""
    chunks = _chunks_async(stream) if isinstance(request, ASGIRequest) else _chunks(stream)
    response = StreamingHttpResponse(chunks, content_type="application/octet-stream")
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=filename)
    return response


def attachment(content: bytes, filename: str, content_type: str) -> HttpResponse:
    """A small file to be saved under a name."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=filename)
    return response


def file_description(text: str) -> dict[str, Any]:
    """An answer that is a file, for OpenAPI."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {200: {"description": text, "content": content}}}


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


async def _chunks_async(stream: BinaryIO) -> AsyncIterator[bytes]:
    """Django would read the whole of a synchronous iterator into memory first."""
    read = sync_to_async(stream.read, thread_sensitive=False)
    try:
        while chunk := await read(CHUNK):
            yield chunk
    finally:
        stream.close()
