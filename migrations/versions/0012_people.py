"""People: residents known by their IIN, members who come and go on record, readings of either."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0012"
down_revision = "0011"

APP = "ikomek_app"

ACTIVE = "(state = 'active'::text)"


def upgrade() -> None:
    """Tables of invitations, identities and members' events; states; blind indexes of IINs."""
    _members()
    _citizens()
    _invitations()
    _identities()
    _events()
    _reads()
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON invitation TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON identity, member_event TO {APP}")


def _members() -> None:
    op.add_column(
        "member", sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'active'"))
    )
    op.execute("UPDATE member SET state = 'suspended' WHERE NOT active")
    op.drop_column("member", "active")
    # Whoever asks whether a member is active is answered by the state and nothing else.
    op.add_column(
        "member",
        sa.Column("active", sa.Boolean, sa.Computed(ACTIVE, persisted=True), nullable=False),
    )
    op.add_column("member", sa.Column("iin_index", sa.LargeBinary))
    op.add_column("member", sa.Column("sealed", sa.LargeBinary))
    op.create_check_constraint(
        op.f("ck_member_state"), "member", "state IN ('active', 'suspended', 'left')"
    )
    op.create_index("ix_member_organisation_id", "member", ["organisation_id"])
    op.create_index(
        "ix_member_iin_index",
        "member",
        ["iin_index"],
        postgresql_where=sa.text("iin_index IS NOT NULL"),
    )


def _citizens() -> None:
    op.add_column("citizen", sa.Column("iin_index", sa.LargeBinary))
    op.drop_constraint("uq_citizen_city_id_phone_index", "citizen")
    # A family may share a telephone; whoever is known by nothing else is one for each.
    op.create_index(
        "uq_citizen_phone",
        "citizen",
        ["city_id", "phone_index"],
        unique=True,
        postgresql_where=sa.text("iin_index IS NULL"),
    )
    op.create_index("ix_citizen_phone_index", "citizen", ["phone_index"])
    op.create_index(
        "uq_citizen_iin",
        "citizen",
        ["city_id", "iin_index"],
        unique=True,
        postgresql_where=sa.text("iin_index IS NOT NULL"),
    )


def _invitations() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("organisation_id", UUID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("district", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("iin_index", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("invited_by", UUID, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("member_id", UUID, sa.ForeignKey("member.id")),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True)),
        sa.UniqueConstraint("hash", name="uq_invitation_hash"),
        sa.CheckConstraint(
            "num_nonnulls(redeemed_at, revoked_at) <= 1", name=op.f("ck_invitation_one_end")
        ),
        sa.CheckConstraint(
            "(redeemed_at IS NULL) = (member_id IS NULL)",
            name=op.f("ck_invitation_redeemed_by_member"),
        ),
    )
    op.create_index(
        "ix_invitation_city_id",
        "invitation",
        ["city_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
    )
    op.create_index("ix_invitation_invited_by", "invitation", ["invited_by"])


def _identities() -> None:
    op.create_table(
        "identity",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("subject_index", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("citizen_id", UUID, sa.ForeignKey("citizen.id")),
        sa.Column("member_id", UUID, sa.ForeignKey("member.id")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(citizen_id, member_id) = 1", name=op.f("ck_identity_one_subject")
        ),
    )
    known_by = ["city_id", "provider", "subject_index"]
    op.create_index(
        "uq_identity_citizen",
        "identity",
        known_by,
        unique=True,
        postgresql_where=sa.text("citizen_id IS NOT NULL"),
    )
    op.create_index(
        "ix_identity_member",
        "identity",
        known_by,
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_index("ix_identity_citizen_id", "identity", ["citizen_id"])


def _events() -> None:
    op.create_table(
        "member_event",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("organisation_id", UUID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("member_id", UUID, sa.ForeignKey("member.id")),
        sa.Column("invitation_id", UUID, sa.ForeignKey("invitation.id")),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("actor_id", UUID, nullable=False),
        sa.Column("actor_role", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("district", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(member_id, invitation_id) >= 1",
            name=op.f("ck_member_event_about_somebody"),
        ),
    )
    op.create_index("ix_member_event_member_id", "member_event", ["member_id", "at"])
    op.create_index("ix_member_event_invitation_id", "member_event", ["invitation_id"])
    op.execute("""
        INSERT INTO member_event (id, city_id, organisation_id, member_id, type, actor_id,
                                  actor_role, role, district, at)
        SELECT gen_random_uuid(), city_id, organisation_id, id, 'member.joined',
               '00000000-0000-0000-0000-000000000000', 'system', role, district, created_at
          FROM member
    """)
    for timing, name in (("UPDATE OR DELETE", "is_for_good"), ("TRUNCATE", "is_kept")):
        each = "STATEMENT" if timing == "TRUNCATE" else "ROW"
        op.execute(f"""
            CREATE TRIGGER member_event_{name} BEFORE {timing} ON member_event
                FOR EACH {each} EXECUTE FUNCTION refuse_to_forget()
        """)


def _reads() -> None:
    op.alter_column("personal_read", "appeal_id", nullable=True)
    op.add_column("personal_read", sa.Column("citizen_id", UUID, sa.ForeignKey("citizen.id")))
    op.add_column("personal_read", sa.Column("organisation_id", UUID))
    op.add_column(
        "personal_read",
        sa.Column("operation", sa.Text, nullable=False, server_default=sa.text("'readApplicant'")),
    )
    op.add_column("personal_read", sa.Column("purpose", sa.Text))
    op.create_index("ix_personal_read_appeal_id", "personal_read", ["appeal_id"])
    op.create_index("ix_personal_read_citizen_id", "personal_read", ["citizen_id"])
    op.create_index(
        "ix_personal_read_city_id",
        "personal_read",
        ["city_id", sa.literal_column("at DESC"), sa.literal_column("id DESC")],
    )


def downgrade() -> None:
    """As it was, as far as it can be told in the old words: readings of no appeal cannot."""
    for index in ("appeal_id", "citizen_id", "city_id"):
        op.drop_index(f"ix_personal_read_{index}", "personal_read")
    op.execute("DELETE FROM personal_read WHERE appeal_id IS NULL")
    for column in ("purpose", "operation", "organisation_id", "citizen_id"):
        op.drop_column("personal_read", column)
    op.alter_column("personal_read", "appeal_id", nullable=False)
    op.drop_table("member_event")
    op.drop_table("identity")
    op.drop_table("invitation")
    for index in ("uq_citizen_phone", "ix_citizen_phone_index", "uq_citizen_iin"):
        op.drop_index(index, "citizen")
    op.drop_column("citizen", "iin_index")
    # Of those who share a telephone one keeps it.
    op.execute("""
        UPDATE citizen c SET phone_index = NULL WHERE EXISTS (SELECT FROM citizen o
         WHERE o.city_id = c.city_id AND o.phone_index = c.phone_index AND o.id < c.id)
    """)
    op.create_unique_constraint(
        "uq_citizen_city_id_phone_index", "citizen", ["city_id", "phone_index"]
    )
    op.drop_index("ix_member_iin_index", "member")
    op.drop_index("ix_member_organisation_id", "member")
    op.drop_constraint(op.f("ck_member_state"), "member")
    op.drop_column("member", "sealed")
    op.drop_column("member", "iin_index")
    op.drop_column("member", "active")
    op.add_column(
        "member",
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")),
    )
    op.execute("UPDATE member SET active = (state = 'active')")
    op.drop_column("member", "state")
