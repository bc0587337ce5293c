"""What several runs have in common, where they differ, which is best in what, and whether they may be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.logged import LOGGED, LoggedRun
from hydroml.domain.experiments.metrics import METRICS, Better
from hydroml.domain.experiments.runs import Run
from hydroml.domain.experiments.specification import SplitKind

MAX_RUNS = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """One place in the specification, with the value in each run; None where it has none."""

    place: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of the test part, run by run; `best` are the places of the runs that nothing beats, and none where
    the metric's direction is not known or all are equal."""

    name: str
    title: str
    better: Better | None
    definition: str
    unit: str
    values: tuple[float | None, ...]
    intervals: tuple[tuple[float, float] | None, ...]
    best: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why figures of these runs do not say which is better."""

    code: str
    msg: str


def settings(documents: Sequence[Mapping[str, Any]]) -> tuple[tuple[Setting, ...], tuple[Setting, ...]]:
    """The places of JSON documents: those that differ, and those that are the same in all. Lists are one value."""
    flat = [dict(_flat("", document)) for document in documents]
    places = dict.fromkeys(place for one in flat for place in one)
    rows = [Setting(place, tuple(one.get(place) for one in flat)) for place in places]
    differ = tuple(row for row in rows if any(value != row.values[0] for value in row.values))
    same = tuple(row for row in rows if row not in differ)
    return differ, same


def _flat(place: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [found for name, part in value.items() for found in _flat(f"{place}.{name}" if place else name, part)]
    return [(place, value)]


def effective(run: Run, document: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters of a run as they took effect; `document` is its specification's."""
    if run.outcome is None:
        return dict(document["algorithm"]["hyperparameters"])
    algorithm = ALGORITHMS.get(document["algorithm"]["name"])
    known = () if algorithm is None else algorithm.hyperparameters
    names = {*document["algorithm"]["hyperparameters"], *(parameter.name for parameter in known)}
    return {name: value for name, value in run.outcome.parameters.items() if name in names}


def metric_rows(runs: Sequence[Run | LoggedRun]) -> tuple[MetricRow, ...]:
    """In the order of `METRICS`, then those it does not know: of a run that was logged, whatever its client named."""
    tests = [_tested(run) for run in runs]
    names = {name for test in tests for name in test}
    ordered = [*(name for name in METRICS if name in names), *sorted(names - METRICS.keys())]
    return tuple(_metric_row(name, runs, [test.get(name) for test in tests]) for name in ordered)


def _tested(run: Run | LoggedRun) -> Mapping[str, float]:
    if isinstance(run, LoggedRun):
        # one that is called as ours is, but does not say of which part, must not pass for ours
        rest = {f"{LOGGED} {name}" if name in METRICS else name: v for name, v in run.parts.get(LOGGED, {}).items()}
        return rest | run.parts.get("test", {})
    return {} if run.outcome is None else run.outcome.metrics.get("test", {})


def _interval(run: Run | LoggedRun, name: str) -> tuple[float, float] | None:
    return None if isinstance(run, LoggedRun) or run.outcome is None else run.outcome.intervals.get(name)


def _metric_row(name: str, runs: Sequence[Run | LoggedRun], given: Sequence[float | None]) -> MetricRow:
    values = tuple(value if value is not None and isfinite(value) else None for value in given)
    known = METRICS.get(name)
    return MetricRow(
        name=name,
        title=known.title if known else name,
        better=known.better if known else None,
        definition=known.definition if known else "",
        unit=known.unit if known else "",
        values=values,
        intervals=tuple(_interval(run, name) for run in runs),
        best=_best(name, values),
    )


def _best(name: str, values: Sequence[float | None]) -> tuple[int, ...]:
    known, numbers = METRICS.get(name), [value for value in values if value is not None]
    if known is None or len(numbers) < 2:
        return ()
    best = numbers[0]
    for value in numbers:
        if known.is_better(value, best):
            best = value
    places = tuple(
        place for place, value in enumerate(values) if value is not None and not known.is_better(best, value)
    )
    return places if len(places) < len(numbers) else ()


def obstacles(all_runs: Sequence[Run | LoggedRun]) -> tuple[Obstacle, ...]:
    """Nothing is said of runs that predicted the same thing for the same rows."""
    found = []
    runs = [run for run in all_runs if isinstance(run, Run)]
    if others := len(all_runs) - len(runs):
        were = "was" if others == 1 else "were"
        words = f"{others} of {len(all_runs)} {were} logged with MLflow: on which rows is not known"
        found.append(Obstacle("logged", words))
    ended = [run for run in runs if run.outcome is not None]
    if len(ended) < len(runs):
        found.append(Obstacle("unfinished", f"{len(runs) - len(ended)} of {len(runs)} runs have no result"))
    if (targets := _several(run.specification.target for run in runs)) is not None:
        found.append(Obstacle("target", f"they predict different things ({targets}): no metric compares them"))
    if (problems := _several(run.outcome.problem for run in ended if run.outcome)) is not None:
        found.append(Obstacle("problem", f"they are different problems ({problems}): they share few metrics"))
    if len(versions := {run.specification.version_id for run in runs}) > 1:
        found.append(Obstacle("version", f"they stand on {len(versions)} versions of data: their test rows differ"))
    if (kinds := _several(run.outcome.split for run in ended if run.outcome)) is not None:
        found.append(Obstacle("split", f"they are split in different ways ({kinds}): their test rows differ"))
    elif len({_drawn(run) for run in runs}) > 1:
        found.append(Obstacle("split", "their splits have different sizes or columns: their test rows differ"))
    elif len({run.specification.seed for run in ended if _is_shuffled(run)}) > 1:
        found.append(Obstacle("seed", "their rows were drawn by different seeds: their test rows differ"))
    elif len({run.outcome.counts.test for run in ended if run.outcome}) > 1:
        found.append(Obstacle("rows", "they were tested on different numbers of rows"))
    return tuple(found)


def _several(names: Any) -> str | None:
    """The names, where there is more than one; at most five of them."""
    found = sorted({str(name).replace("_", " ") for name in names})
    if len(found) < 2:
        return None
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def _drawn(run: Run) -> tuple[Any, ...]:
    """What decides which rows test, beside the kind of split and the seed."""
    wanted = run.specification
    split = wanted.split
    kind = split.kind if run.outcome is None else SplitKind(run.outcome.split)
    parts: list[Any] = [wanted.time_column if kind is None or kind.is_chronological else None]
    parts.append(wanted.group_column if kind is None or kind.is_grouped else None)
    if kind is not None and kind.is_folded:
        parts += [split.folds, split.fold, split.repeats if kind.is_shuffled else 1]
        parts.append(split.window if kind is SplitKind.SLIDING else None)
    else:
        parts.append(split.test_size)
    parts.append(split.gap if kind is None or kind.is_chronological else None)
    parts.append(split.year_start if kind is SplitKind.WATER_YEARS else None)
    return tuple(parts)


def _is_shuffled(run: Run) -> bool:
    kinds = SplitKind
    return run.outcome is not None and (kinds(run.outcome.split).is_shuffled or kinds(run.outcome.split).is_grouped)
