"""Runs that people log with MLflow's own client, beside ours."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from hydroml.application.logged_runs import LoggedDetail
from hydroml.domain.experiments.runs import RunId, RunStatus
from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.api.common import json_response

router = Router(tags=["runs"])


class LoggedRunOut(Schema):
    """A run as MLflow holds it. `logged_by` is whose token it came with; `user` and `source` are what its client
    said."""

    id: UUID
    project_id: UUID
    mlflow_run_id: str
    mlflow_experiment_id: str
    name: str
    status: RunStatus
    metrics: dict[str, float | None] = Field(description="Their last values; null for what is not finite.")
    params: dict[str, str]
    tags: dict[str, str]
    user: str
    source: str
    logged_by: str | None
    parent_id: UUID | None = Field(description="The run it is nested in.")
    parent: str | None
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None

    @classmethod
    def of(cls, detail: LoggedDetail) -> "LoggedRunOut":
        run, parent = detail.run, detail.parent
        by = None if run.logged_by is None else users.names({run.logged_by}).get(run.logged_by, "(removed)")
        return cls(
            id=run.id,
            project_id=run.project_id,
            mlflow_run_id=run.mlflow_run_id,
            mlflow_experiment_id=run.mlflow_experiment_id,
            name=run.name,
            status=run.status,
            metrics=dict(run.metrics),
            params=dict(run.params),
            tags=dict(run.tags),
            user=run.user,
            source=run.source,
            logged_by=by,
            parent_id=None if parent is None else parent.id,
            parent=None if parent is None else parent.name,
            started_at=run.started_at,
            finished_at=run.finished_at,
            seconds=run.seconds,
        )


class MlflowOut(Schema):
    """How runs are logged into the project with MLflow's client: `mlflow.set_tracking_uri(…)` with the address of this
    server and `path`, `mlflow.set_experiment(experiment)`, and a personal token in MLFLOW_TRACKING_TOKEN."""

    path: str
    experiment: str


@router.get("/logged-runs/{uuid:logged_run_id}", response=LoggedRunOut)
def get_logged_run(request: HttpRequest, logged_run_id: UUID) -> HttpResponse:
    """A run that somebody logged with MLflow."""
    found = container().logged_runs().get(request.auth, RunId(logged_run_id))
    return json_response(LoggedRunOut.of(found).model_dump(mode="json"))


@router.get("/projects/{uuid:project_id}/mlflow", response=MlflowOut)
def get_mlflow(request: HttpRequest, project_id: UUID) -> MlflowOut:
    """Where to log runs of a project with MLflow."""
    name = container().logged_runs().experiment(request.auth, ProjectId(project_id))
    return MlflowOut(path="/mlflow", experiment=name)
