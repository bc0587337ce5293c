"""The step that corrects single cells by hand."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.studio.steps.base import Ask, ColumnName, Plain, RowEffect, StepInfo, listed
from hydroml.domain.studio.steps.values import Value

MOST_EDITS = 1_000
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class CellEdit:
    """What a cell holds instead of what it held."""

    row: Annotated[int, Ask(title="Row", help="Its number in the original.")]
    column: ColumnName
    before: Annotated[Value | None, Ask("value", title="It held", help="Empty for missing.")] = None
    to: Annotated[Value | None, Ask("value", title="It holds now", help="Empty for missing.")] = None


@dataclass(frozen=True, slots=True)
class EditCells(Plain):
    """Put values into single cells by hand, for a stated reason.

    A row is told by its number in the original, from 1; behind a step that makes rows of its own or compares rows, by
    its number in that step's table. An edit is made only where the cell still holds what it held when it was edited:
    on other data, the step says which edits do not fit and stops, or leaves those cells as they are. Rows of a
    prediction are never edited.
    """

    cells: Annotated[tuple[CellEdit, ...], Ask(title="Edits")]
    reason: Annotated[str, Ask(title="Reason", help="Why they are corrected; it stands in the history.")]
    misfits: Annotated[
        Literal["refuse", "skip"],
        Ask(
            title="Edits that do not fit",
            choices=(("refuse", "stop and say which"), ("skip", "leave those cells as they are")),
        ),
    ] = "refuse"
    op: Literal["edit_cells"] = "edit_cells"
    info: ClassVar[StepInfo] = StepInfo("Edit cells", "Correct single cells by hand, for a stated reason.", "rows")
    effect: ClassVar[RowEffect] = RowEffect.PLACED

    def __post_init__(self) -> None:
        reason = " ".join(self.reason.split())
        if not reason:
            raise InvalidInputError.at("reason", msg="say why the cells are corrected", code="required")
        if len(reason) > REASON_LENGTH:
            raise InvalidInputError.at("reason", msg=f"at most {REASON_LENGTH} characters", code="length")
        object.__setattr__(self, "reason", reason)
        if not 1 <= len(self.cells) <= MOST_EDITS:
            raise InvalidInputError.at("cells", msg=f"between 1 and {MOST_EDITS:,} edits", code="length")
        seen = set()
        for at, edit in enumerate(self.cells):
            if not 1 <= edit.row < 2**63:
                raise InvalidInputError.at("cells", at, "row", msg="rows are counted from 1", code="range")
            if (edit.row, edit.column) in seen:
                raise InvalidInputError.at("cells", at, msg="this cell is edited twice", code="duplicate")
            seen.add((edit.row, edit.column))

    @property
    def learns(self) -> bool:
        """Whether all edits fit the table at hand is looked at once."""
        return self.misfits == "refuse"

    def summary(self) -> str:
        columns = listed(tuple(dict.fromkeys(edit.column for edit in self.cells)))
        return f"{len(self.cells):,} {'cell' if len(self.cells) == 1 else 'cells'} of {columns}: {self.reason}"
