"""Every workbook of the shared data, read without touching an option."""

import pytest

from hydroml.application.ports.tables import IncomingFile
from hydroml.domain.sources import ColumnType, ImportOptions, UnreadableFileError
from tests.shared_data import SHARED, needs_shared_data
from tests.tables import QuietMonitor, Workshop

BOOKS = SHARED / "excel_samples"
pytestmark = needs_shared_data

LETTERS = {
    "i": ColumnType.INTEGER,
    "n": ColumnType.NUMBER,
    "t": ColumnType.TEXT,
    "d": ColumnType.DATE,
    "b": ColumnType.BOOLEAN,
}
FIRST = [
    ("calamine_date.ods", "Sheet1", 4, "ti", "column_1"),
    ("calamine_date_1904.xls", "Sheet1", 3, "ti", "column_1"),
    ("calamine_date_1904.xlsx", "Sheet1", 3, "ti", "column_1"),
    ("calamine_header-row.xlsx", "Sheet1", 1, "tiii", "Columns"),
    ("calamine_inventory-table.xlsx", "Sheet1", 4, "iti", "Item"),
    ("calamine_issues.xlsb", "datatypes", 6, "t", "column_1"),
    ("calamine_merged_range.xlsx", "Sheet1", 2, "tttttttt", "A1"),
    ("calamine_multi-empty.ods", "Test", 12, "t", "StringCol"),
    ("calamine_temperature.xlsx", "Sheet1", 2, "tn", "label"),
    ("readxl_clippy.xls", "list-column", 4, "tt", "name"),
    ("readxl_clippy.xlsx", "list-column", 4, "tt", "name"),
    ("readxl_datasets.xls", "mtcars", 32, "nininnniiii", "mpg"),
    ("readxl_datasets.xlsx", "mtcars", 32, "nininnniiii", "mpg"),
    ("readxl_deaths.xls", "arts", 10, "ttibdd", "Name"),
    ("readxl_deaths.xlsx", "arts", 10, "ttibdd", "Name"),
    ("readxl_geometry.xls", "Sheet1", 3, "ttt", "B3"),
    ("readxl_geometry.xlsx", "Sheet1", 3, "ttt", "B3"),
    ("readxl_type-me.xls", "logical_coercion", 10, "tt", "maybe boolean?"),
    ("readxl_type-me.xlsx", "logical_coercion", 10, "tt", "maybe boolean?"),
]
OTHERS = [
    ("calamine_issues.xlsb", "issue2", 3, "it", "column_1"),
    ("calamine_issues.xlsb", "issue5", 1, "n", "column_1"),
    ("calamine_merged_range.xlsx", "Sheet2", 2, "tttttt", "A1"),
    ("readxl_clippy.xlsx", "two-row-header", 2, "tttt", "name"),
    ("readxl_datasets.xlsx", "chickwts", 71, "it", "weight"),
    ("readxl_datasets.xlsx", "quakes", 1000, "nnini", "lat"),
    ("readxl_deaths.xls", "other", 10, "ttibdd", "Name"),
    ("readxl_deaths.xlsx", "other", 10, "ttibdd", "Name"),
    ("readxl_type-me.xlsx", "numeric_coercion", 7, "tt", "maybe numeric?"),
    ("readxl_type-me.xlsx", "date_coercion", 7, "tt", "maybe a datetime?"),
    ("readxl_type-me.xlsx", "text_coercion", 6, "tt", "text"),
]


def test_none_is_forgotten() -> None:
    assert {file.name for file in BOOKS.iterdir()} == {name for name, *_ in FIRST} | {"calamine_errors.xlsx"}


@pytest.mark.parametrize(("name", "sheet", "rows", "types", "first"), FIRST + OTHERS)
def test_a_sheet_is_read_as_it_is_meant(
    workshop: Workshop, name: str, sheet: str, rows: int, types: str, first: str
) -> None:
    files = [IncomingFile(BOOKS / name, name)]
    out, rejected = workshop.folder / "out.parquet", workshop.folder / "rejected.parquet"
    wanted = ImportOptions() if (name, sheet, rows, types, first) in FIRST else ImportOptions(sheet=sheet)
    written = workshop.engine.import_files(files, wanted, out, rejected, QuietMonitor())
    assert (written.rows, written.columns[0].name) == (rows, first)
    assert [column.type for column in written.columns] == [LETTERS[letter] for letter in types]
    shown = workshop.engine.detect(files, wanted)
    assert (shown.format, shown.options.sheet, shown.rejected) == ("excel", sheet, written.rejected)
    assert sheet in shown.sheets
    again = workshop.engine.import_files(files, shown.options, out, rejected, QuietMonitor())
    assert (again.columns, again.rows, again.rejected) == (written.columns, written.rows, written.rejected)


def test_nothing_but_errors_is_no_table(workshop: Workshop) -> None:
    name = "calamine_errors.xlsx"
    with pytest.raises(UnreadableFileError, match="holds no values"):
        workshop.imported((BOOKS / name).read_bytes(), name)


def test_notes_below_a_table_are_kept_as_rejected_rows(workshop: Workshop) -> None:
    name = "readxl_deaths.xlsx"
    written, _, rejected = workshop.joined({name: (BOOKS / name).read_bytes()})
    assert [(row["line"], row["text"]) for row in rejected] == [
        (16, "Some"), (17, "also like to write stuff"), (18, "at the bottom,"), (19, "too!"),
    ]  # fmt: skip
    assert any("4 rows above the table" in note for note in written.notes)


def test_a_range_of_the_same_sheet(workshop: Workshop) -> None:
    name = "readxl_deaths.xlsx"
    for part, columns, rows in (("A5:F15", 6, 10), ("A5:b7", 2, 2), ("C5:C", 1, 13)):
        _, table = workshop.imported((BOOKS / name).read_bytes(), name, ImportOptions(range=part))
        assert (len(table.columns), table.rows) == (columns, rows), part


@pytest.mark.parametrize("name", ["calamine_date_1904.xls", "calamine_date_1904.xlsx"])
def test_dates_of_the_other_epoch(workshop: Workshop, name: str) -> None:
    _, table = workshop.imported((BOOKS / name).read_bytes(), name)
    assert workshop.column(table, "column_1")[:2] == ["2021-01-01", "2021-01-02"]
