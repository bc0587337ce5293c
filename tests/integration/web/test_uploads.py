"""Uploads through the ASGI application: streamed, bounded, and gone without a trace when they break off."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.asgi import Application
from tests.integration.web.people import CSV, Person, upload

BOUNDARY = "a-boundary"
PIECE = 2**16


@pytest.fixture
def project(alice: Person) -> UUID:
    return UUID(alice.post("/projects", {"name": "Rivers"}).json()["id"])


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A multipart form of (name, file name, content)."""
    body = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename else ""
        body += (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
        )
    return body + f"--{BOUNDARY}--\r\n".encode()


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


async def send(
    path: str,
    headers: dict[str, str],
    body: AsyncIterator[bytes],
    length: int,
    seen: Callable[[int], None] = lambda _: None,
) -> tuple[int, Any]:
    """The answer of our application to a request, piece by piece; a body that ends too early is a broken connection."""
    sent = 0
    answers: list[dict[str, Any]] = []
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal sent
        try:
            piece = await anext(body)
        except StopAsyncIteration:
            if sent >= length:
                await ended.wait()
            return {"type": "http.disconnect"}
        sent += len(piece)
        seen(sent)
        return {"type": "http.request", "body": piece, "more_body": sent < length}

    async def answer(message: dict[str, Any]) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [
            (b"host", b"testserver"),
            (b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode()),
            (b"content-length", str(length).encode()),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
    }
    await asyncio.wait_for(Application()(scope, receive, answer), 60)
    ended.set()
    if not answers:
        return 0, None
    content = b"".join(message.get("body", b"") for message in answers[1:])
    return answers[0]["status"], json.loads(content) if content else None


def waiting_uploads() -> list[Path]:
    """Files of the data folder that are no finished blobs."""
    return [path for path in settings.HYDROML.data_dir.rglob("*") if path.is_file() and "upload" in str(path)]


def test_a_large_file_goes_straight_to_storage(alice: Person, project: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", None)  # nobody makes a copy of it on the way
    content = b"a,b\n" + b"1234567,7654321\n" * 400_000
    body = form(("name", None, b"Large"), ("options", None, b'{"delimiter": ","}'), ("file", "large.csv", content))
    before = len(waiting_uploads())
    status, document = asyncio.run(send(f"/api/v1/projects/{project}/sources", alice.token(), pieces(body), len(body)))
    assert status == 202, document
    assert document["source"]["name"] == "Large"
    assert len(waiting_uploads()) == before + 1
    with container().blobs().received(f"upload-{document['job']['id']}") as file:
        assert file.read_bytes() == content


def test_options_may_follow_the_file(alice: Person, project: UUID) -> None:
    content = b"a;b\n" + b"1;2\n" * 600_000
    body = form(("file", "large.csv", content), ("name", None, b"Late"), ("options", None, b'{"delimiter": ";"}'))
    status, document = asyncio.run(send(f"/api/v1/projects/{project}/sources", alice.token(), pieces(body), len(body)))
    assert status == 202, document
    assert document["source"]["name"] == "Late"
    with container().blobs().received(f"upload-{document['job']['id']}") as file:
        assert file.read_bytes() == content


def test_a_broken_connection_leaves_nothing(alice: Person, project: UUID) -> None:
    headers = alice.token()
    before = waiting_uploads()
    body = form(("name", None, b"Half"), ("file", "half.csv", b"a,b\n" * 1_000_000))
    asyncio.run(send(f"/api/v1/projects/{project}/sources", headers, pieces(body[: 2**21]), len(body)))
    assert alice.get(f"/projects/{project}/sources").json()["total"] == 0
    assert waiting_uploads() == before


def test_strangers_are_refused_before_anything_is_read(bob: Person, project: UUID) -> None:
    body = form(("name", None, b"x"), ("file", "x.csv", b"a,b\n" * 1_000_000))
    read: list[int] = []
    for headers, expected in (({}, 401), (bob.token(), 404)):
        path = f"/api/v1/projects/{project}/sources"
        status, _ = asyncio.run(send(path, headers, pieces(body), len(body), read.append))
        assert status == expected
    assert max(read, default=0) < 2**21


def test_a_file_beyond_the_limit_is_refused_unread(alice: Person, project: UUID) -> None:
    headers = alice.token()
    body = form(("name", None, b"x"), ("file", "x.csv", b"a,b\n" * 1_000_000))
    read: list[int] = []
    with override_settings(HYDROML=settings.HYDROML.model_copy(update={"max_upload_bytes": 1_000_000})):
        path = f"/api/v1/projects/{project}/sources"
        status, document = asyncio.run(send(path, headers, pieces(body), len(body), read.append))
    assert status == 413
    assert "1,000,000 bytes" in document["detail"]
    assert max(read, default=0) < 2**21


def test_a_file_that_turns_out_too_large_is_refused(alice: Person, project: UUID) -> None:
    before = waiting_uploads()
    for fields in ({}, {"name": "x"}):
        with override_settings(HYDROML=settings.HYDROML.model_copy(update={"max_upload_bytes": 10})):
            response = upload(alice, project, CSV, **fields)
            assert response.status_code in (202, 413)  # the service has its own limit
            if not fields:
                assert response.status_code == 413
    assert len(waiting_uploads()) <= len(before) + 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"no form at all", "multipart/form-data; boundary=x"),
        (b"no form at all", "multipart/form-data"),
        (b"{}", "application/json"),
        (form(("file", None, b"a,b")), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("other", "x.csv", b"a,b")), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("options", None, b"{"), ("file", "x.csv", b"a")), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("options", None, b'{"x": 1}'), ("file", "x.csv", b"a")), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(("name", None, b" " * 70_000), ("file", "x.csv", b"a")), f"multipart/form-data; boundary={BOUNDARY}"),
    ],
)
def test_what_is_no_upload_is_refused(alice: Person, project: UUID, body: bytes, kind: str) -> None:
    response = alice.client.generic("POST", f"/api/v1/projects/{project}/sources", body, content_type=kind)
    assert response.status_code in (413, 422), response.content
    assert response["Content-Type"] == "application/problem+json"
    assert alice.get(f"/projects/{project}/sources").json()["total"] == 0


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\evil\\a.csv", "<b>.csv", "ünïcödé 水.csv", "x" * 400 + ".csv"]
)
def test_any_file_name_is_only_a_name(alice: Person, project: UUID, name: str) -> None:
    response = upload(alice, project, CSV, name)
    assert response.status_code in (202, 422)
    if response.status_code == 202:
        assert "/" not in response.json()["source"]["name"]
        assert "\\" not in response.json()["source"]["name"]


def test_detect_keeps_nothing(alice: Person) -> None:
    before = waiting_uploads()
    response = alice.client.post("/api/v1/sources/detect", {"file": SimpleUploadedFile("flows.csv", CSV)})
    assert response.status_code == 200, response.content
    document = response.json()
    assert [column["name"] for column in document["columns"]] == ["date", "flow", "site"]
    assert 1 <= len(document["rows"]) <= 20
    assert waiting_uploads() == before
    assert alice.get("/projects").json()["total"] == 0
