"""Large tables: whatever makes a page fast, its rows are those of the plain query."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine, sql
from hydroml.adapters.tables.cache import FileCache
from hydroml.adapters.tables.connection import Connections
from hydroml.application.ports.asking import AbandonedError, Asker, asking
from hydroml.application.ports.tables import View
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import CleanText, Derive, Filter, LagLead, Sort, SortKey
from hydroml.domain.studio.steps.texts import Case
from tests.tables import QuietMonitor, Workshop

_ROWS = 520_000
_COLUMNS = """
    CASE WHEN hash(i) % 50 = 0 THEN NULL WHEN hash(i) % 50 = 1 THEN 'nan'::DOUBLE
         WHEN hash(i) % 50 = 2 THEN '-inf'::DOUBLE ELSE (hash(i, 1) % 100000) / 7.0 END AS number,
    (hash(i, 2) % 3)::BIGINT AS tie,
    ['', 'a', 'Ä', 'ä', 'z', '☔ wet', NULL, 'a' || chr(0) || 'b', '''quoted'''][(1 + hash(i, 3) % 9)::BIGINT] AS word,
    'code ' || hash(i, 4)::VARCHAR AS code,
    (hash(i, 5) % 1000000 / 1000)::DECIMAL(12, 3) AS amount,
    TIMESTAMP '1999-12-31 23:59:59.999999' + to_seconds(i // 3) AS moment,
    DATE '2000-01-01' + (hash(i, 6) % 900)::INTEGER AS day,
    CASE WHEN hash(i, 7) % 3 > 0 THEN hash(i, 7) % 3 = 1 END AS flag,
    NULL::BIGINT AS nothing
"""
_FILTERS = (None, "tie = 1", "number > 100 AND word IS NOT NULL", "amount < 0", "code = 'nowhere'")
_RECIPES: tuple[Recipe, ...] = (
    (),
    (RecipeStep(Derive("double", "number * 2")), RecipeStep(CleanText(("word",), case=Case.UPPER))),
    (RecipeStep(Filter("tie < 2")), RecipeStep(Derive("near", "amount > 500"))),
    (RecipeStep(Sort((SortKey("word", descending=True),))), RecipeStep(Filter("flag"))),
    (RecipeStep(LagLead(("number",), order="moment")), RecipeStep(Derive("double", "number * 2"))),
)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, Table]]:
    folder = tmp_path_factory.mktemp("large")
    file = folder / "table.parquet"
    options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 51200"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {_COLUMNS} FROM range({_ROWS}) t(i)) TO '{file}' ({options})")
    blobs = FolderBlobStore(folder / "blobs")
    engine = DuckDbTableEngine(blobs, folder / "tmp", 1 << 30, 2)
    written = engine.describe(file)
    blob = blobs.add(file)
    yield Workshop(engine, blobs, folder), Table(blob.key, written.columns, written.rows, blob.size)
    engine.close()


def _plain(workshop: Workshop, view: View, out: Path) -> list[tuple[Any, ...]]:
    """All rows of the view, by one query over the table that the recipe gives."""
    workshop.engine.materialise(view.table, view.recipe, out, QuietMonitor())
    where = "" if view.filter is None else f" WHERE {view.filter}"
    keys = [f"{sql.name(key.column)} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key in view.sort]
    source = f"read_parquet('{out}', file_row_number = true)"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        order = ", ".join([*keys, "file_row_number"])
        found = connection.execute(f"SELECT * EXCLUDE file_row_number FROM {source}{where} ORDER BY {order}").fetchall()
    return list(sql.json_rows(found))


@pytest.mark.parametrize("recipe", _RECIPES)
def test_page_is_that_of_the_plain_query(large: tuple[Workshop, Table], tmp_path: Path, recipe: Recipe) -> None:
    workshop, table = large
    draw = random.Random(len(repr(recipe)))
    names = [column.name for column in table.columns]
    for count in (1, 2) if recipe else (0, 1, 2):
        keys = tuple(SortKey(name, draw.random() < 0.5) for name in draw.sample(names, count))
        view = View(table, recipe, draw.choice(_FILTERS), keys)
        plain = _plain(workshop, view, tmp_path / "plain.parquet")
        offsets = (0, 150, len(plain) // 2, max(len(plain) - 30, 0), len(plain) + 1)
        # First as it is found at once, then with all that has been made ready meanwhile.
        for ready in (False, True):
            for offset in offsets:
                total = ready or draw.random() < 0.5
                page = workshop.engine.page(view, offset, 100, total=total)
                assert list(page.rows) == plain[offset : offset + 100], (view, offset, ready)
                assert not total or page.total == len(plain)
            assert isinstance(workshop.engine, DuckDbTableEngine)
            assert workshop.engine.settle(120)


def test_second_process_finds_what_the_first_has_made(large: tuple[Workshop, Table], tmp_path: Path) -> None:
    workshop, table = large
    view = View(table, sort=(SortKey("code"),))
    workshop.engine.page(view, 0, 100)
    assert isinstance(workshop.engine, DuckDbTableEngine)
    assert workshop.engine.settle(120)
    made = {file: file.stat().st_ino for file in (workshop.folder / "tmp" / "views").iterdir()}
    other = DuckDbTableEngine(workshop.blobs, workshop.folder / "tmp", 1 << 30, 2)
    assert other.page(view, 300_000, 50).rows == workshop.engine.page(view, 300_000, 50).rows
    assert other.settle(120)
    assert {file: file.stat().st_ino for file in (workshop.folder / "tmp" / "views").iterdir()} == made
    other.close()


def _written(content: bytes) -> Callable[[Path], None]:
    def write(out: Path) -> None:
        out.write_bytes(content)

    return write


_DIES = """
import os, sys
from pathlib import Path
from hydroml.adapters.tables.cache import FileCache

def half(out):
    out.write_bytes(b"half")
    os.kill(os.getpid(), 9)

FileCache(Path(sys.argv[1]), 1 << 20).file("question", ".x", half)
"""


def test_killed_builder_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _DIES, str(tmp_path)], check=False)
    assert list(tmp_path.glob("*.part"))
    cache = FileCache(tmp_path, 1 << 20)
    assert not list(tmp_path.glob("*.part"))
    assert cache.found("question", ".x") is None
    assert cache.file("question", ".x", _written(b"whole")).read_bytes() == b"whole"


def test_one_builds_and_the_others_wait(tmp_path: Path) -> None:
    caches = [FileCache(tmp_path, 1 << 20) for _ in range(8)]  # as processes have one each
    built: list[Path] = []

    def build(out: Path) -> None:
        built.append(out)
        out.write_bytes(b"x" * 1_000)

    threads = [threading.Thread(target=cache.file, args=("question", ".x", build)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_what_nobody_used_is_forgotten(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1 << 20)
    file = cache.file("question", ".x", _written(b"x" * 10))
    used = file.stat().st_mtime
    assert cache.forget(used) == (0, 0)
    assert cache.forget(used + 1, dry_run=True) == (1, 10)
    assert cache.forget(used + 1) == (1, 10)
    assert cache.found("question", ".x") is None


def test_work_ends_when_its_asker_has_gone(tmp_path: Path) -> None:
    connections = Connections(tmp_path, tmp_path, 1 << 28, 1)
    who, started = Asker(), threading.Event()
    errors: list[Exception] = []

    def ask() -> None:
        with asking(who), connections.reading() as connection:
            started.set()
            try:
                connection.rows("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1")
            except AbandonedError as error:
                errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    started.wait()
    who.leave()
    thread.join()
    assert len(errors) == 1
    connections.close()


def test_every_question_is_asked_with_the_settings_of_its_instance() -> None:
    """The clock of the machine does not count, and what a Parquet file says about itself is read once."""
    asked = """
from pathlib import Path
from hydroml.adapters.tables.connection import Connections
connections = Connections(Path("."), Path("."), 1 << 28, 1)
for opened in (connections.reading, connections.fresh):
    with opened() as connection:
        print(*connection.row("SELECT current_setting('TimeZone'), current_setting('parquet_metadata_cache')"))
"""
    elsewhere = {**os.environ, "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", asked]
    said = subprocess.run(command, env=elsewhere, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["UTC", "True"] * 2


def test_bars_of_a_long_table_are_estimated(workshop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "long.parquet"
    columns = "i AS n, hash(i) % 4 AS part, CASE WHEN i % 2 = 0 THEN ['a', 'b', 'c'][(1 + i % 3)::BIGINT] END AS word"
    with duckdb.connect() as connection:
        options = "FORMAT parquet, ROW_GROUP_SIZE 51200"
        connection.execute(f"COPY (SELECT {columns} FROM range(2400000) t(i)) TO '{file}' ({options})")
    written = workshop.engine.describe(file)
    blob = workshop.blobs.add(file)
    table = Table(blob.key, written.columns, written.rows, blob.size)
    found = workshop.engine.distributions(View(table, filter="n < 1200000"))
    assert (found.rows, found.kept, found.estimated) == (2_400_000, 1_200_000, True)
    n, _, word = found.columns
    assert sum(n.counts) == pytest.approx(2_400_000, abs=24)
    assert sum(n.kept) == pytest.approx(1_200_000, abs=24)
    assert (word.missing, word.kept_missing) == (pytest.approx(1_200_000, rel=0.01), pytest.approx(600_000, rel=0.01))
    assert {value for value, *_ in word.top or ()} == {"a", "b", "c"}
    # What a filter keeps is counted where it is little, wherever it lies.
    few = workshop.engine.distributions(View(table, filter="n BETWEEN 777777 AND 777786"))
    assert (few.kept, sum(few.columns[0].kept), few.columns[2].kept_missing) == (10, 10, 5)
