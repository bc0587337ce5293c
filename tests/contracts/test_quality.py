"""What every table inspector promises: DuckDB's, and the twin on the twin of the table engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydroml.adapters.memory.quality import InMemoryTableInspector
from hydroml.adapters.memory.storage import InMemoryBlobStore
from hydroml.adapters.memory.tables import InMemoryTableEngine
from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.adapters.tables.quality import DuckDbTableInspector
from hydroml.application.ports.quality import Combination, Pattern, TableInspector
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.quality.facts import Hits
from tests.tables import QuietMonitor, Workshop

ROWS = [
    {"site": "b", "n": 1, "flow": 3},
    {"site": "a", "n": 2, "flow": None},
    {"site": "b", "n": 3, "flow": 1},
    {"site": "b", "n": 2, "flow": 1},
    {"site": "b", "n": 3, "flow": 1},
    {"site": "a", "n": 2, "flow": None},
]
MONITOR = QuietMonitor()


@dataclass
class Bench:
    workshop: Workshop
    inspector: TableInspector


class TableInspectorContract:
    """Subclasses give the fixture `bench`."""

    def test_measures_what_is_missing_and_different(self, bench: Bench) -> None:
        facts = bench.inspector.measure(bench.workshop.table(ROWS), MONITOR)
        assert (facts.rows, facts.duplicates) == (6, Hits(2, (5, 6)))
        assert [(c.name, c.missing, c.distinct) for c in facts.columns] == [("site", 0, 2), ("n", 0, 3), ("flow", 2, 2)]
        assert facts.column("site").values == (("b", 4), ("a", 2))

    def test_an_empty_table_has_facts(self, bench: Bench) -> None:
        _, table = bench.workshop.imported("a,b\n")
        assert bench.inspector.measure(table, MONITOR).rows == 0

    def test_counts_rows_by_conditions(self, bench: Bench) -> None:
        table = bench.workshop.table(ROWS)
        found = bench.inspector.hits(table, ["flow = 1", "is_missing(flow)", "n > 9"], MONITOR)
        assert found == [Hits(3, (3, 4, 5)), Hits(2, (2, 6)), Hits(0)]

    def test_only_the_first_rows_are_named(self, bench: Bench) -> None:
        table = bench.workshop.table([{"n": n} for n in range(100)])
        assert bench.inspector.hits(table, ["n >= 50"], MONITOR) == [Hits(50, tuple(range(51, 71)))]

    @pytest.mark.parametrize("condition", ["nope = 1", "n +", "(SELECT 1)"])
    def test_a_bad_condition_is_refused(self, bench: Bench, condition: str) -> None:
        table = bench.workshop.table(ROWS)
        with pytest.raises(InvalidInputError):
            bench.inspector.hits(table, [condition], MONITOR)
        with pytest.raises(InvalidInputError):
            bench.inspector.check(table.columns, condition)
        bench.inspector.check(table.columns, "n > 1")

    def test_rows_that_come_again(self, bench: Bench) -> None:
        table = bench.workshop.table(ROWS)
        assert bench.inspector.repeated(table, ["site", "n"], MONITOR) == Hits(2, (5, 6))
        assert bench.inspector.repeated(table, ["flow"], MONITOR) == Hits(2, (4, 5))
        with pytest.raises(InvalidInputError):
            bench.inspector.repeated(table, ["nope"], MONITOR)

    def test_rows_that_break_the_order(self, bench: Bench) -> None:
        table, inspector = bench.workshop.table(ROWS), bench.inspector

        def found(group: str | None, *, descending: bool = False, strict: bool = False) -> tuple[int, ...]:
            return inspector.disordered(table, "n", group, descending=descending, strict=strict, monitor=MONITOR).first

        assert found(None) == (4, 6)
        assert found("site") == (4,)
        assert found("site", strict=True) == (4, 6)
        assert found("site", descending=True) == (3, 5)
        flows = inspector.disordered(table, "flow", None, descending=False, strict=False, monitor=MONITOR)
        assert flows == Hits(1, (3,))

    def test_rows_that_another_table_does_not_know(self, bench: Bench) -> None:
        table = bench.workshop.table(ROWS)
        other = bench.workshop.table([{"code": "a", "flow": 3}, {"code": "c", "flow": 2}])
        assert bench.inspector.orphans(table, ["site"], other, ["code"], MONITOR) == Hits(4, (1, 3, 4, 5))
        assert bench.inspector.orphans(table, ["flow"], other, ["flow"], MONITOR) == Hits(3, (3, 4, 5))
        with pytest.raises(InvalidInputError):
            bench.inspector.orphans(table, ["site"], other, ["nope"], MONITOR)

    def test_missing_values_by_pattern_and_combination(self, bench: Bench) -> None:
        table = bench.workshop.table(
            [
                {"a": 1, "b": None, "c": 1},
                {"a": 1, "b": None, "c": 1},
                {"a": None, "b": 2, "c": 1},
                {"a": 1, "b": 2, "c": 1},
            ]
        )
        found = bench.inspector.missing(table, [], MONITOR)
        assert (found.rows, found.columns) == (4, (("a", 1), ("b", 2), ("c", 0)))
        assert found.patterns[0] == Pattern(("b",), 2)
        assert set(found.patterns) == {Pattern(("b",), 2), Pattern(("a",), 1), Pattern((), 1)}
        assert found.combinations == (Combination(("a",), 3), Combination(("b",), 2), Combination(("a", "b"), 1))
        chosen = bench.inspector.missing(table, ["c", "b"], MONITOR).combinations
        assert chosen == (Combination(("c",), 4), Combination(("b",), 2), Combination(("c", "b"), 2))

    def test_at_most_twelve_columns_are_combined(self, bench: Bench) -> None:
        table = bench.workshop.table([{f"c{at}": at for at in range(13)}])
        assert len(bench.inspector.missing(table, [f"c{at}" for at in range(12)], MONITOR).combinations) == 4095
        with pytest.raises(InvalidInputError):
            bench.inspector.missing(table, [f"c{at}" for at in range(13)], MONITOR)
        with pytest.raises(InvalidInputError):
            bench.inspector.missing(table, ["nope"], MONITOR)


class TestInMemory(TableInspectorContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        blobs = InMemoryBlobStore()
        engine = InMemoryTableEngine(blobs)
        return Bench(Workshop(engine, blobs, tmp_path), InMemoryTableInspector(engine))


class TestDuckDb(TableInspectorContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        blobs = FolderBlobStore(tmp_path / "blobs")
        engine = DuckDbTableEngine(blobs, tmp_path / "temp", 1 << 30, 2)
        inspector = DuckDbTableInspector(blobs, tmp_path / "inspector", 1 << 30, 2)
        yield Bench(Workshop(engine, blobs, tmp_path), inspector)
        inspector.close()
        engine.close()
