"""What every comparer promises: DuckDB's, and the twin in memory."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.adapters.memory.comparison import InMemoryTableComparer
from hydroml.adapters.memory.storage import InMemoryBlobStore
from hydroml.adapters.memory.tables import InMemoryTableEngine
from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.comparing import DuckDbTableComparer
from hydroml.application.ports.comparison import ChangedRow, Comparison, TableComparer
from hydroml.domain.errors import InvalidInputError
from tests.tables import QuietMonitor, Workshop

ROWS = [
    {"site": "a", "day": 1, "flow": 1.5},
    {"site": "a", "day": 2, "flow": None},
    {"site": "b", "day": 1, "flow": 2.5},
]


class Bench:
    def __init__(self, workshop: Workshop, comparer: TableComparer) -> None:
        self.workshop, self.comparer = workshop, comparer

    def compare(
        self, before: list[dict[str, Any]], after: list[dict[str, Any]], key: list[str] | None = None
    ) -> Comparison:
        tables = self.workshop.table(before), self.workshop.table(after)
        return self.comparer.compare(*tables, key, QuietMonitor())


class ComparerContract:
    """Subclasses give the fixture `bench`."""

    def test_the_same_table_has_not_changed(self, bench: Bench) -> None:
        found = bench.compare(ROWS, ROWS)
        assert found.key == ("site", "day")  # neither alone tells the rows apart
        assert (found.added, found.removed, found.changed, found.unchanged) == (0, 0, 0, 3)
        assert (found.added_rows, found.removed_rows, found.changed_rows) == ((), (), ())

    def test_rows_by_their_key(self, bench: Bench) -> None:
        after = [ROWS[2] | {"flow": 2.75}, ROWS[0], {"site": "c", "day": 1, "flow": 9.5}]
        found = bench.compare(ROWS, after)
        assert (found.rows_before, found.rows_after) == (3, 3)
        assert (found.added, found.removed, found.changed, found.unchanged) == (1, 1, 1, 1)
        assert found.changed_columns == {"flow": 1}
        assert found.added_rows == (("c", 1, 9.5),)
        assert found.removed_rows == (("a", 2, None),)
        assert found.changed_rows == (ChangedRow(("b", 1), {"flow": (2.5, 2.75)}),)

    def test_a_value_that_comes_or_goes_is_a_change(self, bench: Bench) -> None:
        after = [ROWS[0] | {"flow": None}, ROWS[1] | {"flow": 7.5}, ROWS[2]]
        found = bench.compare(ROWS, after, ["site", "day"])
        assert found.changed == 2
        assert [row.cells["flow"] for row in found.changed_rows] == [(1.5, None), (None, 7.5)]

    def test_whole_rows_where_there_is_no_key(self, bench: Bench) -> None:
        before = [{"n": 1}, {"n": 1}, {"n": 1}, {"n": 2}]
        found = bench.compare(before, [{"n": 1}, {"n": 3}, {"n": 3}])
        assert (found.key, found.changed) == ((), None)
        assert (found.added, found.removed, found.unchanged) == (2, 3, 1)
        assert bench.compare(ROWS, ROWS, []).unchanged == 3

    def test_columns_that_came_went_and_changed_their_type(self, bench: Bench) -> None:
        before = [{"id": 1, "old": 5, "level": 1}, {"id": 2, "old": 6, "level": 2}]
        after = [{"level": 1.0, "id": 1, "new": "x"}, {"level": 2.5, "id": 2, "new": "y"}]
        found = bench.compare(before, after)
        assert [column.name for column in found.added_columns] == ["new"]
        assert [column.name for column in found.removed_columns] == ["old"]
        assert found.retyped == (("level", "integer", "number"),)
        assert (found.key, found.changed, found.changed_columns) == (("id",), 1, {"level": 1})  # 1 is 1.0
        assert found.shown == ("level", "id")

    @pytest.mark.parametrize(("key", "code"), [(["nothing"], "unknown_column"), (["site"], "not_unique")])
    def test_a_key_that_is_none(self, bench: Bench, key: list[str], code: str) -> None:
        with pytest.raises(InvalidInputError) as error:
            bench.compare(ROWS, ROWS, key)
        assert [fault.code for fault in error.value.faults] == [code]

    @pytest.mark.parametrize("names", [("a", "b"), ("n", "row"), ("x", "c0"), ("h", 'quote"d')])
    def test_any_column_name_will_do(self, bench: Bench, names: tuple[str, str]) -> None:
        first, second = names
        before = [{first: 1, second: 5}, {first: 2, second: 6}]
        after = [{first: 1, second: 7}, {first: 2, second: 6}]
        found = bench.compare(before, after, [first])
        assert found.changed_columns == {second: 1}
        assert bench.compare(before, after, []).added == 1


class TestDuckDbComparer(ComparerContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        blobs = FolderBlobStore(tmp_path / "blobs")
        engine = DuckDbTableEngine(blobs, tmp_path / "tmp", 1 << 29, 2)
        return Bench(Workshop(engine, blobs, tmp_path), DuckDbTableComparer(blobs, tmp_path / "cmp", 1 << 29, 2))

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_says_what_the_twin_says(self, bench: Bench, tmp_path: Path, data: st.DataObject) -> None:
        rows = st.lists(
            st.fixed_dictionaries(
                {"k": st.integers(0, 5), "t": st.sampled_from(["x", "y"]), "v": st.none() | st.integers(0, 2)}
            ),
            min_size=1,
            max_size=8,
        )
        # The last row keeps the types of both twins the same.
        before, after = ([*data.draw(rows), {"k": 9, "t": "z", "v": 9}] for _ in range(2))
        key = data.draw(st.sampled_from([None, [], ["k"], ["k", "t"]]))
        twin_blobs = InMemoryBlobStore()
        twin = InMemoryTableEngine(twin_blobs)
        other = Bench(Workshop(twin, twin_blobs, tmp_path), InMemoryTableComparer(twin))

        def outcome(which: Bench) -> object:
            try:
                found = which.compare(before, after, key)
            except InvalidInputError as error:
                return error.faults[0].code
            return (
                found.key, found.added, found.removed, found.changed, found.changed_columns, found.changed_rows,
                sorted(map(repr, found.added_rows)) if found.key else None,
            )  # fmt: skip

        assert outcome(bench) == outcome(other)


class TestInMemoryComparer(ComparerContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        blobs = InMemoryBlobStore()
        engine = InMemoryTableEngine(blobs)
        return Bench(Workshop(engine, blobs, tmp_path), InMemoryTableComparer(engine))
