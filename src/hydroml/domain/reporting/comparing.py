"""A document about several runs: which is best in what, where they differ, and whether they may be compared."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hydroml.domain.experiments.comparison import MetricRow, Obstacle, Setting
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.summary import HEADLINES
from hydroml.domain.reporting.document import Block, Document, Facts, Items, Paragraph, Table
from hydroml.domain.reporting.results import BETTER, MOST_HEADLINES
from hydroml.domain.reporting.words import NONE, cut, day, figure, number, plural

MOST_BESIDE = 8
"""So many runs have a column each; of more, tables have a row for each."""
MOST_ROWS = 100
MOST_SETTINGS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Values of rows and settings stand in the order of `names`, which runs are called by; `ids` tell them apart."""

    names: Sequence[str]
    ids: Sequence[str]
    data: Sequence[str]
    differ: Sequence[Setting]
    same: Sequence[Setting]
    metrics: Sequence[MetricRow]
    obstacles: Sequence[Obstacle]
    made_at: datetime


def comparison(found: Compared) -> Document:
    marks = [f"{place + 1}" for place in range(len(found.names))]
    title = f"{len(found.names)} runs compared"
    metrics = [_each_run(found, marks)]
    if len(marks) <= MOST_BESIDE:
        metrics.append(_all_metrics(found, marks))
    return Document.of(
        "Comparison of model runs",
        title,
        (f"report made {day(found.made_at)}",),
        " ".join(_verdict(found)),
        [
            ("Runs", [_runs(found, marks)]),
            ("Warnings", _warnings(found)),
            ("Metrics", metrics if found.metrics else []),
            ("What differs", _settings(found, marks)),
            (
                "What is the same",
                [Facts(tuple((_place(s), _written(s.values[0])) for s in found.same[:MOST_SETTINGS]))],
            ),
        ],
    )


def _headlines(found: Compared) -> list[MetricRow]:
    order = [*HEADLINES, *METRICS]
    known = sorted((row for row in found.metrics if row.name in order), key=lambda row: order.index(row.name))
    names = {row.name for row in known}
    return [row for row in known if row.name != "r2" or "nse" not in names][:MOST_HEADLINES]  # the same number


def _verdict(found: Compared) -> Iterator[str]:
    if found.obstacles:
        yield "These figures do not say which model is better: " + "; ".join(one.msg for one in found.obstacles) + "."
    row = next((row for row in _headlines(found) if row.best), None)
    if row is None:
        yield "No metric that they share tells them apart."
        return
    best = row.best[0]
    bounds = row.intervals[best]
    interval = f" (95 % interval {figure(bounds[0])} to {figure(bounds[1])})" if bounds else ""
    also = f", as have {plural(len(row.best) - 1, 'other')}" if len(row.best) > 1 else ""
    name = f"run {best + 1}, “{cut(found.names[best])}”,"
    yield f"By {row.title} {name} is the best with {figure(row.values[best])}{interval}{also}."
    reached = [
        f"{place + 1}"
        for place, other in enumerate(row.intervals)
        if bounds and other and place not in row.best and other[1] >= bounds[0] and bounds[1] >= other[0]
    ]
    if reached:
        others = f"that of run {', '.join(reached)}"
        yield f"Its interval overlaps with {others}: the order may be due to the choice of test rows."


def _runs(found: Compared, marks: Sequence[str]) -> Table:
    rows = zip(marks, found.names, found.data, found.ids, strict=True)
    return Table(
        caption="The runs; the tables call them by their numbers.",
        head=("Run", "Name", "Data", "Id"),
        rows=tuple((mark, cut(name), cut(data), run) for mark, name, data, run in rows),
        words=4,
    )


def _warnings(found: Compared) -> list[Block]:
    return [Items(tuple(one.msg for one in found.obstacles))] if found.obstacles else []


def _each_run(found: Compared, marks: Sequence[str]) -> Table:
    shown = _headlines(found)
    rows = [
        (mark, cut(found.names[place], 60), *(_score(row, place) for row in shown)) for place, mark in enumerate(marks)
    ]
    return Table(
        caption="Metrics of the test rows; ★ marks the best of each.",
        head=("Run", "Name", *(row.title for row in shown)),
        rows=tuple(rows[:MOST_ROWS]),
        words=2,
    )


def _all_metrics(found: Compared, marks: Sequence[str]) -> Table:
    rows = [
        (
            f"{row.title} ({row.unit})" if row.unit else row.title,
            BETTER[row.better] if row.better else NONE,
            *(_score(row, place) for place in range(len(marks))),
        )
        for row in found.metrics
    ]
    return Table(caption="All metrics.", head=("Metric", "Better", *marks), rows=tuple(rows[:MOST_ROWS]), words=2)


def _score(row: MetricRow, place: int) -> str:
    return f"{figure(row.values[place])}{' ★' if place in row.best else ''}"


def _settings(found: Compared, marks: Sequence[str]) -> list[Block]:
    shown = found.differ[:MOST_SETTINGS]
    if not shown:
        return [Paragraph("Nothing: they are of the same specification.")]
    left = len(found.differ) - len(shown)
    note = f"… and {plural(left, 'more setting')}." if left else ""
    if len(marks) <= MOST_BESIDE:
        rows = [(_place(one), *(_written(value) for value in one.values)) for one in shown]
        head: tuple[str, ...] = ("Setting", *marks)
    else:
        few = shown[:MOST_HEADLINES]
        rows = [(mark, *(_written(one.values[place]) for one in few)) for place, mark in enumerate(marks)]
        head = ("Run", *map(_place, few))
        note = f"… and {plural(len(found.differ) - len(few), 'more setting')}." if len(found.differ) > len(few) else ""
    return [Table(caption="Settings, as they took effect.", head=head, rows=tuple(rows), words=len(head), note=note)]


def _place(setting: Setting) -> str:
    return setting.place.removeprefix("algorithm.hyperparameters.").replace(".", ", ").replace("_", " ")


def _written(value: Any) -> str:
    match value:
        case None:
            return NONE
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value, 6)
        case str():
            return cut(value, 80)
        case list() | tuple() if all(isinstance(part, str | int | float) for part in value):
            return cut(", ".join(map(str, value)) or "none", 80)
        case _:
            return cut(json.dumps(value, ensure_ascii=False), 80)
