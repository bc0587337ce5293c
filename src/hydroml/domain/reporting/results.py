"""What came out of a run: in a few sentences, and in tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydroml.domain.experiments.metrics import METRICS, Better
from hydroml.domain.experiments.runs import Outcome
from hydroml.domain.experiments.summary import HEADLINES, Score, score_of
from hydroml.domain.reporting.document import Table
from hydroml.domain.reporting.subject import Stretch, Subject
from hydroml.domain.reporting.words import NONE, cut, figure, moment, number, plural

MOST_ROWS = 30
"""Of a table of folds, groups or candidates."""
MOST_CLASSES = 12
MOST_HEADLINES = 5
BETTER = {Better.HIGHER: "higher", Better.LOWER: "lower", Better.ZERO: "near 0", Better.ONE: "near 1"}


def abstract(subject: Subject) -> str:
    """What was trained on what, and the score against the strongest baseline, also where it does not beat it."""
    outcome, wanted = subject.outcome, subject.wanted
    counts, period = outcome.counts, subject.period("test")
    when = f" ({period[0]} to {period[1]})" if period else ""
    judged = (
        f"judged on {plural(counts.test, 'row')}{when} in folds, each by a model that had not seen them"
        if subject.in_folds
        else f"judged on {plural(counts.test, 'row')}{when} that it had not seen"
    )
    trained = "" if subject.in_folds else f" on {plural(counts.train, 'row')}"
    first = (
        f"A model of “{cut(wanted.target)}” was trained{trained} of “{cut(subject.source)}”, version "
        f"{subject.version.number}, and {judged}."
    )
    reach = wanted.preparation.reach(wanted.target)
    if reach is not None:
        first += (
            f" It sees the target as it was {reach} before: it goes on from the last observations, as persistence "
            "does, and is to be compared with what does the same."
        )
    score = score_of(subject.run)
    if score is None:
        return f"{first} No metric is defined on these rows."
    return " ".join([first, *_verdict(score, outcome)])


def _verdict(score: Score, outcome: Outcome) -> Iterator[str]:
    metric = METRICS.get(score.metric)
    title = metric.title if metric else score.metric
    interval = outcome.intervals.get(score.metric)
    bounds = f" (95 % interval {figure(interval[0])} to {figure(interval[1])})" if interval else ""
    said = f"Its {title} is {figure(score.value)}{bounds}"
    if metric is None or score.baseline is None or score.baseline_value is None:
        yield f"{said}; there is no baseline to hold it against."
        return
    rival, value = score.baseline.replace("_", " "), figure(score.baseline_value)
    if not metric.is_better(score.value, score.baseline_value):
        yield f"{said}; the strongest baseline, {rival}, has {value}: by this measure the model does not beat it."
    else:
        yield f"{said}; the strongest baseline, {rival}, has {value}, so the model is better."
        if interval and not all(metric.is_better(bound, score.baseline_value) for bound in interval):
            yield "The interval reaches the baseline's value: the difference may be due to the choice of test rows."
    compared, lost = _compared(outcome)
    if compared > 1:
        names = ", ".join(METRICS[name].title for name in lost[:6])
        names += f" and {len(lost) - 6} more" if len(lost) > 6 else ""
        yield (
            f"Of {compared} metrics with a baseline it is no better than one in {len(lost)}: {names}."
            if lost
            else f"It is better than every baseline in all {compared} metrics."
        )


def _compared(outcome: Outcome) -> tuple[int, list[str]]:
    """How many test metrics a baseline has too, and those in which the model is no better than one."""
    test, compared, lost = outcome.metrics.get("test", {}), 0, []
    for name, metric in METRICS.items():
        rivals = [values[name] for values in outcome.baselines.values() if name in values]
        if name in test and rivals:
            compared += 1
            if not all(metric.is_better(test[name], rival) for rival in rivals):
                lost.append(name)
    return compared, lost


def headlines(subject: Subject) -> tuple[str, ...]:
    """The names of the few metrics that stand for all."""
    test = subject.outcome.metrics.get("test", {})
    order = dict.fromkeys((*subject.wanted.metrics, *HEADLINES, *METRICS))
    names = [name for name in order if name in test and (name != "r2" or "nse" not in test)]  # the same number
    return tuple(names[:MOST_HEADLINES])


def metrics_table(subject: Subject, *, few: bool = False) -> Table:
    """Each metric of the test part with its interval and what the training part and the baselines have."""
    outcome = subject.outcome
    test = outcome.metrics.get("test", {})
    names = headlines(subject) if few else tuple(dict.fromkeys((*headlines(subject), *_ordered(test))))
    parts = [part for part in ("validation", "train") if outcome.metrics.get(part)]
    intervals = [True] if outcome.intervals else []
    rows = [
        (
            _titled(name),
            BETTER[METRICS[name].better] if name in METRICS else NONE,
            figure(test[name]),
            *(_between(outcome.intervals.get(name)) for _ in intervals),
            *(figure(outcome.metrics[part].get(name)) for part in parts),
            *(figure(values.get(name)) for values in outcome.baselines.values()),
        )
        for name in names
    ]
    means = ", means over the folds" if subject.in_folds else ""
    return Table(
        caption=f"Metrics of the test rows{means}, beside those of the baselines on the same rows.",
        head=(
            "Metric",
            "Better",
            "Model",
            *("95 % interval" for _ in intervals),
            *("Validation" if part == "validation" else "Training" for part in parts),
            *(name.replace("_", " ").capitalize() for name in outcome.baselines),
        ),
        rows=tuple(rows),
        words=2,
        note=f"“target”: in the unit of “{cut(subject.wanted.target, 60)}”." if subject.is_regression else "",
    )


def definitions(subject: Subject) -> Table:
    names = [name for name in _ordered(subject.outcome.metrics.get("test", {})) if name in METRICS]
    return Table(
        caption="Definitions: o is observed, p predicted, σ a standard deviation over all rows, q a flow.",
        head=("Metric", "Definition", "Range", "Source"),
        rows=tuple(
            (METRICS[name].title, METRICS[name].definition, METRICS[name].range, METRICS[name].source or NONE)
            for name in names
        ),
        words=4,
    )


def folds_table(subject: Subject) -> Table | None:
    data = subject.artifacts.get("folds")
    if not data:
        return None
    items, names = data["items"], headlines(subject)
    tested = {one.fold: one for one in subject.stretches if one.part == "test"}
    trained = {one.fold: one for one in subject.stretches if one.part == "train"}
    timed = any(one.first for one in subject.stretches)
    rows = [
        (
            str(item["fold"]),
            *([_period(trained.get(item["fold"])), _period(tested.get(item["fold"]))] if timed else []),
            f"{item['training_rows']:,}",
            f"{item['rows']:,}",
            *(figure(item["metrics"].get(name)) for name in names),
        )
        for item in items[:MOST_ROWS]
    ]
    return Table(
        caption="Each fold by a model of its own.",
        head=("Fold", *(["Trained from", "Tested from"] if timed else []), "Training rows", "Test rows",
              *map(_title, names)),
        rows=tuple(rows),
        words=3 if timed else 1,
        note=_more(len(items), "fold"),
    )  # fmt: skip


def groups_table(subject: Subject) -> Table | None:
    data = subject.artifacts.get("groups")
    if not data:
        return None
    items, names = data["items"], headlines(subject)
    rows = [
        (cut(str(item["group"]), 60), f"{item['rows']:,}", *(figure(item["metrics"].get(name)) for name in names))
        for item in items[:MOST_ROWS]
    ]
    return Table(
        caption=f"Test metrics for each “{cut(str(data['column']), 60)}”, the largest first.",
        head=("Group", "Test rows", *map(_title, names)),
        rows=tuple(rows),
        note=_more(max(data["of"], len(items)), "group"),
    )


def confusion_table(subject: Subject) -> Table | None:
    data = subject.artifacts.get("confusion")
    if not data:
        return None
    labels, counts = data["labels"][:MOST_CLASSES], data["counts"]
    rows = []
    for label, row in zip(labels, counts, strict=False):
        total = sum(row)
        cells = [f"{count:,} ({100 * count / total:.0f} %)" if total else "0" for count in row[: len(labels)]]
        rows.append((cut(label, 40), *cells))
    return Table(
        caption="Confusion: rows are observed classes, columns predicted ones, with the share of the row.",
        head=("Observed", *(cut(label, 40) for label in labels)),
        rows=tuple(rows),
        note=_more(len(data["labels"]), "class", MOST_CLASSES),
    )


def candidates_table(subject: Subject) -> Table | None:
    """What an automatic search kept and tried."""
    board = subject.artifacts.get("leaderboard")
    if not board:
        return None
    items = sorted(board["items"], key=lambda one: (-one["weight"], one["state"] != "done"))
    rows = [
        (
            one["title"],
            cut(", ".join(f"{name} = {value}" for name, value in one["parameters"].items()) or NONE, 120),
            one["reason"] or one["state"].replace("_", " "),
            figure(one["score"]),
            f"{100 * one['weight']:.0f} %" if one["weight"] else NONE,
        )
        for one in items[:MOST_ROWS]
    ]
    return Table(
        caption="What was tried, judged on folds of the training part alone; the best weighted together are the model.",
        head=("Candidate", "Settings", "What became of it", "Score", "Weight"),
        rows=tuple(rows),
        words=3,
        note=_more(len(items), "candidate"),
    )


def inputs_table(subject: Subject) -> Table:
    """What the model saw of each feature in training."""
    seen = subject.outcome.seen
    rows = []
    for one in seen[:MOST_ROWS]:
        categories = getattr(one, "categories", None)
        what = NONE
        if one.minimum is not None and one.maximum is not None:
            what = f"{number(one.minimum)} to {number(one.maximum)}"
        elif categories is not None:
            known = ", ".join(cut(text, 30) for text in categories[:8])
            what = known + (f" and {len(categories) - 8:,} more" if len(categories) > 8 else "")
        rows.append((cut(one.name, 80), str(one.type), what))
    return Table(
        caption="What training showed of each feature. Other values are beyond what the model knows.",
        head=("Feature", "Type", "Range or categories"),
        rows=tuple(rows),
        words=3,
        note=_more(len(seen), "feature"),
    )


def _ordered(test: Mapping[str, Any]) -> Sequence[str]:
    return [*(name for name in METRICS if name in test), *sorted(test.keys() - METRICS.keys())]


def _title(name: str) -> str:
    return METRICS[name].title if name in METRICS else name


def _titled(name: str) -> str:
    unit = METRICS[name].unit if name in METRICS else ""
    return f"{_title(name)} ({unit})" if unit else _title(name)


def _between(bounds: tuple[float, float] | None) -> str:
    return NONE if bounds is None else f"{figure(bounds[0])} to {figure(bounds[1])}"


def _period(stretch: Stretch | None) -> str:
    if stretch is None or stretch.first is None or stretch.last is None:
        return NONE
    return f"{moment(stretch.first)} to {moment(stretch.last)}"


def _more(of: int, noun: str, most: int = MOST_ROWS) -> str:
    left = of - most
    if left <= 0:
        return ""
    return f"… and {left:,} more." if noun == "class" else f"… and {plural(left, 'more ' + noun)}."
