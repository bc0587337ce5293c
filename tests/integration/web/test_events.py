"""The event stream, read from the ASGI application as a browser does."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from dependency_injector import providers

from hydroml.application.notifications import NotificationService
from hydroml.domain.notifications import Notification
from hydroml.domain.projects import UserId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api import events
from hydroml.entrypoints.web.asgi import Application
from tests.integration.web.people import Person, Things, finish, make_things, upload


class Stream:
    """One open request for events."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.gone = asyncio.Event()
        self._parts: asyncio.Queue[bytes] = asyncio.Queue()
        self._text = ""

    async def receive(self) -> dict[str, Any]:
        if not hasattr(self, "_asked"):
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        await self._parts.put(message.get("body", b""))

    async def next(self, kind: str = "job") -> dict[str, str]:
        """The next event of the kind, within a few seconds."""
        while True:
            while "\n\n" in self._text:
                block, self._text = self._text.split("\n\n", 1)
                fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
                if fields.get("event") == kind:
                    return fields
            self._text += (await asyncio.wait_for(self._parts.get(), 20)).decode()

    async def text(self, wanted: str) -> None:
        while wanted not in self._text:
            self._text += (await asyncio.wait_for(self._parts.get(), 20)).decode()


@asynccontextmanager
async def listening(headers: dict[str, str]) -> AsyncIterator[Stream]:
    stream = Stream()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/events",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), *((k.lower().encode(), v.encode()) for k, v in headers.items())],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
    }
    task = asyncio.create_task(Application()(scope, stream.receive, stream.send))
    try:
        while not stream.status:
            await asyncio.sleep(0.01)
            if task.done():
                task.result()
        yield stream
    finally:
        stream.gone.set()
        await asyncio.wait_for(task, 20)


def test_strangers_hear_nothing() -> None:
    async def scene() -> None:
        async with listening({}) as stream:
            assert stream.status == 401
            assert stream.headers["content-type"] == "application/problem+json"

    asyncio.run(scene())


def test_tells_of_my_jobs_as_they_change(alice: Person, things: Things) -> None:
    headers = alice.token()

    async def scene() -> None:
        async with listening(headers) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            assert stream.headers["x-accel-buffering"] == "no"
            await stream.text("hello")
            accepted = await asyncio.to_thread(upload, alice, things.project_id)
            job_id = accepted.json()["job"]["id"]
            first = json.loads((await stream.next())["data"])
            assert (first["id"], first["state"]) == (job_id, "queued")
            await asyncio.to_thread(finish, job_id)
            last = first
            while (last["id"], last["state"]) != (job_id, "succeeded"):
                last = json.loads((await stream.next())["data"])
            assert last["progress"] == 1.0

    asyncio.run(scene())


def test_tells_of_notifications_in_one_row_with_the_jobs(alice: Person, things: Things) -> None:
    headers = alice.token()

    async def scene() -> None:
        async with listening(headers) as stream:
            await stream.text("hello")
            accepted = await asyncio.to_thread(upload, alice, things.project_id)
            await asyncio.to_thread(finish, accepted.json()["job"]["id"])
            event = await stream.next("notification")
            told = json.loads(event["data"])
            assert (told["tone"], told["read"], told["kind"]) == ("success", False, "job")
        async with listening({**headers, "Last-Event-ID": str(int(event["id"]) - 1)}) as stream:
            assert (await stream.next("notification"))["id"] == event["id"]

    asyncio.run(scene())


def test_what_is_committed_between_two_readings_is_told_the_next_time(alice: Person, things: Things) -> None:
    """A job and its notification end in one transaction: neither may be passed over for the other."""

    class Late(NotificationService):
        def since(self, user: UserId, sequence: int, limit: int = 200) -> Sequence[Notification]:
            finish(job_id)  # the jobs are read by now
            return super().since(user, sequence, limit)

    _, before = events._changed(alice.id, 0)
    job_id = upload(alice, things.project_id).json()["job"]["id"]
    with container().notifications.override(providers.Factory(Late, uow=container().uow.provider)):
        first, since = events._changed(alice.id, before)
    rest, _ = events._changed(alice.id, since)
    assert b'"succeeded"' in first + rest
    assert b"event: notification" in first + rest


def test_others_jobs_are_not_heard(alice: Person, bob: Person) -> None:
    headers = bob.token()

    async def scene() -> None:
        async with listening(headers) as stream:
            await stream.text("hello")
            await asyncio.to_thread(make_things, alice)
            mine = await asyncio.to_thread(make_things, bob)
            heard = json.loads((await stream.next())["data"])
            assert heard["subject"]["id"] in {str(mine.source_id), str(mine.version_id)}

    asyncio.run(scene())


def test_resumes_where_it_broke_off(alice: Person, things: Things) -> None:
    headers = alice.token()
    since = container().jobs().last_sequence()
    missed = upload(alice, things.project_id).json()["job"]["id"]

    async def scene() -> None:
        async with listening(headers | {"Last-Event-ID": str(since)}) as stream:
            event = await stream.next()
            assert json.loads(event["data"])["id"] == missed
            assert int(event["id"]) > since

    asyncio.run(scene())


def test_ends_by_itself_and_keeps_the_line_open(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.0)
    headers = alice.token()

    async def scene() -> None:
        async with listening(headers) as stream:
            await stream.text("still here")

    asyncio.run(scene())


def test_an_event_looks_like_the_job_itself(alice: Person, things: Things) -> None:
    headers = alice.token()

    async def scene() -> None:
        async with listening(headers | {"Last-Event-ID": "0"}) as stream:
            heard = json.loads((await stream.next())["data"])
            while heard["id"] != str(things.job_id):
                heard = json.loads((await stream.next())["data"])
            asked = await asyncio.to_thread(alice.get, f"/jobs/{things.job_id}")
            assert heard == asked.json()

    asyncio.run(scene())
