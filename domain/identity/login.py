"""How somebody logs in through others: depart to a provider, arrive as a person, decide, go back.

Nothing is a client's before the person has said yes, and nothing a provider told is believed for
more than it vouches for: an organisation's own provider lets its own members in and nobody else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access import NOBODY, Role
from domain.identity.attempts import Arrived, Attempts, Departed, Purpose, new_secret
from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.model import Person, Subject
from domain.identity.ports import Asked, Authorizations, IdentityProvider, People
from domain.values import LocalizedText

ACCESS_DENIED = "access_denied"
"""What a client is told of a person who said no (RFC 6749 §4.1.2.1)."""

_BY_ERROR = {ACCESS_DENIED: LoginReason.CONSENT_REFUSED}


@dataclass(frozen=True, slots=True)
class Way:
    """A provider, and who may come through it.

    `organisations`: whose own provider it is, as `city/organisation` by their codes; none: it
    vouches for everybody, as the state's does.
    """

    provider: IdentityProvider
    names: LocalizedText
    residents: bool
    staff: bool
    organisations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Home:
    """The organisation of a member: its key `city/organisation`, and its names."""

    key: str
    names: LocalizedText


@dataclass(frozen=True, slots=True)
class Reception:
    """Everything that a login needs. `home_of` finds a member's organisation, None where the city
    no longer knows it; `base_url` begins the addresses that providers send people back to.
    """

    ways: Mapping[str, Way]
    attempts: Attempts
    people: People
    authorizations: Authorizations
    home_of: Callable[[Subject], Home | None]
    base_url: str

    def callback(self, provider: str) -> str:
        """Where a provider sends people back: an address of its own, so that no other provider's
        answer is taken for its (RFC 9700 §4.4.2).
        """
        return f"{self.base_url}/login/callback/{provider}"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a person is asked once it is known who they are.

    `asked` is what the client wants, None for an invitation; `linkable` how many earlier appeals
    bear their phone; `memberships` what they may act as, several where they must choose.
    """

    person: Person
    asked: Asked | None = None
    linkable: int = 0
    memberships: tuple[tuple[Subject, Home], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided: as which member, and whether earlier appeals become theirs."""

    member: UUID | None = None
    link: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the browser goes to `url`, or somebody `joined` an organisation."""

    url: str | None = None
    joined: Subject | None = None
    linked: int = 0


def ways_in(reception: Reception, asked: Asked | None) -> tuple[Way, ...]:
    """The ways in for what is asked; None asks as an invitation does, for staff.

    Raises LoginRefused (PROVIDER_UNKNOWN) where there is none.
    """
    staff = asked is None or asked.staff
    found = tuple(way for way in reception.ways.values() if (way.staff if staff else way.residents))
    if not found:
        raise LoginRefused("", LoginReason.PROVIDER_UNKNOWN)
    return found


def way_named(ways: Iterable[Way], code: str) -> Way:
    """The way of a code. Raises LoginRefused (PROVIDER_UNKNOWN)."""
    for way in ways:
        if way.provider.code == code:
            return way
    raise LoginRefused(code, LoginReason.PROVIDER_UNKNOWN)


async def depart(reception: Reception, way: Way, purpose: Purpose, browser: str) -> str:
    """Where the browser goes to log in. Raises LoginRefused."""
    state, nonce, code = new_secret(), new_secret(), way.provider.code
    departure = await way.provider.depart(
        state=state,
        nonce=nonce,
        redirect_uri=reception.callback(code),
        language=purpose.language,
    )
    step = Departed(code, purpose, nonce, departure.verifier)
    await reception.attempts.departed(state, browser, step)
    return departure.url


async def returned(
    reception: Reception, *, provider: str, state: str, browser: str
) -> tuple[Way, Departed]:
    """The departure that somebody came back from, taken once.

    Raises LoginRefused: PROVIDER_UNKNOWN, or STATE_UNKNOWN for a state that is unknown, old, used,
    or another browser's (somebody sent their own answer to a stranger).
    """
    way = way_named(reception.ways.values(), provider)
    step = await reception.attempts.returned(state, browser, provider)
    if step is None:
        raise LoginRefused(provider, LoginReason.STATE_UNKNOWN)
    return way, step


async def arrive(
    reception: Reception,
    way: Way,
    step: Departed,
    browser: str,
    *,
    code: str | None,
    error: str | None,
    at: datetime,
) -> tuple[str, Offer]:
    """The ticket of the form, and what it asks. Raises LoginRefused, NotFound."""
    if error is not None or code is None:
        reason = _BY_ERROR.get(error or "", LoginReason.PROVIDER_FAILED)
        raise LoginRefused(step.provider, reason)
    person = await way.provider.arrive(
        code=code,
        redirect_uri=reception.callback(step.provider),
        nonce=step.nonce,
        verifier=step.verifier,
    )
    arrival = Arrived(step.provider, step.purpose, person)
    found = await offer(reception, arrival, at)
    ticket = new_secret()
    await reception.attempts.arrived(ticket, browser, arrival)
    return ticket, found


async def offer(reception: Reception, arrival: Arrived, at: datetime) -> Offer:
    """What a person is asked. Raises LoginRefused (NOT_A_MEMBER), NotFound for a request that
    ended meanwhile.
    """
    person, handle = arrival.person, arrival.purpose.handle
    if handle is None:
        return Offer(person)
    asked = await reception.authorizations.asked(handle)
    if asked.staff:
        return Offer(person, asked, memberships=await _memberships(reception, asked, arrival))
    resident = await reception.people.resident(asked.city, person, at)
    return Offer(person, asked, linkable=await reception.people.linkable(resident, person))


async def decided(reception: Reception, *, ticket: str, browser: str) -> Arrived:
    """The arrival that a form answers, taken once. Raises LoginRefused (STATE_UNKNOWN)."""
    arrival = await reception.attempts.decided(ticket, browser)
    if arrival is None or arrival.provider not in reception.ways:
        raise LoginRefused("", LoginReason.STATE_UNKNOWN)
    return arrival


async def agree(reception: Reception, arrival: Arrived, choice: Choice, at: datetime) -> Outcome:
    """The person said yes. Raises LoginRefused, NotFound, Conflict (of an invitation)."""
    person, purpose = arrival.person, arrival.purpose
    if purpose.handle is None:
        invitation = purpose.invitation or ""
        await _may_vouch(reception, arrival, invitation)
        return Outcome(joined=await reception.people.redeem(invitation, person, at))
    asked = await reception.authorizations.asked(purpose.handle)
    linked = 0
    if asked.staff:
        subject = _chosen(await _memberships(reception, asked, arrival), choice, arrival)
    else:
        subject = await reception.people.resident(asked.city, person, at)
        if choice.link:
            linked = await reception.people.link(subject, person, at)
    url = await reception.authorizations.grant(purpose.handle, subject, asked.scopes, at)
    return Outcome(url=url, linked=linked)


async def decline(reception: Reception, handle: str, at: datetime) -> str:
    """The person said no; where the browser goes. Raises NotFound."""
    return await reception.authorizations.refuse(handle, ACCESS_DENIED, at)


async def _may_vouch(reception: Reception, arrival: Arrived, invitation: str) -> None:
    """An organisation's own provider lets people into that organisation alone.

    Raises LoginRefused; the invitation is left for whom it was meant.
    """
    vouched = reception.ways[arrival.provider].organisations
    place = await reception.people.invited_to(invitation) if vouched else None
    if place is None:
        return
    city, organisation = place
    home = reception.home_of(Subject(NOBODY, city, Role.EXECUTOR, organisation))
    if home is None or home.key not in vouched:
        raise LoginRefused(arrival.provider, LoginReason.NOT_A_MEMBER)


async def _memberships(
    reception: Reception, asked: Asked, arrival: Arrived
) -> tuple[tuple[Subject, Home], ...]:
    """What the person may act as, by the word of this provider. Raises LoginRefused."""
    vouched = reception.ways[arrival.provider].organisations
    found = []
    for subject in await reception.people.members(asked.city, arrival.person):
        home = reception.home_of(subject)
        if home is not None and (not vouched or home.key in vouched):
            found.append((subject, home))
    if not found:
        raise LoginRefused(arrival.provider, LoginReason.NOT_A_MEMBER)
    return tuple(found)


def _chosen(
    memberships: tuple[tuple[Subject, Home], ...], choice: Choice, arrival: Arrived
) -> Subject:
    """The membership that was chosen; the only one where there is one."""
    if choice.member is None and len(memberships) == 1:
        return memberships[0][0]
    for subject, _ in memberships:
        if subject.id == choice.member:
            return subject
    raise LoginRefused(arrival.provider, LoginReason.NOT_A_MEMBER)
