"""Law 6: what can name a person stands nowhere in the clear, and equal phones find each other."""

import psycopg
from psycopg import sql

from domain.access import Role
from domain.appeals.commands import Accept
from domain.appeals.model import Applicant
from domain.appeals.workflow import Action
from domain.ports import Answer
from integrations.postgres.tables import metadata
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import CITIZEN_PHONE, KISHI
from tests.support.sql import fetch

PHONE, NAME, MAIL = "+77051112233", "Жанар Бөкеева", "zhanar@example.kz"


def everything(url: str) -> dict[str, str]:
    """Each table as one text, as PostgreSQL itself writes it: bytes are hex."""
    statement = sql.SQL("SELECT x::text FROM {} x")
    with psycopg.connect(url) as connection:
        return {
            name: "\n".join(
                row[0] for row in connection.execute(statement.format(sql.Identifier(name)))
            )
            for name in metadata.tables
        }


async def test_no_name_phone_or_secret_is_in_the_clear_anywhere(house):
    applicant = Applicant(None, NAME, PHONE, MAIL)
    appeal = await register(house, applicant=applicant)
    await register(house, role=Role.CITIZEN)
    endpoint = await add_endpoint(house)
    await perform(house, appeal, Action.ACCEPT, Accept())
    async with house.units.open(KISHI.principal()) as uow:
        await uow.commit(Answer("k", b"f" * 32, 200, {}, f"{NAME} {PHONE}".encode()))
    await house.outbox.relay(house.now())
    stored = await house.queries.appeal(KISHI.principal(), appeal.number)
    assert stored.applicant == applicant
    tables = everything(house.settings.database_url)
    assert len(tables["appeal"]) > 500
    hidden = (PHONE, PHONE[2:], NAME, "Жанар", MAIL, CITIZEN_PHONE, endpoint.secrets[0].value)
    for secret in hidden:
        for written in (secret, secret.encode().hex()):
            assert [name for name, text in tables.items() if written in text] == []


async def test_equal_phones_find_each_other_and_others_do_not(house):
    first = await register(house, applicant=Applicant(None, "A", PHONE))
    second = await register(house, applicant=Applicant(None, "B", PHONE))
    other = await register(house, applicant=Applicant(None, "A", "+77051112234"))
    rows = await fetch(
        house,
        "SELECT id FROM appeal WHERE phone_index = $1 AND id = ANY($2)",
        house.keyring.index(PHONE),
        [first.id, second.id, other.id],
    )
    assert {row["id"] for row in rows} == {first.id, second.id}


async def test_each_reading_of_a_resident_is_kept(house):
    appeal = await register(house)
    reader = KISHI.principal(Role.INSPECTOR)
    applicant, _ = await house.queries.applicant(reader, appeal.number, house.now())
    assert applicant == appeal.applicant
    (row,) = await fetch(house, "SELECT * FROM personal_read WHERE appeal_id = $1", appeal.id)
    assert (row["reader_id"], row["role"]) == (reader.id, "inspector")
    assert "phone" in row["fields"]
