"""A document as one HTML file: everything in it, nothing asked for from elsewhere, every word escaped."""

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby

from hydroml.adapters.reporting.svg import NARROW, drawing, width
from hydroml.adapters.reporting.unseen import UNSEEN
from hydroml.domain.reporting.document import (
    Block,
    Document,
    Facts,
    Figure,
    Items,
    Listing,
    Paragraph,
    Section,
    Table,
)


class HtmlWriter:
    def write(self, document: Document) -> bytes:
        title = escape(document.title)
        facts = "".join(f"<span>{escape(fact)}</span>" for fact in document.facts)
        head = (
            f'<header><div class="kind">{escape(document.kind)}</div><h1>{title}</h1><div class="facts">{facts}</div>'
            f'<p class="abstract">{escape(document.abstract)}</p></header>'
        )
        body = "".join(_section(section) for section in document.sections)
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>{title}</title><style>{_style()}</style></head><body>{head}<main>{body}</main>"
            "</body></html>"
        )
        return page.translate(UNSEEN).encode()


@cache
def _style() -> str:
    return files("hydroml.adapters.reporting").joinpath("document.css").read_text()


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{''.join(_blocks(section.blocks))}</section>"


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    """Figures that are narrow stand beside each other."""
    for narrow, several in groupby(blocks, lambda b: isinstance(b, Figure) and width(b.plot) == NARROW):
        parts = "".join(map(_block, several))
        yield f'<div class="pair">{parts}</div>' if narrow else parts


def _block(block: Block) -> str:
    match block:
        case Paragraph(text, lead):
            return f"<p>{f'<strong>{escape(lead)}</strong> ' if lead else ''}{escape(text)}</p>"
        case Items(items):
            return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        case Facts(pairs):
            return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(text)}</dd>' for name, text in pairs)}</dl>"
        case Listing(text):
            return f'<pre tabindex="0">{escape(text)}</pre>'
        case Figure(caption, plot):
            kind = "" if width(plot) == NARROW else ' class="broad"'
            picture = f"<div{kind}>{drawing(plot, caption)}</div>"
            return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    kinds = [' class="w"' if at < table.words else ' class="n"' for at in range(len(table.head))]
    heads = "".join(f'<th scope="col"{kind}>{escape(cell)}</th>' for cell, kind in zip(table.head, kinds, strict=True))
    rows = "".join(
        f'<tr><th scope="row"{kinds[0]}>{escape(row[0])}</th>'
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row[1:], kinds[1:], strict=True))
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    wide = " wide" if len(table.head) > 7 else ""
    caption = escape(table.caption)
    return (
        f'<div class="table{wide}"><p class="caption">{caption}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{note}</div>"
    )
