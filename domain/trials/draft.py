"""A city's agreements as they would be with a draft in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from domain.catalogue.changes import Changes, diff
from domain.catalogue.exchange import Draft as CatalogueDraft
from domain.catalogue.forms import Forms
from domain.catalogue.model import Service
from domain.law.model import Law
from domain.organisations.exchange import Draft as OrganisationsDraft
from domain.organisations.model import Organisation, Responsibility, Territory
from domain.organisations.routing import RoutingIndex
from domain.reference import Promises, Reference
from domain.sla.calendar import Calendar
from domain.sla.policy import Policy
from domain.trials.terms import same_hours, standing


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed on promises: the parts of one file. A part that is None stays."""

    calendars: Sequence[Calendar] = ()
    policies: Sequence[Policy] = ()
    by_channel: Mapping[str, str] | None = None
    law: Law | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The territories and rules behind a routing index, which does not tell them."""

    territories: Sequence[Territory]
    responsibilities: Sequence[Responsibility]


@dataclass(frozen=True, slots=True)
class Trial:
    """Two states of one city: `now` as it stands on a day, `drafted` as the draft has it.

    `rerouted` says whether any appeal could go another way.
    """

    now: Reference
    drafted: Reference
    changes: Changes | None
    rerouted: bool


def with_promises(reference: Reference, agreed: Agreed) -> Reference:
    """The reference with drafted calendars, policies and law in force, whatever day they name.

    What says the same as before keeps its version. `reference` holds standing promises.
    """
    known = reference.promises
    calendars = {code: calendar for (code, _), calendar in known.calendars.items()}
    policies = {code: policy for (code, _), policy in known.policies.items()}
    for calendar in agreed.calendars:
        former = calendars.get(calendar.code)
        if former is None or not same_hours(former, calendar):
            version = former.version + 1 if former else 1
            calendars[calendar.code] = replace(calendar, version=version)
    for policy in agreed.policies:
        before = policies.get(policy.code)
        if before is None or before.promises != policy.promises:
            version = before.version + 1 if before else 1
            drafted = replace(policy, version=version, effective_from=date.min)
            policies[policy.code] = drafted
    promises = Promises(
        {(p.code, p.version): p for p in policies.values()},
        {(c.code, c.version): c for c in calendars.values()},
        known.by_channel if agreed.by_channel is None else agreed.by_channel,
        known.laws if agreed.law is None else _laws(known.law(date.max), agreed.law),
    )
    return replace(reference, promises=promises)


def _laws(former: Law | None, drafted: Law) -> Mapping[int, Law]:
    if former is None:
        return {1: replace(drafted, version=1, effective_from=date.min)}
    same = replace(drafted, version=former.version, effective_from=former.effective_from)
    law = former if same == former else replace(same, version=former.version + 1)
    return {law.version: law}


def with_catalogue(
    reference: Reference, draft: CatalogueDraft, day: date
) -> tuple[Reference, Changes]:
    """The reference with a drafted catalogue, and what that changes from the day on."""
    changes = diff(reference.catalogue, draft, day=day)
    # Forms are kept by service and version, and versions of a draft are nobody's yet.
    catalogue = changes.applied(reference.catalogue)
    return replace(reference, catalogue=catalogue, forms=Forms()), changes


def with_organisations(
    reference: Reference, draft: OrganisationsDraft, drawn: Drawn, day: date
) -> Reference:
    """The reference with drafted organisations, territories and rules; the rules are all new.

    A rule that the draft brings or changes acts as though it had always stood, if it stands on
    the day when the whole draft does: the latest day on which one of them begins, else `day`.
    """
    organisations = {**reference.organisations, **{each.id: each for each in draft.organisations}}
    territories = {each.id: each for each in (*drawn.territories, *draft.territories)}
    routing = RoutingIndex(
        organisations=organisations.values(),
        districts=reference.districts.values(),
        streets=reference.streets.values(),
        buildings=reference.buildings.values(),
        territories=territories.values(),
        responsibilities=_as_in_force(draft.responsibilities, drawn.responsibilities, day),
        zone=reference.city.zone_info(),
    )
    return replace(reference, organisations=organisations, routing=routing)


def _as_in_force(
    drafted: Sequence[Responsibility], standing: Sequence[Responsibility], day: date
) -> list[Responsibility]:
    known: dict[UUID, Responsibility] = {rule.id: rule for rule in standing}
    fresh = [rule for rule in drafted if known.get(rule.id) != rule]
    day = max([day, *(rule.valid_from for rule in fresh if rule.valid_from)])
    always = [replace(rule, valid_from=None, valid_to=None) for rule in fresh if rule.in_force(day)]
    return [rule for rule in drafted if known.get(rule.id) == rule] + always


def on_trial(
    reference: Reference,
    drawn: Drawn,
    day: date,
    *,
    agreed: Agreed | None = None,
    catalogue: CatalogueDraft | None = None,
    organisations: OrganisationsDraft | None = None,
) -> Trial:
    """The city with and without a draft, which may have any of its parts."""
    now = replace(reference, promises=standing(reference.promises, day))
    drafted, changes = now, None
    if agreed is not None:
        drafted = with_promises(drafted, agreed)
    if catalogue is not None:
        drafted, changes = with_catalogue(drafted, catalogue, day)
    if organisations is not None:
        drafted = with_organisations(drafted, organisations, drawn, day)
    return Trial(now, drafted, changes, _reroutes(now, drafted))


def _reroutes(now: Reference, drafted: Reference) -> bool:
    if drafted.routing is not now.routing:
        return True
    if drafted.promises.calendars != now.promises.calendars:
        return True
    return any(
        service.code in now.catalogue
        and _routed_by(now.catalogue.service(service.code)) != _routed_by(service)
        for service in drafted.catalogue.services
    )


def _routed_by(service: Service) -> tuple[str, str, str]:
    return service.category, service.sphere, service.responsible


def organisations_of(trial: Trial) -> dict[UUID, Organisation]:
    """Everybody known to either state."""
    return {**trial.now.organisations, **trial.drafted.organisations}
