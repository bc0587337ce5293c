"""What measured facts mean."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from hydroml.domain.quality.facts import (
    Association,
    ColumnFacts,
    Facts,
    Gap,
    Hits,
    NumberFacts,
    Relation,
    Run,
    SeriesFacts,
    TextFacts,
    TimeFacts,
    TimeIndex,
)
from hydroml.domain.quality.findings import Finding, counted, percent
from hydroml.domain.quality.fitness import Fit
from hydroml.domain.quality.kinds import KINDS, Severity
from hydroml.domain.quality.personal import is_card, is_email, is_iban, is_phone, personal_by_value
from hydroml.domain.quality.report import compared, report, suspected
from hydroml.domain.quality.series import flat_limit
from hydroml.domain.quality.values import fences
from hydroml.domain.quality.words import cannot_be_negative, looks_like_key, personal_by_name
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.steps import Derive, DropColumns

NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - tables know no zones


def numbers(name: str = "x", rows: int = 1000, distinct: int = 500, **changes: Any) -> ColumnFacts:
    given: dict[str, Any] = {
        "minimum": 0.5, "maximum": 9.5, "mean": 5.0, "std": 2.0, "smallest_positive": 0.5,
        "quantiles": (1.0, 3.0, 5.0, 7.0, 9.0), "positive_quantiles": (1.0, 3.0, 5.0, 7.0, 9.0),
    }  # fmt: skip
    outer = {key: changes.pop(key) for key in ("missing", "values", "type", "exact") if key in changes}
    values: dict[str, Any] = {"type": ColumnType.NUMBER, "missing": 0}
    return ColumnFacts(
        name=name, rows=rows, distinct=distinct, numbers=NumberFacts(**(given | changes)), **(values | outer)
    )


def texts(name: str = "x", rows: int = 1000, distinct: int = 500, **changes: Any) -> ColumnFacts:
    outer = {key: changes.pop(key) for key in ("missing", "values", "exact") if key in changes}
    given = {"missing": 0} | outer
    return ColumnFacts(
        name=name, type=ColumnType.TEXT, rows=rows, distinct=distinct, texts=TextFacts(**changes), **given
    )


def kinds(*columns: ColumnFacts, **facts: Any) -> dict[str, Finding]:
    found = suspected(Facts(1000, (*columns, numbers("rest")), **facts), NOW)
    return {finding.kind: finding for finding in found}


def test_a_plain_column_has_nothing_wrong() -> None:
    assert kinds(numbers()) == {}


@pytest.mark.parametrize(
    ("column", "kind", "severity"),
    [
        (numbers(missing=1000, distinct=0), "empty_column", Severity.WARNING),
        (numbers(missing=600), "mostly_missing", Severity.WARNING),
        (numbers(missing=10), "missing", Severity.INFO),
        (numbers(missing=100), "missing", Severity.WARNING),
        (numbers(distinct=1), "constant", Severity.WARNING),
        (texts(distinct=2, values=(("a", 995), ("b", 5))), "near_constant", Severity.INFO),
        (texts("gauge_id", distinct=1000), "candidate_key", Severity.INFO),
        (texts("gauge_id", distinct=990), "broken_key", Severity.WARNING),
        (numbers(infinite=3), "infinite", Severity.ERROR),
        (numbers(minimum=-9999.0, sentinels=((-9999.0, 4),), rest=(0.0, 9.5)), "sentinel_numbers", Severity.ERROR),
        (
            numbers(
                "level", minimum=0.0, zeros=5, smallest_positive=900.0, maximum=995.0, mean=970.0,
                positive_quantiles=(950, 960, 970, 980, 990), quantiles=(950, 960, 970, 980, 990),
            ),
            "zero_spike", Severity.WARNING,
        ),
        (numbers("q_mm", minimum=-0.2, negatives=2), "negative_values", Severity.WARNING),
        (numbers(maximum=100.0), "outliers", Severity.INFO),
        (texts(words=(("unknown", 7),)), "placeholder_text", Severity.WARNING),
        (texts(numbers=900), "mixed_types", Severity.WARNING),
        (texts(numbers=1000), "numbers_as_text", Severity.INFO),
        (texts(spaced=5), "stray_spaces", Severity.WARNING),
        (texts(distinct=20, variants=(("Fog", "fog"),), variant_rows=4), "spelling_variants", Severity.WARNING),
        (
            numbers("huc_code", minimum=1013500.0, maximum=14400000.0, type=ColumnType.INTEGER),
            "leading_zeros", Severity.INFO,
        ),
        (texts("e_mail"), "personal_data", Severity.WARNING),
        (texts(distinct=900), "high_cardinality", Severity.INFO),
        (texts(distinct=2, values=(("a", 900), ("b", 100))), "imbalance", Severity.INFO),
        (texts(distinct=3, values=(("a", 500), ("b", 495), ("c", 5))), "rare_class", Severity.INFO),
    ],
)  # fmt: skip
def test_every_fault_of_a_column_is_found(column: ColumnFacts, kind: str, severity: Severity) -> None:
    found = kinds(column)
    assert kind in found, found
    assert (found[kind].severity, found[kind].columns) == (severity, (column.name,))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (numbers("temperature", minimum=-0.2, negatives=2), "negative_values"),
        (numbers("delta_q", minimum=-0.2, negatives=2), "negative_values"),
        (numbers(minimum=-99.0, maximum=9.5, sentinels=((-99.0, 1),), rest=(-98.0, 9.5)), "sentinel_numbers"),
        (numbers(maximum=999.0, sentinels=((999.0, 1),), rest=(0.0, 998.0)), "sentinel_numbers"),
        (numbers("rain", zeros=300, spike=(0.0, 0.995), distinct=400), "near_constant"),
        (texts("gauge_id", numbers=1000), "numbers_as_text"),
        (texts(numbers=1000, padded=20), "numbers_as_text"),
        (texts("name"), "personal_data"),
    ],
)
def test_what_is_usual_is_no_finding(column: ColumnFacts, kind: str) -> None:
    assert kind not in kinds(column)


def test_filters_and_steps_survive_names_with_quotes() -> None:
    found = kinds(numbers('a "b" c', minimum=-9999.0, sentinels=((-9999.0, 4),), rest=(0.0, 9.5)))["sentinel_numbers"]
    assert found.filter == '"a ""b"" c" IN (-9999)'
    assert found.step == Derive('a "b" c', 'if("a ""b"" c" IN (-9999), NULL, "a ""b"" c")')


def test_far_out_is_meant_on_the_scale_of_the_values() -> None:
    even = NumberFacts(-5.0, 5.0, 0.0, 2.0, quantiles=(-4.0, -1.0, 0.0, 1.0, 4.0))
    assert fences(even) == (-7.0, 7.0)
    flows = NumberFacts(0.0, 900.0, 20.0, 60.0, quantiles=(0.1, 1.0, 4.0, 16.0, 60.0),
                        positive_quantiles=(0.1, 1.0, 4.0, 16.0, 60.0))  # fmt: skip
    assert fences(flows) == (0.0, 65536.0)
    assert fences(replace(even, quantiles=(0.0,) * 5)) is None


def test_dates_that_stand_for_none() -> None:
    def dates(low: str, high: str, **odd: Any) -> ColumnFacts:
        times = TimeFacts(datetime.fromisoformat(low), datetime.fromisoformat(high), **odd)
        return ColumnFacts("day", ColumnType.DATE, 1000, 0, 900, times=times)

    odd = kinds(dates("1900-01-01", "2020-01-01", odd=(("1900-01-01", 50),)))["suspicious_dates"]
    assert odd.filter == "date(\"day\") = date('1900-01-01')"
    assert "suspicious_dates" not in kinds(dates("1900-01-01", "2020-01-01", odd=(("1900-01-01", 1),)))
    assert "impossible_dates" in kinds(dates("0200-01-01", "2020-01-01"))
    assert "impossible_dates" in kinds(dates("2000-01-01", "3020-01-01"))
    assert "impossible_dates" not in kinds(dates("1500-01-01", "2100-01-01"))


def index(**changes: Any) -> TimeIndex:
    values: dict[str, Any] = {
        "column": "day", "group": None, "start": "2000-01-01", "end": "2002-01-01", "step": "1 day",
        "seconds": 86400.0, "regular": 0.99,
    }  # fmt: skip
    return TimeIndex(**(values | changes))


def test_faults_of_the_time_are_found() -> None:
    gap = Gap("2000-01-01", "2000-01-04", 2, "a")
    time = index(
        group="site", groups=3, gaps=(gap,), gap_count=1, missing_steps=2, duplicates=Hits(1, (4,)),
        out_of_order=Hits(2, (7, 9)), clock_changes=2, regular=0.8,
    )  # fmt: skip
    columns = (texts("site", distinct=3), texts("day"))
    found = kinds(*columns, time=time)
    assert found.keys() >= {
        "time_gaps", "time_duplicates", "out_of_order", "irregular_step", "daylight_saving", "group_column",
    }  # fmt: skip
    assert found["time_gaps"].rows == 2
    assert found["time_duplicates"].row_numbers == (4,)
    assert [key.column for key in found["out_of_order"].step.by] == ["site", "day"]  # type: ignore[union-attr]


def test_a_flat_line_is_longer_than_chance_allows() -> None:
    assert flat_limit(0.0, 10_000) == 12
    assert 12 < flat_limit(0.5, 10_000) < 40
    assert flat_limit(0.95, 10_000) > 10_000
    run = Run("2000-01-01", "2000-02-01", 32, 17, 4.2)
    series = SeriesFacts("flow", flat=(run,))
    found = kinds(texts("day"), numbers("flow"), time=index(series=(series,)))["flat_line"]
    assert (found.rows, found.row_numbers) == (32, (17,))
    assert "flat_line" not in kinds(numbers("flow"), time=index(series=(replace(series, repeats=0.8),)))


def test_what_is_measured_now_and_then_is_no_stretch_without_values() -> None:
    hole = Run("2000-01-01", "2000-01-14", 13, 2)
    sparse = SeriesFacts("head", missing_runs=60, longest_missing=hole, spacing=14.0)
    found = kinds(numbers("head", missing=930), time=index(series=(sparse,)))
    assert found["mostly_missing"].severity is Severity.INFO
    assert "missing_stretches" not in found
    dense = replace(sparse, spacing=1.0)
    assert "missing_stretches" in kinds(numbers("head", missing=30), time=index(series=(dense,)))


def test_columns_that_others_determine_are_found() -> None:
    columns = [numbers(name) for name in ("cnt", "casual", "registered", "copy")]
    related = (
        Relation("combination", ("cnt", "casual", "registered"), "“cnt” = “casual” + “registered”"),
        Relation("identical", ("copy", "casual"), "“copy” = “casual”"),
    )
    strong = (Association("cnt", "registered", "pearson", 0.97), Association("cnt", "rest", "pearson", 0.96))
    facts = Facts(1000, (*columns, numbers("rest")), relations=related, associations=strong)
    found = suspected(facts, NOW)
    assert [f.kind for f in found] == ["combination", "identical_columns", "correlated"]
    assert found[2].columns == ("cnt", "rest")
    assert found[1].step == DropColumns(("copy",))
    fit = {f.column: f for f in report(facts, 5, found, [None] * 3).fitness}
    assert fit["casual"].as_feature is Fit.DOUBTFUL
    assert fit["cnt"].as_target is Fit.DOUBTFUL
    assert fit["rest"].as_feature is Fit.GOOD


def test_many_empty_columns_are_one_finding() -> None:
    empty = [numbers(f"e{at}", missing=1000, distinct=0) for at in range(5)]
    found = [f for f in suspected(Facts(1000, (*empty, numbers())), NOW) if f.kind == "empty_column"]
    assert [f.columns for f in found] == [("e0", "e1", "e2", "e3", "e4")]
    assert found[0].step == DropColumns(found[0].columns)


def test_a_finding_that_no_row_shows_is_none_and_a_heavy_tail_neither() -> None:
    facts = Facts(1000, (numbers(maximum=100.0),))
    found = suspected(facts, NOW)
    assert [f.kind for f in found] == ["outliers"]
    for hits, left in ((Hits(0), 0), (Hits(5, (1,)), 1), (Hits(50, (1,)), 0)):
        assert len(report(facts, 1, found, [hits]).findings) == left


def test_reports_are_compared_by_kind_and_columns() -> None:
    one, two, three = ({"id": Finding("missing", Severity.INFO, (name,), "").id} for name in "abc")
    assert compared([one, two], [two, three]) == {"new": [three], "gone": [one], "same": [two]}


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (is_email, "ada.lovelace@example.org", "ada at example.org"),
        (is_iban, "DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        (is_card, "4539 1488 0343 6467", "4539 1488 0343 6468"),
        (is_phone, "+49 30 1234567", "01022500"),
        (is_phone, "030/1234-567", "2020-01-01"),
    ],
)
def test_personal_data_is_known_by_its_form(check: Any, good: str, bad: str) -> None:
    assert check(good)
    assert not check(bad)


def test_personal_data_is_known_by_enough_values_or_by_name() -> None:
    assert personal_by_value("x", ["a@b.org"] * 3 + ["none"] * 7) == "e-mail addresses"
    assert personal_by_value("x", ["a@b.org"] + ["none"] * 9) is None
    assert personal_by_value("x", []) is None
    assert personal_by_name("customerEmail") == "e-mail addresses"
    assert personal_by_name("First Name") == "names of people"
    assert personal_by_name("station_name") is None


def test_names_are_hints() -> None:
    assert looks_like_key("gauge_id")
    assert not looks_like_key("idle_time")
    assert cannot_be_negative("Q_obs")
    assert cannot_be_negative("precipMm")
    assert not cannot_be_negative("log_flow")


def test_words_and_shares() -> None:
    assert [counted(n, noun) for n, noun in ((1, "rows"), (2, "rows"), (1, "stretches"))] == [
        "1 row",
        "2 rows",
        "1 stretch",
    ]
    assert [percent(share) for share in (0.5, 0.001, 0.0001)] == ["50 %", "0.1 %", "less than 0.1 %"]
    assert all(kind.title for kind in KINDS.values())
