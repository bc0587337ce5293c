"""Suites over the API."""

from typing import Any
from uuid import UUID

import pytest

from tests.integration.web.people import Person, finish, make_things, upload

PLAN = {"kind": "sweep", "sampler": "random", "trials": 3, "space": {"alpha": {"low": 0.01, "high": 10, "log": True}}}


@pytest.fixture
def body(alice: Person) -> dict[str, Any]:
    """What a suite is made from, and where."""
    project = alice.post("/projects", {"name": "Rivers"}).json()["id"]
    accepted = upload(alice, UUID(project)).json()
    finish(accepted["job"]["id"])
    version = alice.get(f"/sources/{accepted['source']['id']}").json()["current_version"]["id"]
    specification = {"name": "Flow", "version_id": version, "target": "flow", "algorithm": {"name": "ridge"}}
    return {"project": project, "suite": {"specification": specification, "plan": PLAN, "parallel": 1}}


def test_a_sweep_runs_stops_and_goes_on(alice: Person, body: dict[str, Any]) -> None:
    made = alice.post(f"/projects/{body['project']}/suites", body["suite"])
    assert made.status_code == 201, made.json()
    address = f"/suites/{made.json()['id']}"
    assert made["Location"] == f"/api/v1{address}"
    assert (made.json()["status"], made.json()["counts"]["most"]) == ("ready", 3)
    assert alice.post(f"{address}/stop").status_code == 409

    started = alice.post(f"{address}/start")
    assert (started.status_code, started["Location"][:13]) == (202, "/api/v1/jobs/")
    finish(started.json()["job"]["id"])
    assert alice.post(f"{address}/start").status_code == 409
    assert alice.call("DELETE", address).status_code == 409
    stopped = alice.post(f"{address}/stop").json()
    assert (stopped["status"], stopped["counts"]["cancelled"]) == ("stopped", 1)
    assert alice.get(f"/jobs/{stopped['job_id']}").json()["state"] == "cancelled"

    finish(alice.post(f"{address}/start").json()["job"]["id"])
    while (suite := alice.get(address).json())["status"] == "running":
        for trial in suite["trials"]:
            if trial["status"] == "queued":
                finish(trial["job_id"])
    assert suite["status"] == "succeeded", suite
    scores = [trial["score"] for trial in suite["trials"]]
    assert (suite["judged_by"], suite["metric"], suite["best"]["score"]) == ("validation", "rmse", min(scores))
    run = alice.get(f"/runs/{suite['best']['run_id']}").json()
    assert (run["suite_id"], run["trial"]) == (suite["id"], suite["best"]["number"])
    assert run["metrics"]["validation"]["rmse"] == min(scores)
    assert run["metrics"]["test"]["rmse"] == suite["best"]["test_score"]
    assert run["parameters"]["alpha"] == suite["best"]["values"]["alpha"]
    listed = alice.get(f"/projects/{body['project']}/suites").json()["items"]
    assert [(one["id"], one["trials"]) for one in listed] == [(suite["id"], [])]
    assert alice.call("DELETE", address).status_code == 204
    assert alice.get(address).status_code == 404


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"plan": {"kind": "magic"}}, []),
        ({"plan": PLAN | {"trials": 0}}, ["trials"]),
        ({"plan": PLAN | {"space": {"alpha": {"low": 3, "high": 2}}}}, ["plan", "space", "alpha", "high"]),
        ({"plan": PLAN | {"limits": {"seconds": -1}}}, ["limits", "seconds"]),
        ({"metric": "magic"}, ["metric"]),
        ({"metric": "f1"}, ["metric"]),
        ({"parallel": 0}, ["parallel"]),
        ({"seconds": 0.1}, ["seconds"]),
        ({"specification": None}, ["experiment_id"]),
        ({"specification": None, "experiment_id": "00000000-0000-4000-8000-000000000000"}, ["experiment_id"]),
    ],
)
def test_what_is_wrong_is_named(alice: Person, body: dict[str, Any], changes: dict[str, Any], place: list[str]) -> None:
    refused = alice.post(f"/projects/{body['project']}/suites", body["suite"] | changes)
    assert refused.status_code == 422
    assert place in [fault["loc"][-len(place) :] if place else [] for fault in refused.json()["errors"]], refused.json()


def test_only_editors_start(alice: Person, bob: Person) -> None:
    things = make_things(alice)
    alice.call("PUT", f"/projects/{things.project_id}/members/{bob.id}", {"role": "viewer"})
    assert bob.get(f"/suites/{things.suite_id}").status_code == 200
    for method, path in (("POST", "/start"), ("POST", "/stop"), ("DELETE", "")):
        assert bob.call(method, f"/suites/{things.suite_id}{path}").status_code == 403
