"""Runs as code that needs public libraries alone, with or without their data."""

import json
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from hydroml.application.access import run_of, version_of
from hydroml.application.documents import read_recipe
from hydroml.application.inputs import tables_of
from hydroml.application.ports.learning import Learner, Reproduction, TrainingTask, Written
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore, Scratch
from hydroml.application.ports.tables import TableEngine
from hydroml.domain.errors import InvalidInputError, NotFoundError
from hydroml.domain.experiments.runs import Run, RunId
from hydroml.domain.experiments.specification import Problem
from hydroml.domain.projects import UserId
from hydroml.domain.sources import Column, OriginKind, Version
from hydroml.domain.studio.recipes import Recipe, with_inputs

DATA = "data.parquet"
"""What the data is called beside the code."""


class ReproductionService:
    def __init__(
        self, *, uow: UnitOfWorkFactory, learner: Learner, engine: TableEngine, blobs: BlobStore, scratch: Scratch
    ) -> None:
        self._uow, self._learner, self._engine = uow, learner, engine
        self._blobs, self._scratch = blobs, scratch

    def code(self, user: UserId, run_id: RunId) -> tuple[Run, Written]:
        """For whoever sees the run. Raises RunStateError before it has succeeded, and where it does not tell all that
        it depends on."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
            run.result()
            version = uow.versions.get(run.specification.version_id)
            try:
                data = _named(version, version_of(uow, user, version.id)[1].name)
            except NotFoundError:
                data = f"version {version.number} of a data source"
        return run, self._learner.write(self._reproduction(run, version, data))

    def bundle(self, user: UserId, run_id: RunId) -> tuple[BinaryIO, str, int]:
        """The code with the data, for whoever sees both: a zip file, its name and its size. Raises what `code` does,
        and VersionNotFoundError for data of others."""
        with self._uow() as uow:
            run = run_of(uow, user, run_id)
            rows = run.judged()
            version, source = version_of(uow, user, run.specification.version_id)
            made = _made_by(uow, user, run, version)
        reproduction = self._reproduction(run, version, _named(version, source.name))
        if made is not None:
            reproduction = replace(reproduction, recipe=self._program(*made))
        with (
            self._scratch.folder(f"code-{uuid4()}") as folder,
            self._blobs.local(version.fingerprint) as data,
            self._blobs.local(rows.blob) as judged,
        ):
            out = folder / "code.zip"
            self._learner.pack(reproduction, data, judged, out)
            # what is open outlives its folder
            return out.open("rb"), f"{run.specification.name}.zip", out.stat().st_size

    def _reproduction(self, run: Run, version: Version, data: str) -> Reproduction:
        outcome, _ = run.result()
        folds = self._artifact(run, "folds").get("items", ())
        specification = run.specification
        task = TrainingTask(
            Path(DATA),
            version.columns,
            specification,
            specification.resolved_features(version.columns),
            Problem(outcome.problem),
            found=self._artifact(run, "leaderboard"),
        )
        training = tuple(int(fold["training_rows"]) for fold in folds) or (outcome.counts.train,)
        return Reproduction(run=run, task=task, data=data, training_rows=training)

    def _artifact(self, run: Run, name: str) -> dict[str, list[dict[str, int]]]:
        if name not in run.artifacts:
            return {}
        with self._blobs.open(run.artifacts[name]) as blob:
            found: dict[str, list[dict[str, int]]] = json.loads(blob.read())
        return found

    def _program(self, recipe: Recipe, columns: tuple[Column, ...]) -> str:
        """The recipe as Python; nothing where a table that it reads is gone."""
        try:
            return self._engine.python(recipe, columns, "table.parquet")
        except InvalidInputError:
            return ""


def _named(version: Version, name: str) -> str:
    recipe = version.origin.recipe_name
    by = f", made by the recipe {recipe}" if recipe else ", made by a recipe" if version.origin.recipe else ""
    return f"{name}, version {version.number}{by}"


def _made_by(uow: UnitOfWork, user: UserId, run: Run, version: Version) -> tuple[Recipe, tuple[Column, ...]] | None:
    """The recipe that made a version, and the columns it began with; none where those are not the asker's to see."""
    if version.origin.kind is not OriginKind.RECIPE:
        return None
    try:
        before, _ = version_of(uow, user, version.origin.parents[0])
    except NotFoundError:
        return None
    steps = read_recipe(version.origin.recipe)
    tables = tables_of(uow, run.project_id, (entry.step for entry in steps))
    return with_inputs(steps, tables), before.columns
