"""What the grid asks for beside its rows: text found in the table, and how columns are spread."""

from typing import Any

import pytest

from tests.integration.web.people import Person, Things


@pytest.fixture(params=["versions", "sessions"])
def table(request: pytest.FixtureRequest, things: Things) -> str:
    """The address of a version's table, or of a session's."""
    return f"/{request.param}/{things.ids[request.param.removesuffix('s') + '_id']}"


def test_text_is_found_in_the_order_and_filter_of_the_grid(alice: Person, table: str) -> None:
    def found(**query: Any) -> tuple[int | None, str | None, int | None]:
        path = "&".join(f"{name}={value}" for name, value in query.items())
        answer = alice.get(f"{table}/find?{path}")
        assert answer.status_code == 200, answer.content
        hit = answer.json()
        assert hit["done"] is True
        return hit["position"], hit["column"], hit["rows"]

    assert found(text="3.5") == (2, "flow", 3)  # 3.5, 13.5, 23.5
    assert found(text="3.5", after=2, column="flow") == (12, "flow", 3)
    assert found(text="3.5", after=2, direction="previous") == (22, "flow", 3)
    assert found(text="3.5", sort="-flow", filter="flow < 20") == (6, "flow", 2)
    assert found(text="3.5", columns="date") == (None, None, 0)


def test_columns_are_spread_over_all_rows_and_those_kept(alice: Person, table: str) -> None:
    found = alice.get(f"{table}/distributions?filter=flow > 20&columns=flow,date").json()
    assert (found["rows"], found["kept"], [one["name"] for one in found["columns"]]) == (30, 11, ["flow", "date"])
    flow, date = found["columns"]
    assert (sum(flow["histogram"]["counts"]), sum(flow["histogram"]["kept"]), flow["top"]) == (30, 11, None)
    assert (date["histogram"]["edges"][0], date["histogram"]["edges"][-1]) == ("2020-01-01", "2020-01-30")


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("find?text=", "text"),
        ("find?text=a&column=nothing", "column"),
        ("find?text=a&columns=nothing", "columns"),
        ("find?text=a&after=-1", "after"),
        ("find?text=a&direction=up", "direction"),
        ("find?text=a&filter=nothing > 1", "filter"),
        ("distributions?columns=nothing", "columns"),
        ("distributions?filter=flow >", "filter"),
    ],
)
def test_what_cannot_be_asked_is_told_by_place(alice: Person, table: str, query: str, place: str) -> None:
    answer = alice.get(f"{table}/{query}")
    assert answer.status_code == 422
    assert place in answer.json()["errors"][0]["loc"]


def test_a_step_back_is_searched_too(alice: Person, things: Things) -> None:
    path = f"/sessions/{things.session_id}/find?text=B"
    assert alice.get(path).json()["position"] is None  # the column was dropped
    assert alice.get(f"{path}&step=root").json()["position"] == 1


def test_views_are_kept_by_each_person_alone(alice: Person, bob: Person, things: Things) -> None:
    alice.call("PUT", f"/projects/{things.project_id}/members/{bob.user.pk}", {"role": "viewer"})
    path = f"/sources/{things.source_id}/views"
    layout = {"order": ["flow", "date"], "hidden": ["site"], "pinned": ["flow"], "widths": {"flow": 120}}
    body = {"name": "High", "filter": "flow > 20", "sort": [{"column": "flow", "descending": True}], "layout": layout}
    made = alice.post(path, body)
    assert (made.status_code, made["ETag"]) == (201, '"0"')
    view = made.json()
    assert {name: view[name] for name in body} == body
    assert bob.get(path).json()["items"] == []  # a member of the project keeps his own
    own = bob.post(path, {"name": "Mine"}).json()
    assert bob.get(f"/views/{view['id']}").status_code == 404
    assert [one["id"] for one in bob.get(path).json()["items"]] == [own["id"]]
    address = f"/views/{view['id']}"
    changed = alice.call("PATCH", address, {"filter": "", "name": "All"}, **{"If-Match": '"0"'}).json()
    assert (changed["name"], changed["filter"], changed["layout"]) == ("All", None, layout)
    assert alice.call("PATCH", address, {"name": "Late"}, **{"If-Match": '"0"'}).status_code == 412
    wrong = alice.post(path, body | {"layout": {"order": ["a", "a"]}})
    assert (wrong.status_code, wrong.json()["errors"][0]["loc"]) == (422, ["layout", "order"])
    assert alice.call("DELETE", address).status_code == 204
    assert [one["id"] for one in alice.get(path).json()["items"]] == [str(things.view_id)]
    alice.call("DELETE", f"/projects/{things.project_id}/members/{bob.user.pk}")
    assert bob.get(f"/views/{own['id']}").status_code == 404  # what he does not see any more
