"""`python -m benchmarks.crowd [--sessions N]`: many people in the Data Studio at once, on tables of 100,000 rows.

Each of the sessions has a table of its own. A round is what somebody does who thinks for a while between two steps: add
a step, then look at the page; undo at every fourth. All of them go on at once.
"""

import argparse
import math
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import duckdb

from benchmarks import data
from benchmarks.platform import Platform, installed, session_of
from benchmarks.startup import memory_of_web, seconds_of_web

_ROWS = 100_000
_BOUND = 300


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pause", type=float, default=10.0, help="seconds that somebody thinks between two steps")
    parser.add_argument("--workers", type=int, default=1, help="web processes")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as root:
        folder = Path(root)
        files = tables(folder, options.sessions)
        with installed(folder, workers=options.workers) as platform:
            versions = [version.id for _, version in platform.put(*files)]
            measure(platform, versions, options.rounds, options.pause)


def tables(folder: Path, number: int) -> list[Path]:
    """Different ones, all of the same size."""
    first = folder / "table.parquet"
    data.parquet(first, _ROWS)
    found = []
    with duckdb.connect() as connection:
        for at in range(number):
            file = folder / f"table-{at}.parquet"
            connection.execute(
                f"COPY (SELECT *, {at} AS number FROM read_parquet('{first}')) TO '{file}' ({data.LAYOUT})"
            )
            found.append(file)
    return found


def measure(platform: Platform, versions: Sequence[UUID], rounds: int, pause: float) -> None:
    clients = [platform.client() for _ in versions]
    sessions = [session_of(client, version, []) for client, version in zip(clients, versions, strict=True)]
    before = memory_of_web(platform.supervisor)
    times: list[tuple[str, float]] = []

    def work(at: int) -> None:
        client, session = clients[at], sessions[at]
        time.sleep(pause * at / len(sessions))
        for turn in range(rounds):
            begun = time.perf_counter()
            if turn % 4 == 3:
                client.post(f"/sessions/{session}/undo")
            else:
                client.post(
                    f"/sessions/{session}/steps",
                    {"op": "derive", "column": f"new_{turn}", "formula": f"ln(flow + {turn + 1})"},
                )
            stepped = time.perf_counter()
            client.get(f"/sessions/{session}/rows", limit=100)
            done = time.perf_counter()
            times.append(("a step", (stepped - begun) * 1000))
            times.append(("its page", (done - stepped) * 1000))
            time.sleep(max(pause - (done - begun), 0))

    started, used = time.perf_counter(), seconds_of_web(platform.supervisor)
    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, used = time.perf_counter() - started, seconds_of_web(platform.supervisor) - used
    print(f"{len(sessions)} sessions on tables of {_ROWS:,} rows, a step each {pause:g} s; milliseconds")
    print(f"{'':<12}{'median':>9}{'p95':>9}{'bound':>9}")
    for name in ("a step", "its page"):
        found = sorted(time for kind, time in times if kind == name)
        slow = found[math.ceil(len(found) * 0.95) - 1]
        print(f"{name:<12}{statistics.median(found):>9.0f}{slow:>9.0f}{_BOUND:>9}{'  missed' if slow > _BOUND else ''}")
    after = memory_of_web(platform.supervisor)
    print(f"{len(times) / seconds:.1f} requests a second, {1000 * used / len(times):.0f} ms on a processor for each")
    print(f"memory of the web: {before.now:,} MB before, {after.now:,} MB after, at its peak {after.peak:,} MB")


if __name__ == "__main__":
    main()
