-- The writes of one intake as pgbench makes them: the same rows of about the same size in the
-- same tables, one transaction, no application. Statement by statement, as a plain program would.
SELECT gen_random_uuid() AS appeal, gen_random_uuid() AS first, gen_random_uuid() AS second,
       gen_random_uuid() AS given, gen_random_uuid() AS key, (SELECT id FROM city LIMIT 1) AS city,
       (SELECT id FROM organisation LIMIT 1) AS organisation, nextval('yardstick') AS n \gset
BEGIN;
DELETE FROM number_pool WHERE (city_id, year, number) =
    (SELECT city_id, year, number FROM number_pool WHERE city_id = :city::uuid AND year = 2000
      ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED);
INSERT INTO appeal (id, city_id, number, status, kind, channel, language, service,
    service_version, category, sphere, criticality, emergency, text, address, district, latitude,
    longitude, answers, applicant, phone_index, operator_id, organisation_id, assignment_id, route,
    first_contact, reopened, due_at, registered_at, updated_at, version, sequence, head)
VALUES (:appeal::uuid, :city::uuid, 'PGB-' || :n::text, 'assigned', 'complaint', 'phone', 'ru',
    'manholes.open-on-road', 1, 'manholes.open', 'manholes', 'high', false, repeat('люк ', 40),
    'Шакарима 12', 'ortalyk', 50.44, 80.13, '{"landmark": "возле магазина", "cover": "missing"}',
    decode(repeat('ab', 90), 'hex'), decode(repeat('ab', 32), 'hex'), :given::uuid, :organisation::uuid,
    :given::uuid, '{"reason": "assigned", "responsibility": null}', false, 0, now(), now(), now(), 1, 2,
    decode(repeat('ab', 32), 'hex'));
INSERT INTO clock (city_id, appeal_id, stage, round, policy, policy_version, calendar,
    calendar_version, state, started_at, due_at, target, paused_for, step, next_at)
VALUES (:city::uuid, :appeal::uuid, 'secure', 1, 'open-manhole', 1, 'around-the-clock', 1, 'running',
        now(), now() + interval '3 h', '3 h', '0', 0, now() + interval '150 min'),
       (:city::uuid, :appeal::uuid, 'resolve', 1, 'open-manhole', 1, 'around-the-clock', 1, 'running',
        now(), now() + interval '24 h', '24 h', '0', 0, now() + interval '20 h');
INSERT INTO card (appeal_id, city_id, registered_at, facets, organisations, words)
VALUES (:appeal::uuid, :city::uuid, now(), ARRAY[1, 2, 3, 4, 5, 6, 7, 8 + :n % 400],
        ARRAY[:organisation::uuid], ' ' || repeat('открытый люк на дороге ночью не видно ', 4)
        || 'шакарима 12 pgb ' || :n::text);
INSERT INTO assignment (id, city_id, appeal_id, organisation_id, state, offered_at)
VALUES (:given::uuid, :city::uuid, :appeal::uuid, :organisation::uuid, 'offered', now());
INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)
VALUES (:first::uuid, :city::uuid, :appeal::uuid, 1, 'appeal.registered', now(), false,
        decode(repeat('ab', 1600), 'hex'), decode(repeat('ab', 32), 'hex')),
       (:second::uuid, :city::uuid, :appeal::uuid, 2, 'appeal.assigned', now(), false,
        decode(repeat('ab', 900), 'hex'), decode(repeat('ab', 32), 'hex'));
INSERT INTO event_personal (event_id, field, salt, sealed)
SELECT :first::uuid, field, decode(repeat('ab', 16), 'hex'), decode(repeat('ab', 120), 'hex')
  FROM unnest(ARRAY['text', 'place', 'answers', 'name', 'phone']) field;
INSERT INTO outbox (city_id, event_id) VALUES (:city::uuid, :first::uuid), (:city::uuid, :second::uuid);
INSERT INTO idempotency (principal_id, key, fingerprint, status, answer, created_at)
VALUES (:given::uuid, :key::text, decode(repeat('ab', 32), 'hex'), 201,
        decode(repeat('ab', 2900), 'hex'), now());
COMMIT;
