"""The plots of a run, as they stand on its page: drawn from what the run stored, never computed anew."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import inf, isfinite, log1p
from typing import Any

from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.reporting.document import Figure
from hydroml.domain.reporting.plots import (
    SERIES,
    Axis,
    Band,
    Boxes,
    Line,
    Mark,
    Panel,
    Plot,
    Points,
    Ranges,
    Role,
    Scale,
    Values,
)
from hydroml.domain.reporting.words import cut, number, plural

MOST_TRACKS = 4
MOST_FEATURES = 15
MOST_DEPENDENT = 6
MOST_EXPLAINED = 12
_DIAGONAL = Line((0, 1), (0, 1), Role.BASELINE, dashed=True)

Artifacts = Mapping[str, Any]
"""What a run stored for plots and tables, by name."""


def figures(artifacts: Artifacts, target: str) -> Iterator[Figure]:
    """In the order of the run's page; what a run has not stored is left out."""
    for name, draw in (
        ("predictions", _series),
        ("scatter", _scatter),
        ("flow_duration", _duration),
        ("residuals", _residuals),
        ("roc", _roc),
        ("thresholds", _precision_recall),
        ("calibration", _calibration),
        ("importance", _importance),
        ("shapley", _shapley),
        ("dependence", _dependence),
        ("learning_curve", _learning_curve),
    ):
        data = artifacts.get(name)
        if data:
            found = draw(data, target)
            if found is not None:
                yield found


def _series(data: Mapping[str, Any], target: str) -> Figure | None:
    time = data.get("time")
    if time is None or "labels" in data:
        return None
    seconds = [_seconds(value) for value in time]
    calendar = all(value is not None for value in seconds)
    at = seconds if calendar else [float(value) for value in time]
    several = tracks(at, data["row_numbers"])
    panels = []
    for places in several[:MOST_TRACKS]:
        x, *lines = ([values[i] for i in places] for values in (at, data["observed"], data["predicted"]))
        low, high = _ends(*lines)
        marks = tuple(
            Line(x, y, role, title)
            for y, role, title in zip(lines, (Role.OBSERVED, Role.PREDICTED), ("observed", "predicted"), strict=True)
        )
        rows = [data["row_numbers"][i] + 1 for i in places]
        title = f"rows {min(rows):,} to {max(rows):,}" if len(several) > 1 else ""
        scale = Scale.TIME if calendar else Scale.LINEAR
        panels.append(Panel(_axis("", x, scale), Axis(target, min(low, 0.0), high), marks, title))
    told = "Observed and predicted values of the test rows"
    if data["sampled"]:
        told += f", {plural(len(data['row_numbers']), 'point')} of {data['of']:,}, which keep the extremes"
    if len(several) > MOST_TRACKS:
        told += f"; the table holds several series, {MOST_TRACKS} of {len(several)} are shown"
    return Figure(f"{told}.", Plot(tuple(panels), aspect=3.2))


def tracks(time: Sequence[Any], rows: Sequence[int]) -> list[list[int]]:
    """The series that a table of several sites holds, as lists of places: in the order of its rows one ends where time
    goes back. Where rows stand together by moment, each is told by its turn."""
    everything = list(range(len(time)))
    if len(set(time)) == len(time):
        return [sorted(everything, key=lambda place: time[place])]
    found: list[list[int]] = [[]]
    for place in sorted(everything, key=lambda place: rows[place]):
        if found[-1] and time[place] <= time[found[-1][-1]]:
            found.append([])
        found[-1].append(place)
    if len(found) <= 50:
        return found
    turns: dict[int, list[int]] = {}
    seen: dict[Any, int] = {}
    for place in sorted(everything, key=lambda place: rows[place]):
        turn = seen.get(time[place], 0)
        seen[time[place]] = turn + 1
        turns.setdefault(turn, []).append(place)
    return [sorted(places, key=lambda place: time[place]) for places in turns.values()]


def _scatter(data: Mapping[str, Any], target: str) -> Figure:
    x, y, counts = data["x_edges"], data["y_edges"], data["counts"]
    low, high = min(x[0], y[0]), max(x[-1], y[-1])
    marks: list[Mark]
    if data["points"]:
        told = "Predicted against observed values of the test rows"
        marks = [Points([p[0] for p in data["points"]], [p[1] for p in data["points"]], Role.PREDICTED)]
    else:
        told = "Predicted against observed values of the test rows, counted in cells (stronger: more rows)"
        full = [(i, j, count) for j, row in enumerate(counts) for i, count in enumerate(row) if count]
        most = max((count for *_, count in full), default=1)
        marks = [
            Boxes(
                [x[i] for i, *_ in full],
                [y[j] for _, j, _ in full],
                [x[i + 1] for i, *_ in full],
                [y[j + 1] for _, j, _ in full],
                Role.COUNT,
                [log1p(count) / log1p(most) for *_, count in full],
            )
        ]
    marks.append(Line((low, high), (low, high), Role.BASELINE, dashed=True))
    axes = Axis(f"observed {target}", low, high), Axis(f"predicted {target}", low, high)
    return Figure(f"{told}; on the dashed line they agree.", Plot((Panel(*axes, tuple(marks)),), aspect=1.15))


def _duration(data: Mapping[str, Any], target: str) -> Figure:
    x = [100 * share for share in data["exceedance"]]
    positive = min(data["observed"]) > 0
    low, high = _ends(data["observed"], data["predicted"])
    if positive:
        low = min((v for v in (*data["observed"], *data["predicted"]) if v > 0), default=1.0)
    marks = (
        Line(x, data["observed"], Role.OBSERVED, "observed"),
        Line(x, data["predicted"], Role.PREDICTED, "predicted"),
    )
    y = Axis(target, low, high, Scale.LOG if positive else Scale.LINEAR)
    panel = Panel(Axis("share of the time it is reached, %", 0, 100), y, marks)
    return Figure("Duration curves of the test rows: observed and predicted, each ordered by size.", Plot((panel,)))


def _residuals(data: Mapping[str, Any], target: str) -> Figure:
    edges, counts = data["edges"], data["counts"]
    boxes = Boxes(edges[:-1], [0] * len(counts), edges[1:], counts, Role.COUNT, [0.5] * len(counts))
    axes = Axis(f"residual of {target}", edges[0], edges[-1]), Axis("rows", 0, max(counts))
    panels = [Panel(*axes, (boxes, Line((0, 0), (0, max(counts)), Role.BASELINE)))]
    over = data.get("over_time")
    if over:
        seconds = [_seconds(value) for value in over["time"]]
        calendar = all(value is not None for value in seconds)
        x = seconds if calendar else [float(value) for value in over["time"]]
        across = _axis("", x, Scale.TIME if calendar else Scale.LINEAR)
        zero = Line((across.low, across.high), (0, 0), Role.BASELINE)
        dots = Points(x, over["residual"], Role.PREDICTED, radius=0.8)
        panels.append(Panel(across, _axis(f"residual of {target}", over["residual"]), (dots, zero)))
    told = f"Residuals ({data['definition']}) of the test rows: mean {number(data['mean'])}, standard deviation "
    told += f"{number(data['std'])}" + (", and in the order of time" if over else "")
    return Figure(f"{told}.", Plot(tuple(panels), columns=len(panels)))


def _roc(data: Mapping[str, Any], _: str) -> Figure:
    curve = Line(data["fpr"], data["tpr"], Role.PREDICTED, "model")
    chance = Line((0, 1), (0, 1), Role.BASELINE, "chance", dashed=True)
    panel = Panel(Axis("false positive rate", 0, 1), Axis("true positive rate", 0, 1), (chance, curve))
    told = f"Receiver operating characteristic for “{data['positive']}”; the area below it is {number(data['auc'])}."
    return Figure(told, Plot((panel,), aspect=1.3))


def _precision_recall(data: Mapping[str, Any], _: str) -> Figure:
    true, false, missed = data["true_positive"], data["false_positive"], data["false_negative"]
    rows = true[0] + false[0] + missed[0] + data["true_negative"][0]
    share = (true[0] + missed[0]) / rows
    kept = [(t / (t + m), t / (t + f)) for t, f, m in zip(true, false, missed, strict=True) if t + f]
    curve = Line([recall for recall, _ in kept], [precision for _, precision in kept], Role.PREDICTED, "model")
    chance = Line((0, 1), (share, share), Role.BASELINE, "chance", dashed=True)
    panel = Panel(Axis("recall", 0, 1), Axis("precision", 0, 1), (chance, curve))
    told = f"Precision and recall for “{data['positive']}” as the threshold moves; "
    return Figure(f"{told}average precision {number(data['average_precision'])}.", Plot((panel,), aspect=1.3))


def _calibration(data: Mapping[str, Any], _: str) -> Figure:
    of = data["of"]
    across = f"mean probability of {of}" if of else "mean probability of the predicted class"
    along = f"share that is {of}" if of else "share that is right"
    marks = (
        _DIAGONAL,
        Line(data["predicted"], data["observed"], Role.PREDICTED),
        Points(data["predicted"], data["observed"], Role.PREDICTED, radius=2.4),
    )
    panel = Panel(Axis(across, 0, 1), Axis(along, 0, 1), marks)
    told = f"Calibration: the test rows in {len(data['rows'])} groups by probability; below the dashed line the model"
    return Figure(f"{told} is too sure.", Plot((panel,), aspect=1.3))


def _importance(data: Mapping[str, Any], _: str) -> Figure | None:
    shown = data["items"][:MOST_FEATURES]
    if not shown:
        return None
    means, spread = [item["mean"] for item in shown], [item["std"] or 0.0 for item in shown]
    places = [float(len(shown) - 1 - at) for at in range(len(shown))]
    low = min(0.0, *(mean - std for mean, std in zip(means, spread, strict=True)))
    high = max(0.0, *(mean + std for mean, std in zip(means, spread, strict=True)))
    boxes = Boxes(
        [min(0.0, mean) for mean in means],
        [place - 0.33 for place in places],
        [max(0.0, mean) for mean in means],
        [place + 0.33 for place in places],
        Role.PREDICTED,
    )
    bars = Ranges(
        [mean - std for mean, std in zip(means, spread, strict=True)],
        places,
        [mean + std for mean, std in zip(means, spread, strict=True)],
        places,
        Role.OBSERVED,
    )
    measure = METRICS[data["metric"]].title if data["metric"] in METRICS else str(data["metric"])
    panel = Panel(
        Axis(f"loss of {measure} when shuffled", low, high if high > low else low + 1),
        _names([item["feature"] for item in reversed(shown)]),
        (boxes, bars),
    )
    told = f"Permutation importance on {plural(data['rows'], 'test row')}, mean and deviation of {data['repeats']} "
    left = data["features"] - len(shown)
    told += "shufflings" + (f"; {left:,} of {data['features']:,} features are not shown" if left > 0 else "")
    return Figure(f"{told}.", Plot((panel,), aspect=max(4.4 / (0.9 + 0.24 * len(shown)), 0.8)))


def _dependence(data: Mapping[str, Any], target: str) -> Figure | None:
    shown = data["items"][:MOST_DEPENDENT]
    if not shown:
        return None
    low, high = _ends(*(line[k] for item in shown for line in item["lines"] for k in ("low", "high")))
    label = shown[0]["lines"][0]["label"]
    several = len(shown[0]["lines"]) > 1
    along = "probability" if several else f"probability of {label}" if label else f"predicted {target}"
    panels = tuple(_dependent(item, Axis(along, low, high), several) for item in shown)
    told = f"Partial dependence: the mean prediction over {plural(data['rows'], 'test row')} when a feature is set to "
    told += "each value and all others stay as they are"
    told += "" if several else "; the band holds the middle 80 % of the rows"
    return Figure(f"{told}.", Plot(panels, columns=min(3, len(panels)), aspect=1.25))


def _dependent(item: Mapping[str, Any], along: Axis, several: bool) -> Panel:
    values, marks = item["values"], list[Mark]()
    texts = isinstance(values[0], str)
    x = [float(place) for place in range(len(values))] if texts else values
    for number_, (line, series) in enumerate(zip(item["lines"], SERIES, strict=False)):
        role = series if several else Role.PREDICTED
        title = line["label"] if several else ""
        if texts:
            beside = [place + 0.12 * (number_ - (len(item["lines"]) - 1) / 2) for place in x]
            marks.append(Ranges(beside, line["low"], beside, line["high"], role))
            marks.append(Points(beside, line["mean"], role, title, radius=2.2))
        else:
            if not several:
                marks.append(Band(x, line["low"], line["high"], role))
            marks.append(Line(x, line["mean"], role, title))
    across = _names(values, item["feature"]) if texts else _axis(item["feature"], x)
    return Panel(across, along, tuple(marks))


def _shapley(data: Mapping[str, Any], _: str) -> Figure | None:
    names, values = data["features"], data["values"]
    strength = [sum(abs(row[at]) for row in values) for at in range(len(names))]
    order = sorted(range(len(names)), key=lambda at: -strength[at])[:MOST_EXPLAINED][::-1]
    if not order or not values:
        return None
    marks = []
    for place, at in enumerate(order):
        own = [value if isinstance(value, int | float) else None for value in data["shown"][at]]
        known = [value for value in own if value is not None]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        shades = [0.5 if v is None or high <= low else (v - low) / (high - low) for v in own]
        y = [place + _jitter(at, i) for i in range(len(values))]
        marks.append(Points([row[at] for row in values], y, Role.PREDICTED, radius=1.3, shades=shades))
    across = _axis("moves the prediction by", [row[at] for row in values for at in order])
    zero = Line((0, 0), (-0.5, len(order) - 0.5), Role.BASELINE)
    panel = Panel(across, _names([names[at] for at in order]), (zero, *marks))
    told = f"Shapley values of {plural(len(values), 'test row')} of {data['of']:,}: a dot is a row, pale where the "
    told += "feature is low and strong where it is high"
    return Figure(f"{told}.", Plot((panel,), aspect=max(4.4 / (0.9 + 0.24 * len(order)), 0.8)))


def _learning_curve(data: Mapping[str, Any], _: str) -> Figure:
    rows, marks = data["rows"], list[Mark]()
    for part, role, title in (
        ("train", Role.OBSERVED, "rows that trained"),
        ("validation", Role.PREDICTED, "rows that are new"),
    ):
        low, mean, high = ([point[k] for point in data[part]] for k in ("low", "mean", "high"))
        marks += [Band(rows, low, high, role), Line(rows, mean, role, title, dashed=part == "train")]
    ends = _ends(*([point[k] for point in data[part]] for part in ("train", "validation") for k in ("low", "high")))
    measure = METRICS[data["metric"]].title if data["metric"] in METRICS else str(data["metric"])
    panel = Panel(Axis("training rows", rows[0], rows[-1], Scale.LOG), Axis(measure, *ends), tuple(marks))
    how = {"past": "growing into the past", "groups": "growing by whole groups"}.get(
        data["grows_by"], "drawn by chance"
    )
    told = f"Learning curve: {plural(data['folds'], 'fold')} within the {plural(data['of'], 'training row')}, {how}; "
    return Figure(f"{told}no test row takes part. {data['words']}", Plot((panel,)))


def _jitter(at: int, row: int) -> float:
    """The same each time."""
    return ((row * 7919 + at * 104729) % 1000 / 1000 - 0.5) * 0.6


def _names(names: Sequence[str], title: str = "") -> Axis:
    return Axis(title, -0.5, len(names) - 0.5, Scale.NAMES, tuple(cut(str(name), 26) for name in names))


def _axis(title: str, values: Values, scale: Scale = Scale.LINEAR) -> Axis:
    return Axis(title, *_ends(values), scale)


def _ends(*several: Values) -> tuple[float, float]:
    """The lowest and the highest of what is known, never the same."""
    low, high = inf, -inf
    for values in several:
        for value in values:
            if value is not None and isfinite(value):
                low, high = min(low, value), max(high, value)
    if low > high:
        return 0.0, 1.0
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _seconds(text: Any) -> float | None:
    """Since 1970, of a time in ISO 8601; None for what is none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
