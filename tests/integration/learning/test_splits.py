"""The laws of a split: nothing in both parts, nothing lost, nothing of the future in the training part."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydroml.adapters.learning.frames import Times
from hydroml.adapters.learning.splits import MIN_PART, Parts, Rows, divided, draw
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import Split, SplitKind
from hydroml.domain.sources import ColumnType

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0.05, 0.6)
gaps = st.floats(0.0, 0.3)


@st.composite
def usable(draw_: st.DrawFn) -> Any:
    """Positions of usable rows in a table with holes."""
    flags = draw_(st.lists(st.booleans(), min_size=10, max_size=200))
    return np.flatnonzero(flags)


def folds(kind: SplitKind, rows: Any, split: Split | None = None, seed: int = 0, **known: Any) -> list[Parts] | None:
    """The parts of each fold, or None when they would be too small."""
    if known.get("times") is not None:
        values = np.asarray(known["times"])
        kind_of_time = ColumnType.DATE if values.dtype.kind == "M" else ColumnType.INTEGER
        known["times"] = Times(values.astype("datetime64[us]") if values.dtype.kind == "M" else values, kind_of_time)
    with suppress(InvalidInputError):
        return draw(kind, split or Split(), Rows(rows, **known), seed=seed)
    return None


def drawn(kind: SplitKind, rows: Any, **options: Any) -> Parts | None:
    found = folds(kind, rows, **options)
    return None if found is None else found[0]


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
    first, second = (draw(SplitKind.RANDOM, Split(), Rows(rows), seed=seed)[0] for seed in (1, 2))
    assert not np.array_equal(first.test, second.test)


def test_order_of_rows_in_the_table_does_not_matter_to_a_chronological_split() -> None:
    times = np.array([9, 1, 8, 2, 7, 3, 6, 4, 5, 0])
    rows = Rows(np.arange(10), times=Times(times, ColumnType.INTEGER))
    [parts] = draw(SplitKind.CHRONOLOGICAL, Split(test_size=0.3), rows, seed=0)
    assert sorted(times[parts.test]) == [7, 8, 9]


@pytest.mark.parametrize("kind", [SplitKind.RANDOM, SplitKind.STRATIFIED, SplitKind.CHRONOLOGICAL])
def test_few_rows_are_enough_and_fewer_are_refused(kind: SplitKind) -> None:
    values = np.arange(10) % 2
    known = {"codes": values, "times": Times(np.arange(10), ColumnType.INTEGER)}
    [parts] = draw(kind, Split(test_size=0.01), Rows(np.arange(4), **known), seed=0)
    assert (len(parts.train), len(parts.test)) == (2, 2)
    with pytest.raises(InvalidInputError):
        draw(kind, Split(), Rows(np.arange(3), **known), seed=0)


def test_one_moment_for_all_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        draw(
            SplitKind.CHRONOLOGICAL, Split(), Rows(np.arange(20), times=Times(np.zeros(20), ColumnType.INTEGER)), seed=0
        )
    assert caught.value.faults[0].code == "constant_time"


@given(usable(), st.data(), st.integers(2, 6), seeds)
@pytest.mark.parametrize("kind", [SplitKind.KFOLD, SplitKind.STRATIFIED_KFOLD, SplitKind.GROUP_KFOLD])
def test_every_row_is_tested_once_by_a_model_that_has_not_seen_it(
    kind: SplitKind, rows: Any, data: st.DataObject, count: int, seed: int
) -> None:
    size = int(rows.max()) + 1 if len(rows) else 1
    known = np.array(data.draw(st.lists(st.integers(0, 5), min_size=size, max_size=size)))
    found = folds(kind, rows, Split(folds=count), seed, codes=known, groups=known)
    if found is None:
        return
    assert np.array_equal(np.sort(np.concatenate([parts.test for parts in found])), rows)
    for parts in found:
        assert np.array_equal(np.sort(np.concatenate([parts.train, parts.test])), rows)
        if kind is SplitKind.GROUP_KFOLD:
            assert not set(known[parts.train]) & set(known[parts.test])


@given(usable(), st.data(), shares, seeds)
def test_groups_stay_whole(rows: Any, data: st.DataObject, share: float, seed: int) -> None:
    size = int(rows.max()) + 1 if len(rows) else 1
    groups = np.array(data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)))
    parts = drawn(SplitKind.GROUP, rows, split=Split(test_size=share), seed=seed, groups=groups)
    if parts is None:
        return
    assert np.array_equal(np.sort(np.concatenate([parts.train, parts.test])), rows)
    assert not set(groups[parts.train]) & set(groups[parts.test])


@pytest.mark.parametrize("share", [0.01, 0.5, 0.5625, 0.9])
def test_two_groups_are_one_on_each_side(share: float) -> None:
    groups = np.array([0, 0, 0, 1, 1])
    parts = drawn(SplitKind.GROUP, np.arange(5), split=Split(test_size=share), groups=groups)
    assert parts is not None
    assert {tuple(set(groups[parts.train])), tuple(set(groups[parts.test]))} == {(0,), (1,)}


@given(usable(), st.data(), st.integers(2, 5), gaps, st.floats(0.1, 1.0))
@pytest.mark.parametrize("kind", [SplitKind.EXPANDING, SplitKind.SLIDING])
def test_each_stretch_of_time_is_tested_by_what_lies_before_it(
    kind: SplitKind, rows: Any, data: st.DataObject, count: int, gap: float, window: float
) -> None:
    size = int(rows.max()) + 1 if len(rows) else 1
    times = np.array(data.draw(st.lists(st.integers(0, 200), min_size=size, max_size=size)))
    found = folds(kind, rows, Split(folds=count, gap=gap, window=window), times=times)
    if found is None:
        return
    assert len(found) == count
    moments = np.unique(times[rows])
    place = dict(zip(moments.tolist(), range(len(moments)), strict=True))
    for earlier, later in pairwise(found):
        assert times[earlier.test].max() < times[later.test].min()
        assert kind is SplitKind.SLIDING or set(earlier.train) <= set(later.train)
    for parts in found:
        last, first = times[parts.train].max(), times[parts.test].min()
        assert place[first] - place[last] - 1 >= gap * len(moments) - 1e-9
        trained = len(np.unique(times[parts.train]))
        assert kind is SplitKind.EXPANDING or trained <= max(window * len(moments), 1)


@pytest.mark.parametrize("start", [1, 4, 10])
def test_whole_water_years_test(start: int) -> None:
    days = np.arange("2000-01-01", "2010-01-01", dtype="datetime64[D]")
    parts = drawn(SplitKind.WATER_YEARS, np.arange(len(days)), split=Split(test_size=0.3, year_start=start), times=days)
    assert parts is not None
    first = days[parts.test].min()
    assert (first.astype("datetime64[M]").astype(int) % 12 + 1, str(first)[-2:]) == (start, "01")
    assert days[parts.train].max() == first - 1
    assert 0.2 < len(parts.test) / len(days) < 0.4


def test_repeats_are_drawn_anew() -> None:
    found = folds(SplitKind.KFOLD, np.arange(40), Split(folds=4, repeats=3))
    assert found is not None
    assert len(found) == 12
    assert len({tuple(parts.test) for parts in found}) == 12


def test_fewer_groups_than_folds_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 groups"):
        draw(SplitKind.GROUP_KFOLD, Split(folds=3), Rows(np.arange(20), groups=np.arange(20) % 2), seed=0)


@pytest.mark.parametrize("kind", [kind for kind in SplitKind if kind.is_folded])
@given(st.integers(120, 300), st.integers(2, 4), st.integers(2, 3), st.integers(3, 12), seeds)
def test_an_outer_fold_takes_part_in_no_fit_within(
    kind: SplitKind, count: int, outer: int, inner: int, groups: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    rows = Rows(
        np.sort(random.permutation(2 * count)[:count]),
        random.integers(0, 2, 2 * count),
        Times(random.integers(0, count, 2 * count).astype(float), ColumnType.NUMBER),
        random.permutation(2 * count) % (groups * 3),
    )
    tested = []
    for fold in range(1, outer + 1):
        split = Split(kind, folds=outer, fold=fold, validation=inner)
        [parts], within, kept = divided(kind, split, rows, seed=seed)
        tested.append(parts.test)
        assert not np.intersect1d(parts.train, parts.test).size
        assert np.array_equal(kept, parts.train)
        assert len(within) == inner
        for one in within:
            seen = np.concatenate([one.train, one.test])
            assert np.isin(seen, parts.train).all()
            assert not np.intersect1d(seen, parts.test).size
            assert not np.intersect1d(one.train, one.test).size
            if kind.is_grouped and rows.groups is not None:
                assert not np.intersect1d(rows.groups[seen], rows.groups[parts.test]).size
            if kind.is_chronological and rows.times is not None:
                assert rows.times.ordinals[seen].max() < rows.times.ordinals[parts.test].min()
                assert rows.times.ordinals[one.train].max() < rows.times.ordinals[one.test].min()
    everything = np.concatenate(tested)
    assert len(np.unique(everything)) == len(everything)
    if not kind.is_chronological:
        assert np.array_equal(np.sort(everything), rows.usable)
