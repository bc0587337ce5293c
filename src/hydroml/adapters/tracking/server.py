"""The port `TrackingServer`: MLflow's web application in this process, or a tracking server elsewhere.

In this process it is MLflow's Flask application alone, without the routers that FastAPI adds to it (assistant, jobs,
gateway); only what the caller has allowed comes here.
"""

import http.client
import json
import os
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from hydroml.adapters.tracking.tracker import alone, prepare_environment
from hydroml.application.ports.tracking import Answer, Call, Readable
from hydroml.domain.errors import UnavailableError

_CHUNK = 1 << 20
_TIMEOUT = 60.0
_HEADERS = ("content-type", "content-disposition", "content-length", "cache-control", "last-modified")
"""What of the server's headers is passed on."""
_PLACES = ("artifact_uri", "artifact_location", "source", "storage_location")
"""Where MLflow's documents say where artifacts are."""
_FILE = re.compile(r"get-artifact$|artifacts/files$|mlflow-artifacts/artifacts/|^static-files/")
_PROXIED = "mlflow-artifacts:/"


def tracking_server(tracking_uri: str, artifact_root: str | None) -> "LocalServer | RemoteServer":
    """By the form of the address."""
    if urlsplit(tracking_uri).scheme in ("http", "https"):
        return RemoteServer(tracking_uri)
    return LocalServer(tracking_uri, artifact_root or "")


class LocalServer:
    """MLflow is imported at the first call, which takes seconds and some 250 MB."""

    def __init__(self, tracking_uri: str, artifact_root: str) -> None:
        self._tracking_uri = tracking_uri
        self._artifact_root, _, query = artifact_root.partition("?")
        self._endpoint = parse_qs(query).get("endpoint", [""])[0]
        self._lock = threading.Lock()
        self._application: Callable[..., Any] | None = None

    def answer(self, call: Call) -> Answer:
        with self._lock:
            if self._application is None:
                self._application = self._start()
        answer = self._ask(self._application, call)
        if answer.headers.get("content-type", "").startswith("application/json") and not _FILE.search(call.path):
            return self._hide_places(answer)
        return answer

    def _start(self) -> Callable[..., Any]:
        prepare_environment(self._artifact_root, self._endpoint)
        # private names, which MLflow's command line sets for its server processes: the tests of the mount watch them
        for name, value in {
            "_MLFLOW_SERVER_FILE_STORE": self._tracking_uri,
            "_MLFLOW_SERVER_REGISTRY_STORE": self._tracking_uri,
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": self._artifact_root,
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }.items():
            os.environ[name] = value
        try:
            with alone(self._tracking_uri):
                from mlflow.server import app

                application: Callable[..., Any] = app.wsgi_app
                one = Call("GET", "api/2.0/mlflow/experiments/search", (("max_results", "1"),))
                first = self._ask(application, one)
                if first.status >= 500:
                    raise UnavailableError("MLflow's store does not answer")
        except UnavailableError:
            raise
        except Exception as error:
            raise UnavailableError(f"MLflow does not start: {type(error).__name__}") from error
        return application

    def _ask(self, application: Callable[..., Any], call: Call) -> Answer:
        from werkzeug.test import run_wsgi_app

        environ = {
            "REQUEST_METHOD": call.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/{call.path}".encode().decode("latin-1"),  # as WSGI has it
            "QUERY_STRING": urlencode(call.query),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "CONTENT_TYPE": call.content_type,
            "CONTENT_LENGTH": str(_length(call)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": _Body(call),
            "wsgi.errors": _Silent(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        body, status, headers = run_wsgi_app(application, environ)
        return Answer(int(status.split()[0]), _passed(list(headers)), _closed(body))

    def _hide_places(self, answer: Answer) -> Answer:
        """Clients elsewhere can reach the folder or bucket through this server alone."""
        document = json.loads(b"".join(answer.body))
        content = json.dumps(self._proxied(document)).encode()
        return Answer(answer.status, {**answer.headers, "content-length": str(len(content))}, iter([content]))

    def _proxied(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._proxied(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._place(part) if name in _PLACES and isinstance(part, str) else self._proxied(part)
            for name, part in value.items()
        }

    def _place(self, place: str) -> str:
        root = f"{self._artifact_root.rstrip('/')}/"
        bare = place.removeprefix("file://")
        return _PROXIED + bare.removeprefix(root) if bare.startswith(root) else place


class RemoteServer:
    """A tracking server that serves its artifacts itself."""

    def __init__(self, tracking_uri: str) -> None:
        self._url = urlsplit(tracking_uri)

    def answer(self, call: Call) -> Answer:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=_TIMEOUT)
        target = quote(f"{self._url.path.rstrip('/')}/{call.path}")
        if call.query:
            target += f"?{urlencode(call.query)}"
        headers = {"Content-Length": str(_length(call))}
        if self._url.username:
            account = f"{unquote(self._url.username)}:{unquote(self._url.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(account.encode()).decode()}"
        if call.content_type:
            headers["Content-Type"] = call.content_type
        try:
            connection.request(call.method, target, _Body(call), headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise UnavailableError(f"MLflow does not answer: {type(error).__name__}") from error
        return Answer(response.status, _passed(response.getheaders()), _pieces(connection, response))


class _Body:
    """The body of a call as a file, of the length that was promised and no more."""

    def __init__(self, call: Call) -> None:
        self._rest = _length(call)
        self._bytes = call.body if isinstance(call.body, bytes) else None
        self._file: Readable | None = None if isinstance(call.body, bytes) else call.body

    def read(self, size: int = -1) -> bytes:
        wanted = self._rest if size < 0 else min(size, self._rest)
        if self._bytes is not None:
            piece, self._bytes = self._bytes[:wanted], self._bytes[wanted:]
        else:
            piece = self._file.read(min(wanted, _CHUNK)) if self._file is not None and wanted else b""
        self._rest -= len(piece)
        return piece


class _Silent:
    """What Flask says of an error is in its answer."""

    def write(self, _text: str) -> int:
        return 0

    def flush(self) -> None: ...


def _length(call: Call) -> int:
    return len(call.body) if isinstance(call.body, bytes) else call.length


def _passed(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if name.lower() in _HEADERS}


def _closed(body: Any) -> Iterator[bytes]:
    try:
        yield from body
    finally:
        if hasattr(body, "close"):
            body.close()


def _pieces(connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read(_CHUNK):
            yield piece
    finally:
        connection.close()
