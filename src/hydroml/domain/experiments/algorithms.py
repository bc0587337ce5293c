"""The algorithms people can choose, as descriptions; the learning adapter builds the estimators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any

HyperparameterValue = int | float | str | bool | None


class HyperparameterType(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    CHOICE = "choice"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Search:
    """Where a sweep looks for a number, unless it is told otherwise; on a logarithmic scale where only ratios count."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """What an algorithm can be told; a sweep tries `search`, all choices of a choice, and both of a boolean."""

    name: str
    type: HyperparameterType
    default: HyperparameterValue
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    nullable: bool = False
    search: Search | None = None

    def complaint(self, value: HyperparameterValue) -> str | None:
        """Why `value` cannot be used, or None."""
        if value is None:
            return None if self.nullable else "needs a value"
        match self.type:
            case HyperparameterType.BOOLEAN:
                return None if isinstance(value, bool) else "is true or false"
            case HyperparameterType.CHOICE:
                return None if value in self.choices else f"is one of {', '.join(self.choices)}"
            case HyperparameterType.INTEGER:
                return self._out_of_range(value) if type(value) is int else "is a whole number"
            case HyperparameterType.NUMBER:
                return self._out_of_range(value) if type(value) in (int, float) else "is a number"

    def _out_of_range(self, value: Any) -> str | None:
        low = -inf if self.minimum is None else self.minimum
        high = inf if self.maximum is None else self.maximum
        return None if low <= value <= high else f"lies between {low:g} and {high:g}"


@dataclass(frozen=True, slots=True)
class Algorithm:
    name: str
    title: str
    help: str
    problems: tuple[str, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    needs_scaling: bool = False

    def complaints(self, values: Mapping[str, HyperparameterValue]) -> Iterator[tuple[str, str, str]]:
        """(name, message, code) for each value that cannot be used."""
        known = {parameter.name: parameter for parameter in self.hyperparameters}
        for name, value in values.items():
            if name not in known:
                yield name, f"{self.title} has no hyperparameter “{name}”", "unknown_hyperparameter"
            elif (message := known[name].complaint(value)) is not None:
                yield name, f"{name} {message}", "hyperparameter"

    def complete(self, values: Mapping[str, HyperparameterValue]) -> dict[str, HyperparameterValue]:
        """`values` with the defaults for what is not given."""
        return {parameter.name: values.get(parameter.name, parameter.default) for parameter in self.hyperparameters}


_ALL = ("regression", "binary", "multiclass")


def _whole(  # noqa: PLR0917 - a row of a table
    name: str, default: int | None, minimum: int, maximum: int, search: Search | None, text: str
) -> Hyperparameter:
    kind, nullable = HyperparameterType.INTEGER, default is None
    return Hyperparameter(name, kind, default, text, minimum, maximum, nullable=nullable, search=search)


def _number(  # noqa: PLR0917 - a row of a table
    name: str, default: float, minimum: float, maximum: float, search: Search | None, text: str
) -> Hyperparameter:
    return Hyperparameter(name, HyperparameterType.NUMBER, default, text, minimum, maximum, search=search)


def _choice(name: str, choices: tuple[str, ...], text: str) -> Hyperparameter:
    """The first is the default."""
    return Hyperparameter(name, HyperparameterType.CHOICE, choices[0], text, choices=choices)


_LINEAR = Algorithm(
    "linear",
    "Linear or logistic regression",
    "A weighted sum of the features: quick, steady, easy to read. Ridge regression for numbers, logistic for classes.",
    _ALL,
    (
        _number("alpha", 1.0, 1e-6, 1e6, Search(1e-4, 1e4, log=True), "Strength of the penalty on large weights."),
        _whole("max_iter", 1000, 10, 100_000, None, "Most iterations of the solver."),
    ),
    needs_scaling=True,
)

_FOREST = Algorithm(
    "random_forest",
    "Random forest",
    "Many decision trees, each on a random part of the rows and features, averaged.",
    _ALL,
    (
        _whole("n_estimators", 200, 1, 5_000, Search(50, 500), "Number of trees."),
        _whole("max_depth", None, 1, 200, Search(3, 40), "Most levels of a tree; none for no limit."),
        _whole("min_samples_leaf", 2, 1, 10_000, Search(1, 50, log=True), "Fewest rows in a leaf."),
        _number("max_features", 0.5, 0.01, 1.0, Search(0.1, 1.0), "Share of the features looked at for each branch."),
    ),
)

_BOOSTING = Algorithm(
    "hist_gradient_boosting",
    "Histogram gradient boosting",
    "Trees grown one after another, each mending what the ones before got wrong; takes missing values as they are.",
    _ALL,
    (
        _number("learning_rate", 0.1, 0.001, 1.0, Search(0.01, 0.5, log=True), "How much each tree corrects."),
        _whole("max_iter", 200, 1, 10_000, Search(50, 1_000, log=True), "Number of trees."),
        _whole("max_leaf_nodes", 31, 2, 1_000, Search(8, 256, log=True), "Most leaves of a tree."),
        _whole("min_samples_leaf", 20, 1, 10_000, Search(2, 100, log=True), "Fewest rows in a leaf."),
        _number("l2_regularization", 0.0, 0.0, 1_000.0, Search(0.0, 20.0), "Penalty on large leaf values."),
        _choice("early_stopping", ("off", "on"), "Stop when a tenth of the training rows, held back, no longer gains."),
    ),
)

ALGORITHMS: Mapping[str, Algorithm] = {a.name: a for a in (_LINEAR, _FOREST, _BOOSTING)}
