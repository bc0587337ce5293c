"""Findings about the values of a column: numbers that cannot be, words that stand for nothing, dates of no day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import exp, log

from hydroml.domain.quality.facts import ColumnFacts, Facts, NumberFacts
from hydroml.domain.quality.findings import Finding, fitting, listed, named, number, percent, quoted, short
from hydroml.domain.quality.kinds import Severity
from hydroml.domain.quality.words import cannot_be_negative, looks_like_code
from hydroml.domain.studio.steps import Derive

FAR = 3.0
"""Far out are values more than so many interquartile ranges beyond the quartiles (Tukey, Exploratory Data Analysis,
1977); on a logarithmic scale where values above zero are skewed, as flows are."""
SKEWED = 2.0
MOST_OUTLIERS = 0.01
"""When more rows than that are far out they are a heavy tail, not faults."""


def judged(column: ColumnFacts, facts: Facts, now: datetime) -> Iterator[Finding]:
    if column.numbers is not None and column.known:
        yield from _numbers(column, column.numbers)
        yield from _outliers(column, column.numbers)
    if column.texts is not None and column.known:
        yield from _texts(column)
    if column.times is not None:
        yield from _times(column, now)
    if column.name in facts.compact_dates:
        formula = facts.compact_dates[column.name]
        yield Finding(
            "compact_dates", Severity.INFO, (column.name,),
            "The whole numbers are dates such as 19580329; as numbers their differences mean nothing.",
            step=_derived(column.name, formula),
        )  # fmt: skip


def _derived(column: str, formula: str) -> Derive | None:
    return Derive(column, formula) if fitting(formula) else None


def _numbers(column: ColumnFacts, facts: NumberFacts) -> Iterator[Finding]:
    name = named(column.name)
    if facts.infinite:
        beyond = f"abs({name}) > 1.7e308"
        yield Finding(
            "infinite", Severity.ERROR, (column.name,), "Some values are infinite or not numbers at all.",
            filter=fitting(beyond), step=_derived(column.name, f"if({beyond}, NULL, {name})"),
        )  # fmt: skip
    sentinels = _believed(facts)
    if sentinels:
        condition = f"{name} IN ({', '.join(number(value) for value in sentinels)})"
        shown = ", ".join(short(value) for value in sentinels)
        low, high = facts.rest or (facts.minimum, facts.maximum)
        yield Finding(
            "sentinel_numbers", Severity.ERROR, (column.name,),
            f"{shown} seems to stand for a missing value: all others are between {short(low)} and {short(high)}.",
            filter=fitting(condition), step=_derived(column.name, f"if({condition}, NULL, {name})"),
        )  # fmt: skip
    if _has_zero_spike(column, facts):
        yield Finding(
            "zero_spike", Severity.WARNING, (column.name,),
            f"All other values are at least {short(facts.smallest_positive or 0)}: 0 may stand for a missing value.",
            filter=fitting(f"{name} = 0"), step=_derived(column.name, f"nullif({name}, 0)"),
        )  # fmt: skip
    below = facts.negatives - sum(count for value, count in facts.sentinels if value in sentinels and value < 0)
    if below > 0 and cannot_be_negative(column.name) and below < 0.2 * column.known:
        rest = "".join(f" AND {name} <> {number(value)}" for value in sentinels if value < 0)
        yield Finding(
            "negative_values", Severity.WARNING, (column.name,),
            "By its name this cannot be below zero.",
            filter=fitting(f"{name} < 0{rest}"), step=_derived(column.name, f"if({name} < 0, NULL, {name})"),
        )  # fmt: skip
    if column.type == "integer" and looks_like_code(column.name) and facts.minimum >= 0:
        shortest, longest = len(str(int(facts.minimum))), len(str(int(facts.maximum)))
        if longest >= 5 and shortest == longest - 1:
            yield Finding(
                "leading_zeros", Severity.INFO, (column.name,),
                f"The numbers have {shortest} or {longest} digits: if they are codes, a leading zero was lost before"
                " they came here. Import the column as text from a file that still has it.",
            )  # fmt: skip


def _believed(facts: NumberFacts) -> tuple[float, ...]:
    """The sentinels that stand apart from all other values."""
    if not facts.sentinels or facts.rest is None:
        return ()
    low, high = facts.rest
    spread = max(high - low, abs(high), abs(low), 1e-12)
    believed = []
    for value, count in facts.sentinels:
        apart = low - value if value < low else value - high if value > high else 0.0
        negative = value < 0 <= low
        if apart > 0 and (apart > 2 * spread or (negative and (apart > 0.5 * spread or count >= 3))):
            believed.append(value)
    return tuple(believed)


def _has_zero_spike(column: ColumnFacts, facts: NumberFacts) -> bool:
    if not facts.zeros or facts.negatives or facts.smallest_positive is None or len(facts.positive_quantiles) != 5:
        return False
    if column.distinct < 10 or facts.zeros > 0.3 * column.known:
        return False
    spread = facts.positive_quantiles[4] - facts.positive_quantiles[0]
    return facts.smallest_positive > 1.5 * spread > 0


def fences(facts: NumberFacts) -> tuple[float, float] | None:
    """Between which values a column's values are expected; None where the quartiles say nothing."""
    if len(facts.quantiles) != 5:
        return None
    _, first, _, third, _ = facts.quantiles
    lowest = facts.rest[0] if facts.rest else facts.minimum
    if lowest >= 0 and len(facts.positive_quantiles) == 5:
        _, first_, median_, third_, _ = facts.positive_quantiles
        skewed = third_ - median_ > SKEWED * (median_ - first_) or facts.mean > 1.5 * median_ or first == 0
        if skewed and 0 < first_ < third_:
            reach = FAR * (log(third_) - log(first_))
            return 0.0, _rounded(exp(min(log(third_) + reach, 700.0)))
    if third <= first:
        return None
    reach = FAR * (third - first)
    low = first - reach
    return _rounded(max(low, 0.0) if lowest >= 0 else low), _rounded(third + reach)


def _rounded(value: float) -> float:
    """To six digits: a fence is no measurement."""
    return float(f"{value:.6g}")


def _outliers(column: ColumnFacts, facts: NumberFacts) -> Iterator[Finding]:
    expected = fences(facts)
    if expected is None or column.known < 30 or column.distinct < 20 or looks_like_code(column.name):
        return
    low, high = expected
    lowest, highest = facts.rest or (facts.minimum, facts.maximum)
    if low <= lowest and highest <= high:
        return
    name = named(column.name)
    parts = ([f"{name} < {number(low)}"] if lowest < low else []) + (
        [f"{name} > {number(high)}"] if highest > high else []
    )
    yield Finding(
        "outliers", Severity.INFO, (column.name,),
        f"They lie far outside what most rows suggest ({short(low)} to {short(high)}; the extremes are"
        f" {short(lowest)} and {short(highest)}). Look whether they are real before anything is done to them.",
        filter=fitting(" OR ".join(parts)),
    )  # fmt: skip


def _texts(column: ColumnFacts) -> Iterator[Finding]:
    texts, name = column.texts, named(column.name)
    assert texts is not None  # noqa: S101 - asked by the caller
    words = sum(count for _, count in texts.words)
    if texts.words and words < column.known:
        kept = column.distinct <= 20 and words > 0.2 * column.known
        condition = f"{name} IN ({', '.join(quoted(word) for word, _ in texts.words)})"
        detail = f"{listed([word for word, _ in texts.words])} may stand for a missing value."
        if kept:
            detail += " It is frequent: it may as well be a class of its own."
        yield Finding(
            "placeholder_text", Severity.INFO if kept else Severity.WARNING, (column.name,), detail,
            filter=fitting(condition), step=_derived(column.name, f"if({condition}, NULL, {name})"),
        )  # fmt: skip
    judged_ = column.known - words
    if judged_ > 0 and texts.numbers >= 0.5 * judged_ and not texts.padded:
        yield from _numbers_in_text(column, texts.numbers, judged_)
    if texts.spaced:
        yield Finding(
            "stray_spaces", Severity.WARNING, (column.name,),
            "Texts begin or end with a space, so that equal ones count as different.",
            filter=fitting(f"{name} <> trim({name})"), step=_derived(column.name, f"trim({name})"),
        )  # fmt: skip
    cased = [group for group in texts.variants if len({spelling.strip() for spelling in group}) > 1]
    if cased and column.distinct <= max(0.5 * column.known, 50):
        shown = "; ".join(listed(group) for group in cased[:3])
        yield Finding(
            "spelling_variants", Severity.WARNING, (column.name,),
            f"Spellings that differ in case only: {shown}.",
            rows=texts.variant_rows, share=texts.variant_rows / column.rows,
            step=_derived(column.name, f"lower(trim({name}))"),
        )  # fmt: skip


def _numbers_in_text(column: ColumnFacts, numbers: int, known: int) -> Iterator[Finding]:
    name = named(column.name)
    if numbers == known:
        if not looks_like_code(column.name):
            yield Finding(
                "numbers_as_text", Severity.INFO, (column.name,),
                "All its texts are numbers: as text they can be neither compared nor computed with.",
                step=_derived(column.name, f"number({name})"),
            )  # fmt: skip
        return
    others = f"is_missing(number({name})) AND NOT is_missing({name})"
    yield Finding(
        "mixed_types", Severity.WARNING, (column.name,),
        f"{percent(numbers / known)} of its texts are numbers; the others, which are shown, keep the column from being"
        " numeric.",
        filter=fitting(others), step=_derived(column.name, f"number({name})"),
    )  # fmt: skip


def _times(column: ColumnFacts, now: datetime) -> Iterator[Finding]:
    times, name = column.times, named(column.name)
    assert times is not None  # noqa: S101 - asked by the caller
    odd = [(day, count) for day, count in times.odd if _stands_out(day, count, column)]
    if odd:
        condition = " OR ".join(f"date({name}) = date('{day}')" for day, _ in odd)
        yield Finding(
            "suspicious_dates", Severity.WARNING, (column.name,),
            f"{listed([day for day, _ in odd])} is what programs write where there is no date.",
            filter=fitting(condition), step=_derived(column.name, f"if({condition}, NULL, {name})"),
        )  # fmt: skip
    latest = (now + timedelta(days=366 * 150)).date().isoformat()
    odd_days = {day for day, _ in odd}
    before = times.minimum.year < 1000 and times.minimum.date().isoformat() not in odd_days
    after = times.maximum.date().isoformat() > latest and times.maximum.date().isoformat() not in odd_days
    if before or after:
        condition = f"{name} < date('1000-01-01') OR {name} > date('{latest}')"
        yield Finding(
            "impossible_dates", Severity.ERROR, (column.name,),
            f"The dates reach from {times.minimum.date()} to {times.maximum.date()}.",
            filter=fitting(condition), step=_derived(column.name, f"if({condition}, NULL, {name})"),
        )  # fmt: skip


def _stands_out(day: str, count: int, column: ColumnFacts) -> bool:
    """Whether a date is more than one of many: the first or last of all, and either frequent or far away."""
    times = column.times
    assert times is not None  # noqa: S101 - asked by the caller
    if day[:4] in ("0001", "1111", "9999", "2999", "2099"):
        return True
    at_end = times.minimum.date().isoformat() == day or times.maximum.date().isoformat() == day
    usual = column.known / max(column.distinct, 1)
    return at_end and count > 5 * usual
