"""The gallery: finished runs that their authors show to everybody here, read only."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from hydroml.domain.errors import InvalidInputError, NotFoundError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.projects import ProjectId, UserId, clean_name

PublicationId = NewType("PublicationId", UUID)

MAX_SUMMARY = 5_000


class PublicationNotFoundError(NotFoundError):
    def __init__(self, publication_id: PublicationId) -> None:
        super().__init__(f"publication {publication_id} does not exist")


@dataclass(slots=True, kw_only=True)
class Publication:
    """A run in the gallery. `shares_data`: whoever forks it gets a copy of the table it was trained on, and sees the
    plots that hold its values; without it nobody sees more than names of columns and figures."""

    id: PublicationId
    run_id: RunId
    project_id: ProjectId
    title: str
    summary: str = ""
    shares_data: bool = False
    author_id: UserId
    published_at: datetime

    def __post_init__(self) -> None:
        self.title = clean_name(self.title, "title")
        self.summary = self.summary.replace("\x00", "").strip()
        if len(self.summary) > MAX_SUMMARY:
            raise InvalidInputError.at("summary", msg=f"at most {MAX_SUMMARY:,} characters", code="too_long")
