"""Whatever is killed, work comes to its end by itself: against a whole installation with real processes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from hydroml.entrypoints.settings import Settings
from hydroml.entrypoints.supervisor.processes import wait_until
from tests.serving import Api, Serving, processes_of

pytestmark = pytest.mark.slow

LEASE_SECONDS = "4"
ROWS = 400_000


@pytest.fixture(scope="module")
def installation(
    module_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Serving, Api]]:
    environment = module_environment | {"HYDROML_LEASE_SECONDS": LEASE_SECONDS, "HYDROML_WORKER_CONCURRENCY": "1"}
    serving = Serving(environment, tmp_path_factory.mktemp("serve") / "serve.log")
    try:
        port = serving.ready()
        yield serving, Api(port, serving.command("create_token", "admin", "--name", "test").split()[-1])
    finally:
        serving.stop()


@pytest.fixture(scope="module")
def project(installation: tuple[Serving, Api]) -> str:
    return str(installation[1].post("/projects", {"name": "Faults"})["id"])


@pytest.fixture(scope="module")
def table() -> bytes:
    """Some 20 MB, so that an import lasts long enough to be interrupted."""
    lines = (
        f"2001-01-{n % 28 + 1:02d},{n % 97},{n * 7 % 1013 / 10},{'gauge' if n % 3 else ''},{n}" for n in range(ROWS)
    )
    return ("date,rain,flow,site,number\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def version(installation: tuple[Serving, Api], project: str) -> str:
    _, api = installation
    rows = "".join(f"{n % 13},{n % 7},{n % 13 * 2 + n % 7}\n" for n in range(5_000))
    accepted = api.upload(project, "small.csv", f"a,b,y\n{rows}".encode())
    assert api.wait(accepted["job"]["id"])["state"] == "succeeded"
    return str(api.get(f"/sources/{accepted['source']['id']}")["current_version"]["id"])


def kill(installation: tuple[Serving, Api], part: str) -> None:
    """`kill -9` of every process whose command line holds `part`."""
    data_dir = Path(installation[0].environment["HYDROML_DATA_DIR"])
    victims = [pid for pid, command in processes_of(data_dir).items() if part in command]
    assert victims
    for pid in victims:
        os.kill(pid, signal.SIGKILL)


def is_there(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except httpx.TransportError:
        return False
    return True


def long_run(api: Api, project: str, version: str) -> dict[str, str]:
    """A run that would take minutes."""
    experiment = api.post(
        f"/projects/{project}/experiments",
        {
            "name": "Long",
            "version_id": version,
            "target": "y",
            "algorithm": {"name": "hist_gradient_boosting", "hyperparameters": {"max_iter": 10_000}},
        },
    )
    started: dict[str, dict[str, str]] = api.post(f"/experiments/{experiment['id']}/runs")
    return {"run": started["run"]["id"], "job": started["job"]["id"]}


def test_an_import_whose_worker_is_killed_is_taken_up_again(
    installation: tuple[Serving, Api], project: str, table: bytes
) -> None:
    _, api = installation
    accepted = api.upload(project, "large.csv", table)
    api.until(accepted["job"]["id"], lambda job: job["state"] != "queued")
    kill(installation, "hydroml worker")
    done = api.wait(accepted["job"]["id"])
    assert done["state"] == "succeeded", done
    source = api.get(f"/sources/{accepted['source']['id']}")
    assert (source["status"], source["current_version"]["rows"]) == ("ready", ROWS)


def test_a_training_whose_worker_is_killed_is_taken_up_again_and_a_cancel_ends_it(
    installation: tuple[Serving, Api], project: str, version: str
) -> None:
    _, api = installation
    started = long_run(api, project, version)
    api.until(started["job"], lambda job: job["phase"] == "fitting")
    kill(installation, "hydroml worker")
    again = api.until(started["job"], lambda job: job["attempts"] == 2 and job["state"] == "running")
    assert again["error"] is None
    api.until(started["job"], lambda job: job["phase"] == "fitting")
    api.post(f"/jobs/{started['job']}/cancel")
    assert api.wait(started["job"], 120)["state"] == "cancelled"
    assert api.get(f"/runs/{started['run']}")["status"] == "cancelled"


def test_a_killed_web_process_comes_back_and_the_work_goes_on(
    installation: tuple[Serving, Api], project: str, table: bytes
) -> None:
    _, api = installation
    accepted = api.upload(project, "large.csv", table, name="Again")
    kill(installation, "uvicorn")
    assert wait_until(lambda: is_there(api, f"/jobs/{accepted['job']['id']}"), 120)
    assert api.wait(accepted["job"]["id"])["state"] == "succeeded"


def test_no_killed_web_process_loses_what_the_studio_has_answered(
    installation: tuple[Serving, Api], project: str, version: str
) -> None:
    _, api = installation
    session = f"/sessions/{api.post(f'/versions/{version}/sessions', {'name': 'Kept'})['id']}"

    def kill_and_find(*answered: tuple[str, Any]) -> None:
        """What was answered is there after the process that answered is gone; it comes back ever later, so not too
        often."""
        kill(installation, "uvicorn")
        assert wait_until(lambda: is_there(api, session), 120)
        assert [api.get(path) for path, _ in answered] == [answer for _, answer in answered]

    api.post(f"{session}/steps", {"op": "filter", "condition": "a > 6"})
    api.post(f"{session}/steps", {"op": "derive", "column": "z", "formula": "a + b"})
    undone = api.post(f"{session}/undo")
    kill_and_find((session, undone))
    edited = {"step": {"op": "filter", "condition": "a > 7"}}
    changed = api.patch(f"{session}/steps/{undone['steps'][0]['id']}", edited)
    assert changed["can_redo"]
    kill_and_find((session, changed))
    branched = api.post(f"{session}/steps", {"op": "fill_missing", "columns": ["b"], "method": "mean"})
    named = api.patch(f"{session}/branches/{branched['branches'][0]['tip']}", {"name": "Sums"})
    assert [branch["name"] for branch in named["branches"]] == ["Sums"]
    kill_and_find((session, named))
    chart = {"name": "Of a", "version_id": version, "chart": {"kind": "histogram", "column": "a"}}
    drawn = api.post(f"/projects/{project}/charts", chart)
    recipe = api.post(f"/projects/{project}/recipes", {"name": "Kept", "session_id": session.rsplit("/", 1)[-1]})
    saved = api.post(f"{session}/save", {"name": "From the session"})
    kill_and_find((session, named), (f"/charts/{drawn['id']}", drawn), (f"/recipes/{recipe['id']}", recipe))
    done = api.wait(saved["job"]["id"])
    assert (done["state"], done["result"]["columns"]) == ("succeeded", 3)
    assert api.post(f"{session}/jump", {"step": branched["branches"][0]["tip"]})["branch"]["name"] == "Sums"


def test_a_worker_that_is_killed_while_it_saves_leaves_one_whole_version(
    installation: tuple[Serving, Api], project: str, table: bytes
) -> None:
    _, api = installation
    accepted = api.upload(project, "large.csv", table, name="To be sorted")
    assert api.wait(accepted["job"]["id"])["state"] == "succeeded"
    version = api.get(f"/sources/{accepted['source']['id']}")["current_version"]["id"]
    session = api.post(f"/versions/{version}/sessions")["id"]
    api.post(f"/sessions/{session}/steps", {"op": "sort", "by": [{"column": "flow"}]})
    saved = api.post(f"/sessions/{session}/save", {"name": "Sorted"})
    api.until(saved["job"]["id"], lambda job: job["state"] != "queued")
    kill(installation, "hydroml worker")
    done = api.wait(saved["job"]["id"])
    assert done["state"] == "succeeded", done
    source = api.get(f"/sources/{saved['source']['id']}")
    assert (source["status"], source["versions"], source["current_version"]["rows"]) == ("ready", 1, ROWS)


def test_a_wiped_broker_loses_nothing(
    installation: tuple[Serving, Api], project: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving, api = installation
    busy = long_run(api, project, version)
    api.until(busy["job"], lambda job: job["state"] == "running")
    waiting = api.upload(project, "small.csv", b"a,b\n1,2\n3,4\n")["job"]["id"]
    for name in [name for name in os.environ if name.startswith("HYDROML_")]:
        monkeypatch.delenv(name)
    settings = Settings(data_dir=Path(serving.environment["HYDROML_DATA_DIR"]))
    with redis.Redis.from_url(settings.cache_url) as broker:
        broker.flushall()
    api.post(f"/jobs/{busy['job']}/cancel")
    assert api.wait(busy["job"], 120)["state"] == "cancelled"
    assert api.wait(waiting, 150)["state"] == "succeeded"
