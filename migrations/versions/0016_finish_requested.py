"""Jobs that can be asked to stop and keep what they have.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "job",
        sa.Column("finish_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
        schema="hydroml",
    )
    op.alter_column("job", "finish_requested", server_default=None, schema="hydroml")


def downgrade() -> None:
    op.drop_column("job", "finish_requested", schema="hydroml")
