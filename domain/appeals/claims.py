"""Earlier appeals find the resident who made them: by the phone that a login verified."""

from dataclasses import replace
from datetime import datetime

from domain.access import Principal
from domain.appeals.desk import Desk, Step
from domain.appeals.model import Appeal, Applicant
from domain.appeals.use_cases import bind
from domain.events import EventType, Fact
from domain.ports import UnitOfWork
from domain.reference import Reference

AT_ONCE = 50


async def claim(
    phone: str, resident: Principal, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> int:
    """Give a portion of the city's appeals that bear a phone to the resident who verified it and
    consented; how many. The register tells it of each, as the resident's own act.

    The unit is the platform's own: before this the appeals do not exist for the resident.
    """
    desk = Desk(resident, reference, at)
    found = await uow.appeals.unclaimed(phone, AT_ONCE)
    for appeal in found:
        uow.appeals.save(bind(appeal, _claimed(appeal, desk), desk))
    return len(found)


def _claimed(appeal: Appeal, desk: Desk) -> Step:
    who = replace(appeal.applicant or Applicant(), citizen=desk.principal.citizen)
    fact = Fact(EventType.LINKED, {"by": "verified-phone"})
    return Step(replace(appeal, applicant=who), (fact,))
