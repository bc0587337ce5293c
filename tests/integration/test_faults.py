"""Whatever is killed, work comes to its end by itself: against a whole installation with real processes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

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


def test_neither_a_killed_web_process_nor_a_killed_worker_loses_a_session_or_its_saving(
    installation: tuple[Serving, Api], project: str, version: str
) -> None:
    _, api = installation
    session = api.post(f"/versions/{version}/sessions", {"name": "Kept"})["id"]
    api.post(f"/sessions/{session}/steps", {"op": "filter", "condition": "a > 6"})
    before = api.post(f"/sessions/{session}/steps", {"op": "derive", "column": "z", "formula": "a + b"})
    kill(installation, "uvicorn")
    assert wait_until(lambda: is_there(api, f"/sessions/{session}"), 120)
    assert api.get(f"/sessions/{session}") == before
    accepted = api.post(f"/sessions/{session}/save", {"name": "From the session"})
    kill(installation, "hydroml worker")
    done = api.wait(accepted["job"]["id"])
    assert (done["state"], done["result"]["columns"]) == ("succeeded", 4)
    assert api.post(f"/sessions/{session}/undo")["can_redo"] is True


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
