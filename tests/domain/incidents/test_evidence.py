"""Evidence of an incident: one number of an act for all its services, and who takes it."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.model import Appeal
from domain.appeals.use_cases import bind
from domain.appeals.workflow import Status
from domain.catalogue.evidence import ActForm, Need
from domain.errors import EvidenceMissing
from domain.events import Event, EventType, IncidentEventType
from domain.incidents.following import catch_up, join
from domain.incidents.history import bind_incident
from domain.incidents.model import (
    Area,
    Incident,
    IncidentEvent,
    IncidentFact,
    IncidentKind,
    Matching,
)
from domain.incidents.rules import RULES
from domain.incidents.workflow import IncidentAction as A
from domain.incidents.workflow import IncidentStatus
from domain.reference import Reference
from domain.sla.policy import Stage
from tests.domain.appeals.make import (
    CENTRE,
    CITY,
    HEATING,
    MANHOLE,
    MONDAY,
    OTHER,
    WATER,
    Life,
    ident,
    intake,
    principal,
    reference,
)

ACT = ActForm("[0-9]{1,6}/[0-9]{4}", "118/2026")
FENCED = ActForm("ҚА-[0-9]+", "ҚА-7")
LOOSE = ActForm("[0-9/]+", "7/2026")
TEXTS = {"kk": "Су жоқ", "ru": "Нет воды", "en": "No water"}


class Works:
    """An incident about some services, and an appeal about each service named."""

    def __init__(self, demanded: dict[str, dict[Stage, Need]], *, joined: tuple[str, ...] = ()):
        self.at = MONDAY
        said = reference()
        evidence = {(service, 1): needs for service, needs in demanded.items()}
        self.reference: Reference = replace(said, evidence={**said.evidence, **evidence})
        opened = Incident(
            ident("incident"), CITY, IncidentKind.OUTAGE, IncidentStatus.ACTIVE,
            Matching.SUGGESTED, True, tuple(demanded), Area(city=True), frozenset(), TEXTS, CENTRE,
            WATER, CENTRE, self.at, self.at,
        )  # fmt: skip
        change = bind_incident(
            opened, [IncidentFact(IncidentEventType.OPENED)], principal(Role.INSPECTOR), self.at
        )
        self.incident = change.incident
        self.history: list[IncidentEvent] = list(change.events)
        self.appeals = {service: self._joined(service) for service in joined}
        self.told: list[Event] = []
        self.act(A.ACCEPT, c.Accept())

    def _joined(self, service: str) -> Appeal:
        appeal = Life(self.at, self.reference).register(intake(service))
        self.at += timedelta(minutes=1)
        desk = Desk(principal(Role.INSPECTOR), self.reference, self.at)
        return bind(appeal, join(appeal, self.incident, desk, by="hand"), desk).appeal

    def act(self, action: A, command: c.Command) -> None:
        """What the executor does, and every joined appeal after it."""
        self.at += timedelta(minutes=1)
        who = principal(Role.EXECUTOR)
        step = RULES[action](self.incident, command, Desk(who, self.reference, self.at))
        change = bind_incident(step.incident, step.facts, who, self.at)
        self.incident = change.incident
        self.history.extend(change.events)
        acts = [event for event in self.history if event.act is not None]
        for service, appeal in self.appeals.items():
            caught = catch_up(appeal, self.incident, acts, self.reference)
            self.appeals[service] = caught.changes[-1].appeal if caught.changes else appeal
            self.told += [event for change in caught.changes for event in change.events]

    def secure(self, number: str | None = None) -> None:
        self.act(A.REPORT, c.Report(Stage.SECURE, act_number=number))

    def resolve(self, number: str | None = None) -> None:
        self.act(A.RESOLVE, c.Resolve("Жабылды", no_photo_reason="түн", act_number=number))

    def lacks(self, number: str | None = None) -> list[tuple[str, dict[str, object]]]:
        """What resolving with such a number is refused for."""
        with pytest.raises(EvidenceMissing) as refused:
            self.resolve(number)
        assert self.incident.status is IncidentStatus.ACTIVE
        told = [(one.rule, dict(one.params)) for one in refused.value.faults]
        assert all(params.pop("of") == "incident" for _, params in told)
        return told


def two_services(**more: tuple[str, ...]) -> Works:
    demanded = {
        MANHOLE: {Stage.RESOLVE: Need(act=ACT)},
        OTHER: {Stage.RESOLVE: Need(act=FENCED)},
    }
    return Works(demanded, **more)


def test_without_a_number_every_form_that_would_do_is_named():
    works = two_services()
    forms = {"example": "118/2026; ҚА-7"}
    assert works.lacks() == [("act-missing", forms)]
    assert works.lacks("?") == [("act-form", forms)]
    assert works.lacks("118/2026 ҚА-7") == [("act-form", forms)], "one number, of one form"


@pytest.mark.parametrize(("number", "done"), [("118/2026", MANHOLE), ("ҚА-7", OTHER)])
def test_an_act_of_either_form_resolves_the_incident_and_what_has_that_form(number, done):
    """Who publishes an incident names its services: for none of them does that choose the act."""
    works = two_services(joined=(MANHOLE, OTHER))
    works.resolve(number)
    assert works.incident.status is IncidentStatus.RESOLVED
    resolved = {code for code, one in works.appeals.items() if one.status is Status.RESOLVED}
    assert resolved == {done}


def test_an_appeal_of_a_service_that_the_incident_is_not_about_wants_its_own_act():
    demanded = {MANHOLE: {Stage.RESOLVE: Need(act=ACT)}}
    works = Works(demanded, joined=(MANHOLE, HEATING))
    evidence = {**works.reference.evidence, (HEATING, 1): {Stage.RESOLVE: Need(act=FENCED)}}
    works.reference = replace(works.reference, evidence=evidence)
    works.resolve("118/2026")
    assert works.appeals[MANHOLE].status is Status.RESOLVED
    assert works.appeals[HEATING].status is not Status.RESOLVED


def test_no_position_is_asked_for_and_the_register_says_why():
    """Nobody let it go: an incident has no one place that somebody could stand at."""
    works = Works({MANHOLE: {Stage.RESOLVE: Need(within=50, act=ACT)}}, joined=(MANHOLE,))
    works.resolve("118/2026")
    assert works.appeals[MANHOLE].status is Status.RESOLVED
    [done] = [one for one in works.told if one.type is EventType.RESOLVED]
    assert orjson.loads(done.canonical)["data"]["shown"] == {"placeless": True}


def two_stages(**more: tuple[str, ...]) -> Works:
    return Works({MANHOLE: {Stage.SECURE: Need(act=FENCED), Stage.RESOLVE: Need(act=ACT)}}, **more)


def test_a_stage_whose_act_is_of_another_form_is_named_to_be_reported_first():
    works = two_stages(joined=(MANHOLE,))
    of_secure = ("act-of-stage", {"stage": "secure", "example": "ҚА-7"})
    assert works.lacks("118/2026") == [of_secure]
    assert works.lacks("ҚА-7") == [("act-form", {"example": "118/2026"})]
    assert works.lacks() == [("act-missing", {"example": "118/2026"}), of_secure]
    works.secure("ҚА-7")
    works.resolve("118/2026")
    assert works.appeals[MANHOLE].status is Status.RESOLVED


def test_stages_of_different_services_have_acts_of_their_own():
    demanded = {
        MANHOLE: {Stage.SECURE: Need(act=FENCED)},
        OTHER: {Stage.RESOLVE: Need(act=ACT)},
    }
    works = Works(demanded, joined=(MANHOLE, OTHER))
    assert works.lacks("118/2026") == [("act-of-stage", {"stage": "secure", "example": "ҚА-7"})]
    works.secure("ҚА-7")
    works.resolve("118/2026")
    assert [one.status for one in works.appeals.values()] == [Status.RESOLVED, Status.RESOLVED]


def test_a_number_that_is_of_the_forms_of_both_stages_ends_both():
    demanded = {MANHOLE: {Stage.SECURE: Need(act=LOOSE), Stage.RESOLVE: Need(act=ACT)}}
    works = Works(demanded, joined=(MANHOLE,))
    works.resolve("118/2026")
    assert works.appeals[MANHOLE].status is Status.RESOLVED


def test_a_number_is_wanted_where_one_service_of_several_demands_it():
    demanded: dict[str, dict[Stage, Need]] = {MANHOLE: {Stage.RESOLVE: Need(act=ACT)}, OTHER: {}}
    assert Works(demanded).lacks() == [("act-missing", {"example": "118/2026"})]
