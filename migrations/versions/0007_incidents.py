"""Incidents: one problem behind many appeals, planned works and outages."""

import h3
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0007"
down_revision = "0006"

APP = "ikomek_app"
OPEN = "('registered', 'assigned', 'in_progress', 'paused')"
RESOLUTION = 10
BATCH = 5000
INSTANT = pg.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the tables, tell appeals their incident and their cell, guard the history."""
    _make_incident()
    _make_history()
    op.add_column("appeal", sa.Column("incident_id", pg.UUID))
    op.add_column("appeal", sa.Column("incident_joined_at", INSTANT))
    op.add_column("appeal", sa.Column("incident_followed", sa.Integer))
    op.add_column("appeal", sa.Column("cell", sa.BigInteger))
    op.add_column("attachment", sa.Column("incident_id", pg.UUID))
    for table in ("appeal", "attachment"):
        op.create_foreign_key(f"fk_{table}_incident_id", table, "incident", ["incident_id"], ["id"])
    op.create_table(
        "shared_attachment",
        sa.Column("appeal_id", pg.UUID, nullable=False),
        sa.Column("attachment_id", pg.UUID, nullable=False),
        sa.PrimaryKeyConstraint("appeal_id", "attachment_id", name="pk_shared_attachment"),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeal.id"], name="fk_shared_attachment_appeal_id"
        ),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name="fk_shared_attachment_attachment_id"
        ),
    )
    op.create_index("ix_shared_attachment_attachment_id", "shared_attachment", ["attachment_id"])
    _tell_cells()
    op.create_index(
        "ix_appeal_incident",
        "appeal",
        ["incident_id", "incident_followed"],
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    op.create_index(
        "ix_appeal_near",
        "appeal",
        ["city_id", "service", "cell", "registered_at"],
        postgresql_where=sa.text(f"cell IS NOT NULL AND status IN {OPEN}"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON incident TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON incident_event, shared_attachment TO {APP}")
    op.execute("""
        CREATE TRIGGER incident_event_is_for_good BEFORE UPDATE OR DELETE ON incident_event
            FOR EACH ROW EXECUTE FUNCTION refuse_to_forget()
    """)
    op.execute("""
        CREATE TRIGGER incident_event_is_kept BEFORE TRUNCATE ON incident_event
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget()
    """)


def downgrade() -> None:
    """As it was. The history of incidents goes with its table."""
    op.drop_index("ix_appeal_near", table_name="appeal")
    op.drop_index("ix_appeal_incident", table_name="appeal")
    op.drop_table("shared_attachment")
    op.drop_column("attachment", "incident_id")
    for column in ("cell", "incident_followed", "incident_joined_at", "incident_id"):
        op.drop_column("appeal", column)
    op.drop_table("incident_event")
    op.drop_table("incident")


def _make_incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", pg.UUID, nullable=False),
        sa.Column("city_id", pg.UUID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "status", "matching")),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("services", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("area", pg.JSONB, nullable=False),
        sa.Column("districts", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("texts", pg.JSONB, nullable=False),
        *(sa.Column(n, pg.UUID, nullable=False) for n in ("owner_id", "executor_id", "opened_by")),
        *(sa.Column(name, INSTANT, nullable=False) for name in ("opened_at", "updated_at")),
        *(
            sa.Column(name, INSTANT)
            for name in ("planned_from", "planned_to", "started_at", "accepted_at",
                         "resolved_at", "ended_at")
        ),
        sa.Column("reported", pg.ARRAY(sa.Text), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("version", "sequence", "acts")),
        sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name="fk_incident_city_id"),
        *(
            sa.ForeignKeyConstraint([name], ["organisation.id"], name=f"fk_incident_{name}")
            for name in ("owner_id", "executor_id")
        ),
    )  # fmt: skip
    op.create_index(
        "ix_incident_list",
        "incident",
        ["city_id", sa.literal_column("opened_at DESC"), sa.literal_column("id DESC")],
    )
    op.create_index(
        "ix_incident_live",
        "incident",
        ["city_id"],
        postgresql_where=sa.text("status IN ('announced', 'active')"),
    )
    op.create_index(
        "ix_incident_unsettled",
        "incident",
        ["city_id"],
        postgresql_where=sa.text("NOT settled"),
    )


def _make_history() -> None:
    op.create_table(
        "incident_event",
        sa.Column("incident_id", pg.UUID, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("city_id", pg.UUID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_role", sa.Text, nullable=False),
        sa.Column("actor_id", pg.UUID, nullable=False),
        sa.Column("actor_organisation", pg.UUID),
        sa.Column("act", sa.Integer),
        sa.Column("data", pg.JSONB, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("incident_id", "sequence", name="pk_incident_event"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_event_incident_id"
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name="fk_incident_event_city_id"),
    )


def _tell_cells() -> None:
    """The cell of every open appeal with a point; what is over needs none."""
    connection = op.get_bind()
    wanted = sa.text(
        f"SELECT id, latitude, longitude FROM appeal WHERE status IN {OPEN}"
        " AND latitude IS NOT NULL AND cell IS NULL LIMIT :most"
    )
    tell = sa.text(
        "UPDATE appeal a SET cell = t.cell FROM unnest(cast(:ids AS uuid[]),"
        " cast(:cells AS bigint[])) AS t(id, cell) WHERE a.id = t.id"
    )
    while rows := connection.execute(wanted, {"most": BATCH}).all():
        cells = [h3.str_to_int(h3.latlng_to_cell(r[1], r[2], RESOLUTION)) for r in rows]
        connection.execute(tell, {"ids": [str(row[0]) for row in rows], "cells": cells})
