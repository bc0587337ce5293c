"""What happens to each column of a table before an algorithm sees it, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm
from hydroml.domain.experiments.preparation import (
    Encoding,
    Imputation,
    Numbers,
    Past,
    Preparation,
    Scaling,
    Texts,
    Transform,
)
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.sources import Column, ColumnType

_FILLED = {
    Imputation.MEDIAN: "the median",
    Imputation.MEAN: "the mean",
    Imputation.MOST_FREQUENT: "the most frequent value",
}
_SCALED = {
    Scaling.STANDARD: "scaled to mean 0 and deviation 1",
    Scaling.ROBUST: "scaled by its quartiles",
    Scaling.MIN_MAX: "scaled to 0 … 1",
}
_TRANSFORMED = {
    Transform.LOG1P: "its logarithm log(1 + x)",
    Transform.POWER: "made symmetric (Yeo-Johnson)",
    Transform.QUANTILE: "its quantile, as of a normal distribution",
}


@dataclass(frozen=True, slots=True)
class Treatment:
    """One column, the group of columns it is in, and what happens to it."""

    column: str
    group: str
    words: str


def treatments(specification: Specification, columns: Sequence[Column]) -> tuple[Treatment, ...]:
    """Of the features and of columns whose past is one, in the table's order."""
    algorithm = ALGORITHMS.get(specification.algorithm.name)
    features = set(specification.resolved_features(columns))
    found = []
    for column in columns:
        told = []
        if column.name in features:
            told.append(words_of(specification.preparation, column, algorithm))
        told += _past(specification.preparation.past, column.name)
        if told:
            group = _group(specification.preparation, column.name)
            found.append(Treatment(column.name, group, "; ".join(told)))
    return tuple(found)


def words_of(preparation: Preparation, column: Column, algorithm: Algorithm | None) -> str:
    if column.type in (ColumnType.TEXT, ColumnType.CATEGORY):
        return ", ".join(_texts(preparation.texts_of(column.name)))
    if column.type.is_temporal:
        dates = preparation.dates_of(column.name)
        parts = ", ".join(part.replace("_", " ") for part in dates.parts)
        return f"{parts}, as sine and cosine where they come round" if dates.cyclic else parts
    numbers = preparation.numbers_of(column.name)
    told = list(_numbers(numbers, algorithm, truth=column.type is ColumnType.BOOLEAN))
    return ", ".join(told) or "as it is"


def imputation(numbers: Numbers, algorithm: Algorithm | None, *, truth: bool = False) -> Imputation:
    """The one in force, for numbers or for booleans."""
    if numbers.impute is not None:
        return numbers.impute
    if algorithm is not None and algorithm.handles_missing:
        return Imputation.NONE
    return Imputation.MOST_FREQUENT if truth else Imputation.MEDIAN


def scaling(numbers: Numbers, algorithm: Algorithm | None) -> Scaling:
    """The one in force."""
    if numbers.scale is not None:
        return numbers.scale
    return Scaling.STANDARD if algorithm is not None and algorithm.needs_scaling else Scaling.NONE


def parameters(preparation: Preparation, algorithm: Algorithm) -> dict[str, Any]:
    """What is in force, flat, by which runs are compared."""
    found: dict[str, Any] = {**_of_numbers(preparation.numbers, algorithm), **_of_texts(preparation.texts)}
    if preparation.dates.parts:
        found["date_parts"] = ", ".join(preparation.dates.parts)
        found["date_cyclic"] = preparation.dates.cyclic
    for number, group in enumerate(preparation.groups, start=1):
        settings: dict[str, Any] = {"columns": ", ".join(group.columns)}
        if group.numbers is not None:
            settings |= _of_numbers(group.numbers, algorithm)
        if group.texts is not None:
            settings |= _of_texts(group.texts)
        if group.dates is not None:
            settings |= {"date_parts": ", ".join(group.dates.parts), "date_cyclic": group.dates.cyclic}
        found |= {f"{group.name or f'group {number}'}: {key}": value for key, value in settings.items()}
    past = [one.name for one in preparation.derived(())]
    if past:
        found["past"] = "; ".join(past)
    return found


def _of_numbers(numbers: Numbers, algorithm: Algorithm) -> dict[str, Any]:
    impute = imputation(numbers, algorithm)
    found: dict[str, Any] = {"impute": impute.value}
    if impute is Imputation.CONSTANT:
        found["fill"] = numbers.fill
    if impute is not Imputation.NONE:
        found["indicator"] = numbers.indicator
    return found | {"transform": numbers.transform.value, "scale": scaling(numbers, algorithm).value}


def _of_texts(texts: Texts) -> dict[str, Any]:
    found: dict[str, Any] = {"encode": texts.encode.value}
    if texts.impute is not Imputation.NONE:
        found |= {"text_impute": texts.impute.value, "text_indicator": texts.indicator}
        if texts.impute is Imputation.CONSTANT:
            found["text_fill"] = texts.fill
    match texts.encode:
        case Encoding.ONE_HOT | Encoding.ORDINAL:
            found |= {"max_categories": texts.max_categories, "rare": texts.rare}
        case Encoding.TARGET:
            found["folds_of_encoding"] = texts.folds
        case Encoding.HASHING:
            found["hash_columns"] = texts.hash_columns
        case Encoding.FREQUENCY:
            pass
    return found


def _numbers(numbers: Numbers, algorithm: Algorithm | None, *, truth: bool) -> Iterator[str]:
    impute = imputation(numbers, algorithm, truth=truth)
    if impute is Imputation.NONE:
        yield "missing values left to the algorithm"
    else:
        filled = f"{numbers.fill:g}" if impute is Imputation.CONSTANT else _FILLED[impute]
        yield f"missing values become {filled}" + (", marked in a column" if numbers.indicator else "")
    if truth:
        return
    if numbers.transform is not Transform.NONE:
        yield _TRANSFORMED[numbers.transform]
    scale = scaling(numbers, algorithm)
    if scale is not Scaling.NONE:
        yield _SCALED[scale]


def _texts(texts: Texts) -> Iterator[str]:
    if texts.impute is not Imputation.NONE:
        filled = f"“{texts.fill}”" if texts.impute is Imputation.CONSTANT else "the most frequent category"
        yield f"missing values become {filled}" + (", marked in a column" if texts.indicator else "")
    rare = f", rarer than {100 * texts.rare:g} % together" if texts.rare else ""
    match texts.encode:
        case Encoding.ONE_HOT:
            yield f"a column for each category, at most {texts.max_categories}{rare}"
        case Encoding.ORDINAL:
            yield f"a number for each category in the order of the alphabet, at most {texts.max_categories}{rare}"
        case Encoding.TARGET:
            yield f"the mean target of its category, learnt in {texts.folds} folds so that no row sees its own"
        case Encoding.FREQUENCY:
            yield "the share of rows of its category"
        case Encoding.HASHING:
            yield f"its words, spread over {texts.hash_columns} columns"


def _past(past: Sequence[Past], name: str) -> Iterator[str]:
    for one in past:
        if name not in one.columns:
            continue
        if one.lags:
            yield f"its value {_listed([str(lag) for lag in one.lags])} before"
        for window in one.windows:
            since = "up to now" if window.lag == 0 else f"up to {window.lag} before"
            yield f"its {window.statistic} over {window.rows} moments {since}"


def _group(preparation: Preparation, name: str) -> str:
    for number, group in enumerate(preparation.groups, start=1):
        if name in group.columns:
            return group.name or f"group {number}"
    return ""


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
