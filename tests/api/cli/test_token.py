"""Tokens at the command line: shown once, found by the platform, gone when revoked."""

import asyncio

import psycopg

from domain.access import Role
from integrations.postgres.engine import open_engine
from integrations.postgres.tokens import Tokens
from tests.support.city import KISHI

ISSUE = ("token", "issue", "--organisation", "water", "--name", "Д. Слесарь")


def _whose(url, token):
    async def find():
        engine = open_engine(url, pool_size=1)
        try:
            return await Tokens(engine).find(token)
        finally:
            await engine.dispose()

    return asyncio.run(find())


def test_an_issued_token_stands_for_the_member(ikomek, city_database):
    answer = ikomek(*ISSUE, "--role", "executor", "--days", 3)
    assert answer.status == 0
    principal, end = _whose(city_database, answer.out.strip())
    assert (principal.role, principal.organisation) == (Role.EXECUTOR, KISHI.water)
    assert principal.name == "Д. Слесарь"
    assert end is not None


def test_two_tokens_of_one_name_are_one_member(ikomek, city_database):
    first, second = (ikomek(*ISSUE, "--role", "head").out.strip() for _ in range(2))
    assert first != second
    one, other = (_whose(city_database, each)[0] for each in (first, second))
    assert one.id == other.id


def test_a_residents_token_finds_the_resident_by_any_spelling_of_the_phone(ikomek, city_database):
    spellings = ("8 701 555 01 09", "+7 (701) 555-01-09")
    for phone in spellings:
        answer = ikomek("token", "issue-citizen", "--phone", phone, "--name", "Айгүл")
        principal, _ = _whose(city_database, answer.out.strip())
        assert (principal.role, principal.citizen) == (Role.CITIZEN, KISHI.citizen)


def test_a_residents_name_and_phone_stand_nowhere_in_the_clear(ikomek, city_database):
    ikomek("token", "issue-citizen", "--phone", "+77011112233", "--name", "Құпия Есім")
    with psycopg.connect(city_database) as connection:
        rows = connection.execute(
            "SELECT c::text FROM citizen c UNION ALL SELECT t::text FROM access_token t"
        ).fetchall()
    whole = " ".join(row[0] for row in rows)
    assert "Құпия" not in whole
    assert "77011112233" not in whole


def test_a_revoked_token_stands_for_nobody(ikomek, city_database):
    token = ikomek(*ISSUE, "--role", "executor").out.strip()
    assert ikomek("token", "revoke", token).status == 0
    assert _whose(city_database, token) is None
    assert ikomek("token", "revoke", token).status == 1


def test_the_list_shows_ids_that_revoke_and_never_a_token(ikomek, city_database):
    token = ikomek(*ISSUE, "--role", "executor").out.strip()
    answer = ikomek("token", "list")
    assert token not in answer.out
    newest = answer.out.splitlines()[1].split("\t")
    assert newest[1:4] == ["executor", "water", "Д. Слесарь"]
    assert ikomek("token", "revoke", newest[0]).status == 0
    assert _whose(city_database, token) is None


def test_nobody_is_issued_a_token_of_the_system_or_of_a_foreign_organisation(ikomek):
    assert ikomek(*ISSUE, "--role", "system").status == 2
    answer = ikomek("token", "issue", "--role", "head", "--organisation", "atlantis", "--name", "A")
    assert answer.status == 2
    assert "atlantis" in answer.err
