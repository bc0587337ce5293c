"""Whatever is sent: an answer in the 400s, never an error of ours."""

import io
import itertools
import json
import os
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis
import pytest
import skops.io
from django.conf import settings
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBRegressor

from hydroml.domain.experiments.runs import RunId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.root import api
from tests.integration.web.people import Person, Things, finish, upload
from tests.integration.web.test_bad_files import files
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


HOSTILE = [
    "__import__('os').system('id')",
    "__import__('os')",
    "eval('1')",
    "read_csv('/etc/passwd')",
    "read_text('/etc/passwd') = 'x'",
    "(SELECT 1) = 1",
    "flow IN (SELECT 1)",
    "EXISTS (SELECT 1)",
    "flow = (SELECT max(flow) FROM read_csv('/etc/passwd'))",
    "flow > ALL (SELECT 1)",
    "COPY (SELECT 1) TO '/tmp/stolen'",
    "ATTACH '/tmp/x.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "SET memory_limit = '1TB'",
    "flow > 1; DROP TABLE source",
    "flow > 1 -- and so on\n; SELECT 1",
    "getenv('HOME') = 'x'",
    "current_setting('temp_directory') = 'x'",
    "duckdb_settings()",
    "query('SELECT 1')",
    "query_table('source')",
    "pg_sleep(10)",
    "nextval('x')",
    "version() = 'x'",
    "list_transform([1], x -> x)[1] = 1",
    "[x for x in range(10)]",
    "{'a': 1}.a = 1",
    "flow OVER ()",
    "row_number() OVER () = 1",
    "sum(flow) > 1",
    "flow UNION SELECT 1",
    "flow = $1",
    "flow = ?",
    "flow = :x",
    "@x = 1",
    "source.flow > 1",
    "main.source.flow > 1",
    "* = 1",
    "COLUMNS('.*') > 1",
    "CAST(flow AS STRUCT(a INTEGER)) = 1",
    "'x'::REGCLASS = 1",
    "flow COLLATE nocase = 'x'",
    "repeat('x', 1000000000) = site",
    "regexp_matches(site, '(a+)+$')",
    "__hydroml_row > 1",
    "file_row_number > 1",
    "filename = 'x'",
    "rowid = 1",
    "'" * 3,
    "(" * 5_000,
    "NOT " * 1_900 + "true",
    "-" * 3_000 + "1",
    "1" + "+1" * 1_900,
    "site LIKE '" + "%a" * 1_500 + "'",
    "CASE WHEN true THEN " * 150 + "1" + " END" * 150,
    "\ud800",
    "\x00",
    "",
    "   ",
]
"""What no formula may do, or no formula is."""


def test_no_formula_reaches_beyond_its_row(alice: Person, things: Things) -> None:
    for formula in HOSTILE:
        formula_stays_within(alice, things, formula)


def formula_stays_within(alice: Person, things: Things, formula: str) -> None:
    session = f"/sessions/{things.session_id}"
    steps = [
        {"op": "filter", "condition": formula},
        {"op": "derive", "column": "new", "formula": formula},
    ]
    for step in steps:
        for path, done in ((f"{session}/preview?step=root", 200), (f"{session}/steps", 201)):
            before = alice.get(session).json()["revision"]
            response = alice.client.post(f"/api/v1{path}", json.dumps(step), content_type="application/json")
            assert response.status_code in (done, 422), response.content
            if response.status_code == 422:
                document = response.json()
                assert document["errors"], document
                assert document["errors"][0]["loc"][0] in ("condition", "formula"), document
                assert alice.get(session).json()["revision"] == before
            else:
                assert formula in HARMLESS, (formula, response.content[:500])
                if done == 201:
                    alice.post(f"{session}/undo")
    for address in (f"/api/v1/versions/{things.version_id}", f"/api/v1{session}"):
        for part in ("rows", "profile"):
            answer = alice.client.get(f"{address}/{part}", {"filter": formula.encode("utf-8", "surrogatepass")})
            assert answer.status_code in (200, 422), answer.content
            assert answer.status_code == 422 or not formula.strip() or formula in HARMLESS, formula
            assert answer.status_code == 200 or answer.json()["errors"], answer.content


HARMLESS = {
    "regexp_matches(site, '(a+)+$')",
    "site LIKE '" + "%a" * 1_500 + "'",
    "1" + "+1" * 1_900,
    "-" * 3_000 + "1",
    "NOT " * 1_900 + "true",
    "CASE WHEN true THEN " * 150 + "1" + " END" * 150,
    "row_number() OVER () = 1",
}
"""Of these, what may also be worked out: slowly or deeply, but within its table."""


IMPOSSIBLE: list[tuple[dict[str, Any], list[Any]]] = [
    ({"target": "nothing"}, ["target"]),
    ({"target": "level"}, ["target"]),
    ({"target": "date"}, ["target"]),
    ({"target": ""}, ["target"]),
    ({"features": ["nothing"]}, ["features", 0]),
    ({"features": ["site", "flow"]}, ["features", 1]),
    ({"features": []}, ["features"]),
    ({"time_column": "nothing"}, ["time_column"]),
    ({"time_column": "site"}, ["time_column"]),
    ({"target": "site", "problem": "regression"}, ["target"]),
    ({"problem": "binary"}, ["problem"]),
    ({"problem": "magic"}, ["problem"]),
    ({"version_id": "no id"}, ["version_id"]),
    ({"split": {"test_size": 5}}, ["split", "test_size"]),
    ({"split": {"test_size": float("nan")}}, []),
    ({"split": {"kind": "chronological"}}, ["time_column"]),
    ({"algorithm": {"name": "__import__"}}, ["algorithm", "name"]),
    (
        {"algorithm": {"name": "random_forest", "hyperparameters": {"n_estimators": 10**9}}},
        ["algorithm", "hyperparameters"],
    ),
    ({"algorithm": {"name": "random_forest", "hyperparameters": {"trees": 1}}}, ["algorithm", "hyperparameters"]),
    ({"metrics": ["beauty"]}, ["metrics", 0]),
    ({"seed": -1}, ["seed"]),
    ({"budget": {"seconds": 0}}, ["budget", "seconds"]),
    ({"surprise": 1}, ["surprise"]),
]
"""A change to an experiment that could be, and the place where it is refused."""


def test_an_experiment_that_cannot_be_says_where(alice: Person, project: UUID) -> None:
    rows = "".join(f"2020-01-{at % 28 + 1:02d},{at * at},{'AB'[at % 2]},7\n" for at in range(60))
    accepted = upload(alice, project, f"date,flow,site,level\n{rows}".encode()).json()
    finish(accepted["job"]["id"])
    version = alice.get(f"/sources/{accepted['source']['id']}").json()["current_version"]["id"]
    before = files()
    for changed, loc in IMPOSSIBLE:
        body = json.dumps({"name": "x", "version_id": version, "target": "flow"} | changed)
        checked = alice.client.post(f"/api/v1/projects/{project}/preflight", body, content_type="application/json")
        assert checked.status_code in (200, 400, 422), checked.content
        if loc:
            faults = checked.json()["errors"]
            assert loc in [fault["loc"][: len(loc)] for fault in faults], faults
        made = alice.client.post(f"/api/v1/projects/{project}/experiments", body, content_type="application/json")
        if made.status_code == 201:  # only the values of the table say no
            started = alice.post(f"/experiments/{made.json()['id']}/runs")
            assert started.status_code == 422, started.content
            assert started.json()["errors"][0]["loc"] == loc
        else:
            assert made.status_code in (400, 422), made.content
    assert alice.get(f"/projects/{project}/runs").json()["total"] == 0
    assert {job["kind"] for job in alice.get("/jobs").json()["items"]} == {"import_file", "analyse_version"}
    assert files() == before


@pytest.fixture
def project(alice: Person) -> UUID:
    return UUID(alice.post("/projects", {"name": "Rivers"}).json()["id"])


NO_PAGES = [
    "limit=1001", "limit=0", "limit=-1", "limit=1e3", "limit=99999999999999999999999", "limit=x", "offset=-1",
    "sort=nothing", "sort=--flow", "sort=-", 'sort=["flow"', 'sort=[1]',
    "sort=flow;DROP", "sort=random()", "columns=nothing", 'columns=[["a"]]', "columns=*", "total=perhaps",
]  # fmt: skip


def test_a_page_that_cannot_be_is_refused_with_its_place(alice: Person, things: Things) -> None:
    for query in NO_PAGES:
        for path in (f"/versions/{things.version_id}", f"/sessions/{things.session_id}"):
            response = alice.client.get(f"/api/v1{path}/rows?{query}")
            assert response.status_code == 422, (query, response.content)
            assert response.json()["errors"][0]["loc"][0] == query.partition("=")[0], response.content


def test_a_page_behind_the_end_is_empty_or_refused(alice: Person, things: Things) -> None:
    offsets = (30, 10**6, 2**31, 2**62, 2**63 - 1, 2**63, 10**30)
    for offset, more in itertools.product(
        offsets, ("", "&sort=-flow", "&filter=flow>3", "&filter=flow>3&sort=site&total=false", "&total=false")
    ):
        response = alice.client.get(f"/api/v1/versions/{things.version_id}/rows?offset={offset}&limit=1000{more}")
        assert response.status_code in (200, 422), response.content
        assert response.status_code == 422 or response.json()["rows"] == []


def test_a_model_file_that_names_other_types_is_not_opened(alice: Person, things: Things) -> None:
    """Whoever can write to the storage must not run code in our processes."""
    marker = settings.HYDROML.data_dir / "opened"
    for content in forged_models(marker):
        with container().uow() as uow:
            run = uow.runs.get(RunId(things.run_id))
            run.model_blob = container().blobs().add_bytes(content).key
            uow.runs.save(run)
            uow.commit()
        response = alice.post(f"/models/{things.model_id}/predict", {"rows": [{"site": "A"}]})
        assert response.status_code == 422, response.content
        assert "model" in response.json()["detail"]
        accepted = alice.post(f"/models/{things.model_id}/predictions", {"version_id": str(things.version_id)})
        assert accepted.status_code == 202, accepted.content
        finish(accepted.json()["job"]["id"])
        job = alice.get(f"/jobs/{accepted.json()['job']['id']}").json()
        assert job["state"] == "failed"
        assert "model" in job["error"], job
    assert not marker.exists()


class Trap:
    """Writes a file when it is built by `pickle`."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def forged_models(marker: Path) -> Iterator[bytes]:
    """Models of types we do not know: a function, a class of ours, a pickle, and files that are nothing."""
    yield skops.io.dumps(FunctionTransformer(os.system))
    yield skops.io.dumps(LGBMRegressor(objective=os.system))
    booster = XGBRegressor(n_estimators=1).fit([[0], [1]], [0, 1])
    booster.set_params(callbacks=[Trap(marker)])
    yield skops.io.dumps(booster)
    yield skops.io.dumps({"model": Person(None, None)})  # type: ignore[arg-type]
    yield pickle.dumps(Trap(marker))
    schema = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": "x", "__id__": 1}
    for document in (schema, {"__loader__": "JsonNode"}, {}, [], None, schema | {"__loader__": "TypeNode"}):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("schema.json", json.dumps(document))
        yield stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("schema.json", "[" * 100_000)
    yield stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w"):
        pass
    yield stream.getvalue()
    yield b""


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.uuids().map(str), st.sampled_from(NASTY)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


def body_of(schema: dict[str, Any], components: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Mostly what fits the schema, with something else here and there."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[-1]]
    choices = [body_of(one, components, depth + 1) for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    match schema.get("type"):
        case _ if "enum" in schema or "const" in schema:
            choices.append(st.sampled_from(schema.get("enum", [schema.get("const")])))
        case "object" if "properties" in schema and depth < 4:
            fields = {name: body_of(one, components, depth + 1) for name, one in schema["properties"].items()}
            needed = {name: fields.pop(name) for name in schema.get("required", ()) if name in fields}
            choices.append(st.fixed_dictionaries(needed, optional=fields))
        case "array" if depth < 4:
            choices.append(st.lists(body_of(schema.get("items", {}), components, depth + 1), max_size=3))
        case "integer":
            choices.append(st.integers())
        case "number":
            choices.append(st.floats())
        case "boolean":
            choices.append(st.booleans())
        case "string":
            choices.append(st.sampled_from(["flow", "site", "date", "x", "Rivers"]) | TEXTS)
    fits = st.one_of(choices) if choices else VALUES
    return st.integers(0, 9).flatmap(lambda dice: VALUES if dice == 0 else fits)


def test_no_body_breaks_anything(alice: Person, things: Things) -> None:
    """Bodies made from the description of every operation that takes one; ids are often real ones."""
    description = api.get_openapi_schema()
    components = description["components"]["schemas"]
    real = [str(value) for value in things.ids.values()]
    for method, template in api_routes():
        schema = description["paths"][template][method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" not in schema:
            continue
        body = body_of(schema["application/json"]["schema"], components)
        survives(alice, method, with_ids(template, things), body, real)


def survives(alice: Person, method: str, path: str, bodies: st.SearchStrategy[Any], ids: list[str]) -> None:
    """Whatever body is sent there, it is answered."""

    unhurried = list(hypothesis.HealthCheck)

    @hypothesis.settings(
        max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=unhurried
    )
    @hypothesis.given(body=bodies, chosen=st.sampled_from(ids))
    def send(body: Any, chosen: str) -> None:
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", chosen, json.dumps(body))
        response = getattr(alice.client, method.lower())(path, text, content_type="application/json")
        assert response.status_code < 500, f"{method} {path} {text[:500]}: {response.content[:300]!r}"
        assert response.status_code < 400 or response["Content-Type"] == "application/problem+json"

    send()
