"""What others logged into the experiments of our projects, read by MLflow's client; artifacts are never looked at."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

from hydroml.domain.experiments.logged import MAX_TEXT, MAX_VALUES, LoggedRun, experiment_name, kept
from hydroml.domain.experiments.runs import RunStatus
from hydroml.domain.projects import ProjectId, UserId

RUN, SUITE, PROJECT, LOGGED_BY = "hydroml.run_id", "hydroml.suite_id", "hydroml.project_id", "hydroml.logged_by"
KIND, _TRAINING = "mlflow.experimentKind", "custom_model_development"
"""By which MLflow's pages show training, not conversations."""
_THEIRS = f"tags.`{RUN}` IS NULL AND tags.`{SUITE}` IS NULL"
_PAGE = 200
_STATES = {
    "RUNNING": RunStatus.RUNNING,
    "SCHEDULED": RunStatus.QUEUED,
    "FINISHED": RunStatus.SUCCEEDED,
    "FAILED": RunStatus.FAILED,
    "KILLED": RunStatus.CANCELLED,
}


class Reader:
    """See the port; raises what MLflow raises."""

    def __init__(self, tracking_uri: str, artifact_root: str | None) -> None:
        self._client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        self._artifact_root = artifact_root

    def prepare(self) -> None:
        self._client.search_experiments(max_results=1)
        self._client.search_registered_models(max_results=1)

    def experiment(self, project_id: ProjectId, project_name: str) -> str:
        """Made, restored or renamed if need be."""
        name = experiment_name(project_id, project_name)
        found = self._find(project_id)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                self._client.restore_experiment(found.experiment_id)
            if KIND not in found.tags:
                self._client.set_experiment_tag(found.experiment_id, KIND, _TRAINING)
            if found.name != name:
                self._client.rename_experiment(found.experiment_id, name)
            return str(found.experiment_id)
        location = None if self._artifact_root is None else f"{self._artifact_root.rstrip('/')}/{project_id}"
        tags = {PROJECT: str(project_id), "hydroml.project_name": project_name, KIND: _TRAINING}
        try:
            return str(self._client.create_experiment(name, location, tags))
        except MlflowException:
            # another process was first; if it was not that, this raises anew
            if (experiment := self._client.get_experiment_by_name(name)) is None:
                raise
            return str(experiment.experiment_id)

    def logged(self, mlflow_run_ids: Sequence[str]) -> list[LoggedRun]:
        found = []
        for mlflow_id in mlflow_run_ids:
            try:
                run = self._client.get_run(mlflow_id)
                project = self._client.get_experiment(run.info.experiment_id).tags.get(PROJECT)
            except MlflowException as error:
                if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                    raise
                continue
            is_theirs = not {RUN, SUITE} & run.data.tags.keys()
            if project is not None and is_theirs and run.info.lifecycle_stage == "active":
                found.append(_logged(run, ProjectId(UUID(project))))
        return found

    def newest(self, limit: int, project_id: ProjectId | None = None) -> list[LoggedRun]:
        projects = self._projects() if project_id is None else self._projects(self._find(project_id))
        return [_logged(run, projects[run.info.experiment_id]) for run in self._newest(list(projects), limit)]

    def _projects(self, *known: Any) -> dict[str, ProjectId]:
        """Our projects' experiments, by id."""
        found, token = [one for one in known if one is not None], None if known else ""
        while token is not None:
            page = self._client.search_experiments(max_results=_PAGE, page_token=token or None)
            found += page
            token = page.token or None
        return {e.experiment_id: ProjectId(UUID(e.tags[PROJECT])) for e in found if PROJECT in e.tags}

    def _find(self, project_id: ProjectId) -> Any:
        """The project's experiment, also one that somebody deleted; None before its first use."""
        wanted = f"tags.`{PROJECT}` = '{project_id}'"
        found = self._client.search_experiments(ViewType.ALL, max_results=1, filter_string=wanted)
        return found[0] if found else None

    def _newest(self, experiment_ids: list[str], limit: int) -> Iterator[Any]:
        token: str | None = ""
        while experiment_ids and token is not None and limit > 0:
            page = self._client.search_runs(
                experiment_ids,
                _THEIRS,
                max_results=min(limit, _PAGE),
                order_by=["attributes.start_time DESC"],
                page_token=token or None,
            )
            yield from page
            token, limit = page.token or None, limit - len(page)


def _logged(run: Any, project_id: ProjectId) -> LoggedRun:
    tags, data = run.data.tags, run.data
    by = tags.get(LOGGED_BY)
    return LoggedRun(
        project_id=project_id,
        mlflow_run_id=run.info.run_id,
        mlflow_experiment_id=run.info.experiment_id,
        name=(run.info.run_name or run.info.run_id)[:MAX_TEXT].replace("\x00", "\ufffd"),
        status=_STATES[run.info.status],
        metrics={name[:MAX_TEXT]: float(data.metrics[name]) for name in sorted(data.metrics)[:MAX_VALUES]},
        params=kept(data.params),
        tags=kept(tags),
        user=tags.get("mlflow.user", "")[:MAX_TEXT],
        source=tags.get("mlflow.source.name", "")[:MAX_TEXT],
        logged_by=None if by is None else UserId(UUID(by)),
        parent=tags.get("mlflow.parentRunId"),
        started_at=_moment(run.info.start_time or 0),
        finished_at=None if run.info.end_time is None else _moment(run.info.end_time),
    )


def _moment(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a client may say anything
        return datetime.fromtimestamp(0, UTC)
