"""Steps on dates and times within a row."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    TEMPORAL,
    Ask,
    ColumnName,
    ColumnNames,
    NewColumn,
    Plain,
    RowEffect,
    StepInfo,
    distinct_columns,
    listed,
    required_columns,
)
from hydroml.domain.studio.steps.columns import new_name

MOST_FORMATS = 10
_DIRECTIVE = re.compile(r"%[-]?[aAbBdjmyYHIpMSfnzZGuV%]")


class Part(StrEnum):
    YEAR = "year"
    WATER_YEAR = "water_year"
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    DAY_OF_YEAR = "day_of_year"
    DAY_OF_WEEK = "day_of_week"
    HOUR = "hour"
    MINUTE = "minute"
    SEASON_SINE = "season_sine"
    SEASON_COSINE = "season_cosine"


@dataclass(frozen=True, slots=True)
class DateParts(Plain):
    """Parts of a date or time as columns `<column>_<part>`.

    Weeks and weekdays are those of ISO 8601, Monday is 1. A water year has the number of the calendar year in which it
    ends and begins on the first day of its month. The season's sine and cosine turn once in a year of 365.25 days, from
    the first of January on.
    """

    column: Annotated[ColumnName, Ask(types=TEMPORAL)]
    parts: tuple[Part, ...]
    water_year_month: Annotated[int, Ask(title="The water year begins in month", more=True)] = 10
    op: Literal["date_parts"] = "date_parts"
    info: ClassVar[StepInfo] = StepInfo("Date parts", "Year, month, weekday and others as columns.", "time")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        if not self.parts:
            raise InvalidInputError.at("parts", msg="choose at least one part", code="required")
        object.__setattr__(self, "parts", tuple(dict.fromkeys(self.parts)))
        if not 2 <= self.water_year_month <= 12:
            raise InvalidInputError.at(
                "water_year_month", msg="between 2 and 12; from January on it is the year", code="range"
            )

    def summary(self) -> str:
        return f"{listed(tuple(self.parts))} of {self.column}".replace("_", " ")


@dataclass(frozen=True, slots=True)
class ParseDates(Plain):
    """Make a date or time of one text, or of columns that hold its parts, such as year, month and day.

    Each format is tried in turn, as in %d.%m.%Y %H:%M; without any, ISO 8601 is read, or for several columns year,
    month, day, hour, minute and second in this order. Of several columns the texts are joined by a blank and read like
    one. With a time zone the times are taken as that zone's and turned into UTC; one that does not exist there, as
    clocks are put forward, or that no format fits, becomes missing.
    """

    columns: ColumnNames
    name: Annotated[NewColumn, Ask(title="Column for the result", suggest="{column}_date")]
    formats: Annotated[tuple[str, ...], Ask(help="One in each line, such as %d.%m.%Y %H:%M; ISO 8601 when empty.")] = ()
    to: Annotated[
        Literal["date", "timestamp"], Ask(title="To", choices=(("date", "date"), ("timestamp", "date and time")))
    ] = "date"
    time_zone: Annotated[
        str | None,
        Ask(
            "time_zone",
            title="Zone they are in",
            help="Such as Europe/Berlin; UTC when empty.",
            when=("to", ("timestamp",)),
        ),
    ] = None
    keep: Annotated[bool, Ask(title="Keep the columns")] = False
    op: Literal["parse_dates"] = "parse_dates"
    info: ClassVar[StepInfo] = StepInfo("Parse dates", "Make dates or times of texts and numbers.", "time")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        object.__setattr__(self, "name", new_name(self.name, "name"))
        object.__setattr__(self, "formats", distinct_columns(self.formats))
        if len(self.columns) > 6:
            raise InvalidInputError.at("columns", msg="at most six parts of a time", code="length")
        if len(self.formats) > MOST_FORMATS:
            raise InvalidInputError.at("formats", msg=f"at most {MOST_FORMATS} formats", code="length")
        for at, one in enumerate(self.formats):
            if not _DIRECTIVE.search(one) or len(one) > 100 or "%" in _DIRECTIVE.sub("", one):
                raise InvalidInputError.at("formats", at, msg="a format looks like %d.%m.%Y %H:%M", code="pattern")

    def summary(self) -> str:
        return f"{self.name} from {listed(self.columns)}" + (f" as {self.formats[0]}" if self.formats else "")
