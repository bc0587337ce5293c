"""The rows runs were judged on, and runs divided the other way.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("run", sa.Column("rows_blob", sa.Text(), nullable=True), schema="hydroml")
    op.add_column("run", sa.Column("twin_of", sa.Uuid(), nullable=True), schema="hydroml")
    op.create_index("ix_run_twin_of", "run", ["twin_of"], schema="hydroml")


def downgrade() -> None:
    op.drop_index("ix_run_twin_of", "run", schema="hydroml")
    op.drop_column("run", "twin_of", schema="hydroml")
    op.drop_column("run", "rows_blob", schema="hydroml")
