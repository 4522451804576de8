"""What the exchange asks of the city's own register, and of the state."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Protocol
from uuid import UUID

from domain.appeals.model import Appeal, Kind
from domain.eotinish.agreements import Agreements, Selection
from domain.eotinish.model import Case, Delivery, MessageState, Notice, Told
from domain.eotinish.reconciling import Theirs
from domain.law.kinds import AppealKind


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the state as it lies in the inbox; `document` is the signed content,
    `correlation` what its envelope says that it belongs to.
    """

    id: UUID
    document: bytes
    attempts: int
    correlation: str | None = None


class Exchange(Protocol):
    """The city's cases and what waits to be applied to them; all of it of the unit's city."""

    async def next(self, at: datetime) -> Received | None:
        """The oldest message whose turn it is, locked; those that others hold, and those before
        which one is missing, are left out.
        """

    async def case(self, number: str) -> Case | None:
        """The case of a national number; nobody else acts on that number until the unit ends."""

    async def case_of(self, appeal: Appeal) -> Case | None:
        """The case of an appeal that the unit has locked."""

    async def handed_in(self, own_number: str | None, correlation: str | None) -> str | None:
        """Our number of an appeal that was handed in and whose answer never came, by what the state
        names of it: that number, or the id of the appeal or of the message that handed it in.
        """

    async def unanswered(self, kinds: Sequence[tuple[Kind, AppealKind | None]]) -> Sequence[str]:
        """The words of the appeals of these kinds that were handed in and await their answer."""

    async def is_applied(self, number: str, version: int) -> bool:
        """Whether a message of this version was applied to the case."""

    async def open(self, case: Case, at: datetime) -> None:
        """A new case. Its appeal is written by the same unit."""

    async def save(self, case: Case) -> None:
        """Keep what changed of a case."""

    async def settle(
        self, received: UUID, told: Told, state: MessageState, at: datetime, case: Case
    ) -> None:
        """The message is over: applied to `case`, or a repeat."""

    async def expect(self, case: Case, identifiers: Sequence[str], at: datetime) -> None:
        """Files that the state names in a case are to be fetched, each once."""

    async def awaits(self, file: UUID) -> bool:
        """Whether a file is still to come; then nobody else brings it until the unit ends."""

    async def has_file(self, appeal: Appeal, hashes: Collection[str]) -> bool:
        """Whether a file of one of these hashes (hex SHA-256) is attached to an appeal."""

    async def settle_file(self, file: UUID, state: MessageState, at: datetime) -> None:
        """The file is over: attached, or there already."""

    async def judge(
        self, id: UUID, state: MessageState, reason: str, judge: UUID, at: datetime
    ) -> None:
        """What an inspector makes of a message in quarantine. Raises NotFound, and Conflict for the
        release of a file that cannot travel.
        """

    async def release(self, fault: str, reason: str, judge: UUID, at: datetime) -> "Released":
        """Let the oldest messages in quarantine go that one fault brought there."""


@dataclass(frozen=True, slots=True)
class Released:
    """How many messages were let go, and how many of the same fault lie there still."""

    released: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to the state that may be sent now by the holder of its lease, the `attempt`-th
    time.
    """

    id: UUID
    appeal: UUID
    notice: Notice
    attempt: int
    lease: datetime


@dataclass(frozen=True, slots=True)
class Noted:
    """What the gateway said when it took a message: its id there; and whether that means no more
    than taken (`on_its_way`), so that it has to be asked what became of it.
    """

    id: str
    on_its_way: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that the gateway took as `message` at `sent_at`, and of which it is asked now the
    `asked`-th time by the holder of the claim's lease.
    """

    claimed: Claimed
    message: str
    sent_at: datetime
    asked: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message of the state as it came: `document` is its data; what could not be read is None."""

    message_id: str
    correlation_id: str | None
    document: bytes
    number: str | None = None
    version: int | None = None
    tale: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that may be fetched now by the holder of its lease, the `attempt`-th time.

    `identifier` is what the state's store calls it, `id` what its attachment will be called here.
    """

    id: UUID
    own_number: str
    identifier: str
    attempt: int
    lease: datetime


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file as the state's store gave it; `media_type` is what whoever laid it there claims."""

    name: str
    media_type: str | None
    content: bytes


class Gateway(Theirs, Protocol):
    """One city's line to the state. Calls raise GatewayFault, and Poison for a message that the
    contract does not allow.
    """

    async def register(self, id: str, correlation: str, values: Mapping[str, object]) -> str:
        """Hand an appeal in; its national number. The same id again brings the same number."""

    async def notify(
        self, notice: Notice, id: str, correlation: str, values: Mapping[str, object]
    ) -> Noted:
        """Tell what followed; what the gateway calls the message."""

    async def delivery(self, message: str) -> Delivery:
        """What became of a message that the gateway took."""

    async def upload(self, id: str, name: str, media_type: str, content: bytes) -> str:
        """Lay a file where the state finds it; its identifier there. The fault of one that no
        message can carry is `left_behind.TOO_LARGE`.
        """

    async def download(self, identifier: str) -> Downloaded:
        """A file that lies there, as the state names it."""

    async def fetch(self, amount: int) -> Sequence[Arrived]:
        """Messages that wait for the city; they come again until they are accepted."""

    async def accept(self, message_id: str) -> None:
        """Say that a message is kept here."""

    def read(self, document: bytes) -> Told:
        """What a message tells. Raises Poison."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a city exchanges: calls at once, seconds between tries and between looks at what waits,
    how long a call may take, when at night the registers are compared (the city's own time), and
    for how many hours the gateway is asked what became of a message (0: taken is delivered).
    """

    concurrency: int
    retry_seconds: float
    poll_seconds: float
    timeout_seconds: float
    reconcile_at: time
    delivery_hours: float = 24.0


@dataclass(frozen=True, slots=True)
class Line:
    """A city's line: with whom, by which words, how, and which appeals go out."""

    city: str
    gateway: Gateway
    agreements: Agreements
    selection: Selection
    manners: Manners
