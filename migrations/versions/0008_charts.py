"""Charts that a project keeps.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "chart",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("chart", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint([f"{to}_id"], [f"hydroml.{to}.id"], name=f"fk_chart_{to}_id", ondelete="CASCADE")
            for to in ("project", "version", "session")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_chart"),
        schema="hydroml",
    )
    for column in ("project_id", "version_id", "session_id"):
        op.create_index(f"ix_chart_{column}", "chart", [column], schema="hydroml")


def downgrade() -> None:
    op.drop_table("chart", schema="hydroml")
