"""Experiments and their runs."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    true,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.membership import projects_of
from hydroml.adapters.persistence.metadata import document, key, metadata, moment, number, reference, text, uuid
from hydroml.adapters.persistence.paging import by_name, slice_of
from hydroml.application.documents import read_outcome, read_specification, write_outcome, write_specification
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConcurrentUpdateError, ConflictError
from hydroml.domain.experiments.runs import (
    Experiment,
    ExperimentId,
    ExperimentNotFoundError,
    Run,
    RunId,
    RunNotFoundError,
    RunStatus,
    SuiteId,
    Variation,
)
from hydroml.domain.experiments.suites import Trial
from hydroml.domain.experiments.summary import ColumnValue, columns_of, score_of, words_of
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.sources import VersionId

experiment = Table(
    "experiment",
    metadata,
    key(),
    reference("project_id", "project", "CASCADE"),
    # Taken from the specification: a version that an experiment or run stands on cannot be removed.
    reference("version_id", "version", "RESTRICT"),
    text("name"),
    document("specification"),
    # It may be gone, or in another project: no foreign key.
    uuid("parent_id", nullable=True),
    uuid("created_by"),
    moment("created_at"),
    number("revision"),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "version_id"),
)

run = Table(
    "run",
    metadata,
    key(),
    # Runs that others logged with MLflow stand here too, so that one list holds both: `logged` is theirs, and what is
    # null in them is never null in ours.
    document("logged", nullable=True),
    reference("experiment_id", "experiment", "CASCADE", nullable=True),
    reference("project_id", "project", "CASCADE"),
    reference("version_id", "version", "RESTRICT", nullable=True),
    text("name"),
    document("specification", nullable=True),
    reference("suite_id", "suite", "CASCADE", nullable=True),
    Column("trial", Integer, nullable=True),
    document("trial_values", nullable=True),
    text("status"),
    uuid("job_id", nullable=True),
    document("outcome", nullable=True),
    text("error", nullable=True),
    document("artifacts"),
    text("model_blob", nullable=True),
    text("rows_blob", nullable=True),
    uuid("twin_of", nullable=True),
    uuid("repeat_of", nullable=True),
    text("mlflow_run_id", nullable=True),
    # What MLflow has is older than the tags and notes here.
    Column("mlflow_behind", Boolean, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    text("notes"),
    # Taken from the specification and the outcome for the table of runs, which reads neither.
    text("algorithm"),
    text("target"),
    text("problem"),
    text("split", nullable=True),
    Column("seed", BigInteger),
    Column("seconds", Float),
    text("score_metric", nullable=True),
    Column("score", Float),
    text("score_baseline", nullable=True),
    Column("baseline_score", Float),
    text("words"),
    uuid("created_by", nullable=True),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    number("revision"),
    Index(None, "experiment_id", "created_at", "id"),
    Index(None, "project_id", "created_at", "id"),
    Index(None, "version_id"),
    UniqueConstraint("suite_id", "trial"),
    CheckConstraint(
        "logged IS NOT NULL OR (experiment_id IS NOT NULL AND version_id IS NOT NULL AND specification IS NOT NULL"
        " AND seed IS NOT NULL AND created_by IS NOT NULL)",
        name="whole",
    ),
    Index(None, "twin_of"),
    Index(None, "repeat_of"),
)
is_ours = run.c.logged.is_(None)
_is_untracked = (run.c.status == RunStatus.SUCCEEDED.value) & (run.c.mlflow_run_id.is_(None) | run.c.mlflow_behind)
Index("ix_run_untracked", run.c.created_at, postgresql_where=_is_untracked)

run_value = Table(
    "run_value",
    metadata,
    reference("run_id", "run", "CASCADE", primary_key=True),
    # By code point, as Python sorts.
    Column("name", Text(collation="C"), primary_key=True),
    uuid("project_id"),
    Column("number", Float),
    text("text", nullable=True),
    # Holds the runs of a project in the order of each of their metrics.
    Index(None, "project_id", "name", "number", "run_id"),
)
"""The columns of runs, one by one: what `columns_of` says, written with the run."""


def _experiment_to_row(entity: Experiment) -> dict[str, Any]:
    return {
        "id": entity.id,
        "project_id": entity.project_id,
        "version_id": entity.specification.version_id,
        "name": entity.specification.name,
        "specification": write_specification(entity.specification),
        "parent_id": entity.parent_id,
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "revision": entity.revision,
    }


def _experiment_from_row(row: Row[Any]) -> Experiment:
    return Experiment(
        id=ExperimentId(row.id),
        project_id=ProjectId(row.project_id),
        specification=read_specification(row.specification),
        parent_id=None if row.parent_id is None else ExperimentId(row.parent_id),
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        revision=row.revision,
    )


def _run_to_row(entity: Run) -> dict[str, Any]:
    wanted, outcome, score = entity.specification, entity.outcome, score_of(entity)
    return {
        "id": entity.id,
        "experiment_id": entity.experiment_id,
        "project_id": entity.project_id,
        "version_id": entity.specification.version_id,
        "name": entity.specification.name,
        "specification": write_specification(entity.specification),
        "suite_id": None if entity.variation is None else entity.variation.suite_id,
        "trial": None if entity.variation is None else entity.variation.number,
        "trial_values": None if entity.variation is None else entity.variation.values,
        "status": entity.status,
        "job_id": entity.job_id,
        "outcome": None if entity.outcome is None else write_outcome(entity.outcome),
        "error": None if entity.error is None else entity.error.replace("\x00", "\ufffd"),
        "artifacts": entity.artifacts,
        "model_blob": entity.model_blob,
        "rows_blob": entity.rows_blob,
        "twin_of": entity.twin_of,
        "repeat_of": entity.repeat_of,
        "mlflow_run_id": entity.mlflow_run_id,
        "mlflow_behind": entity.mlflow_behind,
        "tags": list(entity.tags),
        "notes": entity.notes,
        "algorithm": wanted.algorithm.name,
        "target": wanted.target,
        "problem": wanted.problem if outcome is None else outcome.problem,
        "split": wanted.split.kind if outcome is None else outcome.split,
        "seed": wanted.seed,
        "seconds": None if outcome is None else outcome.seconds,
        "score_metric": None if score is None else score.metric,
        "score": None if score is None else score.value,
        "score_baseline": None if score is None else score.baseline,
        "baseline_score": None if score is None else score.baseline_value,
        "words": words_of(entity),
        "created_by": entity.created_by,
        "created_at": entity.created_at,
        "started_at": entity.started_at,
        "finished_at": entity.finished_at,
        "revision": entity.revision,
    }


def _run_from_row(row: Row[Any]) -> Run:
    return Run(
        id=RunId(row.id),
        experiment_id=ExperimentId(row.experiment_id),
        project_id=ProjectId(row.project_id),
        specification=read_specification(row.specification),
        variation=None if row.suite_id is None else Variation(SuiteId(row.suite_id), row.trial, row.trial_values),
        status=RunStatus(row.status),
        job_id=row.job_id,
        outcome=None if row.outcome is None else read_outcome(row.outcome),
        error=row.error,
        artifacts=row.artifacts,
        model_blob=row.model_blob,
        rows_blob=row.rows_blob,
        twin_of=None if row.twin_of is None else RunId(row.twin_of),
        repeat_of=None if row.repeat_of is None else RunId(row.repeat_of),
        mlflow_run_id=row.mlflow_run_id,
        mlflow_behind=row.mlflow_behind,
        tags=tuple(row.tags),
        notes=row.notes,
        created_by=UserId(row.created_by),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        revision=row.revision,
    )


def _numbers(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """What is not finite is stored as text."""
    return {part: {name: float(value) for name, value in of_part.items()} for part, of_part in metrics.items()}


def claimed(connection: Connection, id_: UUID) -> bool:
    """Whether the transaction has the advisory lock of an aggregate, which keeps nobody from reading or writing it."""
    key = int.from_bytes(id_.bytes[:8], signed=True)
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one())


def write_values(
    connection: Connection, run_id: RunId, project_id: ProjectId, columns: Mapping[str, ColumnValue]
) -> None:
    """In place of those the run had."""
    connection.execute(delete(run_value).where(run_value.c.run_id == run_id))
    rows = [
        {
            "run_id": run_id,
            "project_id": project_id,
            "name": name,
            "number": value if isinstance(value, float) else None,
            "text": value if isinstance(value, str) else None,
        }
        for name, value in columns.items()
    ]
    if rows:
        connection.execute(insert(run_value), rows)


class SqlAlchemyExperimentRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Experiment) -> None:
        try:
            self._connection.execute(insert(experiment).values(_experiment_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the version or the project was removed meanwhile") from error

    def get(self, experiment_id: ExperimentId) -> Experiment:
        row = self._connection.execute(select(experiment).where(experiment.c.id == experiment_id)).one_or_none()
        if row is None:
            raise ExperimentNotFoundError(experiment_id)
        return _experiment_from_row(row)

    def save(self, entity: Experiment) -> None:
        seen = entity.revision
        values = _experiment_to_row(entity) | {"revision": seen + 1}
        changed = update(experiment).where(experiment.c.id == entity.id, experiment.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"experiment {entity.id} was changed meanwhile")
        entity.revision = seen + 1

    def delete(self, experiment_id: ExperimentId) -> None:
        try:
            gone = self._connection.execute(delete(experiment).where(experiment.c.id == experiment_id)).rowcount
        except IntegrityError as error:
            raise ConflictError("a model was made from one of its runs") from error
        if gone != 1:
            raise ExperimentNotFoundError(experiment_id)

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Experiment]:
        query = select(experiment).where(experiment.c.project_id == project_id)
        keys = {"created_at": experiment.c.created_at, "name": by_name(experiment)}
        return slice_of(self._connection, query, experiment, keys, listing, _experiment_from_row)

    def run_counts(self, experiment_ids: Collection[ExperimentId]) -> Mapping[ExperimentId, int]:
        query = (
            select(run.c.experiment_id, func.count())
            .where(run.c.experiment_id.in_(experiment_ids))
            .group_by(run.c.experiment_id)
        )
        counted = {ExperimentId(id_): count for id_, count in self._connection.execute(query)}
        return {id_: counted.get(id_, 0) for id_ in experiment_ids}


class SqlAlchemyRunRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Run) -> None:
        try:
            self._connection.execute(insert(run).values(_run_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the experiment or its version was removed meanwhile") from error
        write_values(self._connection, entity.id, entity.project_id, columns_of(entity))

    def get(self, run_id: RunId) -> Run:
        return self._get(run_id, select(run))

    def get_for_update(self, run_id: RunId) -> Run:
        return self._get(run_id, select(run).with_for_update())

    def get_many(self, run_ids: Collection[RunId]) -> Mapping[RunId, Run]:
        rows = self._connection.execute(select(run).where(is_ours, run.c.id.in_(run_ids)))
        return {RunId(row.id): _run_from_row(row) for row in rows}

    def save(self, entity: Run) -> None:
        seen = entity.revision
        values = _run_to_row(entity) | {"revision": seen + 1}
        changed = update(run).where(run.c.id == entity.id, run.c.revision == seen).values(values)
        if self._connection.execute(changed).rowcount != 1:
            raise ConcurrentUpdateError(f"run {entity.id} was changed meanwhile")
        entity.revision = seen + 1
        write_values(self._connection, entity.id, entity.project_id, columns_of(entity))

    def of_experiment(self, experiment_id: ExperimentId, listing: Listing) -> Slice[Run]:
        return self._slice(select(run).where(run.c.experiment_id == experiment_id), listing)

    def of_member(self, user: UserId, listing: Listing) -> Slice[Run]:
        return self._slice(select(run).where(is_ours, run.c.project_id.in_(projects_of(user))), listing)

    def of_versions(self, version_ids: Collection[VersionId], limit: int | None = None) -> Sequence[Run]:
        query = select(run).where(run.c.version_id.in_(version_ids)).order_by(run.c.created_at, run.c.id)
        return [_run_from_row(row) for row in self._connection.execute(query.limit(limit))]

    def made_from(self, run_id: RunId) -> Sequence[Run]:
        made = (run.c.twin_of == run_id) | (run.c.repeat_of == run_id)
        query = select(run).where(made).order_by(run.c.created_at.desc(), run.c.id.desc())
        return [_run_from_row(row) for row in self._connection.execute(query)]

    def blobs_in_use(self, blobs: Collection[str]) -> Collection[str]:
        artifacts = func.jsonb_each_text(run.c.artifacts).table_valued("key", "value")
        used = union(
            select(run.c.model_blob).where(run.c.model_blob.in_(blobs)),
            select(run.c.rows_blob).where(run.c.rows_blob.in_(blobs)),
            select(artifacts.c.value).select_from(run.join(artifacts, true())).where(artifacts.c.value.in_(blobs)),
        )
        return set(self._connection.execute(used).scalars())

    def trials(self, suite_id: SuiteId) -> Sequence[Trial]:
        outcome = run.c.outcome
        query = select(
            *(run.c[name] for name in ("id", "trial", "trial_values", "status", "job_id", "error")),
            run.c.started_at,
            run.c.finished_at,
            outcome["metrics"].label("metrics"),
            outcome["seconds"].label("seconds"),
            outcome["model_bytes"].label("model_bytes"),
        )
        rows = self._connection.execute(query.where(run.c.suite_id == suite_id).order_by(run.c.trial))
        return [
            Trial(
                run_id=RunId(row.id),
                number=row.trial,
                values=row.trial_values,
                status=RunStatus(row.status),
                metrics=_numbers(row.metrics or {}),
                seconds=float(row.seconds or 0.0),
                model_bytes=int(row.model_bytes or 0),
                job_id=row.job_id,
                error=row.error,
                started_at=row.started_at,
                finished_at=row.finished_at,
            )
            for row in rows
        ]

    def claim(self, run_id: RunId) -> bool:
        return claimed(self._connection, run_id)

    def untracked(self, limit: int) -> Sequence[Run]:
        query = select(run).where(_is_untracked).order_by(run.c.created_at, run.c.id).limit(limit)
        return [_run_from_row(row) for row in self._connection.execute(query)]

    def _get(self, run_id: RunId, query: Select[Any]) -> Run:
        row = self._connection.execute(query.where(is_ours, run.c.id == run_id)).one_or_none()
        if row is None:
            raise RunNotFoundError(run_id)
        return _run_from_row(row)

    def _slice(self, query: Select[Any], listing: Listing) -> Slice[Run]:
        return slice_of(self._connection, query, run, {"created_at": run.c.created_at}, listing, _run_from_row)
