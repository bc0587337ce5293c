"""What every table engine promises: DuckDB's, and the twin on SQLite."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hydroml.adapters.memory.storage import InMemoryBlobStore
from hydroml.adapters.memory.tables import InMemoryTableEngine
from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.application.ports.tables import IncomingFile, TextSearch, View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.exports import ExportFormat, ExportOptions, ExportShape
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.sources import ColumnType, ImportOptions, UnreadableFileError
from hydroml.domain.studio.conditions import Comparison, Group, Test
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    Aggregate,
    Derive,
    DropColumns,
    FillMethod,
    FillMissing,
    Filter,
    Sort,
    SortKey,
    Step,
)
from hydroml.domain.studio.steps.statistics import Statistic, Summary
from tests.tables import QuietMonitor, Workshop

ROWS = [
    {"site": "b", "flow": 3, "level": 0.5},
    {"site": "a", "flow": None, "level": 1.5},
    {"site": "b", "flow": 1, "level": None},
    {"site": "a", "flow": 3, "level": 2.25},
]


class TableEngineContract:
    """Subclasses give the fixture `workshop`."""

    def test_import_gives_exact_columns_and_rows(self, workshop: Workshop) -> None:
        written, table = workshop.imported("name,n,x\nada,1,0.5\nbob,,1.5\n")
        assert [(c.name, c.type) for c in written.columns] == [
            ("name", ColumnType.TEXT),
            ("n", ColumnType.INTEGER),
            ("x", ColumnType.NUMBER),
        ]
        assert written.rows == 2
        assert workshop.rows(table) == [{"name": "ada", "n": 1, "x": 0.5}, {"name": "bob", "n": None, "x": 1.5}]

    def test_late_fraction_makes_the_whole_column_a_number(self, workshop: Workshop) -> None:
        written, table = workshop.imported("n,s\n" + "1,a\n" * 300 + "1.5,b\n")
        assert written.columns[0].type is ColumnType.NUMBER
        assert workshop.rows(table)[-1]["n"] == 1.5

    def test_leading_zeros_stay_text(self, workshop: Workshop) -> None:
        _, table = workshop.imported("code,n\n01234,1\n10000,2\n")
        assert workshop.column(table, "code") == ["01234", "10000"]

    @pytest.mark.parametrize("content", [b"", b"\x93\x00\xff\x00\x01garbage\x00\xfe"], ids=["empty", "binary"])
    def test_what_is_no_table_is_refused(self, workshop: Workshop, content: bytes) -> None:
        with pytest.raises(UnreadableFileError):
            workshop.imported(content)

    def test_rows_of_another_width_are_rejected_by_line(self, workshop: Workshop) -> None:
        written, rejected = workshop.with_rejected("a,b\n1,2\n3\n4,5\n")
        assert (written.rows, written.rejected) == (2, 1)
        assert rejected == [{"file": "t.csv", "line": 3, "reason": "it has 1 cell, not 2", "text": "3"}]

    def test_detection_shows_what_an_import_would_do(self, workshop: Workshop) -> None:
        found = workshop.detect("a,b\n1,x\n2,y\n")
        assert (found.format, found.options.delimiter) == ("csv", ",")
        assert [(c.name, c.type) for c in found.columns] == [("a", ColumnType.INTEGER), ("b", ColumnType.TEXT)]
        assert found.rows == ((1, "x"), (2, "y"))

    def test_several_files_are_one_table_by_the_names_of_columns(self, workshop: Workshop) -> None:
        files = {"0.csv": "n,s\n1,a\n2,b\n", "1.csv": "s,x,n\nc,0.5,3.5\n", "2.csv": "n,s\n4\n5,late\n6,e\n"}
        found = workshop.engine.detect(workshop.incoming(files), ImportOptions())
        assert [(file.name, file.size) for file in found.files] == [(name, len(text)) for name, text in files.items()]
        written, table, rejected = workshop.joined(files)
        expected = [("n", ColumnType.NUMBER), ("s", ColumnType.TEXT), ("x", ColumnType.NUMBER)]
        assert [(c.name, c.type) for c in written.columns] == expected
        assert [(c.name, c.type) for c in found.columns] == expected
        assert (written.rows, written.rejected, found.rejected) == (5, 1, 1)
        assert workshop.rows(table)[1:4] == [
            {"n": 2, "s": "b", "x": None},
            {"n": 3.5, "s": "c", "x": 0.5},
            {"n": 5, "s": "late", "x": None},
        ]
        assert [(row["file"], row["line"]) for row in rejected] == [("2.csv", 2)]

    def test_numbers_beside_text_keep_their_spelling(self, workshop: Workshop) -> None:
        _, table, _ = workshop.joined({"a.csv": "x,y\n1.50,a\n", "b.csv": "x,y\nword,b\n"})
        assert workshop.column(table, "x") == ["1.50", "word"]

    def test_rows_are_appended_behind_those_of_a_table(self, workshop: Workshop) -> None:
        _, first = workshop.imported("n,s,x\n1,007,0.5\n")
        written, longer, _ = workshop.joined({"b.csv": "s,n,new\n8,2,t\n"}, onto=first)
        assert [(c.name, c.type) for c in written.columns] == [
            ("n", ColumnType.INTEGER),
            ("s", ColumnType.TEXT),
            ("x", ColumnType.NUMBER),
            ("new", ColumnType.TEXT),
        ]
        assert workshop.rows(longer) == [
            {"n": 1, "s": "007", "x": 0.5, "new": None},
            {"n": 2, "s": "8", "x": None, "new": "t"},
        ]
        assert workshop.rows(first) == [{"n": 1, "s": "007", "x": 0.5}]

    def test_text_is_not_appended_to_numbers(self, workshop: Workshop) -> None:
        _, first = workshop.imported("n,s\n1,a\n")
        with pytest.raises(UnreadableFileError, match="“n” holds values of type integer so far"):
            workshop.joined({"b.csv": "n,s\nmany,b\n"}, onto=first)

    def test_cancelled_import_stops(self, workshop: Workshop) -> None:
        out = workshop.folder / "out"
        with pytest.raises(JobCancelledError):
            workshop.engine.import_files(
                [IncomingFile(workshop.file("a\n1\n"), "t.csv")],
                ImportOptions(),
                out,
                workshop.folder / "rejected",
                QuietMonitor(cancelled=True),
            )
        assert not out.exists()

    def test_filter_keeps_what_is_true_and_nothing_else(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        assert workshop.column(table, "level", Filter("flow > 1")) == [0.5, 2.25]

    def test_sort_is_stable_and_puts_missing_last(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        for descending, expected in ((False, [None, 0.5, 2.25, 1.5]), (True, [0.5, 2.25, None, 1.5])):
            assert workshop.column(table, "level", Sort((SortKey("flow", descending),))) == expected
        assert workshop.column(table, "level", Sort((SortKey("flow"),)), Sort((SortKey("site"),))) == [
            2.25,
            1.5,
            None,
            0.5,
        ]

    def test_derive_adds_at_the_end_and_replaces_in_place(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        added = workshop.rows(table, Derive("double", "flow * 2"))
        assert list(added[0]) == ["site", "flow", "level", "double"]
        assert [row["double"] for row in added] == [6, None, 2, 6]
        replaced = workshop.rows(table, Derive("flow", "flow * 2"))
        assert list(replaced[0]) == ["site", "flow", "level"]
        assert [row["flow"] for row in replaced] == [6, None, 2, 6]

    def test_aggregate_gives_a_row_for_each_group(self, workshop: Workshop) -> None:
        figures = (
            Summary(Statistic.COUNT, name="rows"),
            Summary(Statistic.COUNT, "flow"),
            Summary(Statistic.COUNT_DISTINCT, "flow", name="kinds"),
            Summary(Statistic.MIN, "level", name="low"),
            Summary(Statistic.MAX, "level", name="high"),
        )
        assert workshop.rows(workshop.table(ROWS), Aggregate(figures, ("site",))) == [
            {"site": "a", "rows": 2, "flow_count": 1, "kinds": 1, "low": 1.5, "high": 2.25},
            {"site": "b", "rows": 2, "flow_count": 2, "kinds": 2, "low": 0.5, "high": 0.5},
        ]
        assert workshop.rows(workshop.table(ROWS), Aggregate(figures[:1])) == [{"rows": 4}]

    def test_drop_leaves_columns_out(self, workshop: Workshop) -> None:
        assert list(workshop.rows(workshop.table(ROWS), DropColumns(("flow", "site")))[0]) == ["level"]

    @pytest.mark.parametrize(
        ("method", "value", "expected"),
        [
            (FillMethod.CONSTANT, 9, [0.5, 1.5, 9, 2.25]),
            (FillMethod.MEAN, None, [0.5, 1.5, 4.25 / 3, 2.25]),
            (FillMethod.MEDIAN, None, [0.5, 1.5, 1.5, 2.25]),
            (FillMethod.PREVIOUS, None, [0.5, 1.5, 1.5, 2.25]),
            (FillMethod.NEXT, None, [0.5, 1.5, 2.25, 2.25]),
        ],
    )
    def test_fill_missing(
        self, workshop: Workshop, method: FillMethod, value: float | None, expected: list[float]
    ) -> None:
        table = workshop.table(ROWS)
        assert workshop.column(table, "level", FillMissing(("level",), method, value)) == pytest.approx(expected)

    def test_mode_is_the_most_frequent_value(self, workshop: Workshop) -> None:
        assert workshop.column(workshop.table(ROWS), "flow", FillMissing(("flow",), FillMethod.MODE)) == [3, 3, 1, 3]

    def test_learnt_values_stay_when_the_rows_change(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        step = FillMissing(("flow",), FillMethod.MEDIAN)
        fitted = workshop.engine.fit(table, (), step)
        rows = workshop.view(View(table, (RecipeStep(Filter("site = 'a'")), RecipeStep(step, fitted))))
        assert [row["flow"] for row in rows] == [3, 3]

    def test_learning_in_a_job_is_the_same(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        step = FillMissing(("flow",), FillMethod.MEDIAN)
        assert workshop.engine.fit(table, (), step, QuietMonitor()) == workshop.engine.fit(table, (), step)

    def test_what_is_forgotten_is_computed_again(self, workshop: Workshop) -> None:
        view = View(workshop.table(ROWS), filter="site = 'a'", sort=(SortKey("flow"),))
        before = workshop.engine.page(view, 0, 10)
        later = datetime.now(UTC) + timedelta(days=1)
        assert workshop.engine.forget(later, dry_run=True) == workshop.engine.forget(later)
        assert workshop.engine.forget(later) == (0, 0)
        assert workshop.engine.page(view, 0, 10).rows == before.rows

    def test_ends_stay_missing_when_filled_from_neighbours(self, workshop: Workshop) -> None:
        table = workshop.table([{"x": v, "y": 0} for v in (None, 1, None)])
        assert workshop.column(table, "x", FillMissing(("x",), FillMethod.PREVIOUS)) == [None, 1, 1]
        assert workshop.column(table, "x", FillMissing(("x",), FillMethod.NEXT)) == [1, 1, None]

    def test_flag_says_what_was_filled(self, workshop: Workshop) -> None:
        step = FillMissing(("flow",), FillMethod.CONSTANT, 0, flag=True)
        assert workshop.column(workshop.table(ROWS), "flow_filled", step) == [False, True, False, False]

    @pytest.mark.parametrize(
        "step",
        [
            Filter("flo > 1"),
            Sort((SortKey("flo"),)),
            Derive("x", "flo + 1"),
            DropColumns(("flo",)),
            FillMissing(("flo",), FillMethod.CONSTANT, 1),
            DropColumns(("site", "flow", "level")),
            Filter("flow > (SELECT 1)"),
        ],
    )
    def test_step_that_does_not_fit_names_the_place(self, workshop: Workshop, step: Step) -> None:
        with pytest.raises(InvalidInputError) as caught:
            workshop.engine.schema(workshop.table(ROWS), (RecipeStep(step),))
        assert caught.value.faults[0].loc

    def test_schema_is_what_the_page_has(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        recipe = workshop.learnt(table, Derive("x", "level + 1"), DropColumns(("level",)))
        schema = workshop.engine.schema(table, recipe)
        assert [(c.name, c.type) for c in schema] == [
            ("site", ColumnType.TEXT),
            ("flow", ColumnType.INTEGER),
            ("x", ColumnType.NUMBER),
        ]
        assert workshop.engine.page(View(table, recipe), 0, 1).columns == schema

    def test_pages_follow_each_other(self, workshop: Workshop) -> None:
        table = workshop.table([{"n": n, "s": "x"} for n in range(25)])
        pages = [workshop.engine.page(View(table), offset, 10) for offset in (0, 10, 20, 30)]
        assert [row[0] for page in pages for row in page.rows] == list(range(25))
        assert [page.row_numbers for page in pages][2:] == [(21, 22, 23, 24, 25), ()]
        assert {page.total for page in pages} == {25}
        assert workshop.engine.page(View(table), 0, 10, total=False).total is None

    def test_grid_filter_and_order_keep_the_row_numbers(self, workshop: Workshop) -> None:
        view = View(
            workshop.table([{"n": n, "s": "x"} for n in range(10)]),
            (RecipeStep(Filter("n >= 2")),),
            filter="n < 6",
            sort=(SortKey("n", descending=True),),
            columns=("n",),
        )
        page = workshop.engine.page(view, 1, 2)
        assert (page.rows, page.row_numbers, page.total) == (((4,), (3,)), (3, 2), 4)

    def test_reordered_rows_have_no_number(self, workshop: Workshop) -> None:
        recipe = (RecipeStep(Sort((SortKey("flow"),))),)
        assert workshop.engine.page(View(workshop.table(ROWS), recipe), 0, 2).row_numbers is None

    def test_profile(self, workshop: Workshop) -> None:
        profile = workshop.engine.profile(View(workshop.table(ROWS), filter="site = 'a' OR flow = 1"))
        assert (profile.rows, profile.rows_read) == (3, 3)
        site, flow, _ = profile.columns
        assert (site.missing, site.distinct, site.top) == (0, 2, (("a", 2), ("b", 1)))
        assert (site.lengths, site.minimum, site.mean, site.quantiles, site.zeros) == ((1, 1), None, None, None, None)
        assert (flow.missing, flow.distinct, flow.minimum, flow.maximum, flow.mean) == (1, 2, 1, 3, 2)
        assert flow.top == ((1, 1), (3, 1))  # as frequent: the smaller first
        assert (flow.zeros, flow.lengths) == (0, None)
        assert flow.std == pytest.approx(2**0.5)
        assert flow.quantiles == pytest.approx((1.1, 1.5, 2, 2.5, 2.9))

    def test_profile_of_chosen_columns_and_of_a_sample(self, workshop: Workshop) -> None:
        view = View(workshop.table(ROWS), columns=("flow",))
        for profile in (
            workshop.engine.profile(view),
            workshop.engine.profile(view, QuietMonitor()),
            workshop.engine.sample_profile(view),
        ):
            assert [column.name for column in profile.columns] == ["flow"]
            assert (profile.rows, profile.rows_read, profile.columns[0].distinct) == (4, 4, 2)

    def test_distributions_are_of_all_rows_and_of_those_the_filter_keeps(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        found = workshop.engine.distributions(View(table, filter="site = 'a' OR flow = 1"))
        assert (found.rows, found.kept) == (4, 3)
        site, flow, level = found.columns
        assert (site.top, site.edges, site.missing) == ((("a", 2, 2), ("b", 2, 1)), None, 0)
        assert (flow.missing, flow.kept_missing, sum(flow.counts), sum(flow.kept)) == (1, 1, 3, 2)
        assert flow.edges is not None
        assert (flow.edges[0], flow.edges[-1], len(flow.edges)) == (1, 3, len(flow.counts) + 1)
        assert (level.kept_missing, sum(level.kept)) == (1, 2)
        alone = workshop.engine.distributions(View(table, columns=("level",)))
        assert [column.name for column in alone.columns] == ["level"]
        assert alone.columns[0].counts == alone.columns[0].kept

    def test_text_is_found_from_cell_to_cell_and_around(self, workshop: Workshop) -> None:
        view = View(workshop.table([
            {"a": "North", "b": "x", "n": 12}, {"a": "x", "b": "y", "n": 3},
            {"a": None, "b": "inorthern", "n": 312}, {"a": "north", "b": "NORTH", "n": None},
        ]))  # fmt: skip
        cells = [(0, "a"), (2, "b"), (3, "a"), (3, "b")]
        for backwards in (False, True):
            turn, at, found = cells[::-1] if backwards else cells, TextSearch("nOrTh", backwards=backwards), []
            for _ in range(5):
                hit = workshop.engine.find(view, at)
                assert (hit.rows, hit.done) == (3, True)
                found.append((hit.position, hit.column))
                at = TextSearch("nOrTh", hit.position, hit.column, backwards)
            assert found == [*turn, turn[0]]
        assert workshop.engine.find(view, TextSearch("north", after=2)).position == 3
        assert workshop.engine.find(view, TextSearch("12", after=0, column="n")).position == 2
        alone = workshop.engine.find(View(view.table, columns=("b",)), TextSearch("north"))
        assert (alone.position, alone.column, alone.rows) == (2, "b", 2)
        nothing = workshop.engine.find(view, TextSearch("south"))
        assert (nothing.position, nothing.rows, nothing.done, nothing.searched) == (None, 0, True, 1.0)

    def test_text_is_found_in_the_filter_and_order_of_the_grid(self, workshop: Workshop) -> None:
        table = workshop.table([{"n": n, "s": "odd" if n % 2 else "even"} for n in range(40)])
        view = View(table, (RecipeStep(Filter("n >= 10")),), "n < 20", (SortKey("n", descending=True),))
        hit = workshop.engine.find(view, TextSearch("even"))
        assert (hit.position, hit.column, hit.rows) == (1, "s", 5)  # 19, 18, …
        assert workshop.engine.find(view, TextSearch("even", 1)).position == 3
        assert workshop.engine.find(view, TextSearch("even", 1, backwards=True)).position == 9
        unsorted = View(table, view.recipe, "n < 20")
        assert workshop.engine.find(unsorted, TextSearch("15")).position == 5
        with pytest.raises(InvalidInputError):
            workshop.engine.find(view, TextSearch("even", 1, "no such"))

    def test_preview_says_what_a_step_would_do(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        preview = workshop.engine.preview(table, (), RecipeStep(FillMissing(("flow",), FillMethod.MEDIAN, flag=True)))
        assert (preview.added_columns, preview.removed_columns) == (("flow_filled",), ())
        assert (preview.rows_before, preview.rows_after, preview.changed_cells["flow"]) == (4, 4, 1)
        preview = workshop.engine.preview(table, (), RecipeStep(Filter("flow > 1")))
        assert (preview.rows_before, preview.rows_after, len(preview.page.rows)) == (4, 2, 2)

    def test_query_reads_its_tables_and_the_table_at_hand(self, workshop: Workshop) -> None:
        table, other = workshop.table(ROWS), workshop.table([{"a": 1}, {"a": 2}, {"a": 3}])
        this = View(table, (RecipeStep(Filter("flow > 1")),))
        text = 'SELECT count(*) AS n, (SELECT max(a) FROM "the other") AS top FROM this'
        found = workshop.engine.query(text, {"the other": other, "unread": other}, this, 10, QuietMonitor())
        kept = workshop.engine.page(this, 0, 1).total
        assert (found.rows, found.total, found.truncated) == (((kept, 3),), 1, False)
        assert set(found.used) == {"the other", "this"}
        assert set(workshop.engine.check_query(text, {"the other": other}, this)) == {"the other", "this"}

    def test_query_gives_its_first_rows(self, workshop: Workshop) -> None:
        other = workshop.table([{"a": 1}, {"a": 2}, {"a": 3}])
        found = workshop.engine.query("SELECT a FROM t", {"t": other}, None, 2, QuietMonitor())
        assert (found.rows, found.total, found.truncated) == (((1,), (2,)), None, True)

    @pytest.mark.parametrize("text", ["DELETE FROM t", "SELECT a FROM other", "SELECT b FROM t", "not SQL"])
    def test_query_that_cannot_run_names_its_place(self, workshop: Workshop, text: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            workshop.engine.check_query(text, {"t": workshop.table([{"a": 1}])}, None)
        assert caught.value.faults[0].loc == ("sql",)

    def test_written_query_is_a_table(self, workshop: Workshop, tmp_path: Path) -> None:
        tables = {"t": workshop.table([{"a": 1}, {"a": 2}])}
        out = tmp_path / "table"
        written = workshop.engine.write_query("SELECT a * 2 AS twice FROM t", tables, None, out, QuietMonitor())
        assert (written.columns[0].name, written.columns[0].type, written.rows) == ("twice", ColumnType.INTEGER, 2)

    def test_formula_is_checked_by_its_type(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        assert workshop.engine.check_formula(table, (), "flow * 1.5", "value") is ColumnType.NUMBER
        assert workshop.engine.check_formula(table, (), "flow > 1", "condition") is ColumnType.BOOLEAN
        with pytest.raises(InvalidInputError):
            workshop.engine.check_formula(table, (), "nothing + 1", "value")

    def test_condition_is_read_as_comparisons(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        found = workshop.engine.read_condition(table, (), "flow > 1 AND flow <= 3")
        assert found == Group("all", (Comparison("flow", Test.GREATER, (1,)), Comparison("flow", Test.AT_MOST, (3,))))
        assert workshop.engine.read_condition(table, (), "flow * 2 > 1") is None
        assert workshop.engine.read_condition(table, (), "nothing > 1") is None

    def test_materialised_table_is_the_view(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        recipe = workshop.learnt(
            table,
            FillMissing(("flow",), FillMethod.PREVIOUS),
            Derive("z", "flow + 1"),
            Filter("z > 2"),
            Sort((SortKey("site"),)),
        )
        expected = workshop.view(View(table, recipe))
        out = workshop.folder / "out.parquet"
        written = workshop.engine.materialise(table, recipe, out, QuietMonitor())
        assert written.rows == len(expected)
        assert workshop.engine.describe(out).columns == written.columns
        blob = workshop.blobs.add(out)
        assert workshop.view(View(type(table)(blob.key, written.columns, written.rows))) == expected

    def test_file_that_is_no_version_can_be_materialised(self, workshop: Workshop) -> None:
        _, table = workshop.imported("a,b\n1,x\n2,y\n")
        out = workshop.folder / "out.parquet"
        with workshop.blobs.local(table.blob) as file:
            written = workshop.engine.materialise(file, (RecipeStep(Filter("a > 1")),), out, QuietMonitor())
        assert written.rows == 1

    def test_only_joins_are_matched(self, workshop: Workshop) -> None:
        with pytest.raises(InvalidInputError):
            workshop.engine.match(workshop.table(ROWS), (), RecipeStep(DropColumns(("flow",))))

    def test_replay_runs_the_row_local_steps(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        recipe = workshop.learnt(
            table,
            Filter("flow > 1"),
            FillMissing(("level",), FillMethod.CONSTANT, 1.0),
            Derive("x", "level * 2"),
            DropColumns(("site",)),
        )
        rows = workshop.engine.replay(table.columns, recipe, [{"site": "q", "flow": 0, "level": None}, {"level": 2.5}])
        assert rows == [{"flow": 0, "level": 1.0, "x": 2.0}, {"flow": None, "level": 2.5, "x": 5.0}]

    def test_target_summary(self, workshop: Workshop) -> None:
        summary = workshop.engine.target_summary(workshop.table(ROWS), "flow")
        assert (summary.rows, summary.missing, summary.distinct, summary.rarest) == (4, 1, 2, 1)

    def test_export_to_csv_and_back(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        assert workshop.rows(workshop.imported(workshop.exported(table))[1]) == workshop.rows(table)
        with workshop.blobs.local(table.blob) as file:
            assert (
                workshop.engine.export(file, ExportShape(ExportFormat.CSV), workshop.folder / "o", QuietMonitor()) == 4
            )

    def test_export_of_a_part(self, workshop: Workshop) -> None:
        table = workshop.table([{"a": n, "b": n * 1.5, "t": "xyz"[n % 3]} for n in range(9)])
        commas = ExportOptions(header=False, delimiter=";", decimal=",")
        numbers = ExportShape(ExportFormat.CSV, ("b",), sort=(SortKey("b"),), limit=8, options=commas)
        assert workshop.exported(table, numbers).split()[-2:] == [b"9,0", b"10,5"]
        shape = ExportShape(
            ExportFormat.CSV, ("t", "b"), "a > 2", (SortKey("a", descending=True),), 2,
            ExportOptions(delimiter=";", decimal=",", missing="NA", bom=True),
        )  # fmt: skip
        assert workshop.exported(table, shape).decode() == "\ufefft;b\nz;12,0\ny;10,5\n"
        bare = ExportShape(ExportFormat.TSV, ("a", "t"), limit=1, options=ExportOptions(header=False))
        assert workshop.exported(table, bare) == b"0\tx\n"
        assert workshop.exported(table, ExportShape(ExportFormat.CSV, filter="a > 99")) == b"a,b,t\n"

    def test_export_guards_texts_like_formulas(self, workshop: Workshop) -> None:
        texts = ["=1+1", "+a", "-b", "@c", "'=e", "''-f", "'g", "h=1", "'", "x-y"]
        content = "n,=t\n" + "".join(f"-{at},{text}\n" for at, text in enumerate(texts))
        _, table = workshop.imported(content, options=ImportOptions(delimiter=",", guards=False))
        lines = workshop.exported(table).decode().splitlines()
        assert lines[0] == "n,'=t"
        assert [line.partition(",")[2] for line in lines[1:]] == [
            "'=1+1", "'+a", "'-b", "'@c", "''=e", "'''-f", "'g", "h=1", "'", "x-y",
        ]  # fmt: skip
        assert lines[2].startswith("-1,")
        bare = ExportShape(ExportFormat.CSV, options=ExportOptions(neutralise=False))
        assert workshop.exported(table, bare).decode().splitlines()[1] == "0,=1+1"

    def test_exports_that_cannot_be_are_refused_before(self, workshop: Workshop) -> None:
        table = workshop.table(ROWS)
        for shape, place in (
            (ExportShape(ExportFormat.CSV, ("flow", "no such")), "columns"),
            (ExportShape(ExportFormat.CSV, filter="nothing > 1"), "filter"),
        ):
            with pytest.raises(InvalidInputError) as refused:
                workshop.engine.check_export(table, shape)
            assert refused.value.faults[0].loc[0] == place
        with pytest.raises(InvalidInputError):
            workshop.engine.check_export(table, ExportShape(ExportFormat.CSV, sort=(SortKey("no such"),)))
        workshop.engine.check_export(table, ExportShape(ExportFormat.XLSX))

    def test_cells_too_long_for_a_sheet_are_refused_in_words(self, workshop: Workshop) -> None:
        table = workshop.table([{"a": 1, "t": "x" * 32_767}, {"a": 2, "t": "🌊" * 16_384}])
        workshop.engine.check_export(table, ExportShape(ExportFormat.XLSX, filter="a = 1"))
        workshop.engine.check_export(table, ExportShape(ExportFormat.CSV))
        with pytest.raises(InvalidInputError, match=r"32,767 characters, and one of “t” has 32,768"):
            workshop.engine.check_export(table, ExportShape(ExportFormat.XLSX))

    def test_functions_are_listed_with_help(self, workshop: Workshop) -> None:
        assert all(f.name and f.signature and f.help for f in workshop.engine.functions())
        assert workshop.engine.functions()


class TestDuckDbTables(TableEngineContract):
    @pytest.fixture
    def workshop(self, tmp_path: Path) -> Workshop:
        blobs = FolderBlobStore(tmp_path / "blobs")
        return Workshop(DuckDbTableEngine(blobs, tmp_path / "tmp", 1 << 30, 2), blobs, tmp_path)


class TestInMemoryTables(TableEngineContract):
    @pytest.fixture
    def workshop(self, tmp_path: Path) -> Workshop:
        blobs = InMemoryBlobStore()
        return Workshop(InMemoryTableEngine(blobs), blobs, tmp_path)
