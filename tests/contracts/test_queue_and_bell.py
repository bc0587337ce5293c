"""The queue and the bell."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import UUID, uuid4

import pytest
import redis

from hydroml.adapters.jobs.bell import RedisBell, client_url
from hydroml.adapters.jobs.queue import RUN_JOB, CeleryJobQueue
from hydroml.adapters.memory import InMemoryBell, InMemoryJobQueue
from hydroml.application.ports.jobs import Bell, JobQueue
from hydroml.domain.errors import UnavailableError
from hydroml.domain.jobs import JobId

Sent = Callable[[], list[JobId]]


@pytest.fixture(params=["memory", pytest.param("celery", marks=pytest.mark.services)])
def queue(request: pytest.FixtureRequest) -> tuple[JobQueue, Sent]:
    """A queue, and what waits in it."""
    if request.param == "memory":
        memory = InMemoryJobQueue()
        return memory, lambda: memory.sent
    broker_url: str = request.getfixturevalue("broker_url")

    def waiting() -> list[JobId]:
        with redis.Redis.from_url(client_url(broker_url)) as broker:
            messages = [json.loads(message) for message in reversed(broker.lrange("hydroml", 0, -1))]
        assert {message["headers"]["task"] for message in messages} <= {RUN_JOB}
        return [JobId(UUID(message["headers"]["argsrepr"].strip("()[]', "))) for message in messages]

    return CeleryJobQueue(broker_url), waiting


def test_what_is_sent_waits_in_order(queue: tuple[JobQueue, Sent]) -> None:
    adapter, waiting = queue
    assert adapter.waiting() == 0
    jobs = [JobId(uuid4()) for _ in range(3)]
    for job_id in (*jobs, jobs[0]):
        adapter.send(job_id)
    assert waiting() == [*jobs, jobs[0]]
    assert adapter.waiting() == 4


def test_many_threads_may_send_at_once(queue: tuple[JobQueue, Sent]) -> None:
    adapter, waiting = queue
    jobs = [JobId(uuid4()) for _ in range(24)]

    def send(part: list[JobId]) -> None:
        for job_id in part:
            adapter.send(job_id)

    threads = [threading.Thread(target=send, args=(jobs[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(waiting()) == sorted(jobs)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(5)
        yield server.getsockname()[1]


@pytest.fixture(params=["closed port", "no socket", "silent"])
def away(request: pytest.FixtureRequest) -> str:
    if request.param == "silent":
        return f"redis://127.0.0.1:{request.getfixturevalue('silent_port')}/0"
    return "redis://127.0.0.1:9/0" if request.param == "closed port" else "redis+socket:///nowhere/valkey.sock"


@pytest.mark.timeout(60)
def test_a_broker_that_is_away_is_told_of(away: str) -> None:
    adapter = CeleryJobQueue(away)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            adapter.send(JobId(uuid4()))
    with pytest.raises(UnavailableError):
        adapter.waiting()


@pytest.mark.services
def test_a_queue_recovers_when_its_connections_were_cut(broker_url: str) -> None:
    adapter = CeleryJobQueue(broker_url)
    adapter.send(JobId(uuid4()))
    with redis.Redis.from_url(client_url(broker_url)) as broker:
        broker.client_kill_filter(_type="normal", skipme=True)
        try:
            adapter.send(JobId(uuid4()))
        except UnavailableError:
            adapter.send(JobId(uuid4()))
        assert broker.llen("hydroml") >= 2


INTERVAL = 2.0
"""Seconds between the times a bell lets its listeners look by themselves: long beside what a busy machine takes."""


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.services)])
def bell(request: pytest.FixtureRequest) -> Bell:
    if request.param == "memory":
        return InMemoryBell(interval=INTERVAL)
    return RedisBell(request.getfixturevalue("redis_url"), interval=INTERVAL)


async def _heard(bell: Bell, times: int, meanwhile: Callable[[], object] = lambda: None) -> float:
    """Seconds from `meanwhile` until it was heard so many times."""
    listener = bell.listen()
    async with asyncio.timeout(10):
        async for _ in listener:  # the first one says that somebody listens
            break
        await asyncio.to_thread(meanwhile)
        began = time.monotonic()
        for _ in range(times):
            await anext(listener)
    seconds = time.monotonic() - began
    await listener.aclose()  # type: ignore[attr-defined]
    return seconds


def test_a_ring_is_heard_at_once(bell: Bell) -> None:
    assert asyncio.run(_heard(bell, 1, bell.ring)) < INTERVAL


def test_it_is_heard_now_and_then_even_when_nobody_rings(bell: Bell) -> None:
    asyncio.run(_heard(bell, 2))  # gives up after ten seconds


def test_all_listeners_hear_it(bell: Bell) -> None:
    async def all_of_them() -> list[float]:
        async def late_ring() -> None:
            await asyncio.sleep(0.6)
            bell.ring()

        rings = asyncio.create_task(late_ring())
        heard = await asyncio.gather(*(_heard(bell, 1) for _ in range(5)))
        await rings
        return heard

    assert len(asyncio.run(all_of_them())) == 5


def test_a_bell_that_is_away_neither_fails_nor_delays(away: str) -> None:
    bell = RedisBell(away, interval=0.2)
    began = time.monotonic()
    for _ in range(20):
        bell.ring()
    assert time.monotonic() - began < 20  # each ring alone would take two seconds to give up

    async def listen() -> int:
        heard = 0
        async with asyncio.timeout(8):
            async for _ in bell.listen():
                heard += 1
                if heard == 2:
                    break
        return heard

    assert asyncio.run(listen()) == 2


def test_an_address_in_celerys_form_is_understood() -> None:
    assert client_url("redis+socket://:pw@/a/b.sock?virtual_host=3") == "unix://:pw@/a/b.sock?db=3"
    assert client_url("redis://host:1/2") == "redis://host:1/2"
    with closing(redis.Redis.from_url(client_url("redis+socket:///a/b.sock"))) as client:
        assert client.connection_pool.connection_kwargs["path"] == "/a/b.sock"
