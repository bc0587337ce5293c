"""Findings about the table as a time series."""

from collections.abc import Iterator
from math import log

from hydroml.domain.quality.facts import Facts, Gap, Run, SeriesFacts, TimeIndex
from hydroml.domain.quality.findings import Finding, counted, fitting, named, percent, short
from hydroml.domain.quality.kinds import Severity
from hydroml.domain.studio.steps import Filter, Sort, SortKey

REGULAR = 0.9
"""Below that share of usual steps the step is called irregular."""


def judged(facts: Facts) -> Iterator[Finding]:
    index = facts.time
    if index is None:
        return
    times = index.parts or (index.column,)
    columns = times if index.group is None else (*times, index.group)
    yield from _grouped(index)
    yield from _steps(index, columns, facts.rows)
    for series in index.series:
        yield from _stretches(series)
        yield from _flat(series, facts)


def _grouped(index: TimeIndex) -> Iterator[Finding]:
    if index.group is not None:
        yield Finding(
            "group_column", Severity.INFO, (index.group,),
            f"The rows are {index.groups:,} series, one for each “{index.group}”. Rows of one series resemble each"
            " other: split by group to learn how a model does on new ones.",
        )  # fmt: skip


def _steps(index: TimeIndex, columns: tuple[str, ...], rows: int) -> Iterator[Finding]:
    within = "" if index.group is None else f" within “{index.group}”"
    if index.step is None or index.regular < REGULAR:
        usual = f"only {percent(index.regular)} of the steps are {index.step}" if index.step else "no step is usual"
        yield Finding(
            "irregular_step", Severity.INFO, columns,
            f"The times are not evenly spaced{within}: {usual}. Lags and moving windows count rows, not time.",
        )  # fmt: skip
    if index.gap_count and index.regular >= 0.5:
        yield Finding(
            "time_gaps", Severity.WARNING, columns,
            f"{counted(index.gap_count, 'gaps')} in steps of {index.step}{within}, in which"
            f" {counted(index.missing_steps, 'rows')} are missing; the longest: {_gap(index.gaps)}.",
            rows=index.missing_steps, share=index.missing_steps / (rows + index.missing_steps),
        )  # fmt: skip
    if index.duplicates.rows:
        yield Finding(
            "time_duplicates", Severity.WARNING, columns,
            f"{counted(index.duplicates.rows, 'rows')} with a time that a row before has already{within}.",
        ).counted(index.duplicates, rows)  # fmt: skip
    if index.out_of_order.rows:
        keys = [SortKey(name) for name in index.columns]
        yield Finding(
            "out_of_order", Severity.WARNING, columns,
            f"{counted(index.out_of_order.rows, 'rows')} with an earlier time than the row before{within}.",
            step=Sort(tuple(keys)),
        ).counted(index.out_of_order, rows)  # fmt: skip
    if index.clock_changes >= 2:
        yield Finding(
            "daylight_saving", Severity.WARNING, columns,
            f"At {index.clock_changes} changes of the clocks an hour is missing or doubled: the times are local ones."
            " Use a time without daylight saving, such as UTC.",
        )  # fmt: skip


def _gap(gaps: tuple[Gap, ...]) -> str:
    longest = max(gaps, key=lambda gap: gap.missing)
    where = f" in “{longest.group}”" if longest.group is not None else ""
    return f"{longest.missing:,} between {longest.start} and {longest.end}{where}"


def _stretches(series: SeriesFacts) -> Iterator[Finding]:
    """Where rows are there but their values are not; not for what is measured now and then anyway."""
    longest = series.longest_missing
    if longest is None or longest.length < 3 or (series.spacing or 1) >= 2:
        return
    where = f" in “{longest.group}”" if longest.group is not None else ""
    known = fitting(f"NOT is_missing({named(series.column)})")
    yield Finding(
        "missing_stretches", Severity.WARNING, (series.column,),
        f"No values in {counted(series.missing_runs, 'stretches')} of time; the longest: {longest.length:,} rows from"
        f" {longest.start} to {longest.end}{where}.",
        row_numbers=(longest.row,), filter=fitting(f"is_missing({named(series.column)})"),
        step=Filter(known) if known else None,
    )  # fmt: skip


def flat_limit(repeats: float, rows: int) -> int:
    """How many equal values in a row are still to be expected, when neighbours are equal with probability `repeats`.

    The longest run of n values is about log(n (1 - p)) / log(1 / p) (Schilling, The longest run of heads, 1990); twice
    that, and twelve at least, is left to chance and to coarse rounding.
    """
    if repeats <= 0:
        return 12
    if repeats >= 0.9:
        return rows + 1  # a column of steps or classes, not of measurements
    expected = log(max(rows * (1 - repeats), 2)) / log(1 / repeats)
    return max(12, int(2 * expected) + 1)


def _flat(series: SeriesFacts, facts: Facts) -> Iterator[Finding]:
    limit = flat_limit(series.repeats, facts.rows)
    column = facts.column(series.column)
    runs = [run for run in series.flat if run.length > limit]
    if not runs or column.distinct < 20:
        return
    rows = sum(run.length for run in runs)
    yield Finding(
        "flat_line", Severity.WARNING, (series.column,),
        f"{counted(len(runs), 'stretches')} at exactly the same value, as when a sensor is stuck; the longest:"
        f" {_run(runs[0])}.", rows=rows, share=rows / facts.rows,
        row_numbers=tuple(run.row for run in runs[:20]),
    )  # fmt: skip


def _run(run: Run) -> str:
    where = f" in “{run.group}”" if run.group is not None else ""
    return f"{run.length:,} rows at {short(run.value or 0.0)} from {run.start} to {run.end}{where}"
