"""What the state tells is applied here: once, in the order of its versions, in one unit of work
with the mark that it was applied. So a worker that dies in the middle has applied nothing, and
one that comes again finds it still to be done.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.access import Permission, Principal, Role
from domain.appeals.commands import Intake, Whereabouts
from domain.appeals.desk import Desk, Step
from domain.appeals.intake import enter
from domain.appeals.model import Appeal, Applicant, Channel
from domain.appeals.use_cases import bind
from domain.eotinish.agreements import Agreements
from domain.eotinish.left_behind import LEFT_BEHIND, as_we_wrote
from domain.eotinish.model import (
    STATE,
    Case,
    MessageState,
    Origin,
    Poison,
    Tale,
    Told,
    TooEarly,
)
from domain.eotinish.ports import Received, Released
from domain.eotinish.rules import follow, numbered
from domain.errors import Conflict, Invalid
from domain.identity.iin import IinMalformed, parse_iin
from domain.identity.model import Person
from domain.incidents.history import tell_of_refusal
from domain.ports import UnitOfWork
from domain.reference import Reference


def state_of(city: UUID) -> Principal:
    """The national register, as the city's own register names it."""
    return Principal(STATE, Role.SYSTEM, city, "e-Өтініш")


PATIENCE = 40
"""Tries of what may be an appeal of ours whose answer has not come: some five hours."""
PROVIDER = "e-otinish"
"""Who told of a person that never logged in here."""


class Unmet(Exception):
    """An appeal is that of a resident whom the city has not met: once it has, the message is tried
    again. Residents are made where logins make them, and behind the same wall.
    """

    def __init__(self, person: Person) -> None:
        super().__init__("a resident that the city has not met")
        self.person = person


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a message."""

    received: UUID
    state: MessageState
    told: Told
    appeal: UUID


async def apply(
    received: Received,
    told: Told,
    *,
    uow: UnitOfWork,
    reference: Reference,
    agreements: Agreements,
    at: datetime,
) -> Applied:
    """Apply one message; the caller commits. Raises Poison for what can never be applied, TooEarly
    for what has to wait, Unmet for a resident to be met first, and whatever the rules refuse.
    """
    case = await uow.exchange.case(told.number)
    if case is None:
        case = await _ours(received, told, uow, agreements)
    if case is None:
        return await _begin(received.id, told, uow, reference, agreements, at)
    if await uow.exchange.is_applied(told.number, told.version):
        await uow.exchange.settle(received.id, told, MessageState.REPEATED, at, case)
        return Applied(received.id, MessageState.REPEATED, told, case.appeal)
    if told.version > case.version + 1:
        raise TooEarly
    appeal = await uow.appeals.get(case.own_number)
    desk = Desk(uow.principal, reference, at)
    # One that was released late says nothing of how the case stands now.
    newest = told.version >= case.version
    change = bind(appeal, _heard(appeal, told, desk, newest=newest), desk)
    uow.appeals.save(change)
    if change.appeal.reopened > appeal.reopened:
        await tell_of_refusal(change.appeal, uow, at)
    after = replace(
        case,
        version=max(case.version, told.version),
        state=(told.text("state") if newest else None) or case.state,
        deadline=(told.at("deadline") if newest else None) or case.deadline,
    )
    await uow.exchange.save(after)
    await uow.exchange.expect(after, told.files, at)
    await uow.exchange.settle(received.id, told, MessageState.DONE, at, after)
    return Applied(received.id, MessageState.DONE, told, case.appeal)


def _heard(appeal: Appeal, told: Told, desk: Desk, *, newest: bool) -> Step:
    """What a message does; first of all it may be the one that brings the number."""
    first = numbered(appeal, told.number)
    if first is None:
        return follow(appeal, told, desk, newest=newest)
    step = follow(first.appeal, told, desk, newest=newest)
    return replace(step, facts=(*first.facts, *step.facts))


async def _ours(
    received: Received, told: Told, uow: UnitOfWork, agreements: Agreements
) -> Case | None:
    """The case of an appeal that the city handed in itself, and that the state assigns to it before
    the answer came that would have brought the number: it is the same appeal, and no second one.
    Raises TooEarly where the state does not say whose it is, and that answer will, PATIENCE times.
    """
    if told.tale is not Tale.ASSIGNED or agreements.is_child(told.number):
        return None
    own = await uow.exchange.handed_in(told.text("own_number"), received.correlation)
    if own is not None:
        case = await uow.exchange.case_of(await uow.appeals.get(own))
        # Its answer may have come meanwhile, with another number.
        return replace(case, number=told.number) if case and case.number is None else None
    waiting = await uow.exchange.unanswered(agreements.named(told.text("type") or ""))
    words = told.text("text") or ""
    # An answer that has not come by then will not: others may have written the same words.
    if received.attempts < PATIENCE and any(as_we_wrote(words, one) for one in waiting):
        raise TooEarly
    return None


async def take_number(
    own_number: str, number: str, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> None:
    """The national register took an appeal: keep its number. The caller commits. Raises Poison."""
    other = await uow.exchange.case(number)
    appeal = await uow.appeals.get(own_number)
    if other is not None and other.appeal != appeal.id:
        raise Poison("number-of-another", number)
    step = numbered(appeal, number)
    if step is not None:
        uow.appeals.save(bind(appeal, step, Desk(uow.principal, reference, at)))
    case = await uow.exchange.case_of(appeal)
    if case is not None and case.number != number:
        await uow.exchange.save(replace(case, number=number))


async def judge(
    id: UUID, state: MessageState, reason: str, *, uow: UnitOfWork, at: datetime
) -> None:
    """Release a message from quarantine (PENDING) or drop it. Raises NotPermitted, NotFound, and
    Conflict for the release of a file that cannot travel.
    """
    uow.principal.require(Permission.JUDGE_EXCHANGE)
    await uow.exchange.judge(id, state, reason, uow.principal.id, at)


async def release_all(fault: str, reason: str, *, uow: UnitOfWork, at: datetime) -> Released:
    """Release what one fault brought into quarantine, the oldest first. Raises NotPermitted, and
    Conflict for files that cannot travel.
    """
    uow.principal.require(Permission.JUDGE_EXCHANGE)
    if fault == LEFT_BEHIND:
        raise Conflict(reason="file-left-behind")
    return await uow.exchange.release(fault, reason, uow.principal.id, at)


async def _begin(
    received: UUID,
    told: Told,
    uow: UnitOfWork,
    reference: Reference,
    agreements: Agreements,
    at: datetime,
) -> Applied:
    """An appeal that the state assigns to the city is registered like any other."""
    if told.tale is not Tale.ASSIGNED:
        raise TooEarly
    if agreements.number.fullmatch(told.number) is None:
        raise Poison("number-malformed", told.number)
    intake = await _of_a_resident(intake_of(told, agreements, reference), told, uow)
    try:
        appeal = await enter(intake, uow=uow, reference=reference, at=at)
    except Invalid as refused:
        rules = ", ".join(f"{one.pointer} {one.rule}" for one in refused.faults)
        raise Poison("not-registrable", rules) from refused
    case = Case(
        appeal.id, appeal.city, appeal.number, Origin.STATE, told.number,
        told.text("state"), told.version, told.at("deadline"),
    )  # fmt: skip
    await uow.exchange.open(case, at)
    await uow.exchange.expect(case, told.files, at)
    await uow.exchange.settle(received, told, MessageState.DONE, at, case)
    return Applied(received, MessageState.DONE, told, appeal.id)


async def _of_a_resident(intake: Intake, told: Told, uow: UnitOfWork) -> Intake:
    """The intake as that of the resident whose IIN the state tells, so that they see it when they
    log in; nobody whose IIN is told is anonymous. What the state leaves out of their name and
    contacts is as they are known here. Raises Unmet.
    """
    iin = iin_of(told)
    if iin is None:
        return intake
    citizen = await uow.citizens.with_iin(iin)
    if citizen is None:
        raise Unmet(Person(PROVIDER, iin, iin, name=told.text("name"), email=told.text("email")))
    known, said = await uow.citizens.applicant(citizen), intake.applicant or Applicant()
    who = Applicant(
        citizen, said.name or known.name, said.phone or known.phone, said.email or known.email
    )
    return replace(intake, applicant=who, anonymous=False)


def iin_of(told: Told) -> str | None:
    """The applicant's IIN; None where the state tells none, or what is no person's number."""
    try:
        return parse_iin(told.text("iin") or "").digits
    except IinMalformed:
        return None


def intake_of(told: Told, agreements: Agreements, reference: Reference) -> Intake:
    """The appeal that an assignment tells of. Raises Poison."""
    kind = agreements.kind_of(told.text("type"))
    if kind is None:
        raise Poison("unknown-type", told.text("type") or "")
    text = told.text("text")
    if not text:
        raise Poison("no-text")
    applicant = Applicant(
        name=told.text("name"), phone=_phone(told.text("phone")), email=told.text("email")
    )
    return Intake(
        service=_service(told, agreements, reference),
        kind=kind,
        channel=Channel.E_OTINISH,
        language=agreements.language_of(told.text("language")),
        text=text,
        where=Whereabouts(address=told.text("address") or told.text("region")),
        applicant=None if applicant == Applicant() else applicant,
        anonymous=applicant == Applicant(),
        national_number=told.number,
        appeal_kind=agreements.laws.get(told.text("type") or ""),
        received_at=told.at("at"),
        state_deadline=told.at("deadline"),
    )


def _service(told: Told, agreements: Agreements, reference: Reference) -> str:
    """The service that a category is agreed to be, unless its form asks what nobody was asked."""
    code = agreements.service_of(told.text("category"))
    if code != agreements.service and code in reference.catalogue:
        service = reference.catalogue.service(code)
        if not reference.forms.faults(service, {}):
            return code
    return agreements.service


def _phone(said: str | None) -> str | None:
    """A Kazakh number as E.164; None for anything else: the appeal's text keeps what was said."""
    digits = re.sub(r"[^0-9]", "", said or "")
    found = re.fullmatch(r"[78]?(7[0-9]{9})", digits)
    return f"+7{found.group(1)}" if found else None
