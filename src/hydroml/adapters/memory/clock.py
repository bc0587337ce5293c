"""A clock that stands until it is moved."""

from datetime import UTC, datetime, timedelta


class InMemoryClock:
    def __init__(self, at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> datetime:
        self._at += by
        return self._at
