"""What goes around every request: an id for the logs, the security headers, and answers in the API's form."""

import gzip
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import cast
from uuid import UUID, uuid4

import structlog
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

from hydroml.entrypoints.web.errors import API_PREFIX, PROBLEM_JSON, problem

logger = structlog.get_logger("hydroml.request")

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src-elem 'self' 'nonce-{nonce}'; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Plotly sets style attributes; no script or style element runs that we did not write."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
_COMPRESSED_FROM = 1_000


@sync_and_async_middleware
def frame(get_response: GetResponse) -> GetResponse:
    """The outermost layer: request id, nonce, security headers, and one line in the log."""
    if iscoroutinefunction(get_response):

        async def around(request: HttpRequest) -> HttpResponseBase:
            with _bound(request):
                started = perf_counter()
                response = await cast("Awaitable[HttpResponseBase]", get_response(request))
                return _finish(request, response, started)

        return around

    def around_sync(request: HttpRequest) -> HttpResponseBase:
        with _bound(request):
            started = perf_counter()
            return _finish(request, _sync(get_response(request)), started)

    return around_sync


@sync_and_async_middleware
def api_answers(get_response: GetResponse) -> GetResponse:
    """What Django refuses by itself under /api becomes a problem document; large JSON is compressed."""
    if iscoroutinefunction(get_response):

        async def around(request: HttpRequest) -> HttpResponseBase:
            response = await cast("Awaitable[HttpResponseBase]", get_response(request))
            return _as_api(request, response)

        return around

    def around_sync(request: HttpRequest) -> HttpResponseBase:
        return _as_api(request, _sync(get_response(request)))

    return around_sync


def _sync(response: HttpResponseBase | Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return cast("HttpResponseBase", response)  # of a synchronous handler


@contextmanager
def _bound(request: HttpRequest) -> Iterator[None]:
    if request.META.get("REMOTE_ADDR") not in settings.HYDROML.trusted_proxies:
        for name in _FORWARDED:
            request.META.pop(name, None)
    request.id = _request_id(request)
    request.csp_nonce = secrets.token_urlsafe(18)
    with structlog.contextvars.bound_contextvars(request_id=request.id):
        yield


def _request_id(request: HttpRequest) -> str:
    """The one a proxy gave, if it is an id at all, so that logs can be matched; else a new one."""
    try:
        return str(UUID(request.headers.get("X-Request-ID", "")))
    except ValueError:
        return str(uuid4())


def _finish(request: HttpRequest, response: HttpResponseBase, started: float) -> HttpResponseBase:
    response["X-Request-ID"] = request.id
    response.setdefault("Content-Security-Policy", _POLICY.format(nonce=request.csp_nonce))
    for name, value in _HEADERS.items():
        response.setdefault(name, value)
    if settings.HYDROML.https:
        response["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "no-store"  # what the pages and the API show belongs to one person
    if not request.path.startswith(settings.STATIC_URL):
        logger.info(
            "request",
            method=request.method,
            path=request.path,  # without the query: a filter may quote data
            status=response.status_code,
            ms=round(1000 * (perf_counter() - started), 1),
        )
    return response


def _as_api(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not request.path.startswith(API_PREFIX):
        return response
    if response.status_code >= 400 and PROBLEM_JSON not in response.get("Content-Type", ""):
        allowed = response.get("Allow")
        response = problem(request, response.status_code)
        if allowed:
            response["Allow"] = allowed
    return _compressed(request, response)


def _compressed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Bodies of the API repeat nothing secret next to what the asker sent (BREACH), but for a new token."""
    if response.streaming or response.has_header("Content-Encoding") or request.path.endswith("/tokens"):
        return response
    content: bytes = response.content
    if len(content) < _COMPRESSED_FROM or "json" not in response.get("Content-Type", ""):
        return response
    patch_vary_headers(response, ("Accept-Encoding",))
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(content, compresslevel=3, mtime=0)
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
    return response
