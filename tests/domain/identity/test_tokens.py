"""What voids a token: its time, or that it, its login, its holder or its client was stopped."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.access import Role
from domain.identity.clients import AuthMethod, Client, ClientKind
from domain.identity.model import Subject
from domain.identity.tokens import (
    ACCESS_LASTS,
    LEEWAY,
    AccessClaims,
    Holder,
    Revocations,
    TokenVoid,
    itself,
    read_claims,
    write_claims,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SUBJECT = Subject(uuid4(), uuid4(), Role.AKIM, uuid4(), "А. Әкім", "centre")
HOLDER = Holder(SUBJECT, uuid4(), uuid4(), frozenset({"appeals:read"}))
SAID = write_claims(HOLDER, issuer="https://i", audience="https://i/v1", token="t", at=NOW)


def read(seconds: float = 0, **changes: object) -> AccessClaims:
    return read_claims(
        SAID | changes, issuer="https://i", audience="https://i/v1", now=NOW.timestamp() + seconds
    )


def test_a_token_says_who_and_where_and_nobodys_name():
    within = frozenset({"centre", "village"})
    principal = read().principal(frozenset({SUBJECT.organisation or uuid4()}), within)
    assert (principal.id, principal.role, principal.city) == (SUBJECT.id, Role.AKIM, SUBJECT.city)
    assert (principal.district, principal.client) == ("centre", HOLDER.client)
    assert principal.confined == within
    assert principal.citizen is None
    assert "Әкім" not in str(SAID)


def test_a_resident_is_their_own_citizen():
    subject = Subject(uuid4(), uuid4(), Role.CITIZEN)
    said = write_claims(
        replace(HOLDER, subject=subject), issuer="https://i", audience="https://i/v1", token="t",
        at=NOW,
    )  # fmt: skip
    assert not {"org", "district"} & said.keys()
    assert read(**said | {"org": str(uuid4())}).principal(frozenset()).citizen == subject.id


@pytest.mark.parametrize(
    ("seconds", "sound"),
    [
        (0, True), (-LEEWAY, True), (-LEEWAY - 1, False),
        (ACCESS_LASTS.total_seconds() + LEEWAY - 1, True),
        (ACCESS_LASTS.total_seconds() + LEEWAY, False),
    ],
)  # fmt: skip
def test_a_token_stands_in_its_time_alone(seconds: float, sound: bool):
    if sound:
        assert read(seconds).issued == NOW.timestamp()
    else:
        with pytest.raises(TokenVoid):
            read(seconds)


def test_what_was_taken_back_is_void():
    claims, at = read(), NOW.timestamp()
    assert not Revocations().void(claims)
    assert Revocations(tokens=frozenset({"t"})).void(claims)
    assert Revocations(sessions=frozenset({HOLDER.session})).void(claims)
    assert Revocations(subjects={SUBJECT.id: at}).void(claims)
    assert Revocations(clients={HOLDER.client: at}).void(claims)
    # The clocks of the database and of the process may be a second apart.
    assert Revocations(subjects={SUBJECT.id: at - 1}).void(claims)
    assert not Revocations(subjects={SUBJECT.id: at - 1.1}).void(claims)
    assert not Revocations(subjects={uuid4(): at}, clients={uuid4(): at}).void(claims)


def test_a_client_without_a_role_cannot_come_for_itself():
    site = Client(uuid4(), uuid4(), "Сайт", ClientKind.CONFIDENTIAL, AuthMethod.BASIC)
    with pytest.raises(ValueError, match="role"):
        itself(site)
    system = replace(site, role=Role.EXECUTOR, organisation=uuid4())
    assert itself(system).organisation == system.organisation
