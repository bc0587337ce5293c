"""Runs migrations on the connection it is given, or on `-x url=…` for developers."""

from alembic import context
from sqlalchemy import Connection

from hydroml.adapters.persistence import unit_of_work  # noqa: F401 (imports every module with tables)
from hydroml.adapters.persistence.metadata import SCHEMA, metadata
from hydroml.adapters.persistence.migrations import migration_engine


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Django's tables are not ours: without this, they would be proposed to be dropped."""
    return name == SCHEMA if type_ == "schema" else True


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=include_name,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        # A migration gives up rather than queue in front of everybody else.
        connection.exec_driver_sql("SET lock_timeout = '15s'")
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with migration_engine(context.get_x_argument(as_dictionary=True)["url"]).connect() as opened:
        run(opened)
        opened.commit()
