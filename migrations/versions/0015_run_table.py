"""The table of runs: what it is searched, sorted and grouped by, beside tags and notes.

Revision ID: 0015
Revises: 0014
"""

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

HEADLINES = (
    "nse", "r2", "kge", "rmse", "mae", "roc_auc", "balanced_accuracy", "f1", "f1_macro", "accuracy", "log_loss",
)  # fmt: skip
LOWER = ("rmse", "mae", "log_loss")

_FILLED: tuple[tuple[str, Any], ...] = (
    ("tags", postgresql.ARRAY(sa.Text())),
    ("notes", sa.Text()),
    ("algorithm", sa.Text()),
    ("target", sa.Text()),
    ("problem", sa.Text()),
    ("seed", sa.BigInteger()),
    ("words", sa.Text()),
)
_LEFT: tuple[tuple[str, Any], ...] = (
    ("split", sa.Text()),
    ("seconds", sa.Float()),
    ("score_metric", sa.Text()),
    ("score", sa.Float()),
    ("score_baseline", sa.Text()),
    ("baseline_score", sa.Float()),
)


def upgrade() -> None:
    for name, kind in (*_FILLED, *_LEFT):
        op.add_column("run", sa.Column(name, kind, nullable=True), schema="hydroml")
    op.create_table(
        "run_value",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["hydroml.run.id"], name="fk_run_value_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_run_value"),
        schema="hydroml",
    )
    _fill()
    for name, _ in _FILLED:
        op.alter_column("run", name, nullable=False, schema="hydroml")
    op.create_index(
        "ix_run_value_project_id_name",
        "run_value",
        ["project_id", "name"],
        schema="hydroml",
        postgresql_include=["run_id", "number"],
    )


def downgrade() -> None:
    op.drop_table("run_value", schema="hydroml")
    for name, _ in (*_FILLED, *_LEFT):
        op.drop_column("run", name, schema="hydroml")


def _fill() -> None:
    connection = op.get_bind()
    runs = sa.table("run", *(sa.column(n) for n in ("id", "project_id")), *(
        sa.column(n, postgresql.JSONB) for n in ("specification", "outcome")
    ), *(sa.column(n, kind) for n, kind in (*_FILLED, *_LEFT)), schema="hydroml")  # fmt: skip
    values = sa.table(
        "run_value", *(sa.column(n) for n in ("run_id", "name", "project_id", "number", "text")), schema="hydroml"
    )
    found = connection.execute(sa.select(runs.c.id, runs.c.project_id, runs.c.specification, runs.c.outcome)).all()
    for row in found:
        wanted, outcome = row.specification, row.outcome or {}
        algorithm = (wanted.get("algorithm") or {}).get("name", "hist_gradient_boosting")
        problem = outcome.get("problem") or wanted.get("problem", "auto")
        words = (wanted["name"], algorithm, algorithm.replace("_", " "), wanted["target"], problem)
        connection.execute(
            sa.update(runs)
            .where(runs.c.id == row.id)
            .values(
                tags=[],
                notes="",
                algorithm=algorithm,
                target=wanted["target"],
                problem=problem,
                split=outcome.get("split") or (wanted.get("split") or {}).get("kind"),
                seed=wanted.get("seed", 0),
                seconds=outcome.get("seconds"),
                words=" ".join(words).lower(),
                **_score(wanted, outcome),
            )
        )
        given = outcome.get("parameters") or (wanted.get("algorithm") or {}).get("hyperparameters") or {}
        columns = [
            *_flat("parameters", given),
            *_flat("metrics", outcome.get("metrics") or {}),
            *_flat("metrics.baselines", outcome.get("baselines") or {}),
        ]
        if columns:
            connection.execute(
                sa.insert(values),
                [
                    {
                        "run_id": row.id,
                        "project_id": row.project_id,
                        "name": name,
                        "number": value if isinstance(value, float) else None,
                        "text": value if isinstance(value, str) else None,
                    }
                    for name, value in dict(columns).items()
                ],
            )


def _score(wanted: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    """The first metric that was asked for, or that people read first, beside the strongest baseline's."""
    test = {n: v for n, v in ((outcome.get("metrics") or {}).get("test") or {}).items() if _is_number(v)}
    name = next((n for n in (*(wanted.get("metrics") or ()), *HEADLINES, *sorted(test)) if n in test), None)
    if name is None:
        return {}
    rivals = [(b, m[name]) for b, m in (outcome.get("baselines") or {}).items() if _is_number(m.get(name))]
    best = sorted(rivals, key=lambda rival: rival[1] if name in LOWER else -rival[1])[:1] or [(None, None)]
    return {
        "score_metric": name,
        "score": test[name],
        "score_baseline": best[0][0] if name in HEADLINES else None,
        "baseline_score": best[0][1] if name in HEADLINES else None,
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _flat(place: str, value: Any) -> Iterator[tuple[str, float | str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(f"{place}.{name}", part)
    elif isinstance(value, bool):
        yield place, str(value).lower()
    elif _is_number(value):
        yield place, float(value)
    elif isinstance(value, str) and value not in ("NaN", "Infinity", "-Infinity"):
        yield place, value[:500]
    elif isinstance(value, list):
        yield place, json.dumps(value, ensure_ascii=False)[:500]
