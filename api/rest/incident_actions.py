"""The actions on an incident: one sub-resource for each row of its transition table."""

from collections.abc import Callable
from typing import Any

from pydantic import Field

from api.rest import fields as f
from api.rest.actions import AssignBody, NothingBody, ReasonBody, ReportBody, ResolveBody
from api.rest.incident_views import IncidentView
from api.rest.incidents import Numbers, TextsBody, incident_reply
from api.rest.operation import Call, Operation, Reply, UnitHandler
from domain.appeals import commands as c
from domain.incidents import commands as i
from domain.incidents.use_cases import join_appeals, part_appeals, perform
from domain.incidents.workflow import TRANSITIONS, IncidentAction
from domain.ports import UnitOfWork


class CloseBody(f.Body):
    """A note for colleagues, and what each resident is told when they are asked for their word."""

    note: f.LongText | None = None
    texts: TextsBody | None = None


class BroadcastBody(f.Body):
    """A word to the residents of all joined appeals."""

    texts: TextsBody


class JoinBody(f.Body):
    """Registration numbers of appeals."""

    appeals: Numbers = Field(min_length=1)


class PartBody(f.Body):
    """Registration numbers of appeals, and why they are about something else."""

    appeals: Numbers = Field(min_length=1)
    reason: f.LongText


def _resolve(body: ResolveBody) -> c.Resolve:
    return c.Resolve(body.text, body.evidence, body.no_photo_reason, None, body.act_number)


Make = Callable[[Any], i.IncidentCommand]
A = IncidentAction

BODIES: dict[IncidentAction, tuple[type[f.Body], Make]] = {
    A.START: (NothingBody, lambda b: i.Start()),
    A.ASSIGN: (AssignBody, lambda b: c.Assign(b.organisation, b.reason)),
    A.ACCEPT: (NothingBody, lambda b: c.Accept()),
    A.REPORT: (ReportBody, lambda b: c.Report(b.stage, b.note, b.attachments, None, b.act_number)),
    A.RESOLVE: (ResolveBody, lambda b: _resolve(b)),
    A.RETURN: (ReasonBody, lambda b: c.Return(b.reason)),
    A.CLOSE: (CloseBody, lambda b: i.Close(b.note, b.texts and b.texts.model_dump())),
    A.CANCEL: (ReasonBody, lambda b: i.Cancel(b.reason)),
    A.BROADCAST: (BroadcastBody, lambda b: i.Broadcast(b.texts.model_dump())),
}
"""Every action but `change`, a PATCH, and those that name appeals."""


def _handler(action: IncidentAction, make: Make) -> UnitHandler:
    async def act(call: Call, uow: UnitOfWork) -> Reply:
        incident = await perform(
            call.id("incident"),
            action,
            make(call.body),
            uow=uow,
            reference=call.reference,
            at=call.at,
            expected=call.if_match,
        )
        return incident_reply(incident, call)

    return act


async def _join(call: Call, uow: UnitOfWork) -> Reply:
    incident = await join_appeals(
        call.id("incident"),
        call.body.appeals,
        uow=uow,
        reference=call.reference,
        at=call.at,
        expected=call.if_match,
    )
    return incident_reply(incident, call)


async def _part(call: Call, uow: UnitOfWork) -> Reply:
    incident = await part_appeals(
        call.id("incident"),
        call.body.appeals,
        call.body.reason,
        uow=uow,
        reference=call.reference,
        at=call.at,
        expected=call.if_match,
    )
    return incident_reply(incident, call)


def _operation(action: IncidentAction, body: type[f.Body], act: UnitHandler) -> Operation:
    meaning = TRANSITIONS[action].meaning
    return Operation(
        f"{action}Incident",
        "POST",
        f"/v1/incidents/{{id}}/{action}",
        "Incidents",
        meaning[0].upper() + meaning[1:],
        writes=act,
        permission=TRANSITIONS[action].permission,
        body=body,
        answer=IncidentView,
        refusals=(404, 409, 412),
        etag=True,
        if_match=True,
    )


OPERATIONS = (
    *(_operation(action, body, _handler(action, make)) for action, (body, make) in BODIES.items()),
    _operation(A.JOIN, JoinBody, _join),
    _operation(A.PART, PartBody, _part),
)
