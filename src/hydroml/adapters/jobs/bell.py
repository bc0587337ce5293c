"""The bell: a publish-subscribe channel that says "some job has changed" and nothing more."""

import asyncio
import logging
from collections.abc import AsyncIterator

import redis
import redis.asyncio

logger = logging.getLogger(__name__)

CHANNEL = "hydroml:jobs"
LISTEN_SECONDS = 5.0
SOCKET_SECONDS = 2.0


class RedisBell:
    """`url` is redis-py's: redis://… or unix://…."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = redis.Redis.from_url(url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS)

    def ring(self) -> None:
        try:
            self._client.publish(CHANNEL, b"")
        except (redis.RedisError, OSError):
            logger.debug("the bell could not be rung", exc_info=True)

    async def listen(self) -> AsyncIterator[None]:
        client = redis.asyncio.Redis.from_url(self._url, socket_connect_timeout=SOCKET_SECONDS)
        try:
            while True:
                try:
                    async with client.pubsub(ignore_subscribe_messages=True) as channel:
                        await channel.subscribe(CHANNEL)
                        while True:
                            await channel.get_message(timeout=LISTEN_SECONDS)
                            yield
                except (redis.RedisError, OSError):
                    logger.debug("the bell is not heard", exc_info=True)
                    await asyncio.sleep(LISTEN_SECONDS)
                    yield
        finally:
            await client.aclose()
