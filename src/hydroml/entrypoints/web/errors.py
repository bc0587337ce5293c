"""The one table from errors to HTTP, as problem documents (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views import defaults
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from hydroml.domain.errors import (
    ConflictError,
    DomainError,
    Fault,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    StaleRevisionError,
    TooLargeError,
    UnavailableError,
)
from hydroml.entrypoints.observability import report
from hydroml.entrypoints.web.rendering import to_json

logger = structlog.get_logger("hydroml.errors")

API_PREFIX = "/api/"
PROBLEM_JSON = "application/problem+json"

STATUS: Mapping[type[DomainError], int] = {
    NotFoundError: 404,
    ForbiddenError: 403,
    ConflictError: 409,
    InvalidInputError: 422,
    StaleRevisionError: 412,
    TooLargeError: 413,
    UnavailableError: 503,
    DomainError: 422,
}

_IN_WORDS = {
    400: "the request cannot be understood",
    401: "log in, or send a token: Authorization: Bearer …",
    403: "this is not allowed",
    404: "there is nothing here, or nothing that is yours",
    405: "this address does not take that method",
    413: "the request is too large",
    429: "too many requests; wait a little",
    500: "something went wrong here; quote the request id when you report it",
}


def status_of(error: DomainError) -> int:
    """The HTTP status of the nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    request: HttpRequest,
    status: int,
    detail: str = "",
    errors: Sequence[Mapping[str, Any]] | None = None,
    kind: str = "",
) -> HttpResponse:
    """A problem document; `kind` names the error for machines, after its status."""
    title = HTTPStatus(status).phrase
    document: dict[str, Any] = {
        "type": f"urn:hydroml:problem:{kind or title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail or _IN_WORDS.get(status, title),
        "instance": f"urn:uuid:{request.id}" if hasattr(request, "id") else request.path,
    }
    if errors is not None:
        document["errors"] = list(errors)
    response = HttpResponse(to_json(document), status=status, content_type=PROBLEM_JSON)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="HydroML"'
    return response


def of_domain(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A known refusal, in the words it was raised with."""
    faults = None
    if isinstance(error, InvalidInputError):
        faults = [fault_document(fault) for fault in error.faults]
    status = status_of(error)
    response = problem(request, status, str(error), faults, _kind(error))
    if status == 503:
        response["Retry-After"] = "5"
    return response


def fault_document(fault: Fault) -> dict[str, Any]:
    """`at` is the part of a formula or query, in characters from 0; only faults in such a text have it."""
    document: dict[str, Any] = {"loc": list(fault.loc), "msg": fault.msg, "code": fault.code}
    if fault.span is not None:
        document["at"] = {"start": fault.span[0], "end": fault.span[1]}
    return document


def of_validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What does not fit the API's schema. A place is given without the `body` and parameter name around it."""
    faults = []
    for fault in error.errors:
        where, *rest = fault["loc"]
        if where in ("body", "form", "file") and rest:
            rest = rest[1:]  # the name of the view's parameter, which nobody outside knows
        faults.append({"loc": rest, "msg": str(fault["msg"]).removeprefix("Value error, "), "code": fault["type"]})
    first = faults[0] if faults else {"loc": [], "msg": "invalid"}
    place = ".".join(str(part) for part in first["loc"])
    detail = f"{place}: {first['msg']}" if place else str(first["msg"])
    return problem(request, 422, detail, faults, "invalid-input")


def of_anything(request: HttpRequest, error: Exception) -> HttpResponse:
    """What nobody foresaw: logged in full here, and told to the asker by its request id alone."""
    logger.error("unexpected error", path=request.path, exc_info=error)
    report(error)
    return problem(request, 500)


def install(api: NinjaAPI) -> None:
    """Makes all errors of an API problem documents. The handler of the nearest class is taken."""
    handlers: Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        DomainError: of_domain,
        ValidationError: of_validation,
        AuthenticationError: lambda request, _: problem(request, 401),
        HttpError: lambda request, error: problem(request, error.status_code, error.message),
        Http404: lambda request, _: problem(request, 404),
        RequestDataTooBig: lambda request, _: problem(request, 413),
        MultiPartParserError: lambda request, error: problem(request, 422, str(error)),
        SuspiciousOperation: lambda request, _: problem(request, 400),
        UnreadablePostError: lambda request, _: problem(request, 400, "the request broke off"),
        Exception: of_anything,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if request.path.startswith(API_PREFIX):
        return problem(request, 400)
    return HttpResponse("400: the request cannot be understood", status=400, content_type="text/plain")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if request.path.startswith(API_PREFIX):
        return problem(request, 403)
    answer: HttpResponse = defaults.permission_denied(request, exception)
    return answer


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if request.path.startswith(API_PREFIX):
        return problem(request, 404)
    answer: HttpResponse = defaults.page_not_found(request, exception)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: it has logged the error already."""
    if request.path.startswith(API_PREFIX):
        return problem(request, 500)
    answer: HttpResponse = defaults.server_error(request)
    return answer


def _kind(error: DomainError) -> str:
    """`SourceInUseError` → `source-in-use`."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
