"""The tables of the embedded broker (dramatiq-postgres), in a schema of their own.

They carry only what is due now; everything that must survive stands in `outbox` and
`delivery`. A city that sets BROKER_URL to RabbitMQ or Redis leaves them empty.
"""

from alembic import op
from dramatiq_postgres.schema import generate_init_sql

revision = "0003"
down_revision = "0002"

APP = "ikomek_app"


def upgrade() -> None:
    """Create the broker's schema as its package describes it."""
    op.get_bind().exec_driver_sql(generate_init_sql())
    op.execute(f"GRANT USAGE ON SCHEMA dramatiq TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dramatiq TO {APP}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA dramatiq TO {APP}")


def downgrade() -> None:
    """Drop the broker's schema."""
    op.execute("DROP SCHEMA dramatiq CASCADE")
