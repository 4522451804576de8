from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.sla.durations import LONGEST
from domain.sla.policy import (
    Escalation,
    Policy,
    Promise,
    Recipient,
    ReopenRule,
    Stage,
    parse_policy,
    policy_document,
)
from tests.domain.sla.make import NAMES, hours

SECURE: dict[str, object] = {
    "stage": "secure",
    "within": "PT3H",
    "calendar": "around-the-clock",
    "warn_before": "PT30M",
    "reopen": {"rule": "remaining", "at_least": "PT1H"},
    "emergency_on_breach": False,
    "escalations": [{"after": "PT0S", "to": "head"}, {"after": "PT3H", "to": "akim"}],
}
MANHOLE: dict[str, object] = {
    "code": "open-manhole",
    "names": NAMES,
    "effective_from": "2026-01-01",
    "stages": [SECURE, SECURE | {"stage": "resolve", "within": "P1D", "reopen": {"rule": "none"}}],
}


def refused(row: dict[str, object]) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        parse_policy(row, version=1)
    return {(fault.pointer, fault.rule) for fault in refusal.value.faults}


def test_an_open_manhole_is_fenced_in_three_hours_and_closed_in_a_day() -> None:
    policy = parse_policy(MANHOLE, version=7)
    assert (policy.code, policy.version) == ("open-manhole", 7)
    assert policy.effective_from == date(2026, 1, 1)
    assert policy.promise(Stage.SECURE) == Promise(
        stage=Stage.SECURE,
        within=hours(3),
        calendar="around-the-clock",
        warn_before=timedelta(minutes=30),
        reopen=ReopenRule.REMAINING,
        reopen_at_least=hours(1),
        emergency_on_breach=False,
        escalations=(
            Escalation(hours(0), Recipient.HEAD),
            Escalation(hours(3), Recipient.AKIM),
        ),
    )
    resolve = policy.promise(Stage.RESOLVE)
    assert resolve is not None
    assert resolve.within == hours(24)
    assert policy.promise(Stage.ANSWER) is None


def test_a_policy_is_written_as_it_was_read() -> None:
    assert policy_document(parse_policy(MANHOLE, version=1)) == MANHOLE


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"code": ""}, ("/code", "code")),
        ({"names": {"kk": "а", "ru": "б"}}, ("/names/en", "required")),
        ({"names": {**NAMES, "de": "x"}}, ("/names/de", "unknown")),
        ({"effective_from": "1 January"}, ("/effective_from", "date")),
        ({"stages": []}, ("/stages", "empty")),
        ({"stages": None}, ("/stages", "required")),
        ({"stages": {}}, ("/stages", "type")),
        ({"stages": ["secure"]}, ("/stages/0", "type")),
        ({"stages": [SECURE, SECURE]}, ("/stages/1/stage", "repeated")),
        ({"version": 2}, ("/version", "unknown")),
    ],
)
def test_a_bad_field_of_a_policy_is_named(
    change: dict[str, object], fault: tuple[str, str]
) -> None:
    assert fault in refused(MANHOLE | change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"stage": "fence"}, ("/stages/0/stage", "unknown-value")),
        ({"stage": None}, ("/stages/0/stage", "required")),
        ({"within": "3h"}, ("/stages/0/within", "duration")),
        ({"within": 3}, ("/stages/0/within", "duration")),
        ({"within": "PT0S"}, ("/stages/0/within", "out-of-range")),
        ({"within": "P9999D"}, ("/stages/0/within", "out-of-range")),
        ({"calendar": None}, ("/stages/0/calendar", "required")),
        ({"warn_before": "PT0S"}, ("/stages/0/warn_before", "out-of-range")),
        ({"reopen": None}, ("/stages/0/reopen", "required")),
        ({"reopen": {"rule": "again"}}, ("/stages/0/reopen/rule", "unknown-value")),
        ({"reopen": {"rule": "remaining"}}, ("/stages/0/reopen/at_least", "required")),
        (
            {"reopen": {"rule": "full", "at_least": "PT1H"}},
            ("/stages/0/reopen/at_least", "unexpected"),
        ),
        ({"emergency_on_breach": "no"}, ("/stages/0/emergency_on_breach", "type")),
        ({"escalations": [{"to": "head"}]}, ("/stages/0/escalations/0/after", "required")),
        (
            {"escalations": [{"after": "PT1H", "to": "mayor"}]},
            ("/stages/0/escalations/0/to", "unknown-value"),
        ),
        (
            {"escalations": [{"after": "PT2H", "to": "head"}, {"after": "PT1H", "to": "akim"}]},
            ("/stages/0/escalations/1/after", "not-ascending"),
        ),
        ({"escalate": []}, ("/stages/0/escalate", "unknown")),
    ],
)
def test_a_bad_field_of_a_stage_is_named(change: dict[str, object], fault: tuple[str, str]) -> None:
    assert fault in refused(MANHOLE | {"stages": [SECURE | change]})


amounts = st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST)
ladders = st.lists(st.builds(Escalation, amounts, st.sampled_from(Recipient)), max_size=4)
promises = st.builds(
    lambda rule, floor, ladder, **rest: Promise(
        reopen=rule,
        reopen_at_least=floor if rule is ReopenRule.REMAINING else timedelta(0),
        escalations=tuple(sorted(ladder, key=lambda rung: rung.after)),
        **rest,
    ),
    rule=st.sampled_from(ReopenRule),
    floor=amounts,
    ladder=ladders,
    stage=st.sampled_from(Stage),
    within=amounts,
    calendar=st.sampled_from(["around-the-clock", "office-hours"]),
    warn_before=st.none() | amounts,
    emergency_on_breach=st.booleans(),
)
policies = st.builds(
    Policy,
    code=st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True),
    version=st.just(1),
    names=st.just(NAMES),
    effective_from=st.dates(),
    promises=st.lists(promises, min_size=1, max_size=4, unique_by=lambda kept: kept.stage).map(
        tuple
    ),
)


@settings(max_examples=50, deadline=None)
@given(policies)
def test_every_policy_survives_its_document(policy: Policy) -> None:
    assert parse_policy(policy_document(policy), version=1) == policy
