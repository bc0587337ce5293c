"""Queries that people have run.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "query",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("sql", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("elapsed_ms", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["hydroml.project.id"], name="fk_query_project_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_query"),
        schema="hydroml",
    )
    op.create_index(
        "ix_query_project_id_owner_id_created_at", "query", ["project_id", "owner_id", "created_at"], schema="hydroml"
    )


def downgrade() -> None:
    op.drop_table("query", schema="hydroml")
