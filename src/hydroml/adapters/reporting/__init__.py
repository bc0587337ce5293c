"""Documents as HTML, PDF and Markdown, and their plots as SVG: from a document's words alone, without a request."""

from hydroml.adapters.reporting.html import HtmlWriter
from hydroml.adapters.reporting.markdown import MarkdownWriter
from hydroml.adapters.reporting.pdf import TypstPdfWriter

__all__ = ["HtmlWriter", "MarkdownWriter", "TypstPdfWriter"]
