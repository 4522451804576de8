"""Who has a delivery in hand stands beside it, in a row that costs little to write."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from migrations.walls import TENANT, WORKER, Rule, build, lifted

revision = "0023"
down_revision = "0022"

_INSTANT = sa.TIMESTAMP(timezone=True)
_THROUGH = "(SELECT true FROM webhook_endpoint o WHERE o.id = delivery_lease.endpoint_id)"


def upgrade() -> None:
    """A table of leases; those that run go on."""
    op.create_table(
        "delivery_lease",
        sa.Column("delivery_id", UUID, nullable=False),
        sa.Column("endpoint_id", UUID, nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_lease")),
    )
    # Few rows live, and many have: they are looked at with every claim.
    op.execute(
        "ALTER TABLE delivery_lease SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0,"
        " autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)"
    )
    with lifted("delivery"):
        op.execute(
            "INSERT INTO delivery_lease SELECT id, endpoint_id, leased_until FROM delivery"
            " WHERE state = 'pending' AND leased_until IS NOT NULL"
        )
    op.drop_index("ix_delivery_leased", table_name="delivery")
    op.drop_column("delivery", "leased_until")
    build(
        "delivery_lease",
        {
            # Whoever sends a delivery again takes it out of all hands.
            TENANT: Rule("SELECT, UPDATE", _THROUGH),
            WORKER: Rule("SELECT, INSERT, UPDATE, DELETE", "true"),
        },
        of_a_city=False,
    )


def downgrade() -> None:
    """As it was: the lease's end in the delivery itself, and in an index."""
    op.add_column("delivery", sa.Column("leased_until", _INSTANT))
    with lifted("delivery", "delivery_lease"):
        op.execute(
            "UPDATE delivery d SET leased_until = l.until FROM delivery_lease l"
            " WHERE d.id = l.delivery_id AND d.state = 'pending'"
        )
    op.create_index(
        "ix_delivery_leased", "delivery", ["leased_until"],
        postgresql_where=sa.text("state = 'pending' AND leased_until IS NOT NULL"),
    )  # fmt: skip
    op.drop_table("delivery_lease")
