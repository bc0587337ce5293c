"""`Idempotency-Key`: a repeated POST is answered like the first one, and done once."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from hydroml.application.ports.repositories import KeptAnswer
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import UserId
from hydroml.entrypoints.bootstrap import container

KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Claim:
    user: UserId
    key: str
    digest: str


def install(router: Router) -> None:
    """Every POST of the API can be repeated safely.

    Who asks is known only within the operation, and the answer only outside of it: so there are two layers.
    """
    router.add_decorator(_claiming, mode="operation")
    router.add_decorator(_keeping, mode="view")


def _claiming(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def claimed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key", "")
        if request.method != "POST" or not key:
            return operation(request, *args, **kwargs)
        if len(key) > KEY_LENGTH or not key.isprintable():
            raise InvalidInputError.at("Idempotency-Key", msg=f"1 to {KEY_LENGTH} printable characters", code="length")
        claim = _Claim(request.auth, key, _digest(request))
        with container().uow() as uow:
            kept = uow.idempotency.claim(claim.user, key, claim.digest, datetime.now(UTC))
            uow.commit()
        if kept is not None:
            return _repeated(kept)
        request.idempotency_claim = claim
        return operation(request, *args, **kwargs)

    return claimed


def _keeping(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @functools.wraps(run)
    def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = run(request, *args, **kwargs)
        claim: _Claim | None = getattr(request, "idempotency_claim", None)
        if claim is not None:
            with container().uow() as uow:
                if response.status_code < 400 and isinstance(response, HttpResponse):
                    answer = KeptAnswer(
                        claim.digest, response.status_code, response.content.decode(), response.get("Location")
                    )
                    uow.idempotency.keep(claim.user, claim.key, answer)
                else:
                    uow.idempotency.release(claim.user, claim.key)
                uow.commit()
        return response

    return kept


def _digest(request: HttpRequest) -> str:
    """Of what is asked. A form's body is a stream that is not read twice, and its boundary is chance: its length
    stands for it."""
    if (request.content_type or "").startswith("multipart/"):
        content = f"form of {request.META.get('CONTENT_LENGTH')} bytes".encode()
    else:
        content = request.body
    return sha256(request.get_full_path().encode() + b"\0" + content).hexdigest()


def _repeated(kept: KeptAnswer) -> HttpResponse:
    response = HttpResponse(kept.body, status=kept.status, content_type="application/json")
    if kept.location:
        response["Location"] = kept.location
    response["Idempotent-Replayed"] = "true"
    return response
