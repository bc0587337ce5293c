"""MLflow behind our login: what a token may do there, what administrators see, and that nothing else comes through."""

import json
import os
import pickle
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from hydroml.entrypoints.bootstrap import container
from tests.integration.web.people import Person, person

API = "/mlflow/api/2.0/mlflow/"
FILES = "/mlflow/api/2.0/mlflow-artifacts/artifacts"
NOBODYS = "0" * 32


class MlflowClient:
    """What MLflow's client sends, with somebody's token."""

    def __init__(self, owner: Person, *scopes: str) -> None:
        self.headers = owner.token(*(scopes or ("mlflow",)))

    def get(self, path: str, /, **query: Any) -> Any:
        return Client().get(path if path.startswith("/") else API + path, query, headers=self.headers)

    def send(self, path: str, body: Any, method: str = "post") -> Any:
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        kind = "application/json" if not isinstance(body, bytes) else "application/octet-stream"
        address = path if path.startswith("/") else API + path
        return getattr(Client(), method)(address, content, content_type=kind, headers=self.headers)

    def experiment(self, project: UUID) -> str:
        found = self.get("experiments/get-by-name", experiment_name=str(project))
        assert found.status_code == 200, found.content
        return str(found.json()["experiment"]["experiment_id"])

    def run(self, experiment: str, **more: Any) -> dict[str, Any]:
        answer = self.send(
            "runs/create", {"experiment_id": experiment, "run_name": "theirs", "start_time": 1_000} | more
        )
        assert answer.status_code == 200, answer.content
        return dict(answer.json()["run"])


@pytest.fixture
def project(alice: Person) -> UUID:
    return UUID(alice.post("/projects", {"name": f"Rivers {uuid4().hex[:6]}"}).json()["id"])


@pytest.fixture
def client(alice: Person) -> MlflowClient:
    return MlflowClient(alice)


@pytest.fixture
def logged(client: MlflowClient, project: UUID) -> str:
    """The id of a run that Alice logged into her project."""
    return str(client.run(client.experiment(project))["info"]["run_id"])


def rows(owner: Person, project: UUID, **asked: str) -> list[Any]:
    container().logged_runs().gather()
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return list(owner.get(f"/projects/{project}/runs?{query}").json()["items"])


def test_a_run_that_is_logged_stands_among_the_projects_runs(
    alice: Person, client: MlflowClient, project: UUID
) -> None:
    experiment = client.experiment(project)
    tags = [{"key": "team", "value": "floods"}, {"key": "mlflow.source.name", "value": "train.py"}]
    run = client.run(experiment, tags=tags)["info"]["run_id"]
    metrics = [{"key": "test_rmse", "value": 0.25, "timestamp": 1, "step": 0}]
    assert client.send("runs/log-batch", {"run_id": run, "metrics": metrics}).status_code == 200
    assert client.send("runs/log-parameter", {"run_uuid": run, "key": "depth", "value": "3"}).status_code == 200
    assert (
        client.send("runs/log-metric", {"run_id": run, "key": "loss", "value": "NaN", "timestamp": 1}).status_code
        == 200
    )
    (row,) = rows(alice, project, columns="metrics.test.rmse,parameters.depth")
    assert (row["logged"], row["name"], row["source"], row["tags"]) == (True, "theirs", "train.py", ["team: floods"])
    assert (row["status"], row["created_by"]) == ("running", str(alice.id))
    assert (row["metrics"], row["parameters"]) == ({"test": {"rmse": 0.25}}, {"depth": 3})
    assert client.send("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 61_000}).status_code == 200
    (row,) = rows(alice, project)
    assert (row["status"], row["seconds"]) == ("succeeded", 60)
    shown = alice.get(f"/logged-runs/{row['id']}").json()
    assert (shown["logged_by"], shown["metrics"]) == ("alice", {"test_rmse": 0.25, "loss": None})
    assert alice.client.get(f"/runs/{row['id']}").status_code == 200
    assert alice.get(f"/runs/{row['id']}").status_code == 404, "it is no run of ours"
    assert client.send("runs/delete", {"run_id": run}).status_code == 200
    assert rows(alice, project) == []


def test_nested_runs_know_where_they_belong(alice: Person, client: MlflowClient, project: UUID) -> None:
    experiment = client.experiment(project)
    outer = client.run(experiment)["info"]["run_id"]
    client.run(experiment, run_name="inner", tags=[{"key": "mlflow.parentRunId", "value": outer}])
    found = {row["name"]: row["id"] for row in rows(alice, project)}
    shown = alice.get(f"/logged-runs/{found['inner']}").json()
    assert (shown["parent_id"], shown["parent"]) == (found["theirs"], "theirs")


def test_strangers_get_nothing_out_of_it(alice: Person, bob: Person, client: MlflowClient, project: UUID) -> None:
    experiment, hers = client.experiment(project), client.run(client.experiment(project))["info"]["run_id"]
    stranger = MlflowClient(bob)
    (row,) = rows(alice, project)
    assert bob.get(f"/logged-runs/{row['id']}").status_code == 404
    assert bob.client.get(f"/runs/{row['id']}").status_code == 404
    assert bob.get(f"/projects/{project}/mlflow").status_code == 404
    assert stranger.get("experiments/get-by-name", experiment_name=str(project)).status_code == 404
    assert stranger.get("experiments/get", experiment_id=experiment).status_code == 404
    assert stranger.get("experiments/get", experiment_id="0").status_code == 404, "nobody's"
    assert stranger.get("runs/get", run_id=hers).json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert stranger.get("metrics/get-history", run_id=hers, metric_key="m").status_code == 404
    assert stranger.get("artifacts/list", run_id=hers).status_code == 404
    for ids in ([experiment], ["0"], [experiment, "0"]):
        assert stranger.send("runs/search", {"experiment_ids": ids}).status_code == 404
    assert stranger.send("runs/search", {}).status_code == 400, "of all experiments"
    listed = stranger.send("experiments/search", {"max_results": 100}).json()["experiments"]
    assert str(project) not in json.dumps(listed)
    for path, body in (
        ("runs/create", {"experiment_id": experiment}),
        ("runs/update", {"run_id": hers, "status": "KILLED"}),
        ("runs/delete", {"run_id": hers}),
        ("runs/log-metric", {"run_id": hers, "key": "m", "value": 1, "timestamp": 1}),
        ("runs/set-tag", {"run_id": hers, "key": "t", "value": "x"}),
        ("logged-models", {"experiment_id": experiment, "name": "m"}),
    ):
        assert stranger.send(path, body).status_code == 404, path
    for method in ("get", "put", "delete"):
        path = f"{FILES}/{project}/{hers}/artifacts/x.txt"
        answer = stranger.get(path) if method == "get" else stranger.send(path, b"x", method)
        assert answer.status_code == 404, method


def test_a_viewer_reads_and_an_editor_writes(alice: Person, bob: Person, project: UUID, logged: str) -> None:
    alice.post(f"/projects/{project}/members", {"username": "bob", "role": "viewer"})
    viewer = MlflowClient(bob)
    assert viewer.get("runs/get", run_id=logged).status_code == 200
    tag = {"run_id": logged, "key": "seen", "value": "yes"}
    assert viewer.send("runs/set-tag", tag).json()["error_code"] == "PERMISSION_DENIED"
    alice.call("PUT", f"/projects/{project}/members/{bob.id}", {"role": "editor"})
    assert viewer.send("runs/set-tag", tag).status_code == 200
    reader = MlflowClient(bob, "read")
    assert reader.send("runs/search", {"experiment_ids": [reader.experiment(project)]}).status_code == 200
    assert reader.send("runs/set-tag", tag).status_code == 403


def test_a_token_for_mlflow_is_for_nothing_else(alice: Person, client: MlflowClient) -> None:
    for path in ("/me", "/projects", "/runs"):
        assert Client().get(f"/api/v1{path}", headers=client.headers).status_code == 403
    assert Client().get(API + "experiments/search", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert Client().get(API + "experiments/search").status_code == 401
    assert alice.client.get(API + "experiments/search").status_code == 404, "a cookie opens no interface"


def test_what_hydroml_recorded_is_read_only(client: MlflowClient, project: UUID, alice: Person) -> None:
    from mlflow import MlflowClient as Direct

    uri = container().settings().mlflow_tracking_uri
    ours = Direct(uri, uri).create_run(client.experiment(project), tags={"hydroml.run_id": str(uuid4())}).info.run_id
    assert client.get("runs/get", run_id=ours).status_code == 200
    for path, body in (
        ("runs/delete", {"run_id": ours}),
        ("runs/set-tag", {"run_id": ours, "key": "t", "value": "x"}),
        ("runs/log-metric", {"run_id": ours, "key": "m", "value": 1, "timestamp": 1}),
    ):
        assert client.send(path, body).json()["error_code"] == "PERMISSION_DENIED"
    assert client.send(f"{FILES}/{project}/{ours}/artifacts/model.skops", b"x", "put").status_code == 403
    assert rows(alice, project) == [], "it is shown as our run, not as theirs"


def test_nobody_passes_for_hydroml(client: MlflowClient, project: UUID, logged: str) -> None:
    own = {"key": "hydroml.run_id", "value": str(uuid4())}
    assert client.send("runs/create", {"experiment_id": client.experiment(project), "tags": [own]}).status_code == 403
    assert client.send("runs/log-batch", {"run_id": logged, "tags": [own]}).status_code == 403
    assert client.send("runs/set-tag", {"run_id": logged} | own).status_code == 403
    assert client.send("runs/delete-tag", {"run_id": logged, "key": "hydroml.logged_by"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs/set-tag", {"runId": NOBODYS, "key": "a", "value": "b"}),
        ("runs/set-tag", {"key": "a", "value": "b"}),
        ("runs/set-tag", {"run_id": {"x": 1}, "key": "a", "value": "b"}),
        ("runs/set-tag", {"run_id": "../runs", "key": "a", "value": "b"}),
        ("runs/set-tag", "[" * 100_000),
        ("runs/set-tag", "[]"),
        ("runs/set-tag", '"run_id"'),
        ("runs/create", {"experiment_id": 1}),
        ("runs/log-batch", {"run_id": NOBODYS, "tags": "hydroml.run_id"}),
    ],
)
def test_what_is_not_understood_is_refused(client: MlflowClient, path: str, body: Any) -> None:
    assert client.send(path, body).status_code in {400, 404}


def test_an_id_cannot_be_said_twice(alice: Person, bob: Person, client: MlflowClient, logged: str) -> None:
    """MLflow would take either; it is given the one that was looked at."""
    theirs = MlflowClient(bob)
    own = UUID(bob.post("/projects", {"name": "Own"}).json()["id"])
    run = theirs.run(theirs.experiment(own))["info"]["run_id"]
    body = f'{{"run_id": "{logged}", "run_id": "{run}", "run_uuid": "{logged}", "key": "which", "value": "one"}}'
    assert theirs.send("runs/set-tag", body).status_code == 200
    assert "which" in str(theirs.get("runs/get", run_id=run).json()["run"]["data"])
    assert "which" not in str(client.get("runs/get", run_id=logged).json()["run"]["data"])
    metrics = [{"key": "m", "value": 1, "timestamp": 1, "run_id": logged}]
    assert theirs.send("runs/log-batch", {"run_id": run, "metrics": metrics}).status_code == 404
    assert theirs.get(f"runs/get?run_id={run}&run_id={logged}").status_code == 404
    assert theirs.send(f"runs/set-tag?run_id={logged}", {"run_id": run, "key": "x", "value": ""}).status_code == 200
    assert '"x"' not in json.dumps(client.get("runs/get", run_id=logged).json())


@pytest.mark.parametrize(
    "path",
    [
        "api/2.0/mlflow/webhooks",
        "api/2.0/mlflow/experiments/delete",
        "api/2.0/mlflow/experiments/set-experiment-tag",
        "api/2.0/mlflow/registered-models/create",
        "api/2.0/mlflow/model-versions/create",
        "api/2.0/mlflow/artifacts/presigned-upload-url",
        "api/2.0/mlflow-artifacts/mpu/create/x",
        "api/2.0/mlflow/gateway-proxy",
        "api/3.0/mlflow/gateway/secrets/create",
        "api/3.0/mlflow/prompt-optimization/jobs",
        "api/3.0/mlflow/scorers/register",
        "api/3.0/mlflow/workspaces",
        "ajax-api/2.0/mlflow/gateway-proxy",
        "ajax-api/2.0/mlflow/upload-artifact",
        "ajax-api/2.0/mlflow/runs/create",
        "ajax-api/3.0/mlflow/assistant/chat",
        "ajax-api/3.0/mlflow/scorer/invoke",
        "v1/traces",
        "gateway/x/mlflow/invocations",
    ],
)
def test_the_rest_of_mlflow_is_not_there(client: MlflowClient, project: UUID, path: str) -> None:
    administrator = administrators()
    body = {"experiment_id": client.experiment(project), "name": "x", "url": "http://127.0.0.1:1/", "source": "/etc"}
    for method in ("get", "post", "put", "patch", "delete"):
        answer = client.get(f"/mlflow/{path}") if method == "get" else client.send(f"/mlflow/{path}", body, method)
        assert answer.status_code in {404, 400}, (method, path)
        if not path.startswith("api/"):
            page = getattr(administrator.client, method)(f"/mlflow/{path}", json.dumps(body), "application/json") \
                if method != "get" else administrator.client.get(f"/mlflow/{path}")  # fmt: skip
            assert page.status_code == 404, (method, path)


def administrators() -> Person:
    found = person(f"root-{uuid4().hex[:6]}")
    found.user.is_superuser = True
    found.user.save()
    return found


def test_artifacts_are_kept_beside_their_run_and_nowhere_else(client: MlflowClient, project: UUID, logged: str) -> None:
    run = client.get("runs/get", run_id=logged).json()["run"]["info"]
    place = f"mlflow-artifacts:/{project}/{logged}/artifacts"
    assert run["artifact_uri"] == place, "not where it is on our disk"
    path = f"{FILES}/{project}/{logged}/artifacts/plots/a.json"
    content = b'{"artifact_uri": "file:///etc"}'
    assert client.send(path, content, "put").status_code == 200
    answer = client.get(path)
    assert b"".join(answer) == content
    assert "sandbox" in answer["Content-Security-Policy"]
    listed = client.get("artifacts/list", run_id=logged, path="plots").json()["files"]
    assert [file["path"] for file in listed] == ["plots/a.json"]
    listed = client.get(FILES, path=f"{project}/{logged}/artifacts").json()["files"]
    assert [file["path"] for file in listed] == ["plots"]
    for bad in (
        f"{project}/{logged}/artifacts/../../../x",
        f"{project}/{logged}/%2e%2e/%2e%2e/x",
        f"{project}/{logged}/artifacts/%252e%252e/x",
        f"{project}/{logged}\\..\\x",
        f"{uuid4()}/{logged}/artifacts/x",
        f"../{project}/{logged}/x",
        f"{project}/{NOBODYS}/artifacts/x",
        f"{project}/models/m-{NOBODYS}/artifacts/x",
        f"{project}",
        "",
        "/etc/passwd",
    ):
        for method in ("put", "delete"):
            assert client.send(f"{FILES}/{bad}", b"x", method).status_code in {400, 404}, bad
        assert client.get(FILES, path=bad).status_code in {400, 404}, bad
    root = container().settings().data_dir / "mlflow"
    assert not list(root.rglob("x"))
    assert client.send(path, b"", "delete").status_code == 200
    assert client.get(path).status_code == 404


def test_upload_beyond_the_limit_is_refused(client: MlflowClient, project: UUID, logged: str) -> None:
    path = f"{FILES}/{project}/{logged}/artifacts/big.bin"
    header = client.headers | {"Content-Length": str(10**15)}
    assert Client().put(path, b"x", headers=header, CONTENT_LENGTH=str(10**15)).status_code == 413


class Canary:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


def test_a_models_pickle_is_never_loaded(
    alice: Person, client: MlflowClient, project: UUID, logged: str, tmp_path: Path
) -> None:
    sung = tmp_path / "sung"
    pickled = pickle.dumps(Canary(sung))
    document = (
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n"
        "    python_model: model.pkl\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n"
    )
    model = client.send(
        "logged-models", {"experiment_id": client.experiment(project), "name": "evil", "source_run_id": logged}
    ).json()["model"]["info"]
    for folder in (f"{project}/{logged}/artifacts/model", f"{project}/models/{model['model_id']}/artifacts"):
        for name, content in (("MLmodel", document.encode()), ("model.pkl", pickled), ("python_model.pkl", pickled)):
            assert client.send(f"{FILES}/{folder}/{name}", content, "put").status_code == 200
    ready = {"model_id": model["model_id"], "status": "LOGGED_MODEL_READY"}
    assert client.send(f"logged-models/{model['model_id']}", ready, "patch").status_code == 200
    client.send("runs/outputs", {"run_id": logged, "models": [{"model_id": model["model_id"], "step": 0}]})
    client.send("runs/log-model", {"run_id": logged, "model_json": json.dumps({"run_id": logged, "flavors": {}})})
    # past HydroML, into the registry too
    from mlflow import MlflowClient as Direct

    uri = container().settings().mlflow_tracking_uri
    direct = Direct(uri, uri)
    direct.create_registered_model(f"evil {project}", {"hydroml.project_id": str(project)})
    direct.create_model_version(f"evil {project}", direct.get_run(logged).info.artifact_uri + "/model", logged)
    client.send("runs/update", {"run_id": logged, "status": "FINISHED"})
    (row,) = rows(alice, project)
    container().tracking().sync()
    container().logged_runs().look_through()
    for path in (f"/logged-runs/{row['id']}", f"/runs/{row['id']}", f"/runs/{row['id']}/artifacts"):
        alice.get(path)
    assert alice.post(f"/runs/{row['id']}/register", {"model": "evil"}).status_code == 404
    administrator = administrators()
    for path in (
        f"get-artifact?run_uuid={logged}&path=model/model.pkl",
        f"ajax-api/2.0/mlflow/logged-models/{model['model_id']}/artifacts/files?artifact_file_path=model.pkl",
        f"ajax-api/2.0/mlflow/model-versions/search?filter=name%3D'evil {project}'",
        f"model-versions/get-artifact?name=evil {project}&version=1&path=model.pkl",
    ):
        answer = administrator.client.get(f"/mlflow/{path}")
        assert answer.status_code == 200, (path, answer.content)
        b"".join(answer)
    assert not sung.exists()
    pickle.loads(pickled)  # the canary does sing
    assert sung.exists()


def test_the_pages_are_for_administrators(alice: Person, logged: str) -> None:
    assert Client().get("/mlflow/").headers["Location"].startswith("/login")
    assert Client().get("/mlflow/ajax-api/2.0/mlflow/experiments/search").status_code == 401
    assert alice.client.get("/mlflow/").status_code == 404
    assert alice.client.get("/mlflow/ajax-api/2.0/mlflow/experiments/search").status_code == 404
    assert 'href="/mlflow/#/' not in alice.client.get("/projects").content.decode()
    administrator = administrators()
    assert administrator.client.get("/mlflow").headers["Location"] == "/mlflow/"
    assert 'href="/mlflow/#/' in administrator.client.get("/projects").content.decode()
    page = administrator.client.get("/mlflow/")
    content = b"".join(page).decode()
    assert "<title>MLflow</title>" in content
    script = content.partition('src="')[2].partition('"')[0]
    assert len(b"".join(administrator.client.get(f"/mlflow/{script}"))) > 1_000_000
    policy = page["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    asked = {"run_id": logged}
    found = administrator.client.get("/mlflow/ajax-api/2.0/mlflow/runs/get", asked)
    assert found.status_code == 200
    assert "sandbox" in found["Content-Security-Policy"]
    changed = administrator.client.post("/mlflow/ajax-api/2.0/mlflow/runs/delete", asked, "application/json")
    assert changed.status_code == 404
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert administrator.client.get("/mlflow/", headers=from_elsewhere).status_code == 404
    assert administrator.client.get("/mlflow/static-files/../../../handlers.py").status_code == 404


def test_the_page_says_how_to_log(alice: Person, client: MlflowClient, project: UUID) -> None:
    shown = alice.get(f"/projects/{project}/mlflow").json()
    assert shown["path"] == "/mlflow"
    found = client.get("experiments/get-by-name", experiment_name=shown["experiment"]).json()["experiment"]
    assert found["experiment_id"] == client.experiment(project)


def test_logged_runs_are_compared_by_their_metrics(alice: Person, client: MlflowClient, project: UUID) -> None:
    experiment = client.experiment(project)
    for value in (0.5, 0.25):
        run = client.run(experiment)["info"]["run_id"]
        client.send("runs/log-metric", {"run_id": run, "key": "test_rmse", "value": value, "timestamp": 1})
        client.send("runs/log-metric", {"run_id": run, "key": "rmse", "value": value * 2, "timestamp": 1})
        client.send("runs/log-parameter", {"run_id": run, "key": "depth", "value": str(value)})
    ids = [row["id"] for row in rows(alice, project, sort="-metrics.test.rmse")]
    found = alice.get(f"/runs/compare?ids={','.join(ids)}").json()
    metrics = {row["name"]: row for row in found["metrics"]}
    assert (metrics["rmse"]["values"], metrics["rmse"]["best"]) == ([0.5, 0.25], [1])
    assert (metrics["logged rmse"]["values"], metrics["logged rmse"]["best"]) == ([1.0, 0.5], [])
    assert {"place": "algorithm.hyperparameters.depth", "values": [0.5, 0.25]} in found["differ"]
    assert [one["code"] for one in found["obstacles"]] == ["logged"]
    assert all(run["logged"] for run in found["runs"])
