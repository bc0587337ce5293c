"""The event stream: what happens to the asker's jobs, and what they are told of, as it happens."""

import logging
import re
from collections.abc import AsyncIterator
from time import monotonic

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError

from hydroml.domain.errors import DomainError
from hydroml.domain.projects import UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.auth import identify
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.api.notifications import NotificationOut
from hydroml.entrypoints.web.errors import of_domain, problem
from hydroml.entrypoints.web.rendering import to_json

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 600.0
"""Then the stream ends and the browser comes again, so that a login that has ended is noticed."""
BATCH = 200


async def events(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events: `job` and `notification`, as JSON. `Last-Event-ID` resumes where a stream broke off."""
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
        return user, int(last) if re.fullmatch(r"[0-9]{1,18}", last) else _now()
    except AuthenticationError:
        return problem(request, 401)
    except HttpError as error:
        return problem(request, error.status_code, error.message)
    except DomainError as error:
        return of_domain(request, error)
    finally:
        if isinstance(request, ASGIRequest):
            connections.close_all()


def _now() -> int:
    return max(container().jobs().last_sequence(), container().notifications().last_sequence())


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
    """The events since then as text, and up to where they reach: jobs and notifications share one row of numbers.

    How far is asked first. What is committed between the reading of the jobs and of the notifications has a higher
    number; were it to count, the job that ended with a notification would be passed over.
    """
    parts: list[bytes] = []
    now = _now()
    while since < now:
        jobs = container().jobs().changed_since(user, since, BATCH)
        told = container().notifications().since(user, since, BATCH)
        until = min([now, *(found[-1].sequence for found in (jobs, told) if len(found) >= BATCH)])
        events: list[tuple[int, str, Schema]] = [
            *((job.sequence, "job", JobOut.of(job)) for job in jobs if job.sequence <= until),
            *((one.sequence, "notification", NotificationOut.of(one)) for one in told if one.sequence <= until),
        ]
        for sequence, kind, shown in sorted(events, key=lambda event: event[0]):
            parts.append(b"event: %s\nid: %d\ndata: %s\n\n" % (kind.encode(), sequence, to_json(shown)))
        since = until
    return b"".join(parts), since
