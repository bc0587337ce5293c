"""Whatever is sent: an answer in the 400s, never an error of ours."""

import json
from typing import Any

import pytest

from hydroml.entrypoints.web.api.root import api
from tests.integration.web.people import Person, Things
from tests.integration.web.test_routes import WORDS, api_routes, with_ids

NASTY: list[Any] = [
    "\x00",
    "\ud800",
    "x" * 100_000,
    "<script>alert(1)</script>",
    "'; DROP TABLE hydroml.project; --",
    "%",
    "﷽" * 300,
    -1,
    10**30,
    1e308,
    None,
    [],
    {},
    True,
]


def bodies(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """A body with the value in every place."""
    return dict.fromkeys(schema.get("properties", {"name": None}), value)


def body_schema(operation: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for one in (content, *content.get("anyOf", ()), *content.get("oneOf", ())):
        if "$ref" in one:
            return dict(components[one["$ref"].rsplit("/", 1)[-1]])
        if "properties" in one:
            return dict(one)
    return {}


def test_no_value_in_any_body_breaks_anything(alice: Person, things: Things) -> None:
    description = api.get_openapi_schema()
    components = description["components"]["schemas"]
    for method, template in api_routes():
        if method in ("POST", "PUT", "PATCH"):
            schema = body_schema(description["paths"][template][method.lower()], components)
            path = with_ids(template, things).removeprefix("/api/v1")
            for value in NASTY if schema else NASTY[:1]:
                response = alice.call(method, path, json.dumps(bodies(schema, value)))
                assert response.status_code < 500, f"{method} {template} {value!r:.50}: {response.content[:300]!r}"


def test_no_value_in_any_query_breaks_anything(alice: Person, things: Things) -> None:
    for template, operations in api.get_openapi_schema()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            for value in ("%00", "%ED%A0%80", "x" * 3_000, "'", "-", ",", "[", '["a", 1]', "1e9", "NaN", "%FF"):
                if parameter["in"] == "query":
                    path = f"{with_ids(template, things)}?{parameter['name']}={value}"
                    response = alice.client.get(path)
                    assert response.status_code < 500, f"{path}: {response.content[:300]!r}"


def test_no_word_in_any_address_breaks_anything(alice: Person, things: Things) -> None:
    for word in ("%00", "..", "%2e%2e%2f", "x" * 2_000, "ünïcödé", "'"):
        for method, template in api_routes():
            path = template
            for name in WORDS:
                path = path.replace(f"{{{name}}}", word)
            if path != template:
                body = {"version": 1, "role": "viewer"}
                response = alice.call(method, with_ids(path, things).removeprefix("/api/v1"), body)
                assert response.status_code < 500, f"{method} {path}"


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"a":' * 50_000, "1" * 10_000, '{"name": NaN}', '{"name": "a", "name": 1}']
)
def test_no_json_breaks_anything(body: str, alice: Person) -> None:
    response = alice.client.post("/api/v1/projects", body, content_type="application/json")
    assert response.status_code in (400, 422), response.content[:300]


def test_a_huge_body_is_refused(alice: Person) -> None:
    body = json.dumps({"name": "x" * (17 * 2**20)})
    assert alice.client.post("/api/v1/projects", body, content_type="application/json").status_code == 413


@pytest.mark.parametrize("tag", ['"x"', "1", 'W/"0"', '"0", "1"', "*", '"' + "9" * 5_000 + '"', "\u00b2"])
def test_no_tag_breaks_anything(tag: str, alice: Person, things: Things) -> None:
    response = alice.call("PATCH", f"/projects/{things.project_id}", {"name": "x"}, **{"If-Match": tag})
    assert response.status_code in (200, 412)


@pytest.mark.parametrize("key", ["x" * 201, "\u00e9\u00e9", "a b", "\t"])
def test_no_key_breaks_anything(key: str, alice: Person) -> None:
    assert alice.post("/projects", {"name": "x"}, **{"Idempotency-Key": key}).status_code in (201, 422)
