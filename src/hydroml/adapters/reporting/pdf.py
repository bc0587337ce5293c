"""A document as PDF, set by Typst with the fonts that come with it. What is in the document reaches it as data."""

import json
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from hydroml.adapters.reporting.svg import NARROW, drawing, width
from hydroml.adapters.reporting.unseen import UNSEEN
from hydroml.domain.reporting.document import Block, Document, Facts, Figure, Items, Listing, Paragraph, Table

_COLOURS = {"observed": "#131a22", "predicted": "#0b68a6", "baseline": "#808b98"} | {
    f"series-{number}": colour
    for number, colour in enumerate(("#0b68a6", "#cd8134", "#40a197", "#450b8c", "#85335f", "#5f6700"), start=1)
}
_RAMP = ("#d3e5f3", "#9dc7e5", "#5c9fd0", "#1f74b2", "#083f68")
_STYLE = (
    ".t{fill:#46525f;font-family:'Libertinus Serif'}.h{fill:#131a22;font-weight:600}.m{text-anchor:middle}"
    ".e{text-anchor:end}.l,.r,.p,.ax,.grid{fill:none}.p{stroke-linecap:round}.l{stroke-width:1.25;stroke-linejoin:round}"
    ".r{stroke-width:1;stroke-opacity:.75}.d{stroke-dasharray:4 3}.ax{stroke:#46525f;stroke-width:.9}"
    ".grid{stroke:#e8ecf1;stroke-width:.8}.band{fill-opacity:.16;stroke:none}.b{stroke:none}"
    + "".join(
        f".l.{name},.p.{name},.r.{name}{{stroke:{colour}}}.b.{name},.band.{name}{{fill:{colour}}}"
        for name, colour in _COLOURS.items()
    )
    + ".p.predicted{stroke-opacity:.55}"
    + "".join(f".b.ramp-{n}{{fill:{c}}}.p.ramp-{n}{{stroke:{c}}}" for n, c in enumerate(_RAMP, start=1))
)


class TypstPdfWriter:
    def write(self, document: Document) -> bytes:
        import typst

        data = json.dumps(_seen(_data(document)))
        return typst.compile(_template(), format="pdf", sys_inputs={"document": data})


@cache
def _template() -> bytes:
    return files("hydroml.adapters.reporting").joinpath("document.typ").read_bytes()


def _seen(value: Any) -> Any:
    """All its texts without what is not seen."""
    match value:
        case str():
            return value.translate(UNSEEN)
        case list() | tuple():
            return [_seen(part) for part in value]
        case dict():
            return {name: _seen(part) for name, part in value.items()}
        case _:
            return value


def _data(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "title": document.title,
        "facts": document.facts,
        "abstract": document.abstract,
        "sections": [
            {"title": section.title, "blocks": [block for group in _grouped(section.blocks) for block in group]}
            for section in document.sections
        ],
    }


def _grouped(blocks: tuple[Block, ...]) -> list[list[dict[str, Any]]]:
    """Figures that are narrow are one block, to stand beside each other."""
    found = []
    for narrow, several in groupby(blocks, lambda b: isinstance(b, Figure) and width(b.plot) == NARROW):
        parts = [_block(block) for block in several]
        found.append([{"type": "pair", "figures": parts}] if narrow else parts)
    return found


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text, lead):
            return {"type": "paragraph", "text": text, "lead": lead}
        case Items(items):
            return {"type": "items", "items": items}
        case Facts(pairs):
            return {"type": "facts", "pairs": pairs}
        case Listing(text):
            return {"type": "listing", "text": text}
        case Figure(caption, plot):
            picture = drawing(plot, caption, _STYLE)
            return {"type": "figure", "caption": caption, "picture": picture}
        case Table():
            return {
                "type": "table",
                "caption": block.caption,
                "head": block.head,
                "rows": block.rows,
                "words": block.words,
                "note": block.note,
            }
