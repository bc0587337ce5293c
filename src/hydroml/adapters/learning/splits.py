"""Which rows train and which test: positions only, drawn before anything is fitted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, StratifiedKFold, TimeSeriesSplit

from hydroml.adapters.learning.frames import Array, Times
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import Split, SplitKind

MIN_PART = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """Row positions, ascending; rows of the gap, or outside a window, are in neither part."""

    train: Array
    test: Array


@dataclass(frozen=True, slots=True)
class Rows:
    """What a split may look at: positions that can be used, and of the whole table the classes, times and groups."""

    usable: Array
    codes: Array | None = None
    times: Times | None = None
    groups: Array | None = None

    def __len__(self) -> int:
        return len(self.usable)

    @property
    def classes(self) -> Array:
        if self.codes is None:
            raise ValueError("a stratified split needs classes")
        return self.codes[self.usable]

    @property
    def moments(self) -> Array:
        if self.times is None:
            raise ValueError("a split by time needs times")
        return self.times.ordinals[self.usable]

    @property
    def sites(self) -> Array:
        if self.groups is None:
            raise ValueError("a split by group needs groups")
        return self.groups[self.usable]


def draw(kind: SplitKind, split: Split, rows: Rows, *, seed: int) -> list[Parts]:
    """The training and test part, or one pair for each fold.

    Raises InvalidInputError when a part would be left with too few rows.
    """
    if len(rows) < 2 * MIN_PART:
        raise InvalidInputError.at("split", msg=f"{len(rows)} usable rows cannot be divided", code="few_rows")
    drawn = [
        Parts(thinned(rows.usable[train], split.training_rows, rows.codes, seed), rows.usable[test])
        for train, test in _DRAWN[kind](rows, split, seed)
    ]
    for number, parts in enumerate(drawn, start=1):
        of_fold = f" of fold {number}" if len(drawn) > 1 else ""
        for name, part in (("training", parts.train), ("test", parts.test)):
            if len(part) < MIN_PART:
                raise InvalidInputError.at(
                    "split",
                    msg=f"the {name} part{of_fold} would have {len(part)} of {len(rows):,} usable rows; "
                    f"{MIN_PART} are needed",
                    code="few_rows",
                )
    return drawn


def divided(kind: SplitKind, split: Split, rows: Rows, *, seed: int) -> tuple[list[Parts], list[Parts], Array]:
    """The parts that train and test, the folds within the training part where the split has such, and the rows that the
    model which is kept learns from. Inner folds are drawn among the training part alone."""
    parts = draw(kind, split, rows, seed=seed)
    if split.in_folds(kind):
        return parts, [], thinned(rows.usable, split.training_rows, rows.codes, seed)
    if split.fold is not None:
        parts = [parts[split.fold - 1]]
    kept, inner = parts[0].train, []
    if split.validation:
        within = replace(split, folds=split.validation, repeats=1, fold=None)
        inner = draw(kind.folded, within, replace(rows, usable=kept), seed=seed)
    return parts, inner, kept


def thinned(rows: Array, most: int | None, codes: Array | None, seed: int) -> Array:
    """At most so many of these rows, drawn by chance, ascending; of each class by its `codes` one at least, if there is
    room."""
    if most is None or len(rows) <= most:
        return rows
    shuffled = np.random.default_rng(seed).permutation(rows)
    if codes is not None:
        _, first = np.unique(codes[shuffled], return_index=True)
        shuffled = np.concatenate([shuffled[first], np.delete(shuffled, first)])
    return np.sort(shuffled[:most])


_Drawn = Iterator[tuple[Array, Array]]
"""Training and test rows as positions among the usable ones, ascending."""


def _test_rows(rows: int, share: float) -> int:
    return min(max(round(rows * share), MIN_PART), rows - MIN_PART)


def _random(rows: Rows, split: Split, seed: int) -> _Drawn:
    shuffled = np.random.default_rng(seed).permutation(len(rows))
    test = _test_rows(len(rows), split.test_size)
    yield np.sort(shuffled[test:]), np.sort(shuffled[:test])


def _stratified(rows: Rows, split: Split, seed: int) -> _Drawn:
    """Each class gives its share of the test rows, and keeps at least one row on both sides if it has two."""
    random = np.random.default_rng(seed)
    codes = rows.classes
    classes = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    exact = np.array([len(members) * split.test_size for members in classes])
    quota = np.floor(exact).astype(np.int64)
    spare = max(_test_rows(len(rows), split.test_size) - int(quota.sum()), 0)
    quota[np.argsort(quota - exact, kind="stable")[:spare]] += 1  # the largest remainders first
    train, test = [], []
    for members, wanted in zip(classes, quota, strict=True):
        shuffled = random.permutation(members)
        taken = 0 if len(members) == 1 else min(max(int(wanted), 1), len(members) - 1)
        test.append(shuffled[:taken])
        train.append(shuffled[taken:])
    yield np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def _chronological(rows: Rows, split: Split, _: int) -> _Drawn:
    """The latest rows test; rows of one moment stay on one side, and the gap before the test part is at least `gap`."""
    ordered = np.sort(rows.moments)
    _must_have_an_order(ordered)
    boundary = len(rows) - _test_rows(len(rows), split.test_size)
    first, after = (int(np.searchsorted(ordered, ordered[boundary], side)) for side in ("left", "right"))
    nearest_first = first > 0 and (after == len(rows) or boundary - first <= after - boundary)
    yield _before_and_from(rows, ordered, first if nearest_first else after, split.gap)


def _water_years(rows: Rows, split: Split, _: int) -> _Drawn:
    """The latest whole water years test, as many as come nearest to `test_size`."""
    if rows.times is None:
        raise ValueError("a split by water years needs times")
    months = rows.times.values[rows.usable].astype("datetime64[M]").astype(np.int64)
    years = (months + (13 - split.year_start) % 12) // 12
    every, counts = np.unique(years, return_counts=True)
    if len(every) < 2:
        raise InvalidInputError.at("split", msg="all usable rows lie in one water year", code="few_rows")
    tested = np.cumsum(counts[::-1])[:-1]
    first = every[::-1][int(np.abs(tested - split.test_size * len(rows)).argmin())]
    ordered = np.sort(rows.moments)
    yield _before_and_from(rows, ordered, int(np.sum(years < first)), split.gap)


def _before_and_from(rows: Rows, ordered: Array, begin: int, gap: float) -> tuple[Array, Array]:
    """The rows before the gap, and those from the moment at `begin` on."""
    last = begin - int(np.ceil(gap * len(ordered)))
    if last <= 0:
        raise InvalidInputError.at("split", "gap", msg="the gap leaves no row to train on", code="few_rows")
    return np.flatnonzero(rows.moments < ordered[last]), np.flatnonzero(rows.moments >= ordered[begin])


def _must_have_an_order(ordered: Array) -> None:
    if ordered[0] == ordered[-1]:
        raise InvalidInputError.at(
            "time_column", msg="all usable rows have the same time: there is no before and after", code="constant_time"
        )


def _group(rows: Rows, split: Split, seed: int) -> _Drawn:
    groups = _must_have_groups(rows, 2)
    test = min(ceil(groups * split.test_size), groups - 1)
    yield from GroupShuffleSplit(1, test_size=test, random_state=seed).split(rows.usable, groups=rows.sites)


def _group_kfold(rows: Rows, split: Split, seed: int) -> _Drawn:
    _must_have_groups(rows, split.folds)
    yield from GroupKFold(split.folds, shuffle=True, random_state=seed).split(rows.usable, groups=rows.sites)


def _must_have_groups(rows: Rows, needed: int) -> int:
    """How many there are."""
    groups = len(np.unique(rows.sites))
    if groups < needed:
        raise InvalidInputError.at(
            "group_column",
            msg=f"there are {groups} groups among the usable rows; {needed} are needed",
            code="few_groups",
        )
    return groups


def _kfold(rows: Rows, split: Split, seed: int) -> _Drawn:
    _must_have_rows(rows, split)
    for repeat in range(split.repeats):
        yield from KFold(split.folds, shuffle=True, random_state=(seed + repeat) % 2**32).split(rows.usable)


def _stratified_kfold(rows: Rows, split: Split, seed: int) -> _Drawn:
    _must_have_rows(rows, split)
    _, sizes = np.unique(rows.classes, return_counts=True)
    if sizes.min() < 2:
        raise InvalidInputError.at("target", msg="a class has a single row", code="rare_class")
    folds = min(split.folds, int(sizes.max()))
    for repeat in range(split.repeats):
        drawn = StratifiedKFold(folds, shuffle=True, random_state=(seed + repeat) % 2**32)
        yield from drawn.split(rows.usable, rows.classes)


def _must_have_rows(rows: Rows, split: Split) -> None:
    if len(rows) < MIN_PART * split.folds:
        raise InvalidInputError.at(
            "split", "folds", msg=f"{len(rows)} usable rows are too few for {split.folds} folds", code="few_rows"
        )


def _expanding(rows: Rows, split: Split, _: int) -> _Drawn:
    yield from _through_time(rows, split, window=None)


def _sliding(rows: Rows, split: Split, _: int) -> _Drawn:
    yield from _through_time(rows, split, window=split.window)


def _through_time(rows: Rows, split: Split, window: float | None) -> _Drawn:
    """Stretches of time after the first one test in turn, each behind what it trains on."""
    moments, of_row = np.unique(rows.moments, return_inverse=True)
    _must_have_an_order(moments)
    gap = int(np.ceil(split.gap * len(moments)))
    longest = None if window is None else max(int(window * len(moments)), 1)
    drawn = TimeSeriesSplit(split.folds, gap=gap, max_train_size=longest)
    try:
        for train, test in drawn.split(moments):
            yield np.flatnonzero(np.isin(of_row, train)), np.flatnonzero(np.isin(of_row, test))
    except ValueError:
        words = f"{len(moments):,} moments are too few for {split.folds} folds" + (" with this gap" if gap else "")
        raise InvalidInputError.at("split", "folds", msg=words, code="few_rows") from None


_DRAWN: dict[SplitKind, Callable[[Rows, Split, int], _Drawn]] = {
    SplitKind.RANDOM: _random,
    SplitKind.STRATIFIED: _stratified,
    SplitKind.CHRONOLOGICAL: _chronological,
    SplitKind.WATER_YEARS: _water_years,
    SplitKind.GROUP: _group,
    SplitKind.KFOLD: _kfold,
    SplitKind.STRATIFIED_KFOLD: _stratified_kfold,
    SplitKind.GROUP_KFOLD: _group_kfold,
    SplitKind.EXPANDING: _expanding,
    SplitKind.SLIDING: _sliding,
}
