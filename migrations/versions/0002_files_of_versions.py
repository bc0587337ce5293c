"""A version can come from several files and can have rejected rows: it names every blob it needs.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("version", sa.Column("blobs", postgresql.ARRAY(sa.Text()), nullable=True), schema="hydroml")
    op.execute("UPDATE hydroml.version SET blobs = array_remove(ARRAY[fingerprint, original_blob], NULL)")
    op.execute(
        "UPDATE hydroml.version SET origin = (origin - 'original') || jsonb_build_object('originals',"
        " CASE WHEN jsonb_typeof(origin->'original') = 'object' THEN jsonb_build_array(origin->'original')"
        " ELSE '[]'::jsonb END)"
    )
    op.alter_column("version", "blobs", nullable=False, schema="hydroml")
    op.create_index("ix_version_blobs", "version", ["blobs"], schema="hydroml", postgresql_using="gin")
    op.drop_index("ix_version_original_blob", "version", schema="hydroml")
    op.drop_index("ix_version_fingerprint", "version", schema="hydroml")
    op.drop_column("version", "original_blob", schema="hydroml")


def downgrade() -> None:
    """Only the first file of a version is remembered, and no rejected rows."""
    op.add_column("version", sa.Column("original_blob", sa.Text(), nullable=True), schema="hydroml")
    op.execute("UPDATE hydroml.version SET original_blob = origin->'originals'->0->>'blob'")
    op.execute(
        "UPDATE hydroml.version SET origin = (origin - 'originals' - 'rejected')"
        " || jsonb_build_object('original', origin->'originals'->0)"
    )
    op.create_index("ix_version_fingerprint", "version", ["fingerprint"], schema="hydroml")
    op.create_index("ix_version_original_blob", "version", ["original_blob"], schema="hydroml")
    op.drop_column("version", "blobs", schema="hydroml")
