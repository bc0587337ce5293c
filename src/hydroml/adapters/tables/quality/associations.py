"""How strongly columns go together, on the sample.

Pearson's r and Spearman's ρ of the rows where both are there (ranks are taken over each column's own values); Cramér's
V with the correction of Bergsma (J. Korean Stat. Soc. 42, 2013); the correlation ratio η of a number in classes
(square root of the share of the variance between the classes).
"""

from typing import Any

import numpy as np

from hydroml.adapters.tables.quality.sampled import Sampled
from hydroml.domain.quality.facts import Association

_WEAK = 0.1
_MOST_CLASSES = 50
_FEWEST_ROWS = 20


def moments(values: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of each column's values; 0 where there are none."""
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / counts
    return mean, np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / counts)


def pairwise_correlation(values: Any) -> Any:
    """Pearson's r of every two columns over the rows where both are there; NaN where that says nothing."""
    known = np.isfinite(values)
    with np.errstate(all="ignore"):
        centre, scale = moments(values)
        x = np.where(known, (values - centre) / np.where(scale > 0, scale, 1.0), 0.0)
        weight = known.astype(np.float64)
        n = weight.T @ weight
        sums, squares = x.T @ weight, (x * x).T @ weight
        covariance = x.T @ x - sums * sums.T / n
        spread = squares - sums * sums / n
        r = covariance / np.sqrt(spread * spread.T)
        r[(n < _FEWEST_ROWS) | (spread <= 1e-9) | (spread.T <= 1e-9)] = np.nan
    return np.clip(r, -1.0, 1.0)


def ranked(values: Any) -> Any:
    """Mean ranks of each column, NaN where there is no value."""
    ranks = np.full(values.shape, np.nan)
    for at in range(values.shape[1]):
        known = np.isfinite(values[:, at])
        _, inverse, counts = np.unique(values[known, at], return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        ranks[known, at] = (last - (counts - 1) / 2)[inverse.reshape(-1)]
    return ranks


def associations(sampled: Sampled) -> tuple[Association, ...]:
    """Those that are not weak, strongest first."""
    found = [*_of_numbers(sampled), *_of_classes(sampled), *_of_both(sampled)]
    return tuple(sorted(found, key=lambda a: (-abs(a.value), a.a, a.b, a.measure)))


def _of_numbers(sampled: Sampled) -> list[Association]:
    if sampled.values.shape[1] < 2:
        return []
    found: list[Association] = []
    names = [column.name for column in sampled.numeric]
    for measure, values in (("pearson", sampled.values), ("spearman", ranked(sampled.values))):
        r = pairwise_correlation(values)
        strong = np.argwhere(np.triu(np.abs(np.nan_to_num(r)) >= _WEAK, 1))
        found += [Association(names[i], names[j], measure, round(float(r[i, j]), 4)) for i, j in strong]
    return found


def _of_classes(sampled: Sampled) -> list[Association]:
    found = []
    for i, first in enumerate(sampled.named):
        for j in range(i + 1, len(sampled.named)):
            second = sampled.named[j]
            both_numbers = first.numbers is not None and second.numbers is not None
            if both_numbers or max(first.distinct, second.distinct) > _MOST_CLASSES:
                continue
            value = cramers_v(sampled.codes[:, i], sampled.codes[:, j])
            if value >= _WEAK:
                found.append(Association(first.name, second.name, "cramers_v", round(value, 4)))
    return found


def _of_both(sampled: Sampled) -> list[Association]:
    found = []
    for i, classes in enumerate(sampled.named):
        if classes.numbers is not None or classes.distinct > _MOST_CLASSES:
            continue
        for j, numbers in enumerate(sampled.numeric):
            value = correlation_ratio(sampled.codes[:, i], sampled.values[:, j])
            if value >= _WEAK:
                found.append(Association(classes.name, numbers.name, "correlation_ratio", round(value, 4)))
    return found


def cramers_v(a: Any, b: Any) -> float:
    """0 when the classes of one say nothing about those of the other, 1 when they are the same."""
    known = (a >= 0) & (b >= 0)
    n = int(known.sum())
    if n < _FEWEST_ROWS:
        return 0.0
    _, a = np.unique(a[known], return_inverse=True)
    _, b = np.unique(b[known], return_inverse=True)
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    table = np.bincount(a.reshape(-1) * columns + b.reshape(-1), minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    rows_, columns_ = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    least = min(rows_, columns_) - 1
    return float(min(1.0, (phi / least) ** 0.5)) if least > 0 else 0.0


def correlation_ratio(classes: Any, values: Any) -> float:
    """0 when the means of all classes are the same, 1 when the class gives the number."""
    known = (classes >= 0) & np.isfinite(values)
    if int(known.sum()) < _FEWEST_ROWS:
        return 0.0
    _, codes = np.unique(classes[known], return_inverse=True)
    codes, x = codes.reshape(-1), values[known]
    x = x - x.mean()
    total = float((x * x).sum())
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=x) / counts
    return float((counts * means**2).sum() / total) ** 0.5 if total > 0 else 0.0
