"""Personal tokens: how a script says whose it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import NotFoundError
from hydroml.domain.projects import UserId, clean_name

TokenId = NewType("TokenId", UUID)


class TokenNotFoundError(NotFoundError):
    def __init__(self, token_id: TokenId | None = None) -> None:
        super().__init__("no such token" if token_id is None else f"token {token_id} does not exist")


class Scope(StrEnum):
    """What a token may do: read only, or read and change; or nothing but log runs with MLflow."""

    READ = "read"
    WRITE = "write"
    MLFLOW = "mlflow"


@dataclass(slots=True, kw_only=True)
class Token:
    """Only the digest of the secret is kept; the secret is shown once."""

    id: TokenId
    user_id: UserId
    name: str
    digest: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def __post_init__(self) -> None:
        self.name = clean_name(self.name)

    def is_valid(self, at: datetime) -> bool:
        return self.expires_at is None or at < self.expires_at
