"""Answers by idempotency key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hydroml.adapters.memory.store import Rows, Transaction
from hydroml.application.ports.repositories import KeptAnswer
from hydroml.domain.errors import ConflictError
from hydroml.domain.projects import UserId

CLAIM = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Claim:
    digest: str
    at: datetime
    answer: KeptAnswer | None = None


class InMemoryIdempotencyRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: Rows[tuple[UserId, str], _Claim] = transaction.rows("idempotency key")

    def claim(self, user: UserId, key: str, digest: str, at: datetime) -> KeptAnswer | None:
        self._transaction.lock(("idempotency key", user, key))
        found = self._rows.peek((user, key))
        if found is not None:
            if found.digest != digest:
                raise ConflictError("this Idempotency-Key belongs to a different request")
            if found.answer is not None:
                return found.answer
            if found.at > at - CLAIM:
                raise ConflictError("the first request with this Idempotency-Key is still being answered")
        self._rows.put((user, key), _Claim(digest, at))
        return None

    def keep(self, user: UserId, key: str, answer: KeptAnswer) -> None:
        found = self._rows.peek((user, key))
        if found is not None:
            self._rows.put((user, key), _Claim(answer.digest, found.at, answer))

    def release(self, user: UserId, key: str) -> None:
        self._rows.remove((user, key))

    def forget(self, before: datetime) -> None:
        for key in self._rows.keys_where(lambda claim: claim.at < before):
            self._rows.remove(key)
