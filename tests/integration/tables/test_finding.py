"""Looking for text and spreading values where tables are long, wide, or hold what is written in several ways."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hydroml.adapters.tables import finding
from hydroml.application.ports.tables import TextSearch, View
from hydroml.domain.sources import ColumnType, Table
from hydroml.domain.studio.steps import SortKey
from tests.tables import Workshop


def long_table(workshop: Workshop, rows: int = 150_000) -> Table:
    """A number, and a word that is rare."""
    out = workshop.folder / "long.parquet"
    words = ["needle" if n in (70_000, 149_999) else "hay" for n in range(rows)]
    pq.write_table(pa.table({"n": pa.array(range(rows), pa.int64()), "word": words}), out, row_group_size=20_000)
    written = workshop.engine.describe(out)
    return Table(workshop.blobs.add(out).key, written.columns, written.rows)


def test_a_search_goes_on_where_its_time_was_up(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "SECONDS", -1.0)  # every question ends before it has begun to look
    monkeypatch.setattr(finding, "_MOST_ROWS", 20_000)
    view = View(long_table(workshop))
    waiting = workshop.engine.find(view, TextSearch("needle"))
    assert (waiting.position, waiting.rows, waiting.done, waiting.searched) == (None, None, False, 0.0)
    monkeypatch.setattr(finding, "SECONDS", 60.0)
    first = workshop.engine.find(view, TextSearch("needle"))
    assert (first.position, first.column, first.rows, first.done) == (70_000, "word", None, True)
    assert 0 < first.searched < 1  # it stopped where it was found
    monkeypatch.setattr(finding, "SECONDS", -1.0)
    assert workshop.engine.find(view, TextSearch("needle")).position == 70_000  # what was looked at is known
    monkeypatch.setattr(finding, "SECONDS", 60.0)
    back = workshop.engine.find(view, TextSearch("needle", 70_000, "word", backwards=True))
    assert (back.position, back.done) == (149_999, True)
    around = workshop.engine.find(view, TextSearch("needle", 149_999, "word"))
    assert (around.position, around.rows) == (70_000, None)
    ordered = View(view.table, sort=(SortKey("n", descending=True),))
    assert [workshop.engine.find(ordered, TextSearch("needle", at)).position for at in (None, 0)] == [0, 79_999]
    assert workshop.engine.find(view, TextSearch("needle")).rows == 2  # to look in another order, all had to be read
    few = View(view.table, filter="n > 100 AND n % 70000 = 0")
    assert workshop.engine.find(few, TextSearch("needle")).position == 0


def test_values_are_found_as_the_grid_shows_them(workshop: Workshop) -> None:
    content = "n,x,when,day\n1234567,-1234.5,2020-01-31 06:00:00,2020-01-31\n7,0.25,2021-03-01 00:00:00,2021-03-01\n"
    written, table = workshop.imported(content)
    assert [c.type for c in written.columns] == [
        ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.TIMESTAMP, ColumnType.DATE,
    ]  # fmt: skip
    for text, position, column in (
        ("1,234,567", 0, "n"),
        ("\N{MINUS SIGN}1,234.5", 0, "x"),
        (".25", 1, "x"),
        ("2020-01-31T06:00", 0, "when"),
        ("2021-03", 1, "when"),
        ("it's 5 % \\", None, None),
    ):
        hit = workshop.engine.find(View(table), TextSearch(text))
        assert (hit.position, hit.column) == (position, column), text


def test_bars_of_whole_numbers_and_days_are_whole(workshop: Workshop) -> None:
    days = "\n".join(f"{n},{n * 1.5},2020-02-{1 + n // 4:02d},{n:05d}" for n in range(100))
    _, table = workshop.imported(f"n,x,day,code\n{days}")
    n, x, day, code = workshop.engine.distributions(View(table, filter="n >= 50")).columns
    assert n.edges == (*range(0, 100, 5), 99)
    assert (set(n.counts), n.kept[:11]) == ({5}, (0,) * 10 + (5,))
    assert (len(x.counts), sum(x.counts), sum(x.kept)) == (24, 100, 50)
    assert day.edges is not None
    assert (day.edges[0], day.edges[1], day.edges[-1], sum(day.kept)) == ("2020-02-01", "2020-02-03", "2020-02-25", 50)
    assert code.top is not None
    assert (code.edges, len(code.top), code.top[0]) == (None, 10, ("00000", 1, 0))


@pytest.mark.parametrize("value", ["9223372036854775807", "0.5", "2020-02-02", "2020-02-02 10:00:00", ""])
def test_one_value_has_one_bar(workshop: Workshop, value: str) -> None:
    _, table = workshop.imported(f"a,b\n{value},x\n{value},y\n")
    found = workshop.engine.distributions(View(table)).columns[0]
    assert sum(found.counts) == (2 if value else 0)
    assert (found.missing, found.top) == (0 if value else 2, None if value else ())


def test_what_is_no_number_is_missing(workshop: Workshop) -> None:
    out = workshop.folder / "odd.parquet"
    pq.write_table(pa.table({"x": [1.0, float("nan"), float("inf"), None, 2.0]}), out)
    _, table = workshop.imported(out.read_bytes(), "odd.parquet")
    found = workshop.engine.distributions(View(table, filter="x > 1")).columns[0]
    assert (found.missing, found.edges and (found.edges[0], found.edges[-1]), sum(found.kept)) == (3, (1.0, 2.0), 1)


def test_a_wide_table_is_searched_and_spread_by_columns(workshop: Workshop) -> None:
    wide = "\n".join(",".join(f"{row}.{column}" for column in range(1200)) for row in range(3))
    _, table = workshop.imported(",".join(f"c{at}" for at in range(1200)) + "\n" + wide)
    hit = workshop.engine.find(View(table), TextSearch("1.1199"))
    assert (hit.position, hit.column) == (1, "c1199")
    assert len(workshop.engine.distributions(View(table)).columns) == 100
    far = workshop.engine.distributions(View(table, columns=("c1199",))).columns[0]
    assert far.edges is not None
    assert far.edges[0] == 0.1199
