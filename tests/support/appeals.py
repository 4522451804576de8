"""Appeals, endpoints and acts, as tests want them: what matters is named, the rest hidden."""

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from api.bootstrap import House
from domain.access import Role
from domain.appeals import intake as intakes
from domain.appeals import use_cases
from domain.appeals.commands import Classify, Command, Intake, Whereabouts
from domain.appeals.desk import Desk
from domain.appeals.model import Appeal, Applicant, Channel, Kind
from domain.appeals.workflow import Action
from domain.eotinish.model import Told
from domain.eotinish.rules import follow
from domain.eotinish.use_cases import state_of
from domain.law.kinds import AppealKind
from domain.ports import Upload
from domain.values import Language, new_id
from domain.webhooks.model import Endpoint, Secret
from domain.webhooks.secrets import new_secret
from tests.support.city import KISHI, MANHOLE, MANHOLE_ANSWERS, SmallCity

SECRET = new_secret(bytes(range(32)))


def make_intake(city: SmallCity = KISHI, **changes: Any) -> Intake:
    """A resident calls about an open manhole before house 12."""
    said: dict[str, Any] = {
        "service": MANHOLE,
        "kind": Kind.COMPLAINT,
        "channel": Channel.PHONE,
        "language": Language.KK,
        "text": "Жолда люк ашық тұр, қақпағы жоқ",
        "where": Whereabouts(building=city.house),
        "answers": MANHOLE_ANSWERS,
        "applicant": Applicant(None, "Айгүл Серікова", "+77015550109", None),
    }
    return Intake(**said | changes)


async def register(
    house: House,
    *,
    city: SmallCity = KISHI,
    role: Role = Role.OPERATOR,
    at: datetime | None = None,
    **changes: Any,
) -> Appeal:
    """Register one appeal, committed."""
    if role is Role.CITIZEN:
        changes = {"channel": Channel.APP} | changes
    async with house.units.open(city.principal(role)) as uow:
        appeal = await intakes.register(
            make_intake(city, **changes),
            uow=uow,
            reference=house.references.of(city.id),
            at=at or house.now(),
        )
        await uow.commit()
    return appeal


LODGED = frozenset({Kind.COMPLAINT, Kind.APPLICATION, Kind.REQUEST, Kind.PROPOSAL})


async def lodge(house: House, *, role: Role = Role.OPERATOR, **changes: Any) -> Appeal:
    """Register one that stands before the law by what is wished, unless `appeal_kind` says
    otherwise: what goes out to the national register. A resident's is found to be one.
    """
    wish = changes.get("kind", Kind.COMPLAINT)
    lawful = changes.pop("appeal_kind", AppealKind(wish) if wish in LODGED else None)
    if role is not Role.CITIZEN:
        return await register(house, role=role, appeal_kind=lawful, **changes)
    appeal = await register(house, role=role, **changes)
    found = Classify(lawful, "Өтініш")
    return await perform(house, appeal, Action.CLASSIFY, found, role=Role.INSPECTOR)


async def uploaded(house: House, content: bytes, name: str = "хат.pdf") -> UUID:
    """A file as it lies here before an appeal takes it."""
    id, digest = new_id(), sha256(content).hexdigest()
    await house.store.put(str(id), content, "application/pdf")
    upload = Upload(id, "pdf", "application/pdf", name, len(content), digest, digest, None, None,
                    str(id), house.now())  # fmt: skip
    async with house.units.open(KISHI.principal(Role.OPERATOR)) as uow:
        await uow.attachments.add(upload)
        await uow.commit()
    return id


async def perform(
    house: House,
    appeal: Appeal,
    action: Action,
    command: Command,
    *,
    city: SmallCity = KISHI,
    role: Role = Role.EXECUTOR,
    organisation: UUID | None = None,
    at: datetime | None = None,
) -> Appeal:
    """Do one action on an appeal, committed."""
    async with house.units.open(city.principal(role, organisation=organisation)) as uow:
        done = await use_cases.perform(
            appeal.number,
            action,
            command,
            uow=uow,
            reference=house.references.of(city.id),
            at=at or house.now(),
        )
        await uow.commit()
    return done


async def hear(house: House, appeal: Appeal, told: Told, *, at: datetime) -> None:
    """What the state says of an appeal, committed."""
    who = state_of(appeal.city)
    async with house.units.open(who) as uow:
        standing = await uow.appeals.get(appeal.number)
        desk = Desk(who, house.references.of(appeal.city), at)
        uow.appeals.save(use_cases.bind(standing, follow(standing, told, desk), desk))
        await uow.commit()


async def add_endpoint(
    house: House,
    url: str = "https://hook.example.kz/109",
    *,
    city: SmallCity = KISHI,
    organisation: UUID | None = None,
    event_types: frozenset[str] = frozenset(),
    enabled: bool = True,
    secrets: tuple[str, ...] = (SECRET,),
    **wanted: Any,
) -> Endpoint:
    """A webhook endpoint of an organisation (the water utility's, unless another is named)."""
    owner = organisation or city.water
    signing = tuple(Secret(secret) for secret in secrets)
    endpoint = Endpoint(
        new_id(), city.id, owner, url, event_types, "", enabled, signing, house.now(), **wanted
    )
    async with house.units.open(city.principal(Role.HEAD, organisation=owner)) as uow:
        await uow.endpoints.add(endpoint)
        await uow.commit()
    return endpoint
