"""MLflow's interface for the members of projects, and its pages for administrators: what is let through to it.

An allow-list. A request is read here and written anew, so that MLflow sees no field that was not looked at: every id of
an experiment, run or model in it must be of a project of the asker's, and what is HydroML's own is only read.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from hydroml.application.access import project_of
from hydroml.application.ports.learning import Tracker
from hydroml.application.ports.repositories import MAX_LIMIT, Listing, UnitOfWorkFactory
from hydroml.application.ports.tracking import Answer, Call, TrackingServer
from hydroml.domain.errors import ForbiddenError, InvalidInputError, NotFoundError, UnavailableError
from hydroml.domain.experiments.logged import experiment_name
from hydroml.domain.projects import Project, ProjectId, Role, UserId

MAX_DOCUMENT = 4 * 2**20
"""Of the JSON of a request, in bytes; MLflow itself takes one million characters."""
_API = "api/2.0/mlflow/"
_ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"
_OWN = "hydroml."
_LOGGED_BY = "hydroml.logged_by"
_NAME = re.compile(r"[a-z][a-z_]*")
_ID = r"[A-Za-z0-9_-]{1,64}"
_READS = frozenset({
    "GET experiments/get", "GET runs/get", "POST runs/search", "GET metrics/get-history",
    "GET metrics/get-history-bulk-interval", "GET artifacts/list", "GET logged-models/{id}",
    "POST logged-models/search", "GET logged-models/{id}/artifacts/directories",
})  # fmt: skip
_WRITES = frozenset({
    "POST runs/create", "POST runs/update", "POST runs/delete", "POST runs/restore", "POST runs/log-metric",
    "POST runs/log-parameter", "POST runs/log-batch", "POST runs/set-tag", "POST runs/delete-tag",
    "POST runs/log-inputs", "POST runs/outputs", "POST runs/log-model", "POST logged-models",
    "PATCH logged-models/{id}", "DELETE logged-models/{id}", "PATCH logged-models/{id}/tags",
    "DELETE logged-models/{id}/tags/{key}", "POST logged-models/{id}/params",
})  # fmt: skip
_REGISTRY = frozenset({"GET registered-models/get", "GET registered-models/alias", "GET model-versions/get",
                       "GET model-versions/get-download-uri"})  # fmt: skip
_PAGES = (
    r"", r"version", r"static-files/[\w./-]+", r"get-artifact", r"model-versions/get-artifact", r"graphql",
    r"ajax-api/3\.0/mlflow/(server-info|traces/(search|metrics))",
    r"ajax-api/2\.0/mlflow/experiments/(get|get-by-name|search|search-datasets)",
    r"ajax-api/2\.0/mlflow/(runs/(get|search)|artifacts/list|metrics/get-history(-bulk|-bulk-interval)?)",
    r"ajax-api/2\.0/mlflow/registered-models/(get|search|alias|get-latest-versions)",
    r"ajax-api/2\.0/mlflow/model-versions/(get|search|get-download-uri)",
    r"ajax-api/2\.0/mlflow/logged-models/(search|[\w-]+(/artifacts/(directories|files))?)",
)  # fmt: skip
_PAGE = re.compile(rf"({'|'.join(_PAGES)})")
_ASKING = re.compile(r".*(search|search-datasets|traces/metrics)|graphql|.*get-latest-versions")
"""Of the pages' addresses those that are asked by POST."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run or model is, and whether HydroML recorded it."""

    project_id: ProjectId
    ours: bool
    run_id: str | None = None


class MlflowAccess:
    def __init__(self, *, uow: UnitOfWorkFactory, tracker: Tracker, server: TrackingServer) -> None:
        self._uow, self._tracker, self._server = uow, tracker, server
        # what an experiment, run or model belongs to never changes
        self._experiment = lru_cache(10_000)(self._find_experiment)
        self._run = lru_cache(10_000)(self._find_run)
        self._model = lru_cache(10_000)(self._find_model)

    def ask(self, user: UserId, call: Call, *, may_write: bool) -> Answer:
        """MLflow's interface for its clients. Raises NotFoundError for what is not the asker's and for what is not let
        through, ForbiddenError for what they may not change, InvalidInputError and UnavailableError."""
        if call.path.startswith(_ARTIFACTS):
            return self._ask_artifacts(user, call, may_write)
        if not call.path.startswith(_API):
            raise NotFoundError("this part of MLflow is not offered here")
        route, path_ids = _route(call.method, call.path.removeprefix(_API))
        document = _document(call)
        match route:
            case "GET experiments/get-by-name":
                return self._named(user, str(document.get("experiment_name", "")))
            case "POST experiments/search" | "GET experiments/search":
                return self._mine(user, call, document)
            case "POST experiments/create":
                raise ForbiddenError("each of your projects has one experiment, called by its name and id")
            case _ if route in _REGISTRY:
                self._check_registered(user, str(document.get("name", "")))
                return self._server.answer(_anew(call, document))
            case _ if route in _READS | _WRITES:
                return self._ask_known(user, route, call, document | path_ids, may_write)
        raise NotFoundError("this part of MLflow is not offered here")

    def _ask_known(self, user: UserId, route: str, call: Call, document: dict[str, Any], may_write: bool) -> Answer:
        writes = route in _WRITES
        if writes and not may_write:
            raise ForbiddenError("this token may only read")
        _tell_run(document)
        if not document.get(_required(route)):  # MLflow would take another experiment, or all of them
            raise InvalidInputError(f"it does not say of which {_required(route).partition('_')[0]}")
        places = list(self._places(document))
        self._check(user, places, writes)
        if writes:
            _keep_own_tags(document, route)
        if route == "POST runs/create":
            stamp = {"key": _LOGGED_BY, "value": str(user)}
            document["tags"] = [*document.get("tags", []), stamp]
        answer = self._server.answer(_anew(call, document))
        if writes and answer.status < 300:
            answer = self._note(answer, places, created=route == "POST runs/create")
        return answer

    def show(self, call: Call) -> Answer:
        """MLflow's pages and what they ask for; they show every project and change nothing. Raises NotFoundError for
        the rest, and for what would change something."""
        allowed = call.method == "GET" or (call.method == "POST" and _ASKING.fullmatch(call.path))
        if not allowed or not _PAGE.fullmatch(call.path) or ".." in call.path:
            raise NotFoundError("this part of MLflow is not offered here")
        return self._server.answer(call)

    # Experiments ---------------------------------------------------------------------------------------------------

    def _named(self, user: UserId, name: str) -> Answer:
        """By the name or the id of a project of the asker's; the experiment is made at its first use."""
        project = next((p for p in self._projects(user) if name in (experiment_name(p.id, p.name), str(p.id))), None)
        if project is None:
            raise NotFoundError(f"no experiment “{name}”: each of your projects has one, called by its name and id")
        experiment = self._tracker.experiment(project.id, project.name)
        return self._server.answer(Call("GET", f"{_API}experiments/get", (("experiment_id", experiment),)))

    def _mine(self, user: UserId, call: Call, document: dict[str, Any]) -> Answer:
        answer = self._server.answer(_anew(call, document))
        if answer.status >= 300:
            return answer
        mine = {str(project.id) for project in self._projects(user)}
        found = json.loads(b"".join(answer.body))
        all_of_them = found.get("experiments", [])
        found["experiments"] = [one for one in all_of_them if _tags(one).get(_OWN + "project_id") in mine]
        return _json(found)

    def _projects(self, user: UserId) -> Iterator[Project]:
        cursor: str | None = None
        while True:
            with self._uow() as uow:
                page = uow.projects.of_member(user, Listing(limit=MAX_LIMIT, cursor=cursor))
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    # What belongs to whom --------------------------------------------------------------------------------------------

    def _check(self, user: UserId, places: Collection[Place], writes: bool) -> None:
        with self._uow() as uow:
            for project_id in {place.project_id for place in places}:
                try:
                    project_of(uow, user, project_id, Role.EDITOR if writes else Role.VIEWER)
                except NotFoundError:
                    raise NotFoundError("no such experiment, run or model") from None
        if writes and any(place.ours for place in places):
            raise ForbiddenError("HydroML has recorded this run; it is changed by HydroML alone")

    def _places(self, value: Any) -> Iterator[Place]:
        """Of every id in a document, wherever it stands."""
        if isinstance(value, list):
            for one in value:
                yield from self._places(one)
        if not isinstance(value, dict):
            return
        for name, part in value.items():
            of = {"experiment": self._experiment, "run": self._run, "model": self._model}.get(_KINDS.get(name, ""))
            if of is None:
                yield from self._places(part)
                continue
            if isinstance(part, list) is not name.endswith("_ids"):
                raise InvalidInputError(f"{name} is {'a list' if name.endswith('_ids') else 'one id'}")
            for id_ in part if isinstance(part, list) else [part]:
                if not isinstance(id_, str) or not re.fullmatch(_ID, id_):
                    raise NotFoundError("no such experiment, run or model")
                yield of(id_)

    def _find_experiment(self, experiment_id: str) -> Place:
        found = self._get("experiments/get", "experiment_id", experiment_id)["experiment"]
        project = _tags(found).get(_OWN + "project_id")
        if project is None:
            raise NotFoundError("no such experiment, run or model")
        return Place(ProjectId(UUID(project)), ours=False)

    def _find_run(self, run_id: str) -> Place:
        found = self._get("runs/get", "run_id", run_id)["run"]
        tags = _tags(found["data"])
        ours = not {_OWN + "run_id", _OWN + "suite_id"}.isdisjoint(tags)
        return Place(self._experiment(found["info"]["experiment_id"]).project_id, ours, run_id)

    def _find_model(self, model_id: str) -> Place:
        info = self._get(f"logged-models/{model_id}")["model"]["info"]
        run = info.get("source_run_id")
        if run:
            return self._run(run)
        return replace(self._experiment(info["experiment_id"]), ours=False)

    def _check_registered(self, user: UserId, name: str) -> None:
        found = self._get("registered-models/get", "name", name)["registered_model"]
        project = _tags(found).get(_OWN + "project_id")
        if project is None:
            raise NotFoundError("no such model")
        self._check(user, [Place(ProjectId(UUID(project)), ours=True)], writes=False)

    def _get(self, path: str, name: str = "", value: str = "") -> Any:
        answer = self._server.answer(Call("GET", _API + path, ((name, value),) if name else ()))
        content = b"".join(answer.body)
        if answer.status >= 500:
            raise UnavailableError("MLflow does not answer")
        if answer.status >= 300:
            raise NotFoundError("no such experiment, run or model")
        return json.loads(content)

    def _note(self, answer: Answer, places: Sequence[Place], *, created: bool) -> Answer:
        """Remembers which runs are to be read again."""
        runs = {place.run_id for place in places if place.run_id is not None}
        if created:
            document = json.loads(b"".join(answer.body))
            runs = {document["run"]["info"]["run_id"]}
            answer = _json(document)
        with self._uow() as uow:
            for run_id in runs:
                uow.logged_runs.changed(places[0].project_id, run_id)
            uow.commit()
        return answer

    # Artifacts -------------------------------------------------------------------------------------------------------

    def _ask_artifacts(self, user: UserId, call: Call, may_write: bool) -> Answer:
        """Files that clients keep with their runs: carried through, never opened."""
        listed = call.path == _ARTIFACTS
        given = dict(call.query).get("path", "") if listed else call.path.removeprefix(f"{_ARTIFACTS}/")
        parts = given.split("/")
        if any(part in ("", ".", "..") or re.search(r"[\\%\x00-\x1f]", part) for part in parts) or len(parts) < 2:
            raise InvalidInputError("not the path of an artifact")
        writes = call.method in ("PUT", "DELETE")
        if not writes and call.method != "GET":
            raise NotFoundError("this part of MLflow is not offered here")
        if writes and not may_write:
            raise ForbiddenError("this token may only read")
        folder = self._folder(parts)
        self._check(user, [folder], writes)
        query = (("path", given),) if listed else ()
        return self._server.answer(replace(call, query=query))

    def _folder(self, parts: Sequence[str]) -> Place:
        """Whose a path is: it begins with a project or an experiment, then a run, or “models” and a model."""
        top, second = parts[0], parts[1]
        if second == "models" and len(parts) > 2:
            place = self._model(parts[2]) if re.fullmatch(_ID, parts[2]) else None
        else:
            place = self._run(second) if re.fullmatch(_ID, second) else None
        if place is None or (top != str(place.project_id) and self._experiment(top).project_id != place.project_id):
            raise NotFoundError("no such artifact")
        return place


_KINDS = {
    "experiment_id": "experiment", "experiment_ids": "experiment", "run_id": "run", "run_ids": "run",
    "source_run_id": "run", "model_id": "model",
}  # fmt: skip


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The address with names in place of ids, and those ids."""
    parts = path.split("/")
    if parts[0] != "logged-models" or len(parts) < 2 or parts[1] == "search":
        return f"{method} {path}", {}
    found = {"model_id": parts[1]}
    parts[1] = "{id}"
    if len(parts) == 4 and parts[2] == "tags" and not parts[3].startswith(_OWN):
        parts[3] = "{key}"
    return f"{method} {'/'.join(parts)}", found


def _required(route: str) -> str:
    """The id without which a request is not understood."""
    match route.split()[1].split("/"):
        case ["runs" | "logged-models", "search"]:
            return "experiment_ids"
        case ["runs", "create"] | ["experiments", "get"] | ["logged-models"]:
            return "experiment_id"
        case ["logged-models", *_]:
            return "model_id"
        case ["metrics", "get-history-bulk-interval"]:
            return "run_ids"
    return "run_id"


def _document(call: Call) -> dict[str, Any]:
    """What is asked, from the query of a GET and the JSON of the rest. Raises InvalidInputError for what is no such
    document, and for names in other forms than those that are looked at: MLflow would take them too."""
    if call.method == "GET":
        document: Any = {}
        for name, value in call.query:
            several = name in ("run_ids", "order_by")
            document[name] = [*document.get(name, []), value] if several else value
    else:
        length = len(call.body) if isinstance(call.body, bytes) else call.length
        if length > MAX_DOCUMENT:
            raise InvalidInputError(f"at most {MAX_DOCUMENT:,} bytes")
        content = call.body if isinstance(call.body, bytes) else call.body.read(length)
        try:
            document = json.loads(content or b"{}")
        except (ValueError, RecursionError):
            raise InvalidInputError("not a JSON document") from None
    if not isinstance(document, dict) or not all(_NAME.fullmatch(name) for name in _names(document)):
        raise InvalidInputError("not a document of MLflow's: its names are lower-case with underscores")
    return document


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _names(part)


def _tell_run(document: dict[str, Any]) -> None:
    """Older clients name the run twice; MLflow shall see the one that is looked at."""
    old = document.pop("run_uuid", None)
    document.setdefault("run_id", old)
    if document["run_id"] is None:
        del document["run_id"]


def _keep_own_tags(document: Mapping[str, Any], route: str) -> None:
    tags = document.get("tags", [])
    names = [tag.get("key") if isinstance(tag, dict) else None for tag in (tags if isinstance(tags, list) else [tags])]
    if route in ("POST runs/set-tag", "POST runs/delete-tag"):
        names.append(document.get("key"))
    if not all(isinstance(name, str) for name in names):
        raise InvalidInputError("tags have a key and a value")
    if any(str(name).startswith(_OWN) for name in names):
        raise ForbiddenError(f"tags that begin with {_OWN} are HydroML's own")


def _anew(call: Call, document: Mapping[str, Any]) -> Call:
    """The request with what was looked at, and nothing else."""
    if call.method == "GET":
        pairs = [(name, str(one)) for name, v in document.items() for one in (v if isinstance(v, list) else [v])]
        return Call("GET", call.path, tuple(pairs))
    return Call(call.method, call.path, (), json.dumps(document).encode(), content_type="application/json")


def _tags(document: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in document.get("tags", [])}


def _json(document: Any) -> Answer:
    content = json.dumps(document).encode()
    return Answer(200, {"content-type": "application/json", "content-length": str(len(content))}, iter([content]))
