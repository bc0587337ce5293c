"""Runs that repeat others.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("run", sa.Column("repeat_of", sa.Uuid(), nullable=True), schema="hydroml")
    op.create_index("ix_run_repeat_of", "run", ["repeat_of"], schema="hydroml")


def downgrade() -> None:
    op.drop_index("ix_run_repeat_of", "run", schema="hydroml")
    op.drop_column("run", "repeat_of", schema="hydroml")
