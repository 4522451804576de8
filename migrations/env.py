"""Alembic's way in; always called through integrations/postgres/migrate.py, which hands in
the connection. Lock and statement time-outs keep a migration from standing in the city's way.
"""

from alembic import context

from integrations.postgres.tables import metadata

connection = context.config.attributes["connection"]
# Whoever wants a table that the city is using waits a little, and then makes way and fails.
connection.exec_driver_sql("SET lock_timeout = '5s'")
connection.exec_driver_sql("SET statement_timeout = '10min'")
# Behind its own walls an owner who is no superuser sees no row: better an error than a revision
# that passes over them. Who moves rows lifts the wall first (migrations/walls.py: lifted).
connection.exec_driver_sql("SET row_security = off")
connection.commit()
context.configure(
    connection=connection,
    target_metadata=metadata,
    transaction_per_migration=True,
    include_schemas=False,
)
with context.begin_transaction():
    context.run_migrations()
