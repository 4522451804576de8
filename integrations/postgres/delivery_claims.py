"""The statements by which deliveries are leased, begun and given back.

A lease is a row beside the delivery's (`delivery_lease`): the delivery's own is written when its
message is made and when an attempt of it has ended, each time with all of its indexes, and never
for that somebody has it in hand. Whoever touches both rows locks the delivery's first.
"""

from domain.webhooks.messages import TEST_TYPE
from integrations.postgres.outbox import moved

CLAIMING = 0x109_0009
"""Advisory lock: claims are made one after another, since what may still be claimed of an endpoint
depends on all that is out.
"""

UNSURE = "SET LOCAL synchronous_commit = off"
"""Said where leases are all that is written: nobody waits for the disk. With the last of them a
database that falls forgets what was in hand; that is due again, and a receiver may hear it twice.
"""

_TEST = f"d.state = 'pending' AND d.type = '{TEST_TYPE}'"
"""As the index of tests has it; a parameter would hide it from the planner. Nothing else is asked
of them there: asked for their time as well, they were looked for among all that waits.
"""

CLAIM = f"""
WITH away AS (
    SELECT l.endpoint_id, w.organisation_id, l.busy
      FROM (SELECT endpoint_id, count(*) AS busy FROM delivery_lease
             WHERE until > $1 AND delivery_id <> ALL($8::uuid[]) GROUP BY 1) l
      JOIN webhook_endpoint w ON w.id = l.endpoint_id
), wanted AS MATERIALIZED (
    SELECT d.id, d.endpoint_id, d.next_attempt_at FROM delivery d WHERE {_TEST}
), tests AS (
    SELECT DISTINCT ON (d.endpoint_id) d.id, d.endpoint_id, d.next_attempt_at, w.organisation_id
      FROM wanted d
      JOIN webhook_endpoint w ON w.id = d.endpoint_id
     WHERE d.next_attempt_at <= $1
       AND w.removed_at IS NULL AND ($5::uuid[] IS NULL OR w.id = ANY($5))
       AND d.endpoint_id NOT IN (
           SELECT d.endpoint_id FROM wanted d JOIN delivery_lease l ON l.delivery_id = d.id
            WHERE l.until > $1)
     ORDER BY d.endpoint_id, d.next_attempt_at, d.id
), paced AS (
    SELECT w.id, w.organisation_id, w.rate_limit, coalesce(a.busy, 0) AS busy,
           CASE WHEN h.open_until IS NULL THEN least(w.concurrency, $2) ELSE 1 END
               - coalesce(a.busy, 0) - (t.id IS NOT NULL)::int AS seats,
           make_interval(secs => 60.0 / nullif(w.rate_limit, 0)) AS step,
           greatest(h.paced_at, $1 - greatest(interval '1 second',
               make_interval(secs => 60.0 / nullif(w.rate_limit, 0)))) AS since
      FROM webhook_endpoint w
      LEFT JOIN endpoint_health h ON h.endpoint_id = w.id
      LEFT JOIN away a ON a.endpoint_id = w.id
      LEFT JOIN tests t ON t.endpoint_id = w.id
     WHERE w.enabled AND w.removed_at IS NULL AND ($5::uuid[] IS NULL OR w.id = ANY($5))
       AND (h.open_until <= $1) IS NOT FALSE
       AND (h.throttled_until <= $1) IS NOT FALSE
), open AS (
    SELECT p.*, least(p.seats, CASE WHEN p.rate_limit > 0 THEN floor(0.001
               + extract(epoch FROM $1 - p.since) / extract(epoch FROM p.step)) END)::int AS room
      FROM paced p WHERE p.seats > 0
), due AS (
    SELECT id, next_attempt_at, 0 AS place, organisation_id FROM tests
    UNION ALL
    SELECT first.*, o.organisation_id FROM open o, LATERAL (
        SELECT f.id, f.next_attempt_at,
               row_number() OVER (ORDER BY f.next_attempt_at, f.id) + o.busy AS place
          FROM (SELECT d.id, d.next_attempt_at FROM delivery d
                 WHERE d.endpoint_id = o.id AND d.state = 'pending'
                   AND d.next_attempt_at <= $1 AND d.type <> '{TEST_TYPE}'
                   AND NOT EXISTS (SELECT FROM delivery_lease l
                                    WHERE l.delivery_id = d.id AND l.until > $1)
                   AND NOT (d.in_turn AND EXISTS (
                       SELECT FROM delivery e
                        WHERE e.endpoint_id = d.endpoint_id AND e.appeal_id = d.appeal_id
                          AND e.sequence < d.sequence AND e.state = 'pending' AND e.in_turn))
                 ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, o.room)) f) first
), held AS (
    SELECT organisation_id, sum(busy) AS busy FROM away GROUP BY 1
), shared AS (
    SELECT due.id, due.place, due.next_attempt_at, coalesce(held.busy, 0)
               + row_number() OVER (PARTITION BY due.organisation_id
                                    ORDER BY due.place, due.next_attempt_at) AS share
      FROM due LEFT JOIN held ON held.organisation_id = due.organisation_id
), ranked AS (
    SELECT id, place, coalesce((SELECT sum(busy) FROM away), 0)
               + row_number() OVER (ORDER BY place, next_attempt_at) AS rank
      FROM shared WHERE share <= $6::int
), free AS (
    SELECT id, endpoint_id FROM delivery
     WHERE id = ANY(ARRAY(SELECT id FROM ranked
                           WHERE rank <= CASE WHEN place <= 1 THEN $3::int ELSE $7::int END))
       AND (state = 'pending') IS TRUE AND next_attempt_at <= $1
       FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    INSERT INTO delivery_lease AS l (delivery_id, endpoint_id, until)
    SELECT id, endpoint_id, $4 FROM free
    ON CONFLICT (delivery_id) DO UPDATE SET until = excluded.until WHERE l.until <= $1
    RETURNING l.delivery_id AS id, l.endpoint_id
), spent AS (
    INSERT INTO endpoint_health (endpoint_id, paced_at)
    SELECT o.id, o.since + t.n * o.step FROM open o
      JOIN (SELECT endpoint_id, count(*) AS n FROM taken GROUP BY 1) t ON t.endpoint_id = o.id
     WHERE o.rate_limit > 0 ORDER BY o.id
    ON CONFLICT (endpoint_id) DO UPDATE SET paced_at = excluded.paced_at
)
SELECT id FROM taken
"""
"""Leases what is due, in turn by endpoint: a dead one with a long queue delays nobody else.

Left alone are endpoints whose breaker is open or that are overloaded, or disabled; where the
breaker is half open one delivery goes. A test goes whatever stands in the way of others, and before
them, one of an endpoint at a time: whoever mended it sees whether it works. Where a rate is set,
time that has passed is spent on it, of which at most a second's worth is saved up. In order: none
whose appeal has an earlier one under way. Of each endpoint's queue the first few deliveries alone
are read, so that its length costs nothing.

What was answered ($8) and is not written down yet is leased and no longer in the air: it takes no
place from the next.

Of all $3 places an organisation may hold $6. The last of them, from $7, are kept for endpoints that
have nothing in the air: however many fall silent at one moment, before their breakers have noticed,
a sound one finds a place.

Here and below, whoever looks rows up by their ids asks whether it IS TRUE that they are pending:
the planner sees no partial index in that, of which it would read all that waits.
"""

RELEASE = "DELETE FROM delivery_lease WHERE delivery_id = ANY($1) AND until = $2"

_BEGUN = f"""
       d.id AS delivery_id, coalesce(d.message_id, d.event_id, d.id) AS message_id, d.type,
       d.payload, d.attempts, d.tries_before,
       (SELECT o.active FROM organisation o WHERE o.id = w.organisation_id) AS standing,
       CASE WHEN w.services <> '{{}}' OR w.spheres <> '{{}}' OR w.districts <> '{{}}' THEN
       (SELECT array_agg(ARRAY[p.service, p.sphere, p.district]) FROM (
            SELECT a.service, a.sphere, a.district FROM appeal a WHERE a.id = d.appeal_id
            UNION ALL {moved("d.appeal_id", "d.sequence")}) p)
       END AS abouts, w.*
"""

BEGIN = f"""
UPDATE delivery_lease l SET until = $3
  FROM delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
 WHERE l.delivery_id = ANY($1) AND l.until = $2
   AND d.id = l.delivery_id AND d.id = ANY($1) AND (d.state = 'pending') IS TRUE
RETURNING {_BEGUN}
"""

GO_ON = f"""
SELECT {_BEGUN} FROM delivery_lease l JOIN delivery d ON d.id = l.delivery_id
  JOIN webhook_endpoint w ON w.id = d.endpoint_id
 WHERE l.delivery_id = ANY($1) AND l.until = $2
   AND d.id = ANY($1) AND (d.state = 'pending') IS TRUE
"""
"""For whoever claimed a moment ago and told nobody: the claim's lease is the attempt's."""

CANCEL = """
WITH ended AS (
    UPDATE delivery d SET state = 'cancelled', finished_at = $3, next_attempt_at = NULL, reason = $4
      FROM delivery_lease l
     WHERE d.id = $1 AND d.state = 'pending' AND l.delivery_id = d.id AND l.until = $2
    RETURNING d.id
)
DELETE FROM delivery_lease l USING ended e WHERE l.delivery_id = e.id AND l.until = $2
"""

FORWARD = """
WITH mended AS (
    SELECT endpoint_id FROM endpoint_health WHERE mended_at IS NOT NULL
     ORDER BY mended_at LIMIT 20 FOR NO KEY UPDATE SKIP LOCKED
), late AS (
    SELECT d.id, m.endpoint_id FROM mended m, LATERAL (
        SELECT f.id FROM delivery f
         WHERE f.endpoint_id = m.endpoint_id AND f.state = 'pending' AND f.next_attempt_at > $1
         ORDER BY f.next_attempt_at DESC, f.id DESC LIMIT $2) d
), free AS (
    SELECT id FROM delivery
     WHERE id = ANY(ARRAY(SELECT id FROM late)) AND (state = 'pending') IS TRUE
       AND next_attempt_at > $1 FOR NO KEY UPDATE SKIP LOCKED
), done AS (
    UPDATE endpoint_health h SET mended_at = NULL FROM mended m
     WHERE h.endpoint_id = m.endpoint_id
       AND (SELECT count(*) FROM late WHERE late.endpoint_id = m.endpoint_id) < $2
)
UPDATE delivery d SET next_attempt_at = $1, tries_before = d.tries_before
       + CASE WHEN d.attempts > d.tries_before AND d.attempts < $3 THEN 1 ELSE 0 END
  FROM free f WHERE d.id = f.id
RETURNING d.id
"""
"""Has what waits for endpoints that were mended tried at once, the longest waits first.

The try is one more than the schedule's ten, and the wait after it that which it cut short: however
often an endpoint comes and goes, nothing is given up sooner.
"""

UNWANTED = """
WITH ended AS (
    SELECT d.id, w.removed_at, w.disabled_reason FROM webhook_endpoint w,
           LATERAL (SELECT f.id FROM delivery f
                     WHERE f.endpoint_id = w.id AND f.state = 'pending'
                       AND (w.removed_at IS NOT NULL OR f.type <> $3)
                       AND NOT EXISTS (SELECT FROM delivery_lease l
                                        WHERE l.delivery_id = f.id AND l.until > $1)
                     ORDER BY f.next_attempt_at, f.id LIMIT $2) d
     WHERE NOT w.enabled OR w.removed_at IS NOT NULL LIMIT $2
), free AS (
    SELECT d.id, e.removed_at, e.disabled_reason FROM delivery d JOIN ended e ON e.id = d.id
     WHERE d.state = 'pending' FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'cancelled', finished_at = $1, next_attempt_at = NULL,
       reason = CASE WHEN f.removed_at IS NOT NULL THEN 'endpoint-removed'
           WHEN f.disabled_reason = 'gone' THEN 'endpoint-gone' ELSE 'endpoint-disabled' END
  FROM free f WHERE d.id = f.id
RETURNING d.id
"""
