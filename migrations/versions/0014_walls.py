"""Walls: PostgreSQL itself shows each role what is theirs (docs/decisions/0018)."""

from alembic import op

from migrations.walls import (
    APP,
    CITIZEN,
    CITY,
    DISTRICT,
    IN_CITY,
    IN_DISTRICT,
    ORGANISATIONS,
    ROLES,
    SELF,
    TENANT,
    WORKER,
    Rule,
    Rules,
    build,
    listed,
    make_roles,
    tear_down,
    told,
)

revision = "0014"
down_revision = "0013"

SEE = "SELECT"
ADD = "SELECT, INSERT"
KEEP = "SELECT, INSERT, UPDATE"
SWEEP = "SELECT, INSERT, UPDATE, DELETE"
LOCK = "SELECT, UPDATE (version)"
"""Whoever locks a row needs the right to change something of it."""

ALL = "true"
CARDED = "(SELECT true FROM card c WHERE c.appeal_id = {}.appeal_id)"
"""What an organisation sees of an appeal it sees by its card, which names all that ever had it."""
OF_APPEAL = "(SELECT true FROM appeal a WHERE a.id = {}.appeal_id)"
MINE = f"{{}} = ANY ({ORGANISATIONS})"
JOINED = "(SELECT EXISTS (SELECT FROM appeal a WHERE a.incident_id = {}))"


def _of_appeal(table: str, tenant: str = "", district: str = "") -> Rules:
    """The walls of what hangs on an appeal."""
    through = OF_APPEAL.format(table)
    return {
        TENANT: Rule(SEE, tenant or CARDED.format(table)),
        CITIZEN: Rule(SEE, through),
        DISTRICT: Rule(SEE, district or through),
    }


def _city(grants: str) -> Rules:
    return {CITY: Rule(grants, IN_CITY)}


def _worker(grants: str) -> Rules:
    return {WORKER: Rule(grants, ALL)}


def _through(table: str, key: str, other: str, role_rules: dict[str, str]) -> Rules:
    """The walls of a row that another row leads to: whoever sees that one sees this one."""
    seen = f"(SELECT true FROM {other} o WHERE o.id = {table}.{key})"
    return {role: Rule(grants, seen) for role, grants in role_rules.items()}


_OWN = MINE.format("organisation_id")
_FILE = "({} OR (owner_id = " + SELF + " AND appeal_id IS NULL) OR (SELECT EXISTS (SELECT FROM" \
    " shared_attachment s WHERE s.attachment_id = attachment.id)))"  # fmt: skip
_INCIDENT = {
    TENANT: f"({MINE.format('owner_id')} OR {MINE.format('executor_id')}"
            f" OR {JOINED.format('incident.id')})",
    CITIZEN: JOINED.format("incident.id"),
    DISTRICT: f"({told('district', 'text')} = ANY (districts) OR {JOINED.format('incident.id')})",
}  # fmt: skip
_HISTORY = {
    TENANT: "(SELECT true FROM incident i WHERE i.id = incident_event.incident_id AND"
            f" ({MINE.format('i.owner_id')} OR {MINE.format('i.executor_id')}"
            f" OR {JOINED.format('i.id')}))",
    CITIZEN: JOINED.format("incident_event.incident_id"),
    DISTRICT: "(SELECT true FROM incident i WHERE i.id = incident_event.incident_id AND"
              f" ({told('district', 'text')} = ANY (i.districts) OR {JOINED.format('i.id')}))",
}  # fmt: skip
_ANSWER = f"principal_id = {SELF}"
_DELIVERED = f"subject = 'delivery' AND place = ANY ({listed('organisations', 'text')})"

WALLS: dict[str, Rules] = {
    "appeal": {
        TENANT: Rule(LOCK, "(SELECT true FROM card c WHERE c.appeal_id = appeal.id)"),
        # A statement brings its own equality to the index. Here it is no reason for one: what hangs
        # on an appeal asks for it by its id, not among all that its resident ever had.
        CITIZEN: Rule(LOCK, f"(citizen_id = {told('citizen_id', 'uuid')}) IS TRUE"),
        DISTRICT: Rule(LOCK, IN_DISTRICT),
    } | _city(KEEP) | _worker(KEEP),
    "card": _of_appeal("card", f"{IN_CITY} AND organisations && {ORGANISATIONS}")
            | _city(KEEP) | _worker(KEEP),
    "assignment": _of_appeal("assignment", f"({_OWN} OR {CARDED.format('assignment')})")
                  | _city(KEEP) | _worker(KEEP),
    "clock": _of_appeal("clock", district=IN_DISTRICT) | _city(KEEP) | _worker(KEEP),
    "event": _of_appeal("event") | _city(ADD) | _worker(ADD),
    # An event and its sealed texts are written by one statement, which does not see itself.
    "event_personal": _through("event_personal", "event_id", "event",
                               {TENANT: SEE, CITIZEN: SEE, DISTRICT: SEE})
        | {CITY: Rule(ADD, "(SELECT true FROM event o WHERE o.id = event_personal.event_id)", ALL)}
        | _worker(ADD),
    "attachment": {
        TENANT: Rule(ADD, _FILE.format(CARDED.format('attachment'))),
        CITIZEN: Rule(ADD, _FILE.format(OF_APPEAL.format('attachment'))),
        DISTRICT: Rule(SEE, _FILE.format(OF_APPEAL.format('attachment'))),
    } | _city(KEEP) | _worker(SWEEP),
    "shared_attachment": _through("shared_attachment", "appeal_id", "appeal",
                                  {TENANT: SEE, CITIZEN: SEE, DISTRICT: SEE, CITY: ADD})
        | _worker(ADD),
    "personal_read": {
        TENANT: Rule("INSERT", f"reader_id = {SELF}",
                     f"reader_id = {SELF} AND {CARDED.format('personal_read')}"),
        CITIZEN: Rule("INSERT", f"reader_id = {SELF}",
                      f"reader_id = {SELF} AND {OF_APPEAL.format('personal_read')}"),
        CITY: Rule("INSERT", f"{IN_CITY} AND reader_id = {SELF}"),
    } | _worker(ADD),
    "consultation": {
        TENANT: Rule(SEE, "(SELECT true FROM member m WHERE m.id = operator_id)"),
        DISTRICT: Rule(SEE, IN_DISTRICT),
    } | _city(ADD) | _worker(ADD),
    "outbox": _city("INSERT") | _worker(SWEEP),
    "webhook_endpoint": {TENANT: Rule(KEEP, _OWN)} | _city(ADD) | _worker(KEEP),
    "delivery": _through("delivery", "endpoint_id", "webhook_endpoint", {TENANT: KEEP})
        | _city("INSERT") | _worker(KEEP),
    "delivery_attempt": _through("delivery_attempt", "delivery_id", "delivery", {TENANT: SEE})
        | _worker(ADD),
    "idempotency": {
        TENANT: Rule(ADD, _ANSWER),
        CITIZEN: Rule(ADD, _ANSWER),
        DISTRICT: Rule(ADD, _ANSWER),
        CITY: Rule(ADD, _ANSWER, f"principal_id = ANY ({listed('principals')})"),
    } | _worker(SWEEP),
    "tally": {
        TENANT: Rule(ADD, _DELIVERED),
        DISTRICT: Rule(SEE, f"(({_DELIVERED}) OR (subject <> 'delivery'"
                            f" AND place = {told('district', 'text')}))"),
    } | _city(ADD) | _worker(SWEEP),
    "completion": {
        TENANT: Rule(SEE, _OWN),
        DISTRICT: Rule(SEE, IN_DISTRICT),
    } | _city(KEEP) | _worker(KEEP),
    "incident": {
        TENANT: Rule(LOCK, f"(public OR {_INCIDENT[TENANT]})"),
        CITIZEN: Rule(LOCK, f"(public OR {_INCIDENT[CITIZEN]})"),
        DISTRICT: Rule(SEE, f"(public OR {_INCIDENT[DISTRICT]})"),
    } | _city(KEEP) | _worker(KEEP),
    "incident_event": {
        role: Rule(SEE, seen) for role, seen in _HISTORY.items()
    } | _city(ADD) | _worker(ADD),
    "citizen": {
        CITIZEN: Rule(SEE, f"id = {told('citizen_id', 'uuid')}"),
    } | _city(SEE) | _worker(KEEP),
    "member": {
        TENANT: Rule(SEE, _OWN),
        DISTRICT: Rule(SEE, _OWN),
    } | _city("SELECT, UPDATE") | _worker(KEEP),
    "access_token": _worker(KEEP),
    "invitation": _city(KEEP) | _worker(KEEP),
    "identity": _worker(ADD),
    "member_event": _city(ADD) | _worker(ADD),
    # Whoever comes with a code, a secret or a token is nobody's yet.
    "client": _city(ADD) | _worker(f"{ADD}, UPDATE (disabled_at)"),
    "client_secret": _city(ADD) | _worker(f"{ADD}, UPDATE (expires_at)"),
    "client_assertion": _worker(f"{ADD}, DELETE"),
    "client_usage": _worker(f"{ADD}, UPDATE (count), DELETE"),
    "authorization_request": _worker(f"{ADD}, UPDATE (answered_at), DELETE"),
    "login_session": _worker(f"{ADD}, UPDATE (ended_at, end_reason)"),
    "authorization_code": _worker(f"{ADD}, UPDATE (used_at), DELETE"),
    "refresh_token": _worker(f"{ADD}, UPDATE (used_at), DELETE"),
    # Whoever suspends a member takes their tokens back with it.
    "revocation": {CITY: Rule("INSERT", "false", ALL)} | _worker(f"{ADD}, DELETE"),
    "token_key": _worker(f"{ADD}, UPDATE (withdrawn_at)"),
    "login_attempt": _worker(f"{ADD}, UPDATE (used_at), DELETE"),
    "login_signing": _worker(f"{ADD}, UPDATE (signer, taken_at), DELETE"),
}  # fmt: skip

OF_NO_CITY = {
    "event_personal", "shared_attachment", "delivery_attempt", "idempotency", "card",
    "revocation", "token_key", "login_attempt", "login_signing",
}  # fmt: skip
"""They follow another row into its city, or somebody. A card's wall says the city itself: asked
after another condition, its organisations would not be looked up in the index.
"""

OPEN = {
    "city": SEE, "sphere": SEE, "category": SEE, "service_version": SEE, "calendar_version": SEE,
    "policy_version": SEE, "channel_policy": SEE, "organisation": SEE, "district": SEE,
    "street": SEE, "building": SEE, "territory": SEE, "responsibility": SEE,
    "log_leaf": SEE, "log_tile": SEE, "log_key": SEE, "checkpoint": SEE, "cosignature": SEE,
}  # fmt: skip
"""What stands without a wall and is read by everybody beside what is theirs."""

_FOUND = """
    CREATE FUNCTION {name}(since timestamptz, until timestamptz, wanted int[], days int[],
                           organisation uuid, pattern text)
    RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RETURN QUERY EXECUTE
            'SELECT c.appeal_id FROM public.card c WHERE c.city_id = $1 AND c.registered_at < $3'
            || '{whose}'
            || CASE WHEN since IS NULL THEN ''
                    ELSE ' AND c.registered_at >= $2 AND c.facets && $5' END
            || CASE WHEN cardinality(wanted) > 0 THEN ' AND c.facets @> $4' ELSE '' END
            || CASE WHEN organisation IS NULL THEN ''
                    ELSE ' AND c.organisations @> ARRAY[$6]' END
            || CASE WHEN pattern IS NULL THEN '' ELSE ' AND c.words LIKE $7' END
        USING current_setting('app.city_id')::uuid, since, until, wanted, days, organisation,
              pattern, string_to_array(current_setting('app.organisations', true), ',')::uuid[];
    END $$
"""
FINDERS = {
    "cards_of_city": ("", f"{CITY}, {DISTRICT}"),
    "cards_of_organisations": (" AND c.organisations && $8", TENANT),
}
"""Cards are looked up by words and facets in one index, whose operators are not leakproof: behind
a wall they would be asked row by row. These look within the wall of who calls, and tell ids alone.
"""
FINDER = "(timestamp with time zone, timestamp with time zone, integer[], integer[], uuid, text)"


def upgrade() -> None:
    """Make the roles, wall the tables, and let the finders see the cards."""
    make_roles()
    op.execute(f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}")
    _share_with_worker()
    for table, rules in WALLS.items():
        build(table, rules, of_a_city=table not in OF_NO_CITY)
    narrow = ", ".join(role for role in ROLES if role != WORKER)
    for table, grants in OPEN.items():
        op.execute(f"GRANT {grants} ON {table} TO {narrow}")
    op.execute(f"GRANT SELECT, DELETE ON number_pool TO {CITY}")
    # An organisation is taken in, and every process told so.
    op.execute(f"GRANT INSERT ON organisation TO {CITY}")
    op.execute(f"GRANT UPDATE (reference_version) ON city TO {CITY}")
    # The functions belong to whoever migrates, and run with no more than this.
    op.execute("CREATE POLICY finder ON card FOR SELECT TO CURRENT_USER USING (true)")
    for name, (whose, callers) in FINDERS.items():
        op.execute(_FOUND.format(name=name, whose=whose))
        op.execute(f"REVOKE ALL ON FUNCTION {name}{FINDER} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}{FINDER} TO {callers}")


def _share_with_worker() -> None:
    """The worker may do what the one role of the application could."""
    op.execute(f"""
        DO $$ DECLARE held record; BEGIN
            FOR held IN SELECT table_name, string_agg(privilege_type, ', ') AS rights
                          FROM information_schema.role_table_grants
                         WHERE grantee = '{APP}' AND table_schema = 'public' GROUP BY 1 LOOP
                EXECUTE format('GRANT %s ON public.%I TO {WORKER}', held.rights, held.table_name);
            END LOOP;
        END $$
    """)


def downgrade() -> None:
    """As it was: one wall, in the code. The roles stay: others of the cluster may use them."""
    for name in FINDERS:
        op.execute(f"DROP FUNCTION {name}{FINDER}")
    op.execute("DROP POLICY finder ON card")
    for table, rules in WALLS.items():
        tear_down(table, rules, rules[WORKER].grants)
    for role in ROLES:
        op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        op.execute(f"REVOKE USAGE ON SCHEMA public FROM {role}")
