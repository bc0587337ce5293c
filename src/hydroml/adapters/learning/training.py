"""One training from a Parquet file to an outcome, plot data and a model file."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hydroml.adapters.learning import (
    baselines,
    conformal,
    curves,
    environment,
    explaining,
    importance,
    modelfile,
    plots,
    rows,
    splits,
)
from hydroml.adapters.learning.fitter import Fitted, Fitter
from hydroml.adapters.learning.frames import TEXT_TYPES, Array, Frame, label_text, read_frame
from hydroml.adapters.learning.judging import Answers, Judge, Metrics, mean
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments import treatment
from hydroml.domain.experiments.algorithms import ALGORITHMS, HyperparameterValue
from hydroml.domain.experiments.algorithms.automatic import DEFAULT_SECONDS
from hydroml.domain.experiments.runs import Counts, DerivedFeature, Feature, Outcome, PredictionInterval
from hydroml.domain.experiments.specification import Split, SplitKind, TargetSummary, target_faults
from hydroml.domain.sources import Column, ColumnType

MAX_CATEGORIES = 500
"""So many categories of a feature are remembered to recognise new ones; a column with more is free text."""


@dataclass(frozen=True, slots=True)
class _Data:
    frame: Frame
    folds: list[splits.Parts]
    """One pair of parts, or one for each fold."""
    split: SplitKind
    counts: Counts
    inner: list[splits.Parts]
    """The folds within the training part."""
    is_folded: bool
    """Whether several folds test, each by a model of its own."""
    kept: Array
    """The rows that the model which is kept learns from: the training part, or all rows of a table in folds."""


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
    seconds = specification.budget.seconds
    deadline = None if seconds is None else time.monotonic() + seconds
    fits = len(data.inner) + len(data.folds) + data.is_folded
    fitter = Fitter(task, frame, values, memory_limit, threads, monitor, deadline, (seconds or DEFAULT_SECONDS) / fits)

    monitor.report(0.15, "fitting baseline")
    judge = Judge(task, frame, data.split, threads)
    beside = _baselines(task, data, judge)
    share = 0.65 / fits
    inner, explained_within = _validate(data.inner, fitter, monitor.part(0.2, 0.2 + share * len(data.inner)))
    on_test, on_train = [], []
    table = folder / "rows.parquet"
    with rows.RowWriter(task, frame, table, folded=data.is_folded) as writer:
        for number, parts in enumerate(data.folds):
            begin = 0.2 + (len(data.inner) + number) * share
            fitted = fitter.fit(parts.train, monitor.part(begin, begin + 0.85 * share))
            monitor.report(begin + 0.85 * share, "scoring")
            scoring = monitor.part(begin + 0.85 * share, begin + share)
            on_test.append(judge.ask(fitted.pipeline, parts, parts.test, scoring))
            seen = judge.ask(fitted.pipeline, parts, parts.train, scoring)
            on_train.append(judge.metrics(seen))
            writer.add(number + 1, "test", on_test[-1])
            writer.add(number + 1, "train", seen)
            if data.is_folded and task.on_fold is not None:
                task.on_fold(number + 1, mean([judge.metrics(one) for one in on_test]))
    found = judge.folds(on_test, [len(p.train) for p in data.folds]) if data.is_folded else judge.part(on_test[0])

    monitor.report(0.85 - share * data.is_folded, "explaining")
    within = monitor.part(0.85 - share * data.is_folded, 0.97)
    explained = _explain(judge, fitted, data.folds[-1], within.part(0, 0.6))
    beyond = _explain_further(judge, fitted, data.folds[-1], explained, within.part(0.6, 1)) if task.thorough else {}
    if data.is_folded:
        fitted = fitter.fit(data.kept, monitor.part(0.97, 0.98))
    curve = curves.learning_curve(fitter, data.folds[-1].train, monitor.part(0.98, 1)) if task.thorough else None
    model = folder / "model.skops"
    modelfile.save(fitted.pipeline, model)
    classes = fitted.pipeline.classes_.tolist() if task.problem.is_classification else ()
    outcome = Outcome(
        problem=task.problem.value,
        split=data.split.value,
        parameters=_parameters(task, values, data.split) | _members(fitted.board),
        metrics={"test": found.metrics, "train": mean(on_train)} | ({"validation": mean(inner)} if inner else {}),
        intervals=found.intervals,
        interval=_interval(task, data, on_test),
        baselines=beside,
        counts=data.counts,
        **_needs(task, fitted.training),
        classes=tuple(label_text(c) for c in classes),
        seconds=round(time.monotonic() - started, 3),
        model_bytes=model.stat().st_size,
        environment=environment.versions(fitted.pipeline),
        rows=writer.table,
    )
    artifacts = {
        **found.plots,
        "importance": explained,
        **beyond,
        **({} if curve is None else {"learning_curve": curve}),
        **explained_within,
        "baselines": {
            "model": outcome.metrics["test"],
            "items": [{"name": name, "metrics": values} for name, values in beside.items()],
        },
    } | ({} if fitted.board is None else {"leaderboard": fitted.board | {"searches": fitter.searches}})
    monitor.report(1.0, "explaining")
    return Trained(outcome, {name: plots.document(value) for name, value in artifacts.items()}, model, table)


def _validate(
    folds: list[splits.Parts], fitter: Fitter, monitor: Monitor
) -> tuple[list[Metrics], dict[str, dict[str, Any]]]:
    """The metrics of each fold within the training part, by a model of the others, and the artifact that explains the
    last one."""
    task, found = fitter.task, []
    explained: dict[str, dict[str, Any]] = {}
    judge = Judge(task, fitter.frame, task.split.folded, fitter.threads)
    for number, parts in enumerate(folds):
        begin, end = number / len(folds), (number + 1) / len(folds)
        fitted = fitter.fit(parts.train, monitor.part(begin, (begin + end) / 2))
        answers = judge.ask(fitted.pipeline, parts, parts.test, monitor.part((begin + end) / 2, end))
        found.append(judge.metrics(answers))
        if task.on_fold is not None:
            task.on_fold(number + 1, mean(found))
        if task.explain_within and number == len(folds) - 1:
            explained["importance_within"] = _explain(judge, fitted, parts, monitor.part(1, 1))
    return found, explained


def _read(task: TrainingTask, memory_limit: int, monitor: Monitor) -> Frame:
    specification = task.specification
    frame = read_frame(
        task.file,
        features=task.direct,
        derived=task.derived,
        target=task.column(specification.target),
        classes=task.problem.is_classification,
        time=task.column(specification.time_column) if specification.time_column else None,
        group=task.column(specification.group_column) if specification.group_column else None,
        limit=memory_limit,
    )
    for name, count in frame.infinite.items():
        monitor.log(f"“{name}” has {count:,} infinite or immense values, which count as missing", "warning")
    return frame


def _split(task: TrainingTask, frame: Frame, monitor: Monitor) -> _Data:
    specification, target = task.specification, frame.target
    kind = task.split
    known = target.known
    if kind.is_chronological and frame.times is not None:
        known = known & frame.times.known
    usable = np.flatnonzero(known)
    _check_target(task, frame, usable)
    codes, groups = target.values if target.classes else None, None if frame.groups is None else frame.groups.codes
    drawn_from = splits.Rows(usable, codes, frame.times, groups)
    in_folds = specification.split.in_folds(kind)
    folds, inner, kept = splits.divided(kind, specification.split, drawn_from, seed=specification.seed)
    _must_vary(task, target.values, folds, "training part of fold {}" if in_folds else "whole training part")
    _must_vary(task, target.values, inner, "training part of inner fold {}")
    tested = np.unique(np.concatenate([parts.test for parts in folds]))
    counts = Counts(
        rows=len(known),
        used=len(usable),
        left_out=len(known) - len(usable),
        train=len(kept),
        test=len(tested),
        twins=sum(rows.twins(frame, parts) for parts in folds),
    )
    said = f"{counts.rows:,} rows, {counts.left_out:,} of them without a known target or time; "
    if in_folds:
        monitor.log(
            f"{said}{len(folds)} folds test {counts.test:,} of them, and the model that is kept learns from "
            f"{counts.train:,}"
        )
    else:
        between = counts.used - counts.train - counts.test
        monitor.log(f"{said}{counts.train:,} train, {counts.test:,} test, {between:,} do neither")
    if counts.twins:
        monitor.log(
            f"{counts.twins:,} test rows agree with a training row in the target and every feature: what is measured "
            "on them says little about rows that are new",
            "warning",
        )
    return _Data(frame, folds, kind, counts, inner, in_folds, kept)


def _must_vary(task: TrainingTask, values: Array, folds: list[splits.Parts], where: str) -> None:
    for number, parts in enumerate(folds, start=1):
        if len(np.unique(values[parts.train])) < 2:
            words = f"“{task.specification.target}” has the same value in the {where.format(number)}"
            raise InvalidInputError.at("split", msg=f"{words}: there is nothing to learn", code="constant_target")


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
    """Of each baseline its metrics on the test part, or their means over the folds."""
    found = [_baselines_of(task, data.frame, parts, judge) for parts in data.folds]
    return {
        name: mean([one[name] for one in found if name in one])
        for name in dict.fromkeys(n for one in found for n in one)
    }


def _baselines_of(task: TrainingTask, frame: Frame, parts: splits.Parts, judge: Judge) -> dict[str, Metrics]:
    if task.problem.is_classification:
        return baselines.classification(task.problem, frame.target.values, parts, len(frame.target.classes))
    codes = None if frame.groups is None else frame.groups.codes
    predictions = baselines.regression_predictions(baselines.Series(frame.target.values, frame.times, codes), parts)
    return {name: judge.baseline(predicted, parts.test) for name, predicted in predictions.items()}


def _explain(judge: Judge, fitted: Fitted, parts: splits.Parts, monitor: Monitor) -> dict[str, Any]:
    """By a model on the rows it has not seen."""
    task, frame = judge.task, judge.frame
    target = frame.target.values[parts.test]
    if task.problem.is_classification:
        learnt = judge.learnt(parts)
        position = np.full(len(frame.target.classes), -1)
        position[learnt] = np.arange(len(learnt))
        target = position[target]
    return importance.permutation(
        fitted.pipeline,
        frame.features.iloc[parts.test],
        [f.name for f in fitted.used],
        target,
        classes=task.problem.is_classification,
        seed=task.specification.seed,
        threads=fitted.threads,
        monitor=monitor,
    )


def _explain_further(
    judge: Judge, fitted: Fitted, parts: splits.Parts, ranked: dict[str, Any], monitor: Monitor
) -> dict[str, Any]:
    """The most important features first."""
    task = judge.task
    asked = explaining.Asked(
        fitted.pipeline,
        judge.frame.features.iloc[parts.test],
        parts.test,
        task.problem.is_classification,
        task.specification.seed,
        fitted.threads,
    )
    first = [item["feature"] for item in ranked["items"]]
    names = [*first, *(feature.name for feature in fitted.used if feature.name not in first)]
    found = {"dependence": explaining.dependence(asked, names, partial(monitor.report, phase="explaining"))}
    return found | {"shapley": explaining.shapley(asked, names)}


def _interval(task: TrainingTask, data: _Data, answers: Sequence[Answers]) -> PredictionInterval | None:
    if task.problem.is_classification:
        return None
    tested = Answers.of_all(answers)
    return conformal.interval(data.split, tested.observed - tested.predicted, timed=data.frame.times is not None)


def _parameters(task: TrainingTask, values: dict[str, HyperparameterValue], split: SplitKind) -> dict[str, Any]:
    specification = task.specification
    return {
        "algorithm": specification.algorithm.name,
        **values,
        **treatment.parameters(specification.preparation, ALGORITHMS[specification.algorithm.name]),
        "split": split.value,
        **_split_parameters(specification.split, split),
        "seed": specification.seed,
    }


def _members(board: dict[str, Any] | None) -> dict[str, Any]:
    """What an automatic search settled on."""
    if board is None:
        return {}
    members = sorted((one for one in board["items"] if one["weight"]), key=lambda one: -one["weight"])
    return {"members": ", ".join(f"{one['title']} ({100 * one['weight']:.0f} %)" for one in members)}


def _needs(task: TrainingTask, training: pd.DataFrame) -> dict[str, Any]:
    """What a prediction needs: features, what else is looked at to derive some, and what training shows of them."""
    specification, derived = task.specification, task.derived
    direct = [_feature(column, training[column.name]) for column in task.direct]
    looks_back = any(one.is_past for one in derived)
    time, group = (specification.time_column, specification.group_column) if looks_back else (None, None)
    seen = {feature.name for feature in direct}
    others = dict.fromkeys([*(one.column for one in derived), *(name for name in (time, group) if name is not None)])
    return {
        "features": (
            *direct,
            *(Feature(name, task.column(name).type.value, direct=False) for name in others if name not in seen),
        ),
        "derived": tuple(DerivedFeature(one, *_range(training[one.name])) for one in derived),
        "time_column": time,
        "group_column": group,
    }


def _feature(column: Column, values: pd.Series) -> Feature:
    """What the training part shows of it, by which a prediction recognises what is new."""
    name, kind = column.name, column.type.value
    if column.type in TEXT_TYPES:
        seen = values.dropna().unique()
        return Feature(name, kind, categories=tuple(sorted(seen)) if len(seen) <= MAX_CATEGORIES else None)
    if column.type is ColumnType.BOOLEAN:
        return Feature(name, kind)
    return Feature(name, kind, *_range(values))


def _range(values: pd.Series) -> tuple[float | None, float | None]:
    return (float(values.min()), float(values.max())) if values.notna().any() else (None, None)


def _split_parameters(split: Split, kind: SplitKind) -> dict[str, Any]:
    """What of a split's settings takes effect."""
    settings: dict[str, Any] = {"folds": split.folds} if kind.is_folded else {"test_size": split.test_size}
    if kind.is_chronological:
        settings["gap"] = split.gap
    if split.training_rows is not None:
        settings["training_rows"] = split.training_rows
    if split.fold is not None:
        settings["fold"] = split.fold
    if split.validation and not split.in_folds(kind):
        settings["validation"] = split.validation
    if split.in_folds(kind) and kind.is_shuffled:
        settings["repeats"] = split.repeats
    if kind is SplitKind.SLIDING:
        settings["window"] = split.window
    if kind is SplitKind.WATER_YEARS:
        settings["year_start"] = split.year_start
    return settings
