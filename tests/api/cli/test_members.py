"""The city's own people let members in and out, and take organisations in, at the command line."""

import asyncio
import io
import stat

import orjson
import psycopg
import pytest

from api.bootstrap import open_house
from domain.access import Role
from tests.conftest import make_settings
from tests.support.city import CITIZEN_PHONE, KISHI
from tests.support.members import iin, person

INVITE = ("member", "invite", "--organisation", "water", "--role", "administrator")


@pytest.fixture
def say(monkeypatch):
    """What somebody types at the terminal."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def redeem(url, home, secret, who):
    async def work():
        async with open_house(make_settings(url, home)) as house:
            return await house.people.redeem(secret, who, house.now())

    return asyncio.run(work())


def listed(ikomek, *arguments):
    lines = ikomek("member", "list", *arguments).out.splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]


def test_the_first_administrator_comes_by_the_command_line(ikomek, city_database, tmp_path, say):
    say(iin(1))
    answer = ikomek(*INVITE, "--name", "Болат", "--ask-iin")
    assert answer.status == 0, answer.err
    secret = answer.out.strip()
    assert secret.startswith("inv_")
    assert iin(1) not in answer.out + answer.err
    member = redeem(city_database, tmp_path, secret, person(1))
    assert (member.role, member.organisation) == (Role.ADMINISTRATOR, KISHI.water)
    found = next(one for one in listed(ikomek) if one["id"] == str(member.id))
    assert (found["organisation"], found["state"]) == ("water", "active")


def test_a_member_is_suspended_restored_and_let_go_on_record(ikomek, city_database):
    member = str(KISHI.ident("member-operator"))
    for action, state in (("suspend", "suspended"), ("restore", "active"), ("leave", "left")):
        answer = ikomek("member", action, member, "--reason", "Келісім бойынша")
        assert answer.status == 0, answer.err
        assert f": {state}." in answer.out
        assert next(o for o in listed(ikomek) if o["id"] == member)["state"] == state
    again = ikomek("member", "restore", member, "--reason", "x")
    assert again.status == 1
    assert listed(ikomek, "--state", "left")[0]["id"] == member
    with psycopg.connect(city_database) as owner:
        rows = owner.execute(
            "SELECT type, actor_role, reason FROM member_event WHERE member_id = %s ORDER BY at",
            [member],
        ).fetchall()
    assert rows == [
        (f"member.{type}", "system", "Келісім бойынша")
        for type in ("suspended", "restored", "left")
    ]


def test_nobody_is_invited_to_where_they_cannot_be(ikomek):
    assert ikomek(*INVITE[:3], "nowhere", *INVITE[4:]).status == 2
    answer = ikomek(*INVITE[:5], "auditor")
    assert answer.status == 1
    assert "role-not-given-here" in answer.err


NEWCOMER = """
organisation:
  code: aida
  kind: housing
  names: {kk: Аида ПИК, ru: КСК Аида}
  parent: department
administrator: {name: Болат Ахметов}
client: Диспетчерская
webhook: {url: "https://aida.example.kz/109"}
"""


def test_an_organisation_is_taken_in_by_one_command(ikomek, tmp_path, city_database):
    file = tmp_path / "aida.yaml"
    file.write_text(NEWCOMER)
    answer = ikomek("organisations", "onboard", file)
    assert answer.status == 0, answer.err
    told = dict(line.split("\t") for line in answer.out.splitlines())
    assert told["invitation"].startswith("inv_")
    assert told["webhook_secret"].startswith("whsec_")
    assert told["client_secret"]
    member = redeem(city_database, tmp_path, told["invitation"], person(3))
    assert str(member.organisation) == told["organisation"]
    assert "organisation-exists" in ikomek("organisations", "onboard", file).err


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("kind: housing", "kind: castle"), "/organisation/kind"),
        (("parent: department", "parent: nobody"), "no organisation 'nobody'"),
        (("https://aida", "ftp://aida"), "/webhook/url"),
        (("organisation:", "firm:"), "describes no organisation"),
    ],
)
def test_a_file_that_is_wrong_takes_nothing_in(ikomek, tmp_path, changed, told):
    file = tmp_path / "x.yaml"
    file.write_text(NEWCOMER.replace("aida\n", "other\n").replace(*changed))
    answer = ikomek("organisations", "onboard", file)
    assert answer.status == 2
    assert told in answer.err


def test_a_resident_is_given_their_record_and_the_giving_is_kept(
    ikomek, tmp_path, city_database, say
):
    say(CITIZEN_PHONE)
    file = tmp_path / "record.json"
    answer = ikomek("citizen", "export", "--purpose", "Өтініш № 7", "--file", file)
    assert answer.status == 0, answer.err
    record = orjson.loads(file.read_bytes())
    assert record["person"]["phone"] == CITIZEN_PHONE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert CITIZEN_PHONE not in answer.out + answer.err
    with psycopg.connect(city_database) as owner:
        row = owner.execute(
            "SELECT operation, purpose, role FROM personal_read WHERE citizen_id = %s",
            [KISHI.citizen],
        ).fetchone()
    assert row == ("exportRecord", "Өтініш № 7", "system")
    printed = ikomek("citizen", "export", KISHI.citizen, "--purpose", "x").out
    assert orjson.loads(printed)["id"] == str(KISHI.citizen)
    say("+77019999999")
    assert ikomek("citizen", "export", "--purpose", "x").status == 2
