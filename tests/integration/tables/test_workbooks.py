"""Workbooks made here: titles, headers of two rows, merged cells, formulas, errors, ranges."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from hydroml.domain.sources import ColumnType, ImportOptions
from tests.tables import Workshop

T = ColumnType


def book(rows: list[list[Any]], change: Callable[[Worksheet], None] = lambda _: None) -> bytes:
    made = openpyxl.Workbook()
    page: Any = made.active
    for row in rows:
        page.append(row)
    change(page)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def read(workshop: Workshop, content: bytes, **options: Any) -> list[dict[str, Any]]:
    return workshop.rows(workshop.imported(content, "t.xlsx", ImportOptions(**options))[1])


def test_groups_of_columns_make_a_header_of_two_rows(workshop: Workshop) -> None:
    rows = [["site", "flow", None, "level"], [None, "min", "max", "m"], ["a", 1, 2, 0.5], ["b", 3, 4, 1.5]]

    def merge(page: Worksheet) -> None:
        page.merge_cells("A1:A2")
        page.merge_cells("B1:C1")

    assert read(workshop, book(rows, merge))[0] == {"site": "a", "flow min": 1, "flow max": 2, "level m": 0.5}
    groups = [["flow", None, "level", None], ["min", "max", "min", "max"], [1, 2, 3, 4], [5, 6, 7, 8]]

    def only_groups(page: Worksheet) -> None:
        page.merge_cells("A1:B1")
        page.merge_cells("C1:D1")

    assert read(workshop, book(groups, only_groups))[1] == {
        "flow min": 5, "flow max": 6, "level min": 7, "level max": 8,
    }  # fmt: skip


def test_title_above_blank_rows_and_columns_around(workshop: Workshop) -> None:
    rows = [[], [None, None, "Flows of 2020"], [], [None, None, "day", "flow"],
            [None, None, date(2020, 1, 1), 1.5], [None, None, date(2020, 1, 2), None]]  # fmt: skip
    content = book(rows)
    assert read(workshop, content) == [{"day": "2020-01-01", "flow": 1.5}, {"day": "2020-01-02", "flow": None}]
    assert workshop.detect(content, "t.xlsx").options.skip == 2
    assert read(workshop, content, range="C4:D5") == [{"day": "2020-01-01", "flow": 1.5}]
    assert read(workshop, content, range="C5:D6", header=False)[0] == {"column_1": "2020-01-01", "column_2": 1.5}


def test_sparse_first_row_is_no_title(workshop: Workshop) -> None:
    assert len(read(workshop, book([["a", None, None], ["b", "c", "d"], ["e", "f", "g"]]), header=False)) == 3
    assert len(read(workshop, book([[1, None, None], [2, 3, 4], [5, 6, 7]]))) == 3
    assert len(read(workshop, book([["n", "t"], [1, "a"], [2, "b"], [3, None], [None, "last"]]))) == 4


def test_errors_are_missing_and_whole_numbers_integers(workshop: Workshop) -> None:
    def spoil(page: Worksheet) -> None:
        for cell, error in (("A2", "#N/A"), ("A3", "#DIV/0!")):
            page[cell] = error
            page[cell].data_type = "e"

    content = book([["x", "y"], [None, 1], [None, 2], [7, 3]], spoil)
    assert read(workshop, content) == [{"x": None, "y": 1}, {"x": None, "y": 2}, {"x": 7, "y": 3}]


@pytest.mark.parametrize("part", ["ZZ900:ZZ901", "A1:A1"])
def test_ranges_without_a_table_are_refused_or_read(workshop: Workshop, part: str) -> None:
    content = book([["x"], [1]])
    if part == "A1:A1":
        assert workshop.imported(content, "t.xlsx", ImportOptions(range=part))[0].rows == 1
    else:
        with pytest.raises(Exception, match="holds no values"):
            workshop.imported(content, "t.xlsx", ImportOptions(range=part))


def test_one_row_alone_is_a_table(workshop: Workshop) -> None:
    assert read(workshop, book([[1, 2]])) == [{"column_1": 1, "column_2": 2}]
