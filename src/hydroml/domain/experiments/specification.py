"""What an experiment is to do, as one value with one JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hydroml.domain.errors import ConflictError, Fault, InvalidInputError
from hydroml.domain.experiments.algorithms import ALGORITHMS, HyperparameterValue
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.preparation import Imputation, Numbers, Preparation
from hydroml.domain.projects import clean_name
from hydroml.domain.sources import Column, ColumnType, VersionId

FEWEST_TRAINING_ROWS = 20


class Problem(StrEnum):
    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"
    AUTO = "auto"

    @property
    def is_classification(self) -> bool:
        return self in (Problem.BINARY, Problem.MULTICLASS)


class SplitKind(StrEnum):
    RANDOM = "random"
    STRATIFIED = "stratified"
    CHRONOLOGICAL = "chronological"
    WATER_YEARS = "water_years"
    GROUP = "group"
    KFOLD = "kfold"
    STRATIFIED_KFOLD = "stratified_kfold"
    GROUP_KFOLD = "group_kfold"
    EXPANDING = "expanding"
    SLIDING = "sliding"

    @property
    def is_folded(self) -> bool:
        """Whether it has several folds, each tested by a model of its own."""
        return self in (self.KFOLD, self.STRATIFIED_KFOLD, self.GROUP_KFOLD, self.EXPANDING, self.SLIDING)

    @property
    def is_shuffled(self) -> bool:
        """Whether rows train that are later than rows which test."""
        return self in (self.RANDOM, self.STRATIFIED, self.KFOLD, self.STRATIFIED_KFOLD)

    @property
    def is_chronological(self) -> bool:
        return self in (self.CHRONOLOGICAL, self.WATER_YEARS, self.EXPANDING, self.SLIDING)

    @property
    def folded(self) -> "SplitKind":
        """How folds are drawn within the training part of such a split."""
        if self.is_folded:
            return self
        if self.is_chronological:
            return SplitKind.EXPANDING
        if self.is_grouped:
            return SplitKind.GROUP_KFOLD
        return SplitKind.STRATIFIED_KFOLD if self is SplitKind.STRATIFIED else SplitKind.KFOLD

    @property
    def is_stratified(self) -> bool:
        return self in (self.STRATIFIED, self.STRATIFIED_KFOLD)

    @property
    def is_grouped(self) -> bool:
        """Whether groups stay whole, on one side."""
        return self in (self.GROUP, self.GROUP_KFOLD)


@dataclass(frozen=True, slots=True)
class Split:
    """How the rows are divided into training and test before anything is learnt.

    `test_size` is the share of the rows that test, of the groups in a split by group; folds share the rows evenly.
    `gap` is the share left out between training and test where time is kept. `reason` records why someone chose to
    shuffle a table that has a time column.
    """

    kind: SplitKind | None = None
    """None: chronological where there is a time column, else stratified for classes, else random."""
    test_size: float = 0.2
    gap: float = 0.0
    reason: str = ""
    folds: int = 5
    repeats: int = 1
    """How often shuffled folds are drawn anew."""
    window: float = 0.5
    """The share of the moments that a sliding window trains on."""
    year_start: int = 10
    """The month in which a water year begins."""
    validation: int = 0
    """Folds within the training part that judge it as well, so that choices need not look at the test part; drawn as
    the split is: in time, by group, by class or by chance. 0 for none; a split that is itself in folds has none."""
    fold: int | None = None
    """Of a split in folds only this one, counted from 1, tests, and all that trains for it trains the model."""
    training_rows: int | None = None
    """At most so many rows train a model, drawn by chance among those of its training part; all of the test part
    tests."""

    def __post_init__(self) -> None:
        if not 0.01 <= self.test_size <= 0.9:
            raise InvalidInputError.at("split", "test_size", msg="a share between 0.01 and 0.9", code="range")
        if not 0.0 <= self.gap <= 0.5 or self.gap + self.test_size >= 1:
            raise InvalidInputError.at(
                "split", "gap", msg="a share between 0 and 0.5 that leaves rows to train on", code="range"
            )
        for name, value, low, high in (
            ("folds", self.folds, 2, 50),
            ("repeats", self.repeats, 1, 20),
            ("window", self.window, 0.01, 1.0),
            ("year_start", self.year_start, 1, 12),
        ):
            if not low <= value <= high:
                raise InvalidInputError.at("split", name, msg=f"between {low} and {high}", code="range")
        if self.validation != 0 and not 2 <= self.validation <= 20:
            raise InvalidInputError.at("split", "validation", msg="0, or between 2 and 20", code="range")
        if self.fold is not None and not 1 <= self.fold <= self.folds:
            raise InvalidInputError.at("split", "fold", msg=f"between 1 and {self.folds}", code="range")
        if self.training_rows is not None and self.training_rows < FEWEST_TRAINING_ROWS:
            msg = f"at least {FEWEST_TRAINING_ROWS}, or none for all"
            raise InvalidInputError.at("split", "training_rows", msg=msg, code="range")

    @property
    def models(self) -> int:
        """How many models are fitted to judge, beside the one that is kept."""
        if self.kind is None or not self.in_folds(self.kind):
            return self.validation
        return self.folds * (self.repeats if self.kind.is_shuffled else 1)

    def in_folds(self, kind: SplitKind) -> bool:
        """Whether several folds test, if this kind is in force."""
        return kind.is_folded and self.fold is None

    def sizes(self, kind: SplitKind, usable: int) -> tuple[int, int]:
        """About how many of the usable rows train and test: with folds, in one of them."""
        if kind in (SplitKind.EXPANDING, SplitKind.SLIDING):
            test = round(usable / (self.folds + 1))
            longest = usable if kind is SplitKind.EXPANDING else round(usable * self.window)
            train = min(usable - test - round(usable * self.gap), longest)
        else:
            test = round(usable / self.folds) if kind.is_folded else round(usable * self.test_size)
            train = usable - test - (round(usable * self.gap) if kind.is_chronological else 0)
        return self.most_training(max(train, 0)), test

    def most_training(self, rows: int) -> int:
        """How many of so many rows of a training part train."""
        return rows if self.training_rows is None else min(rows, self.training_rows)

    def resolve(self, time_column: str | None, problem: Problem) -> SplitKind:
        """The kind in force."""
        if self.kind is not None:
            return self.kind
        if time_column is not None:
            return SplitKind.CHRONOLOGICAL
        return SplitKind.STRATIFIED if problem.is_classification else SplitKind.RANDOM


@dataclass(frozen=True, slots=True)
class AlgorithmChoice:
    name: str = "hist_gradient_boosting"
    hyperparameters: dict[str, HyperparameterValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and not 1 <= self.seconds <= 604_800:
            raise InvalidInputError.at("budget", "seconds", msg="between 1 second and 7 days", code="range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """Everything that decides a run; the same specification, data and versions give the same numbers."""

    name: str
    version_id: VersionId
    target: str
    features: tuple[str, ...] | None = None
    """None: every column but the target, dates of which no part is asked for, and the group by which rows are split."""
    problem: Problem = Problem.AUTO
    time_column: str | None = None
    group_column: str | None = None
    """Which site a row belongs to, for baselines that look back in time."""
    preparation: Preparation = field(default_factory=Preparation)
    split: Split = Split()
    algorithm: AlgorithmChoice = field(default_factory=AlgorithmChoice)
    metrics: tuple[str, ...] = ()
    """Which metrics to show first; all that fit the problem are computed."""
    seed: int = 0
    budget: Budget = Budget()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))
        if not 0 <= self.seed < 2**32:
            raise InvalidInputError.at("seed", msg="a whole number from 0 to 4,294,967,295", code="range")
        if self.features is not None:
            object.__setattr__(self, "features", tuple(dict.fromkeys(self.features)))

    def resolved_features(self, columns: Sequence[Column]) -> tuple[str, ...]:
        """The features in force, in the table's order."""
        if self.features is not None:
            wanted = set(self.features)
            return tuple(c.name for c in columns if c.name in wanted)
        left_out = {self.target}
        if self.split.kind is not None and self.split.kind.is_grouped:
            left_out.add(self.group_column or "")
        return tuple(c.name for c in columns if c.name not in left_out and self._can_be_a_feature(c))

    def _can_be_a_feature(self, column: Column) -> bool:
        if column.type.is_temporal:
            return bool(self.preparation.dates_of(column.name).parts)
        return column.name != self.time_column

    def divided_otherwise(self, kind: SplitKind) -> "Specification":
        """The same where rows, divided by `kind`, are divided the other way: at random what kept time or groups whole,
        and by time, else by group, what was drawn at random. Raises ConflictError when there is neither."""
        if not kind.is_shuffled:
            plain, folded = SplitKind.RANDOM, SplitKind.KFOLD
            if self.problem.is_classification:
                plain, folded = SplitKind.STRATIFIED, SplitKind.STRATIFIED_KFOLD
            reason = "to see what a random split would have promised"
        elif self.time_column is not None:
            plain, folded, reason = SplitKind.CHRONOLOGICAL, SplitKind.EXPANDING, ""
        elif self.group_column is not None:
            plain, folded, reason = SplitKind.GROUP, SplitKind.GROUP_KFOLD, ""
        else:
            raise ConflictError("there is neither a time nor a group column to divide the rows by")
        split = replace(self.split, kind=folded if kind.is_folded else plain, repeats=1, reason=reason)
        return replace(self, split=split)

    def faults(self, columns: Sequence[Column]) -> tuple[Fault, ...]:
        """What is wrong with it for a table of these columns, each with its place in the document."""
        return (
            *self._column_faults(columns),
            *self._split_faults(columns),
            *self.preparation.faults(columns, target=self.target, timed=self.time_column is not None),
            *self._past_faults(),
            *self.algorithm_faults(),
            *self._metric_faults(),
        )

    def _column_faults(self, columns: Sequence[Column]) -> list[Fault]:
        by_name = {column.name: column for column in columns}
        faults = []
        for place, name in (
            ("target", self.target),
            ("time_column", self.time_column),
            ("group_column", self.group_column),
        ):
            if name is not None and name not in by_name:
                faults.append(Fault((place,), f"there is no column “{name}”", "unknown_column"))
        for index, name in enumerate(self.features or ()):
            if name not in by_name:
                faults.append(Fault(("features", index), f"there is no column “{name}”", "unknown_column"))
            elif name == self.target:
                faults.append(Fault(("features", index), "the target cannot be a feature of itself", "leakage"))
            elif by_name[name].type.is_temporal and not self.preparation.dates_of(name).parts:
                words = f"“{name}” is a date: say in its preparation which parts of it to take"
                faults.append(Fault(("features", index), words, "wrong_type"))
        time = by_name.get(self.time_column or "")
        if time is not None and not (time.type.is_temporal or time.type.is_numeric):
            faults.append(Fault(("time_column",), f"“{time.name}” is {time.type}, not a date or number", "wrong_type"))
        target = by_name.get(self.target)
        if target is not None and target.type.is_temporal:
            faults.append(Fault(("target",), f"“{target.name}” is a date and cannot be predicted", "wrong_type"))
        if target is not None and self.problem is Problem.REGRESSION and not target.type.is_numeric:
            faults.append(
                Fault(("target",), f"“{target.name}” is {target.type}; a regression needs numbers", "wrong_type")
            )
        if not faults and not self.resolved_features(columns) and not self.preparation.past:
            faults.append(Fault(("features",), "there is no feature to learn from", "required"))
        return faults

    def _split_faults(self, columns: Sequence[Column]) -> list[Fault]:
        kind = self.split.kind
        if kind is None:
            return []
        faults = []
        if self.split.in_folds(kind) and self.split.validation:
            faults.append(Fault(("split", "validation"), "a split in folds needs no folds within", "range"))
        if self.split.fold is not None and not kind.is_folded:
            faults.append(Fault(("split", "fold"), "this split has no folds", "range"))
        if kind.is_chronological and self.time_column is None:
            words = f"a split by {kind.value.replace('_', ' ')} needs a time column"
            faults.append(Fault(("time_column",), words, "required"))
        times = [column for column in columns if column.name == self.time_column]
        if kind is SplitKind.WATER_YEARS and times and not times[0].type.is_temporal:
            words = f"“{self.time_column}” is no date: it has no water years"
            faults.append(Fault(("time_column",), words, "wrong_type"))
        if kind.is_grouped and self.group_column is None:
            faults.append(Fault(("group_column",), "a split by group needs a group column", "required"))
        if kind.is_shuffled and self.time_column and not self.split.reason:
            words = "shuffling a time series lets the model see the future; say why you want it, or split by time"
            faults.append(Fault(("split", "reason"), words, "leakage"))
        elif kind.is_stratified and self.problem is Problem.REGRESSION:
            faults.append(Fault(("split", "kind"), "only classes can be stratified", "wrong_type"))
        return faults

    def _past_faults(self) -> list[Fault]:
        """A row that trains and sees the past of the target must not see targets of rows that test."""
        kind = self.split.kind
        if kind is None or not kind.is_shuffled or self.preparation.reach(self.target) is None:
            return []
        words = f"earlier values of “{self.target}” are features: by chance rows would train on targets that test"
        return [Fault(("split", "kind"), words, "leakage")]

    def algorithm_faults(self) -> list[Fault]:
        """What is wrong with the algorithm or its hyperparameters, whatever the table."""
        algorithm = ALGORITHMS.get(self.algorithm.name)
        if algorithm is None:
            known = ", ".join(ALGORITHMS)
            return [Fault(("algorithm", "name"), f"unknown algorithm; there are {known}", "unknown_algorithm")]
        faults = [
            Fault(("algorithm", "hyperparameters", name), message, code)
            for name, message, code in algorithm.complaints(self.algorithm.hyperparameters)
        ]
        if not algorithm.handles_missing:
            words = f"{algorithm.title} cannot learn from missing values: say how to fill them"
            preparation = self.preparation
            places: list[tuple[tuple[str | int, ...], Numbers]] = [(("numbers",), preparation.numbers)]
            places += [(("groups", i, "numbers"), g.numbers) for i, g in enumerate(preparation.groups) if g.numbers]
            faults += [
                Fault(("preparation", *place, "impute"), words, "missing_values")
                for place, numbers in places
                if numbers.impute is Imputation.NONE
            ]
        return faults

    def _metric_faults(self) -> list[Fault]:
        return [
            Fault(("metrics", index), f"unknown metric “{name}”", "unknown_metric")
            for index, name in enumerate(self.metrics)
            if name not in METRICS
        ]


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """What pre-flight must know of the target: rows, missing ones, distinct values, and the rarest class's rows."""

    rows: int
    missing: int
    distinct: int
    rarest: int

    @property
    def usable(self) -> int:
        return self.rows - self.missing


MAX_CLASSES = 100
MIN_ROWS = 10


def resolve_problem(asked: Problem, target: Column, summary: TargetSummary) -> Problem:
    """The problem in force: numbers are a regression unless there are only two of them; anything else is classes."""
    if asked is not Problem.AUTO:
        return asked
    if summary.distinct == 2:
        return Problem.BINARY
    if target.type in (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL):
        return Problem.REGRESSION
    return Problem.MULTICLASS


def target_faults(problem: Problem, target: str, summary: TargetSummary) -> tuple[Fault, ...]:
    """Why this target cannot be learnt, judged by its values."""
    faults = []
    if summary.usable < MIN_ROWS:
        faults.append(
            Fault(
                ("target",),
                f"“{target}” is known in {summary.usable:,} rows; at least {MIN_ROWS} are needed",
                "few_rows",
            )
        )
    elif summary.distinct < 2:
        faults.append(
            Fault(
                ("target",), f"“{target}” has the same value everywhere: there is nothing to learn", "constant_target"
            )
        )
    elif problem is Problem.BINARY and summary.distinct > 2:
        faults.append(
            Fault(("problem",), f"“{target}” has {summary.distinct} values; binary means two", "too_many_classes")
        )
    elif problem.is_classification and summary.distinct > MAX_CLASSES:
        faults.append(
            Fault(
                ("target",), f"“{target}” has {summary.distinct:,} classes; at most {MAX_CLASSES}", "too_many_classes"
            )
        )
    elif problem.is_classification and summary.rarest < 2:
        faults.append(
            Fault(
                ("target",),
                f"a class of “{target}” has a single row: it cannot be both learnt and tested",
                "rare_class",
            )
        )
    return tuple(faults)
