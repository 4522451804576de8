"""The core's shopping list: what the use cases ask of the world, as protocols.

Adapters stand in integrations/ and meet these protocols in api/bootstrap.py alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.access import Principal
from domain.appeals.model import Appeal, Applicant, Change
from domain.consultations.model import Consultation
from domain.eotinish.ports import Exchange
from domain.incidents.model import Incident, IncidentChange, IncidentEvent
from domain.members.ports import Clients, Firms, Invitations, Members
from domain.reference import Reference
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock
from domain.webhooks.model import Endpoint
from domain.webhooks.replay import Replay

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Upload:
    """A cleaned file in the store, waiting for an appeal. Hashes are hex SHA-256."""

    id: UUID
    kind: str
    media_type: str
    filename: str
    size: int
    sha256: str
    original_sha256: str
    width: int | None
    height: int | None
    storage_key: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TakenFile:
    """What an act needs to know of an upload that it takes: its kind, the SHA-256 (hex) of the
    file as the sender had it, whether the city was shown the same file before, when it was
    uploaded (None where that was judged already), and the SHA-256 of the file as it is kept (None
    where an act of before tells of it).
    """

    kind: str
    original_sha256: str
    seen: bool = False
    uploaded_at: datetime | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A text to several people, and one file of text beside it where it has a name."""

    to: tuple[str, ...]
    subject: str
    text: str
    filename: str = ""
    attached: str = ""


class Mailer(Protocol):
    """Takes letters to their post office."""

    async def send(self, letter: Letter) -> None:
        """Hand it over. Raises OSError when it is not taken."""


class Keyring(Protocol):
    """Keys for what can name a person (law 6)."""

    def seal(self, value: bytes) -> bytes:
        """The value, unreadable without the key."""

    def open(self, sealed: bytes) -> bytes:
        """What was sealed."""

    def index(self, value: str) -> bytes:
        """A blind index: equal values find each other, nothing else is learnt."""

    def lookups(self, value: str) -> Sequence[bytes]:
        """Every blind index that the value may stand under: two while the key is changed."""


class Numbers(Protocol):
    """Registration numbers without gaps and without a lock that callers wait for."""

    async def take(self, city: UUID, year: int) -> int:
        """The next number; it returns to the pool if the unit of work does not commit."""


class Appeals(Protocol):
    """The appeals that the principal may see; others do not exist for it."""

    async def get(self, number: str) -> Appeal:
        """The appeal, locked until the unit ends. Raises NotFound."""

    def add(self, change: Change, number: int, year: int) -> None:
        """A new appeal with its first events."""

    def save(self, change: Change) -> None:
        """What an act did to an appeal that was read in this unit."""

    async def due(
        self, at: datetime, limit: int, skipping: Collection[UUID] = ()
    ) -> Sequence[Appeal]:
        """Appeals with a reminder or the end of a pause due by `at`, locked; those that others
        hold, and those of `skipping`, are left out.
        """

    async def unclaimed(self, phone: str, limit: int) -> Sequence[Appeal]:
        """Appeals with this phone (E.164) and no citizen, oldest first, locked; none anonymous."""

    async def counting_by(
        self,
        calendar: str,
        before: int,
        limit: int,
        after: UUID | None,
        also: Collection[str] = (),
    ) -> "Counting":
        """Appeals with an open clock by a version of the calendar below `before`, or of the law's
        by one of `also`, by id, locked; those that others hold are left out.
        """


@dataclass(frozen=True, slots=True)
class History:
    """The clocks of an appeal as they are stored, and the events that they follow from."""

    id: UUID
    number: str
    city: UUID
    clocks: tuple[Clock, ...]
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Counting:
    """A portion of appeals, each with the events that its clocks follow from.

    `last` is the id to go on after, None where there are no more; `held` were left out.
    """

    appeals: Sequence[tuple[Appeal, Sequence[Mapping[str, Any]]]]
    last: UUID | None
    held: int


class Attachments(Protocol):
    """Uploads of the principal that no appeal has yet."""

    async def take(self, ids: Sequence[UUID]) -> Mapping[UUID, TakenFile]:
        """Those of `ids` that the principal uploaded and no appeal has yet; locked until the
        unit ends.
        """

    async def add(self, upload: Upload) -> None:
        """Keep what was uploaded, until an appeal takes it.

        Raises Conflict when an upload of this id is kept already.
        """


class Incidents(Protocol):
    """The incidents that the principal may see; others do not exist for it."""

    async def get(self, id: UUID) -> Incident:
        """The incident, locked until the unit ends. Raises NotFound.

        Whoever locks appeals as well locks them first.
        """

    async def add(self, change: IncidentChange) -> None:
        """A new incident with its first events; subscribers are told."""

    async def save(self, change: IncidentChange) -> None:
        """What an act did to an incident that was read in this unit; subscribers are told."""

    async def to_start(self, at: datetime, limit: int) -> Sequence[Incident]:
        """Announced incidents whose time has come by `at`, locked; those that others hold are
        left out.
        """

    async def past(self, ids: Collection[UUID], at: datetime) -> Sequence[tuple[Incident, bool]]:
        """Those of these that run past their expected end at `at`, locked, each with whether its
        history tells so since; those that others hold are left out.
        """

    async def lagging(self, limit: int, skipping: Collection[UUID] = ()) -> Sequence[Appeal]:
        """Joined appeals that have acts of their incident to follow, locked; those that others
        hold, and those of `skipping`, are left out.
        """

    async def acts(
        self, ids: Collection[UUID]
    ) -> Mapping[UUID, tuple[Incident, Sequence[IncidentEvent]]]:
        """Incidents as they stand, each with the acts that joined appeals follow, in order."""

    async def followed(self, appeals: Collection[UUID], act: int) -> None:
        """That these appeals, locked, have followed the acts up to this one: it was none of theirs
        to do anything after.
        """

    async def share(self, appeal: UUID, evidence: Collection[UUID]) -> None:
        """Show the evidence of an incident with an appeal."""


class Endpoints(Protocol):
    """Webhook endpoints of the principal's organisation."""

    async def list(self) -> Sequence[Endpoint]:
        """All of them, oldest first."""

    async def get(self, id: UUID) -> Endpoint:
        """One of them. Raises NotFound."""

    async def add(self, endpoint: Endpoint) -> None:
        """Keep a new one."""

    async def save(self, endpoint: Endpoint) -> None:
        """Keep a changed one. Raises NotFound."""

    async def mend(self, id: UUID, *, at: datetime) -> None:
        """Let its health begin anew: it is tried at once (domain/webhooks/health.py: anew)."""

    async def remove(self, id: UUID, *, at: datetime) -> None:
        """Take it out of use; its deliveries end as cancelled. Raises NotFound."""

    async def send(self, endpoint: Endpoint, type: str, payload: bytes, *, at: datetime) -> UUID:
        """Put a message on its way to one endpoint alone; the delivery's id. Raises Conflict where
        as many tests wait as may.
        """

    async def retry(self, delivery: UUID, *, at: datetime) -> None:
        """Put a delivery that is over, or waits, on its way at once. Raises NotFound, Conflict."""

    async def count(self, id: UUID, asked: Replay, *, at: datetime) -> int:
        """How many deliveries of an endpoint a replay would send again."""

    async def replay(self, id: UUID, asked: Replay, *, at: datetime) -> int:
        """Put at most Replay.MOST of them on their way again, the oldest; how many."""


class Consultations(Protocol):
    """Questions that were answered without a case in the register."""

    async def add(self, consultation: Consultation) -> bool:
        """Keep one, for good; False where one of this id is kept already."""


class Calendars(Protocol):
    """The working calendars of the principal's city, as rows of the catalogue's form."""

    async def newest(self, code: str) -> tuple[int, Mapping[str, Any]] | None:
        """The newest version of a calendar and its row; None for one that there is not."""

    async def add(self, calendar: Calendar, content: Mapping[str, Any], *, at: datetime) -> None:
        """Keep a next version; every process reads it within about a second.

        Raises Conflict when somebody wrote that version meanwhile.
        """


class Citizens(Protocol):
    """What the city knows of its residents."""

    async def applicant(self, citizen: UUID) -> Applicant:
        """Name and contacts of a citizen. Raises NotFound."""

    async def with_iin(self, iin: str) -> UUID | None:
        """The resident with an IIN; None where the city has not met them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer to a call with an Idempotency-Key, kept to be given again."""

    key: str
    fingerprint: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


class UnitOfWork(Protocol):
    """One transaction of one principal; what is not committed did not happen."""

    @property
    def principal(self) -> Principal:
        """On whose behalf."""

    @property
    def appeals(self) -> Appeals:
        """Appeals."""

    @property
    def attachments(self) -> Attachments:
        """Uploads."""

    @property
    def calendars(self) -> Calendars:
        """Working calendars."""

    @property
    def citizens(self) -> Citizens:
        """Residents."""

    @property
    def consultations(self) -> Consultations:
        """Consultations."""

    @property
    def endpoints(self) -> Endpoints:
        """Webhook endpoints."""

    @property
    def exchange(self) -> Exchange:
        """The exchange with the national register."""

    @property
    def incidents(self) -> Incidents:
        """Incidents."""

    @property
    def members(self) -> Members:
        """Members of organisations."""

    @property
    def invitations(self) -> Invitations:
        """Invitations to become one."""

    @property
    def firms(self) -> Firms:
        """Organisations taken in one by one."""

    @property
    def clients(self) -> Clients:
        """Programs with credentials of their own."""

    @property
    def numbers(self) -> Numbers:
        """Registration numbers."""

    async def commit(self, answer: Answer | None = None) -> None:
        """Make it so, together with the answer to be remembered.

        Raises VersionConflict when an appeal changed meanwhile, and KeyTaken when the
        Idempotency-Key was used before.
        """


class KeyTaken(Exception):
    """The Idempotency-Key stands already: the first answer holds."""


class References(Protocol):
    """The cities' reference snapshots, kept fresh by the adapter."""

    def of(self, city: UUID) -> Reference:
        """The newest snapshot known. Raises Unavailable before the first was read."""
