"""Entries and comments of sessions as rows, recipes, and sources that follow another.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def _document(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"hydroml.{to}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), schema="hydroml")


def _add(table: str, *columns: sa.Column[object]) -> None:
    for column in columns:
        op.add_column(table, column, schema="hydroml")


def _drop(table: str, *columns: str) -> None:
    for column in columns:
        op.drop_column(table, column, schema="hydroml")


def upgrade() -> None:
    op.create_table(
        "session_entry",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        _document("step"),
        _document("fitted"),
        _document("made"),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("replaces", sa.Uuid(), nullable=True),
        _belongs("session_entry", "session_id", "session"),
        sa.PrimaryKeyConstraint("session_id", "position", name="pk_session_entry"),
        sa.UniqueConstraint("session_id", "entry_id", name="uq_session_entry_session_id_entry_id"),
        schema="hydroml",
    )
    op.create_table(
        "session_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("created_at"),
        _belongs("session_comment", "session_id", "session"),
        sa.PrimaryKeyConstraint("id", name="pk_session_comment"),
        schema="hydroml",
    )
    _index("session_comment", "session_id", "created_at", "id")
    _add(
        "session",
        sa.Column("name", sa.Text(), nullable=False, server_default=""),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("steps", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("marks", postgresql.JSONB(none_as_null=True), nullable=False, server_default="[]"),
        _moment("deleted_at", nullable=True),
    )
    _index("session", "deleted_at")
    op.execute(
        "INSERT INTO hydroml.session_entry (session_id, position, entry_id, parent, step, fitted, made, enabled)"
        " SELECT s.id, e.number - 1, (e.value->>'id')::uuid, (e.value->>'parent')::uuid, e.value->'step',"
        " e.value->'fitted', '[]', (e.value->>'enabled')::boolean"
        " FROM hydroml.session s, jsonb_array_elements(s.entries) WITH ORDINALITY e(value, number)"
    )
    op.execute(
        "UPDATE hydroml.session s SET ahead = coalesce((SELECT jsonb_agg("
        "jsonb_build_array(coalesce(place.position, -1), child.position))"
        " FROM jsonb_array_elements(s.ahead) a LEFT JOIN hydroml.session_entry place"
        " ON place.session_id = s.id AND place.entry_id = (a->>0)::uuid JOIN hydroml.session_entry child"
        " ON child.session_id = s.id AND child.entry_id = (a->>1)::uuid), '[]')"
    )
    op.execute(
        "WITH RECURSIVE applied AS (SELECT id, cursor AS entry FROM hydroml.session UNION ALL SELECT a.id, e.parent"
        " FROM applied a JOIN hydroml.session_entry e ON e.session_id = a.id AND e.entry_id = a.entry)"
        " UPDATE hydroml.session s SET steps = (SELECT count(entry) FROM applied a WHERE a.id = s.id)"
    )
    _drop("session", "entries")
    for column in ("name", "shared", "steps", "marks"):
        op.alter_column("session", column, server_default=None, schema="hydroml")
    op.create_table(
        "recipe",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        _document("steps"),
        _document("columns"),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        _belongs("recipe", "project_id", "project"),
        sa.PrimaryKeyConstraint("id", name="pk_recipe"),
        schema="hydroml",
    )
    _index("recipe", "project_id")
    _add("source", sa.Column("follows", sa.Uuid(), nullable=True), _document("following", nullable=True))
    _index("source", "follows")


def downgrade() -> None:
    op.drop_index("ix_source_follows", "source", schema="hydroml")
    _drop("source", "following", "follows")
    op.drop_table("recipe", schema="hydroml")
    _add("session", sa.Column("entries", postgresql.JSONB(none_as_null=True), nullable=False, server_default="[]"))
    op.execute(
        "UPDATE hydroml.session s SET entries = coalesce((SELECT jsonb_agg(jsonb_build_object('id', e.entry_id,"
        " 'parent', e.parent, 'step', e.step, 'fitted', e.fitted, 'enabled', e.enabled) ORDER BY e.position)"
        " FROM hydroml.session_entry e WHERE e.session_id = s.id), '[]'),"
        " ahead = coalesce((SELECT jsonb_agg(jsonb_build_array(place.entry_id, child.entry_id))"
        " FROM jsonb_array_elements(s.ahead) a LEFT JOIN hydroml.session_entry place"
        " ON place.session_id = s.id AND place.position = (a->>0)::bigint JOIN hydroml.session_entry child"
        " ON child.session_id = s.id AND child.position = (a->>1)::bigint), '[]')"
    )
    op.alter_column("session", "entries", server_default=None, schema="hydroml")
    op.drop_index("ix_session_deleted_at", "session", schema="hydroml")
    _drop("session", "deleted_at", "marks", "steps", "shared", "name")
    op.drop_table("session_comment", schema="hydroml")
    op.drop_table("session_entry", schema="hydroml")
