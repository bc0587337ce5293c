"""MLflow behind our login: its interface for personal tokens, its pages for administrators."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from ninja.errors import AuthenticationError, HttpError

from hydroml.application.mlflow_access import MAX_DOCUMENT
from hydroml.application.ports.tracking import Answer, Call, Readable
from hydroml.domain.errors import (
    DomainError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from hydroml.domain.tokens import Scope
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.auth import token_of

PREFIX = "/mlflow/"

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""MLflow's pages write style elements; a script in an artifact or a note does not run."""
_CONTENT_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
_WHOLE = 2**20
_CHUNK = 2**20
_ERRORS: tuple[tuple[type[DomainError], int, str], ...] = (
    (NotFoundError, 404, "RESOURCE_DOES_NOT_EXIST"),
    (ForbiddenError, 403, "PERMISSION_DENIED"),
    (InvalidInputError, 400, "INVALID_PARAMETER_VALUE"),
    (TooLargeError, 413, "INVALID_PARAMETER_VALUE"),
    (UnavailableError, 503, "TEMPORARILY_UNAVAILABLE"),
)
"""In MLflow's own words, which its clients understand."""


@csrf_exempt
def mlflow(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """With a token, MLflow's interface for clients; with the cookie of an administrator, its pages.

    The pages change nothing, so that no other site has anything to forge. The cookie is not passed on.
    """
    if request.headers.get("Authorization", "").startswith("Bearer "):
        return _as_client(request, path)
    if not request.user.is_authenticated:
        return _refusal(401, "UNAUTHENTICATED", "log in, or send a token") if path else redirect_to_login(PREFIX)
    if not request.user.is_superuser:
        raise Http404("MLflow's pages show every project: they are for administrators")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none", "same-site"):
        raise Http404("asked from another site")
    try:
        answer = container().mlflow_access().show(_call(request, path, request.read(MAX_DOCUMENT)))
    except DomainError as error:
        return _refused(error)
    return _response(request, answer, _PAGE_POLICY if not path or path.startswith("static-files/") else _CONTENT_POLICY)


def to_pages(request: HttpRequest) -> HttpResponse:
    """MLflow's pages find their parts beside them, so the address ends with a slash."""
    return HttpResponseRedirect(PREFIX)


def _as_client(request: HttpRequest, path: str) -> HttpResponseBase:
    try:
        token = token_of(request, request.headers["Authorization"].removeprefix("Bearer ").strip())
        may_write = not token.scopes.isdisjoint({Scope.WRITE, Scope.MLFLOW})
        with _body(request) as (body, length):
            call = _call(request, path, body, length)
            answer = container().mlflow_access().ask(token.user_id, call, may_write=may_write)
    except AuthenticationError:
        return _refusal(401, "UNAUTHENTICATED", "no such token, or it has expired")
    except HttpError as error:
        return _refusal(error.status_code, "REQUEST_LIMIT_EXCEEDED", str(error))
    except DomainError as error:
        return _refused(error)
    return _response(request, answer, _CONTENT_POLICY)


@contextmanager
def _body(request: HttpRequest) -> Iterator[tuple[Readable, int]]:
    """The body, to be read once, and its length; one of unknown length is kept on disk first."""
    limit: int = settings.HYDROML.max_upload_bytes
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isascii() and announced.isdigit():
        if int(announced) > limit:
            raise TooLargeError(f"more than {limit:,} bytes, the limit of this server")
        yield request, int(announced)
        return
    settings.HYDROML.tmp_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.SpooledTemporaryFile(max_size=_CHUNK, dir=settings.HYDROML.tmp_dir) as waiting:
        length = 0
        while piece := request.read(_CHUNK):
            length += waiting.write(piece)
            if length > limit:
                raise TooLargeError(f"more than {limit:,} bytes, the limit of this server")
        waiting.seek(0)
        yield waiting, length


def _call(request: HttpRequest, path: str, body: bytes | Readable, length: int = 0) -> Call:
    query = tuple((name, value) for name, values in request.GET.lists() for value in values)
    return Call(request.method or "GET", path, query, body, length, request.content_type or "")


def _response(request: HttpRequest, answer: Answer, policy: str) -> HttpResponseBase:
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    length = answer.headers.get("content-length", "")
    response: HttpResponse | StreamingHttpResponse
    if length.isdigit() and int(length) <= _WHOLE:
        response = HttpResponse(b"".join(answer.body), status=answer.status, headers=headers)
    else:
        pieces = _async(answer.body) if isinstance(request, ASGIRequest) else answer.body
        response = StreamingHttpResponse(pieces, status=answer.status, headers=headers)
        if length:
            response["Content-Length"] = length
    response["Content-Security-Policy"] = policy
    return response


async def _async(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Django would read the whole of a synchronous iterator into memory first."""
    following = sync_to_async(lambda: next(body, None), thread_sensitive=False)
    while (piece := await following()) is not None:
        yield piece


def _refused(error: DomainError) -> HttpResponse:
    for kind, status, code in _ERRORS:
        if isinstance(error, kind):
            return _refusal(status, code, str(error))
    return _refusal(HTTPStatus.CONFLICT, "INVALID_STATE", str(error))


def _refusal(status: int, code: str, message: str) -> HttpResponse:
    return JsonResponse({"error_code": code, "message": message}, status=status)
