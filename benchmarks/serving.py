"""One row over HTTP: our `POST /models/{id}/predict`, with its token, beside `mlflow models serve` of the same model.

Both servers run at once and are asked in turn, so that whatever else the machine does befalls both.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.platform import Client, Platform, installed

BOUND = 0.5
START_SECONDS = 120


def answered(port: int, path: str, headers: Mapping[str, str], body: str) -> Callable[[], float]:
    """A call that gives its milliseconds, on a connection that stays open."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    given = {**headers, "Content-Type": "application/json"}

    def ask() -> float:
        started = time.perf_counter()
        try:
            connection.request("POST", path, body, given)
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            connection.close()
            connection.request("POST", path, body, given)
            answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content.decode()[:500]}")
        return 1e3 * (time.perf_counter() - started)

    return ask


@contextmanager
def served_by_mlflow(folder: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    binaries = Path(sys.executable).parent
    command = [binaries / "mlflow", "models", "serve", "-m", folder, "--env-manager", "local", "-p", str(port)]
    environment = os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}"}
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/ping")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.5)
        yield port
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def registered(platform: Platform, client: Client, version: Any, algorithm: str) -> tuple[str, Path]:
    """A model's id, and the folder MLflow keeps of it."""
    project = client.get("/projects")["items"][0]["id"]
    document = {"name": algorithm, "version_id": str(version.id), "target": "y", "algorithm": {"name": algorithm}}
    experiment = client.post(f"/projects/{project}/experiments", document)["id"]
    run = client.post(f"/experiments/{experiment}/runs")["run"]["id"]
    while (found := client.get(f"/runs/{run}"))["mlflow_run_id"] is None:
        if found["status"] in {"failed", "cancelled"}:
            raise RuntimeError(found["error"])
        time.sleep(0.5)
    model = client.post(f"/runs/{run}/register", {"model": algorithm})["id"]
    for file in platform.data_dir.rglob("MLmodel"):
        if found["mlflow_run_id"] in file.read_text():
            return model, file.parent
    raise RuntimeError("MLflow has no such model")


def measure(platform: Platform, version: Any, row: Mapping[str, Any], algorithm: str, times: int) -> None:
    client = platform.client()
    model, folder = registered(platform, client, version, algorithm)
    with served_by_mlflow(folder) as port:
        authorization = {"Authorization": f"Bearer {platform.token}"}
        ours = answered(platform.port, f"/api/v1/models/{model}/predict", authorization, json.dumps({"rows": [row]}))
        theirs = answered(port, "/invocations", {}, json.dumps({"dataframe_records": [row]}))
        for _ in range(20):
            ours(), theirs()
        pairs = [(ours(), theirs()) for _ in range(times)]
    taken = [sorted(side) for side in zip(*pairs, strict=True)]
    (our_50, our_95), (their_50, their_95) = ((statistics.median(t), t[int(0.95 * len(t))]) for t in taken)
    verdict = "within" if our_50 <= BOUND * their_50 else "over"
    print(
        f"{algorithm}: one row over HTTP, p50 {our_50:.1f} ms (p95 {our_95:.1f}); mlflow models serve "
        f"{their_50:.1f} ms (p95 {their_95:.1f}); ratio {our_50 / their_50:.2f}, {verdict} {BOUND}",
        flush=True,
    )


def main() -> None:
    import pyarrow.parquet as pq

    from benchmarks.training import make_table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--algorithm", action="append")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        table = folder / "table.parquet"
        make_table(table, 20_000)
        row = {k: v for k, v in pq.read_table(table).slice(0, 1).to_pylist()[0].items() if k != "y"}
        with installed(folder) as platform:
            [(_, version)] = platform.put(table)
            for algorithm in arguments.algorithm or ["hist_gradient_boosting", "lightgbm", "ridge"]:
                measure(platform, version, row, algorithm, arguments.times)


if __name__ == "__main__":
    main()
