"""The bell: a publish-subscribe channel that says "some job has changed" and nothing more."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

CHANNEL = "hydroml:jobs"
LISTEN_SECONDS = 5.0
SOCKET_SECONDS = 1.0
REST_SECONDS = 5.0


class RedisBell:
    """`url` is redis-py's (redis://… or unix://…), or Celery's form of it."""

    def __init__(self, url: str, *, interval: float = LISTEN_SECONDS) -> None:
        self._url, self._interval = client_url(url), interval
        self._rest_until = 0.0
        self._client = redis.Redis.from_url(
            self._url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def ring(self) -> None:
        if time.monotonic() < self._rest_until:
            return
        try:
            self._client.publish(CHANNEL, b"")
        except (redis.RedisError, OSError):
            # Whoever reports progress must not wait for a server that is away, again and again.
            self._rest_until = time.monotonic() + REST_SECONDS
            logger.debug("the bell could not be rung", exc_info=True)

    async def listen(self) -> AsyncIterator[None]:
        while True:
            client = redis.asyncio.Redis.from_url(
                self._url, socket_connect_timeout=SOCKET_SECONDS, retry=AsyncRetry(NoBackoff(), 0)
            )
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as channel:
                    async with asyncio.timeout(2 * SOCKET_SECONDS):
                        await channel.subscribe(CHANNEL)
                    while True:
                        await channel.get_message(timeout=self._interval)
                        yield
            except (redis.RedisError, OSError):
                logger.debug("the bell is not heard", exc_info=True)
            finally:
                await client.aclose()
            await asyncio.sleep(self._interval)
            yield


def client_url(url: str) -> str:
    """The address as redis-py wants it: Celery writes a socket as redis+socket://…?virtual_host=0."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    database = query.pop("virtual_host", None)
    if database is not None:
        query["db"] = database
    return f"unix://{parts.netloc}{parts.path}" + (f"?{urlencode(query)}" if query else "")
