"""Runs over the API: their table, tags and notes."""

from typing import Any

import pytest

from tests.integration.web.people import Person, Things, insert_run


def table(who: Person, things: Things, query: str = "") -> Any:
    return who.get(f"/projects/{things.project_id}/runs{query}")


def test_the_table_shows_columns_in_their_places(alice: Person, things: Things) -> None:
    run = alice.get(f"/runs/{things.run_id}").json()
    (row,) = table(alice, things).json()["items"]
    assert row["metrics"] == {"test": run["metrics"]["test"]}
    assert row["name"] == run["name"]
    assert (row["source"], row["version"]) == ("flows.csv", 1)
    names = [c["name"] for c in alice.get(f"/projects/{things.project_id}/runs/columns").json()["items"]]
    (row,) = table(alice, things, f"?columns={','.join(names)}&sort=-{names[0]}").json()["items"]
    assert row["metrics"]["baselines"] == run["metrics"]["baselines"]
    assert row["parameters"] == run["parameters"]
    groups = alice.get(f"/projects/{things.project_id}/runs/groups?group_by=algorithm").json()["items"]
    assert [(g["title"], g["runs"]) for g in groups] == [(row["algorithm"], 1)]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("?sort=outcome", "sort"),
        ("?columns=words", "columns"),
        ("?group_by=words", "group_by"),
        ("?group=a", "group"),
        ("?status=odd", "status"),
        ("?limit=501", "limit"),
        ("?offset=-1", "offset"),
        ("?cursor=zzz", "cursor"),
    ],
)
def test_the_table_refuses_what_it_does_not_know(alice: Person, things: Things, query: str, place: str) -> None:
    refused = table(alice, things, query)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"][-1] == place


def test_tags_and_notes_are_kept_and_found(alice: Person, things: Things) -> None:
    read = alice.get(f"/runs/{things.run_id}")
    body = {"tags": ["  Low  flows ", "low flows", "β"], "notes": "Looks at *autumn*."}
    changed = alice.call("PATCH", f"/runs/{things.run_id}", body, **{"If-Match": read["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["tags"] == ["Low flows", "β"]
    assert alice.call("PATCH", f"/runs/{things.run_id}", {"tags": []}, **{"If-Match": read["ETag"]}).status_code == 412
    assert table(alice, things, "?q=autumn low").json()["total"] == 1
    assert table(alice, things, "?q=winter").json()["total"] == 0
    assert table(alice, things, "?group_by=tag&group=β").json()["total"] == 1
    refused = alice.call("PATCH", f"/runs/{things.run_id}", {"tags": ["a", ""]})
    assert (refused.status_code, refused.json()["errors"][0]["loc"][-2:]) == (422, ["tags", 1])


def test_runs_are_compared(alice: Person, bob: Person, things: Things) -> None:
    experiment, run, _ = insert_run(alice.id, things.project_id, things.version_id, "Second")
    compared = alice.get(f"/runs/compare?ids={things.run_id},{run}")
    assert compared.status_code == 200
    found = compared.json()
    assert [one["id"] for one in found["runs"]] == [str(things.run_id), str(run)]
    assert found["differ"] == [{"place": "name", "values": ["Flow", "Second"]}]
    assert {"place": "data", "values": ["flows.csv, version 1"] * 2} in found["same"]
    assert [(row["name"], row["better"], row["values"], row["best"]) for row in found["metrics"]] == [
        ("rmse", "lower", [1.5, 1.5], [])
    ]
    assert found["obstacles"] == []
    differences = alice.get(f"/experiments/{things.experiment_id}/differences?with={experiment}").json()["items"]
    assert differences == found["differ"]
    assert bob.get(f"/runs/compare?ids={things.run_id},{run}").status_code == 404
    for ids in (f"{run}", f"{run},{run}", f"{run},x", ",".join([str(run)] * 101)):
        refused = alice.get(f"/runs/compare?ids={ids}")
        assert (refused.status_code, refused.json()["errors"][0]["loc"][-1]) == (422, "ids")
