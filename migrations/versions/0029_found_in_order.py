"""Finders tell cards in the order of lists, so that whoever reads them stops when a page is full.

They look cards up in the one index that is read as a bitmap alone, also where a session forbids
bitmaps for the sake of all the indexes that are read in order.
"""

import importlib

from alembic import op

revision = "0029"
down_revision = "0028"

_FOUND = """
    CREATE OR REPLACE FUNCTION {name}(since timestamptz, until timestamptz, wanted int[],
                                      days int[], organisation uuid, pattern text)
    RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp SET enable_bitmapscan = on AS $$
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
            || ' ORDER BY c.registered_at DESC, c.appeal_id DESC'
        USING current_setting('app.city_id')::uuid, since, until, wanted, days, organisation,
              pattern, string_to_array(current_setting('app.organisations', true), ',')::uuid[];
    END $$
"""
_FINDERS = {
    "cards_of_city": "",
    "cards_of_organisations": " AND c.organisations && $8",
}


def found(name: str) -> str:
    """The statement that makes a finder, as this revision has it."""
    return _FOUND.format(name=name, whose=_FINDERS[name])


def upgrade() -> None:
    """In order, and by a bitmap whoever asks."""
    # Replaced, they keep their owner and who may call them.
    for name in _FINDERS:
        op.execute(found(name))


def downgrade() -> None:
    """As it was: whoever reads them sorts them."""
    before = importlib.import_module("migrations.versions.0014_walls")
    made = before._FOUND.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    for name, whose in _FINDERS.items():
        op.execute(made.format(name=name, whose=whose))
