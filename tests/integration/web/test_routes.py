"""Every address there is, taken from the tables of addresses: strangers get nothing out of any of them."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from hydroml.entrypoints.web.api.root import api
from tests.integration.web.people import Person, Things

PUBLIC = {"/healthz", "/readyz", "/login", "/logout", "/signup", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/"}

# What a body must hold to be understood at all; a new route that takes one says so here.
BODIES: dict[str, Any] = {
    "POST /versions/{version_id}/compare": {"with": "00000000-0000-4000-8000-000000000000"},
    "PATCH /projects/{project_id}": {"name": "mine now"},
    "POST /projects/{project_id}/members": {"username": "bob", "role": "owner"},
    "PUT /projects/{project_id}/members/{user_id}": {"role": "viewer"},
    "PUT /projects/{project_id}/members/{username}": {"role": "viewer"},
    "PATCH /sources/{source_id}": {"name": "mine now"},
    "POST /sources/{source_id}/purge": {"name": "flows.csv"},
    "POST /sources/{source_id}/rollback": {"version_id": str(uuid4())},
    "POST /sessions/{session_id}/steps": {"op": "drop_columns", "columns": ["flow"]},
    "POST /sessions/{session_id}/preview": {"op": "drop_columns", "columns": ["flow"]},
    "POST /sessions/{session_id}/match": {"op": "drop_columns", "columns": ["flow"]},
    "PATCH /sessions/{session_id}/steps/{step_id}": {"enabled": False},
    "POST /sessions/{session_id}/steps/{step_id}/move": {"after": None},
    "POST /sessions/{session_id}/steps/copy": {"session_id": str(uuid4()), "steps": [str(uuid4())]},
    "POST /sessions/{session_id}/steps/{step_id}/comments": {"text": "mine now"},
    "PATCH /sessions/{session_id}": {"name": "mine now"},
    "PATCH /sessions/{session_id}/branches/{tip}": {"name": "mine now"},
    "POST /projects/{project_id}/recipes": {"name": "x", "steps": [{"op": "drop_columns", "columns": ["flow"]}]},
    "PATCH /recipes/{recipe_id}": {"name": "mine now"},
    "POST /versions/{version_id}/apply": {"recipe_id": str(uuid4())},
    "POST /versions/{version_id}/apply/check": {"recipe_id": str(uuid4())},
    "POST /sessions/{session_id}/jump": {"step": None},
    "POST /versions/{version_id}/formulas/check": {"formula": "flow"},
    "POST /sessions/{session_id}/formulas/check": {"formula": "flow"},
    "POST /projects/{project_id}/query": {"sql": "SELECT 1"},
    "POST /projects/{project_id}/query/save": {"sql": "SELECT 1", "name": "stolen"},
    "POST /projects/{project_id}/experiments": {"name": "x", "version_id": str(uuid4()), "target": "flow"},
    "POST /projects/{project_id}/preflight": {"name": "x", "version_id": str(uuid4()), "target": "flow"},
    "PATCH /experiments/{experiment_id}": {"name": "mine now"},
    "POST /projects/{project_id}/suites": {"experiment_id": str(uuid4()), "plan": {"kind": "sweep"}},
    "PATCH /presets/{preset_id}": {"name": "mine now"},
    "POST /presets/{preset_id}/apply": {"version_id": str(uuid4())},
    "PATCH /runs/{run_id}": {"notes": "mine now"},
    "POST /runs/{run_id}/register": {"model": "stolen"},
    "PUT /models/{model_id}/aliases/{alias}": {"version": 1},
    "POST /sources/{source_id}/rules": {"name": "x", "kind": "not_null", "columns": ["flow"]},
    "PATCH /rules/{rule_id}": {"name": "mine now"},
    "POST /versions/{version_id}/chart": {"chart": {"kind": "histogram", "column": "flow"}},
    "POST /sessions/{session_id}/chart": {"chart": {"kind": "histogram", "column": "flow"}},
    "POST /sources/{source_id}/views": {"name": "x"},
    "POST /projects/{project_id}/charts": {
        "name": "x",
        "version_id": str(uuid4()),
        "chart": {"kind": "histogram", "column": "flow"},
    },
    "PATCH /charts/{chart_id}": {"name": "mine now"},
    "POST /versions/{version_id}/exports": {"format": "csv"},
    "POST /projects/{project_id}/export_templates": {"name": "x", "format": "csv"},
    "POST /models/{model_id}/predict": {"rows": [{"site": "A"}]},
    "PATCH /models/{model_id}/versions/{number}": {"note": "mine now"},
    "POST /models/{model_id}/versions/{number}/approve": {"reason": "mine"},
    "POST /models/{model_id}/versions/{number}/reject": {"reason": "mine"},
    "POST /models/{model_id}/predictions": {"version_id": str(uuid4())},
}
WORDS = {"number": "1", "name": "importance", "alias": "champion", "username": "alice", "kind": "source"}


def addresses(found: Any = None, prefix: str = "/") -> Iterator[str]:
    """Every address as `/projects/{project_id}`."""
    for pattern in (found or get_resolver()).url_patterns:
        path = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, path)
        elif isinstance(pattern, URLPattern):
            yield path


def api_routes() -> list[tuple[str, str]]:
    """(method, address) of every operation."""
    paths = api.get_openapi_schema()["paths"]
    return [(method.upper(), path) for path, operations in paths.items() for method in operations]


def page_routes() -> list[str]:
    """MLflow's are no pages of ours: `test_mlflow` looks at those."""
    return [path for path in addresses() if not path.startswith(("/api/", "/mlflow")) and path not in PUBLIC]


def with_ids(path: str, things: Things) -> str:
    names = WORDS | {name: str(value) for name, value in things.ids.items()}
    return re.sub(r"{(\w+)}", lambda match: names[match[1]], path)


# What is shown to everybody with an account.
PUBLISHED = "/api/v1/gallery"

# What only administrators see.
ADMINISTRATORS = {"/audit"}

# What an address must be asked with.
QUERIES = {
    "/experiments/{experiment_id}/differences": "experiment_id",
    "/versions/{version_id}/quality/compare": "version_id",
    "/sessions/{session_id}/compare": "step_id",
}


SEARCHES = {"/versions/{version_id}/find", "/sessions/{session_id}/find"}


def asked(path: str, things: Things) -> dict[str, str]:
    if path.removeprefix("/api/v1") in SEARCHES:
        return {"text": "A"}
    name = QUERIES.get(path.removeprefix("/api/v1"))
    return {} if name is None else {"with": str(things.ids[name])}


def send(client: Client, method: str, path: str, template: str) -> Any:
    if method == "GET":
        bare = template.removeprefix("/api/v1")
        other = {"with": str(uuid4())} if bare in QUERIES else {"text": "A"} if bare in SEARCHES else {}
        return client.get(path, other)
    body = BODIES.get(f"{method} {template.removeprefix('/api/v1')}", {})
    return getattr(client, method.lower())(path, body, content_type="application/json")


def test_description_names_every_address_of_the_api() -> None:
    described = {path for _, path in api_routes()}
    assert {path for path in addresses() if path.startswith("/api/")} - PUBLIC == described


def test_anonymous_gets_401_everywhere_in_the_api(things: Things) -> None:
    for method, template in api_routes():
        response = send(Client(), method, with_ids(template, things), template)
        assert response.status_code == 401, f"{method} {template}: {response.status_code}"
        assert response["Content-Type"] == "application/problem+json"


def test_a_made_up_token_gets_401(things: Things) -> None:
    for method, template in api_routes():
        client = Client(headers={"Authorization": "Bearer made-up"})
        assert send(client, method, with_ids(template, things), template).status_code == 401


def test_others_things_are_404_everywhere_in_the_api(things: Things, bob: Person) -> None:
    walked = 0
    for method, template in api_routes():
        if "{" not in template or template.startswith(PUBLISHED):
            continue
        response = send(bob.client, method, with_ids(template, things), template)
        assert response.status_code == 404, f"{method} {template}: {response.status_code} {response.content[:300]!r}"
        walked += 1
    assert walked > 40


def test_what_does_not_exist_is_told_like_what_is_somebody_elses(things: Things, alice: Person, bob: Person) -> None:
    nothing = Things({name: uuid4() for name in things.ids})
    for method, template in api_routes():
        if method == "GET" and "{" in template and not template.startswith(PUBLISHED):
            theirs = bob.client.get(with_ids(template, things), asked(template, things)).json()
            none = alice.client.get(with_ids(template, nothing), asked(template, nothing)).json()
            assert (theirs["status"], theirs["title"]) == (none["status"], none["title"])
            shape = re.compile(r"[0-9a-f-]{36}")
            assert shape.sub("", theirs["detail"]) == shape.sub("", none["detail"]), template


def test_lists_hold_nothing_of_others(things: Things, bob: Person) -> None:
    for method, template in api_routes():
        if method == "GET" and "{" not in template and not template.endswith(("/events", PUBLISHED)):
            text = bob.client.get(template, {"q": "Rivers"} if template.endswith("search") else {}).content.decode()
            assert not any(str(value) in text for value in things.ids.values()), template


def test_owner_reads_every_address(things: Things, alice: Person) -> None:
    for method, template in api_routes():
        if template.removeprefix("/api/v1") in ADMINISTRATORS:
            assert alice.client.get(template).status_code == 403
        elif method == "GET" and not template.endswith(
            ("/events", "/runs/compare", "/runs/compare/report")
        ):  # which need two runs
            response = alice.client.get(with_ids(template, things), asked(template, things))
            if template.endswith("/onnx"):  # which reads the model, and this run's is none
                assert response.json()["type"].endswith("untrusted-model")
                continue
            assert response.status_code == 200, f"{template}: {response.status_code} {response.content[:300]!r}"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused_as_problems(alice: Person, method: str) -> None:
    response = alice.call(method, "/steps")
    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"
    assert "GET" in response["Allow"]


def test_anonymous_is_led_to_the_login_by_every_page(things: Things) -> None:
    for template in page_routes():
        path = with_ids(template, things)
        response = Client().get(path)
        assert response.status_code == 302, template
        assert response["Location"] == f"/login?next={path}"


def test_others_things_are_404_on_every_page(things: Things, bob: Person) -> None:
    with_id = [path for path in page_routes() if "{" in path and not path.startswith("/gallery/")]
    for template in with_id:
        assert bob.client.get(with_ids(template, things)).status_code == 404, template
    assert len(with_id) >= 10


def test_owner_sees_every_page(things: Things, alice: Person) -> None:
    for template in page_routes():
        assert alice.client.get(with_ids(template, things)).status_code == 200, template
