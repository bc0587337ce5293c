"""One training from a Parquet file to an outcome, plot data and a model file."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from hydroml.adapters.learning import (
    algorithms,
    baselines,
    fitting,
    importance,
    metrics,
    modelfile,
    plots,
    preparation,
    splits,
)
from hydroml.adapters.learning.frames import (
    TEXT_TYPES,
    Array,
    Frame,
    check_memory,
    label_text,
    read_frame,
)
from hydroml.adapters.learning.predicting import in_blocks
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.algorithms import ALGORITHMS, HyperparameterValue
from hydroml.domain.experiments.runs import Counts, Feature, Outcome
from hydroml.domain.experiments.specification import Problem, SplitKind, TargetSummary, target_faults
from hydroml.domain.sources import Column, ColumnType

_SMALL = 100_000
"""Values that one thread learns from sooner than several have agreed on who does what."""
MAX_CATEGORIES = 500
"""So many categories of a feature are remembered to recognise new ones; a column with more is free text."""


@dataclass(frozen=True, slots=True)
class _Data:
    frame: Frame
    parts: splits.Parts
    split: SplitKind
    counts: Counts
    used: tuple[Column, ...]
    """The features of which something can be learnt."""
    training: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Judgement:
    metrics: dict[str, float]
    plots: dict[str, Any]


def train(task: TrainingTask, folder: Path, monitor: Monitor, *, memory_limit: int, threads: int) -> Trained:
    """See the port."""
    started = time.monotonic()
    specification = task.specification
    algorithm = ALGORITHMS[specification.algorithm.name]
    values = algorithm.complete(specification.algorithm.hyperparameters)
    monitor.report(0.0, "reading")
    frame = _read(task, memory_limit, monitor)
    monitor.report(0.1, "splitting")
    data = _split(task, frame, monitor)
    training = data.training
    width = preparation.width(data.used, training, specification.preparation)
    check_memory(len(training), width, memory_limit)
    threads = threads if len(training) * width > _SMALL else 1

    monitor.report(0.15, "fitting baseline")
    beside = _baselines(task, data)
    estimator = algorithms.build(algorithm.name, task.problem, values, specification.seed, threads)
    transformer = preparation.build(data.used, training, specification.preparation, algorithm)
    pipeline = Pipeline([("prepare", transformer), ("learn", estimator)])
    labels = frame.target.labels(data.parts.train)
    watch = algorithms.Watch(estimator)
    fitting.run(
        lambda: watch.fit(pipeline, training, labels),
        threads=threads,
        monitor=monitor.part(0.2, 0.75),
        phase="fitting",
        progress=watch.progress,
        seconds=specification.budget.seconds,
    )
    algorithms.settle(estimator)

    monitor.report(0.75, "scoring")
    judge = partial(
        _judge_classes if task.problem.is_classification else _judge_numbers,
        task.problem,
        data,
        pipeline,
        threads=threads,
    )
    on_test = judge(data.parts.test, monitor=monitor.part(0.75, 0.78), draw=True)
    on_train = judge(data.parts.train, monitor=monitor.part(0.78, 0.85), draw=False)
    monitor.report(0.85, "explaining")
    explained = _explain(task, data, pipeline, threads, monitor.part(0.85, 0.97))
    model = folder / "model.skops"
    modelfile.save(pipeline, model)
    outcome = Outcome(
        problem=task.problem.value,
        split=data.split.value,
        parameters=_parameters(task, values, data.split),
        metrics={"test": on_test.metrics, "train": on_train.metrics},
        baselines=beside,
        counts=data.counts,
        features=tuple(_feature(task, training, name) for name in task.features),
        classes=tuple(label_text(c) for c in pipeline.classes_.tolist()) if task.problem.is_classification else (),
        seconds=round(time.monotonic() - started, 3),
    )
    artifacts = {
        **on_test.plots,
        "importance": explained,
        "baselines": {
            "model": outcome.metrics["test"],
            "items": [{"name": name, "metrics": values} for name, values in beside.items()],
        },
    }
    monitor.report(1.0, "explaining")
    return Trained(outcome, {name: plots.document(value) for name, value in artifacts.items()}, model)


def _column(task: TrainingTask, name: str) -> Column:
    for column in task.columns:
        if column.name == name:
            return column
    raise InvalidInputError(f"the table has no column “{name}”")


def _read(task: TrainingTask, memory_limit: int, monitor: Monitor) -> Frame:
    specification = task.specification
    frame = read_frame(
        task.file,
        features=[_column(task, name) for name in task.features],
        target=_column(task, specification.target),
        classes=task.problem.is_classification,
        time=_column(task, specification.time_column) if specification.time_column else None,
        group=_column(task, specification.group_column) if specification.group_column else None,
        limit=memory_limit,
    )
    for name, count in frame.infinite.items():
        monitor.log(f"“{name}” has {count:,} infinite values, which count as missing", "warning")
    return frame


def _split(task: TrainingTask, frame: Frame, monitor: Monitor) -> _Data:
    specification, target = task.specification, frame.target
    kind = specification.split.resolve(specification.time_column, task.problem)
    known = target.known
    if kind is SplitKind.CHRONOLOGICAL and frame.times is not None:
        known = known & frame.times.known
    usable = np.flatnonzero(known)
    _check_target(task, frame, usable)
    parts = splits.draw(
        kind,
        specification.split,
        usable,
        seed=specification.seed,
        codes=target.values if target.classes else None,
        times=frame.times.ordinals if frame.times is not None else None,
    )
    if len(np.unique(target.values[parts.train])) < 2:
        raise InvalidInputError.at(
            "split",
            msg=f"“{specification.target}” has the same value in the whole training part: there is nothing to learn",
            code="constant_target",
        )
    training = frame.features.iloc[parts.train]
    features = [_column(task, name) for name in task.features]
    used = preparation.usable_features(features, training)
    if not used:
        raise InvalidInputError.at("features", msg="no feature has a value in the training part", code="all_missing")
    for name in (f.name for f in features if f not in used):
        monitor.log(f"“{name}” has no value in the training part and is not used", "warning")
    rows, train, test = len(known), len(parts.train), len(parts.test)
    counts = Counts(rows=rows, used=len(usable), left_out=rows - len(usable), train=train, test=test)
    monitor.log(
        f"{counts.rows:,} rows, {counts.left_out:,} of them without a known target or time; {train:,} train, "
        f"{test:,} test, {counts.used - train - test:,} in the gap between them"
    )
    return _Data(frame, parts, kind, counts, used, training)


def _check_target(task: TrainingTask, frame: Frame, usable: Array) -> None:
    values = frame.target.values[usable]
    _, sizes = np.unique(values, return_counts=True)
    summary = TargetSummary(
        rows=len(frame.target.values),
        missing=len(frame.target.values) - len(usable),
        distinct=len(sizes),
        rarest=int(sizes.min()) if len(sizes) else 0,
    )
    faults = target_faults(task.problem, task.specification.target, summary)
    if faults:
        raise InvalidInputError(faults[0].msg, faults)


def _baselines(task: TrainingTask, data: _Data) -> dict[str, dict[str, float]]:
    frame = data.frame
    if task.problem.is_classification:
        return baselines.classification(task.problem, frame.target.values, data.parts, len(frame.target.classes))
    return baselines.regression(baselines.Series(frame.target.values, frame.times, frame.groups), data.parts)


def _judge_numbers(
    _: Problem, data: _Data, pipeline: Any, rows: Array, *, threads: int, monitor: Monitor, draw: bool
) -> _Judgement:
    predicted = in_blocks(
        pipeline.predict, data.frame.features, rows, threads, partial(monitor.report, phase="scoring")
    )
    observed = data.frame.target.values[rows]
    drawn = plots.regression(rows, observed, predicted, data.frame.times) if draw else {}
    return _Judgement(metrics.regression(observed, predicted), drawn)


def _judge_classes(
    problem: Problem, data: _Data, pipeline: Any, rows: Array, *, threads: int, monitor: Monitor, draw: bool
) -> _Judgement:
    """Classes that only the test part has are among the observed ones; the model gives them no probability."""
    classes = data.frame.target.classes
    learnt = _learnt(data)
    probabilities = np.zeros((len(rows), len(classes)))
    probabilities[:, learnt] = in_blocks(
        pipeline.predict_proba, data.frame.features, rows, threads, partial(monitor.report, phase="scoring")
    )
    predicted = learnt[probabilities[:, learnt].argmax(axis=1)]
    observed = data.frame.target.values[rows]
    drawn: dict[str, Any] = {}
    if draw:
        labels = [label_text(c) for c in classes]
        drawn = plots.classification(
            rows, data.frame.times, labels=labels, observed=observed, predicted=predicted, probabilities=probabilities
        )
    return _Judgement(metrics.classification(problem, observed, predicted, probabilities), drawn)


def _learnt(data: _Data) -> Array:
    """The indices of the classes the training part has, in the order of the model's."""
    return np.unique(data.frame.target.values[data.parts.train])


def _explain(task: TrainingTask, data: _Data, pipeline: Any, threads: int, monitor: Monitor) -> dict[str, Any]:
    target = data.frame.target.values[data.parts.test]
    if task.problem.is_classification:
        learnt = _learnt(data)
        position = np.full(len(data.frame.target.classes), -1)
        position[learnt] = np.arange(len(learnt))
        target = position[target]
    return importance.permutation(
        pipeline,
        data.frame.features.iloc[data.parts.test],
        [f.name for f in data.used],
        target,
        classes=task.problem.is_classification,
        seed=task.specification.seed,
        threads=threads,
        monitor=monitor,
    )


def _parameters(task: TrainingTask, values: dict[str, HyperparameterValue], split: SplitKind) -> dict[str, Any]:
    specification = task.specification
    algorithm = ALGORITHMS[specification.algorithm.name]
    return {
        "algorithm": algorithm.name,
        **values,
        "impute": specification.preparation.impute.value,
        "indicator": specification.preparation.indicator,
        "scale": preparation.scaling(specification.preparation, algorithm).value,
        "max_categories": specification.preparation.max_categories,
        "split": split.value,
        "test_size": specification.split.test_size,
        "gap": specification.split.gap,
        "seed": specification.seed,
    }


def _feature(task: TrainingTask, training: pd.DataFrame, name: str) -> Feature:
    """What the training part shows of it, by which a prediction recognises what is new."""
    column, values = _column(task, name), training[name]
    if column.type in TEXT_TYPES:
        seen = values.dropna().unique()
        return Feature(name, column.type.value, categories=tuple(sorted(seen)) if len(seen) <= MAX_CATEGORIES else None)
    if column.type is ColumnType.BOOLEAN or not values.notna().any():
        return Feature(name, column.type.value)
    return Feature(name, column.type.value, float(values.min()), float(values.max()))
