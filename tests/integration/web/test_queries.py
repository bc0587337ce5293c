"""Formulas and SQL over HTTP: answers, faults with their place, and nothing of other people."""

import asyncio
import json
import time
from typing import Any

import pytest

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.asgi import Application
from tests.integration.tables.test_queries import HOSTILE
from tests.integration.web.people import Person, Things, finish, make_things


def test_formula_is_checked_as_it_is_typed(alice: Person, things: Things) -> None:
    for path in (f"/versions/{things.version_id}", f"/sessions/{things.session_id}"):
        check = f"{path}/formulas/check"
        assert alice.post(check, {"formula": "flow * 2"}).json() == {
            "type": "number",
            "faults": [],
            "condition": None,
        }
        assert alice.post(check, {"formula": "flow > 2", "kind": "condition"}).json()["type"] == "boolean"
        found = alice.post(check, {"formula": "flow + flwo"}).json()
        assert found["type"] is None
        assert found["faults"][0]["at"] == {"start": 7, "end": 11}
        assert "did you mean" in found["faults"][0]["msg"]
    dropped = alice.post(f"/sessions/{things.session_id}/formulas/check", {"formula": "site"}).json()
    assert dropped["faults"][0]["code"] == "unknown_column"
    before = alice.post(f"/sessions/{things.session_id}/formulas/check?step=root", {"formula": "site"}).json()
    assert before["type"] == "text"


def test_condition_goes_from_text_to_tree_and_back(alice: Person, things: Things) -> None:
    check = f"/versions/{things.version_id}/formulas/check"
    text = "flow > 2 AND (site = 'A' OR NOT (site IN ('B', 'C')))"
    tree = alice.post(check, {"formula": text, "kind": "condition"}).json()["condition"]
    assert tree["parts"][0] == {"column": "flow", "test": "greater", "values": [2]}
    assert tree["parts"][1]["parts"][1]["negated"]
    assert alice.post("/formulas/condition", tree).json() == {"formula": text}
    more = alice.post(check, {"formula": "flow * 2 > 1", "kind": "condition"}).json()
    assert (more["type"], more["condition"]) == ("boolean", None)
    for bad in (
        {"of": "all", "parts": []},
        {"of": "all", "parts": [{"column": "x", "test": "between", "values": [1]}]},
    ):
        assert alice.post("/formulas/condition", bad).status_code == 422


def test_step_with_a_fault_says_where(alice: Person, things: Things) -> None:
    response = alice.post(
        f"/sessions/{things.session_id}/steps", {"op": "derive", "column": "x", "formula": "flow +* 2"}
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["at"] == {"start": 8, "end": 9}


def test_query_answers_with_its_rows(alice: Person, things: Things) -> None:
    tables = alice.get(f"/projects/{things.project_id}/tables").json()["items"]
    assert [(table["name"], table["version_id"], table["rows"]) for table in tables] == [
        ("flows.csv", str(things.version_id), 30)
    ]
    body = {"sql": 'SELECT site, count(*) AS n FROM "flows.csv" GROUP BY site', "limit": 1}
    found = alice.post(f"/projects/{things.project_id}/query", body).json()
    assert found["columns"] == [{"name": "site", "type": "text"}, {"name": "n", "type": "integer"}]
    assert (found["rows"], found["total"], found["truncated"]) == ([["A", 15]], None, True)
    assert found["tables"] == [{"name": "flows.csv", "version_id": str(things.version_id)}]
    history = alice.get(f"/projects/{things.project_id}/queries").json()["items"]
    assert (history[0]["id"], history[0]["sql"], history[0]["state"]) == (found["id"], body["sql"], "succeeded")


def test_query_becomes_a_step_and_a_version(alice: Person, things: Things) -> None:
    ask = {
        "sql": 'SELECT t.date, f.site FROM this t JOIN "flows.csv" f USING (date)',
        "session_id": str(things.session_id),
    }
    found = alice.post(f"/projects/{things.project_id}/query", ask).json()
    assert found["total"] == 30
    step = {"op": "query", "sql": ask["sql"], "tables": found["tables"]}
    session = alice.post(f"/sessions/{things.session_id}/steps", step).json()
    assert [column["name"] for column in session["schema"]] == ["date", "site"]
    accepted = alice.post(f"/projects/{things.project_id}/query/save", {"sql": "SELECT 1 AS one", "name": "one"})
    assert accepted.status_code == 202
    finish(accepted.json()["job"]["id"])
    source = alice.get(f"/sources/{accepted.json()['source']['id']}").json()
    assert (source["current_version"]["rows"], source["current_version"]["origin"]["kind"]) == (1, "query")


def test_fault_says_where(alice: Person, things: Things) -> None:
    response = alice.post(f"/projects/{things.project_id}/query", {"sql": "SELECT nothing"})
    assert (response.status_code, response.json()["errors"][0]["at"]) == (422, {"start": 7, "end": 14})


def test_hostile_queries_are_refused_and_remembered(alice: Person, things: Things) -> None:
    for attack in HOSTILE:
        response = alice.post(
            f"/projects/{things.project_id}/query", {"sql": attack, "session_id": str(things.session_id)}
        )
        assert response.status_code == 422, attack
    assert alice.get(f"/projects/{things.project_id}/queries").json()["total"] <= 200


def test_other_peoples_tables_cannot_be_named(alice: Person, bob: Person, things: Things) -> None:
    theirs = make_things(bob)
    bob.call("PATCH", f"/sources/{theirs.source_id}", {"name": "secret"})
    path = f"/projects/{things.project_id}/query"
    for name in ("secret", str(theirs.version_id), str(theirs.source_id)):
        assert alice.post(path, {"sql": f'SELECT * FROM "{name}"'}).status_code == 422
    assert alice.post(path, {"sql": "SELECT * FROM this", "session_id": str(theirs.session_id)}).status_code == 404
    step = {"op": "query", "sql": "SELECT * FROM t", "tables": [{"name": "t", "version_id": str(theirs.version_id)}]}
    assert alice.post(f"/sessions/{things.session_id}/steps", step).status_code == 422
    assert alice.post(f"/queries/{theirs.query_id}/cancel").status_code == 404


@pytest.mark.parametrize(
    "body", [{"sql": "SELECT 1", "limit": 0}, {"sql": "SELECT 1", "limit": 10_001}, {"sql": ""}, {}]
)
def test_limits_are_told(alice: Person, things: Things, body: dict[str, Any]) -> None:
    assert alice.post(f"/projects/{things.project_id}/query", body).status_code == 422


def test_data_source_in_the_trash_cannot_be_read(alice: Person, things: Things) -> None:
    alice.call("DELETE", f"/sessions/{things.session_id}")
    assert container().queries().tables(alice.id, things.project_id)  # type: ignore[arg-type]
    assert alice.call("DELETE", f"/sources/{things.source_id}").status_code < 300
    response = alice.post(f"/projects/{things.project_id}/query", {"sql": 'SELECT * FROM "flows.csv"'})
    assert response.status_code == 422


_ENDLESS = "SELECT sum(a.flow * b.flow * c.flow * d.flow * e.flow * f.flow * g.flow * h.flow) FROM " + ", ".join(
    f'"flows.csv" {name}' for name in "abcdefgh"
)


def test_query_ends_when_its_asker_has_gone(alice: Person, things: Things) -> None:
    body = json.dumps({"sql": _ENDLESS}).encode()
    headers = {**alice.token(), "host": "testserver", "content-type": "application/json", "content-length": len(body)}

    def state() -> Any:
        found = alice.get(f"/projects/{things.project_id}/queries").json()["items"]
        return (found[0]["state"], found[0]["error"]) if found else None

    def wait(*states: str) -> None:
        while (found := state()) is None or found[0] not in states:
            time.sleep(0.05)

    async def ask() -> None:
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if parts:
                return parts.pop()
            await asyncio.to_thread(wait, "running")
            return {"type": "http.disconnect"}

        async def answer(_: dict[str, Any]) -> None: ...

        scope = {
            "type": "http", "method": "POST", "path": f"/api/v1/projects/{things.project_id}/query", "scheme": "http",
            "query_string": b"", "client": ("127.0.0.1", 1), "server": ("testserver", 80),
            "headers": [(name.lower().encode(), str(value).encode()) for name, value in headers.items()],
        }  # fmt: skip
        await Application()(scope, receive, answer)
        await asyncio.to_thread(wait, "failed", "succeeded", "cancelled")

    asyncio.run(ask())
    assert state() == ("failed", "nobody waits for the answer any more")
