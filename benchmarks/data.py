"""Generated tables for the benchmarks: 20 columns of a measuring network, the same bytes for the same size."""

from pathlib import Path

import duckdb

_COLUMNS = """
    i + 1 AS id,
    printf('%05d', (i * 7919) % 4000) AS station,
    TIMESTAMP '2000-01-01' + to_seconds(i) AS measured_at,
    DATE '2000-01-01' + (i % 9000)::INTEGER AS day,
    CASE WHEN hash(i, 1) % 100 < 3 THEN NULL
         ELSE round(2 + 60 * pow(hash(i, 2) / 18446744073709551616.0, 3), 3) END AS flow,
    CASE WHEN hash(i, 3) % 100 < 1 THEN NULL
         ELSE round(20 + 15 * sin(i / 3652.5) + (hash(i, 4) % 1000) / 100.0, 2) END AS temperature,
    CASE WHEN hash(i, 5) % 10 < 6 THEN 0.0 ELSE round((hash(i, 6) % 4000) / 100.0, 1) END AS rain,
    round((hash(i, 7) % 100000) / 1000.0, 3) AS humidity,
    (hash(i, 8) % 360)::INTEGER AS wind_direction,
    CASE WHEN hash(i, 9) % 10 < 1 THEN NULL ELSE round((hash(i, 10) % 3000) / 100.0, 2) END AS wind_speed,
    (hash(i, 11) % 5 + 1)::INTEGER AS quality,
    hash(i, 12) % 10 < 7 AS approved,
    ['rain', 'snow', 'fog', 'sun', 'storm', 'cloud'][(1 + hash(i, 13) % 6)::BIGINT] AS weather,
    'basin ' || (hash(i, 14) % 300) AS basin,
    ['pressure', 'radar', 'float', 'ultrasonic'][(1 + hash(i, 15) % 4)::BIGINT] AS sensor,
    (hash(i, 16) % 1000000)::BIGINT AS counter,
    (1000 + (hash(i, 17) % 60000) / 1000.0)::DECIMAL(9, 3) AS pressure,
    hash(i, 18) / 18446744073709551616.0 AS chance,
    md5(i::VARCHAR)[:12] AS code,
    CASE WHEN hash(i, 19) % 10 < 6 THEN NULL ELSE 'checked by "' || (hash(i, 20) % 50) || '", see report' END AS remark
"""
LAYOUT = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 51200"


def parquet(file: Path, rows: int) -> None:
    _copy(file, rows, LAYOUT)


def csv(file: Path, rows: int) -> None:
    _copy(file, rows, "FORMAT csv, HEADER")


def _copy(file: Path, rows: int, options: str) -> None:
    if file.exists():
        return
    unfinished = file.with_suffix(".part")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {_COLUMNS} FROM range({rows}) t(i)) TO '{unfinished}' ({options})")
    unfinished.rename(file)


def repeated(part: Path, times: int, file: Path) -> None:
    """A table that is `times` copies of another, one after the other."""
    if file.exists():
        return
    parts = ", ".join([f"'{part}'"] * times)
    unfinished = file.with_suffix(".part")
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT * FROM read_parquet([{parts}])) TO '{unfinished}' ({LAYOUT}, COMPRESSION_LEVEL 1)"
        )
    unfinished.rename(file)
