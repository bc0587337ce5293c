"""Models of some of a task's rows, as the task wants them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from hydroml.adapters.learning import algorithms, fitting, preparation, watching
from hydroml.adapters.learning.automatic import running
from hydroml.adapters.learning.frames import TEXT_TYPES, Array, Frame
from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import TrainingTask
from hydroml.domain.errors import InvalidInputError, TooLargeError
from hydroml.domain.experiments import cost
from hydroml.domain.experiments.algorithms import ALGORITHMS, AUTOMATIC, Algorithm, HyperparameterValue
from hydroml.domain.sources import Column

_SMALL = 100_000
"""Values that one thread learns from sooner than several have agreed on who does what."""


@dataclass(frozen=True, slots=True)
class Fitted:
    pipeline: Any
    used: tuple[Column, ...]
    training: pd.DataFrame
    threads: int
    board: dict[str, Any] | None = None
    """The leaderboard of an automatic search."""


@dataclass(frozen=True, slots=True)
class Fitter:
    """Fits pipelines as a task wants them, within its budget of time."""

    task: TrainingTask
    frame: Frame
    values: dict[str, HyperparameterValue]
    memory_limit: int
    threads: int
    monitor: Monitor
    deadline: float | None
    seconds: float
    """Of an automatic search: each of its fits has its share of the budget."""
    searches: list[list[dict[str, Any]]] = field(default_factory=list)
    """The members that each automatic search has found so far."""

    def fit(self, rows: Array, monitor: Monitor) -> Fitted:
        """A model of these rows alone."""
        specification = self.task.specification
        algorithm = ALGORITHMS[specification.algorithm.name]
        training = self.frame.features.iloc[rows]
        used = self._used(training)
        load = self._load(used, training)
        refusal = cost.refusal(load, algorithm.name, self.values, self.memory_limit)
        if refusal is not None:
            raise TooLargeError(f"{refusal}; take another algorithm, fewer training rows or features that need less")
        threads = self.threads if load.training_rows * load.width > _SMALL else 1
        if algorithm is AUTOMATIC:
            earlier = None if self.task.found is None else self.task.found["searches"][len(self.searches)]
            found = running.run(
                self.task,
                self.frame,
                rows,
                kind=self.task.split,
                values=self.values,
                preparation=self._transformer,
                seconds=self.seconds,
                threads=threads,
                monitor=monitor,
                repeated=earlier,
            )
            self.searches.append(found.members)
            return Fitted(found.pipeline, used, training, threads, found.board)
        labels = self.frame.target.labels(rows)
        rarest = int(np.unique(labels, return_counts=True)[1].min()) if self.task.problem.is_classification else 0
        wanted = algorithms.Fit(self.task.problem, self.values, specification.seed, threads, rarest)
        estimator = algorithms.build(algorithm.name, wanted)
        transformer = preparation.build(self.task, used, training, algorithm)
        pipeline = Pipeline([("prepare", transformer), ("learn", estimator)])
        watch = watching.Watch(estimator)
        fitting.run(
            lambda: watch.fit(pipeline, training, labels),
            threads=threads,
            monitor=monitor,
            phase="fitting",
            progress=watch.progress,
            stop=watch.stop,
            deadline=self.deadline,
        )
        algorithms.settle(estimator)
        return Fitted(pipeline, used, training, threads)

    def seconds_of(self, rows: int) -> float:
        """What a fit to so many rows takes, by the estimate."""
        load = self._load(self.task.seen, self.frame.features)
        threads = self.threads if rows * load.width > _SMALL else 1
        return cost.fit_seconds(
            replace(load, training_rows=rows), self.task.specification.algorithm.name, self.values, threads
        )

    def _load(self, used: Sequence[Column], training: pd.DataFrame) -> cost.Load:
        texts = sum(column.type in TEXT_TYPES for column in self.task.seen)
        return cost.Load(
            rows=len(self.frame.features),
            training_rows=len(training),
            test_rows=0,
            numbers=len(self.task.seen) - texts + 1,
            texts=texts,
            width=preparation.width(self.task, used, training),
            classes=len(self.frame.target.classes),
        )

    def _transformer(self, algorithm: Algorithm, rows: Array) -> ColumnTransformer:
        """The preparation for another algorithm and fewer rows."""
        training = self.frame.features.iloc[rows]
        return preparation.build(self.task, preparation.usable_features(self.task.seen, training), training, algorithm)

    def _used(self, training: pd.DataFrame) -> tuple[Column, ...]:
        """The features of which something can be learnt."""
        features = self.task.seen
        used = preparation.usable_features(features, training)
        if not used:
            raise InvalidInputError.at(
                "features", msg="no feature has a value in the training part", code="all_missing"
            )
        for name in (f.name for f in features if f not in used):
            self.monitor.log(f"“{name}” has no value in the training part and is not used", "warning")
        return used
