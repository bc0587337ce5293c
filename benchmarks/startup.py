"""How long until one can begin: `hydroml --help`, and `hydroml serve` until its first page, beside a bare Python.

The data folder is a temporary one; the first start makes the databases, the second one is the warm one.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUNS = 7
PATIENCE_SECONDS = 180


def seconds_of(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple[float, int]]:
    """`hydroml serve` within the block: the seconds until its first page, and its process number."""
    port = free_port()
    started = time.perf_counter()
    serve = subprocess.Popen(
        [sys.executable, "-m", "hydroml", "serve", "--port", str(port)],
        env=os.environ | {"HYDROML_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answers(port):
            if time.perf_counter() - started > PATIENCE_SECONDS:
                raise TimeoutError("serve did not answer")
            time.sleep(0.05)
        yield time.perf_counter() - started, serve.pid
    finally:
        serve.send_signal(signal.SIGINT)
        serve.wait(30)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login") as answer:
            answer.read()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def seconds_to_first_page(data_dir: Path) -> tuple[float, int]:
    """Seconds from the start of `serve` to the first page, and the web process' memory at rest in MB."""
    with serving(data_dir) as (seconds, pid):
        time.sleep(3)
        return seconds, memory_of_web(pid)


def memory_of_web(supervisor: int) -> int:
    """Resident memory, in MB, of the supervisor's child that is the web server."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            command = (status.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if lines.get("PPid", "").strip() == str(supervisor) and b"uvicorn" in command:
            return int(lines["VmRSS"].split()[0]) // 1024
    return 0


def main() -> None:
    bare = statistics.median(seconds_of([sys.executable, "-c", ""]) for _ in range(RUNS))
    helped = statistics.median(seconds_of([sys.executable, "-m", "hydroml", "--help"]) for _ in range(RUNS))
    with tempfile.TemporaryDirectory(prefix="hydroml-bench-") as folder:
        Path(folder).chmod(0o711)
        first, _ = seconds_to_first_page(Path(folder) / "data")
        warm, memory = seconds_to_first_page(Path(folder) / "data")
    print("start-up                          seconds   bound")
    print(f"python -c ''                      {bare:7.2f}")
    print(f"hydroml --help                    {helped:7.2f}     0.5   ({helped / bare:.1f} × bare Python)")
    print(f"serve to first page, first start  {first:7.2f}")
    print(f"serve to first page, warm         {warm:7.2f}     8")
    print(f"web process at rest               {memory:7d} MB  300 MB")


if __name__ == "__main__":
    main()
