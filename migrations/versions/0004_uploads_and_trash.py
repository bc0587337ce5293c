"""Uploads that resume, and a trash for data sources.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
        schema="hydroml",
    )
    op.create_index("ix_upload_owner_id_created_at", "upload", ["owner_id", "created_at"], schema="hydroml")
    op.create_index("ix_upload_created_at", "upload", ["created_at"], schema="hydroml")
    op.add_column("source", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True), schema="hydroml")


def downgrade() -> None:
    """What is in the trash comes back."""
    op.drop_column("source", "deleted_at", schema="hydroml")
    op.drop_table("upload", schema="hydroml")
