"""The table as time series: step, gaps, order and stretches, from the times as NumPy's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.candidates import Time
from hydroml.adapters.tables.quality.scan import as_floats
from hydroml.adapters.tables.quality.source import Source
from hydroml.domain.quality.facts import ColumnFacts, Gap, Hits, Run, SeriesFacts, TimeIndex
from hydroml.domain.quality.findings import MOST_ROW_NUMBERS

MOST_ROWS = 20_000_000
MOST_SERIES = 100
MOST_GAPS = 100
_MOST_RUNS = 20
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_USUAL = 0.3
"""The share of steps from which one is called the usual one."""


@dataclass(frozen=True)
class _Lines:
    """Rows in the order of group and time: `time` in microseconds, `row` the position in the file, `same` whether the
    next row is of the same group."""

    time: Any
    row: Any
    code: Any
    same: Any
    labels: dict[int, str]
    valid: Any

    def moment(self, at: int) -> str:
        text = str(np.datetime64(int(self.time[at]), "us").astype("datetime64[s]"))
        return text.removesuffix("T00:00:00")

    def group(self, at: int) -> str | None:
        return self.labels.get(int(self.code[at])) if self.labels else None


@dataclass(frozen=True, slots=True)
class _Step:
    words: str | None
    seconds: float | None
    regular: float
    missing: Any
    """For each difference how many steps it leaves out."""


def time_index(source: Source, time: Time, group: str | None, columns: Sequence[ColumnFacts]) -> TimeIndex | None:
    lines, disorder = _read(source, time, group)
    if len(lines.time) < 3:
        return None
    differences = np.where(lines.same, np.diff(lines.time), -1)
    step = _step(lines, differences)
    if group is not None and step.words is None:
        return None  # events at places rather than series
    gaps = np.flatnonzero(step.missing > 0)
    again = np.flatnonzero(differences == 0)
    index = TimeIndex(
        column=time.columns[0],
        parts=time.columns if len(time.columns) > 1 else (),
        group=group,
        start=lines.moment(int(lines.time.argmin())),
        end=lines.moment(int(lines.time.argmax())),
        step=step.words,
        seconds=step.seconds,
        regular=step.regular,
        groups=len(lines.labels) or 1,
        gaps=_gaps(lines, gaps, step.missing),
        gap_count=len(gaps),
        missing_steps=int(step.missing[gaps].sum()),
        duplicates=_hits(lines.row[again + 1]),
        out_of_order=disorder,
        clock_changes=_clock_changes(lines, differences, step),
        series=tuple(_series(source, lines, columns, {*time.columns, group or ""})),
    )
    if len(gaps) > MOST_GAPS:
        source.bounds.append(f"Of {len(gaps):,} gaps in time the {MOST_GAPS} longest are listed.")
    return index


def _read(source: Source, time: Time, group: str | None) -> tuple[_Lines, Hits]:
    limit = ""
    if source.rows > MOST_ROWS:
        source.bounds.append(f"Order and gaps in time were looked at in the first {MOST_ROWS:,} rows.")
        limit = f" WHERE {sql.name(sql.ROW)} < {MOST_ROWS}"
    code = f"hash({sql.name(group)})" if group is not None else "0::UBIGINT"
    arrays = source.arrays(f"SELECT epoch_us({time.expression}) AS t, {code} AS g FROM {source.relation}{limit}")
    valid = ~np.ma.getmaskarray(arrays["t"])
    times = np.ma.getdata(arrays["t"])[valid].astype(np.int64)
    row = np.flatnonzero(valid)
    labels: dict[int, str] = {}
    codes = np.zeros(len(times), dtype=np.int64)
    if group is not None:
        unique, codes = np.unique(np.ma.getdata(arrays["g"])[valid], return_inverse=True)
        codes = codes.reshape(-1)
        places = {int(digest): at for at, digest in enumerate(unique)}
        found = source.query(
            f"SELECT DISTINCT hash({sql.name(group)}), {sql.name(group)}::VARCHAR FROM {source.relation}"
        )
        labels = {places[digest]: label for digest, label in found if digest in places}
        order = np.argsort(codes, kind="stable")
        times, row, codes = times[order], row[order], codes[order]
    same = codes[1:] == codes[:-1]
    earlier = np.flatnonzero(same & (np.diff(times) < 0))
    disorder = _hits(row[earlier + 1])
    if len(earlier):
        order = np.lexsort((times, codes))
        times, row, codes = times[order], row[order], codes[order]
        same = codes[1:] == codes[:-1]
    return _Lines(times, row, codes, same, labels, valid), disorder


def _hits(rows: Any) -> Hits:
    first = np.sort(rows)[:MOST_ROW_NUMBERS]
    return Hits(len(rows), tuple(int(row) + 1 for row in first))


def _step(lines: _Lines, differences: Any) -> _Step:
    """The most frequent difference between neighbours: of months and years where the day of the month stays the same,
    or is the last one."""
    ahead = differences > 0
    total = int(ahead.sum())
    nothing = np.zeros(len(differences), dtype=np.int64)
    if not total:
        return _Step(None, None, 0.0, nothing)
    values, counts = np.unique(differences[ahead], return_counts=True)
    usual, share = int(values[counts.argmax()]), float(counts.max() / total)
    months = _months(lines, ahead) if usual >= 27 * _DAY else None
    if months is not None:
        length, found, steps = months
        if found >= share and found >= _USUAL:
            missing = np.where(ahead & (steps > 1.5 * length), np.rint(steps / length) - 1, 0).astype(np.int64)
            return _Step(_in_months(length), length * 30.436875 * 86_400, found, missing if found >= 0.5 else nothing)
    if share < _USUAL:
        return _Step(None, None, share, nothing)
    missing = np.where(ahead & (differences > 1.5 * usual), np.rint(differences / usual) - 1, 0).astype(np.int64)
    return _Step(_in_words(usual), usual / _SECOND, share, missing if share >= 0.5 else nothing)


def _months(lines: _Lines, ahead: Any) -> tuple[int, float, Any] | None:
    moments = lines.time.astype("datetime64[us]")
    month = moments.astype("datetime64[M]")
    day = (moments - month.astype("datetime64[us]")).astype(np.int64)
    last = ((month + 1).astype("datetime64[us]") - moments).astype(np.int64) <= _DAY
    aligned = (day[1:] == day[:-1]) | (last[1:] & last[:-1])
    steps = np.diff(month.astype(np.int64))
    values, counts = np.unique(steps[ahead & aligned], return_counts=True)
    if not len(values) or values[counts.argmax()] <= 0:
        return None
    return int(values[counts.argmax()]), float(counts.max() / ahead.sum()), steps


def _in_months(length: int) -> str:
    if length % 12 == 0:
        return _plural(length // 12, "year")
    return _plural(length, "month")


def _in_words(microseconds: int) -> str:
    for size, unit in ((_DAY, "day"), (3600 * _SECOND, "hour"), (60 * _SECOND, "minute"), (_SECOND, "second")):
        if microseconds % size == 0:
            return _plural(microseconds // size, unit)
    return f"{microseconds / _SECOND:g} seconds"


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _gaps(lines: _Lines, places: Any, missing: Any) -> tuple[Gap, ...]:
    """The longest ones, in the order of time."""
    if len(places) > MOST_GAPS:
        places = np.sort(places[np.argsort(-missing[places], kind="stable")[:MOST_GAPS]])
    return tuple(
        Gap(lines.moment(at), lines.moment(at + 1), int(missing[at]), lines.group(at)) for at in map(int, places)
    )


def _clock_changes(lines: _Lines, differences: Any, step: _Step) -> int:
    """Sundays in the months of the change on which an hour is left out or doubled."""
    if step.seconds is None or step.seconds > 3600:
        return 0
    usual = int(step.seconds * _SECOND)
    odd = np.flatnonzero((differences == usual + 3600 * _SECOND) | (differences == 0))
    days = np.unique(lines.time[odd].astype("datetime64[us]").astype("datetime64[D]"))
    sunday = (days.astype(np.int64) + 4) % 7 == 0  # the first day of all, 1970-01-01, was a Thursday
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return int((sunday & np.isin(month, (3, 4, 9, 10, 11))).sum()) if len(days) <= 500 else 0


def _series(source: Source, lines: _Lines, columns: Sequence[ColumnFacts], apart: set[str]) -> list[SeriesFacts]:
    wanted = [c for c in columns if c.numbers is not None and c.name not in apart and c.distinct > 1]
    if len(wanted) > MOST_SERIES:
        source.bounds.append(f"Stretches in time were looked at in the first {MOST_SERIES} of {len(wanted)} columns.")
    limit = f" WHERE {sql.name(sql.ROW)} < {MOST_ROWS}" if source.rows > MOST_ROWS else ""
    found = []
    for at, column in enumerate(wanted[:MOST_SERIES]):
        source.monitor.report(0.75 + 0.15 * at / len(wanted), "quality", "Looking at the series")
        array = source.arrays(f"SELECT {sql.name(column.name)}::DOUBLE AS x FROM {source.relation}{limit}")["x"]
        found.append(_one(column.name, as_floats(array)[lines.row], lines))
    return found


def _one(name: str, values: Any, lines: _Lines) -> SeriesFacts:
    missing = ~np.isfinite(values)
    missing_runs = 0
    longest = spacing = None
    if missing.any() and not missing.all():
        starts, lengths = _runs(missing, missing[1:] & missing[:-1] & lines.same)
        missing_runs = len(starts)
        longest = _run(lines, int(starts[lengths.argmax()]), int(lengths.max()), None)
        known = np.flatnonzero(~missing)
        apart = np.diff(known)[lines.code[known[1:]] == lines.code[known[:-1]]]
        spacing = float(np.median(apart)) if len(apart) else None
    there = ~missing & (values != 0)
    neighbours = there[1:] & there[:-1] & lines.same
    equal = neighbours & (values[1:] == values[:-1])
    repeats = float(equal.sum() / neighbours.sum()) if neighbours.any() else 0.0
    starts, lengths = _runs(there, equal)
    top = np.argsort(-lengths, kind="stable")[:_MOST_RUNS]
    flat = tuple(_run(lines, int(starts[t]), int(lengths[t]), float(values[starts[t]])) for t in top if lengths[t] > 10)
    return SeriesFacts(name, missing_runs, longest, spacing, repeats, flat)


def _runs(wanted: Any, joined: Any) -> tuple[Any, Any]:
    """Starts and lengths of the stretches of `wanted` places that are `joined` to the next one."""
    begins = wanted.copy()
    begins[1:] &= ~joined
    starts = np.flatnonzero(begins)
    stretch = np.cumsum(begins) - 1
    lengths = np.bincount(stretch[wanted], minlength=len(starts)) if len(starts) else np.empty(0, dtype=np.int64)
    return starts, lengths


def _run(lines: _Lines, start: int, length: int, value: float | None) -> Run:
    end = start + length - 1
    return Run(lines.moment(start), lines.moment(end), length, int(lines.row[start]) + 1, value, lines.group(start))
