"""Whether a training fits into memory and time, and what would do instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hydroml.domain.errors import Fault
from hydroml.domain.experiments import cost
from hydroml.domain.experiments.algorithms import ALGORITHMS, AUTOMATIC
from hydroml.domain.experiments.cost import Estimate, Load
from hydroml.domain.experiments.preparation import Encoding
from hydroml.domain.experiments.specification import (
    FEWEST_TRAINING_ROWS,
    AlgorithmChoice,
    Problem,
    Specification,
    SplitKind,
)
from hydroml.domain.sources import Column, ColumnType

TOO_MUCH = frozenset({"too_many_rows", "memory", "time"})
"""The codes of faults that less of something would mend."""
_LIGHT = ("hist_gradient_boosting", "lightgbm", "ridge", "logistic_regression")
_ROWS = (500_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000)
_FOLDS = (5, 3, 2)
_SIZES = ("n_estimators", "max_iter", "iterations")
"""Hyperparameters that time, and for forests memory, grow with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What is known of a table that matters to what a training of it takes."""

    rows: int
    usable: int
    columns: tuple[Column, ...]
    """The features as the table has them."""
    problem: Problem
    split: SplitKind
    """The one in force."""
    classes: int = 0
    threads: int = 1
    distinct: Mapping[str, int]
    """Categories of the features for which they have been counted."""
    gaps: frozenset[str]
    """Features in which values are missing, or may be."""
    thorough: bool = True

    def most_training_rows(self, specification: Specification) -> int:
        """Of the largest fit: a table in folds trains on all of its rows in the end."""
        if specification.split.in_folds(self.split):
            return specification.split.most_training(self.usable)
        return specification.split.sizes(self.split, self.usable)[0]

    def load(self, specification: Specification) -> Load:
        """Of the largest fit."""
        direct = [column for column in self.columns if not column.type.is_temporal]
        dates = [column.name for column in self.columns if column.type.is_temporal]
        derived = [Column(d.name, ColumnType.NUMBER) for d in specification.preparation.derived(dates)]
        texts = sum(column.type in cost.TEXTS for column in direct)
        past = {one.name for one in derived}
        return Load(
            rows=self.rows,
            training_rows=self.most_training_rows(specification),
            test_rows=specification.split.sizes(self.split, self.usable)[1],
            numbers=len(direct) - texts + len(derived) + 1,
            texts=texts,
            width=cost.width([*direct, *derived], specification.preparation, self.distinct, self.gaps | past),
            classes=self.classes,
        )

    def fits(self, specification: Specification) -> int:
        """How many models are fitted, with the one that is kept."""
        split = specification.split
        if split.in_folds(self.split):
            return split.folds * (split.repeats if self.split.is_shuffled else 1) + 1
        return split.validation + 1

    def estimate(self, specification: Specification) -> Estimate:
        algorithm = ALGORITHMS[specification.algorithm.name]
        return cost.estimate(
            self.load(specification),
            algorithm.name,
            algorithm.complete(specification.algorithm.hyperparameters),
            fits=self.fits(specification),
            threads=self.threads,
            budget=specification.budget.seconds,
            thorough=self.thorough,
        )

    def faults(self, specification: Specification, memory_limit: int) -> tuple[Fault, ...]:
        """Why it does not fit into so many bytes, or into its budget of time."""
        name, fits = specification.algorithm.name, self.fits(specification)
        values = ALGORITHMS[name].complete(specification.algorithm.hyperparameters)
        refusal = cost.refusal(self.load(specification), name, values, memory_limit, fits)
        if refusal is not None:
            return (Fault(("algorithm", "name"), refusal, "memory"),)
        seconds, least = specification.budget.seconds, self.estimate(specification).seconds[0]
        if seconds is not None and name != AUTOMATIC.name and least > seconds:
            words = f"it takes {cost.in_time(least)} at least, and the budget is {cost.in_time(seconds)}"
            return (Fault(("budget", "seconds"), words, "time"),)
        return ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """`changes` are parts of the specification's document, to be put in place of what is there."""

    kind: str
    words: str
    changes: Mapping[str, Any]
    specification: Specification
    """With the changes."""


def alternatives(base: Specification, problem: Problem, rows: int) -> Iterator[Alternative]:
    """What takes less, of each kind the one that gives up least first; `rows` train now."""
    for name in _LIGHT:
        if name != base.algorithm.name and problem.value in ALGORITHMS[name].problems:
            yield Alternative(
                "algorithm",
                f"take {ALGORITHMS[name].title}",
                {"algorithm": {"name": name, "hyperparameters": {}}},
                replace(base, algorithm=AlgorithmChoice(name)),
            )
    most = ALGORITHMS[base.algorithm.name].most_rows
    for fewer in dict.fromkeys([*([] if most is None else [most]), *_ROWS]):
        if FEWEST_TRAINING_ROWS <= fewer < rows:
            yield Alternative(
                "rows",
                f"train on {fewer:,} of the rows, drawn by chance",
                {"split": {"training_rows": fewer}},
                replace(base, split=replace(base.split, training_rows=fewer)),
            )
    texts = base.preparation.texts
    if texts.encode in (Encoding.ONE_HOT, Encoding.HASHING):
        smaller = replace(texts, encode=Encoding.FREQUENCY)
        yield Alternative(
            "encoding",
            "make one column of each text, of the share of its category",
            {"preparation": {"texts": {"encode": Encoding.FREQUENCY.value}}},
            replace(base, preparation=replace(base.preparation, texts=smaller)),
        )
    for folds in _FOLDS:
        if base.split.kind is not None and base.split.in_folds(base.split.kind) and folds < base.split.folds:
            yield Alternative(
                "folds",
                f"take {folds} folds",
                {"split": {"folds": folds, "repeats": 1}},
                replace(base, split=replace(base.split, folds=folds, repeats=1)),
            )
    values = ALGORITHMS[base.algorithm.name].complete(base.algorithm.hyperparameters)
    for name in _SIZES:
        size = values.get(name)
        while isinstance(size, int) and size >= 20:
            size //= 2
            chosen = AlgorithmChoice(base.algorithm.name, {**base.algorithm.hyperparameters, name: size})
            yield Alternative(
                "size",
                f"set {name} to {size:,}",
                {"algorithm": {"name": base.algorithm.name, "hyperparameters": chosen.hyperparameters}},
                replace(base, algorithm=chosen),
            )
