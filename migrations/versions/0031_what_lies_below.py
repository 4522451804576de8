"""The akim of a district sees what lies in it too (docs/decisions/0047).

A transaction of theirs is told all of these districts, as that of an organisation is told all
below it.
"""

import importlib

from alembic import op

from migrations.walls import CITY, DISTRICT, listed, told

revision = "0031"
down_revision = "0030"

_BEFORE = importlib.import_module("migrations.versions.0029_found_in_order")
_DELIVERED = f"subject = 'delivery' AND place = ANY ({listed('organisations', 'text')})"
_JOINED = "(SELECT EXISTS (SELECT FROM appeal a WHERE a.incident_id = {}))"
_HISTORY = (
    "(SELECT true FROM incident i WHERE i.id = incident_event.incident_id AND"
    f" ({{touched}} OR {_JOINED.format('i.id')}))"
)
_TOUCHED = "{districts} && " + listed("districts", "text")
_TOUCHED_BEFORE = told("district", "text") + " = ANY ({districts})"


def _sights(one_of: str, touched: str) -> dict[str, str]:
    """What the role of districts sees of each table that names them; the rest hangs on these.

    `one_of` completes a condition on the column that names one, `touched` is that on several.
    """
    through = touched.format(districts="districts")
    return {
        **dict.fromkeys(("appeal", "clock", "consultation", "completion"), f"district {one_of}"),
        "tally": f"(({_DELIVERED}) OR (subject <> 'delivery' AND place {one_of}))",
        "incident": f"(public OR ({through} OR {_JOINED.format('incident.id')}))",
        "incident_event": _HISTORY.format(touched=touched.format(districts="i.districts")),
    }


_FOUND = """
    CREATE FUNCTION cards_of_city(since timestamptz, until timestamptz, wanted int[], days int[],
                                  organisation uuid, pattern text, places int[] DEFAULT NULL)
    RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp SET enable_bitmapscan = on AS $$
    BEGIN
        RETURN QUERY EXECUTE
            'SELECT c.appeal_id FROM public.card c WHERE c.city_id = $1 AND c.registered_at < $3'
            || CASE WHEN since IS NULL THEN ''
                    ELSE ' AND c.registered_at >= $2 AND c.facets && $5' END
            || CASE WHEN cardinality(wanted) > 0 THEN ' AND c.facets @> $4' ELSE '' END
            || CASE WHEN organisation IS NULL THEN ''
                    ELSE ' AND c.organisations @> ARRAY[$6]' END
            || CASE WHEN pattern IS NULL THEN '' ELSE ' AND c.words LIKE $7' END
            || CASE WHEN places IS NULL THEN '' ELSE ' AND c.facets && $8' END
            || ' ORDER BY c.registered_at DESC, c.appeal_id DESC'
        USING current_setting('app.city_id')::uuid, since, until, wanted, days, organisation,
              pattern, places;
    END $$
"""
_FINDER = "cards_of_city(timestamptz, timestamptz, int[], int[], uuid, text{})"


def upgrade() -> None:
    """Show all that they were told of, and look cards up by the facets of several places."""
    _show(_sights(f"= ANY ({listed('districts', 'text')})", _TOUCHED))
    _find(_FINDER.format(""), _FOUND, _FINDER.format(", int[]"))


def downgrade() -> None:
    """As it was: a district alone."""
    _show(_sights(f"= {told('district', 'text')}", _TOUCHED_BEFORE))
    _find(_FINDER.format(", int[]"), _BEFORE.found("cards_of_city"), _FINDER.format(""))


def _show(sights: dict[str, str]) -> None:
    # All or none: an akim whom some of these tables show nothing would be told of no fault. Whoever
    # reads two of them meanwhile may be refused once, as may this, which is then begun again.
    for table, seen in sights.items():
        op.execute(f"ALTER POLICY district ON {table} USING ({seen}) WITH CHECK ({seen})")


def _find(before: str, said: str, now: str) -> None:
    op.execute(said)
    op.execute(f"REVOKE ALL ON FUNCTION {now} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {now} TO {CITY}, {DISTRICT}")
    # It runs as its owner, whom the policy `finder` shows the cards.
    op.execute(f"""
        DO $$ BEGIN
            EXECUTE format('ALTER FUNCTION {now} OWNER TO %I', (
                SELECT pg_get_userbyid(proowner) FROM pg_proc
                 WHERE oid = '{before}'::regprocedure));
        END $$
    """)
    op.execute(f"DROP FUNCTION {before}")
