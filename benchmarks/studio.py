"""`python -m benchmarks.studio [--rows N]`: the Data Studio at size, in the service and over HTTP, beside bare DuckDB.

A private installation is started with a generated table in it. For each figure the service, the same over HTTP, and
DuckDB doing the same work take turns, so that the machine's other load falls on all three; the web process' own time on
a processor is counted beside. Everything is warm, but what is called new is asked for the first time. Beyond 20 million
rows the table is copies of a shorter one, and sorts, histories and statistics are left out.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from benchmarks import data
from benchmarks.platform import Client, Platform, installed, session_of
from benchmarks.startup import memory_of_web, seconds_of_web

PAGE = 100
_REPEATED_FROM = 20_000_000
_SORTED = ("chance", "flow", "temperature", "humidity", "counter", "code", "station", "measured_at", "pressure", "day")
_KEPT = "flow > 40 AND weather = 'snow'"

Ask = Callable[[], Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--data", type=Path, help="a folder that keeps the generated tables for the next run")
    parser.add_argument("--only", nargs="*", choices=("pages", "filters", "sorts", "histories", "statistics"))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hydroml-benchmark-") as root:
        folder = Path(root) if options.data is None else options.data.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        file = table_of(folder, options.rows)
        with installed(Path(root)) as platform:
            ((user, version),) = platform.put(file)
            measure(Studio(platform, user, version, file, options.requests), options.only)


def measure(studio: "Studio", only: Sequence[str] | None) -> None:
    print(f"{studio.rows:,} rows × {len(studio.version.columns)} columns, pages of {PAGE} rows; milliseconds")
    words = ("service", "bare", "ratio", "bound", "HTTP", "CPU", "p95", "bound")
    print(f"{'':<36}" + "".join(f"{word:>9}" for word in words))
    parts = {"pages": studio.pages, "filters": studio.filters}
    if studio.rows < _REPEATED_FROM:
        parts |= {"sorts": studio.sorts, "histories": studio.histories, "statistics": studio.statistics}
    for name, part in parts.items():
        if not only or name in only:
            part()
    memory = memory_of_web(studio.platform.supervisor)
    print(f"memory of the web process: {memory.now:,} MB, at its peak {memory.peak:,} MB")
    files = [f.stat().st_size for f in (studio.platform.data_dir / "tmp").rglob("*") if f.is_file()]
    print(
        f"files that can be computed again: {sum(files) / 1e6:,.0f} MB; the table: {studio.version.size / 1e6:,.0f} MB"
    )


def table_of(folder: Path, rows: int) -> Path:
    file = folder / f"table-{rows}.parquet"
    if rows < _REPEATED_FROM:
        data.parquet(file, rows)
    else:
        part = table_of(folder, rows // 10)
        data.repeated(part, 10, file)
    return file


def steps() -> list[dict[str, Any]]:
    """A history of thirty: most look at one row only, two filter."""
    found: list[dict[str, Any]] = []
    for at in range(8):
        found += [
            {"op": "derive", "column": f"log_{at}", "formula": f"ln(flow + {at + 1})"},
            {"op": "change_type", "columns": [f"log_{at}"], "to": "text"},
            {"op": "rename_columns", "names": [{"column": f"log_{at}", "name": f"as_text_{at}"}]},
        ]
    return [
        {"op": "filter", "condition": "quality > 1"},
        *found,
        {"op": "clean_text", "columns": ["remark"], "case": "upper"},
        {"op": "fill_missing", "columns": ["wind_speed"], "method": "constant", "value": 0},
        {"op": "filter", "condition": "approved"},
        {"op": "drop_columns", "columns": ["code"]},
        {"op": "derive", "column": "warm", "formula": "temperature > 20"},
    ]


class Studio:
    def __init__(self, platform: Platform, user: Any, version: Any, file: Path, requests: int) -> None:
        from hydroml.entrypoints.bootstrap import container

        self.platform, self.version = platform, version
        self._user, self._file, self._requests = user, file, requests
        self._tables = container().tables()
        self._client: Client = platform.client()
        self._bare = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
        self._bare.execute("SET enable_progress_bar = false")
        self._bare.execute("SET parquet_metadata_cache = true")
        self._source = f"read_parquet('{file}', file_row_number = true)"
        self._starts = (number * 7_919 * PAGE % (self.rows - PAGE) for number in count(1))
        self._usual = 60.0 if self.rows <= 1_000_000 else 150.0

    @property
    def rows(self) -> int:
        return int(self.version.rows)

    def pages(self) -> None:
        bound = 150.0 if self.rows >= _REPEATED_FROM else 60.0
        self._compare(
            "raw, first page",
            self._service,
            self._http,
            lambda: self._ask_bare("LIMIT 100"),
            ratio=1.5,
            milliseconds=bound,
        )

        def deep() -> Any:
            start = next(self._starts)
            return self._ask_bare(f"WHERE file_row_number BETWEEN {start} AND {start + PAGE - 1}")

        self._compare(
            "raw, any page",
            lambda: self._service(offset=next(self._starts)),
            lambda: self._http(offset=next(self._starts)),
            deep,
            ratio=1.5,
            milliseconds=bound,
        )

    def filters(self) -> None:
        numbers = count(1)

        def fresh() -> str:
            return f"flow > {35 + next(numbers) / 1000} AND weather = 'snow'"

        self._compare(
            "a new filter's first page",
            lambda: self._service(filter=fresh(), total=False),
            lambda: self._http(filter=fresh(), total="false"),
            lambda: self._ask_bare(f"WHERE {fresh()} LIMIT {PAGE}"),
            ratio=1.5,
            milliseconds=150.0 if self.rows >= _REPEATED_FROM else min(100.0, self._usual),
        )
        total = self._service(filter=_KEPT).total - PAGE
        self._compare(
            "a filter's any page",
            lambda: self._service(filter=_KEPT, offset=next(self._starts) % total),
            lambda: self._http(filter=_KEPT, offset=next(self._starts) % total),
            milliseconds=min(100.0, self._usual),
        )

    def sorts(self) -> None:
        native = self._native()
        # A second key makes each order one that was not asked for before.
        orders = {who: _orders(f"id,{who}") for who in ("day", "rain", "quality")}

        def bare() -> Any:
            keys = next(orders["quality"]).split(",")
            terms = [f"{key.removeprefix('-')} {'DESC' if key[0] == '-' else 'ASC'} NULLS LAST" for key in keys]
            return native.execute(f"SELECT * FROM rows ORDER BY {', '.join(terms)}, rowid LIMIT {PAGE}").fetchall()

        started = time.perf_counter()
        self._service(sort="id,-code", total=False)
        first = (time.perf_counter() - started) * 1000
        print(f"{'the first sort of all':<36}{first:>9.1f}", flush=True)
        self._rest()
        self._compare(
            "a new sort's first page",
            lambda: self._service(sort=next(orders["day"]), total=False),
            lambda: self._http(sort=next(orders["rain"]), total="false"),
            bare,
            ratio=2.0,
            milliseconds=min(500.0, self._usual) if self.rows <= 1_000_000 else 500.0,
            before=self._rest,
        )
        turns = count()
        repeated = ("chance", "-code")
        for sort in repeated:
            self._service(sort=sort, offset=self.rows // 2)
        self._compare(
            "a sort's any page",
            lambda: self._service(sort=repeated[next(turns) % 2], offset=next(self._starts)),
            lambda: self._http(sort=repeated[next(turns) % 2], offset=next(self._starts)),
            milliseconds=min(100.0, self._usual),
        )
        native.close()

    def histories(self) -> None:
        session = session_of(self._client, self.version.id, steps())
        self._http(session)
        total = self._service(session).total - PAGE
        self._compare(
            f"any page after {len(steps())} steps",
            lambda: self._service(session, offset=next(self._starts) % total),
            lambda: self._http(session, offset=next(self._starts) % total),
            milliseconds=self._usual,
        )
        entries = [entry["id"] for entry in self._client.get(f"/sessions/{session}")["steps"]]
        moves = count()

        def move() -> None:
            turn = next(moves)
            if turn % 3 < 2:
                self._client.post(f"/sessions/{session}/{('undo', 'redo')[turn % 3]}")
            else:
                self._client.post(f"/sessions/{session}/jump", {"step": entries[-1 - turn // 3 % 8]})
            self._http(session, total="false")

        self._compare("undo, redo or jump, then the page", None, move, milliseconds=self._usual)

    def statistics(self) -> None:
        from hydroml.domain.studio.session import SessionId

        session = session_of(self._client, self.version.id, [])
        numbers = count(1)

        def fresh() -> str:
            return f"flow > {35 + next(numbers) / 1000} AND weather = 'snow'"

        self._compare(
            "header statistics after a filter",
            lambda: self._tables.distributions(
                self._tables.session_view(self._user, SessionId(UUID(session)), filter=fresh())
            ),
            lambda: self._client.get(f"/sessions/{session}/distributions", filter=fresh()),
            lambda: self._bare.execute(f"SUMMARIZE SELECT * FROM {self._source} WHERE {fresh()}").fetchall(),
            milliseconds=2_000.0 if self.rows > 1_000_000 else self._usual,
            requests=max(self._requests // 3, 3),
        )

    def _service(self, session: str | None = None, *, total: bool = True, offset: int = 0, **shown: Any) -> Any:
        from hydroml.domain.studio.session import SessionId
        from hydroml.domain.studio.steps import SortKey

        if "sort" in shown:
            keys = shown["sort"].split(",")
            shown["sort"] = tuple(SortKey(key.removeprefix("-"), key.startswith("-")) for key in keys)
        if session is None:
            view = self._tables.version_view(self._user, self.version.id, **shown)
        else:
            view = self._tables.session_view(self._user, SessionId(UUID(session)), **shown)
        return self._tables.page(view, offset, PAGE, total=total)

    def _http(self, session: str | None = None, **query: Any) -> Any:
        place = f"/versions/{self.version.id}" if session is None else f"/sessions/{session}"
        return self._client.get(f"{place}/rows", limit=PAGE, **query)

    def _ask_bare(self, rest: str) -> Any:
        return self._bare.execute(f"SELECT * FROM {self._source} {rest}").fetchall()

    def _native(self) -> duckdb.DuckDBPyConnection:
        """A native table of DuckDB's with the same rows, for which its sorts are fastest."""
        file = self._file.with_suffix(".duckdb")
        native = duckdb.connect(str(file), config={"threads": 2, "memory_limit": "2GB"})
        native.execute("SET enable_progress_bar = false")
        native.execute("SET late_materialization_max_rows = 1000")
        native.execute(f"CREATE TABLE IF NOT EXISTS rows AS SELECT * FROM read_parquet('{self._file}')")
        return native

    def _rest(self) -> None:
        """Until the processes have done what they do in the background."""
        still = 0
        while still < 3:
            before = self._busy()
            time.sleep(0.2)
            still = still + 1 if self._busy() - before < 0.02 else 0

    def _busy(self) -> float:
        return time.process_time() + seconds_of_web(self.platform.supervisor)

    def _compare(
        self,
        name: str,
        service: Ask | None,
        http: Ask,
        bare: Ask | None = None,
        *,
        milliseconds: float,
        ratio: float | None = None,
        requests: int | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        asked: list[tuple[float, ...]] = []
        used = 0.0
        for turn in range((requests or self._requests) + 2):
            before()
            times = [math.nan if ask is None else _milliseconds(ask) for ask in (service, bare)]
            begun = seconds_of_web(self.platform.supervisor)
            times.append(_milliseconds(http))
            if turn >= 2:  # the first ones open files and compile
                used += seconds_of_web(self.platform.supervisor) - begun
                asked.append(tuple(times))
        ours, theirs, web = ([one[at] for one in asked] for at in range(3))
        middle, other = statistics.median(ours), statistics.median(theirs)
        slow = sorted(web)[math.ceil(len(web) * 0.95) - 1]
        cells = [
            "" if service is None else f"{middle:.1f}",
            "" if bare is None else f"{other:.1f}",
            "" if service is None or bare is None else f"{middle / other:.2f}",
            "" if ratio is None else f"{ratio:.1f}",
            f"{statistics.median(web):.1f}",
            f"{1000 * used / len(web):.1f}",
            f"{slow:.1f}",
            f"{milliseconds:,.0f}",
        ]
        missed = slow > milliseconds or (ratio is not None and middle / other > ratio)
        print(f"{name:<36}" + "".join(f"{cell:>9}" for cell in cells) + ("  missed" if missed else ""), flush=True)


def _orders(second: str) -> Iterator[str]:
    while True:
        for mark in ("", "-"):
            for column in _SORTED:
                yield f"{mark}{column},{second}"
        second = f"-{second}" if second[0] != "-" else f"{second},chance"


def _milliseconds(ask: Ask) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
