"""The second wall without the first: plain statements, no condition, through every door."""

from datetime import timedelta
from typing import Any

import asyncpg
import psycopg
import pytest

from domain.access import Principal, Role
from domain.appeals.commands import Decline, Whereabouts
from domain.appeals.model import Channel
from domain.appeals.workflow import Action
from domain.consultations.model import Consultation
from domain.errors import Unavailable
from domain.incidents.model import Area
from domain.ports import Answer, Upload
from domain.values import Language, new_id
from integrations.postgres import scope
from integrations.postgres.doors import (
    CITIZEN,
    CITY,
    DISTRICT,
    ROLES,
    TENANT,
    WORKER,
    Door,
    city_door,
    door_of,
)  # fmt: skip
from integrations.postgres.engine import APP_ROLE, open_engine
from integrations.postgres.open_tables import OPEN_TABLES
from integrations.postgres.scope import Parameters
from integrations.postgres.session import borrowed, inside
from integrations.postgres.tables import metadata
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import KISHI, MANHOLE, SmallCity, write_small_city
from tests.support.districts import write_district
from tests.support.incidents import open_incident
from tests.support.rest import issue_tokens
from tests.support.sql import fetch

OTHER = SmallCity("ekinshi", "EKI")
WALLED = sorted(table.name for table in metadata.sorted_tables if table.name not in OPEN_TABLES)

WHO = {
    "a resident": KISHI.principal(Role.CITIZEN),
    "an executor": KISHI.principal(Role.EXECUTOR),
    "a parent of an executor": KISHI.principal(Role.HEAD, organisation=KISHI.department),
    "an organisation that has nothing": KISHI.principal(Role.ADMINISTRATOR),
    "the akim of the district": KISHI.principal(Role.AKIM, district="centre"),
    "the akim of the district and a village": KISHI.principal(
        Role.AKIM, district="centre", districts=("centre", "village")
    ),
    "the akim of the village": KISHI.principal(Role.AKIM, district="village"),
    "the akim of another district": KISHI.principal(Role.AKIM, district="it's another"),
    "an operator": KISHI.principal(Role.OPERATOR),
    "the city itself": KISHI.principal(Role.SYSTEM),
    "a resident of another city": OTHER.principal(Role.CITIZEN),
    "an executor of another city": OTHER.principal(Role.EXECUTOR),
    "an inspector of another city": OTHER.principal(Role.INSPECTOR),
}


async def _live(house, city: SmallCity) -> None:
    """Everything that a city can have, of several organisations and persons."""
    general: dict[str, Any] = {"service": "general.unclassified", "answers": {}}
    for district, parent in (("village", "centre"), ("left", None)):
        place = await write_district(house, district, parent, city)
        await register(house, city=city, where=Whereabouts(building=place))
        area = Area(buildings=frozenset({place}))
        there = await open_incident(house, city=city, area=area)
        await fetch(house, "UPDATE incident SET public = false WHERE id = $1", there.id)
        async with house.units.open(city.principal(Role.OPERATOR)) as uow:
            await uow.consultations.add(_consultation(house, city, district))
            await uow.commit()
    await register(house, city=city, role=Role.CITIZEN)
    joined = await register(house, city=city, role=Role.CITIZEN)
    await register(house, city=city, **general)
    declined = await register(house, city=city)
    await perform(house, declined, Action.DECLINE, Decline("біздікі емес"), city=city)
    incident = await open_incident(house, city=city)
    hidden = await open_incident(house, city=city, role=Role.INSPECTOR)
    await fetch(house, "UPDATE incident SET public = (id = $1) WHERE id = ANY($2)",
                incident.id, [incident.id, hidden.id])  # fmt: skip
    await fetch(house, "UPDATE appeal SET incident_id = $1, incident_joined_at = now(),"
                " incident_followed = 1 WHERE id = $2", hidden.id, joined.id)  # fmt: skip
    for organisation in (city.water, city.department, city.centre):
        await add_endpoint(house, city=city, organisation=organisation)
    await house.outbox.relay(house.now())
    for role in (Role.CITIZEN, Role.EXECUTOR, Role.OPERATOR):
        async with house.units.open(city.principal(role)) as uow:
            await uow.attachments.add(_upload(house))
            await uow.commit(Answer(str(new_id()), b"f" * 32, 201, {}, b"{}"))
    async with house.units.open(city.principal(Role.OPERATOR)) as uow:
        await uow.consultations.add(_consultation(house, city))
        await uow.commit()
    await issue_tokens(house, city)
    await house.queries.applicant(city.principal(Role.EXECUTOR), joined.number, house.now())
    for statement in FILLED:
        await fetch(house, statement, city.id)
    await register(house, city=city)


OF_CLIENTS = (
    "client_secret (id, city_id, client_id, hash, created_at)"
    " SELECT gen_random_uuid(), c.city_id, c.id, uuid_send(c.id), now()",
    "client_assertion SELECT c.id, c.city_id, uuid_send(c.id), now()",
    "client_usage SELECT c.id, c.city_id, current_date, 1",
    "authorization_request (hash, city_id, client_id, redirect_uri, scopes, challenge, language,"
    " expires_at) SELECT uuid_send(c.id), c.city_id, c.id, '', '{}', '', 'kk', now()",
    "login_session (id, city_id, client_id, subject_id, resident, scopes, begun_at, expires_at)"
    " SELECT c.id, c.city_id, c.id, c.id, true, '{}', now(), now()",
    "authorization_code (hash, city_id, session_id, redirect_uri, challenge, expires_at)"
    " SELECT uuid_send(c.id), c.city_id, c.id, '', '', now()",
    "refresh_token (hash, city_id, session_id, issued_at, expires_at)"
    " SELECT uuid_send(c.id), c.city_id, c.id, now(), now()",
    "revocation (kind, value) SELECT 'client', c.id::text",
    "token_key SELECT c.id::text, '{}', '', now()",
    "login_attempt SELECT uuid_send(c.id), 'departed', 'egov', '', '', now()",
    "login_signing SELECT uuid_send(c.id), uuid_send(c.id), '', NULL, now()",
    "webhook_key SELECT c.id::text, '', '', now(), NULL",
)
FILLED = (
    "INSERT INTO completion SELECT a.city_id, a.id, 1, a.organisation_id, a.service, a.district,"
    " now() FROM appeal a WHERE a.city_id = $1 AND a.organisation_id IS NOT NULL",
    "INSERT INTO delivery_attempt SELECT d.id, 1, now(), 200, NULL, 1, '' FROM delivery d"
    " WHERE d.city_id = $1",
    "INSERT INTO delivery_lease SELECT d.id, d.endpoint_id, now() + interval '1 minute'"
    " FROM delivery d WHERE d.city_id = $1",
    "INSERT INTO endpoint_health (endpoint_id) SELECT id FROM webhook_endpoint WHERE city_id = $1",
    "INSERT INTO notice (id, city_id, organisation_id, endpoint_id, type, at, last_at, data)"
    " SELECT gen_random_uuid(), city_id, organisation_id, id, 'endpoint.failing', now(), now(),"
    " '{}' FROM webhook_endpoint WHERE city_id = $1",
    "INSERT INTO shared_attachment SELECT a.id, x.id FROM appeal a, attachment x"
    " WHERE a.city_id = $1 AND x.city_id = $1 AND a.incident_id IS NOT NULL",
    "INSERT INTO invitation (id, city_id, organisation_id, role, hash, invited_by, created_at,"
    " ends_at) SELECT gen_random_uuid(), city_id, id, 'head', uuid_send(gen_random_uuid()), id,"
    " now(), now() FROM organisation WHERE city_id = $1",
    "INSERT INTO member_event (id, city_id, organisation_id, invitation_id, type, actor_id,"
    " actor_role, role, at) SELECT gen_random_uuid(), city_id, organisation_id, id, 'invited',"
    " invited_by, 'administrator', role, now() FROM invitation WHERE city_id = $1",
    "INSERT INTO identity (id, city_id, provider, subject_index, sealed, citizen_id, created_at)"
    " SELECT gen_random_uuid(), city_id, 'egov', uuid_send(id), sealed, id, now() FROM citizen"
    " WHERE city_id = $1",
    "INSERT INTO client (id, city_id, organisation_id, name, kind, auth_method, redirect_uris,"
    " grant_types, scopes, staff, created_at) SELECT gen_random_uuid(), city_id, id, code,"
    " 'public', 'none', '{}', '{}', '{}', false, now() FROM organisation WHERE city_id = $1",
    "INSERT INTO eotinish_city (city_id, since, selection) VALUES ($1, now(),"
    """ '{"services": [], "never": []}')""",
    "INSERT INTO eotinish_case (appeal_id, city_id, own_number, origin, opened_at)"
    " SELECT id, city_id, number, 'city', now() FROM appeal WHERE city_id = $1",
    "INSERT INTO eotinish_message (id, city_id, appeal_id, sequence, notice, created_at,"
    " next_attempt_at) SELECT id, city_id, id, 1, 'appeal', now(), now() FROM appeal"
    " WHERE city_id = $1",
    "INSERT INTO eotinish_inbox (id, city_id, message_id, document, received_at, next_attempt_at)"
    " VALUES (gen_random_uuid(), $1, 'one', '', now(), now())",
    "INSERT INTO eotinish_file (id, city_id, appeal_id, identifier, created_at, next_attempt_at)"
    " SELECT id, city_id, id, 'one', now(), now() FROM appeal WHERE city_id = $1",
    "INSERT INTO eotinish_report (id, city_id, at) VALUES (gen_random_uuid(), $1, now())",
    *(f"INSERT INTO {statement} FROM client c WHERE c.city_id = $1" for statement in OF_CLIENTS),
)


def _upload(house) -> Upload:
    return Upload(
        new_id(), "photo", "image/jpeg", "a.jpg", 1, "0" * 64, "1" * 64, 1, 1, "k", house.now()
    )


def _consultation(house, city: SmallCity, district: str = "centre") -> Consultation:
    return Consultation(
        new_id(), city.id, MANHOLE, Channel.PHONE, Language.KK,
        city.ident("member-operator"), house.now(), None, district,
    )  # fmt: skip


@pytest.fixture(scope="module")
async def cities(house):
    """Two cities that live in one database."""
    await write_small_city(house.engine, house.keyring, OTHER)
    await house.references.refresh(house.now())
    for city in (KISHI, OTHER):
        await _live(house, city)


def _appeals(who: Principal, parameters: Parameters, of: str) -> str:
    return f"{of} IN (SELECT a.id FROM appeal a WHERE {scope.visible(who, parameters)})"


def _own(who: Principal, parameters: Parameters, column: str = "t.organisation_id") -> str:
    return f"{column} = ANY({parameters.add(list(who.organisations))}::uuid[])"


def _in_city(who: Principal, parameters: Parameters) -> str:
    return f"t.city_id = {parameters.add(who.city)}"


def _files(who: Principal, parameters: Parameters) -> str:
    """The door of a city sees its files; everybody else's those of appeals that they see."""
    if door_of(who).role == CITY:
        return _in_city(who, parameters)
    mine = f"t.appeal_id IS NULL AND t.owner_id = {parameters.add(who.id)}"
    shown = (
        "t.id IN (SELECT s.attachment_id FROM shared_attachment s"
        f" WHERE {_appeals(who, parameters, 's.appeal_id')})"
    )
    return f"({_appeals(who, parameters, 't.appeal_id')} OR {mine} OR {shown})"


def _endpoints(who: Principal, parameters: Parameters) -> str:
    role = door_of(who).role
    if role == CITY:
        return _in_city(who, parameters)
    return _own(who, parameters) if role == TENANT else "false"


def _delivered(who: Principal, parameters: Parameters, column: str) -> str:
    if door_of(who).role != TENANT:
        return "false"
    own = _own(who, parameters, "w.organisation_id")
    return (
        f"{column} IN (SELECT d.id FROM delivery d JOIN webhook_endpoint w"
        f" ON w.id = d.endpoint_id WHERE {own})"
    )


def _healths(who: Principal, parameters: Parameters) -> str:
    if door_of(who).role != TENANT:
        return "false"
    own = _own(who, parameters, "w.organisation_id")
    return f"t.endpoint_id IN (SELECT w.id FROM webhook_endpoint w WHERE {own})"


def _told_to_tenants(who: Principal, parameters: Parameters) -> str:
    return _own(who, parameters) if door_of(who).role == TENANT else "false"


def _members(who: Principal, parameters: Parameters) -> str:
    role = door_of(who).role
    if role == CITY:
        return _in_city(who, parameters)
    return "false" if role == CITIZEN else _own(who, parameters)


def _not_of_citizens(condition):
    def asked(who: Principal, parameters: Parameters) -> str:
        return "false" if who.role is Role.CITIZEN else condition(who, parameters, "t")

    return asked


def _citizens(who: Principal, parameters: Parameters) -> str:
    if who.role is Role.CITIZEN:
        return f"t.id = {parameters.add(who.citizen)}"
    return _in_city(who, parameters) if door_of(who).role == CITY else "false"


def _tallies(who: Principal, parameters: Parameters) -> str:
    role = door_of(who).role
    if role == CITY:
        return _in_city(who, parameters)
    if role == CITIZEN:
        return "false"
    names = [str(one) for one in who.organisations]
    told = f"t.subject = 'delivery' AND t.place = ANY({parameters.add(names)}::text[])"
    if role == TENANT:
        return told
    confined = parameters.add(list(who.confined or ()))
    here = f"t.subject <> 'delivery' AND t.place = ANY({confined}::text[])"
    return f"{_in_city(who, parameters)} AND ({told} OR {here})"


def _holdings(who: Principal, parameters: Parameters) -> str:
    role = door_of(who).role
    if role == CITY:
        return _in_city(who, parameters)
    if role != TENANT:
        return "false"
    own = parameters.add(list(who.organisations))
    return f"{_in_city(who, parameters)} AND t.holders && {own}::uuid[]"


def _desks(who: Principal, parameters: Parameters) -> str:
    role = door_of(who).role
    if role == CITY:
        return _in_city(who, parameters)
    if role != TENANT:
        return "false"
    own = parameters.add(list(who.organisations))
    return f"{_in_city(who, parameters)} AND t.organisation_id = ANY({own}::uuid[])"


def _of_the_city(who: Principal, parameters: Parameters) -> str:
    return _in_city(who, parameters) if door_of(who).role == CITY else "false"


OF_LOGINS = (
    "identity", "client_assertion", "client_usage", "authorization_request", "login_session",
    "authorization_code", "refresh_token", "revocation", "token_key", "login_attempt",
    "login_signing", "webhook_key",
)  # fmt: skip
"""What is asked before anybody is somebody; the platform's alone."""

TRUTH = {
    "appeal": lambda who, p: _appeals(who, p, "t.id"),
    "card": lambda who, p: _appeals(who, p, "t.appeal_id"),
    "assignment": lambda who, p: _appeals(who, p, "t.appeal_id"),
    "clock": lambda who, p: _appeals(who, p, "t.appeal_id"),
    "event": lambda who, p: _appeals(who, p, "t.appeal_id"),
    "event_personal": lambda who, p: (
        f"t.event_id IN (SELECT e.id FROM event e WHERE {_appeals(who, p, 'e.appeal_id')})"
    ),
    "attachment": _files,
    "shared_attachment": lambda who, p: _appeals(who, p, "t.appeal_id"),
    "consultation": _not_of_citizens(scope.counted),
    "completion": _not_of_citizens(scope.performed),
    "webhook_endpoint": _endpoints,
    "delivery": lambda who, p: _delivered(who, p, "t.id"),
    "delivery_attempt": lambda who, p: _delivered(who, p, "t.delivery_id"),
    "delivery_lease": lambda who, p: _healths(who, p),
    "endpoint_health": _healths,
    "notice": _told_to_tenants,
    "feed_entry": _told_to_tenants,
    "incident_message": lambda who, p: (
        f"t.city_id = {p.add(who.city)} AND t.organisations && {p.add(list(who.organisations))}"
        if door_of(who).role == TENANT
        else "false"
    ),
    "idempotency": lambda who, p: f"t.principal_id = {p.add(who.id)}",
    "incident": lambda who, p: scope.known(who, p, "t"),
    "incident_event": lambda who, p: (
        f"t.incident_id IN (SELECT i.id FROM incident i WHERE {scope.concerning(who, p)})"
    ),
    "citizen": _citizens,
    "member": _members,
    "tally": _tallies,
    "holding": _holdings,
    "desk": _desks,
    "meeting": lambda who, p: _of_the_city(who, p),
    "dealing": _desks,
    # Added to by those whom they are about, read by nobody of them.
    "personal_read": lambda who, p: "false",
    "outbox": lambda who, p: "false",
    "access_token": lambda who, p: "false",
    # Whom the city took in, and by which programs: the city's own business.
    "invitation": lambda who, p: _of_the_city(who, p),
    "member_event": lambda who, p: _of_the_city(who, p),
    "client": lambda who, p: _of_the_city(who, p),
    "client_secret": lambda who, p: _of_the_city(who, p),
    # The exchange with the national register: the city's own business too.
    "eotinish_city": lambda who, p: _of_the_city(who, p),
    "eotinish_case": lambda who, p: _of_the_city(who, p),
    "eotinish_message": lambda who, p: _of_the_city(who, p),
    "eotinish_inbox": lambda who, p: _of_the_city(who, p),
    "eotinish_file": lambda who, p: _of_the_city(who, p),
    "eotinish_report": lambda who, p: _of_the_city(who, p),
} | dict.fromkeys(OF_LOGINS, lambda who, p: "false")
"""What is whose, told in the words of the first wall or by itself."""


def test_every_wall_is_tried():
    assert sorted(TRUTH) == WALLED


async def seen(house, door: Door, table: str) -> set[str]:
    """The rows of a table for whoever comes through a door, as texts."""
    try:
        async with inside(house.engine, door) as driver:
            rows = await driver.fetch(f"SELECT t::text AS said FROM {table} t")
    except asyncpg.InsufficientPrivilegeError:
        return set()
    return {row["said"] for row in rows}


@pytest.mark.parametrize("table", WALLED)
@pytest.mark.parametrize("name", WHO)
async def test_behind_a_wall_everybody_finds_what_is_theirs(house, cities, name, table):
    who, parameters = WHO[name], Parameters()
    condition = TRUTH[table](who, parameters)
    told = await fetch(
        house,
        f"SELECT t::text AS said FROM {table} t WHERE {condition}",
        *parameters.values,
    )
    assert await seen(house, door_of(who), table) == {row["said"] for row in told}


async def test_the_cities_have_something_behind_every_wall(house, cities):
    empty = []
    for table in WALLED:
        (row,) = await fetch(house, f"SELECT count(*) FROM {table}")
        if not row[0]:
            empty.append(table)
    assert empty == []


@pytest.mark.parametrize("table", WALLED)
async def test_before_a_door_there_is_nothing(house, cities, table):
    async with borrowed(house.engine) as driver:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await driver.fetch(f"SELECT 1 FROM {table}")


@pytest.mark.parametrize("table", WALLED)
@pytest.mark.parametrize("role", [TENANT, CITIZEN, DISTRICT, CITY])
async def test_a_door_that_was_told_nothing_shows_nothing(house, cities, role, table):
    engine = open_engine(house.settings.database_url, pool_size=1)
    try:
        async with inside(engine, Door(role)) as driver:
            try:
                rows = await driver.fetch(f"SELECT * FROM {table}")
            except asyncpg.InsufficientPrivilegeError:
                rows = []
    finally:
        await engine.dispose()
    assert rows == []


@pytest.mark.parametrize("role", [TENANT, CITIZEN, DISTRICT, CITY])
async def test_a_session_that_lost_what_it_was_told_is_refused_in_the_domains_words(
    house, cities, role
):
    engine = open_engine(house.settings.database_url, pool_size=1)
    try:
        for principal in WHO.values():
            async with inside(engine, door_of(principal)) as driver:
                await driver.fetch("SELECT id FROM appeal")
        # A pooled session remembers that there was something, and has '' in its place.
        with pytest.raises(Unavailable):
            async with inside(engine, Door(role)) as driver:
                await driver.fetch("SELECT id FROM appeal")
    finally:
        await engine.dispose()


async def test_an_error_midway_leaves_nothing_to_the_next_on_the_connection(house, cities):
    """R8: the next tenant of the same connection sees their own, and so does who is nobody."""
    engine = open_engine(house.settings.database_url, pool_size=1)
    first, second = WHO["an operator"], WHO["an executor of another city"]
    try:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await _fail(engine, first)
        async with borrowed(engine) as driver:
            process = await driver.fetchval("SELECT pg_backend_pid()")
            assert await driver.fetchval("SELECT current_user::text") == APP_ROLE
            assert not await driver.fetchval("SELECT current_setting('app.city_id', true)")
            assert not await driver.fetchval("SELECT current_setting('app.organisations', true)")
        async with inside(engine, door_of(second)) as driver:
            assert await driver.fetchval("SELECT pg_backend_pid()") == process
            found = await driver.fetch("SELECT DISTINCT city_id FROM appeal")
        assert [row["city_id"] for row in found] == [OTHER.id]
    finally:
        await engine.dispose()


async def _fail(engine, who: Principal) -> None:
    async with inside(engine, door_of(who)) as driver:
        assert await driver.fetchval("SELECT count(*) FROM appeal")
        await driver.fetch("SELECT 1 / (count(*) - count(*)) FROM appeal")


FOREIGN_WRITES = {
    "an upload in another's name": (
        "INSERT INTO attachment SELECT (jsonb_populate_record(x, jsonb_build_object('id',"
        " gen_random_uuid(), 'owner_id', gen_random_uuid()))).* FROM attachment x LIMIT 1"
    ),
    "an answer to another's key": (
        "INSERT INTO idempotency SELECT gen_random_uuid(), 'k', '', 200, '', now()"
    ),
    "a reading in another's name": (
        "INSERT INTO personal_read (city_id, appeal_id, reader_id, role, fields, at)"
        " SELECT city_id, id, gen_random_uuid(), 'x', '{}', now() FROM appeal LIMIT 1"
    ),
    "an endpoint of another organisation": (
        "INSERT INTO webhook_endpoint SELECT gen_random_uuid(), o.city_id, o.id, 'u', '{}', '',"
        " true, '', now(), NULL FROM organisation o WHERE o.code = 'centre'"
    ),
    "a count of another city": (
        "INSERT INTO tally (city_id, subject, place, state, count)"
        " SELECT id, 'delivery', '', 'x', 1 FROM city"
    ),
    "an event": "INSERT INTO event SELECT (jsonb_populate_record(e, jsonb_build_object('id',"
    " gen_random_uuid(), 'sequence', 99))).* FROM event e LIMIT 1",
    "another text in an appeal": "UPDATE appeal SET text = 'x'",
    "what was told of another's endpoint": "UPDATE notice SET count = 0",
    "another's health": "INSERT INTO endpoint_health SELECT id FROM webhook_endpoint LIMIT 1",
    "another owner of an incident": "UPDATE incident SET owner_id = owner_id",
}


@pytest.mark.parametrize("name", ["a resident", "an executor", "the akim of the district"])
@pytest.mark.parametrize("statement", FOREIGN_WRITES.values(), ids=FOREIGN_WRITES)
async def test_nobody_writes_in_anothers_name(house, cities, name, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with inside(house.engine, door_of(WHO[name])) as driver:
            await driver.execute(statement)


CITY_WRITES = {
    "appeal": "UPDATE appeal SET text = 'x' WHERE city_id = $1 RETURNING id",
    "clock": "UPDATE clock SET step = 9 WHERE city_id = $1 RETURNING appeal_id",
    "card": "UPDATE card SET words = 'x' WHERE city_id = $1 RETURNING appeal_id",
    "attachment": "UPDATE attachment SET purpose = 'x' WHERE city_id = $1 RETURNING id",
}


@pytest.mark.parametrize("statement", CITY_WRITES.values(), ids=CITY_WRITES)
async def test_a_city_changes_nothing_of_another(house, cities, statement):
    async with inside(house.engine, city_door(KISHI.id, ())) as driver:
        assert await driver.fetch(statement, OTHER.id) == []


@pytest.mark.parametrize("table", ["appeal", "event", "clock", "card", "outbox", "consultation"])
async def test_a_city_adds_nothing_to_another(house, cities, table):
    (row,) = await fetch(
        house, f"SELECT to_jsonb(t)::text FROM {table} t WHERE t.city_id = $1 LIMIT 1", OTHER.id
    )
    given = [column.name for column in metadata.tables[table].columns if not column.identity]
    columns = ", ".join(f'"{name}"' for name in given)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with inside(house.engine, city_door(KISHI.id, ())) as driver:
            await driver.execute(
                f"INSERT INTO {table} ({columns}) SELECT {columns}"
                f" FROM jsonb_populate_record(NULL::{table}, $1::jsonb)",
                row[0],
            )


async def test_the_finders_tell_an_organisation_of_its_own_appeals_alone(house, cities):
    asked = "SELECT cards_of_organisations(NULL, $1, '{}', NULL, NULL, '%люк%')"
    until = house.now() + timedelta(days=1)
    for name in ("an executor", "an organisation that has nothing", "an executor of another city"):
        who = WHO[name]
        async with inside(house.engine, door_of(who)) as driver:
            found = {row[0] for row in await driver.fetch(asked, until)}
            own = {row["id"] for row in await driver.fetch("SELECT id FROM appeal")}
        assert found <= own
        assert bool(found) == (name != "an organisation that has nothing")


@pytest.mark.parametrize(
    ("role", "finder"),
    [(CITIZEN, "cards_of_city"), (CITIZEN, "cards_of_organisations"), (TENANT, "cards_of_city"),
     (CITY, "cards_of_organisations"), (DISTRICT, "cards_of_organisations")],
)  # fmt: skip
async def test_nobody_asks_anothers_finder(house, cities, role, finder):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with inside(house.engine, door_of(WHO["an operator"]).of(role)) as driver:
            await driver.fetch(f"SELECT {finder}(NULL, now(), '{{}}', NULL, NULL, NULL)")


def test_a_value_that_a_door_is_told_cannot_say_more(house):
    who = KISHI.principal(Role.AKIM, district="x'; RESET ROLE; --")
    assert "'app.districts', 'x''; RESET ROLE; --', true)" in door_of(who).statement()


def test_no_code_is_told_as_two():
    who = KISHI.principal(Role.AKIM, district="left,right")
    with pytest.raises(ValueError, match="comma"):
        door_of(who)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("the akim of the district", {"centre"}),
        ("the akim of the district and a village", {"centre", "village"}),
        ("the akim of the village", {"village"}),
        ("the akim of another district", set()),
    ],
)
@pytest.mark.parametrize("table", ["appeal", "clock", "consultation", "completion"])
async def test_an_akim_finds_what_their_districts_have_and_all_of_it(
    house, cities, table, name, places
):
    """Not told by the first wall: by the columns themselves."""
    async with inside(house.engine, door_of(WHO[name])) as driver:
        found = await driver.fetch(f"SELECT city_id, district, t::text AS said FROM {table} t")
    assert {row["district"] for row in found} == places
    there = await fetch(
        house,
        f"SELECT t::text AS said FROM {table} t WHERE city_id = $1 AND district = ANY($2)",
        KISHI.id, list(places),
    )  # fmt: skip
    assert {row["said"] for row in found} == {row["said"] for row in there}


async def test_what_is_told_arrives_as_it_was_said(house, cities):
    district = 'it\'s \\ "x"; SELECT 1 --'
    async with inside(
        house.engine, door_of(KISHI.principal(Role.AKIM, district=district))
    ) as driver:
        assert await driver.fetchval("SELECT current_setting('app.districts')") == district
        assert await driver.fetchval("SELECT current_user::text") == DISTRICT


VIEWS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
   AND (c.relkind = 'm' OR c.relkind = 'v' AND NOT coalesce(
        'security_invoker=true' = ANY (c.reloptions), false))
"""
KEYS = """
SELECT c.relname, k.conname, (SELECT a.attname FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1]),
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1])
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype IN ('p', 'u') AND c.relrowsecurity AND c.relnamespace = 'public'::regnamespace
"""
COUNTED = {
    "pk_personal_read",
    "pk_outbox",
    "pk_tally",
    "pk_holding",
    "pk_revocation",
    "pk_feed_entry",
}
"""Numbers that the database gives by itself."""
SECRETS = {"hash", "page", "telephone", "kid"}
"""Hashes of what nobody can guess, and the thumbprints of keys."""


def test_no_view_looks_past_the_walls(settings):
    with psycopg.connect(settings.database_url) as owner:
        assert owner.execute(VIEWS).fetchall() == []


def test_no_key_that_is_taken_tells_what_stands_behind_a_wall(settings):
    """R5: keys are asked past the walls; each begins with an id that nobody can guess, or with
    what one was told oneself.
    """
    with psycopg.connect(settings.database_url) as owner:
        found = owner.execute(KEYS).fetchall()
    assert found
    told = {name for _, name, column, kind in found if kind != "uuid" and column not in SECRETS}
    assert told == COUNTED


@pytest.mark.parametrize("table", [table.name for table in metadata.sorted_tables])
def test_every_table_stands_behind_a_wall_or_has_a_reason_not_to(settings, table):
    """A new table: give it walls in its revision (migrations/walls.py), or say why it is open."""
    with psycopg.connect(settings.database_url) as owner:
        walled = owner.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
            [table],
        ).fetchone()
        bound = owner.execute(
            "SELECT unnest(roles) FROM pg_policies"
            " WHERE tablename = %s AND permissive = 'PERMISSIVE'",
            [table],
        ).fetchall()
        granted = owner.execute(
            "SELECT DISTINCT grantee FROM information_schema.role_column_grants"
            " WHERE table_schema = 'public' AND table_name = %s AND grantee = ANY(%s)",
            [table, list(ROLES)],
        ).fetchall()
    assert walled == ((False, False) if table in OPEN_TABLES else (True, True))
    if table not in OPEN_TABLES:
        policies = {row[0] for row in bound} & set(ROLES)
        assert policies == {row[0] for row in granted}
        assert WORKER in policies
