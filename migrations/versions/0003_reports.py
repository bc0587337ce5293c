"""What was found out about a version.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["hydroml.version.id"], name="fk_report_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", "kind", name="pk_report"),
        schema="hydroml",
    )


def downgrade() -> None:
    op.drop_table("report", schema="hydroml")
