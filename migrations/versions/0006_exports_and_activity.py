"""Exports, their templates, and the activity.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def _document(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"hydroml.{to}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), schema="hydroml")


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        _document("shape"),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _moment("created_at"),
        _moment("expires_at", nullable=True),
        _belongs("export", "version_id", "version"),
        sa.PrimaryKeyConstraint("id", name="pk_export"),
        schema="hydroml",
    )
    _index("export", "version_id", "created_at", "id")
    _index("export", "blob")
    _index("export", "expires_at")
    op.create_table(
        "export_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _document("shape"),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _moment("created_at"),
        _belongs("export_template", "project_id", "project"),
        sa.PrimaryKeyConstraint("id", name="pk_export_template"),
        schema="hydroml",
    )
    _index("export_template", "project_id")
    op.create_table(
        "activity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("project_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
        sa.UniqueConstraint("sequence", name="uq_activity_sequence"),
        schema="hydroml",
    )
    op.create_index("ix_activity_project_ids", "activity", ["project_ids"], schema="hydroml", postgresql_using="gin")
    _index("activity", "source_id", "at", "id")
    _index("activity", "at", "id")
    op.create_table(
        "activity_head",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activity_head"),
        schema="hydroml",
    )


def downgrade() -> None:
    op.drop_table("activity_head", schema="hydroml")
    op.drop_table("activity", schema="hydroml")
    op.drop_table("export_template", schema="hydroml")
    op.drop_table("export", schema="hydroml")
