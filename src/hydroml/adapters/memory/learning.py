"""A learner that knows the mean, or the most frequent class: for tests of the services, on the tables of the
in-memory engine. Features are the more important the earlier they come. Of the hyperparameters it knows `alpha`, which
draws the mean towards 0."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import (
    Predictions,
    PredictionWarning,
    Reproduction,
    Trained,
    TrainingTask,
    Written,
)
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.runs import Counts, Feature, Outcome, RowTable
from hydroml.domain.sources import Column, ColumnType


class BaselineLearner:
    def train(self, task: TrainingTask, folder: Path, monitor: Monitor) -> Trained:
        monitor.report(0.1, "reading")
        names, rows = _load(task.file)
        target = names.index(task.specification.target)
        known = [row[target] for row in rows if row[target] is not None]
        test_size = round(len(known) * task.specification.split.test_size)
        train, test = known[: len(known) - test_size], known[len(known) - test_size :]
        if not train or not test:
            raise InvalidInputError("too few rows to train and to test")
        folds = _validated(task, train)
        answer, metrics = _judged(task, train, test)
        model = folder / "model.json"
        model.write_text(json.dumps(answer))
        table, kind = folder / "rows.jsonl", "text" if task.problem.is_classification else "number"
        columns = [("row", "integer"), ("part", "text"), ("observed", kind), ("predicted", kind)]
        judged = tuple(Column(name, ColumnType(kind)) for name, kind in columns)
        with table.open("w") as stream:
            stream.write(json.dumps(columns) + "\n")
            numbers = [number for number, row in enumerate(rows, start=1) if row[target] is not None]
            for at, (number, value) in enumerate(zip(numbers, known, strict=True)):
                part = "train" if at < len(train) else "test"
                stream.write(json.dumps([number, part, value, answer]) + "\n")
        validation = {"validation": _mean(folds)} if folds else {}
        outcome = Outcome(
            problem=task.problem,
            split="chronological",
            parameters={},
            metrics={"test": metrics, "train": _judged(task, train, train)[1]} | validation,
            baselines={"mean": metrics},
            counts=Counts(len(rows), len(known), len(rows) - len(known), len(train), len(test)),
            features=tuple(Feature(c.name, c.type) for c in task.columns if c.name in task.features),
            classes=tuple(sorted(map(str, set(train)))) if task.problem.is_classification else (),
            seconds=1.0,
            model_bytes=model.stat().st_size,
            environment={"python": "3"},
            rows=RowTable(judged, len(known), table.stat().st_size),
        )
        documents: dict[str, Any] = {"baselines": metrics}
        if task.explain_within:
            items = [{"feature": name, "mean": 1 / place} for place, name in enumerate(task.features, start=1)]
            documents["importance_within"] = {"items": items}
        artifacts = {name: json.dumps(document).encode() for name, document in documents.items()}
        return Trained(outcome, artifacts, model, table)

    def predict_rows(self, model: Path, outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        warnings = []
        for index, row in enumerate(rows):
            for feature in outcome.features:
                if feature.name not in row:
                    raise InvalidInputError.at("rows", index, feature.name, msg="is missing", code="missing_feature")
                value = row[feature.name]
                if value is not None and isinstance(value, str) != (feature.type in ("text", "category")):
                    raise InvalidInputError.at("rows", index, feature.name, msg="has another type", code="wrong_type")
                if value is None:
                    warnings.append(PredictionWarning(index, feature.name, "missing", "there is no value"))
        answer = json.loads(model.read_text())
        return Predictions(
            (answer,) * len(rows),
            tuple({name: float(name == str(answer)) for name in outcome.classes} for _ in rows)
            if outcome.classes
            else None,
            tuple(warnings),
        )

    def predict_table(  # noqa: PLR0917 - as the port
        self, model: Path, outcome: Outcome, target: str, table: Path, out: Path, monitor: Monitor
    ) -> None:
        header, *lines = table.read_text().splitlines()
        columns = json.loads(header)
        missing = {feature.name for feature in outcome.features} - {name for name, _ in columns}
        if missing:
            raise InvalidInputError(f"the table lacks {', '.join(sorted(missing))}")
        answer = json.loads(model.read_text())
        columns.append([f"{target}_predicted", "text" if outcome.classes else "number"])
        with out.open("w") as stream:
            stream.write(json.dumps(columns) + "\n")
            stream.writelines(json.dumps([*json.loads(line), answer]) + "\n" for line in lines)

    def bundle(self, model: Path, outcome: Outcome, target: str, title: str, out: Path) -> None:
        with ZipFile(out, "w") as archive:
            archive.write(model, "model.json")

    def onnx(self, model: Path, outcome: Outcome, title: str, out: Path) -> None:
        out.write_bytes(model.read_bytes())

    def write(self, reproduction: Reproduction) -> Written:
        run, outcome = reproduction.run, reproduction.run.result()[0]
        facts = {"run": str(run.id), "data": reproduction.data, "features": list(reproduction.task.features)}
        script = f"print({json.dumps(facts | {'metrics': outcome.metrics['test']})!r})\n"
        cell = {"cell_type": "code", "id": "all", "metadata": {}, "source": script}
        notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        return Written(script, notebook, "", reproduction.data)

    def pack(self, reproduction: Reproduction, data: Path, rows: Path, out: Path) -> None:
        written = self.write(reproduction)
        with ZipFile(out, "w") as archive:
            archive.writestr("experiment.py", written.script)
            archive.writestr("experiment.ipynb", written.notebook)
            archive.writestr("requirements.txt", written.requirements)
            archive.writestr("README.md", written.readme)
            archive.write(data, "data.parquet")
            archive.write(rows, "splits.parquet")
            if reproduction.recipe:
                archive.writestr("recipe.py", reproduction.recipe)


def _judged(task: TrainingTask, train: Sequence[Any], test: Sequence[Any]) -> tuple[Any, dict[str, float]]:
    """The answer that the training part teaches, and how it does on the test part."""
    if task.problem.is_classification:
        answer = Counter(train).most_common(1)[0][0]
        return answer, {"accuracy": sum(value == answer for value in test) / len(test)}
    alpha = task.specification.algorithm.hyperparameters.get("alpha", 0)
    answer = sum(train) / (len(train) + float(alpha or 0))
    return answer, {
        "mae": sum(abs(value - answer) for value in test) / len(test),
        "rmse": sqrt(sum((value - answer) ** 2 for value in test) / len(test)),
    }


def _validated(task: TrainingTask, train: Sequence[Any]) -> list[dict[str, float]]:
    """The metrics of each fold within the training part."""
    folds, found = task.specification.split.validation, []
    for number in range(folds):
        begin, end = number * len(train) // folds, (number + 1) * len(train) // folds
        found.append(_judged(task, [*train[:begin], *train[end:]], train[begin:end])[1])
        if task.on_fold is not None:
            task.on_fold(number + 1, _mean(found))
    return found


def _mean(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(one[name] for one in several) / len(several) for name in several[0]}


def _load(file: Path) -> tuple[list[str], list[list[Any]]]:
    header, *lines = file.read_text().splitlines()
    return [name for name, _ in json.loads(header)], [json.loads(line) for line in lines]
