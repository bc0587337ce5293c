"""Who asks: a bearer token, or the session cookie together with the CSRF token in a header."""

from hashlib import sha256
from time import monotonic

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import (
    REASON_CSRF_TOKEN_MISSING,
    REASON_NO_CSRF_COOKIE,
    CsrfViewMiddleware,
    InvalidTokenFormat,
    RejectRequest,
    _check_token_format,
    _does_token_match,
)
from ninja.errors import AuthenticationError, HttpError
from ninja.security import APIKeyCookie, HttpBearer

from hydroml.domain.errors import ForbiddenError, NotFoundError
from hydroml.domain.projects import UserId
from hydroml.domain.tokens import Scope, Token
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.accounts.models import User
from hydroml.entrypoints.web.limits import REQUESTS_OF_STRANGER, REQUESTS_OF_USER, Limit, client_address

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Recent:
    """Who was behind a token a moment ago, so that a script that asks hundreds of times a second is looked up once.

    What is revoked here is forgotten at once; by another process, within `SECONDS`.
    """

    SECONDS = 1.0
    MOST = 1_000

    def __init__(self) -> None:
        self._held: dict[bytes, tuple[float, Token, User]] = {}

    def get(self, secret: str) -> tuple[Token, User] | None:
        until, token, user = self._held.get(_digest(secret), (0.0, None, None))
        return (token, user) if token and user and monotonic() < until else None

    def put(self, secret: str, token: Token, user: User) -> tuple[Token, User]:
        if len(self._held) >= self.MOST:
            self._held.clear()
        self._held[_digest(secret)] = (monotonic() + self.SECONDS, token, user)
        return token, user

    def forget(self) -> None:
        self._held.clear()


RECENT = Recent()


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _known(secret: str) -> tuple[Token, User]:
    """Raises NotFoundError."""
    found = container().tokens().authenticate(secret)
    return found, users.by_id(found.user_id)


def token_of(request: HttpRequest, secret: str) -> Token:
    """Whose token it is, who is then `request.user`. Raises AuthenticationError, and HttpError 429."""
    try:
        found, request.user = RECENT.get(secret) or RECENT.put(secret, *_known(secret))
    except NotFoundError:
        _count(REQUESTS_OF_STRANGER, client_address(request))
        raise AuthenticationError from None
    _count(REQUESTS_OF_USER, str(found.user_id))
    return found


class BearerAuth(HttpBearer):
    """`Authorization: Bearer <token>`. A token that reads may only GET."""

    def authenticate(self, request: HttpRequest, token: str) -> UserId:
        found = token_of(request, token)
        if found.scopes == {Scope.MLFLOW}:
            raise ForbiddenError("this token is for MLflow only")
        if request.method not in SAFE_METHODS and Scope.WRITE not in found.scopes:
            raise ForbiddenError("this token may only read")
        return found.user_id


class SessionAuth(APIKeyCookie):
    """The cookie of whoever is logged in to the pages; changes also need `X-CSRFToken`."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # checked below, after it is known that there is a session at all

    def authenticate(self, request: HttpRequest, key: str | None) -> UserId | None:
        if not request.user.is_authenticated:
            return None
        user_id = UserId(request.user.pk)
        _count(REQUESTS_OF_USER, str(user_id))
        if request.method not in SAFE_METHODS:
            reason = _HeaderCsrf(lambda _: HttpResponse()).complaint(request)
            if reason:
                raise ForbiddenError(f"{reason} Send the cookie's token as X-CSRFToken.")
        return user_id


AUTH = (BearerAuth(), SessionAuth())


def identify(request: HttpRequest) -> UserId:
    """Who asks, for views outside of ninja. Raises AuthenticationError, and HttpError 429."""
    for method in AUTH:
        found: UserId | None = method(request)
        if found is not None:
            return found
    raise AuthenticationError


class _HeaderCsrf(CsrfViewMiddleware):
    """Django's own check, but the token comes from the header alone.

    Django looks into the form first, and so would take in the whole of an upload before anybody knows whether it is
    wanted.
    """

    def complaint(self, request: HttpRequest) -> str:
        """Why the request is refused, or nothing."""
        request.csrf_processing_done = False
        self.process_request(request)
        refusal: str | None = self.process_view(request, None, (), {})
        return refusal or ""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason

    def _accept(self, request: HttpRequest) -> None:
        request.csrf_processing_done = True

    def _check_token(self, request: HttpRequest) -> None:
        try:
            secret = self._get_secret(request)
        except InvalidTokenFormat as error:
            raise RejectRequest(f"CSRF cookie {error.reason}.") from None
        if secret is None:
            raise RejectRequest(REASON_NO_CSRF_COOKIE)
        token = request.META.get(settings.CSRF_HEADER_NAME, "")
        if not token:
            raise RejectRequest(REASON_CSRF_TOKEN_MISSING)
        try:
            _check_token_format(token)
        except InvalidTokenFormat as error:
            raise RejectRequest(f"CSRF token {error.reason}.") from None
        if not _does_token_match(token, secret):
            raise RejectRequest("CSRF token incorrect.")


def _count(limit: Limit, key: str) -> None:
    wait = limit.count(key)
    if wait:
        raise HttpError(429, f"too many requests; wait {wait} seconds")
