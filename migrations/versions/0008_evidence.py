"""Evidence that a stage of a service needs before it counts, and what became of each 'done'."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0008"
down_revision = "0007"

APP = "ikomek_app"

# What the register tells of each 'done' so far: the n-th of its appeal, by whom, for which
# service, and the word that followed before the next one.
TOLD = """
    INSERT INTO completion
    SELECT d.city_id, d.appeal_id, d.number, d.organisation_id, d.service, a.district, d.at,
           w.verdict, w.at
      FROM (SELECT e.city_id, e.appeal_id, e.sequence, e.at,
                   (convert_from(e.canonical, 'UTF8')::jsonb #>> '{about,organisation}')::uuid
                       AS organisation_id,
                   convert_from(e.canonical, 'UTF8')::jsonb #>> '{about,service}' AS service,
                   row_number() OVER (PARTITION BY e.appeal_id ORDER BY e.sequence) AS number,
                   lead(e.sequence) OVER (PARTITION BY e.appeal_id ORDER BY e.sequence) AS until
              FROM event e WHERE e.type = 'appeal.resolved') d
      JOIN appeal a ON a.id = d.appeal_id
      LEFT JOIN LATERAL (
            SELECT CASE v.type WHEN 'appeal.returned' THEN 'returned'
                               WHEN 'appeal.reopened' THEN 'refused'
                               WHEN 'appeal.confirmed' THEN 'confirmed'
                               ELSE 'withdrawn' END AS verdict, v.at
              FROM event v
             WHERE v.appeal_id = d.appeal_id AND v.sequence > d.sequence
               AND (d.until IS NULL OR v.sequence < d.until)
               AND v.type IN ('appeal.returned', 'appeal.reopened', 'appeal.confirmed',
                              'appeal.withdrawn')
             -- The first no ends it, whatever was said before or comes after.
             ORDER BY v.type IN ('appeal.returned', 'appeal.reopened') DESC,
                      CASE WHEN v.type IN ('appeal.returned', 'appeal.reopened')
                           THEN v.sequence END, v.sequence DESC
             LIMIT 1) w ON true
"""


def upgrade() -> None:
    """Remember what inspectors let go, and judge each 'done' by what the register tells."""
    op.add_column(
        "appeal", sa.Column("waivers", JSONB, nullable=False, server_default=sa.text("'[]'"))
    )
    # The same picture shown for another appeal is found by what its sender had.
    op.create_index("ix_attachment_original_sha256", "attachment", ["original_sha256"])
    op.create_table(
        "completion",
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("appeal_id", UUID, sa.ForeignKey("appeal.id"), nullable=False),
        sa.Column("number", sa.SmallInteger, nullable=False),
        sa.Column("organisation_id", UUID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("district", sa.Text),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("judged_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("appeal_id", "number"),
    )
    op.create_index("ix_completion_period", "completion", ["city_id", "done_at"])
    op.create_index("ix_completion_executor", "completion", ["organisation_id", "done_at"])
    op.execute(TOLD)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON completion TO {APP}")


def downgrade() -> None:
    """As it was: the events keep everything that is forgotten here."""
    op.drop_table("completion")
    op.drop_index("ix_attachment_original_sha256", table_name="attachment")
    op.drop_column("appeal", "waivers")
