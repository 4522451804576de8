import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from domain.appeals.workflow import TRANSITIONS, Action, Status
from domain.errors import Invalid
from domain.events import EventType, IncidentEventType
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES, News, Notice, check_event_types, payload
from domain.webhooks.examples import example
from domain.webhooks.secrets import new_secret

NEWS = News(
    type=EventType.ASSIGNED,
    at=datetime(2026, 11, 2, 14, 30, tzinfo=timezone(timedelta(hours=5))),
    appeal_id=UUID("0193a5c4-7d2e-7000-8000-000000000109"),
    number="109-2026-Қ-000123",
    sequence=3,
    status="assigned",
    service="housing.heating.none",
    organisation_id=UUID(int=7),
    link="https://109.astana.kz/v1/appeals/0193a5c4-7d2e-7000-8000-000000000109",
)


def test_the_catalogue_explains_every_event_of_the_register_in_three_languages():
    assert set(CATALOGUE) == {*EventType, *IncidentEventType}
    assert set(NOTICES) == set(Notice)
    for texts in (*CATALOGUE.values(), *NOTICES.values()):
        assert set(texts) == {"kk", "ru", "en"}
        assert all(texts.values())
    for language in ("kk", "ru", "en"):
        assert len({texts[language] for texts in CATALOGUE.values()}) == len(CATALOGUE)


MOVES = {
    Action.ANSWER: EventType.ANSWERED,
    Action.ASSIGN: EventType.ASSIGNED,
    Action.REDIRECT: EventType.REDIRECTED,
    Action.ACCEPT: EventType.ACCEPTED,
    Action.DECLINE: EventType.DECLINED,
    Action.PAUSE: EventType.PAUSED,
    Action.RESUME: EventType.RESUMED,
    Action.RESOLVE: EventType.RESOLVED,
    Action.CHECK: EventType.CHECKED,
    Action.RETURN: EventType.RETURNED,
    Action.CONFIRM: EventType.CONFIRMED,
    Action.REOPEN: EventType.REOPENED,
    Action.WITHDRAW: EventType.WITHDRAWN,
    Action.FORWARD: EventType.FORWARDED,
    Action.DECIDE: EventType.DECIDED,
}


@pytest.mark.parametrize("action", [row.action for row in TRANSITIONS.values() if row.to])
def test_an_example_stands_where_its_act_leaves_an_appeal(action):
    said = json.loads(example(MOVES[action]))["data"]
    assert Status(said["status"]) in TRANSITIONS[action].to
    nobodys = Status(said["status"]) in {Status.REGISTERED, Status.ANSWERED, Status.WITHDRAWN}
    assert (said["organisation_id"] is None) == nobodys


def test_a_message_is_thin_compact_and_in_utf8():
    assert payload(NEWS).decode("utf-8") == (
        '{"type":"appeal.assigned","timestamp":"2026-11-02T09:30:00Z","data":{'
        '"id":"0193a5c4-7d2e-7000-8000-000000000109","number":"109-2026-Қ-000123","sequence":3,'
        '"status":"assigned","service":"housing.heating.none",'
        '"organisation_id":"00000000-0000-0000-0000-000000000007","links":{"appeal":'
        '"https://109.astana.kz/v1/appeals/0193a5c4-7d2e-7000-8000-000000000109"}}}'
    )


def test_an_appeal_without_an_executor_says_so():
    message = json.loads(payload(replace(NEWS, organisation_id=None)))
    assert message["data"]["organisation_id"] is None


def test_the_time_of_an_event_must_be_aware():
    with pytest.raises(ValueError, match="aware"):
        payload(replace(NEWS, at=datetime(2026, 11, 2)))


def test_a_message_is_far_below_the_size_that_receivers_expect():
    assert len(payload(NEWS)) < 1024


def test_an_endpoint_may_choose_any_type_of_the_catalogue():
    assert check_event_types(list(EventType)) == {str(event_type) for event_type in EventType}
    assert check_event_types([]) == frozenset()


def test_every_unknown_type_is_named():
    with pytest.raises(Invalid) as refusal:
        check_event_types(["appeal.closed", "appeal.burned", "*"])
    assert [(fault.pointer, fault.rule) for fault in refusal.value.faults] == [
        ("/event_types/1", "unknown"),
        ("/event_types/2", "unknown"),
    ]


def test_a_secret_carries_its_32_random_bytes():
    randomness = bytes(range(32))
    secret = new_secret(randomness)
    assert secret.startswith("whsec_")
    assert b64decode(secret.removeprefix("whsec_"), validate=True) == randomness


def test_the_message_of_a_summer_event_is_in_utc_too():
    summer = replace(NEWS, at=datetime(2026, 7, 1, 0, 0, 0, 250, tzinfo=UTC))
    assert json.loads(payload(summer))["timestamp"] == "2026-07-01T00:00:00.000250Z"
