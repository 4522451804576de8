"""Alembic's way in; always called through integrations/postgres/migrate.py, which hands in
the connection. Lock and statement time-outs keep a migration from standing in the city's way.
"""

from alembic import context

from integrations.postgres.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transaction_per_migration=True,
    include_schemas=False,
)
with context.begin_transaction():
    context.run_migrations()
