"""Which columns are sums, means or products of others, but for rounding: every pair and triple of the sample's columns
is tried on a few rows, and what passes is tried on all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_TRIAL_ROWS = 12
_FEWEST_ROWS = 20
_MOST_TRIED = 300
_MOST_EXCEPTIONS = 0.005
_RELATIVE = 1e-9


@dataclass(frozen=True, slots=True)
class Combination:
    """`target` = the parts joined by `sign`, divided by `divisor`; columns by their place."""

    target: int
    parts: tuple[int, ...]
    sign: str
    divisor: int
    tolerance: float

    def written(self, names: Sequence[str]) -> str:
        joined = f" {self.sign} ".join(names)
        return f"({joined})" + (f" / {self.divisor}" if self.divisor != 1 else "")


def half_unit(values: Any) -> float:
    """Half of the last decimal place that the values have: how far rounding may have moved them."""
    known = values[np.isfinite(values)]
    for digits in range(7):
        if np.allclose(np.round(known, digits), known, rtol=1e-12, atol=1e-12):
            return 0.0 if digits == 0 else float(0.5 * 10.0**-digits)
    return float(_RELATIVE * np.abs(known).max()) if len(known) else 0.0


class Search:
    """Over the columns of a matrix of floats, NaN where a value is missing."""

    def __init__(self, values: Any) -> None:
        self._values = values
        complete = np.isfinite(values).all(axis=1)
        usable = values[complete] if complete.sum() >= _FEWEST_ROWS else values
        self._units = np.array([half_unit(values[:, at]) for at in range(values.shape[1])])
        varied = usable[np.argsort(-np.count_nonzero(np.nan_to_num(usable), axis=1), kind="stable")]
        picked = np.unique(np.linspace(0, max(len(varied) // 2, 1) - 1, _TRIAL_ROWS).astype(int))
        self._trial = varied[picked]
        self._done: set[frozenset[int]] = set()

    def found(self) -> Iterator[Combination]:
        """Sums and means of two first, then products, then sums of three that hold no smaller one."""
        for target in range(self._values.shape[1]):
            yield from self._sums_of_two(target, 1)
            yield from self._sums_of_two(target, 2)
        yield from self._products()
        for target in range(self._values.shape[1]):
            yield from self._sums_of_three(target)

    def _sums_of_two(self, target: int, divisor: int) -> Iterator[Combination]:
        x = self._trial
        rest = divisor * x[:, [target]] - x
        units = divisor * self._units[target] + self._units[:, None] + self._units[None, :]
        fits = self._fits(rest[:, :, None] - x[:, None, :], units)
        for i, j in np.argwhere(np.triu(fits, 1))[:_MOST_TRIED]:
            yield from self._tried(target, (int(i), int(j)), "+", divisor)

    def _products(self) -> Iterator[Combination]:
        x, units = np.abs(self._trial), self._units
        for target in range(x.shape[1]):
            slack = units[target] + x[:, :, None] * units[None, None, :] + x[:, None, :] * units[None, :, None]
            products = self._trial[:, :, None] * self._trial[:, None, :]
            off = np.abs(products - self._trial[:, target][:, None, None]) - 1.05 * slack - 1e-9 * np.abs(products)
            fits = np.all((off <= 0) | np.isnan(off), axis=0)
            for i, j in np.argwhere(np.triu(fits, 1))[:_MOST_TRIED]:
                yield from self._tried(target, (int(i), int(j)), "*", 1)

    def _sums_of_three(self, target: int) -> Iterator[Combination]:
        x, tried = self._trial, 0
        for i in range(x.shape[1]):
            if i == target:
                continue
            rest = (x[:, target] - x[:, i])[:, None] - x
            units = self._units[target] + self._units[i] + self._units[:, None] + self._units[None, :]
            fits = np.triu(self._fits(rest[:, :, None] - x[:, None, :], units), 1)
            fits[: i + 1] = False
            for j, k in np.argwhere(fits):
                tried += 1
                if tried > _MOST_TRIED:
                    return
                yield from self._tried(target, (i, int(j), int(k)), "+", 1)

    def _fits(self, off: Any, units: Any) -> Any:
        scale = 1e-9 * float(np.abs(np.nan_to_num(self._trial)).max(initial=0.0))
        return np.all((np.abs(off) <= 1.05 * units + scale) | np.isnan(off), axis=0)

    def _tried(self, target: int, parts: tuple[int, ...], sign: str, divisor: int) -> Iterator[Combination]:
        """On all rows; not when a part or the whole says nothing, or is a smaller combination's."""
        everything = frozenset((target, *parts))
        if target in parts or any(known <= everything for known in self._done):
            return
        columns = self._values[:, [target, *parts]]
        columns = columns[np.isfinite(columns).all(axis=1)]
        if len(columns) < _FEWEST_ROWS:
            return
        a, x = columns[:, 0], columns[:, 1:]
        tolerance = self._tolerance(target, parts, sign, divisor, x)
        if not self._says_something(a, x, sign, divisor, tolerance):
            return
        computed = x.prod(axis=1) if sign == "*" else x.sum(axis=1) / divisor
        if (np.abs(a - computed) > tolerance).mean() > _MOST_EXCEPTIONS:
            return
        self._done.add(everything)
        yield Combination(target, parts, sign, divisor, tolerance)

    def _tolerance(self, target: int, parts: tuple[int, ...], sign: str, divisor: int, x: Any) -> float:
        """How far rounding of the columns may take the target from what is computed."""
        if sign == "*":
            largest = np.abs(x).max(axis=0)
            rounding = float(largest[0] * self._units[parts[1]] + largest[1] * self._units[parts[0]])
        else:
            rounding = float(sum(self._units[part] for part in parts)) / divisor
        size = float(np.abs(x).max())
        return 1.05 * float(self._units[target] + rounding) + 1e-9 * max(size, 1e-9)

    @staticmethod
    def _says_something(a: Any, x: Any, sign: str, divisor: int, tolerance: float) -> bool:
        spread = np.array([a.std(), *x.std(axis=0)])
        if (spread <= 10 * tolerance / max(divisor, 1)).any() if sign == "+" else spread[0] <= 20 * tolerance:
            return False
        if len(np.unique(a)) < 5 or (sign == "*" and any(len(np.unique(x[:, at])) < 5 for at in range(2))):
            return False
        # Where a part hardly ever matters, the target is rather a copy of the other part.
        if sign == "*":
            return bool((np.abs(x - 1.0) > 1e-9).mean(axis=0).min() > 0.05 and (x != 0).mean(axis=0).min() > 0.05)
        return bool((np.abs(x) > tolerance).mean(axis=0).min() > 0.02)
