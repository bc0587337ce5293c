"""What every writer promises: all words of a document as text, whatever they are, and nothing that asks for more."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pypdf
import pytest

from hydroml.adapters.reporting import HtmlWriter, MarkdownWriter, TypstPdfWriter
from hydroml.application.ports.reporting import Writer
from hydroml.domain.reporting.document import Document, Facts, Figure, Items, Listing, Paragraph, Table
from hydroml.domain.reporting.plots import (
    Axis,
    Band,
    Boxes,
    Line,
    Panel,
    Plot,
    Points,
    Ranges,
    Role,
    Scale,
)
from tests.subjects import HOSTILE


def plot(name: str = "flow") -> Plot:
    """One of every mark and scale."""
    day = 86_400.0
    first = Panel(
        Axis("", 0, 400 * day, Scale.TIME),
        Axis(name, 0.01, 100, Scale.LOG),
        (
            Line((0, 200 * day, None, 400 * day), (0.0, 1.0, 2.0, 50.0), Role.OBSERVED, name),
            Band((0, 400 * day), (1, 1), (9, 9), Role.PREDICTED),
        ),
        name,
    )
    second = Panel(
        Axis(name, -1, 1),
        Axis("", -0.5, 1.5, Scale.NAMES, (name, "other")),
        (
            Boxes((0, 0), (0, 1), (1, 0.5), (0.5, 1.4), Role.COUNT, (0.1, 0.9)),
            Points((0.5, None), (0, 1), Role.PREDICTED, name, shades=(0.2, None)),
            Ranges((0, 0), (0, 1), (1, 1), (0, 1), Role.SERIES_1),
        ),
    )
    return Plot((first, second), columns=2)


def document(words: str = "plain words") -> Document:
    return Document.of(
        f"kind {words}",
        f"title {words}",
        [f"fact {words}"],
        f"abstract {words}",
        [
            (
                f"section {words}",
                [
                    Paragraph(f"paragraph {words}", f"lead {words}"),
                    Items((f"item {words}", "- second", "1. third")),
                    Facts(((f"name {words}", f"value {words}"),)),
                    Listing(f"listing {words}\n```\n  indented"),
                    Table(caption=f"caption {words}", head=(f"head {words}", "n"), rows=((f"cell {words}", "−1.5"),),
                          note=f"note {words}"),
                    Figure(f"figure {words}", plot(words)),
                    Figure("narrow", Plot((plot(words).panels[1],))),
                ],
            ),
            ("Empty", [Items(())]),
        ],
    )  # fmt: skip


def squeezed(text: str) -> str:
    """Without blanks, since every writer breaks lines in its own way, and without hyphens at their ends."""
    return re.sub(r"[\s\u00ad\u200b]|-(?=\n)", "", text)


PLACES = (
    "title", "fact", "abstract", "section", "paragraph", "lead", "item", "name", "value", "listing", "caption", "head",
    "cell", "note", "figure",
)  # fmt: skip


class WriterContract:
    writer: Writer

    def read(self, content: bytes) -> str:
        """The words a reader sees."""
        raise NotImplementedError

    def test_every_word_is_there(self) -> None:
        seen = squeezed(self.read(self.writer.write(document())))
        assert [place for place in PLACES if squeezed(f"{place} plain words") not in seen] == []
        assert "indented" in seen
        assert "Empty" not in seen

    def test_what_looks_like_markup_is_text(self) -> None:
        seen = squeezed(self.read(self.writer.write(document(HOSTILE))))
        for part in ("<b>“x”</b>&*y*", "#setpage()", "$z$", "`w`", "[v](u)", "\\|~", "@n", "µ²³−é"):
            assert seen.count(part) >= len(PLACES), part
        assert "\u202e" not in seen

    def test_writing_does_not_change_with_time(self) -> None:
        assert self.writer.write(document(HOSTILE)) == self.writer.write(document(HOSTILE))

    def test_long_words_and_many_columns_are_written(self) -> None:
        wide = Table(caption="wide", head=tuple(f"h{n}" for n in range(14)), rows=(("x" * 300, *(["1.234"] * 13)),))
        made = Document.of("kind", "t" * 300, ["f" * 300], "a" * 3_000, [("s" * 200, [wide, Paragraph("p" * 5_000)])])
        seen = squeezed(self.read(self.writer.write(made)))
        assert "p" * 100 in seen
        assert seen.count("1.234") == 13


class _Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.tags, self.attributes, self.hidden = list[str](), set[str](), list[tuple[str, Any]](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.hidden = tag if tag in ("style", "title") else self.hidden

    def handle_endtag(self, tag: str) -> None:
        self.hidden = "" if tag == self.hidden else self.hidden

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


class TestHtml(WriterContract):
    writer = HtmlWriter()

    def parsed(self, content: bytes) -> _Parsed:
        found = _Parsed()
        found.feed(content.decode())
        return found

    def read(self, content: bytes) -> str:
        return "".join(self.parsed(content).words)

    def test_it_asks_for_nothing_and_runs_nothing(self) -> None:
        found = self.parsed(self.writer.write(document(HOSTILE)))
        assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "a", "b", "form", "base"})
        assert not [name for name, _ in found.attributes if name.startswith("on") or name in {"src", "href", "style"}]
        assert b"url(" not in self.writer.write(document())
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes


class TestMarkdown(WriterContract):
    writer = MarkdownWriter()

    def read(self, content: bytes) -> str:
        return re.sub(r"\\([^\w\s])", r"\1", content.decode())

    def test_words_are_no_marks(self) -> None:
        written = self.writer.write(document("# a\n- b | c <i>")).decode()
        assert "title \\# a - b \\| c \\<i\\>" in written
        assert "\n- \\- second\n- 1\\. third" in written or "\n- \\- second\n- \\1. third" in written
        assert "\n````\nlisting" in written


class TestPdf(WriterContract):
    writer = TypstPdfWriter()

    def pages(self, content: bytes) -> Iterator[Any]:
        assert content.startswith(b"%PDF-")
        yield from pypdf.PdfReader(BytesIO(content), strict=True).pages

    def read(self, content: bytes) -> str:
        return "\n".join(page.extract_text() for page in self.pages(content))

    def test_all_fonts_are_in_it(self) -> None:
        fonts = {}
        for page in self.pages(self.writer.write(document("Ångström ² ³ − µ ≥ Σ √ ₂ ü"))):
            for font in page["/Resources"]["/Font"].values():
                below = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
                fonts[str(font.get_object()["/BaseFont"])] = {"/FontFile2", "/FontFile3"} & set(below.get_object())
        assert fonts
        assert all(fonts.values()), fonts

    def test_it_has_a_title(self) -> None:
        content = self.writer.write(document(HOSTILE))
        about = pypdf.PdfReader(BytesIO(content)).metadata
        assert about is not None
        assert "<b>“x”</b>" in str(about.title)

    @pytest.mark.parametrize("words", ["Ångström ² ³ − µ ≥ Σ √ ₂ ü Š ñ", "Ελληνικά Кириллица"])
    def test_letters_beyond_ascii_are_set(self, words: str) -> None:
        assert squeezed(words) in squeezed(self.read(self.writer.write(document(words))))
