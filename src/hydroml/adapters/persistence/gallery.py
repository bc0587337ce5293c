"""The gallery."""

from typing import Any

from sqlalchemy import Boolean, Column, Connection, Row, Table, UniqueConstraint, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from hydroml.adapters.persistence.metadata import key, metadata, moment, reference, text, uuid
from hydroml.adapters.persistence.paging import slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.domain.errors import ConflictError
from hydroml.domain.experiments.runs import RunId
from hydroml.domain.gallery import Publication, PublicationId, PublicationNotFoundError
from hydroml.domain.projects import ProjectId, UserId

publication = Table(
    "publication",
    metadata,
    key(),
    reference("run_id", "run", "CASCADE"),
    uuid("project_id"),
    text("title"),
    text("summary"),
    Column("shares_data", Boolean, nullable=False),
    uuid("author_id"),
    moment("published_at"),
    UniqueConstraint("run_id"),
)


def _to_row(entity: Publication) -> dict[str, Any]:
    return {
        "id": entity.id,
        "run_id": entity.run_id,
        "project_id": entity.project_id,
        "title": entity.title,
        "summary": entity.summary,
        "shares_data": entity.shares_data,
        "author_id": entity.author_id,
        "published_at": entity.published_at,
    }


def _from_row(row: Row[Any]) -> Publication:
    return Publication(
        id=PublicationId(row.id),
        run_id=RunId(row.run_id),
        project_id=ProjectId(row.project_id),
        title=row.title,
        summary=row.summary,
        shares_data=row.shares_data,
        author_id=UserId(row.author_id),
        published_at=row.published_at,
    )


class SqlAlchemyGalleryRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entity: Publication) -> None:
        try:
            self._connection.execute(insert(publication).values(_to_row(entity)))
        except IntegrityError as error:
            raise ConflictError("the run is in the gallery already, or gone") from error

    def get(self, publication_id: PublicationId) -> Publication:
        query = select(publication).where(publication.c.id == publication_id)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise PublicationNotFoundError(publication_id)
        return _from_row(row)

    def of_run(self, run_id: RunId) -> Publication | None:
        row = self._connection.execute(select(publication).where(publication.c.run_id == run_id)).one_or_none()
        return None if row is None else _from_row(row)

    def all(self, listing: Listing) -> Slice[Publication]:
        keys = {
            "published_at": publication.c.published_at,
            "title": func.lower(publication.c.title).collate("C"),
        }
        searched = publication.c.title + " " + publication.c.summary
        return slice_of(self._connection, select(publication), publication, keys, listing, _from_row, name=searched)

    def delete(self, publication_id: PublicationId) -> None:
        if self._connection.execute(delete(publication).where(publication.c.id == publication_id)).rowcount != 1:
            raise PublicationNotFoundError(publication_id)
