"""`python -m benchmarks.dtale [--rows N]`: D-Tale as a peer: the same table opened, sorted, filtered and described.

D-Tale is installed into a throwaway environment for the run, and is no dependency of ours. It reads the table into
memory by pandas, and is asked through its own web application; ours over HTTP, in an installation of its own. Each is a
fresh process, one after the other.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.platform import installed, session_of
from benchmarks.startup import memory_of_web

_FILTER = "flow > 40 AND weather = 'snow'"
_PEER = """
import json, resource, sys, time
import pandas
import dtale.global_state as state
from dtale.app import build_app
from dtale.views import startup

file, times = sys.argv[1], {}

def timed(name, ask):
    begun = time.perf_counter()
    found = ask()
    times[name] = time.perf_counter() - begun
    return found

def get(client, path, **query):
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200 and answer.json.get("success", True), answer.data[:500]
    return answer.json

frame = timed("open", lambda: pandas.read_parquet(file))
begun = time.perf_counter()
identity = startup("http://localhost:40000", data=frame, ignore_duplicate=True)._data_id
times["open"] += time.perf_counter() - begun
state.set_app_settings({"enable_custom_filters": True})
client = build_app(url="http://localhost:40000").test_client()
rows = json.dumps(["0-100"])
timed("first page", lambda: get(client, f"/dtale/data/{identity}", ids=rows))
middle = json.dumps([f"{len(frame) // 2}-{len(frame) // 2 + 100}"])
timed("page in the middle", lambda: get(client, f"/dtale/data/{identity}", ids=middle))
order = json.dumps([["chance", "DESC"]])
timed("new sort, first page", lambda: get(client, f"/dtale/data/{identity}", ids=rows, sort=order))
timed("same sort, page in the middle", lambda: get(client, f"/dtale/data/{identity}", ids=middle, sort=order))

def filtered():
    get(client, f"/dtale/test-filter/{identity}", query="flow > 40 and weather == 'snow'", save="true")
    return get(client, f"/dtale/data/{identity}", ids=rows)

timed("filter, first page", filtered)
timed("describe a column", lambda: get(client, f"/dtale/describe/{identity}", col="flow"))
print(json.dumps({"times": times, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args(arguments).rows
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as root:
        folder = Path(root)
        file = folder / "table.parquet"
        data.parquet(file, rows)
        theirs, their_peak = peer(folder, file)
        ours, our_peak = platform(folder, file)
    print(f"{rows:,} rows × 20 columns; seconds")
    print(f"{'':<32}{'HydroML':>10}{'D-Tale':>10}")
    for name, seconds in ours.items():
        other = theirs.get(name)
        print(f"{name:<32}{seconds:>10.3f}" + ("" if other is None else f"{other:>10.3f}"))
    print(f"{'memory at its peak, MB':<32}{our_peak:>10,}{their_peak:>10,}")


def peer(folder: Path, file: Path) -> tuple[dict[str, float], int]:
    place = folder / "venv"
    venv.create(place, with_pip=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "dtale==3.22.0", "pyarrow"], check=True)
    done = subprocess.run([python, "-c", _PEER, str(file)], check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"D-Tale failed: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["times"], found["peak"]


def platform(folder: Path, file: Path) -> tuple[dict[str, float], int]:
    with installed(folder) as served:
        client = served.client()
        ((_, version),) = served.put(file)
        times: dict[str, float] = {}

        def timed(name: str, ask: Callable[[], Any]) -> Any:
            begun = time.perf_counter()
            found = ask()
            times[name] = time.perf_counter() - begun
            return found

        session = timed("open", lambda: session_of(client, version.id, []))
        path = f"/sessions/{session}"
        half = version.rows // 2
        timed("first page", lambda: client.get(f"{path}/rows"))
        timed("page in the middle", lambda: client.get(f"{path}/rows", offset=half))
        timed("first sort of all, first page", lambda: client.get(f"{path}/rows", sort="counter", total="false"))
        timed("first sort of all, in the middle", lambda: client.get(f"{path}/rows", sort="counter", offset=half))
        timed("new sort, first page", lambda: client.get(f"{path}/rows", sort="-chance", total="false"))
        client.get(f"{path}/rows", sort="-chance", offset=half + 1000)
        timed("same sort, page in the middle", lambda: client.get(f"{path}/rows", sort="-chance", offset=half))
        timed("filter, first page", lambda: client.get(f"{path}/rows", filter=_FILTER))
        timed("describe a column", lambda: client.get(f"{path}/distributions", columns="flow", filter=_FILTER))
        return times, memory_of_web(served.supervisor).peak


if __name__ == "__main__":
    main()
