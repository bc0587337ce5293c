"""Numeric columns that are the same but for their unit: everywhere, or within each group with a factor of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydroml.adapters.tables.quality.arithmetic import half_unit
from hydroml.adapters.tables.quality.associations import pairwise_correlation, ranked
from hydroml.adapters.tables.quality.sampled import Sampled
from hydroml.domain.quality.facts import ColumnFacts, Relation
from hydroml.domain.quality.findings import named, number
from hydroml.domain.quality.words import looks_like_group
from hydroml.domain.sources import ColumnType

MOST_EXCEPTIONS = 0.005
_NEARLY = 0.02
_STRAIGHT = 0.9999
_IN_ORDER = 0.99
_MOST_GROUPS = 40
_FEWEST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Suspect:
    """A relation that the sample shows; `most` is the share of all rows that may be exceptions."""

    relation: Relation
    most: float = MOST_EXCEPTIONS


@dataclass(frozen=True, slots=True)
class _Line:
    slope: float
    offset: float
    tolerance: float


def linear(sampled: Sampled) -> Iterator[Suspect]:
    """a = k · b + c, exactly or but for rounding; or a = b in nearly every row."""
    if sampled.values.shape[1] < 2:
        return
    r, rho = pairwise_correlation(sampled.values), pairwise_correlation(ranked(sampled.values))
    explained: set[int] = set()
    for i in range(len(r)):
        for j in range(i):
            if i in explained or j in explained:
                continue
            straight = abs(r[i, j]) > _STRAIGHT or abs(rho[i, j]) > _IN_ORDER
            suspect = (_line(sampled, i, j) if straight else None) or _nearly(sampled, i, j)
            if suspect is not None:
                yield suspect
                explained.add(i)


def _nearly(sampled: Sampled, i: int, j: int) -> Suspect | None:
    a, b = sampled.values[:, i], sampled.values[:, j]
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 50 or min(sampled.numeric[i].distinct, sampled.numeric[j].distinct) < 20:
        return None
    if (a[known] != b[known]).mean() > _NEARLY:
        return None
    names = (sampled.numeric[i].name, sampled.numeric[j].name)
    relation = Relation("near_identical", names, f"“{names[0]}” = “{names[1]}”", formula=differ(*names))
    return Suspect(relation, 2 * _NEARLY)


def _line(sampled: Sampled, i: int, j: int) -> Suspect | None:
    line = _fitted(sampled.values[:, i], sampled.values[:, j])
    if line is None:
        return None
    names = (sampled.numeric[i].name, sampled.numeric[j].name)
    k, c = line.slope, line.offset
    plus = "" if c == 0 else f" {'+' if c > 0 else '-'} {abs(c):.6g}"
    if k == -1 and c > 0:
        words = f"“{names[0]}” = {c:.6g} - “{names[1]}”"
    else:
        words = f"“{names[0]}” = {k:.6g} · “{names[1]}”{plus}" if k != 1 else f"“{names[0]}” = “{names[1]}”{plus}"
    formula = f"abs({named(names[0])} - ({number(k)} * {named(names[1])} + {number(c)})) > {number(line.tolerance)}"
    return Suspect(Relation("linear", names, words, formula=formula))


def _fitted(a: Any, b: Any) -> _Line | None:
    """The line on which all values lie but for rounding, by the shortest numbers that will do."""
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < _FEWEST_ROWS or len(np.unique(b)) < 5:
        return None
    rows = len(a)
    start = _start(a, b)
    if start is None:
        return None
    tolerance, on_it = start
    a, b = a[on_it], b[on_it]
    k, c = (float(value) for value in np.polyfit(b, a, 1))
    through = float(a @ b / (b @ b))
    if np.abs(a - through * b).max() <= tolerance:
        k, c = through, 0.0
    for digits in (3, 4, 6):
        k_ = float(f"{k:.{digits}g}")
        c_ = float(f"{float(np.mean(a - k_ * b)):.{digits}g}") if c else 0.0
        if np.abs(a - k_ * b - c_).max() <= tolerance / 1.5:
            k, c = k_, c_
            break
    if int((np.abs(a - k * b - c) <= tolerance).sum()) < (1 - MOST_EXCEPTIONS) * rows:
        return None
    return _Line(k, c, tolerance)


def _start(a: Any, b: Any) -> tuple[float, Any] | None:
    """How far rounding may move values off a line, and which of them are on it; None unless nearly all are."""
    # A whole number may have been rounded, too.
    unit_a, unit_b = half_unit(a) or 0.5, half_unit(b) or 0.5
    for k, c in (_least_squares(a, b), _resistant(a, b)):
        tolerance = 1.5 * (1.05 * (unit_a + abs(k) * unit_b) + 1e-9 * float(np.abs(a).max()))
        on_it = np.abs(a - k * b - c) <= 3 * tolerance
        if tolerance <= 0.08 * float(a.std()) and on_it.mean() >= 1 - MOST_EXCEPTIONS:
            return tolerance, on_it
    return None


def _least_squares(a: Any, b: Any) -> tuple[float, float]:
    k, c = np.polyfit(b, a, 1)
    return float(k), float(c)


def _resistant(a: Any, b: Any) -> tuple[float, float]:
    """Through the medians of the thirds with the smallest and the largest b: a few exceptions do not bend it (Tukey's
    resistant line)."""
    order = np.argsort(b, kind="stable")
    third = max(len(order) // 3, 1)
    low, high = order[:third], order[-third:]
    low_b, high_b = float(np.median(b[low])), float(np.median(b[high]))
    k = float(np.median(a[high]) - np.median(a[low])) / (high_b - low_b) if low_b < high_b else 0.0
    return k, float(np.median(a - k * b))


def linear_within(sampled: Sampled, copies: set[str]) -> Iterator[Suspect]:
    """a = k · b with a k of its own in each group, as of flows per second and per area of several basins."""
    done: set[int] = set()
    for at, group in enumerate(sampled.named):
        if group.type not in (ColumnType.TEXT, ColumnType.CATEGORY) or not looks_like_group(group.name):
            continue
        codes, counts = np.unique(sampled.codes[:, at], return_counts=True)
        usable = [int(c) for c, n in zip(codes, counts, strict=True) if c >= 0 and n >= 2 * _FEWEST_ROWS]
        if not 2 <= len(usable) <= _MOST_GROUPS or len(group.values) > _MOST_GROUPS:
            continue
        masks = [sampled.codes[:, at] == code for code in usable]
        r = pairwise_correlation(sampled.values[masks[0]])
        for i, j in np.argwhere(np.tril(np.nan_to_num(np.abs(r)) > _STRAIGHT, -1)):
            names = (sampled.numeric[i].name, sampled.numeric[j].name)
            if i in done or set(names) & copies:
                continue
            lines = [_fitted(sampled.values[mask, i], sampled.values[mask, j]) for mask in masks]
            found = [line for line in lines if line is not None]
            if len(found) >= 2 and all(line.offset == 0 for line in found) and len(found) >= len(lines) - 1:
                done.add(int(i))
                yield Suspect(_within(group, names, found))


def _within(group: ColumnFacts, names: tuple[str, str], lines: list[_Line]) -> Relation:
    """The exceptions are rows that no group's factor fits."""
    a, b = named(names[0]), named(names[1])
    fits = " AND ".join(f"abs({a} - {number(line.slope)} * {b}) > {number(line.tolerance)}" for line in lines)
    words = f"“{names[0]}” = k · “{names[1]}” with a k of its own for each “{group.name}”"
    return Relation("linear", names, words, formula=fits)


def differ(a: str, b: str) -> str:
    return f"{named(a)} IS DISTINCT FROM {named(b)}"
