"""Quality reports, rules and notifications over the API."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from hydroml.entrypoints.web.quality_report import page
from tests.integration.web.people import Person, Things, finish, upload

HOSTILE = '<script>alert("x")</script>'
IMAGE = "<img src=x onerror=alert(1)>"
DAYS = [(m, d) for m in range(1, 13) for d in range(1, 26) if (m, d) != (7, 14)]
TABLE = f'day,"{HOSTILE.replace(chr(34), chr(34) * 2)}",q_ls,q_mm\n' + "".join(
    f"2020-{m:02}-{d:02},{'unknown' if d == 3 else IMAGE},{m * 31 + d},{(m * 31 + d) * 0.25}\n" for m, d in DAYS
)


@pytest.fixture
def version(alice: Person, things: Things) -> UUID:
    return made(alice, things, TABLE)


def made(owner: Person, things: Things, text: str) -> UUID:
    accepted = upload(owner, things.project_id, text.encode(), "flows.csv").json()
    finish(accepted["job"]["id"])
    source = owner.get(f"/sources/{accepted['source']['id']}").json()
    assert source["status"] == "ready", source
    return UUID(source["current_version"]["id"])


def test_a_small_table_is_judged_at_once_and_the_report_is_kept(alice: Person, version: UUID) -> None:
    first = alice.get(f"/versions/{version}/quality").json()
    assert (first["status"], first["job"], first["rows"], first["columns"]) == ("ready", None, 299, 4)
    kinds = {finding["kind"] for finding in first["findings"]}
    assert {"placeholder_text", "linear_copy", "time_gaps"} <= kinds
    assert alice.get(f"/versions/{version}/quality").json()["created_at"] == first["created_at"]
    for finding in first["findings"]:
        if finding["filter"]:
            shown = alice.client.get(f"/api/v1/versions/{version}/rows", {"filter": finding["filter"], "limit": 1})
            assert shown.json()["total"] == finding["rows"], finding


def test_a_mending_step_can_be_taken_in_the_studio(alice: Person, version: UUID) -> None:
    session = alice.post(f"/versions/{version}/sessions").json()["id"]
    steps = [f["step"] for f in alice.get(f"/versions/{version}/quality").json()["findings"] if f["step"]]
    assert steps
    for step in steps:
        response = alice.post(f"/sessions/{session}/preview", step)
        assert response.status_code == 200, (step, response.content)


def test_the_report_is_made_again_by_a_job(alice: Person, version: UUID) -> None:
    before = alice.get(f"/versions/{version}/quality").json()["created_at"]
    accepted = alice.post(f"/versions/{version}/analyse")
    assert accepted.status_code == 202
    job = accepted.json()["job"]
    assert accepted["Location"] == f"/api/v1/jobs/{job['id']}"
    finish(job["id"])
    assert alice.get(f"/jobs/{job['id']}").json()["state"] == "succeeded"
    assert alice.get(f"/versions/{version}/quality").json()["created_at"] > before


def test_reports_of_two_versions_are_compared(alice: Person, things: Things, version: UUID) -> None:
    other = made(alice, things, TABLE.replace("unknown", "known"))
    found = alice.client.get(f"/api/v1/versions/{other}/quality/compare", {"with": str(version)}).json()
    assert [f["kind"] for f in found["gone"]] == ["placeholder_text"]
    assert "linear_copy" in {f["kind"] for f in found["same"]}


def test_the_html_report_holds_no_markup_of_the_table_and_asks_for_nothing(alice: Person, version: UUID) -> None:
    response = alice.client.get(f"/api/v1/versions/{version}/quality/report")
    text = response.content.decode()
    assert response["Content-Disposition"].startswith("attachment")
    assert "&lt;script&gt;" in text
    assert HOSTILE not in text
    assert "<img" not in text
    assert "http:" not in text.replace("http-equiv", "")
    assert "https:" not in text
    assert "src=" not in text.replace("&lt;img src=x", "")


def test_every_part_of_the_html_report_is_escaped() -> None:
    bad = "</style><script>x</script>&\"'"
    finding = {
        "severity": "error", "title": bad, "detail": bad, "rows": 1, "share": 0.5, "filter": bad, "row_numbers": [1],
        "step": {"op": bad, "column": bad},
    }  # fmt: skip
    gap = {"from": bad, "to": bad, "missing": 1, "group": bad}
    document = {
        "rows": 1, "columns": 1, "created_at": bad, "findings": [finding], "bounds": [bad],
        "fitness": [{"column": bad, "as_feature": bad, "as_target": bad, "reasons": [bad]}],
        "time": {"column": bad, "parts": [bad], "group": bad, "groups": 2, "from": bad, "to": bad, "step": bad,
                 "gaps": [gap]},
        "associations": [{"a": bad, "b": bad, "measure": bad, "value": 0.5}],
    }  # fmt: skip
    text = page(bad, 1, document)
    assert "<script" not in text
    assert text.count("</style>") == 1
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


def test_missing_values_by_pattern_and_combination(alice: Person, things: Things) -> None:
    version = made(alice, things, "a,b,c\n1,,1\n2,2,\n3,,3\n4,4,4\n")
    found = alice.client.get(f"/api/v1/versions/{version}/missing", {"columns": json.dumps(["a", "b", "c"])}).json()
    assert found["columns"] == [{"name": "a", "missing": 0}, {"name": "b", "missing": 2}, {"name": "c", "missing": 1}]
    assert found["patterns"][0] == {"missing": ["b"], "rows": 2}
    assert {"columns": ["b", "c"], "complete_rows": 1} in found["combinations"]
    assert len(found["combinations"]) == 7
    assert alice.client.get(f"/api/v1/versions/{version}/missing", {"columns": "nope"}).status_code == 422


def rule(owner: Person, source: Any, **values: Any) -> Any:
    return owner.post(f"/sources/{source}/rules", {"name": "A rule", "kind": "not_null", "columns": ["flow"]} | values)


@pytest.mark.parametrize(
    ("values", "loc"),
    [
        ({"kind": "range", "parameters": {}}, ["parameters", "minimum"]),
        ({"kind": "range", "parameters": {"minimum": "x"}}, ["parameters", "minimum"]),
        ({"kind": "range", "parameters": {"minimum": 2, "maximum": 1}}, ["parameters", "minimum"]),
        ({"kind": "range", "columns": ["nope"], "parameters": {"minimum": 1}}, ["columns", 0]),
        ({"kind": "range", "columns": ["site"], "parameters": {"minimum": 1}}, ["parameters"]),
        ({"kind": "range", "columns": [], "parameters": {"minimum": 1}}, ["columns"]),
        ({"kind": "pattern", "columns": ["site"], "parameters": {"pattern": "(A"}}, ["parameters"]),
        ({"kind": "pattern", "columns": ["site"], "parameters": {"pattern": "A" * 501}}, ["parameters", "pattern"]),
        ({"kind": "formula", "columns": [], "parameters": {"formula": "flow > 1) OR (true"}}, ["parameters"]),
        ({"kind": "formula", "columns": [], "parameters": {"formula": "read_csv('/etc/passwd')"}}, ["parameters"]),
        ({"kind": "monotonic", "columns": ["date"], "parameters": {"group": "nope"}}, ["parameters", "group", 0]),
        ({"kind": "set", "parameters": {"values": []}}, ["parameters", "values"]),
        ({"kind": "what"}, ["kind"]),
        ({"kind": "not_null", "parameters": {"kind": "range"}}, ["parameters", "kind"]),
        ({"kind": "not_null", "parameters": {"more": 1}}, ["parameters", "more"]),
        ({"name": ""}, ["name"]),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused_in_words(
    alice: Person, things: Things, values: dict[str, Any], loc: list[Any]
) -> None:
    response = rule(alice, things.source_id, **values)
    assert response.status_code == 422, response.content
    assert response.json()["errors"][0]["loc"] == loc, response.json()


def test_rules_are_checked_and_what_fails_is_told(alice: Person, things: Things) -> None:
    made_ = {
        "range": rule(alice, things.source_id, kind="range", parameters={"maximum": 28}),
        "set": rule(alice, things.source_id, kind="set", columns=["site"], parameters={"values": ["A", "B"]}),
        "pattern": rule(alice, things.source_id, kind="pattern", columns=["site"], parameters={"pattern": "[A-B]"}),
        "unique": rule(alice, things.source_id, kind="unique", columns=["site"], severity="warning"),
        "monotonic": rule(alice, things.source_id, kind="monotonic", columns=["date"]),
        "row_count": rule(alice, things.source_id, kind="row_count", columns=[], parameters={"minimum": 31}),
        "formula": rule(alice, things.source_id, kind="formula", columns=[], parameters={"formula": "flow >= 1"}),
        "foreign_key": rule(
            alice, things.source_id, kind="foreign_key", columns=["site"],
            parameters={"source_id": str(things.source_id), "columns": ["site"]},
        ),
    }  # fmt: skip
    for response in made_.values():
        assert response.status_code == 201, response.content
    accepted = alice.post(f"/versions/{things.version_id}/rules/check")
    assert accepted.status_code == 202
    finish(accepted.json()["job"]["id"])
    job = alice.get(f"/jobs/{accepted.json()['job']['id']}").json()
    assert (job["state"], job["result"]["failed"], job["result"]["unknown"]) == ("succeeded", 3, 0)
    results = {r["rule_id"]: r for r in alice.get(f"/sources/{things.source_id}/rules/results").json()["items"]}
    said = {kind: results[response.json()["id"]] for kind, response in made_.items()}
    assert {kind for kind, result in said.items() if not result["passed"]} == {"range", "unique", "row_count"}
    assert (said["range"]["failing_rows"], said["range"]["row_numbers"]) == (3, [28, 29, 30])
    assert (said["unique"]["failing_rows"], said["row_count"]["failing_rows"]) == (28, 1)
    shown = alice.client.get(f"/api/v1/versions/{things.version_id}/rows", {"filter": said["range"]["filter"]})
    assert shown.json()["total"] == 3

    told = alice.get("/me/notifications?unread=true").json()
    assert told["items"][0]["kind"] == "rules"
    assert told["items"][0]["tone"] == "danger"
    assert told["items"][0]["href"] == f"/sources/{things.source_id}?tab=rules"
    assert told["unread"] == told["total"]
    again = alice.post(f"/versions/{things.version_id}/rules/check").json()["job"]["id"]
    finish(again)
    assert alice.get("/me/notifications").json()["total"] == told["total"]


def test_a_rule_is_changed_and_removed(alice: Person, things: Things) -> None:
    made_ = rule(alice, things.source_id, kind="range", parameters={"minimum": 0}).json()
    changed = alice.call("PATCH", f"/rules/{made_['id']}", {"parameters": {"maximum": 5}, "enabled": False}).json()
    assert changed["parameters"] == {"minimum": None, "maximum": 5.0}
    assert (changed["enabled"], changed["kind"], changed["columns"]) == (False, "range", ["flow"])
    assert alice.call("PATCH", f"/rules/{made_['id']}", {"kind": "set"}).status_code == 422
    assert alice.call("DELETE", f"/rules/{made_['id']}").status_code == 204
    assert made_["id"] not in {r["id"] for r in alice.get(f"/sources/{things.source_id}/rules").json()["items"]}


def test_a_foreign_key_reaches_no_source_of_others(alice: Person, bob: Person, things: Things) -> None:
    project = bob.post("/projects", {"name": "Bob's"}).json()["id"]
    accepted = upload(bob, UUID(project)).json()
    finish(accepted["job"]["id"])
    for source in (things.source_id, uuid4()):
        parameters = {"source_id": str(source)}
        response = rule(bob, accepted["source"]["id"], kind="foreign_key", columns=["site"], parameters=parameters)
        assert response.status_code == 404


def test_kinds_of_rules_come_with_their_schema(alice: Person) -> None:
    kinds = {kind["kind"]: kind for kind in alice.get("/rules/kinds").json()["items"]}
    assert list(kinds) == [
        "range", "set", "pattern", "not_null", "unique", "monotonic", "foreign_key", "row_count", "formula",
    ]  # fmt: skip
    assert set(kinds["range"]["schema"]["properties"]) == {"minimum", "maximum"}
    assert all(kind["title"] and kind["help"] for kind in kinds.values())


def test_the_end_of_a_job_is_told_to_whoever_started_it(alice: Person, bob: Person, things: Things) -> None:
    told = alice.get("/me/notifications").json()
    assert (told["items"][-1]["tone"], told["items"][-1]["kind"]) == ("success", "job")
    assert told["items"][-1]["href"] == f"/sources/{things.source_id}"
    broken = upload(alice, things.project_id, b"\x00\x01\x02\xff" * 100, "broken.csv").json()
    finish(broken["job"]["id"])
    newest = alice.get("/me/notifications").json()["items"][0]
    assert newest["tone"] == "danger"
    assert newest["text"] == alice.get(f"/jobs/{broken['job']['id']}").json()["error"]
    assert bob.get("/me/notifications").json()["total"] == 0
    assert bob.post("/me/notifications/read", {"ids": [newest["id"]]}).status_code == 204
    assert not alice.get("/me/notifications").json()["items"][0]["read"]
    assert alice.post("/me/notifications/read", {"ids": [newest["id"]]}).status_code == 204
    assert alice.get("/me/notifications").json()["items"][0]["read"]
    assert alice.post("/me/notifications/read", {}).status_code == 422
    assert alice.post("/me/notifications/read", {"all": True}).status_code == 204
    assert alice.get("/me/notifications?unread=true").json()["items"] == []
    assert alice.get("/me/notifications").json()["unread"] == 0


def test_preflight_names_the_features_that_give_the_target_away(alice: Person, things: Things, version: UUID) -> None:
    specification = {"name": "Flow", "version_id": str(version), "target": "q_mm", "time_column": "day"}
    warnings = alice.post(f"/projects/{things.project_id}/preflight", specification).json()["warnings"]
    found = [warning for warning in warnings if warning["code"] == "gives_away"]
    assert [warning["columns"] for warning in found] == [["q_ls"]]
    chosen = alice.post(f"/projects/{things.project_id}/preflight", specification | {"features": [HOSTILE]})
    assert "gives_away" not in {warning["code"] for warning in chosen.json()["warnings"]}
