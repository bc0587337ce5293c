"""The port `Tracker` on MLflow, in this process: no MLflow server is started."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from hydroml.domain.errors import DomainError, UnavailableError
from hydroml.domain.experiments.runs import Run
from hydroml.domain.models import Model, ModelVersion
from hydroml.domain.sources import Version

# Every process builds the container, and MLflow takes seconds and 200 MB to import. So this module does not import
# it: the one that does is imported at the first use.

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # a tracking server that is away must not hold up a worker for minutes; the record is made up for later
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
_ARTIFACT_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"


class MlflowTracker:
    """`tracking_uri` is a database or a tracking server; `artifact_root` a folder or bucket, None to let a server
    choose."""

    def __init__(self, tracking_uri: str, artifact_root: str | None) -> None:
        self._tracking_uri = tracking_uri
        self._artifact_root = artifact_root
        self._store: Any = None

    def prepare(self) -> None:
        """Makes or upgrades MLflow's tables; safe to repeat, but not at the same time in two processes."""
        with _answering():
            self._recorder().prepare()

    def record(self, run: Run, version: Version, project_name: str, artifacts: Mapping[str, bytes], model: Path) -> str:
        with _answering():
            return str(self._recorder().record(run, version, project_name, artifacts, model))

    def register(self, model: Model, version: ModelVersion, run: Run) -> str:
        with _answering():
            return str(self._recorder().register(model, version, run))

    def _recorder(self) -> Any:
        if self._store is None:
            for name, value in _SETTINGS.items():
                os.environ.setdefault(name, value)
            if self._artifact_root is not None:
                # without it a store makes the folder ./mlruns, wherever the process happens to run
                os.environ.setdefault(_ARTIFACT_ROOT, self._artifact_root)
            _check_database(self._tracking_uri)
            from hydroml.adapters.tracking.recording import Recorder

            self._store = Recorder(self._tracking_uri, self._artifact_root)
        return self._store


def _check_database(uri: str) -> None:
    """MLflow tries an unreachable database for minutes; this fails in seconds."""
    scheme, separator, rest = uri.partition("://")
    if separator and scheme.split("+")[0] in ("postgresql", "postgres"):
        psycopg.connect(f"postgresql://{rest}", connect_timeout=5).close()


@contextmanager
def _answering() -> Iterator[None]:
    """Whatever MLflow and the drivers below it raise means that the record could not be made just now."""
    try:
        yield
    except DomainError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise UnavailableError(f"MLflow does not answer: {reason[0] if reason else type(error).__name__}") from error
