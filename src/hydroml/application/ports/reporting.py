"""Writing a document out as a file."""

from typing import Protocol

from hydroml.domain.reporting.document import Document


class Writer(Protocol):
    """Every word of a document is text, whoever wrote it: none is read as markup, none makes a request."""

    def write(self, document: Document) -> bytes: ...
