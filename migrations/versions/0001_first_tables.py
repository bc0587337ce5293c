"""First tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateSequence, DropSequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("job_sequence", schema="hydroml")))
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_key"),
        schema="hydroml",
    )
    op.create_index("ix_idempotency_key_claimed_at", "idempotency_key", ["claimed_at"], schema="hydroml")
    op.create_table(
        "project",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_project"),
        schema="hydroml",
    )
    op.create_index("ix_project_created_at_id", "project", ["created_at", "id"], schema="hydroml")
    op.create_table(
        "source",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("versions", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
        schema="hydroml",
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("digest", name="uq_token_digest"),
        schema="hydroml",
    )
    op.create_index("ix_token_user_id", "token", ["user_id"], schema="hydroml")
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("subject_name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["hydroml.project.id"], name="fk_job_project_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        schema="hydroml",
    )
    op.create_index("ix_job_project_id_created_at_id", "job", ["project_id", "created_at", "id"], schema="hydroml")
    op.create_index(
        "ix_job_queued", "job", ["created_at"], schema="hydroml", postgresql_where=sa.text("state = 'queued'")
    )
    op.create_index("ix_job_requested_by_created_at_id", "job", ["requested_by", "created_at", "id"], schema="hydroml")
    op.create_index(
        "ix_job_running", "job", ["lease_until"], schema="hydroml", postgresql_where=sa.text("state = 'running'")
    )
    op.create_index("ix_job_sequence", "job", ["sequence"], schema="hydroml")
    op.create_table(
        "model",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["hydroml.project.id"], name="fk_model_project_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_model"),
        sa.UniqueConstraint("project_id", "name", name="uq_model_project_id_name"),
        schema="hydroml",
    )
    op.create_index("ix_model_project_id_created_at_id", "model", ["project_id", "created_at", "id"], schema="hydroml")
    op.create_table(
        "project_member",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["hydroml.project.id"], name="fk_project_member_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="pk_project_member"),
        schema="hydroml",
    )
    op.create_index(
        "ix_project_member_user_id_project_id", "project_member", ["user_id", "project_id"], schema="hydroml"
    )
    op.create_table(
        "source_project",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["hydroml.project.id"], name="fk_source_project_project_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["hydroml.source.id"], name="fk_source_project_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "project_id", name="pk_source_project"),
        schema="hydroml",
    )
    op.create_index(
        "ix_source_project_project_id_source_id", "source_project", ["project_id", "source_id"], schema="hydroml"
    )
    op.create_table(
        "version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("origin", postgresql.JSONB(), nullable=False),
        sa.Column("parents", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("original_blob", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["hydroml.source.id"], name="fk_version_source_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_version"),
        sa.UniqueConstraint("source_id", "number", name="uq_version_source_id_number"),
        schema="hydroml",
    )
    op.create_index("ix_version_fingerprint", "version", ["fingerprint"], schema="hydroml")
    op.create_index("ix_version_original_blob", "version", ["original_blob"], schema="hydroml")
    op.create_index("ix_version_parents", "version", ["parents"], schema="hydroml", postgresql_using="gin")
    op.create_table(
        "experiment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("specification", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["hydroml.project.id"], name="fk_experiment_project_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["hydroml.version.id"], name="fk_experiment_version_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
        schema="hydroml",
    )
    op.create_index(
        "ix_experiment_project_id_created_at_id", "experiment", ["project_id", "created_at", "id"], schema="hydroml"
    )
    op.create_index("ix_experiment_version_id", "experiment", ["version_id"], schema="hydroml")
    op.create_table(
        "job_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["hydroml.job.id"], name="fk_job_log_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_job_log"),
        schema="hydroml",
    )
    op.create_index("ix_job_log_job_id_id", "job_log", ["job_id", "id"], schema="hydroml")
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("entries", postgresql.JSONB(), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("ahead", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["hydroml.project.id"], name="fk_session_project_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["hydroml.version.id"], name="fk_session_version_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        schema="hydroml",
    )
    op.create_index("ix_session_owner_id_updated_at", "session", ["owner_id", "updated_at"], schema="hydroml")
    op.create_index("ix_session_project_id", "session", ["project_id"], schema="hydroml")
    op.create_index("ix_session_version_id", "session", ["version_id"], schema="hydroml")
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("specification", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("artifacts", postgresql.JSONB(), nullable=False),
        sa.Column("model_blob", sa.Text(), nullable=True),
        sa.Column("mlflow_run_id", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["hydroml.experiment.id"], name="fk_run_experiment_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["hydroml.project.id"], name="fk_run_project_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version_id"], ["hydroml.version.id"], name="fk_run_version_id", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        schema="hydroml",
    )
    op.create_index(
        "ix_run_experiment_id_created_at_id", "run", ["experiment_id", "created_at", "id"], schema="hydroml"
    )
    op.create_index("ix_run_project_id_created_at_id", "run", ["project_id", "created_at", "id"], schema="hydroml")
    op.create_index(
        "ix_run_untracked",
        "run",
        ["created_at"],
        schema="hydroml",
        postgresql_where=sa.text("status = 'succeeded' AND mlflow_run_id IS NULL"),
    )
    op.create_index("ix_run_version_id", "run", ["version_id"], schema="hydroml")
    op.create_table(
        "model_version",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mlflow_version", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["model_id"], ["hydroml.model.id"], name="fk_model_version_model_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["hydroml.run.id"], name="fk_model_version_run_id"),
        sa.PrimaryKeyConstraint("model_id", "number", name="pk_model_version"),
        schema="hydroml",
    )
    op.create_index("ix_model_version_run_id", "model_version", ["run_id"], schema="hydroml")
    op.create_index(
        "ix_model_version_unmirrored",
        "model_version",
        ["model_id"],
        schema="hydroml",
        postgresql_where=sa.text("mlflow_version IS NULL"),
    )


def downgrade() -> None:
    for table in (
        "model_version",
        "run",
        "session",
        "job_log",
        "experiment",
        "version",
        "source_project",
        "project_member",
        "model",
        "job",
        "token",
        "source",
        "project",
        "idempotency_key",
    ):
        op.drop_table(table, schema="hydroml")
    op.execute(DropSequence(sa.Sequence("job_sequence", schema="hydroml")))
