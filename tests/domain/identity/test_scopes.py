"""A token holds what its role holds and its scopes let through, and never more than either."""

from uuid import uuid4

import pytest

from domain.access import GRANTS, Permission, Principal, Role
from domain.errors import NotPermitted, ScopeMissing
from domain.identity.scopes import SCOPES, granted, parse_scopes, scopes_for, write_scopes
from domain.values import Language


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_within_reach_of_some_scope(permission: Permission):
    assert scopes_for(permission)


@pytest.mark.parametrize("name", SCOPES)
def test_every_scope_is_told_in_three_languages(name: str):
    text = SCOPES[name].text
    assert set(text) == set(Language)
    assert all(said.strip() for said in text.values())
    assert len(set(text.values())) == len(Language)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", SCOPES)
def test_no_scope_gives_a_role_more_than_it_holds(role: Role, name: str):
    scoped = Principal(uuid4(), role, uuid4(), granted=granted(frozenset({name})))
    assert scoped.permissions == GRANTS[role] & SCOPES[name].permissions
    for permission in Permission:
        assert scoped.may(permission) == (permission in scoped.permissions)


@pytest.mark.parametrize("role", Role)
def test_all_scopes_together_are_the_whole_role(role: Role):
    scoped = Principal(uuid4(), role, uuid4(), granted=granted(frozenset(SCOPES)))
    assert scoped.permissions == GRANTS[role]


def test_no_scopes_are_no_rights():
    scoped = Principal(uuid4(), Role.INSPECTOR, uuid4(), granted=granted(frozenset()))
    assert not scoped.permissions


def test_what_lacks_is_told_apart():
    scoped = Principal(uuid4(), Role.CITIZEN, uuid4(), granted=granted(frozenset({"openid"})))
    with pytest.raises(ScopeMissing):
        scoped.require(Permission.READ_APPEAL)
    with pytest.raises(NotPermitted):
        scoped.require(Permission.CHECK)


def test_an_unknown_scope_lets_nothing_through():
    assert granted(frozenset({"appeals:everything"})) == frozenset()


def test_scopes_are_written_as_they_are_read():
    assert parse_scopes(None) == parse_scopes("  ") == frozenset()
    assert write_scopes(parse_scopes("b  a b")) == "a b"
