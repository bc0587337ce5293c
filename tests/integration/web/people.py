"""People with things of their own, for tests of the web. Needs Django to be set up."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hydroml.domain.experiments.logged import LoggedRun
from hydroml.domain.experiments.runs import (
    Counts,
    Experiment,
    ExperimentId,
    Feature,
    Outcome,
    RowTable,
    Run,
    RunId,
    RunStatus,
)
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import Column, ColumnType, VersionId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts.models import User

CSV = b"date,flow,site\n" + b"".join(b"2020-01-%02d,%d.5,%s\n" % (d, d, b"A" if d % 2 else b"B") for d in range(1, 31))


@dataclass
class Person:
    """Somebody logged in to the pages and the API."""

    user: User
    client: Client

    @property
    def id(self) -> UserId:
        return UserId(self.user.pk)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        kind = {"content_type": "application/json"} if method not in ("GET", "HEAD") else {}
        data = {} if method in ("GET", "HEAD") else {"data": "" if body is None else body}
        return getattr(self.client, method.lower())(f"/api/v1{path}", **data, **kind, headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def token(self, *scopes: str) -> dict[str, str]:
        """A header that stands for the person."""
        secret = self.post("/me/tokens", {"name": "test", "scopes": list(scopes or ("read", "write"))}).json()["token"]
        return {"Authorization": f"Bearer {secret}"}


def person(name: str, *, csrf: bool = False) -> Person:
    user = User(username=name)
    user.set_unusable_password()
    user.save()
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return Person(user, client)


@dataclass
class Things:
    """One of everything that belongs to somebody, by the names that addresses use."""

    ids: dict[str, UUID] = field(default_factory=dict)

    def __getattr__(self, name: str) -> UUID:
        return self.ids[name]


def make_things(owner: Person) -> Things:
    project = UUID(owner.post("/projects", {"name": "Rivers"}).json()["id"])
    accepted = upload(owner, project).json()
    finish(accepted["job"]["id"])
    source = owner.get(f"/sources/{accepted['source']['id']}").json()
    version = source["current_version"]["id"]
    session = owner.post(f"/versions/{version}/sessions").json()["id"]
    step = owner.post(f"/sessions/{session}/steps", {"op": "drop_columns", "columns": ["site"]}).json()["cursor"]
    comment = owner.post(f"/sessions/{session}/steps/{step}/comments", {"text": "Why?"}).json()["id"]
    recipe = owner.post(f"/projects/{project}/recipes", {"name": "Without sites", "session_id": session}).json()["id"]
    experiment, run, model = insert_run(owner.id, project, UUID(version))
    sending = owner.client.post(
        "/api/v1/uploads", headers={"Upload-Length": "9", "Upload-Metadata": "filename Zmxvd3MuY3N2"}
    ).json()["id"]
    token = owner.post("/me/tokens", {"name": "script"}).json()["id"]
    rule = {"name": "Measured", "kind": "not_null", "columns": ["flow"]}
    histogram = {"name": "Flows", "version_id": version, "chart": {"kind": "histogram", "column": "flow"}}
    export = owner.post(f"/versions/{version}/exports", {"format": "csv"}).json()
    finish(export["job"]["id"])
    template = owner.post(f"/projects/{project}/export_templates", {"name": "For Excel", "format": "xlsx"}).json()["id"]
    query = owner.post(f"/projects/{project}/query", {"sql": "SELECT 1 AS one"}).json()["id"]
    sweep = {"experiment_id": str(experiment), "plan": {"kind": "sweep"}}
    return Things(
        {
            "query_id": UUID(query),
            "project_id": project,
            "source_id": UUID(source["id"]),
            "object_id": UUID(source["id"]),
            "version_id": UUID(version),
            "session_id": UUID(session),
            "step_id": UUID(step),
            "tip": UUID(step),
            "comment_id": UUID(comment),
            "recipe_id": UUID(recipe),
            "experiment_id": experiment,
            "logged_run_id": insert_logged_run(project),
            "run_id": run,
            "preset_id": UUID(owner.post("/presets", {"name": "As that", "run_id": str(run)}).json()["id"]),
            "publication_id": UUID(owner.post(f"/runs/{run}/publish", {"shares_data": True}).json()["id"]),
            "suite_id": UUID(owner.post(f"/projects/{project}/suites", sweep).json()["id"]),
            "model_id": model,
            "job_id": UUID(accepted["job"]["id"]),
            "token_id": UUID(token),
            "rule_id": UUID(owner.post(f"/sources/{source['id']}/rules", rule).json()["id"]),
            "chart_id": UUID(owner.post(f"/projects/{project}/charts", histogram).json()["id"]),
            "view_id": UUID(owner.post(f"/sources/{source['id']}/views", {"name": "High"}).json()["id"]),
            "export_id": UUID(export["export"]["id"]),
            "template_id": UUID(template),
            "upload_id": UUID(sending),
            "user_id": owner.user.pk,
        }
    )


def upload(owner: Person, project: UUID, content: bytes = CSV, name: str = "flows.csv", **fields: str) -> Any:
    form = {**fields, "file": SimpleUploadedFile(name, content)}
    return owner.client.post(f"/api/v1/projects/{project}/sources", form)


def finish(job_id: str) -> None:
    """Does the job here, as a worker would."""
    container().runner().execute(UUID(job_id), f"test-{uuid4()}", lambda: None)


def insert_logged_run(project: UUID) -> UUID:
    """A run that somebody logged with MLflow."""
    run = LoggedRun(
        project_id=ProjectId(project),
        mlflow_run_id=uuid4().hex,
        mlflow_experiment_id="1",
        name="theirs",
        status=RunStatus.SUCCEEDED,
        started_at=datetime.now(UTC),
    )
    with container().uow() as uow:
        uow.logged_runs.put(run)
        uow.commit()
    return run.id


def insert_run(owner: UserId, project: UUID, version: UUID, name: str = "Flow") -> tuple[UUID, UUID, UUID]:
    """An experiment with a run that has succeeded, and the model made from it; nothing is trained."""
    now = datetime.now(UTC)
    specification = Specification(name=name, version_id=VersionId(version), target="flow", features=("site",))
    experiment = Experiment(
        id=ExperimentId(uuid4()),
        project_id=ProjectId(project),
        specification=specification,
        created_by=owner,
        created_at=now,
    )
    rows = BytesIO()
    pq.write_table(pa.table({"row": [1], "part": ["test"]}), rows)
    outcome = Outcome(
        problem="regression",
        split="random",
        parameters={"alpha": 1.0},
        metrics={"test": {"rmse": 1.5}, "train": {"rmse": 1.0}},
        baselines={"mean": {"rmse": 9.0}},
        counts=Counts(30, 30, 0, 24, 6),
        features=(Feature("site", "text", categories=("A", "B")),),
        rows=RowTable((Column("row", ColumnType.INTEGER), Column("part", ColumnType.TEXT)), 1, len(rows.getvalue())),
    )
    run = Run(
        id=RunId(uuid4()),
        experiment_id=experiment.id,
        project_id=experiment.project_id,
        specification=specification,
        status=RunStatus.SUCCEEDED,
        outcome=outcome,
        artifacts={"importance": container().blobs().add_bytes(b'{"items": []}').key},
        model_blob=container().blobs().add_bytes(b"no model").key,
        rows_blob=container().blobs().add_bytes(rows.getvalue()).key,
        created_by=owner,
        created_at=now,
    )
    model = Model(id=ModelId(uuid4()), project_id=experiment.project_id, name=name, created_at=now)
    model.register(run.id, owner, now)
    with container().uow() as uow:
        uow.experiments.add(experiment)
        uow.runs.add(run)
        uow.models.add(model)
        uow.commit()
    return experiment.id, run.id, model.id
