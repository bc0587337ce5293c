"""A whole installation, started as people start it, and a client that speaks to it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from hydroml.entrypoints.supervisor.processes import wait_until

READY = re.compile(r"HydroML is ready on http://127\.0\.0\.1:(\d+)")


class Serving:
    """A `hydroml serve` in a session of its own."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment, self.log = environment, log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hydroml", "serve", "--port", "0"],
                env=environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def ready(self) -> int:
        assert wait_until(lambda: bool(READY.search(self.output)) or self.process.poll() is not None, 120), self.output
        found = READY.search(self.output)
        assert found is not None, self.output
        return int(found[1])

    @property
    def output(self) -> str:
        return self.log.read_text()

    def command(self, *arguments: str) -> str:
        """What a command prints, run against the same data folder."""
        done = subprocess.run(
            [sys.executable, "-m", "hydroml", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


class Api:
    """`/api/v1` with a token. Refusals are assertion errors that show the problem's document."""

    def __init__(self, port: int, token: str) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )

    def get(self, path: str, **parameters: Any) -> Any:
        return self._answer(self._client.get(path, params=parameters))

    def post(self, path: str, document: Any = None) -> Any:
        return self._answer(self._client.post(path, json=document))

    def patch(self, path: str, document: Any) -> Any:
        return self._answer(self._client.patch(path, json=document))

    def upload(self, project: str, filename: str, content: bytes, **fields: str) -> Any:
        return self._answer(
            self._client.post(f"/projects/{project}/sources", data=fields, files={"file": (filename, content)})
        )

    def job(self, job_id: str) -> Any:
        return self.get(f"/jobs/{job_id}")

    def wait(self, job_id: str, seconds: float = 120) -> Any:
        """The job once it has ended, however it did."""
        return self.until(job_id, lambda job: job["state"] in ("succeeded", "failed", "cancelled"), seconds)

    def until(self, job_id: str, reached: Callable[[Any], bool], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while not reached(job := self.job(job_id)):
            assert time.monotonic() < end, job
            time.sleep(0.1)
        return job

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        assert response.is_success, response.text
        return response.json() if response.content else None


def processes_of(data_dir: Path) -> dict[int, str]:
    """Every live process whose command line or environment names the data folder, but us."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if command and str(data_dir).encode() in command + environment:
            found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return found
