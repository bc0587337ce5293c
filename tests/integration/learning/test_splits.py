"""The laws of a split: nothing in both parts, nothing lost, nothing of the future in the training part."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydroml.adapters.learning.splits import MIN_PART, Parts, draw
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import Split, SplitKind

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0.05, 0.6)
gaps = st.floats(0.0, 0.3)


@st.composite
def usable(draw_: st.DrawFn) -> Any:
    """Positions of usable rows in a table with holes."""
    flags = draw_(st.lists(st.booleans(), min_size=10, max_size=200))
    return np.flatnonzero(flags)


def drawn(kind: SplitKind, rows: Any, **options: Any) -> Parts | None:
    """The parts, or None when they would be too small."""
    with suppress(InvalidInputError):
        return draw(kind, options.pop("split", Split()), rows, seed=options.pop("seed", 0), **options)
    return None


@given(usable(), shares, seeds)
def test_random_split_divides_the_usable_rows(rows: Any, share: float, seed: int) -> None:
    parts = drawn(SplitKind.RANDOM, rows, split=Split(test_size=share), seed=seed)
    if parts is None:
        assert len(rows) < 2 * MIN_PART
        return
    assert np.array_equal(np.sort(np.concatenate([parts.train, parts.test])), rows)
    assert abs(len(parts.test) - share * len(rows)) <= MIN_PART


@given(usable(), st.data(), shares, seeds)
def test_stratified_split_keeps_every_class_on_both_sides(
    rows: Any, data: st.DataObject, share: float, seed: int
) -> None:
    size = int(rows.max()) + 1 if len(rows) else 1
    codes = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    parts = drawn(SplitKind.STRATIFIED, rows, split=Split(test_size=share), seed=seed, codes=codes)
    if parts is None:
        return
    assert np.array_equal(np.sort(np.concatenate([parts.train, parts.test])), rows)
    for code in np.unique(codes[rows]):
        of_class = np.sum(codes[rows] == code)
        tested = np.sum(codes[parts.test] == code)
        assert tested < of_class
        assert tested >= (1 if of_class > 1 else 0)
        assert abs(tested - share * of_class) <= 1


@given(usable(), st.data(), shares, gaps)
def test_chronological_split_never_lets_the_future_train(
    rows: Any, data: st.DataObject, share: float, gap: float
) -> None:
    size = int(rows.max()) + 1 if len(rows) else 1
    times = np.array(data.draw(st.lists(st.integers(0, 60), min_size=size, max_size=size)))
    parts = drawn(SplitKind.CHRONOLOGICAL, rows, split=Split(test_size=share, gap=gap), times=times)
    if parts is None:
        return
    assert not set(parts.train) & set(parts.test)
    assert set(parts.train) | set(parts.test) <= set(rows)
    assert times[parts.train].max() < times[parts.test].min(), "rows of one moment stay on one side"
    between = len(rows) - len(parts.train) - len(parts.test)
    assert between >= gap * len(rows) - 1e-9
    if gap == 0:
        assert between == 0


@given(usable(), seeds)
def test_same_seed_gives_the_same_rows(rows: Any, seed: int) -> None:
    first, second = (drawn(SplitKind.RANDOM, rows, seed=seed) for _ in range(2))
    if first is not None and second is not None:
        assert np.array_equal(first.test, second.test)


def test_another_seed_gives_other_rows() -> None:
    rows = np.arange(100)
    first, second = (draw(SplitKind.RANDOM, Split(), rows, seed=seed) for seed in (1, 2))
    assert not np.array_equal(first.test, second.test)


def test_order_of_rows_in_the_table_does_not_matter_to_a_chronological_split() -> None:
    times = np.array([9, 1, 8, 2, 7, 3, 6, 4, 5, 0])
    parts = draw(SplitKind.CHRONOLOGICAL, Split(test_size=0.3), np.arange(10), seed=0, times=times)
    assert sorted(times[parts.test]) == [7, 8, 9]


@pytest.mark.parametrize("kind", [SplitKind.RANDOM, SplitKind.STRATIFIED, SplitKind.CHRONOLOGICAL])
def test_few_rows_are_enough_and_fewer_are_refused(kind: SplitKind) -> None:
    values = np.arange(10) % 2
    options = {"seed": 0, "codes": values, "times": np.arange(10)}
    parts = draw(kind, Split(test_size=0.01), np.arange(4), **options)
    assert (len(parts.train), len(parts.test)) == (2, 2)
    with pytest.raises(InvalidInputError):
        draw(kind, Split(), np.arange(3), **options)


def test_one_moment_for_all_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        draw(SplitKind.CHRONOLOGICAL, Split(), np.arange(20), seed=0, times=np.zeros(20))
    assert caught.value.faults[0].code == "constant_time"
