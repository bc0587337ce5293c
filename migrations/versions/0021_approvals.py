"""Versions of models are approved; they have notes.

Revision ID: 0021
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0017"


def upgrade() -> None:
    added = {
        "project": [sa.Column("four_eyes", sa.Boolean(), nullable=False, server_default=sa.false())],
        "model": [sa.Column("mirror_due", sa.Boolean(), nullable=False, server_default=sa.true())],
        "model_version": [
            sa.Column("note", sa.Text(), nullable=False, server_default=""),
            sa.Column("decisions", postgresql.JSONB(none_as_null=True), nullable=False, server_default="[]"),
        ],
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column, schema="hydroml")
            op.alter_column(table, column.name, server_default=None, schema="hydroml")
    op.create_index(
        "ix_model_mirror_due", "model", ["created_at"], schema="hydroml", postgresql_where=sa.text("mirror_due")
    )
    # A champion from before there were approvals counts as approved by whoever registered it.
    op.execute(
        """
        UPDATE hydroml.model_version AS v
        SET decisions = jsonb_build_array(jsonb_build_object(
            'verdict', 'approved', 'by', v.created_by,
            'at', to_char(v.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
            'reason', 'champion before versions were approved'
        ))
        FROM hydroml.model AS m
        WHERE m.id = v.model_id AND (m.aliases ->> 'champion')::bigint = v.number
        """
    )


def downgrade() -> None:
    op.drop_index("ix_model_mirror_due", "model", schema="hydroml")
    for table, column in (
        ("model_version", "decisions"),
        ("model_version", "note"),
        ("model", "mirror_due"),
        ("project", "four_eyes"),
    ):
        op.drop_column(table, column, schema="hydroml")
