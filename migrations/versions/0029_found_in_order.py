"""Finders tell cards in the order of lists, so that whoever reads them stops when a page is full.

They look cards up in the one index that is read as a bitmap alone, also where a session forbids
bitmaps for the sake of all the indexes that are read in order.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

_FOUND = """
    CREATE OR REPLACE FUNCTION {name}(since timestamptz, until timestamptz, wanted int[],
                                      days int[], organisation uuid, pattern text)
    RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp {settings} AS $$
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
            || '{order}'
        USING current_setting('app.city_id')::uuid, since, until, wanted, days, organisation,
              pattern, string_to_array(current_setting('app.organisations', true), ',')::uuid[];
    END $$
"""
_FINDERS = {
    "cards_of_city": "",
    "cards_of_organisations": " AND c.organisations && $8",
}
_ORDER = " ORDER BY c.registered_at DESC, c.appeal_id DESC"


def upgrade() -> None:
    """In order, and by a bitmap whoever asks."""
    _replace("SET enable_bitmapscan = on", _ORDER)


def downgrade() -> None:
    """As it was: whoever reads them sorts them."""
    _replace("", "")


def _replace(settings: str, order: str) -> None:
    # Replaced, they keep their owner and who may call them.
    for name, whose in _FINDERS.items():
        op.execute(_FOUND.format(name=name, whose=whose, settings=settings, order=order))
