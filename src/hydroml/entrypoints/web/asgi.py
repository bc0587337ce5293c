"""The web as an ASGI application."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hydroml.entrypoints.web.settings")

import django
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.db import connections

from hydroml.application.ports.asking import Asker, asker, asking

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

STREAMED_FROM = 2**20
"""Bodies of at least this size are read by the view, while they come in."""

_QUESTIONS = ("/chart", "/match", "/preview", "/query")
"""What is asked by POST."""


class Body:
    """A request's body as a file that is read from the view's thread, while the event loop takes it in.

    Django would write the whole body to disk before it calls the view: a second copy of every upload, also of those
    that are refused.
    """

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive, self._loop = receive, loop
        self._buffer = b""
        self._more = True
        self.ended = asyncio.Event()

    def read(self, size: int = -1) -> bytes:
        """Blocks until there is something; raises OSError when the client has gone."""
        if size < 0:
            parts = iter(lambda: self.read(2**20), b"")
            return b"".join(parts)
        while not self._buffer and self._more:
            self._buffer = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece

    def readline(self, size: int = -1) -> bytes:
        """Only forms and JSON come in; nothing reads lines."""
        raise NotImplementedError

    def close(self) -> None:
        """What was not read stays with the server, which drops it."""
        self._more = False

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._more = False
            self.ended.set()
            raise ConnectionAbortedError("the client has gone")
        self._more = message.get("more_body", False)
        if not self._more:
            self.ended.set()
        body: bytes = message.get("body", b"")
        return body


class Application(ASGIHandler):
    """Django's handler, but large bodies are streamed, and the server's lifespan is answered."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        await super().__call__(scope, receive, send)

    async def handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        # What changes something is brought to its end, whoever has gone.
        if scope["method"] == "GET" or scope["path"].endswith(_QUESTIONS):
            with asking(Asker()):
                await self._handle(scope, receive, send)
        else:
            await self._handle(scope, receive, send)

    async def _handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        length = dict(scope["headers"]).get(b"content-length", b"")
        if (length.isdigit() and int(length) < STREAMED_FROM) or (
            not length and b"transfer-encoding" not in dict(scope["headers"])
        ):
            await super().handle(scope, receive, send)
        else:
            await super().handle(scope, _Streamed(receive), send)

    async def read_body(self, receive: Any) -> Any:
        if isinstance(receive, _Streamed):
            return receive.body
        return await super().read_body(receive)

    async def listen_for_disconnect(self, receive: Any) -> None:
        try:
            if isinstance(receive, _Streamed):
                await receive.body.ended.wait()  # until then, the body is what is being received
                if receive.gone:
                    raise RequestAborted
            await super().listen_for_disconnect(receive)
        except RequestAborted:
            asker().leave()  # ends what a thread does for the request
            raise


class _Streamed:
    """The server's `receive`, with the body that is read through it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.gone = False
        self.body = Body(self, asyncio.get_running_loop())

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
        return message


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _application() -> Application:
    """Here each request has a thread of its own, so connections must be shared to be kept."""
    django.setup(set_prefix=False)
    connections.settings["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 10, "timeout": 10}
    return Application()


application = _application()
