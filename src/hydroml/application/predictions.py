"""Predictions: of rows at once, of a data source by a job, of a file on the command line.

The model's preparation is in its pipeline. The recipe that made its training table is replayed too, when what comes in
lacks the features but is like the table the recipe began with; steps that choose or order rows are left out, so that
every row gets its prediction.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Generic, TypeVar
from uuid import UUID, uuid4

from hydroml.application.access import model_of, version_of
from hydroml.application.activity import tell
from hydroml.application.documents import read_recipe
from hydroml.application.jobs import JobSender
from hydroml.application.ports.jobs import Clock, Monitor
from hydroml.application.ports.learning import Learner, Predictions
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore, Scratch
from hydroml.application.ports.tables import IncomingFile, TableEngine, WrittenTable
from hydroml.application.versions import VersionWriter
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.experiments.portable import onnx_obstacles
from hydroml.domain.experiments.runs import Outcome, Run, RunId
from hydroml.domain.exports import ExportShape, format_of
from hydroml.domain.jobs import Job, JobId, JobKind, Subject
from hydroml.domain.models import Model, ModelId, ModelVersion
from hydroml.domain.projects import NAME_LENGTH, Role, UserId
from hydroml.domain.sources import (
    Column,
    DataSource,
    ImportOptions,
    Origin,
    OriginKind,
    SourceId,
    Table,
    VersionId,
)
from hydroml.domain.studio.recipes import Recipe, row_local_part

MAX_ROWS = 10_000

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Served:
    """All that is needed to predict with one version of a model."""

    version: ModelVersion
    run: Run
    outcome: Outcome
    model_blob: str
    columns: tuple[Column, ...]
    """Of the table the recipe begins with."""
    recipe: Recipe

    def lacks(self, names: Sequence[str]) -> bool:
        return not {feature.name for feature in self.outcome.features} <= set(names)


class _Kept(Generic[Key, Value]):
    """The last things of a kind that were read."""

    def __init__(self, most: int = 64) -> None:
        self._most, self._lock = most, Lock()
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._held[key] = value
            while len(self._held) > self._most:
                self._held.popitem(last=False)


_SERVED: _Kept[RunId, Served] = _Kept()
"""A run that a version stands on never changes in this."""
_MODELS: _Kept[ModelId, Model] = _Kept()
"""Used only as long as the database has the same revision."""


class PredictionService:
    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        engine: TableEngine,
        learner: Learner,
        blobs: BlobStore,
        scratch: Scratch,
        versions: VersionWriter,
        sender: JobSender,
        clock: Clock,
    ) -> None:
        self._uow, self._engine, self._learner = uow, engine, learner
        self._blobs, self._scratch = blobs, scratch
        self._versions, self._sender, self._clock = versions, sender, clock

    def rows(
        self,
        user: UserId,
        model_id: ModelId,
        rows: Sequence[Mapping[str, Any]],
        *,
        alias: str | None = None,
        number: int | None = None,
    ) -> tuple[ModelVersion, Predictions]:
        """Raises InvalidInputError for a missing feature or a value of the wrong type, naming row and column."""
        if not 1 <= len(rows) <= MAX_ROWS:
            raise InvalidInputError.at(
                "rows", msg=f"1 to {MAX_ROWS:,} rows at once; use a file for more", code="length"
            )
        with self._uow() as uow:
            held = _MODELS.get(model_id)
            if held is None or held.revision != uow.models.revision_for(user, model_id):
                held = model_of(uow, user, model_id)
                _MODELS.put(model_id, held)
            served = _served(uow, held, alias, number)
        if served.recipe and served.lacks(list(rows[0])):
            rows = self._engine.replay(served.columns, row_local_part(served.recipe), rows)
        with self._blobs.local(served.model_blob) as model:
            return served.version, self._learner.predict_rows(model, served.outcome, rows)

    def file(
        self,
        user: UserId,
        model_id: ModelId,
        source: Path,
        out: Path,
        monitor: Monitor,
        *,
        alias: str | None = None,
        number: int | None = None,
    ) -> int:
        """Predicts every row of a file into another one, in the format of its ending; gives the number of rows."""
        shape = ExportShape(format_of(out.name))
        with self._uow() as uow:
            served = _served(uow, model_of(uow, user, model_id), alias, number)
        with self._scratch.folder(f"predict-{uuid4()}") as folder:
            table, predicted = folder / "table.parquet", folder / "predicted.parquet"
            incoming = [IncomingFile(source, source.name)]
            rejected = folder / "rejected.parquet"
            written = self._engine.import_files(incoming, ImportOptions(), table, rejected, monitor.part(0, 0.4))
            if served.recipe and served.lacks([c.name for c in written.columns]):
                replayed = folder / "replayed.parquet"
                self._engine.materialise(table, row_local_part(served.recipe), replayed, monitor.part(0.4, 0.6))
                table = replayed
            with self._blobs.local(served.model_blob) as model:
                target = served.run.specification.target
                self._learner.predict_table(model, served.outcome, target, table, predicted, monitor.part(0.6, 0.95))
            self._engine.export(predicted, shape, out, monitor.part(0.95, 1.0))
        return written.rows

    def request(
        self,
        user: UserId,
        model_id: ModelId,
        version_id: VersionId,
        *,
        alias: str | None = None,
        number: int | None = None,
    ) -> tuple[DataSource, Job]:
        """Predicts every row of a version into a new data source of the model's project."""
        now = self._clock()
        job_id = JobId(uuid4())
        with self._uow() as uow:
            model = model_of(uow, user, model_id, Role.EDITOR)
            served = _served(uow, model, alias, number)
            version, base = version_of(uow, user, version_id)
            if served.lacks([c.name for c in version.columns]) and not served.recipe:
                missing = [f.name for f in served.outcome.features if version.column(f.name) is None]
                raise InvalidInputError.at(
                    "version_id",
                    msg=f"“{base.name}” lacks the model's features: {', '.join(missing[:10])}",
                    code="schema",
                )
            source = DataSource(
                id=SourceId(uuid4()),
                name=f"{base.name}, predicted by {model.name} {served.version.number}"[:NAME_LENGTH],
                owner_id=user,
                project_ids=frozenset({model.project_id}),
                created_at=now,
                updated_at=now,
            )
            source.begin_version(job_id, now)
            job = Job(
                id=job_id,
                kind=JobKind.PREDICT,
                payload={
                    "model_id": str(model_id),
                    "number": served.version.number,
                    "version_id": str(version_id),
                },
                requested_by=user,
                project_id=model.project_id,
                subject=Subject("source", source.id, source.name),
                created_at=now,
            )
            uow.sources.add(source)
            tell(uow, user, "created", source, now, f"by “{model.name}”, version {served.version.number}")
            uow.jobs.add(job)
            uow.commit()
        self._sender.send(job_id)
        return source, job

    def bundle(self, user: UserId, model_id: ModelId, number: int) -> tuple[BinaryIO, str, int]:
        """A version as a folder that predicts without HydroML: a zip file, its name and its size."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id)
            served = _served(uow, model, None, number)
        target, title = served.run.specification.target, f"{model.name}, version {number}"
        with self._scratch.folder(f"bundle-{uuid4()}") as folder, self._blobs.local(served.model_blob) as file:
            out = folder / "model.zip"
            self._learner.bundle(file, served.outcome, target, title, out)
            # what is open outlives its folder
            return out.open("rb"), f"{title}.zip", out.stat().st_size

    def onnx(self, user: UserId, model_id: ModelId, number: int) -> tuple[BinaryIO, str, int]:
        """A version with its preparation as an ONNX graph: a file, its name and its size. Raises InvalidInputError that
        names each part that cannot be written."""
        with self._uow() as uow:
            model = model_of(uow, user, model_id)
            served = _served(uow, model, None, number)
        if obstacles := onnx_obstacles(served.run):
            faults = tuple(Fault(("number",), words, "onnx") for words in obstacles)
            raise InvalidInputError(f"this cannot be written in ONNX: {'; '.join(obstacles)}", faults)
        title = f"{model.name}, version {number}"
        with self._scratch.folder(f"onnx-{uuid4()}") as folder, self._blobs.local(served.model_blob) as file:
            out = folder / "model.onnx"
            self._learner.onnx(file, served.outcome, title, out)
            return out.open("rb"), f"{title}.onnx", out.stat().st_size

    # The handler of predict

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        version_id = VersionId(UUID(job.payload["version_id"]))
        with self._uow() as uow:
            model = uow.models.get(ModelId(UUID(job.payload["model_id"])))
            served = _served(uow, model, None, job.payload["number"])
            version = uow.versions.get(version_id)

        def make(out: Path) -> tuple[WrittenTable, Origin]:
            with self._blobs.local(version.fingerprint) as stored, self._blobs.local(served.model_blob) as file:
                table = stored
                if served.recipe and served.lacks([c.name for c in version.columns]):
                    replayed = out.with_name("replayed.parquet")
                    self._engine.materialise(
                        Table.of(version), row_local_part(served.recipe), replayed, monitor.part(0, 0.4)
                    )
                    table = replayed
                target = served.run.specification.target
                self._learner.predict_table(file, served.outcome, target, table, out, monitor.part(0.4, 0.95))
            parents = (version_id, served.run.specification.version_id)
            origin = Origin(OriginKind.PREDICTION, parents=tuple(dict.fromkeys(parents)), model=model.id)
            return self._engine.describe(out), origin

        return self._versions.write(job, SourceId(job.subject_id), make, monitor)

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.give_up(uow, job)

    def clean(self, job: Job) -> None:
        self._versions.clean(job)

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        self._versions.begin_again(uow, job)


def _served(uow: UnitOfWork, model: Model, alias: str | None, number: int | None) -> Served:
    version = model.resolve(alias, number)
    found = _SERVED.get(version.run_id)
    if found is None:
        found = _read(uow, version)
        _SERVED.put(version.run_id, found)
    return replace(found, version=version)


def _read(uow: UnitOfWork, version: ModelVersion) -> Served:
    run = uow.runs.get(RunId(version.run_id))
    outcome, blob = run.result()
    table = uow.versions.get(run.specification.version_id)
    recipe: Recipe = ()
    while table.origin.kind is OriginKind.RECIPE:
        recipe = (*read_recipe(table.origin.recipe), *recipe)
        table = uow.versions.get(table.origin.parents[0])
    return Served(version, run, outcome, blob, table.columns, recipe)
