"""Steps on texts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import (
    TEXTUAL,
    Ask,
    ColumnName,
    ColumnNames,
    NewColumn,
    Plain,
    RowEffect,
    StepInfo,
    listed,
    required_columns,
)
from hydroml.domain.studio.steps.columns import new_name

PATTERN_LENGTH = 500
MOST_PIECES = 50


def checked_text(value: str, *loc: str, least: int = 0) -> str:
    """Raises InvalidInputError unless it has a bearable length; blanks count."""
    if not least <= len(value) <= PATTERN_LENGTH:
        raise InvalidInputError.at(*loc, msg=f"between {least} and {PATTERN_LENGTH} characters", code="length")
    return value


class Case(StrEnum):
    AS_IS = "as_is"
    LOWER = "lower"
    UPPER = "upper"
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class CleanText(Plain):
    """Tidy texts, in this order: Unicode form NFC, accents taken off, blanks at the ends, blanks within made one, case.

    A text of which nothing is left becomes missing.
    """

    columns: Annotated[ColumnNames, Ask(types=TEXTUAL)]
    trim: Annotated[bool, Ask(title="Take blanks off the ends")] = True
    collapse: Annotated[bool, Ask(title="Make blanks within one blank")] = True
    accents: Annotated[bool, Ask(title="Take accents off")] = False
    case: Annotated[
        Case,
        Ask(
            choices=(
                ("as_is", "as it is"),
                ("lower", "all lower case"),
                ("upper", "ALL UPPER CASE"),
                ("title", "Each Word In Upper Case"),
            )
        ),
    ] = Case.AS_IS
    op: Literal["clean_text"] = "clean_text"
    info: ClassVar[StepInfo] = StepInfo("Clean text", "Blanks, case, accents.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))

    def summary(self) -> str:
        what = [
            name
            for name, on in (("trim", self.trim), ("collapse blanks", self.collapse), ("no accents", self.accents))
            if on
        ]
        if self.case is not Case.AS_IS:
            what.append(f"{self.case} case")
        return f"{listed(self.columns)}: {', '.join(what) or 'normalise'}"


class Matching(StrEnum):
    TEXT = "text"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class ReplaceText(Plain):
    r"""Replace a text, or what a regular expression finds, wherever it stands in a cell.

    In a replacement for a pattern, \1 to \9 stand for its groups.
    """

    columns: Annotated[ColumnNames, Ask(types=TEXTUAL)]
    find: Annotated[str, Ask("text")]
    replacement: Annotated[str, Ask("text", title="Replace by")] = ""
    matching: Annotated[
        Matching,
        Ask(title="Find as", choices=(("text", "the text as it is written"), ("pattern", "a regular expression"))),
    ] = Matching.TEXT
    op: Literal["replace_text"] = "replace_text"
    info: ClassVar[StepInfo] = StepInfo("Replace text", "Replace a part of texts.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        checked_text(self.find, "find", least=1)
        checked_text(self.replacement, "replacement")

    def summary(self) -> str:
        return f"{listed(self.columns)}: “{self.find}” by “{self.replacement}”"


@dataclass(frozen=True, slots=True)
class SplitColumn(Plain):
    """Cut texts at a separator into columns `<column>_1`, `<column>_2` …

    The last one takes the rest; pieces that are not there are missing.
    """

    column: Annotated[ColumnName, Ask(types=TEXTUAL)]
    separator: Annotated[str, Ask("text", help="Such as a comma.", suggest=",")]
    into: Annotated[int, Ask(title="Into so many columns")] = 2
    keep: Annotated[bool, Ask(title="Keep the column")] = True
    op: Literal["split_column"] = "split_column"
    info: ClassVar[StepInfo] = StepInfo("Split column", "Cut texts at a separator into columns.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        checked_text(self.separator, "separator", least=1)
        if not 2 <= self.into <= MOST_PIECES:
            raise InvalidInputError.at("into", msg=f"between 2 and {MOST_PIECES} columns", code="range")

    def summary(self) -> str:
        return f"{self.column} at “{self.separator}” into {self.into}"


@dataclass(frozen=True, slots=True)
class MergeColumns(Plain):
    """Join values as one text, with a separator between them; missing ones are passed over.

    Where all are missing the result is missing.
    """

    columns: ColumnNames
    name: Annotated[NewColumn, Ask(title="New column", suggest="{column}_merged")]
    separator: Annotated[str, Ask("text")] = " "
    keep: Annotated[bool, Ask(title="Keep the columns")] = True
    op: Literal["merge_columns"] = "merge_columns"
    info: ClassVar[StepInfo] = StepInfo("Merge columns", "Join values of columns as one text.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", required_columns(self.columns, "columns"))
        object.__setattr__(self, "name", new_name(self.name, "name"))
        checked_text(self.separator, "separator")

    def summary(self) -> str:
        return f"{listed(self.columns)} as {self.name}"


@dataclass(frozen=True, slots=True)
class Extract(Plain):
    """What a regular expression, or one of its groups, finds first in a text; missing where it finds nothing."""

    column: Annotated[ColumnName, Ask(types=TEXTUAL)]
    pattern: Annotated[str, Ask("pattern", help="A regular expression, such as [0-9]+.")]
    name: Annotated[NewColumn, Ask(title="New column", suggest="{column}_part")]
    group: Annotated[
        int, Ask(title="Part of the pattern", help="0 is all of it, 1 its first pair of brackets.", more=True)
    ] = 0
    op: Literal["extract"] = "extract"
    info: ClassVar[StepInfo] = StepInfo("Extract by pattern", "Take a part of texts into a column.", "columns")
    effect: ClassVar[RowEffect] = RowEffect.LOCAL

    def __post_init__(self) -> None:
        checked_text(self.pattern, "pattern", least=1)
        object.__setattr__(self, "name", new_name(self.name, "name"))
        if not 0 <= self.group <= 9:
            raise InvalidInputError.at("group", msg="between 0 and 9", code="range")

    def summary(self) -> str:
        return f"{self.name} = {self.pattern} in {self.column}"
