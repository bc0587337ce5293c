"""What every learner promises: scikit-learn's, and the twin that knows only the mean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hydroml.adapters.learning import ScikitLearner
from hydroml.adapters.memory.learning import BaselineLearner
from hydroml.application.ports.learning import Learner, Trained, TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.runs import PrunedError
from hydroml.domain.experiments.specification import Problem, Specification
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.sources import Column, ColumnType, VersionId
from tests.tasks import GIGABYTE, RecordingMonitor

COLUMNS = (
    Column("rain", ColumnType.NUMBER),
    Column("site", ColumnType.TEXT),
    Column("flow", ColumnType.NUMBER),
    Column("flood", ColumnType.INTEGER),
)
ROWS = [
    [float(i % 7), "ab"[i % 2], None if i % 10 == 0 else float(i % 7 * 2 + i % 2), int(i % 7 > 3)] for i in range(60)
]


class TableFormat:
    """How a learner's tables are stored: Parquet."""

    def write(self, file: Path, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        types = {ColumnType.NUMBER: pa.float64(), ColumnType.TEXT: pa.string(), ColumnType.INTEGER: pa.int64()}
        arrays = [pa.array([row[i] for row in rows], types[c.type]) for i, c in enumerate(columns)]
        pq.write_table(pa.table(arrays, names=[c.name for c in columns]), file)

    def read(self, file: Path) -> tuple[list[str], list[list[Any]]]:
        table = pq.read_table(file)
        return table.column_names, [list(row.values()) for row in table.to_pylist()]


class JsonLinesFormat(TableFormat):
    def write(self, file: Path, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        file.write_text("".join(json.dumps(line) + "\n" for line in ([[c.name, c.type] for c in columns], *rows)))

    def read(self, file: Path) -> tuple[list[str], list[list[Any]]]:
        header, *lines = file.read_text().splitlines()
        return [name for name, _ in json.loads(header)], [json.loads(line) for line in lines]


@dataclass
class Bench:
    learner: Learner
    tables: TableFormat
    folder: Path

    def task(self, target: str = "flow", rows: Sequence[Sequence[Any]] = ROWS) -> TrainingTask:
        file = self.folder / f"{uuid4().hex}.table"
        self.tables.write(file, COLUMNS, rows)
        specification = Specification(
            name="floods", version_id=VersionId(uuid4()), target=target, features=("rain", "site")
        )
        problem = Problem.REGRESSION if target == "flow" else Problem.BINARY
        return TrainingTask(file, COLUMNS, specification, ("rain", "site"), problem)

    def train(self, task: TrainingTask, monitor: RecordingMonitor | None = None) -> Trained:
        out = self.folder / uuid4().hex
        out.mkdir()
        return self.learner.train(task, out, monitor or RecordingMonitor())


class LearnerContract:
    """Subclasses give the fixture `bench`."""

    def test_training_leaves_figures_documents_and_a_model(self, bench: Bench) -> None:
        trained = bench.train(bench.task())
        outcome = trained.outcome
        assert outcome.problem == Problem.REGRESSION
        assert outcome.metrics["test"].keys() == outcome.metrics["train"].keys()
        assert "mean" in outcome.baselines
        assert [f.name for f in outcome.features] == ["rain", "site"]
        assert trained.model.stat().st_size > 0
        assert all(isinstance(json.loads(document), dict) for document in trained.artifacts.values())

    def test_rows_are_counted(self, bench: Bench) -> None:
        counts = bench.train(bench.task()).outcome.counts
        assert (counts.rows, counts.used, counts.left_out) == (60, 54, 6)
        assert counts.train + counts.test == 54

    def test_the_table_of_rows_gives_the_metrics_again(self, bench: Bench) -> None:
        trained = bench.train(bench.task())
        names, rows = bench.tables.read(trained.rows)
        table = trained.outcome.rows
        assert table is not None
        assert (names, len(rows)) == ([column.name for column in table.columns], table.rows)
        judged = [dict(zip(names, row, strict=True)) for row in rows]
        assert {row["row"]: row["observed"] for row in judged} == {
            number: row[2] for number, row in enumerate(ROWS, start=1) if row[2] is not None
        }
        for part in ("train", "test"):
            errors = [abs(row["observed"] - row["predicted"]) for row in judged if row["part"] == part]
            assert sum(errors) / len(errors) == pytest.approx(trained.outcome.metrics[part]["mae"])

    def test_same_task_gives_the_same_numbers(self, bench: Bench) -> None:
        task = bench.task()
        first, second = bench.train(task), bench.train(task)
        assert (first.outcome.metrics, first.outcome.baselines) == (second.outcome.metrics, second.outcome.baselines)
        assert first.artifacts == second.artifacts

    def test_folds_within_the_training_part_judge_it_too(self, bench: Bench) -> None:
        seen: list[tuple[int, dict[str, float]]] = []
        plain = bench.task()
        split = replace(plain.specification.split, validation=3)
        task = replace(
            plain,
            specification=replace(plain.specification, split=split),
            on_fold=lambda fold, metrics: seen.append((fold, dict(metrics))),
        )
        outcome = bench.train(task).outcome
        assert [fold for fold, _ in seen] == [1, 2, 3]
        assert outcome.metrics["validation"] == seen[-1][1]
        assert outcome.metrics["test"] == bench.train(plain).outcome.metrics["test"]

    def test_features_can_be_explained_without_the_test_part(self, bench: Bench) -> None:
        plain = bench.task()
        split = replace(plain.specification.split, validation=3)
        task = replace(plain, specification=replace(plain.specification, split=split), explain_within=True)
        artifacts = bench.train(task).artifacts
        items = json.loads(artifacts["importance_within"])["items"]
        assert {item["feature"] for item in items} == {"rain", "site"}
        assert all(isinstance(item["mean"], float) for item in items)
        assert "importance_within" not in bench.train(plain).artifacts

    def test_what_a_fold_is_answered_with_ends_it(self, bench: Bench) -> None:
        def give_up(fold: int, _: Mapping[str, float]) -> None:
            raise PrunedError

        plain = bench.task()
        split = replace(plain.specification.split, validation=3)
        with pytest.raises(PrunedError):
            bench.train(replace(plain, specification=replace(plain.specification, split=split), on_fold=give_up))

    def test_progress_moves_forward(self, bench: Bench) -> None:
        monitor = RecordingMonitor()
        bench.train(bench.task(), monitor)
        progress = [p for p, _ in monitor.reports]
        assert progress == sorted(progress)
        assert monitor.phases[0] == "reading"

    def test_cancelling_ends_it(self, bench: Bench) -> None:
        with pytest.raises(JobCancelledError):
            bench.train(bench.task(), RecordingMonitor(cancel_in="reading"))

    def test_too_few_rows_are_refused(self, bench: Bench) -> None:
        with pytest.raises(InvalidInputError):
            bench.train(bench.task(rows=ROWS[:2]))

    def test_rows_are_predicted_in_order(self, bench: Bench) -> None:
        trained = bench.train(bench.task())
        rows = [{"rain": 1.0, "site": "a"}, {"rain": None, "site": "b"}, {"rain": 3, "site": None, "other": 1}]
        predictions = bench.learner.predict_rows(trained.model, trained.outcome, rows)
        assert [type(p) for p in predictions.predictions] == [float] * 3
        assert predictions.probabilities is None
        missing = {(w.row, w.column) for w in predictions.warnings if w.code == "missing"}
        assert missing == {(1, "rain"), (2, "site")}

    def test_classes_keep_their_type_and_have_probabilities(self, bench: Bench) -> None:
        trained = bench.train(bench.task("flood"))
        assert trained.outcome.classes == ("0", "1")
        predictions = bench.learner.predict_rows(trained.model, trained.outcome, [{"rain": 1.0, "site": "a"}])
        assert [type(p) for p in predictions.predictions] == [int]
        [probabilities] = predictions.probabilities or ()
        assert probabilities.keys() == {"0", "1"}
        assert sum(probabilities.values()) == pytest.approx(1)

    def test_missing_feature_is_named(self, bench: Bench) -> None:
        trained = bench.train(bench.task())
        with pytest.raises(InvalidInputError) as caught:
            bench.learner.predict_rows(trained.model, trained.outcome, [{"rain": 1.0, "site": "a"}, {"rain": 1.0}])
        assert caught.value.faults[0].loc == ("rows", 1, "site")

    def test_wrong_type_is_named(self, bench: Bench) -> None:
        trained = bench.train(bench.task())
        with pytest.raises(InvalidInputError) as caught:
            bench.learner.predict_rows(trained.model, trained.outcome, [{"rain": "much", "site": "a"}])
        assert [(f.loc, f.code) for f in caught.value.faults] == [(("rows", 0, "rain"), "wrong_type")]

    def test_table_keeps_its_rows_and_gains_predictions(self, bench: Bench) -> None:
        task = bench.task()
        trained = bench.train(task)
        out = bench.folder / "predicted"
        bench.learner.predict_table(trained.model, trained.outcome, "flow", task.file, out, RecordingMonitor())
        names, rows = bench.tables.read(out)
        assert names[:5] == ["rain", "site", "flow", "flood", "flow_predicted"]
        assert [row[:4] for row in rows] == ROWS
        assert all(isinstance(row[4], float) for row in rows)

    def test_table_without_a_feature_is_refused(self, bench: Bench) -> None:
        trained = bench.train(bench.task())
        table = bench.folder / "less"
        bench.tables.write(table, COLUMNS[:1], [[1.0]])
        with pytest.raises(InvalidInputError, match="site"):
            bench.learner.predict_table(
                trained.model, trained.outcome, "flow", table, bench.folder / "out", RecordingMonitor()
            )


class TestScikitLearner(LearnerContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return Bench(ScikitLearner(memory_limit=GIGABYTE, threads=2), TableFormat(), tmp_path)


class TestBaselineLearner(LearnerContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return Bench(BaselineLearner(), JsonLinesFormat(), tmp_path)
