"""Personal tokens."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from uuid import uuid4

from hydroml.application.activity import tell
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import UserId
from hydroml.domain.tokens import Scope, Token, TokenId, TokenNotFoundError

MAX_TOKENS = 100
USED_AFTER = timedelta(minutes=1)
"""How exactly the last use is noted."""


class TokenService:
    def __init__(
        self, *, uow: UnitOfWorkFactory, clock: Clock, new_secret: Callable[[], str], digest: Callable[[str], str]
    ) -> None:
        self._uow, self._clock, self._new_secret, self._digest = uow, clock, new_secret, digest

    def create(
        self, user: UserId, name: str, scopes: Iterable[Scope] = (Scope.READ, Scope.WRITE), days: int | None = None
    ) -> tuple[Token, str]:
        """The token and its secret, which is not kept and cannot be shown again."""
        if days is not None and not 1 <= days <= 3_660:
            raise InvalidInputError.at("days", msg="between 1 and 3,660 days", code="range")
        secret = self._new_secret()
        now = self._clock()
        token = Token(
            id=TokenId(uuid4()),
            user_id=user,
            name=name,
            digest=self._digest(secret),
            scopes=frozenset(scopes) or frozenset({Scope.READ}),
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
        with self._uow() as uow:
            if len(uow.tokens.of_user(user)) >= MAX_TOKENS:
                raise InvalidInputError(f"you have {MAX_TOKENS} tokens; remove one first")
            uow.tokens.add(token)
            tell(uow, user, "created", token, now)
            uow.commit()
        return token, secret

    def list(self, user: UserId) -> Sequence[Token]:
        with self._uow() as uow:
            return uow.tokens.of_user(user)

    def revoke(self, user: UserId, token_id: TokenId) -> None:
        with self._uow() as uow:
            revoked = next((token for token in uow.tokens.of_user(user) if token.id == token_id), None)
            uow.tokens.delete(user, token_id)
            if revoked is not None:
                tell(uow, user, "revoked", revoked, self._clock())
            uow.commit()

    def authenticate(self, secret: str) -> Token:
        """Raises TokenNotFoundError for an unknown or expired secret."""
        now = self._clock()
        with self._uow() as uow:
            token = uow.tokens.by_digest(self._digest(secret))
            if not token.is_valid(now):
                raise TokenNotFoundError
            if token.last_used_at is None or now - token.last_used_at > USED_AFTER:
                uow.tokens.used(token.id, now)
                uow.commit()
        return token
