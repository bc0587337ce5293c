"""Presets, the gallery, which experiment another one was made from, and runs in the order of each metric.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"


COLUMNS = ["project_id", "name", "number", "run_id"]


def upgrade() -> None:
    op.drop_index("ix_run_value_project_id_name", "run_value", schema="hydroml")
    op.create_index("ix_run_value_project_id_name_number_run_id", "run_value", COLUMNS, schema="hydroml")
    op.add_column("experiment", sa.Column("parent_id", sa.Uuid(), nullable=True), schema="hydroml")
    op.create_table(
        "preset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_preset"),
        schema="hydroml",
    )
    op.create_index("ix_preset_owner_id", "preset", ["owner_id"], schema="hydroml")
    op.create_table(
        "publication",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("shares_data", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["hydroml.run.id"], name="fk_publication_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
        sa.UniqueConstraint("run_id", name="uq_publication_run_id"),
        schema="hydroml",
    )


def downgrade() -> None:
    op.drop_table("publication", schema="hydroml")
    op.drop_table("preset", schema="hydroml")
    op.drop_column("experiment", "parent_id", schema="hydroml")
    op.drop_index("ix_run_value_project_id_name_number_run_id", "run_value", schema="hydroml")
    op.create_index(
        "ix_run_value_project_id_name",
        "run_value",
        ["project_id", "name"],
        schema="hydroml",
        postgresql_include=["run_id", "number"],
    )
