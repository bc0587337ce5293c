"""How good a fitted pipeline is on rows of a part: metrics, how far they may be off, each group, and plot data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from hydroml.adapters.learning import intervals, metrics, plots
from hydroml.adapters.learning.frames import Array, Frame, label_text
from hydroml.adapters.learning.predicting import in_blocks
from hydroml.adapters.learning.splits import Parts
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import TrainingTask
from hydroml.domain.experiments.specification import SplitKind

MAX_GROUPS = 1_000
"""So many groups are judged on their own, the largest first."""

Metrics = dict[str, float]
Measure = Callable[[Array], Metrics]
"""The metrics of the rows at these positions of a part."""


@dataclass(frozen=True, slots=True)
class Judgement:
    metrics: Metrics
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Bounds of 95 %, of the test part."""
    plots: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges by the table and the split of one task."""

    task: TrainingTask
    frame: Frame
    parts: Parts
    split: SplitKind
    threads: int

    def baseline(self, observed: Array, predicted: Array, rows: Array) -> Metrics:
        """Numbers that a baseline predicted for `rows`, by the same metrics as the model's."""
        order = self._order(rows)
        return self._of_numbers(observed[order], predicted[order], rows[order])(np.arange(len(rows)))

    def test(self, pipeline: Any, monitor: Monitor) -> Judgement:
        rows = self.parts.test[self._order(self.parts.test)]
        if self.task.problem.is_classification:
            return self._test_classes(rows, pipeline, monitor)
        observed, predicted = self.frame.target.values[rows], self._predict(pipeline.predict, rows, monitor)
        measure = self._of_numbers(observed, predicted, rows)
        drawn = plots.regression(rows, observed, predicted, self.frame.times)
        return self._judgement(measure, rows, observed - predicted, drawn)

    def train(self, pipeline: Any, monitor: Monitor) -> Metrics:
        rows = self.parts.train[self._order(self.parts.train)]
        if self.task.problem.is_classification:
            return self._of_classes(*self._classes(pipeline, rows, monitor))(np.arange(len(rows)))
        observed, predicted = self.frame.target.values[rows], self._predict(pipeline.predict, rows, monitor)
        return self._of_numbers(observed, predicted, rows)(np.arange(len(rows)))

    @property
    def learnt(self) -> Array:
        """The indices of the classes the training part has, in the order of the model's."""
        return np.unique(self.frame.target.values[self.parts.train])

    def _test_classes(self, rows: Array, pipeline: Any, monitor: Monitor) -> Judgement:
        observed, predicted, probabilities = self._classes(pipeline, rows, monitor)
        drawn = plots.classification(
            rows,
            self.frame.times,
            labels=[label_text(c) for c in self.frame.target.classes],
            observed=observed,
            predicted=predicted,
            probabilities=probabilities,
        )
        measure = self._of_classes(observed, predicted, probabilities)
        return self._judgement(measure, rows, (observed != predicted).astype(float), drawn)

    def _judgement(self, measure: Measure, rows: Array, errors: Array, drawn: dict[str, Any]) -> Judgement:
        block = 1 if self.frame.times is None else intervals.block_length(errors)
        bounds = intervals.bootstrap(measure, len(rows), block=block, seed=self.task.specification.seed)
        groups = self._each_group(measure, rows)
        return Judgement(measure(np.arange(len(rows))), bounds, drawn | ({"groups": groups} if groups else {}))

    def _each_group(self, measure: Measure, rows: Array) -> dict[str, Any] | None:
        groups = self.frame.groups
        if groups is None:
            return None
        codes, counts = np.unique(groups.codes[rows], return_counts=True)
        if len(codes) < 2:
            return None
        largest = np.argsort(-counts, kind="stable")[:MAX_GROUPS]
        return {
            "column": self.task.specification.group_column,
            "of": len(codes),
            "items": [
                {
                    "group": groups.names[codes[i]],
                    "rows": int(counts[i]),
                    "metrics": measure(np.flatnonzero(groups.codes[rows] == codes[i])),
                }
                for i in largest
            ],
        }

    def _order(self, rows: Array) -> Array:
        """By group and time, so that neighbours are neighbours in time; as they stand where there is no time."""
        times, groups = self.frame.times, self.frame.groups
        if times is None:
            return np.arange(len(rows))
        keys = [times.ordinals[rows]] if groups is None else [times.ordinals[rows], groups.codes[rows]]
        return np.lexsort(keys)

    def _of_numbers(self, observed: Array, predicted: Array, rows: Array) -> Measure:
        """Peaks are looked for where the rows are one series as it was, not drawn by chance."""
        specification, groups = self.task.specification, self.frame.groups
        chronological = self.split is SplitKind.CHRONOLOGICAL

        def measure(at: Array) -> Metrics:
            one_series = chronological and len(at) > 0 and (groups is None or np.ptp(groups.codes[rows[at]]) == 0)
            return metrics.regression(
                observed[at],
                predicted[at],
                hydrology_too=self.frame.times is not None,
                names=specification.metrics,
                in_order=one_series and bool(np.all(np.diff(at) > 0)),
            )

        return measure

    def _of_classes(self, observed: Array, predicted: Array, probabilities: Array) -> Measure:
        problem = self.task.problem
        return lambda at: metrics.classification(problem, observed[at], predicted[at], probabilities[at])

    def _classes(self, pipeline: Any, rows: Array, monitor: Monitor) -> tuple[Array, Array, Array]:
        """Observed and predicted classes, and the probabilities of all: 0 for one that only the test part has."""
        learnt = self.learnt
        probabilities = np.zeros((len(rows), len(self.frame.target.classes)))
        probabilities[:, learnt] = self._predict(pipeline.predict_proba, rows, monitor)
        predicted = learnt[probabilities[:, learnt].argmax(axis=1)]
        return self.frame.target.values[rows], predicted, probabilities

    def _predict(self, predict: Callable[[Any], Array], rows: Array, monitor: Monitor) -> Array:
        return in_blocks(predict, self.frame.features, rows, self.threads, partial(monitor.report, phase="scoring"))
