"""Reports of runs and cards of models."""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from hydroml.application.reporting import File, Format
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.models import ModelId
from hydroml.domain.reporting.document import Block, Document, Facts, Items, Listing, Paragraph, Section, Table
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.comparisons import ComparedIn
from hydroml.entrypoints.web.downloads import attachment

router = Router(tags=["reports"])

_TYPES = {
    Format.HTML: "text/html; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.MARKDOWN: "text/markdown; charset=utf-8",
}
_FILES: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The file.",
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in _TYPES.values()
            },
        }
    }
}


class FormatIn(Schema):
    """As which kind of file."""

    format: Format = Format.HTML


class BlockOut(Schema):
    """A part of a section: which of the other fields it has follows from its type."""

    type: Literal["paragraph", "items", "facts", "listing", "table", "figure"]
    text: str = ""
    """Of a paragraph or listing, and the caption of a table or figure."""
    lead: str = ""
    """What stands in front of a paragraph."""
    items: list[str] = Field(default_factory=list)
    pairs: list[tuple[str, str]] = Field(default_factory=list)
    head: list[str] = Field(default_factory=list)
    rows: list[list[str]] = Field(default_factory=list)
    words: int = 0
    """So many columns of the table hold words, the others numbers."""
    note: str = ""

    @classmethod
    def of(cls, block: Block) -> "BlockOut":
        match block:
            case Paragraph(text, lead):
                return cls(type="paragraph", text=text, lead=lead)
            case Items(items):
                return cls(type="items", items=list(items))
            case Facts(pairs):
                return cls(type="facts", pairs=list(pairs))
            case Listing(text):
                return cls(type="listing", text=text)
            case Table():
                rows = [list(row) for row in block.rows]
                head = list(block.head)
                return cls(type="table", text=block.caption, head=head, rows=rows, words=block.words, note=block.note)
            case _:
                return cls(type="figure", text=block.caption)


class SectionOut(Schema):
    """A part of a document under a title."""

    title: str
    blocks: list[BlockOut]

    @classmethod
    def of(cls, section: Section) -> "SectionOut":
        return cls(title=section.title, blocks=[BlockOut.of(block) for block in section.blocks])


class CardOut(Schema):
    """What a version of a model is for, what it was trained and judged on, and what it is not for; all plain text."""

    title: str
    facts: list[str]
    abstract: str
    sections: list[SectionOut]

    @classmethod
    def of(cls, card: Document) -> "CardOut":
        sections = [SectionOut.of(section) for section in card.sections]
        return cls(title=card.title, facts=list(card.facts), abstract=card.abstract, sections=sections)


class ComparedFileIn(ComparedIn, FormatIn):
    """Which runs, and as which kind of file."""


@router.get("/runs/compare/report", openapi_extra=_FILES)
def get_comparison_report(request: HttpRequest, which: Query[ComparedFileIn]) -> HttpResponse:
    """Runs side by side as a file: which is best in what, what differs, and whether they may be compared."""
    reports = container().reports()
    return _answer(reports.file(reports.comparison(request.auth, which.run_ids()), which.format))


@router.get("/runs/{uuid:run_id}/report", openapi_extra=_FILES)
def get_report(request: HttpRequest, run_id: UUID, which: Query[FormatIn]) -> HttpResponse:
    """The report of a run: methods, data, split, baselines, metrics, figures, limits, and how to repeat it. It is one
    file that needs nothing else; 409 before the run has succeeded."""
    reports = container().reports()
    return _answer(reports.file(reports.report(request.auth, RunId(run_id)), which.format))


@router.get("/models/{uuid:model_id}/versions/{int:number}/card", response=CardOut)
def get_card(request: HttpRequest, model_id: UUID, number: int) -> CardOut:
    """The card of a version of a model, as words and tables."""
    return CardOut.of(container().reports().card(request.auth, ModelId(model_id), number))


@router.get("/models/{uuid:model_id}/versions/{int:number}/card/file", openapi_extra=_FILES)
def get_card_file(request: HttpRequest, model_id: UUID, number: int, which: Query[FormatIn]) -> HttpResponse:
    """The card as a file."""
    reports = container().reports()
    return _answer(reports.file(reports.card(request.auth, ModelId(model_id), number), which.format))


def _answer(file: File) -> HttpResponse:
    return attachment(file.content, file.name, _TYPES[file.format])
