"""Personal tokens."""

from collections.abc import Sequence
from datetime import datetime

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.domain.projects import UserId
from hydroml.domain.tokens import Token, TokenId, TokenNotFoundError


class InMemoryTokenRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[TokenId, Token] = transaction.rows("token")

    def add(self, entity: Token) -> None:
        self._rows.put(entity.id, entity)

    def by_digest(self, digest: str) -> Token:
        found = self._rows.where(lambda t: t.digest == digest)
        if not found:
            raise TokenNotFoundError
        return found[0]

    def of_user(self, user: UserId) -> Sequence[Token]:
        found = sorted(self._rows.where(lambda t: t.user_id == user), key=lambda t: t.id)
        return sorted(found, key=lambda t: t.created_at, reverse=True)

    def used(self, token_id: TokenId, at: datetime) -> None:
        found = self._rows.get(token_id)
        if found is not None:
            found.last_used_at = at
            self._rows.put(token_id, found)

    def delete(self, user: UserId, token_id: TokenId) -> None:
        found = self._rows.peek(token_id)
        if found is None or found.user_id != user:
            raise TokenNotFoundError(token_id)
        self._rows.remove(token_id)
