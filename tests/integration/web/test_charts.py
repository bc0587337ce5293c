"""Charts over the API: drawn of versions and sessions, and kept."""

from typing import Any

import pytest

from hydroml.application.documents import read_chart
from hydroml.domain.charts import CHARTS
from tests.integration.web.people import Person, Things

HISTOGRAM = {"kind": "histogram", "column": "flow", "bins": 4}


def joined(alice: Person, things: Things, person: Person, role: str) -> None:
    answer = alice.call("PUT", f"/projects/{things.project_id}/members/{person.user.pk}", {"role": role})
    assert answer.status_code == 200


def kept(owner: Person, things: Things, **of: Any) -> dict[str, Any]:
    answer = owner.post(f"/projects/{things.project_id}/charts", {"name": "Flows", "chart": HISTOGRAM, **of})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_version_and_a_session_are_drawn_with_the_filter(alice: Person, things: Things) -> None:
    whole = alice.post(f"/versions/{things.version_id}/chart", {"chart": HISTOGRAM}).json()
    rows = alice.get(f"/versions/{things.version_id}/rows").json()["total"]
    assert (whole["rows"], sum(mark[2] for mark in whole["marks"])) == (rows, whole["used"])
    one = alice.post(f"/sessions/{things.session_id}/chart", {"chart": HISTOGRAM, "filter": "flow < 2"}).json()
    assert one["rows"] < rows
    assert alice.post(
        f"/sessions/{things.session_id}/chart", {"chart": {"kind": "bar", "category": "site"}, "step": "root"}
    ).json()["marks"]


@pytest.mark.parametrize(("body", "place"), [
    ({"chart": {"kind": "histogram", "column": "nothing"}}, ["column"]),
    ({"chart": {"kind": "no such"}}, []),
    ({"chart": {"kind": "bar", "category": "site", "aggregate": "sum"}}, ["value"]),
    ({"chart": HISTOGRAM, "filter": "flow >"}, ["filter"]),
])  # fmt: skip
def test_what_cannot_be_drawn_is_told_by_place(
    alice: Person, things: Things, body: dict[str, Any], place: list[str]
) -> None:
    answer = alice.post(f"/versions/{things.version_id}/chart", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][-1:] == place


def test_every_kind_has_a_form(alice: Person) -> None:
    kinds = alice.get("/charts/kinds").json()["items"]
    assert [one["kind"] for one in kinds] == [kind.__dataclass_fields__["kind"].default for kind in CHARTS]
    assert all(one["title"] and one["help"] and "kind" not in one["schema"]["properties"] for one in kinds)
    assert read_chart(HISTOGRAM).kind == "histogram"


def test_viewers_read_charts_and_editors_write_them(alice: Person, bob: Person, things: Things) -> None:
    chart = kept(alice, things, version_id=str(things.version_id))
    joined(alice, things, bob, "viewer")
    assert bob.get(f"/charts/{chart['id']}").json()["chart"] == HISTOGRAM
    assert bob.call("PATCH", f"/charts/{chart['id']}", {"name": "mine"}).status_code == 403
    joined(alice, things, bob, "editor")
    changed = bob.call("PATCH", f"/charts/{chart['id']}", {"name": "Ours", "filter": "flow > 1"})
    assert (changed.json()["name"], changed["ETag"]) == ("Ours", '"1"')
    stale = {"HTTP_IF_MATCH": '"0"'}
    assert alice.client.delete(f"/api/v1/charts/{chart['id']}", **stale).status_code == 412
    assert alice.client.delete(f"/api/v1/charts/{chart['id']}").status_code == 204
    assert alice.get(f"/charts/{chart['id']}").status_code == 404


def test_a_chart_of_a_session_is_its_owners_alone(alice: Person, bob: Person, things: Things) -> None:
    chart = kept(alice, things, session_id=str(things.session_id))
    joined(alice, things, bob, "editor")
    assert bob.get(f"/charts/{chart['id']}").status_code == 404
    listed = bob.get(f"/projects/{things.project_id}/charts").json()["items"]
    assert chart["id"] not in [one["id"] for one in listed]
    assert chart["id"] in [one["id"] for one in alice.get(f"/projects/{things.project_id}/charts").json()["items"]]


def test_a_chart_is_of_one_thing_in_the_project(alice: Person, things: Things) -> None:
    both = {"version_id": str(things.version_id), "session_id": str(things.session_id)}
    for of in ({}, both):
        answer = alice.post(f"/projects/{things.project_id}/charts", {"name": "x", "chart": HISTOGRAM, **of})
        assert answer.status_code == 422
    other = alice.post("/projects", {"name": "Other"}).json()["id"]
    body = {"name": "x", "chart": HISTOGRAM, "version_id": str(things.version_id)}
    assert alice.post(f"/projects/{other}/charts", body).status_code == 422
