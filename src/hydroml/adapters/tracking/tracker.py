"""The port `Tracker` on MLflow, in this process: no MLflow server is started."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psycopg

from hydroml.domain.errors import DomainError, UnavailableError
from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import Run
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.models import Model, ModelVersion
from hydroml.domain.projects import ProjectId
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
_LOCK = 0x4D4C666C6F77


class MlflowTracker:
    """`tracking_uri` is a database or a tracking server; `artifact_root` a folder, or a bucket as
    `s3://bucket/prefix?endpoint=…`, or None to let a server choose."""

    def __init__(self, tracking_uri: str, artifact_root: str | None) -> None:
        self._tracking_uri = tracking_uri
        self._artifact_root, _, query = (artifact_root or "").partition("?")
        self._endpoint = parse_qs(query).get("endpoint", [""])[0]
        self._store: Any = None
        self._writer: Any = None

    def prepare(self) -> None:
        """Makes or upgrades MLflow's tables, which the first use does too."""
        with _answering():
            self._reader()

    def experiment(self, project_id: ProjectId, project_name: str) -> str:
        with _answering():
            return str(self._reader().experiment(project_id, project_name))

    def logged(self, mlflow_run_ids: Sequence[str]) -> Sequence[LoggedRun]:
        with _answering():
            return list(self._reader().logged(mlflow_run_ids))

    def newest(self, limit: int, project_id: ProjectId | None = None) -> Sequence[LoggedRun]:
        with _answering():
            return list(self._reader().newest(limit, project_id))

    def record(self, run: Run, version: Version, project_name: str, artifacts: Mapping[str, bytes], model: Path) -> str:
        with _answering():
            return str(self._recorder().record(run, version, project_name, artifacts, model))

    def nest(self, mlflow_run_id: str, suite: Suite) -> None:
        with _answering():
            recorder = self._recorder()
            with alone(self._tracking_uri):  # trials that end together must not each make the suite's record
                recorder.nest(mlflow_run_id, suite)

    def register(self, model: Model, version: ModelVersion, run: Run) -> str:
        with _answering():
            return str(self._recorder().register(model, version, run))

    def _reader(self) -> Any:
        if self._store is None:
            prepare_environment(self._artifact_root, self._endpoint)
            with alone(self._tracking_uri):
                from hydroml.adapters.tracking.reading import Reader

                reader = Reader(self._tracking_uri, self._artifact_root or None)
                reader.prepare()
            self._store = reader
        return self._store

    def _recorder(self) -> Any:
        reader = self._reader()
        if self._writer is None:
            from hydroml.adapters.tracking.recording import Recorder

            self._writer = Recorder(self._tracking_uri, reader)
        return self._writer


def prepare_environment(artifact_root: str, endpoint: str) -> None:
    """What must be known before MLflow is imported."""
    # without the root a store makes the folder ./mlruns, wherever the process happens to run
    places = {_ARTIFACT_ROOT: artifact_root, "MLFLOW_S3_ENDPOINT_URL": endpoint}
    for name, value in (_SETTINGS | places).items():
        if value:
            os.environ.setdefault(name, value)


@contextmanager
def alone(uri: str) -> Iterator[None]:
    """Within, no other process is within for the same PostgreSQL database. It also fails in seconds when
    the database is away, which MLflow itself would try for minutes."""
    scheme, _, rest = uri.partition("://")
    if scheme.partition("+")[0] != "postgresql":
        yield
        return
    with psycopg.connect(f"postgresql://{rest}", connect_timeout=5, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        yield


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
