"""A private installation for the benchmarks: started in a temporary folder, filled, and asked over HTTP."""

import gzip
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from benchmarks.startup import serving


@dataclass(frozen=True, slots=True)
class Platform:
    """`token` is one of the administrator's, who owns all there is."""

    port: int
    token: str
    data_dir: Path
    supervisor: int

    def client(self) -> "Client":
        return Client(self.port, self.token)

    def put(self, *files: Path) -> list[tuple[Any, Any]]:
        """Each Parquet file as the first version of a data source of its own; gives users and versions."""
        from hydroml.domain.projects import UserId
        from hydroml.domain.sources import DataSource, Origin, OriginKind, SourceId, Version, VersionId
        from hydroml.entrypoints.bootstrap import container

        user = UserId(UUID(self.client().get("/me")["id"]))
        project = container().projects().create(user, "Benchmark").project.id
        now = datetime.now(UTC)
        versions: list[tuple[Any, Any]] = []
        for at, file in enumerate(files):
            written = container().tables_engine().describe(file)
            blob = container().blobs().add(_copy(file, self.data_dir))
            source = DataSource(
                id=SourceId(uuid4()), name=f"table {at}", owner_id=user, project_ids=frozenset({project}),
                created_at=now, updated_at=now,
            )  # fmt: skip
            version = Version(
                id=VersionId(uuid4()), source_id=source.id, number=1, columns=written.columns, rows=written.rows,
                size=blob.size, fingerprint=blob.key, origin=Origin(OriginKind.UPLOAD), created_by=user, created_at=now,
            )  # fmt: skip
            with container().uow() as uow:
                uow.sources.add(source)
                uow.versions.add(version)
                source.begin_version(uuid4(), now)
                source.add_version(version)
                uow.sources.save(source)
                uow.commit()
            versions.append((user, version))
        return versions


def _copy(file: Path, folder: Path) -> Path:
    """For the store, which takes what it is given away; without bytes of its own where the disk is the same."""
    copy = folder / f"{uuid4().hex}.parquet"
    try:
        copy.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, copy)
    return copy


class Client:
    """One connection that stays open, as a browser's does."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}

    def get(self, path: str, /, **query: Any) -> Any:
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, json.dumps(body or {}))

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        headers = self._headers | ({} if body is None else {"Content-Type": "application/json"})
        try:
            self._connection.request(method, f"/api/v1{path}", body, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):  # the server closes what has long been silent
            self._connection.close()
            self._connection.request(method, f"/api/v1{path}", body, headers)
            answer = self._connection.getresponse()
        content = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode()[:500]}")
        return json.loads(content) if content else None


@contextmanager
def installed(folder: Path, *, workers: int = 1) -> Iterator[Platform]:
    """An embedded installation in `folder`, also for this process' own services, until the block ends."""
    folder.chmod(0o711)
    data_dir = folder / "data"
    with serving(data_dir, "--workers", str(workers)) as served:
        os.environ["HYDROML_DATA_DIR"] = str(data_dir)
        command = [sys.executable, "-m", "hydroml", "create_token", "admin"]
        token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        yield Platform(served.port, token, data_dir, served.pid)


def session_of(client: Client, version: UUID, steps: list[dict[str, Any]]) -> str:
    """A session on the version with these steps."""
    session = client.post(f"/versions/{version}/sessions")["id"]
    for step in steps:
        client.post(f"/sessions/{session}/steps", step)
    return str(session)
