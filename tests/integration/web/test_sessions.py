"""The history of a session and recipes, through the API."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet
import pytest

from hydroml.domain.sources import VersionId
from hydroml.entrypoints.bootstrap import container
from tests.integration.web.people import Person, Things, finish, upload

OTHER = b"date,flow,place\n" + b"".join(b"2021-01-%02d,%d.25,X\n" % (d, d) for d in range(1, 31))


def put(person: Person, session: Any, *steps: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for step in steps:
        response = person.post(f"/sessions/{session}/steps", step)
        assert response.status_code == 201, response.content
        answer = response.json()
    return answer


def derive(column: str, formula: str) -> dict[str, Any]:
    return {"op": "derive", "column": column, "formula": formula}


@pytest.fixture
def session(alice: Person, things: Things) -> str:
    return str(alice.post(f"/versions/{things.version_id}/sessions", {"name": "Dry"}).json()["id"])


def other_version(alice: Person, things: Things) -> dict[str, Any]:
    accepted = upload(alice, things.project_id, OTHER, "other.csv").json()
    finish(accepted["job"]["id"])
    return alice.get(f"/sources/{accepted['source']['id']}").json()  # type: ignore[no-any-return]


def test_steps_are_moved_and_marked_and_the_table_is_there_all_the_same(alice: Person, session: str) -> None:
    steps = put(
        alice,
        session,
        derive("double", "flow * 2"),
        derive("four", "double * 2"),
        {"op": "filter", "condition": "flow > 10"},
    )["steps"]
    moved = alice.post(f"/sessions/{session}/steps/{steps[0]['id']}/move", {"after": steps[2]["id"]}).json()
    assert [(s["summary"], s["status"]) for s in moved["steps"]] == [
        ("four = double * 2", "failed"),
        ("keep rows where flow > 10", "ok"),
        ("double = flow * 2", "ok"),
    ]
    assert "double" in moved["steps"][0]["error"]
    rows = alice.get(f"/sessions/{session}/rows").json()
    assert ([c["name"] for c in rows["columns"]], rows["total"]) == (["date", "flow", "site", "double"], 21)
    assert [c["name"] for c in moved["schema"]] == ["date", "flow", "site", "double"]
    assert moved["branches"] == []
    assert [(branch["steps"], branch["of"]) for branch in moved["earlier"]] == [(3, moved["steps"][2]["id"])]
    removed = alice.call("DELETE", f"/sessions/{session}/steps/{moved['steps'][2]['id']}").json()
    dropped = {"op": "drop_columns", "columns": ["site"]}
    assert put(alice, session, dropped)["steps"][-1]["status"] == "ok"
    assert removed["steps"][0]["waits_for"] is None
    back = alice.post(f"/sessions/{session}/jump", {"step": moved["earlier"][0]["tip"]}).json()
    assert [s["status"] for s in back["steps"]] == ["ok"] * 3


def test_branches_are_named_compared_laid_aside_and_brought_back(alice: Person, session: str) -> None:
    first = put(alice, session, derive("a", "flow"), {"op": "filter", "condition": "flow > 10"})
    alice.post(f"/sessions/{session}/undo")
    second = put(alice, session, derive("b", "flow + 1"))
    tip = first["cursor"]
    assert [branch["tip"] for branch in second["branches"]] == [tip]
    path = f"/sessions/{session}/branches/{tip}"
    named = alice.call("PATCH", path, {"name": "Only high"}).json()
    assert named["branches"][0]["name"] == "Only high"
    compared = alice.get(f"/sessions/{session}/compare?with={tip}").json()
    assert [step["summary"] for step in compared["common"]] == ["a = flow"]
    assert [step["there"] for step in compared["only_there"]] == [tip]
    assert [column["name"] for column in compared["columns_only_here"]] == ["b"]
    assert (compared["rows_here"], compared["rows_there"]) == (30, 21)
    hidden = alice.call("DELETE", path).json()
    assert (hidden["branches"], [branch["tip"] for branch in hidden["earlier"]]) == ([], [tip])
    assert len(alice.call("PATCH", path, {"hidden": False}).json()["branches"]) == 1
    current = f"/sessions/{session}/branches/{second['cursor']}"
    assert alice.call("PATCH", current, {"name": "Plus one"}).json()["branch"]["name"] == "Plus one"
    assert alice.call("DELETE", current).status_code == 409
    assert alice.call("PATCH", f"/sessions/{session}/branches/{uuid4()}", {"name": "x"}).status_code == 404


def test_two_tabs_cannot_overwrite_each_other(alice: Person, session: str) -> None:
    step = put(alice, session, derive("a", "flow"))["cursor"]
    seen = alice.get(f"/sessions/{session}")["ETag"]
    changes: tuple[tuple[str, str, Any], ...] = (
        ("POST", "/steps", derive("b", "flow")),
        ("POST", f"/steps/{step}/move", {"after": None}),
        ("PATCH", f"/steps/{step}", {"enabled": False}),
        ("DELETE", f"/steps/{step}", None),
        ("POST", "/undo", {}),
        ("POST", "/jump", {"step": None}),
        ("PATCH", "", {"name": "Other"}),
        ("PATCH", f"/branches/{step}", {"name": "Other"}),
        ("POST", "/steps/copy", {"session_id": session, "steps": [step]}),
    )
    put(alice, session, derive("theirs", "flow"))
    before = alice.get(f"/sessions/{session}").json()
    for method, path, body in changes:
        response = alice.call(method, f"/sessions/{session}{path}", body, **{"If-Match": seen})
        assert response.status_code == 412, (method, path, response.content)
    assert alice.get(f"/sessions/{session}").json() == before


def test_a_shared_session_is_read_by_members_and_changed_by_its_owner(
    alice: Person, bob: Person, things: Things, session: str
) -> None:
    step = put(alice, session, derive("a", "flow"))["cursor"]
    alice.call("PUT", f"/projects/{things.project_id}/members/{bob.user.username}", {"role": "editor"})
    assert bob.get(f"/sessions/{session}").status_code == 404
    assert alice.call("PATCH", f"/sessions/{session}", {"shared": True}).json()["shared"] is True
    seen = bob.get(f"/sessions/{session}").json()
    assert (seen["owner"]["username"], seen["editable"]) == ("alice", False)
    assert bob.get(f"/sessions/{session}/rows").json()["total"] == 30
    assert b"duckdb" in bob.get(f"/sessions/{session}/code").content
    for method, path, body in (
        ("POST", "/steps", derive("b", "flow")),
        ("DELETE", f"/steps/{step}", None),
        ("PATCH", "", {"shared": False}),
        ("DELETE", "", None),
        ("POST", "/save", {"name": "Stolen"}),
    ):
        assert bob.call(method, f"/sessions/{session}{path}", body).status_code == 403
    said = bob.post(f"/sessions/{session}/steps/{step}/comments", {"text": "Why?"}).json()
    assert (said["author"]["username"], said["text"]) == ("bob", "Why?")
    assert [c["text"] for c in alice.get(f"/sessions/{session}").json()["steps"][0]["comments"]] == ["Why?"]
    listed = bob.get(f"/projects/{things.project_id}/sessions?shared=true").json()["items"]
    assert [(one["name"], one["owner"]["username"]) for one in listed] == [("Dry", "alice")]
    copy = bob.post(f"/versions/{things.version_id}/sessions", {"session_id": session}).json()
    assert ([s["summary"] for s in copy["steps"]], copy["editable"]) == (["a = flow"], True)
    copied = bob.post(f"/sessions/{copy['id']}/steps/copy", {"session_id": session, "steps": [step]})
    assert copied.status_code == 201, copied.content


def test_a_discarded_session_can_be_restored(alice: Person, things: Things, session: str) -> None:
    assert alice.call("DELETE", f"/sessions/{session}").status_code == 204
    for path in ("", "/rows", "/code", "/profile"):
        assert alice.get(f"/sessions/{session}{path}").status_code == 404
    assert alice.post(f"/sessions/{session}/steps", derive("a", "flow")).status_code == 404
    trashed = alice.get(f"/versions/{things.version_id}/sessions?trashed=true").json()["items"]
    assert [one["id"] for one in trashed] == [session]
    assert alice.post(f"/sessions/{session}/restore").json()["name"] == "Dry"
    assert alice.get(f"/sessions/{session}/rows").status_code == 200


# Recipes


def test_a_recipe_is_checked_and_applied_in_part_and_opened_as_a_session(
    alice: Person, things: Things, session: str
) -> None:
    put(
        alice,
        session,
        derive("first", "upper(site)"),
        derive("second", "first || '!'"),
        {"op": "fill_missing", "columns": ["flow"], "method": "mean"},
        {"op": "filter", "condition": "flow > 10"},
    )
    made = alice.post(f"/projects/{things.project_id}/recipes", {"name": "Clean", "session_id": session})
    assert made.status_code == 201, made.content
    recipe = made.json()
    assert [step["summary"] for step in recipe["steps"]][-1] == "keep rows where flow > 10"
    source = other_version(alice, things)
    version = source["current_version"]["id"]
    checked = alice.post(f"/versions/{version}/apply/check", {"recipe_id": recipe["id"]}).json()
    assert (checked["complete"], checked["runs"]) == (False, 2)
    assert [(s["status"], s["missing"], s["waits_for"]) for s in checked["steps"]] == [
        ("failed", ["site"], None),
        ("waiting", [], 0),
        ("ok", [], None),
        ("ok", [], None),
    ]
    assert [column["name"] for column in checked["schema"]] == ["date", "flow", "place"]
    refused = alice.post(f"/versions/{version}/apply", {"recipe_id": recipe["id"], "name": "Applied"})
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [["recipe", 0], ["recipe", 1]]
    body = {"recipe_id": recipe["id"], "name": "Applied", "partial": True, "relearn": True, "follow": True}
    accepted = alice.post(f"/versions/{version}/apply", body)
    assert accepted.status_code == 202, accepted.content
    finish(accepted.json()["job"]["id"])
    applied = alice.get(f"/sources/{accepted.json()['source']['id']}").json()
    assert (applied["status"], applied["current_version"]["rows"]) == ("ready", 21)
    stored = container().sources().version(alice.id, VersionId(applied["current_version"]["id"]))[0].origin
    assert [step["fitted"] for step in stored.recipe] == [{"values": {"flow": 15.75}}, {}]
    assert stored.recipe_name == "Clean"
    opened = alice.post(f"/versions/{version}/sessions", {"recipe_id": recipe["id"]}).json()
    assert [step["status"] for step in opened["steps"]] == ["failed", "waiting", "ok", "ok"]
    used = alice.get(f"/recipes/{recipe['id']}").json()
    assert [(one["name"], one["parent"]["id"], one["follows"]) for one in used["made"]] == [
        ("Applied", source["id"], True)
    ]
    assert [column["name"] for column in used["needs"]] == ["flow", "site"]
    assert (used["created_by"]["username"], used["deleted_at"]) == ("alice", None)
    found = alice.get("/search?q=clean").json()["items"]
    assert [(hit["kind"], hit["id"]) for hit in found] == [("recipe", recipe["id"])]
    verbs = [one["verb"] for one in alice.get(f"/projects/{things.project_id}/activity").json()["items"]]
    assert "created" in verbs
    assert alice.call("DELETE", f"/recipes/{recipe['id']}").status_code == 204
    assert alice.get(f"/recipes/{recipe['id']}").status_code == 404
    listed = f"/projects/{things.project_id}/recipes"
    assert [one["name"] for one in alice.get(f"{listed}?trashed=true").json()["items"]] == ["Clean"]
    assert alice.post(f"/recipes/{recipe['id']}/restore").json()["made"] == used["made"]
    assert "Clean" in [one["name"] for one in alice.get(listed).json()["items"]]


def test_a_recipe_is_taken_elsewhere_as_a_document(alice: Person, bob: Person, things: Things, session: str) -> None:
    put(alice, session, {"op": "fill_missing", "columns": ["flow"], "method": "mean"}, derive("a", "flow * 2"))
    ids = [step["id"] for step in alice.get(f"/sessions/{session}").json()["steps"]]
    body = {"name": "Fill", "session_id": session, "step_ids": ids[:1]}
    recipe = alice.post(f"/projects/{things.project_id}/recipes", body).json()
    document = alice.get(f"/recipes/{recipe['id']}/document").json()
    elsewhere = bob.post("/projects", {"name": "Elsewhere"}).json()["id"]
    imported = bob.post(f"/projects/{elsewhere}/recipes", document)
    assert imported.status_code == 201, imported.content
    for part in ("name", "description", "steps", "columns"):
        assert imported.json()[part] == recipe[part]
    path = f"/recipes/{recipe['id']}"
    changed = alice.call("PATCH", path, {"name": "Fill flows", "description": "By the mean"})
    assert (changed.json()["name"], changed.json()["description"]) == ("Fill flows", "By the mean")
    assert alice.call("PATCH", path, {"name": "x"}, **{"If-Match": '"0"'}).status_code == 412
    assert alice.call("DELETE", path).status_code == 204
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"name": "x"}, ["steps"]),
        ({"name": "x", "steps": []}, ["steps"]),
        ({"name": "x", "steps": [{"op": "filter"}]}, ["steps", 0, "condition"]),
        ({"name": "x", "steps": [{"step": {"op": "unheard_of"}}]}, ["steps", 0]),
        ({"name": "x", "steps": [{"op": "filter", "condition": "a"}, {"fitted": [1]}]}, ["steps", 1]),
        ({"name": "x", "steps": [{"op": "filter", "condition": "a\x00"}]}, ["steps", 0]),
        ({"name": "x", "steps": [{"step": {"op": "filter", "condition": "a"}, "fitted": {"a\x00": 1}}]}, ["steps", 0]),
        ({"name": "x\x00", "steps": [{"op": "filter", "condition": "a"}]}, ["name"]),
        ({"name": "x", "description": "\x00", "steps": [{"op": "filter", "condition": "a"}]}, ["description"]),
        ({"name": "x", "format": "other", "steps": [{"op": "filter", "condition": "a"}]}, ["format"]),
    ],
)
def test_a_document_that_is_no_recipe_is_refused_with_its_place(
    alice: Person, things: Things, body: Any, place: list[Any]
) -> None:
    response = alice.post(f"/projects/{things.project_id}/recipes", body)
    assert response.status_code == 422, response.content
    assert response.json()["errors"][0]["loc"] == place


@pytest.mark.parametrize("learnt", [{"values": [1]}, {"values": {"flow": {"a": 1}}}, {"values": {"flow": "'; --"}}])
def test_what_a_document_says_was_learnt_is_not_trusted(alice: Person, things: Things, learnt: Any) -> None:
    step = {"step": {"op": "fill_missing", "columns": ["flow"], "method": "mean"}, "fitted": learnt}
    body = {"name": "Made up", "steps": [step]}
    recipe = alice.post(f"/projects/{things.project_id}/recipes", body).json()["id"]
    checked = alice.post(f"/versions/{things.version_id}/apply/check", {"recipe_id": recipe}).json()
    assert [one["status"] for one in checked["steps"]] == ["failed"]
    accepted = alice.post(f"/versions/{things.version_id}/apply", {"recipe_id": recipe, "name": "x"})
    assert accepted.status_code == 422


def test_the_program_of_a_recipe_gives_the_table(alice: Person, things: Things, session: str, tmp_path: Path) -> None:
    put(
        alice,
        session,
        {"op": "fill_missing", "columns": ["flow"], "method": "mean"},
        derive("Größe", "flow * 2"),
        {"op": "filter", "condition": "flow > 10"},
        {"op": "sort", "by": [{"column": "flow", "descending": True}]},
    )
    body = {"name": "Clean", "session_id": session}
    recipe = alice.post(f"/projects/{things.project_id}/recipes", body).json()["id"]
    code = alice.get(f"/recipes/{recipe}/code?version_id={things.version_id}").content.decode()
    same = alice.get(f"/recipes/{recipe}/code").content.decode()
    assert code == same
    (tmp_path / "program.py").write_text(code)
    version = container().sources().version(alice.id, VersionId(things.version_id))[0]
    with container().blobs().local(version.fingerprint) as table:
        arguments = [sys.executable, "program.py", str(table), "result.parquet"]
        subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)
    flows = pyarrow.parquet.read_table(tmp_path / "result.parquet")["flow"].to_pylist()
    shown = alice.get(f"/sessions/{session}/rows?limit=100").json()
    assert (len(flows), flows) == (21, [row[1] for row in shown["rows"]])


def test_a_saved_source_is_kept_up_to_date(alice: Person, things: Things, session: str) -> None:
    put(alice, session, {"op": "filter", "condition": "flow > 10"})
    accepted = alice.post(f"/sessions/{session}/save", {"name": "High", "follow": True}).json()
    finish(accepted["job"]["id"])
    path = f"/sources/{accepted['source']['id']}"
    assert alice.get(path).json()["follows"] == str(things.source_id)
    assert alice.post(f"/sources/{things.source_id}/rollback", {"version_id": str(things.version_id)}).status_code < 300
    running = alice.get(path).json()
    assert running["status"] == "processing"
    finish(running["job"]["id"])
    assert (alice.get(path).json()["versions"], alice.get(path).json()["status"]) == (2, "ready")
    assert alice.call("PATCH", path, {"follow": False}).json()["follows"] is None
    assert alice.call("PATCH", path, {"follow": True}).json()["follows"] == str(things.source_id)
    assert alice.call("PATCH", f"/sources/{things.source_id}", {"follow": True}).status_code == 409
