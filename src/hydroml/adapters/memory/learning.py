"""A learner that knows the mean, or the most frequent class: for tests of the services, on the tables of the
in-memory engine."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Predictions, PredictionWarning, Trained, TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.runs import Counts, Feature, Outcome


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
        if task.problem.is_classification:
            answer = Counter(train).most_common(1)[0][0]
            metrics = {"accuracy": sum(value == answer for value in test) / len(test)}
        else:
            answer = sum(train) / len(train)
            metrics = {"mae": sum(abs(value - answer) for value in test) / len(test)}
        model = folder / "model.json"
        model.write_text(json.dumps(answer))
        outcome = Outcome(
            problem=task.problem,
            split="chronological",
            parameters={},
            metrics={"test": metrics, "train": metrics},
            baselines={"mean": metrics},
            counts=Counts(len(rows), len(known), len(rows) - len(known), len(train), len(test)),
            features=tuple(Feature(c.name, c.type) for c in task.columns if c.name in task.features),
            classes=tuple(sorted(map(str, set(train)))) if task.problem.is_classification else (),
        )
        return Trained(outcome, {"baselines": json.dumps(metrics).encode()}, model)

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


def _load(file: Path) -> tuple[list[str], list[list[Any]]]:
    header, *lines = file.read_text().splitlines()
    return [name for name, _ in json.loads(header)], [json.loads(line) for line in lines]
