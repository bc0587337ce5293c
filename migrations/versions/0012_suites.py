"""Suites, and which trial of which suite a run is.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "suite",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("specification", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("plan", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("parallel", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("importance", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spent", sa.Float(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["hydroml.project.id"], name="fk_suite_project_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["hydroml.experiment.id"], name="fk_suite_experiment_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["hydroml.version.id"], name="fk_suite_version_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_suite"),
        schema="hydroml",
    )
    op.create_index("ix_suite_project_id_created_at_id", "suite", ["project_id", "created_at", "id"], schema="hydroml")
    op.create_index("ix_suite_experiment_id", "suite", ["experiment_id"], schema="hydroml")
    op.create_index("ix_suite_version_id", "suite", ["version_id"], schema="hydroml")
    op.add_column("run", sa.Column("suite_id", sa.Uuid(), nullable=True), schema="hydroml")
    op.add_column("run", sa.Column("trial", sa.Integer(), nullable=True), schema="hydroml")
    op.add_column(
        "run", sa.Column("trial_values", postgresql.JSONB(none_as_null=True), nullable=True), schema="hydroml"
    )
    op.create_foreign_key(
        "fk_run_suite_id",
        "run",
        "suite",
        ["suite_id"],
        ["id"],
        source_schema="hydroml",
        referent_schema="hydroml",
        ondelete="CASCADE",
    )
    op.create_unique_constraint("uq_run_suite_id_trial", "run", ["suite_id", "trial"], schema="hydroml")


def downgrade() -> None:
    op.drop_constraint("uq_run_suite_id_trial", "run", schema="hydroml")
    op.drop_constraint("fk_run_suite_id", "run", schema="hydroml")
    for column in ("trial_values", "trial", "suite_id"):
        op.drop_column("run", column, schema="hydroml")
    op.drop_table("suite", schema="hydroml")
