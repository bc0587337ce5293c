"""One training from a Parquet file to an outcome, plot data and a model file."""

import time
from dataclasses import dataclass
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
from hydroml.adapters.learning.judging import Judge, Metrics
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.algorithms import ALGORITHMS, HyperparameterValue
from hydroml.domain.experiments.runs import Counts, Feature, Outcome
from hydroml.domain.experiments.specification import SplitKind, TargetSummary, target_faults
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
    judge = Judge(task, data.frame, data.parts, data.split, threads)
    beside = _baselines(task, data, judge)
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
    on_test = judge.test(pipeline, monitor.part(0.75, 0.8))
    on_train = judge.train(pipeline, monitor.part(0.8, 0.85))
    monitor.report(0.85, "explaining")
    explained = _explain(task, data, judge, pipeline, monitor.part(0.85, 0.97))
    model = folder / "model.skops"
    modelfile.save(pipeline, model)
    outcome = Outcome(
        problem=task.problem.value,
        split=data.split.value,
        parameters=_parameters(task, values, data.split),
        metrics={"test": on_test.metrics, "train": on_train},
        intervals=on_test.intervals,
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


def _baselines(task: TrainingTask, data: _Data, judge: Judge) -> dict[str, Metrics]:
    frame, test = data.frame, data.parts.test
    if task.problem.is_classification:
        return baselines.classification(task.problem, frame.target.values, data.parts, len(frame.target.classes))
    codes = None if frame.groups is None else frame.groups.codes
    predictions = baselines.regression_predictions(
        baselines.Series(frame.target.values, frame.times, codes), data.parts
    )
    return {name: judge.baseline(frame.target.values[test], given, test) for name, given in predictions.items()}


def _explain(task: TrainingTask, data: _Data, judge: Judge, pipeline: Any, monitor: Monitor) -> dict[str, Any]:
    target = data.frame.target.values[data.parts.test]
    if task.problem.is_classification:
        position = np.full(len(data.frame.target.classes), -1)
        position[judge.learnt] = np.arange(len(judge.learnt))
        target = position[target]
    return importance.permutation(
        pipeline,
        data.frame.features.iloc[data.parts.test],
        [f.name for f in data.used],
        target,
        classes=task.problem.is_classification,
        seed=task.specification.seed,
        threads=judge.threads,
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
