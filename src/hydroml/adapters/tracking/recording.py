"""What HydroML writes into MLflow, by its client only, so that no global state of MLflow is touched."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow.sklearn
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    Metric,
    Param,
)
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.models.model import Model as ModelDocument
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.types import ColSpec, DataType, Schema
from sklearn.dummy import DummyRegressor

from hydroml.adapters.learning import modelfile
from hydroml.adapters.tracking.reading import PROJECT, RUN, SUITE, Reader
from hydroml.application.documents import write_plan, write_specification
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.runs import Feature, Outcome, Run
from hydroml.domain.experiments.suites import Suite
from hydroml.domain.models import Model, ModelVersion
from hydroml.domain.sources import Column, ColumnType, Version

MODEL, NUMBER, APPROVAL = "hydroml.model_id", "hydroml.version", "hydroml.approval"
NOTES, TAG = "mlflow.note.content", "hydroml.tag."
_MODEL_NAME = "model"
_LIBRARIES = ("scikit-learn", "skops", "numpy", "pandas")
_BOOSTERS = {"lightgbm": "lightgbm", "xgboost": "xgboost-cpu", "catboost": "catboost"}
_MAX_VALUE, _MAX_SCHEMA, _BATCH = 6_000, 1_000_000, 100
_TYPES = {
    ColumnType.INTEGER: DataType.long,
    ColumnType.NUMBER: DataType.double,
    ColumnType.DECIMAL: DataType.double,
    ColumnType.BOOLEAN: DataType.boolean,
    ColumnType.TEXT: DataType.string,
    ColumnType.CATEGORY: DataType.string,
    ColumnType.DATE: DataType.datetime,
    ColumnType.TIMESTAMP: DataType.datetime,
    ColumnType.DURATION: DataType.double,
}


class Recorder:
    """See the port and `MlflowTracker`; raises what MLflow raises."""

    def __init__(self, tracking_uri: str, reader: Reader) -> None:
        self._client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        self._reader = reader

    def record(self, run: Run, version: Version, project_name: str, artifacts: Mapping[str, bytes], model: Path) -> str:
        outcome, _ = run.result()
        experiment_id = self._reader.experiment(run.project_id, project_name)
        found = self._find_run([experiment_id], run)
        if found is not None and found.info.status == "FINISHED":
            self._annotate(found, run)
            return str(found.info.run_id)
        if found is None:
            found = self._client.create_run(
                experiment_id,
                start_time=_milliseconds(run.started_at or run.created_at),
                run_name=run.specification.name,
                tags=_run_tags(run),
            )
        mlflow_id: str = found.info.run_id
        self._log_numbers(mlflow_id, run, outcome, artifacts.get("folds"))
        self._client.log_inputs(mlflow_id, [_dataset(version, run)])
        with TemporaryDirectory(prefix="hydroml-mlflow-") as folder:
            plots = Path(folder, "plots")
            plots.mkdir()
            for name, content in artifacts.items():
                (plots / f"{name}.json").write_bytes(content)
            _write(plots / "specification.json", write_specification(run.specification))
            _write(plots / "environment.json", outcome.environment)
            self._client.log_artifacts(mlflow_id, str(plots), "hydroml")
            self._log_model(experiment_id, mlflow_id, run, version, model, Path(folder, _MODEL_NAME))
        self._annotate(found, run)
        self._client.set_terminated(mlflow_id, "FINISHED", _milliseconds(run.finished_at or run.created_at))
        return mlflow_id

    def nest(self, mlflow_run_id: str, suite: Suite) -> None:
        trial = self._client.get_run(mlflow_run_id)
        experiment_id = trial.info.experiment_id
        found = self._client.search_runs([experiment_id], f"tags.`{SUITE}` = '{suite.id}'", max_results=1)
        if found:
            parent = found[0]
        else:
            parent = self._client.create_run(
                experiment_id,
                start_time=_milliseconds(suite.started_at or suite.created_at),
                run_name=suite.name,
                tags={
                    SUITE: str(suite.id),
                    PROJECT: str(suite.project_id),
                    "mlflow.source.name": "hydroml",
                    "mlflow.source.type": "JOB",
                    "mlflow.user": str(suite.created_by),
                },
            )
            plan = json.dumps(write_plan(suite.plan))[:_MAX_VALUE]
            named = {"kind": suite.plan.kind, "metric": suite.metric, "judged_by": suite.judged_by, "plan": plan}
            self._client.log_batch(parent.info.run_id, params=[Param(*pair) for pair in named.items()])
        self._client.set_tag(mlflow_run_id, "mlflow.parentRunId", parent.info.run_id)
        # as long as the last trial that is recorded
        self._client.set_terminated(parent.info.run_id, "FINISHED", trial.info.end_time)

    def register(self, model: Model, version: ModelVersion, run: Run) -> str:
        name = registered_name(model)
        mlflow_id = run.mlflow_run_id or self._recorded(run)
        try:
            self._client.create_registered_model(name, {MODEL: str(model.id), PROJECT: str(model.project_id)})
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise
        held = self._client.search_model_versions(f"name = '{name}'")
        there = {v.tags.get(NUMBER): str(v.version) for v in held}
        number = there.get(str(version.number))
        if number is None:
            [logged] = self._logged_models(self._client.get_run(mlflow_id).info.experiment_id, mlflow_id, "READY")[:1]
            created = self._client.create_model_version(
                name,
                source=logged.artifact_location,  # a models:/ address would be looked up by the global tracking URI
                run_id=mlflow_id,
                tags={NUMBER: str(version.number), RUN: str(run.id)},
                model_id=logged.model_id,
            )
            number = there[str(version.number)] = str(created.version)
        self._mirror_aliases(name, model, there)
        approvals = {str(v.version): v.tags.get(APPROVAL) for v in held}
        for one in model.versions:
            if str(one.number) in there and approvals.get(there[str(one.number)]) != one.approval:
                self._client.set_model_version_tag(name, there[str(one.number)], APPROVAL, one.approval.value)
        return number

    def _mirror_aliases(self, name: str, model: Model, there: Mapping[str | None, str]) -> None:
        """Points MLflow's aliases where ours point, as far as it has those versions yet."""
        present = {a: str(n) for a, n in self._client.get_registered_model(name).aliases.items()}
        wanted = {_alias(a): there[str(n)] for a, n in model.aliases.items() if str(n) in there}
        for alias, number in wanted.items():
            if present.get(alias) != number:
                self._client.set_registered_model_alias(name, alias, number)
        for alias in present.keys() - wanted.keys():
            self._client.delete_registered_model_alias(name, alias)

    def _find_run(self, experiment_ids: list[str], run: Run) -> Any:
        found = self._client.search_runs(experiment_ids, f"tags.`{RUN}` = '{run.id}'", max_results=1)
        return found[0] if found else None

    def _recorded(self, run: Run) -> str:
        experiments = self._client.search_experiments(filter_string=f"tags.`{PROJECT}` = '{run.project_id}'")
        found = self._find_run([e.experiment_id for e in experiments], run) if experiments else None
        if found is None or found.info.status != "FINISHED":
            raise UnavailableError(f"run {run.id} is not recorded in MLflow yet")
        return str(found.info.run_id)

    def _annotate(self, found: Any, run: Run) -> None:
        """The tags and notes that people wrote, as they are now."""
        wanted = _annotations(run)
        present = {name: value for name, value in found.data.tags.items() if name == NOTES or name.startswith(TAG)}
        for name in present.keys() - wanted.keys():
            self._client.delete_tag(found.info.run_id, name)
        for name, value in wanted.items():
            if present.get(name) != value:
                self._client.set_tag(found.info.run_id, name, value)

    def _log_numbers(self, mlflow_id: str, run: Run, outcome: Outcome, folds: bytes | None) -> None:
        # the time of the run, not of the recording: a second recording then writes the same points again
        at = _milliseconds(run.finished_at or run.created_at)
        metrics = [Metric(name, value, at, 0) for name, value in _metrics(outcome)]
        metrics += [Metric(f"fold_{name}", value, at, fold) for fold, name, value in _of_folds(folds)]
        params = [Param(name, value[:_MAX_VALUE]) for name, value in _params(run, outcome)]
        for start in range(0, max(len(metrics), len(params)), _BATCH):
            part = slice(start, start + _BATCH)
            self._client.log_batch(mlflow_id, metrics[part], params[part], synchronous=True)

    def _logged_models(self, experiment_id: str, mlflow_id: str, status: str) -> list[Any]:
        found = self._client.search_logged_models([experiment_id], f"source_run_id = '{mlflow_id}'")
        return [model for model in found if str(model.status) == status]

    def _log_model(  # noqa: PLR0917
        self, experiment_id: str, mlflow_id: str, run: Run, version: Version, file: Path, folder: Path
    ) -> None:
        if self._logged_models(experiment_id, mlflow_id, "READY"):
            return
        outcome, _ = run.result()
        logged = self._client.create_logged_model(
            experiment_id, _MODEL_NAME, source_run_id=mlflow_id, params={"algorithm": outcome.parameters["algorithm"]}
        )
        document = ModelDocument(
            artifact_path=logged.artifact_location,
            model_uuid=logged.model_id,
            run_id=mlflow_id,
            model_id=logged.model_id,
        )
        # MLflow lays out the folder around a stand-in, whose place our file takes: reading a forest of a gigabyte and
        # writing it again would take longer than everything else here
        mlflow.sklearn.save_model(
            DummyRegressor(),
            str(folder),
            mlflow_model=document,
            serialization_format="skops",
            skops_trusted_types=list(modelfile.TRUSTED),
            signature=_signature(run, outcome, version),
            input_example=_example(outcome, version),
            # asked for, MLflow would find them out by loading the model in another process
            pip_requirements=[f"{name}=={installed(name)}" for name in _packages(outcome)],
        )
        shutil.copyfile(file, folder / document.flavors["sklearn"]["pickled_model"])
        document.model_size_bytes = sum(part.stat().st_size for part in folder.rglob("*") if part.is_file())
        document.save(str(folder / "MLmodel"))
        self._client.log_model_artifacts(logged.model_id, str(folder))
        self._client.finalize_logged_model(logged.model_id, "READY")
        self._client.log_outputs(mlflow_id, [LoggedModelOutput(logged.model_id, step=0)])


def registered_name(model: Model) -> str:
    """A name for the registry, which is one for all projects and forbids some characters."""
    name = re.sub(r"[/:\\'\"%\x00-\x1f]+", " ", model.name).strip(" .")[:200]
    return f"{name or 'model'} ({model.id.hex[:8]})"


def _alias(alias: str) -> str:
    """MLflow keeps “latest” and “v1” to itself."""
    return f"hydroml-{alias}" if alias == "latest" or re.fullmatch(r"v\d+", alias) else alias


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _write(file: Path, document: Any) -> None:
    file.write_text(json.dumps(document, indent=1))


def _annotations(run: Run) -> dict[str, str]:
    notes = {NOTES: run.notes[:_MAX_VALUE]} if run.notes else {}
    return notes | {TAG + re.sub(r"[^\w. -]", "_", tag): tag for tag in run.tags}


def _of_folds(folds: bytes | None) -> Iterator[tuple[int, str, float]]:
    """Fold, metric and value, of a run whose split is in folds."""
    for item in () if folds is None else json.loads(folds)["items"]:
        for name, value in item["metrics"].items():
            if value is not None:
                yield item["fold"], name, float(value)


def _run_tags(run: Run) -> dict[str, str]:
    outcome, _ = run.result()
    versions = {f"hydroml.environment.{name}": version for name, version in outcome.environment.items()}
    return versions | {
        RUN: str(run.id),
        PROJECT: str(run.project_id),
        "hydroml.experiment_id": str(run.experiment_id),
        "mlflow.source.name": "hydroml",
        "mlflow.source.type": "JOB",
        "mlflow.user": str(run.created_by),
    }


def _metrics(outcome: Outcome) -> Iterator[tuple[str, float]]:
    for part, values in outcome.metrics.items():
        for name, value in values.items():
            yield f"{part}_{name}", value
    for baseline, values in outcome.baselines.items():
        for name, value in values.items():
            yield f"baseline_{baseline}_{name}", value
    yield "training_seconds", outcome.seconds


def _params(run: Run, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What decided the run; `seconds` and the like, which may differ when it is recorded again, are no parameters."""
    specification = run.specification
    for name, value in outcome.parameters.items():
        yield name, str(value)
    yield "problem", outcome.problem
    yield "target", specification.target
    yield "features", ", ".join(feature.name for feature in outcome.features)
    if specification.time_column is not None:
        yield "time_column", specification.time_column
    for part in ("rows", "used", "train", "test"):
        yield f"rows_{part}" if part != "rows" else "rows", str(getattr(outcome.counts, part))


def _dataset(version: Version, run: Run) -> DatasetInput:
    source = CodeDatasetSource(
        {
            "hydroml.version_id": str(version.id),
            "hydroml.source_id": str(version.source_id),
            "hydroml.version": str(version.number),
            "sha256": version.fingerprint,
            "rows": str(version.rows),
        }
    )
    columns: list[Any] = [ColSpec(_TYPES[c.type], c.name, required=not c.nullable) for c in version.columns]
    schema = json.dumps({"mlflow_colspec": Schema(columns).to_dict()})
    dataset = Dataset(
        name=f"{version.source_id} v{version.number}",
        digest=version.fingerprint[:36],
        source_type="code",
        source=source.to_json(),
        schema=schema if len(schema) <= _MAX_SCHEMA else None,
        profile=json.dumps({"num_rows": version.rows, "num_columns": len(version.columns)}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training"), InputTag(RUN, str(run.id))])


def _input_type(column: Column | None, kind: str) -> DataType:
    """Booleans go in as 0 and 1, and integers that may be missing as floats: pandas has no other form for them."""
    if kind in (ColumnType.TEXT, ColumnType.CATEGORY):
        return DataType.string
    if kind == ColumnType.INTEGER and column is not None and not column.nullable:
        return DataType.long
    return DataType.double


def _packages(outcome: Outcome) -> list[str]:
    """What the model needs to be loaded."""
    names = f"{outcome.parameters['algorithm']} {outcome.parameters.get('members', '')}".lower()
    return [*_LIBRARIES, *(package for booster, package in _BOOSTERS.items() if booster in names)]


def _signature(run: Run, outcome: Outcome, version: Version) -> ModelSignature:
    # MLflow runs the pipeline alone: what is derived before it goes in as numbers
    inputs: list[Any] = [ColSpec(_input_type(version.column(f.name), f.type), f.name) for f in outcome.seen]
    output = DataType.double
    if outcome.classes:
        target = version.column(run.specification.target)
        output = _TYPES[target.type] if target is not None else DataType.string
    return ModelSignature(Schema(inputs), Schema([ColSpec(output)]))


def _example(outcome: Outcome, version: Version) -> pd.DataFrame:
    """One row from the middle of what the training saw."""
    row: dict[str, list[Any]] = {}
    for feature in outcome.seen:
        kind = _input_type(version.column(feature.name), feature.type)
        if isinstance(feature, Feature) and kind == DataType.string:
            row[feature.name] = [feature.categories[0] if feature.categories else "text"]
        else:
            middle = ((feature.minimum or 0.0) + (feature.maximum or 0.0)) / 2
            row[feature.name] = [round(middle) if kind == DataType.long else middle]
    return pd.DataFrame(row)
