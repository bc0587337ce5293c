"""Who is a member of which project: what lists of one's own things are narrowed by."""

from typing import Any

from sqlalchemy import Column, Index, Select, Table, Text, Uuid, select

from hydroml.adapters.persistence.metadata import metadata, reference
from hydroml.domain.projects import UserId

project_member = Table(
    "project_member",
    metadata,
    reference("project_id", "project", "CASCADE", primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("role", Text, nullable=False),
    Index(None, "user_id", "project_id"),
)


def projects_of(user: UserId) -> Select[Any]:
    """The ids of the projects the user is a member of."""
    return select(project_member.c.project_id).where(project_member.c.user_id == user)
