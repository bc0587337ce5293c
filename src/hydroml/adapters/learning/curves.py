"""Learning curves: how the score on rows that are new grows with the number of rows that train.

All happens within the training part, which is divided once more as the run itself is; rows that test are not looked
at. Of each fold's training rows the curve takes more and more: where time is kept the latest, so that it grows by the
past, where groups stay whole one group after another, else by chance.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

import numpy as np

from hydroml.adapters.learning import splits
from hydroml.adapters.learning.automatic.material import inner_folds
from hydroml.adapters.learning.fitter import Fitter
from hydroml.adapters.learning.frames import Array, Frame
from hydroml.adapters.learning.judging import Judge
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.errors import InvalidInputError, TooLargeError
from hydroml.domain.experiments.algorithms import AUTOMATIC
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.specification import SplitKind
from hydroml.domain.experiments.suites import MAIN_METRICS

FOLDS, POINTS = 3, 5
_IN_TIME = 8
"""Stretches of time, of which the last three test: the earlier ones have few rows before them."""
FEWEST = 200
"""Training rows below which a curve is mostly chance."""
_EFFORT = 20.0
"""Seconds, by the estimate, that the fits of a curve may take: fewer rows otherwise, the same ones each time."""
_SECONDS = 60.0
"""When no further fit begins, whatever was estimated."""
_WORTH = 0.01
"""A gain by doubling the rows that is a smaller share of the score is none."""


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Passes on where the curve is and that the job lives; what is remarked of so few rows concerns nobody."""

    monitor: Monitor
    at: float

    def report(self, progress: float | None = None, phase: str | None = None, message: str = "") -> None:  # noqa: ARG002
        self.monitor.report(self.at, "learning curve", message)

    def log(self, message: str, level: str = "info") -> None: ...

    def part(self, start: float, end: float) -> Monitor:  # noqa: ARG002
        return self

    def interrupting(self, stop: Callable[[], None]) -> AbstractContextManager[None]:
        return self.monitor.interrupting(stop)


def learning_curve(fitter: Fitter, rows: Array, monitor: Monitor) -> dict[str, Any] | None:
    """Of the training part `rows`; None where it is too small, or where the algorithm is a search of its own."""
    task, frame = fitter.task, fitter.frame
    specification = task.specification
    if specification.algorithm.name == AUTOMATIC.name or len(rows) < FEWEST:
        return None
    codes, groups = frame.target.values if frame.target.classes else None, frame.groups
    drawn_from = splits.Rows(rows, codes, frame.times, None if groups is None else groups.codes)
    try:
        drawn = _IN_TIME if task.split.is_chronological else FOLDS
        folds = inner_folds(task.split, specification.split, drawn_from, drawn, specification.seed)[-FOLDS:]
    except InvalidInputError:
        return None
    judge = Judge(task, frame, task.split.folded, fitter.threads)
    metric = next((n for n in specification.metrics if n in METRICS), MAIN_METRICS[task.problem])
    orders = [_order(task.split, frame, parts.train, specification.seed) for parts in folds]
    sizes = _sizes(fitter, min(len(order) for order in orders))
    done, total = 0, len(sizes) * len(folds)
    deadline = time.monotonic() + _SECONDS
    found: list[tuple[int, list[float], list[float]]] = []
    for size in sizes:
        on_train, on_new = [], []
        for order, parts in zip(orders, folds, strict=True):
            quiet = _Quiet(monitor, done / total)
            done += 1
            taken = splits.Parts(np.sort(order[:size]), parts.test)
            if time.monotonic() > deadline or len(np.unique(frame.target.values[taken.train])) < 2:
                break
            try:
                pipeline = replace(fitter, monitor=quiet).fit(taken.train, quiet).pipeline
            except (InvalidInputError, TooLargeError):
                break  # so few rows may lack a feature; and there may be no time left
            scores = [
                judge.metrics(judge.ask(pipeline, taken, asked, quiet)).get(metric)
                for asked in (taken.test, taken.train)
            ]
            if scores[0] is None or scores[1] is None:
                break
            on_new.append(scores[0])
            on_train.append(scores[1])
        if len(on_new) == len(folds):
            found.append((size, on_new, on_train))
    if len(found) < 2:
        return None
    grows = "past" if task.split.is_chronological else "groups" if task.split.is_grouped else "chance"
    verdict, words = _verdict(metric, [(size, new) for size, new, _ in found], grows)
    return {
        "metric": metric,
        "rows": [size for size, _, _ in found],
        "of": len(rows),
        "folds": len(folds),
        "grows_by": grows,
        "validation": [_spread(new) for _, new, _ in found],
        "train": [_spread(seen) for _, _, seen in found],
        "verdict": verdict,
        "words": words,
    }


def _order(kind: SplitKind, frame: Frame, rows: Array, seed: int) -> Array:
    """The rows in which the curve takes them."""
    random = np.random.default_rng(seed)
    if kind.is_chronological and frame.times is not None:
        latest: Array = rows[np.argsort(-frame.times.ordinals[rows], kind="stable")]
        return latest
    if kind.is_grouped and frame.groups is not None:
        places = random.permutation(len(frame.groups.names))
        return rows[np.argsort(places[frame.groups.codes[rows]], kind="stable")]
    shuffled: Array = random.permutation(rows)
    return shuffled


def _sizes(fitter: Fitter, most: int) -> list[int]:
    """Each twice the one before, as far as the fits do not take too long by the estimate."""
    top = most
    while top > FEWEST and FOLDS * sum(fitter.seconds_of(size) for size in _halves(top)) > _EFFORT:
        top //= 2
    return _halves(top)


def _halves(top: int) -> list[int]:
    return [top >> step for step in reversed(range(POINTS))]


def _spread(scores: Sequence[float]) -> dict[str, float]:
    return {"mean": fmean(scores), "low": min(scores), "high": max(scores)}


def _verdict(metric: str, found: Sequence[tuple[int, Sequence[float]]], grows: str) -> tuple[str, str]:
    """Whether the last doubling of the rows has gained more than its standard error over the folds, and than a
    hundredth of the score."""
    measure, what = METRICS[metric], {"past": "a longer past", "groups": "more groups"}.get(grows, "more rows")
    (fewer, before), (size, after) = found[-2], found[-1]
    gains = [measure.distance(one) - measure.distance(other) for one, other in zip(before, after, strict=True)]
    gain, error = fmean(gains), stdev(gains) / len(gains) ** 0.5
    scale = max(abs(fmean(after)), abs(fmean(before))) or 1.0
    step = f"from {fewer:,} to {size:,} rows {measure.title} went from {fmean(before):.4g} to {fmean(after):.4g}"
    if gain > max(error, _WORTH * scale):
        return "growing", f"{what.capitalize()} would still help: {step}."
    if gain < -max(error, _WORTH * scale):
        if grows == "past":
            return "falling", f"The older rows do not help: {step}. A shorter past does as well."
        return "falling", f"{what.capitalize()} did not help in the end: {step}."
    return "level", f"It has levelled off: {step}. Other features or another algorithm promise more than {what}."
