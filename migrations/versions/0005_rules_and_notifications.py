"""Rules, their results, and notifications.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def _document(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"hydroml.{to}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _document("check"),
        _document("columns"),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _moment("created_at"),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        _belongs("rule", "source_id", "source"),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
        schema="hydroml",
    )
    op.create_index("ix_rule_source_id_created_at_id", "rule", ["source_id", "created_at", "id"], schema="hydroml")
    op.create_table(
        "rule_result",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("rule_name", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("version_number", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("failing_rows", sa.BigInteger(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        _document("row_numbers"),
        sa.Column("error", sa.Text(), nullable=True),
        _moment("checked_at"),
        _belongs("rule_result", "rule_id", "rule"),
        _belongs("rule_result", "source_id", "source"),
        _belongs("rule_result", "version_id", "version"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_result"),
        sa.UniqueConstraint("rule_id", "version_id", name="uq_rule_result_rule_id_version_id"),
        schema="hydroml",
    )
    op.create_index(
        "ix_rule_result_source_id_checked_at_id", "rule_result", ["source_id", "checked_at", "id"], schema="hydroml"
    )
    op.create_index("ix_rule_result_version_id", "rule_result", ["version_id"], schema="hydroml")
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tone", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("href", sa.Text(), nullable=True),
        sa.Column("read", sa.Boolean(), nullable=False),
        _moment("created_at"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        schema="hydroml",
    )
    op.create_index(
        "ix_notification_user_id_created_at_id", "notification", ["user_id", "created_at", "id"], schema="hydroml"
    )
    op.create_index("ix_notification_sequence", "notification", ["sequence"], schema="hydroml")


def downgrade() -> None:
    op.drop_table("notification", schema="hydroml")
    op.drop_table("rule_result", schema="hydroml")
    op.drop_table("rule", schema="hydroml")
