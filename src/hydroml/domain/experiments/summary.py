"""What of a run stands in a list of runs: its headline, and every number or word that can be a column."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.runs import Outcome, Run

ColumnValue = float | str

HEADLINES = (
    "nse", "r2", "kge", "rmse", "mae", "roc_auc", "balanced_accuracy", "f1", "f1_macro", "accuracy", "log_loss",
)  # fmt: skip
"""Metrics in the order in which one of them stands for a run that does not ask for any."""
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Score:
    """The metric that stands for a run, on its test part, beside that of the strongest baseline."""

    metric: str
    value: float
    baseline: str | None = None
    baseline_value: float | None = None


def score_of(run: Run) -> Score | None:
    """By the first metric that the specification asks for and the run has, or else the first of `HEADLINES`."""
    if run.outcome is None:
        return None
    test = {name: value for name, value in run.outcome.metrics.get("test", {}).items() if isfinite(value)}
    for name in (*run.specification.metrics, *HEADLINES, *sorted(test)):
        if name in test:
            baseline = _strongest(run.outcome, name)
            return Score(name, test[name], *(baseline or (None, None)))
    return None


def _strongest(outcome: Outcome, name: str) -> tuple[str, float] | None:
    metric = METRICS.get(name)
    best: tuple[str, float] | None = None
    for baseline, metrics in outcome.baselines.items():
        value = metrics.get(name)
        if metric is None or value is None or not isfinite(value):
            continue
        if best is None or metric.is_better(value, best[1]):
            best = (baseline, value)
    return best


def columns_of(run: Run) -> dict[str, ColumnValue]:
    """Numbers and words under their places in the run's document, such as `metrics.test.rmse`,
    `metrics.baselines.mean.rmse` and `parameters.max_depth`; what is missing or not finite is left out."""
    outcome = run.outcome
    given = run.specification.algorithm.hyperparameters if outcome is None else outcome.parameters
    found = dict(_flat("parameters", given))
    if outcome is not None:
        found |= dict(_flat("metrics", outcome.metrics))
        found |= dict(_flat("metrics.baselines", outcome.baselines))
    return found


def _flat(place: str, value: Any) -> Iterator[tuple[str, ColumnValue]]:
    match value:
        case Mapping():
            for name, part in value.items():
                yield from _flat(f"{place}.{name}", part)
        case bool():
            yield place, str(value).lower()
        case int() | float():
            if isfinite(value):
                yield place, float(value)
        case str():
            yield place, value[:_LONGEST_TEXT]
        case list() | tuple():
            yield place, json.dumps(value, ensure_ascii=False)[:_LONGEST_TEXT]


def words_of(run: Run) -> str:
    """What a search in words looks through, in lower case."""
    wanted = run.specification
    problem = wanted.problem if run.outcome is None else run.outcome.problem
    parts = (wanted.name, wanted.algorithm.name, wanted.algorithm.name.replace("_", " "), wanted.target, problem,
             *run.tags, run.notes)  # fmt: skip
    return " ".join(parts).lower()
