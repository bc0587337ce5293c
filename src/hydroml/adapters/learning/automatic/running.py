"""A search on the rows of one training part, from the task to one fitted pipeline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from hydroml.adapters.learning import fitting, splits
from hydroml.adapters.learning.algorithms import settle
from hydroml.adapters.learning.automatic import plan
from hydroml.adapters.learning.automatic.material import Folds, Material, inner_folds
from hydroml.adapters.learning.automatic.scores import score_of
from hydroml.adapters.learning.automatic.search import Rules, Search
from hydroml.adapters.learning.frames import Array, Frame
from hydroml.adapters.learning.learner import lacking
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import TrainingTask
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.algorithms import Algorithm, HyperparameterValue
from hydroml.domain.experiments.specification import SplitKind


@dataclass(frozen=True, slots=True)
class Found:
    """`board` is the leaderboard, `members` what a run that repeats this one fits again."""

    pipeline: Pipeline
    board: dict[str, Any]
    members: list[dict[str, Any]]


def run(
    task: TrainingTask,
    frame: Frame,
    rows: Array,
    *,
    kind: SplitKind,
    values: Mapping[str, HyperparameterValue],
    preparation: Callable[[Algorithm, Array], Any],
    seconds: float,
    threads: int,
    monitor: Monitor,
    repeated: Sequence[Mapping[str, Any]] | None = None,
) -> Found:
    """Folds are drawn among `rows` alone: nothing else is looked at. With `repeated`, members of a search that was made
    before, they are fitted as they were then."""
    specification = task.specification
    classes = task.problem.is_classification
    target, labels = frame.target.values, None
    if classes:
        known, codes = np.unique(target[rows], return_inverse=True)
        target = np.full(len(target), -1)
        target[rows] = codes
        labels = np.unique(frame.target.labels(rows)).tolist()
    material = Material(frame.features, target, rows, len(known) if classes else 0, preparation)
    found: list[tuple[list[plan.Member], list[Any]]] = []
    if repeated is not None:
        members = [plan.Member.read(one) for one in repeated]
        seed = specification.seed % 2**31
        fitting.run(
            lambda: found.append(plan.fitted(members, material, seed=seed, threads=threads)),
            threads=threads,
            monitor=monitor,
            phase="fitting",
        )
        board = dict(task.found or {})
    else:
        search = _search(
            task, frame, material, kind=kind, values=values, seconds=seconds, threads=threads, log=monitor.log
        )
        fitting.run(
            lambda: found.append(search.run()),
            threads=threads,
            monitor=monitor,
            phase="searching",
            progress=lambda: search.attend(finish=task.enough()),
            message=lambda: search.said,
            stop=search.stop,
        )
        board = search.document()
    members, pipelines = found[0]
    voting = plan.together(members, pipelines, labels)
    settle(voting)
    return Found(Pipeline([("learn", voting)]), board, [member.document() for member in members])


def _search(
    task: TrainingTask,
    frame: Frame,
    material: Material,
    *,
    kind: SplitKind,
    values: Mapping[str, HyperparameterValue],
    seconds: float,
    threads: int,
    log: Callable[[str], None],
) -> Search:
    specification, rows, target = task.specification, material.rows, material.target
    groups = None if frame.groups is None else frame.groups.codes
    drawn = splits.Rows(rows, target if material.classes else None, frame.times, groups)
    parts = inner_folds(kind, specification.split, drawn, int(values["folds"] or 0), specification.seed)
    parts = [part for part in parts if len(np.unique(target[part.train])) > 1]
    if not parts:
        raise InvalidInputError.at(
            "split", msg="the target has the same value wherever the training part could train", code="constant_target"
        )
    rules = Rules(
        score=score_of(task.problem, specification.metrics),
        chronological=kind.is_chronological,
        seconds=seconds,
        seed=specification.seed,
        threads=threads,
        catboost="catboost" not in lacking(),
        ensemble=values["ensemble"] == "on",
        trials=values["trials"] == "on",
    )
    return Search(material, Folds(material, parts), rules, log)
