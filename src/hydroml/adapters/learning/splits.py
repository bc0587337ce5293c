"""Which rows train and which test: positions only, drawn before anything is fitted."""

from dataclasses import dataclass

import numpy as np

from hydroml.adapters.learning.frames import Array
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import Split, SplitKind

MIN_PART = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """Row positions, ascending; rows of the gap are in neither part."""

    train: Array
    test: Array


def draw(
    kind: SplitKind,
    split: Split,
    usable: Array,
    *,
    seed: int,
    codes: Array | None = None,
    times: Array | None = None,
) -> Parts:
    """Divides the positions `usable`; `codes` (classes) and `times` belong to the whole table.

    Raises InvalidInputError when a part would be left with too few rows.
    """
    if len(usable) < 2 * MIN_PART:
        raise InvalidInputError.at("split", msg=f"{len(usable)} usable rows cannot be divided", code="few_rows")
    match kind:
        case SplitKind.RANDOM:
            parts = _random(usable, split.test_size, np.random.default_rng(seed))
        case SplitKind.STRATIFIED:
            if codes is None:
                raise ValueError("a stratified split needs classes")
            parts = _stratified(usable, codes, split.test_size, np.random.default_rng(seed))
        case SplitKind.CHRONOLOGICAL:
            if times is None:
                raise ValueError("a chronological split needs times")
            parts = _chronological(usable, times, split)
    for name, part in (("training", parts.train), ("test", parts.test)):
        if len(part) < MIN_PART:
            raise InvalidInputError.at(
                "split",
                msg=f"the {name} part would have {len(part)} of {len(usable):,} usable rows; {MIN_PART} are needed",
                code="few_rows",
            )
    return parts


def _test_rows(rows: int, share: float) -> int:
    return min(max(round(rows * share), MIN_PART), rows - MIN_PART)


def _random(usable: Array, share: float, random: np.random.Generator) -> Parts:
    shuffled = random.permutation(usable)
    test = _test_rows(len(usable), share)
    return Parts(np.sort(shuffled[test:]), np.sort(shuffled[:test]))


def _stratified(usable: Array, codes: Array, share: float, random: np.random.Generator) -> Parts:
    """Each class gives its share of the test rows, and keeps at least one row on both sides if it has two."""
    classes = [usable[codes[usable] == code] for code in np.unique(codes[usable])]
    exact = np.array([len(rows) * share for rows in classes])
    quota = np.floor(exact).astype(np.int64)
    spare = max(_test_rows(len(usable), share) - int(quota.sum()), 0)
    quota[np.argsort(quota - exact, kind="stable")[:spare]] += 1  # the largest remainders first
    train, test = [], []
    for rows, wanted in zip(classes, quota, strict=True):
        shuffled = random.permutation(rows)
        taken = 0 if len(rows) == 1 else min(max(int(wanted), 1), len(rows) - 1)
        test.append(shuffled[:taken])
        train.append(shuffled[taken:])
    return Parts(np.sort(np.concatenate(train)), np.sort(np.concatenate(test)))


def _chronological(usable: Array, times: Array, split: Split) -> Parts:
    """The latest rows test; rows of one moment stay on one side, and the gap before the test part is at least `gap`."""
    moments = times[usable]
    ordered = np.sort(moments)
    rows = len(ordered)
    if ordered[0] == ordered[-1]:
        raise InvalidInputError.at(
            "time_column", msg="all usable rows have the same time: there is no before and after", code="constant_time"
        )
    boundary = rows - _test_rows(rows, split.test_size)
    first, after = (int(np.searchsorted(ordered, ordered[boundary], side)) for side in ("left", "right"))
    nearest_first = first > 0 and (after == rows or boundary - first <= after - boundary)
    begin = first if nearest_first else after
    last = begin - int(np.ceil(split.gap * rows))
    if last <= 0:
        raise InvalidInputError.at("split", "gap", msg="the gap leaves no row to train on", code="few_rows")
    test = moments >= ordered[begin]
    train = moments < ordered[last]
    return Parts(usable[train], usable[test])
