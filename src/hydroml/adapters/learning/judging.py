"""How good fitted pipelines are on rows they have not seen: metrics, how far they may be off, each group, plot data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
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


@dataclass(frozen=True, slots=True)
class Answers:
    """What was observed and what a model said in rows of the table; for classes both are indices, and
    `probabilities` has a column for each class."""

    rows: Array
    observed: Array
    predicted: Array
    probabilities: Array | None = None

    def at(self, places: Array) -> "Answers":
        probabilities = None if self.probabilities is None else self.probabilities[places]
        return Answers(self.rows[places], self.observed[places], self.predicted[places], probabilities)

    @staticmethod
    def of_all(several: Sequence["Answers"]) -> "Answers":
        given = [one.probabilities for one in several if one.probabilities is not None]
        return Answers(
            np.concatenate([one.rows for one in several]),
            np.concatenate([one.observed for one in several]),
            np.concatenate([one.predicted for one in several]),
            np.concatenate(given) if given else None,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    metrics: Metrics
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Bounds of 95 %."""
    plots: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges by the table and the split of one task."""

    task: TrainingTask
    frame: Frame
    split: SplitKind
    threads: int

    def ask(self, pipeline: Any, parts: Parts, rows: Array, monitor: Monitor) -> Answers:
        """What a pipeline that was fitted to the training part says in `rows`."""
        rows = self._in_order(rows)
        observed = self.frame.target.values[rows]
        report = partial(monitor.report, phase="scoring")
        if not self.task.problem.is_classification:
            predicted = in_blocks(pipeline.predict, self.frame.features, rows, self.threads, report)
            return Answers(rows, observed, predicted)
        learnt = self.learnt(parts)
        probabilities = np.zeros((len(rows), len(self.frame.target.classes)))  # 0 for one that training does not have
        probabilities[:, learnt] = in_blocks(pipeline.predict_proba, self.frame.features, rows, self.threads, report)
        return Answers(rows, observed, learnt[probabilities[:, learnt].argmax(axis=1)], probabilities)

    def learnt(self, parts: Parts) -> Array:
        """The indices of the classes the training part has, in the order of the model's."""
        return np.unique(self.frame.target.values[parts.train])

    def metrics(self, answers: Answers) -> Metrics:
        """Those of peaks where the rows are one series as it was, not drawn by chance."""
        if self.task.problem.is_classification:
            return metrics.classification(self.task.problem, answers.observed, answers.predicted, answers.probabilities)
        groups = self.frame.groups
        one_series = len(answers.rows) > 0 and (groups is None or bool(np.ptp(groups.codes[answers.rows]) == 0))
        return metrics.regression(
            answers.observed,
            answers.predicted,
            hydrology_too=self.frame.times is not None,
            names=self.task.specification.metrics,
            in_order=one_series and self.split.is_chronological and self._is_ordered(answers.rows),
        )

    def baseline(self, predicted: Array, rows: Array) -> Metrics:
        """Numbers that a baseline predicted for `rows`, by the same metrics as the model's."""
        order = self._order(rows)
        return self.metrics(Answers(rows[order], self.frame.target.values[rows][order], predicted[order]))

    def part(self, answers: Answers) -> Judgement:
        """The one test part of a run."""
        wrong = answers.observed != answers.predicted
        errors = wrong.astype(float) if self.task.problem.is_classification else answers.observed - answers.predicted
        block = 1 if self.frame.times is None else intervals.block_length(errors)
        bounds = intervals.bootstrap(
            lambda places: self.metrics(answers.at(places)),
            len(answers.rows),
            block=block,
            seed=self.task.specification.seed,
        )
        return Judgement(self.metrics(answers), bounds, self._drawn(answers))

    def folds(self, answers: Sequence[Answers], training: Sequence[int]) -> Judgement:
        """Metrics are means over the folds; plots show each row as the first fold that tests it saw it."""
        each = [self.metrics(one) for one in answers]
        items = [
            {"fold": number, "training_rows": rows, "rows": len(one.rows), "metrics": found}
            for number, (one, found, rows) in enumerate(zip(answers, each, training, strict=True), start=1)
        ]
        everything = Answers.of_all(answers)
        _, first = np.unique(everything.rows, return_index=True)
        once = everything.at(first)
        once = once.at(self._order(once.rows))
        return Judgement(mean(each), {}, self._drawn(once) | {"folds": {"items": items, "of": len(items)}})

    def _drawn(self, answers: Answers) -> dict[str, Any]:
        groups = self._each_group(answers)
        drawn = {} if groups is None else {"groups": groups}
        times = self.frame.times
        if answers.probabilities is None:
            return drawn | plots.regression(answers.rows, answers.observed, answers.predicted, times)
        return drawn | plots.classification(
            answers.rows,
            times,
            labels=[label_text(c) for c in self.frame.target.classes],
            observed=answers.observed,
            predicted=answers.predicted,
            probabilities=answers.probabilities,
        )

    def _each_group(self, answers: Answers) -> dict[str, Any] | None:
        groups = self.frame.groups
        if groups is None:
            return None
        of_row = groups.codes[answers.rows]
        codes, counts = np.unique(of_row, return_counts=True)
        if len(codes) < 2:
            return None
        largest = np.argsort(-counts, kind="stable")[:MAX_GROUPS]
        items = [
            {
                "group": groups.names[codes[i]],
                "rows": int(counts[i]),
                "metrics": self.metrics(answers.at(np.flatnonzero(of_row == codes[i]))),
            }
            for i in largest
        ]
        return {"column": self.task.specification.group_column, "of": len(codes), "items": items}

    def _in_order(self, rows: Array) -> Array:
        ordered: Array = rows[self._order(rows)]
        return ordered

    def _order(self, rows: Array) -> Array:
        """By group and time, so that neighbours are neighbours in time; as they stand where there is no time."""
        times, groups = self.frame.times, self.frame.groups
        if times is None:
            return np.arange(len(rows))
        keys = [times.ordinals[rows]] if groups is None else [times.ordinals[rows], groups.codes[rows]]
        return np.lexsort(keys)

    def _is_ordered(self, rows: Array) -> bool:
        """Whether no row comes twice or before an earlier one, as in a resample."""
        times = self.frame.times
        return (
            times is not None and len(np.unique(rows)) == len(rows) and bool(np.all(np.diff(times.ordinals[rows]) >= 0))
        )


def mean(several: Sequence[Metrics]) -> Metrics:
    """Of each metric over those that have it."""
    names = dict.fromkeys(name for one in several for name in one)
    return {name: fmean(one[name] for one in several if name in one) for name in names}
