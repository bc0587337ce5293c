"""The asker: profile and tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.tokens import Scope, Token, TokenId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts.forms import AccountForm
from hydroml.entrypoints.web.accounts.models import User
from hydroml.entrypoints.web.api.auth import RECENT
from hydroml.entrypoints.web.api.common import Page, whole

router = Router(tags=["me"])


class MeOut(Schema):
    """Who is logged in."""

    id: UUID
    username: str
    email: str
    theme: str
    language: str
    time_zone: str
    is_admin: bool

    @classmethod
    def of(cls, user: User) -> "MeOut":
        return cls(
            id=user.pk,
            username=user.username,
            email=user.email,
            theme=user.theme,
            language=user.language,
            time_zone=user.time_zone,
            is_admin=user.is_admin,
        )


class MePatch(Schema):
    """What changes; what is left out stays."""

    email: str | None = None
    theme: str | None = Field(None, description="light, dark or system")
    time_zone: str | None = Field(None, description="Such as Europe/Paris.")


class TokenIn(Schema):
    """A new token."""

    name: str
    scopes: list[Scope] = Field(default_factory=lambda: [Scope.READ, Scope.WRITE])
    days: int | None = Field(None, description="How long it is valid; without an end when null.")


class TokenOut(Schema):
    """A token, without its secret."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> "TokenOut":
        return cls(
            id=token.id,
            name=token.name,
            scopes=sorted(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


class NewTokenOut(TokenOut):
    """A new token; `token` is its secret, which is shown this once."""

    token: str


@router.get("", response=MeOut)
def get_me(request: HttpRequest) -> MeOut:
    """My account."""
    return MeOut.of(request.user)


@router.patch("", response=MeOut)
def change_me(request: HttpRequest, body: MePatch) -> MeOut:
    """Change my account."""
    user = User.objects.get(pk=request.auth)
    kept = {name: getattr(user, name) for name in AccountForm.Meta.fields}
    form = AccountForm(kept | body.model_dump(exclude_none=True), instance=user)
    if not form.is_valid():
        faults = tuple(
            Fault((name,), message, "invalid") for name, messages in form.errors.items() for message in messages
        )
        raise InvalidInputError(faults[0].msg, faults)
    saved = form.save()
    RECENT.forget()
    return MeOut.of(saved)


@router.get("/tokens", response=Page[TokenOut])
def list_tokens(request: HttpRequest) -> Any:
    """My tokens."""
    return whole([TokenOut.of(token) for token in container().tokens().list(request.auth)], TokenOut)


@router.post("/tokens", response={201: NewTokenOut})
def create_token(request: HttpRequest, body: TokenIn) -> Status[NewTokenOut]:
    """A new token. Its secret cannot be shown again."""
    token, secret = container().tokens().create(request.auth, body.name, body.scopes, body.days)
    return Status(201, NewTokenOut(**TokenOut.of(token).model_dump(), token=secret))


@router.delete("/tokens/{uuid:token_id}", response={204: None})
def revoke_token(request: HttpRequest, token_id: UUID) -> Status[None]:
    """The token opens nothing from now on."""
    container().tokens().revoke(request.auth, TokenId(token_id))
    RECENT.forget()
    return Status(204, None)
