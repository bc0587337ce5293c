"""A document as Markdown (CommonMark, with the tables of GitHub's): every word escaped, plots by their captions."""

import re
from collections.abc import Iterator

from hydroml.adapters.reporting.unseen import UNSEEN
from hydroml.domain.reporting.document import Block, Document, Facts, Figure, Items, Listing, Paragraph, Table

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")
_LIST = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$)")
_TICKS = re.compile(r"`+")


class MarkdownWriter:
    def write(self, document: Document) -> bytes:
        parts = [
            f"# {_text(document.title)}",
            f"*{_text(document.kind)}* · {' · '.join(map(_text, document.facts))}",
            _text(document.abstract),
        ]
        for section in document.sections:
            parts.append(f"## {_text(section.title)}")
            parts += [part for block in section.blocks for part in _block(block)]
        return ("\n\n".join(parts) + "\n").translate(UNSEEN).encode()


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text, lead):
            yield f"**{_text(lead)}** {_text(text)}" if lead else _text(text)
        case Items(items):
            yield "\n".join(f"- {_text(item)}" for item in items)
        case Facts(pairs):
            yield "\n".join(f"- **{_text(name)}**: {_text(text)}" for name, text in pairs)
        case Listing(text):
            fence = "`" * max(3, *(len(ticks) + 1 for ticks in _TICKS.findall(text)), 0)
            yield f"{fence}\n{text}\n{fence}"
        case Figure(caption, _):
            yield f"*{_text(caption)}* (drawn in the HTML and the PDF)"
        case Table():
            yield _text(block.caption)
            rules = [":--" if at < block.words else "--:" for at in range(len(block.head))]
            rows = [rules, *(map(_text, row) for row in block.rows)]
            yield "\n".join(f"| {' | '.join(row)} |" for row in [map(_text, block.head), *rows])
            if block.note:
                yield _text(block.note)


def _text(text: str) -> str:
    """On one line, and nothing in it is a mark."""
    return _LIST.sub(r"\1\\\2", _MARKS.sub(r"\\\1", " ".join(text.split())))
