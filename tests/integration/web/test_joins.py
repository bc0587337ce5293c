"""Joining sources of one project through the API; strangers' sources stay theirs."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.web.people import Person, Things, finish, upload

SITES = b"site,area,note\n" + b"".join(b"%s,%d,secret\n" % (name, 10 * n) for n, name in enumerate((b"A", b"C", b"C")))


def version_of(owner: Person, project: UUID, name: str) -> str:
    accepted = upload(owner, project, SITES, name).json()
    finish(accepted["job"]["id"])
    return str(owner.get(f"/sources/{accepted['source']['id']}").json()["current_version"]["id"])


def join(version: str) -> dict[str, Any]:
    return {"op": "join", "version": version, "on": [{"left": "site", "right": "site"}], "how": "left"}


@pytest.fixture
def session(alice: Person, things: Things) -> str:
    return "/sessions/" + alice.post(f"/versions/{things.version_id}/sessions").json()["id"]


def test_a_join_is_matched_previewed_added_and_read(alice: Person, things: Things, session: str) -> None:
    step = join(version_of(alice, things.project_id, "sites.csv"))
    assert alice.post(f"{session}/match", step).json() == {
        "rows_left": 30, "rows_right": 3, "matched_left": 15, "matched_right": 1, "unmatched_left": [["B"]],
        "unmatched_right": [["C"]], "rows_after": 30, "most_partners": 1, "largest_key": ["A"], "largest_rows": 15,
        "repeated_left": 2, "repeated_right": 1,
    }  # fmt: skip
    assert alice.post(f"{session}/preview", step).json()["added_columns"] == ["area", "note"]
    added = alice.post(f"{session}/steps", step)
    assert added.status_code == 201
    assert [column["name"] for column in added.json()["schema"]] == ["date", "flow", "site", "area", "note"]
    page = alice.get(f"{session}/rows?limit=2&sort=-area").json()
    assert (page["total"], page["rows"][0][2:]) == (30, ["A", 0, "secret"])


def test_a_join_that_multiplies_against_expectation_is_refused(alice: Person, things: Things, session: str) -> None:
    step = join(version_of(alice, things.project_id, "sites.csv")) | {"expect": "one"}
    for action in ("preview", "steps"):
        refused = alice.post(f"{session}/{action}", step)
        assert refused.status_code == 422
        assert "the key “C” occurs more than once" in refused.json()["detail"]
    assert alice.get(session).json()["steps"] == []


@pytest.mark.parametrize("kind", ["join", "join_nearest", "append"])
def test_a_strangers_version_cannot_be_joined(
    alice: Person, bob: Person, things: Things, session: str, kind: str
) -> None:
    project = UUID(bob.post("/projects", {"name": "Bob's"}).json()["id"])
    theirs = version_of(bob, project, "theirs.csv")
    answers = []
    for version in (theirs, str(uuid4())):
        step: dict[str, Any] = {
            "join": join(version),
            "join_nearest": {"op": kind, "version": version, "left": "flow", "right": "area"},
            "append": {"op": kind, "version": version},
        }[kind]
        for action in ("match", "preview", "steps"):
            answer = alice.post(f"{session}/{action}", step)
            assert answer.status_code == 422
            assert "secret" not in answer.content.decode()
            answers.append((action, answer.json()["detail"]))
    assert answers[:3] == answers[3:]  # what is a stranger's looks like what is not there
    assert alice.get(session).json()["steps"] == []


def test_a_join_whose_source_is_gone_is_marked(alice: Person, things: Things, session: str) -> None:
    version = version_of(alice, things.project_id, "sites.csv")
    names = [column["name"] for column in alice.get(f"{session}/rows").json()["columns"]]
    alice.post(f"{session}/steps", join(version))
    source = alice.get(f"/versions/{version}").json()["source"]["id"]
    alice.call("DELETE", f"/sources/{source}")
    (step,) = alice.get(session).json()["steps"]
    assert (step["status"], "not in this project any more" in step["error"]) == ("failed", True)
    shown = alice.get(f"{session}/rows").json()
    assert (shown["total"], [column["name"] for column in shown["columns"]]) == (30, names)  # without the step
    alice.post(f"/sources/{source}/restore")
    assert alice.get(session).json()["steps"][0]["status"] == "ok"
    alice.call("DELETE", f"/sources/{source}")
    assert alice.post(f"/sources/{source}/purge", {"name": "sites.csv"}).status_code in (200, 204)
    assert alice.get(session).json()["steps"][0]["status"] == "failed"
