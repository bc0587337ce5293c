"""Runs over the API: their table, tags and notes."""

from typing import Any

import pytest

from tests.integration.web.people import CSV, Person, Things, finish, insert_run, upload


def table(who: Person, things: Things, query: str = "") -> Any:
    return who.get(f"/projects/{things.project_id}/runs{query}")


def test_the_table_shows_columns_in_their_places(alice: Person, things: Things) -> None:
    run = alice.get(f"/runs/{things.run_id}").json()
    row, logged = table(alice, things, "?sort=name").json()["items"]
    assert (row["logged"], logged["logged"], logged["name"]) == (False, True, "theirs")
    assert row["metrics"] == {"test": run["metrics"]["test"]}
    assert row["name"] == run["name"]
    assert (row["source"], row["version"]) == ("flows.csv", 1)
    names = [c["name"] for c in alice.get(f"/projects/{things.project_id}/runs/columns").json()["items"]]
    row, _ = table(alice, things, f"?columns={','.join(names)}&sort=-{names[0]}").json()["items"]
    assert row["metrics"]["baselines"] == run["metrics"]["baselines"]
    assert row["parameters"] == run["parameters"]
    groups = alice.get(f"/projects/{things.project_id}/runs/groups?group_by=algorithm").json()["items"]
    assert [(g["title"], g["runs"]) for g in groups] == [("", 1), (row["algorithm"], 1)]


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


def test_a_preset_is_kept_and_applied_to_other_data(alice: Person, things: Things) -> None:
    settings = {
        "target": "flow",
        "features": ["site", "rain"],
        "split": {"kind": "group"},
        "group_column": "basin",
        "preparation": {
            "groups": [{"columns": ["rain", "site"], "texts": {"encode": "frequency"}}],
            "past": [{"columns": ["flow"], "lags": [1]}],
        },
        "algorithm": {"name": "random_forest", "hyperparameters": {"max_depth": 4}},
    }
    made = alice.post("/presets", {"name": "Shallow forest", "settings": settings})
    assert made.status_code == 201
    assert made.json()["settings"]["algorithm"] == settings["algorithm"]
    assert "seed" not in made.json()["settings"]
    applied = alice.post(f"/presets/{made.json()['id']}/apply", {"version_id": str(things.version_id)}).json()
    assert [fault["loc"] for fault in applied["missing"]] == [
        ["group_column"],
        ["features"],
        ["preparation", "groups"],
        ["preparation", "past"],
        ["split", "kind"],
    ]
    assert [group["columns"] for group in applied["specification"]["preparation"]["groups"]] == [["site"]]
    specification = applied["specification"]
    assert (specification["features"], specification["target"]) == (["site"], "flow")
    assert alice.post(f"/projects/{things.project_id}/experiments", specification).status_code == 201
    renamed = alice.call("PATCH", f"/presets/{made.json()['id']}", {"name": "Forest"}, **{"If-Match": made["ETag"]})
    assert renamed.json()["name"] == "Forest"
    assert alice.call("DELETE", f"/presets/{made.json()['id']}").status_code == 204


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"settings": {"name": "x"}}, ["settings"]),
        ({"settings": {"speed": 1}}, ["speed"]),
        ({"settings": {"algorithm": {"name": "odd"}}}, ["algorithm", "name"]),
        ({"settings": {"split": {"test_size": 2}}}, ["split", "test_size"]),
        ({}, ["settings"]),
    ],
)
def test_a_preset_refuses_what_is_no_setting(alice: Person, body: dict[str, Any], place: list[str]) -> None:
    refused = alice.post("/presets", {"name": "x", **body})
    assert (refused.status_code, refused.json()["errors"][0]["loc"][-len(place) :]) == (422, place)


def test_a_fork_remembers_its_parent(alice: Person, bob: Person, things: Things) -> None:
    parent = alice.get(f"/experiments/{things.experiment_id}").json()
    body = parent["specification"] | {"seed": 7}
    address = f"/projects/{things.project_id}/experiments?parent_id={things.experiment_id}"
    forked = alice.post(address, body).json()
    assert forked["parent_id"] == parent["id"]
    found = alice.get(f"/experiments/{forked['id']}/differences?with={parent['id']}").json()["items"]
    assert found == [{"place": "seed", "values": [7, 0]}]
    project = bob.post("/projects", {"name": "Bob's"}).json()["id"]
    assert bob.post(f"/projects/{project}/experiments?parent_id={parent['id']}", body).status_code == 404


def test_a_published_run_is_seen_and_forked_with_its_data(alice: Person, bob: Person, things: Things) -> None:
    seen = bob.get(f"/gallery/{things.publication_id}").json()
    assert (seen["title"], seen["author"], seen["mine"], seen["run_id"]) == ("Flow", "alice", False, None)
    assert seen["metrics"]["test"] == {"rmse": 1.5}
    assert bob.get(f"/gallery/{things.publication_id}/artifacts/importance").status_code == 200
    project = bob.post("/projects", {"name": "Bob's"}).json()["id"]
    forked = bob.post(f"/gallery/{things.publication_id}/fork", {"project_id": project})
    assert forked.status_code == 201
    assert forked.json()["parent_id"] == str(things.experiment_id)
    (copy,) = bob.get(f"/projects/{project}/sources").json()["items"]
    assert forked.json()["specification"]["version_id"] == copy["current_version"]["id"]
    assert copy["current_version"]["origin"]["kind"] == "fork"
    assert bob.get(f"/versions/{copy['current_version']['id']}/rows").json()["total"] == 30
    again = bob.post(f"/gallery/{things.publication_id}/fork", {"project_id": project})
    assert again.json()["specification"]["version_id"] == copy["current_version"]["id"]
    assert bob.get(f"/versions/{copy['current_version']['id']}/lineage").status_code == 200
    assert bob.call("DELETE", f"/gallery/{things.publication_id}").status_code == 403
    assert alice.post(f"/runs/{things.run_id}/publish").status_code == 409
    assert alice.call("DELETE", f"/gallery/{things.publication_id}").status_code == 204
    assert bob.get("/gallery").json()["total"] == 0


def test_data_that_is_not_shared_stays_hidden(alice: Person, bob: Person, things: Things) -> None:
    _, run, _ = insert_run(alice.id, things.project_id, things.version_id, "Second")
    published = alice.post(f"/runs/{run}/publish", {"title": "How it flows", "summary": "In spring."}).json()
    assert [one["title"] for one in bob.get("/gallery?search=spring").json()["items"]] == ["How it flows"]
    project = bob.post("/projects", {"name": "Bob's"}).json()["id"]
    address = f"/gallery/{published['id']}/fork"
    refused = bob.post(address, {"project_id": project})
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["version_id"])
    assert bob.post(address, {"project_id": str(things.project_id)}).status_code == 404
    other = bob.post(address, {"project_id": project, "version_id": str(things.version_id)})
    assert other.status_code == 422
    accepted = upload(bob, project, CSV).json()
    finish(accepted["job"]["id"])
    own = bob.get(f"/sources/{accepted['source']['id']}").json()["current_version"]["id"]
    assert bob.post(address, {"project_id": project, "version_id": own}).status_code == 201
