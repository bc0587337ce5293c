"""How often somebody may try something: counters in the cache, one for each window of time."""

import logging
from dataclasses import dataclass
from hashlib import sha256
from time import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` counts of a key in `seconds`.

    A cache that does not answer limits nobody: being let in is better than being locked out by a fault.
    """

    name: str
    most: int
    seconds: int

    def count(self, key: str) -> int:
        """Counts once; 0, or in how many seconds the window ends when the count goes beyond the limit."""
        slot = self._slot(key)
        try:
            return self._wait() if self._counted(slot) > self._most() else 0
        except Exception:
            logger.warning("the cache does not answer; nobody is limited", exc_info=True)
            return 0

    def _counted(self, slot: str) -> int:
        try:
            return int(cache.incr(slot))
        except ValueError:  # the first of this window
            if cache.add(slot, 1, self.seconds + 1):
                return 1
        try:
            return int(cache.incr(slot))
        except ValueError:  # it ran out between the two calls
            return 0

    def exhausted(self, key: str) -> int:
        """0, or in how many seconds the window ends; counts nothing."""
        try:
            return self._wait() if cache.get(self._slot(key), 0) >= self._most() else 0
        except Exception:
            logger.warning("the cache does not answer; nobody is limited", exc_info=True)
            return 0

    def forget(self, key: str) -> None:
        """Start again from nothing."""
        try:
            cache.delete(self._slot(key))
        except Exception:
            logger.warning("the cache does not answer", exc_info=True)

    def _most(self) -> int:
        overridden: int = settings.HYDROML_LIMITS.get(self.name, self.most)
        return overridden

    def _slot(self, key: str) -> str:
        digest = sha256(key.encode()).hexdigest()[:32]  # a key of the cache has no blanks and an end
        return f"limit:{self.name}:{int(time()) // self.seconds}:{digest}"

    def _wait(self) -> int:
        return self.seconds - int(time()) % self.seconds


LOGIN_FAILURES = Limit("login_failures", 10, 900)
LOGIN_FAILURES_OF_ADDRESS = Limit("login_failures_of_address", 100, 900)
SIGNUPS = Limit("signups", 20, 3600)
REQUESTS_OF_USER = Limit("requests_of_user", 6_000, 60)
REQUESTS_OF_STRANGER = Limit("requests_of_stranger", 600, 60)
"""Refused requests of one address: guessing tokens takes long."""


def client_address(request: HttpRequest) -> str:
    """Who is at the other end: the peer, or what a trusted proxy says is behind it."""
    address: str = request.META.get("REMOTE_ADDR") or "local"
    trusted = settings.HYDROML.trusted_proxies
    if address in trusted:
        for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = hop.strip() or address
            if address not in trusted:
                break
    return address
