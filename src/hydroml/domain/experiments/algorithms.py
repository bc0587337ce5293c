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
class Hyperparameter:
    name: str
    type: HyperparameterType
    default: HyperparameterValue
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    nullable: bool = False

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
_INTEGER, _NUMBER, _CHOICE = HyperparameterType.INTEGER, HyperparameterType.NUMBER, HyperparameterType.CHOICE

_LINEAR = Algorithm(
    "linear",
    "Linear or logistic regression",
    "A weighted sum of the features: quick, steady, easy to read. Ridge regression for numbers, logistic for classes.",
    _ALL,
    (
        Hyperparameter("alpha", _NUMBER, 1.0, "Strength of the penalty on large weights.", 1e-6, 1e6),
        Hyperparameter("max_iter", _INTEGER, 1000, "Most iterations of the solver.", 10, 100_000),
    ),
    needs_scaling=True,
)

_FOREST = Algorithm(
    "random_forest",
    "Random forest",
    "Many decision trees, each on a random part of the rows and features, averaged.",
    _ALL,
    (
        Hyperparameter("n_estimators", _INTEGER, 200, "Number of trees.", 1, 5_000),
        Hyperparameter("max_depth", _INTEGER, None, "Most levels of a tree; none for no limit.", 1, 200, nullable=True),
        Hyperparameter("min_samples_leaf", _INTEGER, 2, "Fewest rows in a leaf.", 1, 10_000),
        Hyperparameter("max_features", _NUMBER, 0.5, "Share of the features looked at for each branch.", 0.01, 1.0),
    ),
)

_BOOSTING = Algorithm(
    "hist_gradient_boosting",
    "Histogram gradient boosting",
    "Trees grown one after another, each mending what the ones before got wrong; takes missing values as they are.",
    _ALL,
    (
        Hyperparameter("learning_rate", _NUMBER, 0.1, "How much each tree corrects.", 0.001, 1.0),
        Hyperparameter("max_iter", _INTEGER, 200, "Number of trees.", 1, 10_000),
        Hyperparameter("max_leaf_nodes", _INTEGER, 31, "Most leaves of a tree.", 2, 1_000),
        Hyperparameter("min_samples_leaf", _INTEGER, 20, "Fewest rows in a leaf.", 1, 10_000),
        Hyperparameter("l2_regularization", _NUMBER, 0.0, "Penalty on large leaf values.", 0.0, 1_000.0),
        Hyperparameter(
            "early_stopping", _CHOICE, "off", "Stop when a tenth of the training rows, held back, no longer gains.",
            choices=("off", "on"),
        ),
    ),
)  # fmt: skip

ALGORITHMS: Mapping[str, Algorithm] = {a.name: a for a in (_LINEAR, _FOREST, _BOOSTING)}
