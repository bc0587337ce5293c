"""Runs that others logged with MLflow, and what MLflow does not have yet of tags and notes.

Revision ID: 0020
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0021"

_OURS = (
    ("experiment_id", sa.Uuid()),
    ("version_id", sa.Uuid()),
    ("specification", postgresql.JSONB()),
    ("seed", sa.BigInteger()),
    ("created_by", sa.Uuid()),
)
"""What only our own runs have."""


def upgrade() -> None:
    op.add_column("run", sa.Column("logged", postgresql.JSONB(none_as_null=True), nullable=True), schema="hydroml")
    op.add_column(
        "run", sa.Column("mlflow_behind", sa.Boolean(), nullable=False, server_default=sa.false()), schema="hydroml"
    )
    op.alter_column("run", "mlflow_behind", server_default=None, schema="hydroml")
    for name, kind in _OURS:
        op.alter_column("run", name, existing_type=kind, nullable=True, schema="hydroml")
    whole = " AND ".join(f"{name} IS NOT NULL" for name, _ in _OURS)
    op.create_check_constraint(op.f("ck_run_whole"), "run", f"logged IS NOT NULL OR ({whole})", schema="hydroml")
    _index("status = 'succeeded' AND (mlflow_run_id IS NULL OR mlflow_behind)")
    op.create_table(
        "logged_change",
        sa.Column("mlflow_run_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["hydroml.project.id"], name="fk_logged_change_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mlflow_run_id", name="pk_logged_change"),
        schema="hydroml",
    )
    op.create_index("ix_logged_change_project_id", "logged_change", ["project_id"], schema="hydroml")


def downgrade() -> None:
    op.drop_table("logged_change", schema="hydroml")
    op.execute("DELETE FROM hydroml.run WHERE logged IS NOT NULL")
    op.drop_constraint(op.f("ck_run_whole"), "run", schema="hydroml")
    _index("status = 'succeeded' AND mlflow_run_id IS NULL")
    for name, kind in _OURS:
        op.alter_column("run", name, existing_type=kind, nullable=False, schema="hydroml")
    op.drop_column("run", "mlflow_behind", schema="hydroml")
    op.drop_column("run", "logged", schema="hydroml")


def _index(where: str) -> None:
    op.drop_index("ix_run_untracked", "run", schema="hydroml")
    op.create_index("ix_run_untracked", "run", ["created_at"], schema="hydroml", postgresql_where=sa.text(where))
