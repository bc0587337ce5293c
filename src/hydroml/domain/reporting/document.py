"""A document as parts of text, tables and figures. All words are plain text: whoever writes it out escapes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydroml.domain.reporting.plots import Plot


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences; `lead` stands in front of them and says what they are about."""

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of remarks."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A text that is to be copied as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as they are shown; the first `words` columns hold words, the others numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    caption: str
    plot: Plot


Block = Paragraph | Items | Facts | Listing | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`facts` are a few words below the title, `abstract` says in short what came out."""

    kind: str
    title: str
    facts: tuple[str, ...]
    abstract: str
    sections: tuple[Section, ...]

    @classmethod
    def of(
        cls, kind: str, title: str, facts: Sequence[str], abstract: str, sections: Sequence[tuple[str, Sequence[Block]]]
    ) -> "Document":
        """Without lists and sections that have nothing in them."""
        found = [(name, tuple(block for block in blocks if block != Items(()))) for name, blocks in sections]
        kept = tuple(Section(name, blocks) for name, blocks in found if blocks)
        return cls(kind=kind, title=title, facts=tuple(facts), abstract=abstract, sections=kept)
