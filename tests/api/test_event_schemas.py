"""What is published of messages is what is sent: judged by a foreign validator of JSON Schema."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest

from api import asyncapi
from api.commands.event_pages import pages
from api.event_schemas import MEANINGS, schema_of
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action, Directive, PauseReason
from domain.events import EventType, IncidentEventType
from domain.sla.policy import Stage
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES, payload
from domain.webhooks.examples import example
from domain.webhooks.messages import MESSAGES, TEST_TYPE
from integrations.postgres.outbox import read_news
from tests.domain.appeals.acts import speak
from tests.domain.appeals.make import PHOTO, Life, hours, intake

ROOT = Path(__file__).parents[2]
Judge = jsonschema_rs.Draft202012Validator
BASE = "https://109.example.kz"


def closed(schema: Any) -> Any:
    """The schema, letting nothing through that it does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: closed(part) for name, part in schema.items()}
    return told | ({"additionalProperties": False} if "properties" in told else {})


def judge(kind: str) -> Any:
    return Judge(closed(schema_of(kind)), validate_formats=True)


JUDGES = {kind: judge(kind) for kind in MESSAGES}


def every_object(schema: Any):
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for part in schema.values():
            yield from every_object(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from every_object(part)


def test_every_event_and_every_notice_has_its_message():
    heard = {str(kind) for kind in (*CATALOGUE, *NOTICES)}
    assert set(MEANINGS) == {*heard, TEST_TYPE} == set(MESSAGES)
    assert TEST_TYPE not in heard
    assert set(CATALOGUE) == {*EventType, *IncidentEventType}


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_schema_is_sound_says_what_each_field_is_and_its_example_keeps_it(kind: str):
    schema = schema_of(kind)
    jsonschema_rs.meta.validate(schema)
    for found in every_object(schema):
        assert set(found["required"]) == set(found["properties"])
        assert all(part.get("description") for part in found["properties"].values())
    JUDGES[kind].validate(orjson.loads(example(kind)))


@pytest.mark.parametrize("kind", MESSAGES)
def test_the_judge_refuses_what_is_not_of_the_schema(kind: str):
    sound = orjson.loads(example(kind))
    for spoilt in (
        sound | {"type": "appeal.burned"},
        sound | {"phone": "+77015550109"},
        sound | {"data": sound["data"] | {"address": "Абай 12"}},
        {name: part for name, part in sound.items() if name != "timestamp"},
    ):
        with pytest.raises(jsonschema_rs.ValidationError):
            JUDGES[kind].validate(spoilt)


def _full_life() -> Life:
    """An open manhole whose promises are broken, and which meets nearly everything."""
    life = Life()
    life.register(intake())
    speak(life, Action.DECLINE, Action.ASSIGN, Action.ACCEPT, Action.PAUSE, Action.RESUME)
    speak(life, Action.EXTEND, Action.REFUSE, Action.EXTEND, Action.GRANT, Action.REPORT)
    speak(life, Action.COMMENT, Action.CORRECT, Action.WAIVE)
    life.act(Action.INSTRUCT, c.Instruct(Directive.RESOLUTION, "бүгін"), Role.AKIM)
    for _ in range(8):
        life.wait(hours(12))
        life.tick()
    life.amend("around-the-clock", life.at.date())
    life.count_again("around-the-clock")
    speak(life, Action.RESOLVE, Action.RETURN, Action.RESOLVE, Action.CHECK, Action.REOPEN)
    life.act(Action.RESOLVE, c.Resolve("жабылды", (PHOTO,)), Role.EXECUTOR)
    speak(life, Action.CONFIRM)
    return life


def _lives_before_the_law() -> tuple[Life, Life]:
    """An appeal before the law that is put off, heard and decided, and one that is sent on."""
    heard, sent_on = Life(), Life()
    for life in (heard, sent_on):
        life.register(intake())
        speak(life, Action.CLASSIFY, Action.ACCEPT)
    speak(sent_on, Action.FORWARD)
    speak(heard, Action.PROLONG, Action.SUMMON)
    heard.wait(hours(24 * 5))
    speak(heard, Action.HEAR, Action.WAIVE, Action.DECIDE)
    return heard, sent_on


def test_whatever_happens_in_a_life_is_told_as_its_schema_says():
    told = set()
    lives = (_full_life(), *_lives_before_the_law())
    for event in (event for life in lives for event in life.shelf.events):
        message = orjson.loads(payload(read_news(event.canonical, BASE)))
        JUDGES[message["type"]].validate(message)
        told.add(message["type"])
        assert message["data"].get("details", {}) is not None
    rare = {"appeal.answered", "appeal.redirected", "appeal.withdrawn", "appeal.attached",
            "appeal.linked", "appeal.joined", "appeal.parted", "appeal.broadcast",
            "appeal.state_numbered", "appeal.state_told", "appeal.state_decided"}  # fmt: skip
    assert told >= {str(kind) for kind in EventType} - rare - {"clock.recomputed"}


def test_an_event_from_before_a_field_was_there_is_told_without_details():
    news = read_news(_full_life().shelf.events[0].canonical, BASE)
    old = payload(type(news)(**_fields(news) | {"type": "clock.breached", "facts": {"stage": "x"}}))
    message = orjson.loads(old)
    assert message["data"]["details"] is None
    JUDGES["clock.breached"].validate(message)


def _fields(news: Any) -> dict[str, Any]:
    return {name: getattr(news, name) for name in news.__dataclass_fields__}


def test_the_asyncapi_document_is_what_the_code_says():
    committed = orjson.loads((ROOT / "openapi" / "asyncapi.json").read_bytes())
    plain = orjson.loads(orjson.dumps(asyncapi.document()))
    assert committed == plain, "write it again: ikomek openapi export-asyncapi"
    assert committed["asyncapi"] == "3.1.0"


def test_every_page_of_the_events_is_what_the_code_says():
    folder = ROOT / "docs" / "events"
    committed = {one.name: one.read_text() for one in folder.glob("*.md")}
    assert committed == pages(), "write them again: ikomek openapi export-events"


def test_a_pause_tells_why_and_until_when():
    life = Life()
    life.register()
    speak(life, Action.ACCEPT)
    life.act(Action.PAUSE, c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық"), Role.EXECUTOR)
    message = orjson.loads(payload(read_news(life.shelf.events[-1].canonical, BASE)))
    details = message["data"]["details"]
    assert details["reason"] == "awaiting_resident"
    assert details["stages"] == [str(Stage.RESOLVE)]
    assert datetime.fromisoformat(details["until"]) - life.at == timedelta(days=3)
    assert life.at.tzinfo is UTC
