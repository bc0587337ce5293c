"""Recipes in the trash.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("recipe", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True), schema="hydroml")
    op.create_index("ix_recipe_deleted_at", "recipe", ["deleted_at"], schema="hydroml")


def downgrade() -> None:
    op.drop_index("ix_recipe_deleted_at", "recipe", schema="hydroml")
    op.drop_column("recipe", "deleted_at", schema="hydroml")
