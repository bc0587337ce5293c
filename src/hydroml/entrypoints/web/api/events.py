"""The event stream: what happens to the asker's jobs, as it happens."""

import logging
import re
from collections.abc import AsyncIterator
from time import monotonic

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja.errors import AuthenticationError, HttpError

from hydroml.domain.errors import DomainError
from hydroml.domain.projects import UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.auth import identify
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.errors import of_domain, problem
from hydroml.entrypoints.web.rendering import to_json

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 600.0
"""Then the stream ends and the browser comes again, so that a login that has ended is noticed."""
BATCH = 200


async def events(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events: `job`, with the job as JSON. `Last-Event-ID` resumes where a stream broke off."""
    if request.method != "GET":
        response = problem(request, 405)
        response["Allow"] = "GET"
        return response
    found = await sync_to_async(_open)(request)
    if isinstance(found, HttpResponse):
        return found
    user, since = found
    stream = StreamingHttpResponse(_stream(user, since), content_type="text/event-stream")
    stream["Cache-Control"] = "no-store"
    stream["X-Accel-Buffering"] = "no"
    return stream


def _open(request: HttpRequest) -> tuple[UserId, int] | HttpResponse:
    """Who asks and since when, or the refusal; leaves no connection open for as long as the stream lasts."""
    try:
        user = identify(request)
        last = request.headers.get("Last-Event-ID", "")
        return user, int(last) if re.fullmatch(r"[0-9]{1,18}", last) else container().jobs().last_sequence()
    except AuthenticationError:
        return problem(request, 401)
    except HttpError as error:
        return problem(request, error.status_code, error.message)
    except DomainError as error:
        return of_domain(request, error)
    finally:
        if isinstance(request, ASGIRequest):
            connections.close_all()


async def _stream(user: UserId, since: int) -> AsyncIterator[bytes]:
    changed = sync_to_async(_changed, thread_sensitive=False)
    started = spoke = monotonic()
    yield b"retry: 2000\n: hello\n\n"
    try:
        found, since = await changed(user, since)  # what happened while nobody listened
        if found:
            yield found
        async for _ in container().bell().listen():
            found, since = await changed(user, since)
            now = monotonic()
            if found:
                spoke = now
                yield found
            elif now - spoke >= HEARTBEAT_SECONDS:
                spoke = now
                yield b": still here\n\n"
            if now - started >= LONGEST_SECONDS:
                return
    except Exception:
        logger.exception("an event stream broke off; the browser will come again")


def _changed(user: UserId, since: int) -> tuple[bytes, int]:
    """The events since then as text, and up to where they reach."""
    parts = []
    while jobs := container().jobs().changed_since(user, since, BATCH):
        for job in jobs:
            data = to_json(JobOut.of(job)).decode()
            parts.append(f"event: job\nid: {job.sequence}\ndata: {data}\n\n")
        since = jobs[-1].sequence
        if len(jobs) < BATCH:
            break
    return "".join(parts).encode(), since
