"""The guard of the register: a role that owns nothing, grants per table, and triggers.

Law 1: no role that the platform runs under can UPDATE or DELETE an event, TRUNCATE its
table or drop its guard. The grants say so to the application's role; the triggers say
so to whoever else comes by, the owner included, short of dropping them, which only an
owner can and the application never is.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

APP = "ikomek_app"

ADD_ONLY = ("event", "event_personal", "personal_read", "delivery_attempt")
KEPT = (
    "city", "sphere", "category", "service_version", "calendar_version", "policy_version",
    "organisation", "district", "street", "building", "territory", "member",
    "citizen", "access_token", "appeal", "assignment", "clock", "webhook_endpoint", "delivery",
    "number_series",
)  # fmt: skip
PASSING = (
    "channel_policy", "responsibility", "number_pool", "attachment", "outbox", "idempotency",
)  # fmt: skip


def upgrade() -> None:
    """Create the role, grant it what each table allows, and set the guard on events."""
    # Roles belong to the cluster: another database of it may have made this one already,
    # perhaps at this very moment, or an administrator, where the owner may not make roles.
    op.execute(f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') THEN
                CREATE ROLE {APP} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
    """)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP}")
    for tables, rights in (
        (ADD_ONLY, "SELECT, INSERT"),
        (KEPT, "SELECT, INSERT, UPDATE"),
        (PASSING, "SELECT, INSERT, UPDATE, DELETE"),
    ):
        op.execute(f"GRANT {rights} ON {', '.join(tables)} TO {APP}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP}")
    op.execute("""
        CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the register only grows: % on % is refused', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER event_is_for_good BEFORE UPDATE OR DELETE ON event
            FOR EACH ROW EXECUTE FUNCTION refuse_to_forget()
    """)
    op.execute("""
        CREATE TRIGGER event_is_kept BEFORE TRUNCATE ON event
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget()
    """)


def downgrade() -> None:
    """Take the guard away. The role stays: other databases of the cluster may use it."""
    op.execute("DROP TRIGGER event_is_kept ON event")
    op.execute("DROP TRIGGER event_is_for_good ON event")
    op.execute("DROP FUNCTION refuse_to_forget()")
    for table in (*ADD_ONLY, *KEPT, *PASSING, "alembic_version"):
        op.execute(f"REVOKE ALL ON {table} FROM {APP}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {APP}")
