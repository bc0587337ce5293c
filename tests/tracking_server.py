"""`mlflow server` in a process of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from hydroml.entrypoints.supervisor.processes import wait_until


class MlflowServer:
    """With one worker and without its job runners; its store is `url`, its files are in `folder`."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self.folder = url, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        options = [f"--port={self.port}", "--workers=1", f"--artifacts-destination={self.folder / 'artifacts'}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", f"--backend-store-uri={self._url}", *options],
                env=os.environ | settings,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        assert wait_until(self._answers, 120), (self.folder / "log").read_text()

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait(20)
            self._process = None

    def _answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.uri}/health", timeout=2).status == 200)
        except (URLError, OSError):
            return False
