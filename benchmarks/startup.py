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
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Served:
    """The seconds until its first page, the supervisor's process number, and the web's port."""

    seconds: float
    pid: int
    port: int


@contextmanager
def serving(data_dir: Path, *options: str) -> Iterator[Served]:
    """`hydroml serve` within the block."""
    port = free_port()
    started = time.perf_counter()
    serve = subprocess.Popen(
        [sys.executable, "-m", "hydroml", "serve", "--port", str(port), *options],
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
        yield Served(time.perf_counter() - started, serve.pid, port)
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
    with serving(data_dir) as served:
        time.sleep(3)
        return served.seconds, memory_of_web(served.pid).now


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MB."""

    now: int
    peak: int


def memory_of_web(supervisor: int) -> Memory:
    """Of the supervisor's web processes together."""
    status = [_status(pid) for pid in _web(supervisor)]
    now, peak = (sum(int(one.get(key, "0 kB").split()[0]) for one in status) // 1024 for key in ("VmRSS", "VmHWM"))
    return Memory(now, peak)


def seconds_of_web(supervisor: int) -> float:
    """Processor time of the supervisor's web processes together."""
    ticks = 0
    for pid in _web(supervisor):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _web(supervisor: int) -> list[int]:
    """The web server's process, and those that it has started."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        if parent := _status(pid).get("PPid"):
            parents[pid] = int(parent)
    first = [pid for pid, parent in parents.items() if parent == supervisor and "uvicorn" in _command(pid)]
    return [*first, *(pid for pid, parent in parents.items() if parent in first)]


def _status(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


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
