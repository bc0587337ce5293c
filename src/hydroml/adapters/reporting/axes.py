"""Where an axis puts its values, and which of them it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor, log10

from hydroml.domain.reporting.plots import Axis, Scale
from hydroml.domain.reporting.words import number

_DAY = 86_400.0
_HOURS = (1, 3, 6, 12)
_DAYS = (1, 2, 5, 10)
_MONTHS = (1, 2, 3, 6)
_YEARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


@dataclass(frozen=True, slots=True)
class Placed:
    """An axis between two pixels."""

    axis: Axis
    start: float
    stop: float

    def at(self, value: float | None) -> float | None:
        """The pixel of a value; None where it has none, as 0 on a logarithmic axis."""
        if value is None:
            return None
        low, high = self.axis.low, self.axis.high
        if self.axis.scale is Scale.LOG:
            if value <= 0:
                return None
            low, high, value = log10(low), log10(high), log10(value)
        return self.start + (self.stop - self.start) * (value - low) / ((high - low) or 1.0)


def ticks(axis: Axis, most: int) -> list[tuple[float, str]]:
    """At most about so many values within the axis, with their names."""
    match axis.scale:
        case Scale.NAMES:
            return [(float(place), name) for place, name in enumerate(axis.names)]
        case Scale.TIME:
            return list(_times(axis.low, axis.high, most))
        case Scale.LOG:
            return _decades(axis.low, axis.high, most)
        case Scale.LINEAR:
            found = _even(axis.low, axis.high, most)
            return found if len(found) > 1 else _even(axis.low, axis.high, 2 * most)


def _even(low: float, high: float, most: int) -> list[tuple[float, str]]:
    rough = (high - low) / max(most, 1)
    if rough <= 0:
        return [(low, number(low))]
    power = 10.0 ** floor(log10(rough))
    step = next((factor * power for factor in (1, 2, 5) if factor * power >= rough * 0.999), 10 * power)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [(place * step, number(round(place * step, 12), 6)) for place in range(first, last + 1)]


def _decades(low: float, high: float, most: int) -> list[tuple[float, str]]:
    first, last = floor(log10(low)), ceil(log10(high))
    wanted = (1, 2, 5) if last - first <= 3 else (1,)
    every = max(1, ceil((last - first) / max(most, 1)))
    values = [factor * 10.0**power for power in range(first, last + 1, every) for factor in wanted]
    return [(value, number(value)) for value in values if low * 0.999 <= value <= high * 1.001]


def _times(low: float, high: float, most: int) -> Iterator[tuple[float, str]]:
    span = (high - low) / max(most, 1)
    start = datetime.fromtimestamp(low, UTC)
    if span > 200 * _DAY:
        every = next((step for step in _YEARS if step * 365 * _DAY >= span), _YEARS[-1])
        years = range(start.year - start.year % every, datetime.fromtimestamp(high, UTC).year + 1, every)
        found = ((datetime(max(year, 1), 1, 1, tzinfo=UTC), f"{year}") for year in years)
    elif span > 15 * _DAY:
        every = next((step for step in _MONTHS if step * 30 * _DAY >= span), 6)
        end = datetime.fromtimestamp(high, UTC)
        months = range(start.year * 12, end.year * 12 + 12, every)
        moments = (datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months)
        found = ((moment, f"{moment:%b %Y}") for moment in moments)
    else:
        steps = [*(hours * 3_600 for hours in _HOURS), *(days * _DAY for days in _DAYS)]
        every = int(next((step for step in steps if step >= span), steps[-1]))
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        count = int((high - midnight.timestamp()) // every) + 1
        moments = (midnight + timedelta(seconds=every * place) for place in range(count))
        form = "%d %b" if every >= _DAY else "%d %b %H:%M"
        found = ((moment, f"{moment:{form}}") for moment in moments)
    for moment, name in found:
        seconds = moment.timestamp()
        if low <= seconds <= high:
            yield seconds, name
