"""What stands in reports and cards: every setting, the figures as they were stored, and no verdict kinder than them."""

from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.comparison import MetricRow, Obstacle, Setting
from hydroml.domain.experiments.doubts import Doubt
from hydroml.domain.experiments.metrics import METRICS, Better
from hydroml.domain.experiments.preparation import (
    ColumnGroup,
    DatePart,
    Dates,
    Encoding,
    Imputation,
    Numbers,
    Past,
    Preparation,
    Scaling,
    Statistic,
    Texts,
    Transform,
    Window,
)
from hydroml.domain.experiments.runs import Counts
from hydroml.domain.experiments.specification import AlgorithmChoice, Budget, Specification, Split, SplitKind
from hydroml.domain.models import Approval, Decision, Model, ModelId
from hydroml.domain.projects import ProjectId
from hydroml.domain.reporting import results
from hydroml.domain.reporting.comparing import Compared, comparison
from hydroml.domain.reporting.document import Document, Facts, Figure, Items, Listing, Paragraph, Table
from hydroml.domain.reporting.figures import figures, tracks
from hydroml.domain.reporting.methods import methods, references
from hydroml.domain.reporting.plots import Boxes, Line, Points, Ranges
from hydroml.domain.reporting.report import card, report
from hydroml.domain.reporting.subject import Stretch
from hydroml.domain.reporting.words import figure, moment, number, plural, setting, share
from tests.subjects import COLUMNS, NOW, specification, subject

SHARES = st.integers(1, 90).map(lambda percent: percent / 100)


@st.composite
def choices(draw: st.DrawFn) -> AlgorithmChoice:
    algorithm = draw(st.sampled_from(list(ALGORITHMS.values())))
    values: dict[str, Any] = {}
    for one in algorithm.hyperparameters:
        if not draw(st.booleans()):
            continue
        if one.choices:
            values[one.name] = draw(st.sampled_from(one.choices))
        elif one.type == "boolean":
            values[one.name] = draw(st.booleans())
        elif one.type == "integer":
            values[one.name] = draw(st.integers(int(one.minimum or 0), int(one.maximum or 10)))
        else:
            values[one.name] = draw(st.floats(one.minimum or 0.0, one.maximum or 1.0))
    return AlgorithmChoice(algorithm.name, values)


numbers = st.builds(
    Numbers,
    impute=st.sampled_from([None, *Imputation]),
    fill=st.integers(-99, 99).map(float),
    indicator=st.booleans(),
    transform=st.sampled_from(Transform),
    scale=st.sampled_from([None, *Scaling]),
)
texts = st.builds(
    Texts,
    impute=st.sampled_from([Imputation.NONE, Imputation.MOST_FREQUENT, Imputation.CONSTANT]),
    fill=st.sampled_from(["missing", "unknown"]),
    indicator=st.booleans(),
    encode=st.sampled_from(Encoding),
    max_categories=st.integers(2, 1_000),
    rare=st.integers(0, 50).map(lambda percent: percent / 100),
    folds=st.integers(2, 20),
    hash_columns=st.integers(2, 4_096),
)
dates = st.builds(Dates, parts=st.lists(st.sampled_from(DatePart), unique=True).map(tuple), cyclic=st.booleans())
pasts = st.builds(
    Past,
    columns=st.just(("rain",)),
    lags=st.lists(st.integers(1, 400), unique=True, max_size=3).map(tuple),
    windows=st.lists(
        st.builds(Window, st.sampled_from(Statistic), st.integers(2, 400), st.integers(0, 30)), max_size=2
    ).map(tuple),
)
specifications = st.builds(
    specification,
    features=st.sampled_from([None, ("rain",), ("rain", "site")]),
    time_column=st.just("date"),
    group_column=st.sampled_from([None, "site"]),
    preparation=st.builds(
        Preparation,
        numbers=numbers,
        texts=texts,
        dates=dates,
        groups=st.sampled_from([(), (ColumnGroup(columns=("rain",), name="wet", numbers=Numbers(Imputation.MEAN)),)]),
        past=st.lists(pasts, max_size=2).map(tuple),
    ),
    split=st.builds(
        Split,
        kind=st.sampled_from([None, *SplitKind]),
        test_size=st.integers(1, 40).map(lambda percent: percent / 100),
        gap=st.integers(0, 50).map(lambda percent: percent / 100),
        reason=st.sampled_from(["", "asked for by a reviewer"]),
        folds=st.integers(2, 50),
        repeats=st.integers(1, 20),
        window=SHARES,
        year_start=st.integers(1, 12),
        validation=st.sampled_from([0, 2, 20]),
        fold=st.sampled_from([None, 1, 2]),
        training_rows=st.sampled_from([None, 500, 12_345]),
    ),
    algorithm=choices(),
    metrics=st.sampled_from([(), ("kge",), ("nse", "rmse")]),
    seed=st.integers(0, 2**32 - 1),
    budget=st.builds(Budget, st.sampled_from([None, 90.0, 604_800.0])),
)


def expected(wanted: Specification, kind: SplitKind) -> list[str]:
    """How each setting that takes effect reads."""
    split = wanted.split
    told = [f"“{wanted.target}”", "“date”", f"seed {wanted.seed}"]
    told += [f"“{name}”" for name in wanted.features or ()]
    told += [f"“{wanted.group_column}”"] if wanted.group_column else []
    if kind.is_folded:
        told.append(f"{split.folds} ")
        told += [f"drawn anew {split.repeats} times"] if kind.is_shuffled and split.repeats > 1 else []
        told += [share(split.window)] if kind is SplitKind.SLIDING else []
    else:
        told.append(share(split.test_size))
    if split.fold is not None:
        told.append(f"only number {split.fold} tested")
    if split.validation and not split.in_folds(kind):
        told.append(f"{split.validation} folds")
    told += [f"at most {split.training_rows:,} rows"] if split.training_rows else []
    if kind.is_chronological:
        told.append(f"gap of {share(split.gap)}" if split.gap else "No gap")
    if kind is SplitKind.WATER_YEARS:
        told.append(date(2000, split.year_start, 1).strftime("%B"))
    if split.reason or (kind.is_shuffled and wanted.time_column):
        told.append(split.reason or "none was given")
    algorithm = ALGORITHMS[wanted.algorithm.name]
    told.append(algorithm.title)
    values = algorithm.complete(wanted.algorithm.hyperparameters)
    told += [f"{name} = {setting(value)}" for name, value in values.items()]
    told += [f"{setting(wanted.budget.seconds)} seconds"] if wanted.budget.seconds is not None else []
    told += [METRICS[name].title for name in wanted.metrics]
    return told + _prepared(wanted.preparation, set(wanted.resolved_features(COLUMNS)))


def _prepared(preparation: Preparation, features: set[str]) -> list[str]:
    told = []
    if "rain" in features:
        own = preparation.numbers_of("rain")
        if own.impute is Imputation.CONSTANT:
            told.append(f"become {own.fill:g}")
        told += {Transform.LOG1P: ["log(1 + x)"], Transform.POWER: ["Yeo-Johnson", "Yeo and Johnson (2000)"],
                 Transform.QUANTILE: ["quantile"]}.get(own.transform, [])  # fmt: skip
        told += {Scaling.STANDARD: ["mean 0"], Scaling.ROBUST: ["quartiles"], Scaling.MIN_MAX: ["0 … 1"]}.get(
            own.scale or Scaling.NONE, []
        )
        told += ["wet"] if preparation.groups else []
    if "site" in features:
        own_texts = preparation.texts_of("site")
        if own_texts.impute is Imputation.CONSTANT:
            told.append(f"become “{own_texts.fill}”")
        match own_texts.encode:
            case Encoding.ONE_HOT | Encoding.ORDINAL:
                told.append(f"at most {own_texts.max_categories}")
                told += [f"{100 * own_texts.rare:g} %"] if own_texts.rare else []
            case Encoding.TARGET:
                told.append(f"learnt in {own_texts.folds} folds")
            case Encoding.HASHING:
                told.append(f"spread over {own_texts.hash_columns}")
            case Encoding.FREQUENCY:
                told.append("share of rows of its category")
    for past in preparation.past:
        lags = [str(lag) for lag in past.lags]
        told += (
            [f"its value {' and '.join([', '.join(lags[:-1])] * (len(lags) > 1) + lags[-1:])} before"] if lags else []
        )
        for window in past.windows:
            since = f"up to {window.lag} before" if window.lag else "up to now"
            told.append(f"{window.statistic} over {window.rows} moments {since}")
    return told


def test_no_setting_is_unknown_here() -> None:
    """Whoever adds one says it in `methods`, and in `expected` above."""
    kinds = (
        Specification,
        Split,
        AlgorithmChoice,
        Budget,
        Preparation,
        Numbers,
        Texts,
        Dates,
        ColumnGroup,
        Past,
        Window,
    )
    names = {kind.__name__: {field.name for field in fields(kind)} for kind in kinds}
    assert names == {
        "Specification": {"name", "version_id", "target", "features", "problem", "time_column", "group_column",
                          "preparation", "split", "algorithm", "metrics", "seed", "budget"},
        "Split": {"kind", "test_size", "gap", "reason", "folds", "repeats", "window", "year_start", "validation",
                  "fold", "training_rows"},
        "AlgorithmChoice": {"name", "hyperparameters"},
        "Budget": {"seconds"},
        "Preparation": {"numbers", "texts", "dates", "groups", "past"},
        "Numbers": {"impute", "fill", "indicator", "transform", "scale"},
        "Texts": {"impute", "fill", "indicator", "encode", "max_categories", "rare", "folds", "hash_columns"},
        "Dates": {"parts", "cyclic"},
        "ColumnGroup": {"columns", "name", "numbers", "texts", "dates"},
        "Past": {"columns", "lags", "windows"},
        "Window": {"statistic", "rows", "lag"},
    }  # fmt: skip


@given(specifications)
def test_every_setting_that_takes_effect_is_told(wanted: Specification) -> None:
    if wanted.split.kind is not None and wanted.split.kind.is_grouped:
        wanted = replace(wanted, group_column="site")
    about = subject(wanted)
    told = " ".join(paragraph.text for paragraph in methods(about))
    missing = [words for words in expected(wanted, about.split) if words not in told]
    assert not missing, told
    assert about.version.fingerprint in told
    assert "10 rows were left out because “flow”" in told
    assert "None" not in told


def text(document: Document) -> str:
    """All words."""
    found = [document.title, *document.facts, document.abstract]
    for section in document.sections:
        found.append(section.title)
        for block in section.blocks:
            match block:
                case Paragraph(words, lead):
                    found += [lead, words]
                case Items(items):
                    found += items
                case Facts(pairs):
                    found += [part for pair in pairs for part in pair]
                case Listing(words):
                    found.append(words)
                case Table():
                    found += [block.caption, *block.head, *(cell for row in block.rows for cell in row), block.note]
                case Figure(caption, _):
                    found.append(caption)
    return "\n".join(found)


def test_a_model_that_beats_the_baseline_says_by_how_much() -> None:
    told = results.abstract(subject(intervals={"nse": (0.7, 0.85)}))
    assert "Its NSE is 0.800 (95 % interval 0.700 to 0.850); the strongest baseline, persistence, has 0.500" in told
    assert "so the model is better. It is better than every baseline in all 2 metrics." in told


def test_a_model_that_does_not_beat_the_baseline_says_so() -> None:
    metrics = {"test": {"nse": 0.5, "rmse": 2.0}}
    told = results.abstract(subject(metrics=metrics))
    assert "by this measure the model does not beat it" in told
    assert "no better than one in 2: RMSE, NSE" in told
    assert "so the model is better" not in told


def test_an_interval_that_reaches_the_baseline_says_so() -> None:
    assert "may be due to the choice of test rows" in results.abstract(subject(intervals={"nse": (0.45, 0.9)}))


@pytest.mark.parametrize(
    ("metric", "interval", "reaches"),
    [("rmse", (0.9, 1.5), False), ("rmse", (0.9, 2.1), True)],
)
def test_lower_is_better_for_errors(metric: str, interval: tuple[float, float], reaches: bool) -> None:
    about = subject(specification(metrics=(metric,)), intervals={metric: interval})
    assert ("may be due" in results.abstract(about)) is reaches


def test_metrics_stand_beside_their_intervals_and_baselines() -> None:
    table = results.metrics_table(subject(intervals={"rmse": (1.0, 1.5)}))
    assert table.head == ("Metric", "Better", "Model", "95 % interval", "Training", "Mean", "Persistence")
    assert ("RMSE (target)", "lower", "1.250", "1.000 to 1.500", "1.000", "3.000", "2.000") in table.rows
    assert ("NSE", "higher", "0.800", "–", "0.900", "−0.010", "0.500") in table.rows


def test_long_tables_are_cut_and_say_so() -> None:
    items = [{"group": f"g{n}", "rows": 200 - n, "metrics": {"nse": 0.5}} for n in range(150)]
    folds = [{"fold": n, "training_rows": 9, "rows": 1, "metrics": {"nse": 0.5}} for n in range(1, 101)]
    artifacts = {"groups": {"column": "site", "of": 150, "items": items}, "folds": {"items": folds, "of": 100}}
    about = subject(specification(split=Split(SplitKind.KFOLD, folds=50, repeats=2)), artifacts=artifacts)
    groups, each = results.groups_table(about), results.folds_table(about)
    assert groups is not None
    assert each is not None
    assert (len(groups.rows), groups.note) == (30, "… and 120 more groups.")
    assert (len(each.rows), each.note) == (30, "… and 70 more folds.")


def test_periods_and_left_out_rows_are_told() -> None:
    stretches = [
        Stretch(part="train", rows=80, first="2001-01-01", last="2009-12-31", groups=2),
        Stretch(part="test", rows=25, first="2010-01-01", last="2012-12-31", groups=2),
    ]
    about = subject(specification(time_column="date", group_column="site"), stretches=stretches)
    told = text(report(about))
    assert "80 rows of 2 groups trained, from 2001-01-01 to 2009-12-31." in told
    assert "“flow” or the time “date” is missing in them" in told
    assert "5 rows neither trained nor tested" in told
    assert "Times other than 2001-01-01 to 2009-12-31" in told


def test_what_was_shuffled_says_why_and_what_it_is_not_for() -> None:
    split = Split(SplitKind.RANDOM, reason="as the paper did")
    told = text(report(subject(specification(time_column="date", split=split))))
    assert "“as the paper did”" in told
    assert "the score says little about the future" in told


def test_warnings_of_pre_flight_stand_in_it() -> None:
    assert "leaks!" in text(report(subject(warnings=[Doubt("gives_away", "“rain” leaks!")])))


def test_references_are_those_of_what_is_shown() -> None:
    found = references(subject())
    assert found == ("Nash and Sutcliffe (1970), doi 10.1016/0022-1694(70)90255-6",)
    scores = subject(metrics={"test": dict.fromkeys(("brier", "mcc", "pbias", "r2", "peak_error"), 0.5)})
    assert references(scores) == (
        "Brier (1950), doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
        "Gorodkin (2004), doi 10.1016/j.compbiolchem.2004.09.006",
        "Gupta et al. (1999)",
        "Kratzert et al. (2021), doi 10.5194/hess-25-2685-2021",
        "Matthews (1975)",
        "Nash and Sutcliffe (1970), doi 10.1016/0022-1694(70)90255-6",
    )
    shown = subject(specification(time_column="date"), intervals={"nse": (0.1, 0.2)}, artifacts={"dependence": {}})
    assert [one.split(" (")[0] for one in references(shown)] == ["Friedman", "Künsch", "Nash and Sutcliffe"]


def test_a_card_names_its_version_and_aliases() -> None:
    about = subject()
    model = Model(id=ModelId(uuid4()), project_id=ProjectId(uuid4()), name="Floods", created_at=NOW)
    version = model.register(about.run.id, about.run.created_by, NOW)
    model.point("candidate", 1)
    told = card(about, model, version)
    assert told.title == "Floods, version 1"
    assert "“candidate”" in text(told)
    assert "nobody has approved this version" in text(told)
    titles = {section.title for section in told.sections}
    assert {"Intended use", "Results", "Training and evaluation", "Limits", "Warnings"} <= titles
    assert not any(isinstance(block, Figure) for section in told.sections for block in section.blocks)


def test_a_card_tells_who_decided_what_and_why() -> None:
    about = subject()
    model = Model(id=ModelId(uuid4()), project_id=ProjectId(uuid4()), name="Floods", created_at=NOW)
    model.register(about.run.id, about.run.created_by, NOW)
    model.decide(1, Decision(Approval.APPROVED, about.run.created_by, NOW, "beats persistence"))
    model.decide(1, Decision(Approval.REJECTED, about.run.created_by, NOW, "the gauge was moved"))
    told = text(card(about, model, model.version(1)))
    assert "2025-03-01 12:00 UTC: beats persistence" in told
    assert "2025-03-01 12:00 UTC: the gauge was moved" in told
    assert "This version was rejected" in told


def test_tables_and_figures_are_numbered_through() -> None:
    histogram = {"edges": [0, 1, 2], "counts": [3, 4], "mean": 0.0, "std": 1.0, "definition": "observed − predicted"}
    document = report(subject(artifacts={"residuals": histogram}))
    blocks = [block for section in document.sections for block in section.blocks]
    captions = [block.caption.partition(". ")[0] for block in blocks if isinstance(block, Table | Figure)]
    assert captions == ["Table 1", "Figure 1", "Table 2", "Table 3"]


@pytest.mark.parametrize(
    ("written", "expected_text"),
    [
        (figure(0.12345), "0.123"),
        (figure(-12.3456), "−12.35"),
        (figure(1234.5), "1,234"),
        (figure(-1e-12), "0.000"),
        (figure(0.000456), "0.000456"),
        (figure(float("nan")), "–"),
        (number(1e-7), "1.000 · 10⁻⁷"),
        (number(-1_234_567.0), "−1,234,567"),
        (number(0.6862341), "0.6862"),
        (moment("2020-01-01 00:00:00"), "2020-01-01"),
        (moment("2020-01-01T06:30:00+00:00"), "2020-01-01 06:30:00"),
        (moment(2001.0), "2001"),
        (plural(1, "row"), "1 row"),
        (plural(1_200, "row"), "1,200 rows"),
        (setting(0.1), "0.1"),
    ],
)
def test_numbers_and_times_read_as_on_the_pages(written: str, expected_text: str) -> None:
    assert written == expected_text


def compared(**changes: Any) -> Document:
    row = MetricRow("nse", "NSE", Better.HIGHER, "", "", (0.5, 0.8, 0.7), ((0.4, 0.6), (0.7, 0.9), (0.6, 0.75)), (1,))
    given: dict[str, Any] = {
        "names": ["a", "b", "c"],
        "ids": ["1", "2", "3"],
        "data": ["d"] * 3,
        "differ": [Setting("algorithm.hyperparameters.max_depth", (1, None, 2.5))],
        "same": [Setting("seed", (0, 0, 0))],
        "metrics": [row],
        "obstacles": [],
        "made_at": NOW,
    }
    return comparison(Compared(**given | changes))


def test_a_comparison_names_the_best_and_what_reaches_it() -> None:
    told = compared()
    assert "By NSE run 2, “b”, is the best with 0.800 (95 % interval 0.700 to 0.900)." in told.abstract
    assert "overlaps with that of run 3" in told.abstract
    assert "0.800 ★" in text(told)
    tables = [block for section in told.sections for block in section.blocks if isinstance(block, Table)]
    assert tables[-1].rows == (("max depth", "1", "–", "2.5"),)


def test_a_comparison_of_what_cannot_be_compared_says_so_first() -> None:
    told = compared(obstacles=[Obstacle("rows", "they were tested on different numbers of rows")])
    assert told.abstract.startswith("These figures do not say which model is better: they were tested on different")


def test_many_runs_have_a_row_each() -> None:
    several = {"names": ["r"] * 100, "ids": ["i"] * 100, "data": ["d"] * 100}
    row = MetricRow("nse", "NSE", Better.HIGHER, "", "", (0.5,) * 100, (None,) * 100, ())
    told = compared(**several, metrics=[row], differ=[Setting("seed", tuple(range(100)))], same=[])
    assert "No metric that they share tells them apart." in told.abstract
    tables = [block for section in told.sections for block in section.blocks if isinstance(block, Table)]
    assert [(len(table.rows), len(table.head)) for table in tables] == [(100, 4), (100, 3), (100, 2)]


# Figures: what was stored is what is drawn ----------------------------------------------------------------------------


def drawn(**artifacts: Any) -> Figure:
    (figure,) = figures(artifacts, "flow")
    return figure


def test_a_hydrograph_has_the_stored_values() -> None:
    days = [f"2020-01-{day:02}" for day in range(1, 6)]
    observed, predicted = [1.0, 2.0, 5.0, 3.0, 1.0], [1.1, 1.9, 4.0, 3.2, 1.3]
    figure = drawn(
        predictions={
            "time": days,
            "observed": observed,
            "predicted": predicted,
            "row_numbers": [0, 1, 2, 3, 4],
            "sampled": False,
            "of": 5,
        }
    )
    one, other = figure.plot.panels[0].marks
    assert isinstance(one, Line)
    assert isinstance(other, Line)
    assert (list(one.y), list(other.y)) == (observed, predicted)
    assert [b - a for a, b in pairwise(one.x) if a is not None and b is not None] == [86_400.0] * 4


def test_sites_of_one_table_are_drawn_apart() -> None:
    days = ["2020-01-01", "2020-01-02"] * 6
    data = {
        "time": days,
        "observed": list(range(12)),
        "predicted": list(range(12)),
        "row_numbers": list(range(12)),
        "sampled": False,
        "of": 12,
    }
    figure = drawn(predictions=data)
    assert [panel.title for panel in figure.plot.panels] == [
        "rows 1 to 2", "rows 3 to 4", "rows 5 to 6", "rows 7 to 8",
    ]  # fmt: skip
    assert "4 of 6 are shown" in figure.caption


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 200)), min_size=1, unique_by=lambda pair: pair[1]))
def test_series_hold_every_row_once_and_go_forward(pairs: list[tuple[int, int]]) -> None:
    time, rows = [t for t, _ in pairs], [r for _, r in pairs]
    found = tracks(time, rows)
    assert sorted(place for one in found for place in one) == list(range(len(pairs)))
    for one in found:
        moments = [time[place] for place in one]
        assert all(a < b for a, b in pairwise(moments))


def test_importance_is_drawn_with_its_spread() -> None:
    items = [{"feature": "rain", "mean": 2.0, "std": 0.5}, {"feature": "site", "mean": -0.1, "std": 0.2}]
    importance = {"items": items, "metric": "rmse", "rows": 10, "repeats": 3, "features": 2, "explained": 2}
    (panel,) = drawn(importance=importance).plot.panels
    boxes, ranges = panel.marks
    assert isinstance(boxes, Boxes)
    assert isinstance(ranges, Ranges)
    assert panel.y.names == ("site", "rain")
    assert list(zip(boxes.x0, boxes.x1, strict=True)) == [(0.0, 2.0), (-0.1, 0.0)]
    assert list(ranges.x0) == pytest.approx([1.5, -0.3])
    assert list(ranges.x1) == pytest.approx([2.5, 0.1])


def test_precision_and_recall_follow_from_what_was_counted() -> None:
    counted = {
        "thresholds": [0.0, 0.5, 1.0],
        "true_positive": [4, 3, 0],
        "false_positive": [6, 1, 0],
        "false_negative": [0, 1, 4],
        "true_negative": [0, 5, 6],
        "average_precision": 0.75,
        "positive": "flood",
    }
    chance, curve = drawn(thresholds=counted).plot.panels[0].marks
    assert isinstance(curve, Line)
    assert isinstance(chance, Line)
    assert list(zip(curve.x, curve.y, strict=True)) == [(1.0, 0.4), (0.75, 0.75)]
    assert set(chance.y) == {0.4}


def test_dependence_on_categories_has_a_dot_for_each() -> None:
    line = {"label": "", "mean": [1.0, 2.0], "low": [0.5, 1.5], "high": [1.5, 2.5]}
    items = [{"feature": "site", "values": ["A", "B"], "lines": [line]}]
    (panel,) = drawn(dependence={"items": items, "rows": 5, "of": 9}).plot.panels
    ranges, points = panel.marks
    assert isinstance(points, Points)
    assert isinstance(ranges, Ranges)
    assert panel.x.names == ("A", "B")
    assert (list(points.y), list(ranges.y0), list(ranges.y1)) == ([1.0, 2.0], [0.5, 1.5], [1.5, 2.5])


def test_a_learning_curve_is_drawn_with_what_it_says() -> None:
    points = [{"mean": 0.5, "low": 0.4, "high": 0.6}, {"mean": 0.7, "low": 0.65, "high": 0.75}]
    curve = {"metric": "nse", "rows": [100, 200], "of": 400, "folds": 3, "grows_by": "past", "validation": points,
             "train": points[::-1], "verdict": "growing", "words": "A longer past would still help."}  # fmt: skip
    figure = drawn(learning_curve=curve)
    new = figure.plot.panels[0].marks[-1]
    assert isinstance(new, Line)
    assert (list(new.x), list(new.y)) == ([100, 200], [0.5, 0.7])
    assert "growing into the past" in figure.caption
    assert figure.caption.endswith("A longer past would still help.")


def test_a_model_that_knows_the_past_of_its_target_says_so() -> None:
    past = Preparation(past=(Past(columns=("flow",), lags=(2,)),))
    assert "It sees the target as it was 2 before" in results.abstract(subject(specification(preparation=past)))


def test_all_that_is_left_out_is_counted() -> None:
    counts = Counts(rows=100, used=100, left_out=0, train=80, test=20, twins=7)
    told = text(report(subject(counts=counts)))
    assert "No row was left out." in told
    assert "7 test rows agree with a training row" in told


def test_days_far_apart_are_told_as_they_are() -> None:
    first = date(1900, 1, 1)
    days = [(first + timedelta(days=366 * n)).isoformat() for n in range(100)]
    data = {"time": days, "observed": [1.0] * 100, "predicted": [2.0] * 100, "row_numbers": list(range(100)),
            "sampled": True, "of": 5_000}  # fmt: skip
    figure = drawn(predictions=data)
    assert "100 points of 5,000" in figure.caption
    assert figure.plot.panels[0].x.low < 0
