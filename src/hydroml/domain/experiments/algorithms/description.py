"""What an algorithm and its hyperparameters are, and how the tables of them are written."""

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


class Family(StrEnum):
    """What algorithms that stand together in a list have in common; the value is its title."""

    AUTOMATIC = "Automatic"
    LINEAR = "Linear"
    NEIGHBOURS = "Neighbours and kernels"
    TREES = "Trees"
    BOOSTING = "Boosting"
    NEURAL = "Neural"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """What people can choose; the learning adapter builds the estimator."""

    name: str
    title: str
    help: str
    family: Family
    problems: tuple[str, ...]
    hyperparameters: tuple[Hyperparameter, ...]
    needs_scaling: bool = False
    handles_missing: bool = False
    """Whether it learns from missing values as they are; else they are imputed."""
    most_rows: int | None = None
    """More training rows than this would take it too long."""
    package: str | None = None
    """What must be installed beside HydroML for it: an extra of that name."""

    def complaints(self, values: Mapping[str, HyperparameterValue]) -> Iterator[tuple[str, str, str]]:
        """(name, message, code) for each value that cannot be used."""
        known = {parameter.name: parameter for parameter in self.hyperparameters}
        for name, value in values.items():
            if name not in known:
                yield name, f"{self.title} has no hyperparameter “{name}”", "unknown_hyperparameter"
            elif (message := known[name].complaint(value)) is not None:
                yield name, f"{name} {message}", "hyperparameter"

    def refusal(self, problem: str, rows: int) -> tuple[str, str] | None:
        """(message, code) if it cannot learn this problem, or not from so many training rows."""
        if problem not in self.problems:
            does = "numbers" if self.problems == REGRESSION else "classes"
            return f"{self.title} predicts {does}; this target is a problem of kind “{problem}”", "wrong_problem"
        if self.most_rows is not None and rows > self.most_rows:
            return (
                f"{self.title} takes at most {self.most_rows:,} training rows, and there would be {rows:,}"
            ), "too_many_rows"
        return None

    def complete(self, values: Mapping[str, HyperparameterValue]) -> dict[str, HyperparameterValue]:
        """`values` with the defaults for what is not given."""
        return {parameter.name: values.get(parameter.name, parameter.default) for parameter in self.hyperparameters}


REGRESSION = ("regression",)
CLASSES = ("binary", "multiclass")
ALL = (*REGRESSION, *CLASSES)


def whole(  # noqa: PLR0917 - a row of a table
    name: str, default: int | None, minimum: int, maximum: int, search: Search | None, text: str
) -> Hyperparameter:
    kind, nullable = HyperparameterType.INTEGER, default is None
    return Hyperparameter(name, kind, default, text, minimum, maximum, nullable=nullable, search=search)


def number(  # noqa: PLR0917 - a row of a table
    name: str, default: float | None, minimum: float, maximum: float, search: Search | None, text: str
) -> Hyperparameter:
    kind, nullable = HyperparameterType.NUMBER, default is None
    return Hyperparameter(name, kind, default, text, minimum, maximum, nullable=nullable, search=search)


def choice(name: str, choices: tuple[str, ...], text: str) -> Hyperparameter:
    """The first is the default."""
    return Hyperparameter(name, HyperparameterType.CHOICE, choices[0], text, choices=choices)
