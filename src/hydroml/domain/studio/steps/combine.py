"""Steps that bring another table together with the one at hand."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.steps.base import (
    NUMERIC,
    TEMPORAL,
    Ask,
    Plain,
    RowEffect,
    StepInfo,
    distinct_columns,
    required_text,
)
from hydroml.domain.studio.steps.columns import COLUMN_NAME_LENGTH
from hydroml.domain.studio.steps.windows import SpanUnit

MAX_KEYS = 20

OtherVersion = Annotated[VersionId, Ask("version", title="The other table")]
Suffix = Annotated[
    str,
    Ask(title="Suffix for equal names", help="Put behind the other table's columns whose name is taken.", more=True),
]


class JoinKind(StrEnum):
    INNER = "inner"
    """Rows that have a partner."""
    LEFT = "left"
    """All rows of this table."""
    RIGHT = "right"
    """All rows of the other table."""
    FULL = "full"
    """All rows of both tables."""
    SEMI = "semi"
    """Rows of this table that have a partner, without its columns."""
    ANTI = "anti"
    """Rows of this table that have none."""


@dataclass(frozen=True, slots=True)
class JoinKey:
    """A column of this table and the one of the other table that has to be equal."""

    left: Annotated[str, Ask("column", title="Column here")]
    right: Annotated[str, Ask("other_column", title="Column there")]


_BRINGS = (JoinKind.INNER, JoinKind.LEFT, JoinKind.RIGHT, JoinKind.FULL)


@dataclass(frozen=True, slots=True)
class Join(Plain):
    """Bring together rows of this table and another one whose keys are equal.

    A missing key is equal to nothing, not even to another missing one. The keys stand once, under this table's names.
    The rows come in the order of this table, the partners of a row in the order of the other, rows of the other table
    without a partner last. Where one partner at most is expected, a key that occurs twice on the other side is refused.
    """

    version: OtherVersion
    on: Annotated[tuple[JoinKey, ...], Ask(title="Keys: equal on both sides")]
    how: Annotated[
        JoinKind,
        Ask(
            title="Rows of the result",
            choices=(
                ("left", "all rows here, with what the other table has for them"),
                ("inner", "only rows that have a partner"),
                ("full", "all rows of both tables"),
                ("right", "all rows of the other table, with what is here for them"),
                ("semi", "rows here that have a partner; no column is brought"),
                ("anti", "rows here that have no partner; no column is brought"),
            ),
        ),
    ] = JoinKind.LEFT
    expect: Annotated[
        Literal["any", "one"],
        Ask(
            title="Partners of a row",
            choices=(
                ("any", "any number: a row comes once for each"),
                ("one", "one at most; a key that is there twice is refused"),
            ),
            more=True,
        ),
    ] = "any"
    bring: Annotated[
        tuple[str, ...],
        Ask(
            "other_columns", title="Columns to bring", help="All when none is chosen.", when=("how", _BRINGS), more=True
        ),
    ] = ()
    suffix: Suffix = "_right"
    op: Literal["join"] = "join"
    info: ClassVar[StepInfo] = StepInfo("Join", "Bring in the columns of another table by equal keys.", "combine")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        if not self.on:
            raise InvalidInputError.at("on", msg="choose at least one pair of keys", code="required")
        _check_keys(self.on, "on")
        object.__setattr__(self, "bring", distinct_columns(self.bring))
        object.__setattr__(self, "suffix", required_text(self.suffix, COLUMN_NAME_LENGTH, "suffix"))

    @property
    def others(self) -> tuple[VersionId, ...]:
        return (self.version,)

    def summary(self) -> str:
        return f"{self.how} by {_keys(self.on)}"


class NearestDirection(StrEnum):
    BACKWARD = "backward"
    """The last at or before."""
    FORWARD = "forward"
    """The first at or after."""
    NEAREST = "nearest"
    """Whichever is nearer; of two as near the earlier."""


ToleranceUnit = Literal[SpanUnit.SECONDS, SpanUnit.MINUTES, SpanUnit.HOURS, SpanUnit.DAYS, SpanUnit.WEEKS]


@dataclass(frozen=True, slots=True)
class JoinNearest(Plain):
    """Bring to each row the one row of another table that is nearest in time, or by number, within equal keys.

    Backward takes the last row at or before, forward the first at or after, nearest the nearer of the two and of equals
    the earlier. Of several rows at the same place, backward takes the last and forward the first. Beyond the tolerance,
    which is itself allowed, and where a key, time or number is missing, there is none; nothing is interpolated.
    """

    version: OtherVersion
    left: Annotated[str, Ask("column", (*NUMERIC, *TEMPORAL), title="Time or number here")]
    right: Annotated[str, Ask("other_column", (*NUMERIC, *TEMPORAL), title="Time or number there")]
    keys: Annotated[tuple[JoinKey, ...], Ask(title="Keys: equal on both sides", help="Such as the site.")] = ()
    direction: Annotated[
        NearestDirection,
        Ask(
            title="Which row",
            choices=(
                ("backward", "the last one at or before"),
                ("forward", "the first one at or after"),
                ("nearest", "the nearer of both; of two as near the earlier"),
            ),
        ),
    ] = NearestDirection.BACKWARD
    tolerance: Annotated[float | None, Ask(title="At most so far away", help="No limit when empty.")] = None
    unit: Annotated[ToleranceUnit, Ask(title="Unit of the distance", help="Of times; a number has none.")] = (
        SpanUnit.DAYS
    )
    keep: Annotated[
        Literal["all", "matched"],
        Ask(
            title="Rows of the result", choices=(("all", "all rows here"), ("matched", "only rows that have a partner"))
        ),
    ] = "all"
    bring: Annotated[
        tuple[str, ...], Ask("other_columns", title="Columns to bring", help="All when none is chosen.", more=True)
    ] = ()
    suffix: Suffix = "_right"
    op: Literal["join_nearest"] = "join_nearest"
    info: ClassVar[StepInfo] = StepInfo(
        "Join by nearest", "Bring in the row of another table that is nearest in time.", "combine"
    )
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        _check_keys(self.keys, "keys")
        if self.tolerance is not None and not 0 <= self.tolerance <= 1e15:
            raise InvalidInputError.at("tolerance", msg="a tolerance is between 0 and 1e15", code="range")
        object.__setattr__(self, "bring", distinct_columns(self.bring))
        object.__setattr__(self, "suffix", required_text(self.suffix, COLUMN_NAME_LENGTH, "suffix"))

    @property
    def others(self) -> tuple[VersionId, ...]:
        return (self.version,)

    def summary(self) -> str:
        by = f", {_keys(self.keys)}" if self.keys else ""
        return f"{self.direction} from {self.left} to {self.right}{by}"


@dataclass(frozen=True, slots=True)
class Append(Plain):
    """Put the rows of another table below those of this one.

    By name, a column that one of the tables lacks is missing in its rows, and `pairs` tells which columns are the same
    under two names, the name here being kept; by position, both must have as many columns,
    and this table's names hold. Types that go together without loss become one (integers and numbers, dates and
    timestamps); others are refused. On request a text column says which table a row is of.
    """

    version: OtherVersion
    by: Annotated[
        Literal["name", "position"],
        Ask(
            title="Columns that go together",
            choices=(("name", "those of the same name"), ("position", "the first with the first, and so on")),
        ),
    ] = "name"
    pairs: Annotated[
        tuple[JoinKey, ...],
        Ask(title="Of different names", help="Columns that are the same under two names.", when=("by", ("name",))),
    ] = ()
    source_column: Annotated[
        str,
        Ask(
            "new_column",
            title="Column for the table's name",
            help="Says which table a row is of; none when empty.",
            more=True,
        ),
    ] = ""
    label: Annotated[str, Ask(title="What it says for this table", more=True)] = "this"
    other_label: Annotated[str, Ask(title="What it says for the other table", more=True)] = "other"
    op: Literal["append"] = "append"
    info: ClassVar[StepInfo] = StepInfo("Append rows", "Put the rows of another table below.", "combine")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        if self.source_column:
            name = required_text(self.source_column, COLUMN_NAME_LENGTH, "source_column")
            object.__setattr__(self, "source_column", name)
        _check_keys(self.pairs, "pairs")
        for part in ("label", "other_label"):
            object.__setattr__(self, part, required_text(getattr(self, part), COLUMN_NAME_LENGTH, part))

    @property
    def others(self) -> tuple[VersionId, ...]:
        return (self.version,)

    def summary(self) -> str:
        return f"the rows of another table, columns by {self.by}"


def _check_keys(keys: tuple[JoinKey, ...], *loc: str) -> None:
    if len(keys) > MAX_KEYS:
        raise InvalidInputError.at(*loc, msg=f"at most {MAX_KEYS} pairs of keys", code="length")
    for side in ("left", "right"):
        if len({getattr(key, side) for key in keys}) != len(keys):
            raise InvalidInputError.at(*loc, msg=f"a {side} key is there twice", code="duplicate")


def _keys(keys: tuple[JoinKey, ...]) -> str:
    return ", ".join(key.left if key.left == key.right else f"{key.left} = {key.right}" for key in keys)
