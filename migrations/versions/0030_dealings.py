"""What an organisation ever dealt with is written down once, so that nothing else is looked for.

No key keeps a dealing single: whoever is the first would be waited for by all that come with the
same. Two who come at once both write it, and it says the same twice.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from migrations.walls import CITY, IN_CITY, ORGANISATIONS, TENANT, WORKER, Rule, build, lifted

revision = "0030"
down_revision = "0029"

WALLS = {
    TENANT: Rule("SELECT", f"organisation_id = ANY ({ORGANISATIONS})"),
    CITY: Rule("SELECT, INSERT", IN_CITY),
    WORKER: Rule("SELECT, INSERT", "true"),
}
# As cards.facet numbers it; an organisation deals with something on most days.
_DAY = """('x' || left(md5('day=' || to_char(
               {card}.registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')), 8))::bit(32)::int"""
_DEALT = f"""
    INSERT INTO dealing (organisation_id, facet, city_id)
    SELECT DISTINCT o.id, f.facet, {{card}}.city_id
      FROM {{source}}unnest({{card}}.organisations) o (id), unnest({{card}}.facets) f (facet)
     WHERE f.facet <> {_DAY}
       AND NOT EXISTS (SELECT FROM dealing d
                        WHERE d.organisation_id = o.id AND d.facet = f.facet);
"""
_DEAL_CARD = f"""
BEGIN
    {_DEALT.format(card="NEW", source="")}
    RETURN NULL;
END
"""
_DEAL_CARDS = f"""
BEGIN
    IF EXISTS (SELECT FROM after WHERE organisations <> '{{}}') THEN
        {_DEALT.format(card="c", source="after c, ")}
    END IF;
    RETURN NULL;
END
"""
# Name of the function and its trigger → body, what fires it.
_FIRES = {
    "deal_card": (
        _DEAL_CARD,
        "UPDATE ON card FOR EACH ROW WHEN ((OLD.organisations, OLD.facets)"
        " IS DISTINCT FROM (NEW.organisations, NEW.facets))",
    ),
    "deal_cards": (
        _DEAL_CARDS,
        "INSERT ON card REFERENCING NEW TABLE AS after FOR EACH STATEMENT",
    ),
}


def upgrade() -> None:
    """The table, its walls, what writes into it from now on, and what was dealt with until now."""
    op.execute("LOCK TABLE card IN ACCESS EXCLUSIVE MODE")
    op.create_table(
        "dealing",
        sa.Column("organisation_id", UUID, nullable=False),
        sa.Column("facet", sa.Integer, nullable=False),
        sa.Column("city_id", UUID, nullable=False),
    )
    op.create_index("ix_dealing_of", "dealing", ["organisation_id", "facet"])
    for name, (body, fires) in _FIRES.items():
        # Looked up by its index, also where the table was small when this was planned.
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            f" SET enable_seqscan = off AS $${body}$$"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER {fires} EXECUTE FUNCTION {name}()")
    with lifted("card"):
        op.execute(_DEALT.format(card="c", source="card c, "))
    build("dealing", WALLS)
    op.execute("ANALYZE dealing")


def downgrade() -> None:
    """As it was: what was never dealt with is looked for among all that was."""
    for name, (_, fires) in _FIRES.items():
        op.execute(f"DROP TRIGGER {name} ON {fires.split()[2]}")
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("dealing")
