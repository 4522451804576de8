"""The things that operations name, made where the policy wants them, and what is said to them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.access import Role
from tests.support.city import EVIDENCED
from tests.support.incidents import incident_at, opening
from tests.support.members import employed
from tests.support.register import cosign, signed
from tests.support.rest import CHANNELS, Callers, intake
from tests.support.sql import fetch
from tests.walls.doors import UPLOAD, Said
from tests.walls.policy import SUMMONS, Kind, Row
from tests.walls.town import QUARTERS, Place, Town, Who, only_policy, only_service

_ABSENT_NUMBER = "{0}-2026-999999"


@dataclass(frozen=True)
class Thing:
    """One object: the name by which a path finds it, and that of what it goes with: the appeal of
    an attachment or incident, the endpoint of a delivery."""

    name: str
    goes_with: str = ""


class Things:
    """Makes things, and keeps those that nothing was done to."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._standing: dict[tuple[Kind, Place, str], Thing] = {}
        self._numbers: dict[Place, str] = {}
        self._days = 0

    async def standing(self, kind: Kind, place: Place, status: str) -> Thing:
        """A thing that everybody may look at and whom nobody changes."""
        of_many = (Kind.APPEAL, Kind.INCIDENT, Kind.MEMBER)
        at = (kind, place, status if kind in of_many else "")
        if at not in self._standing:
            self._standing[at] = await self.fresh(kind, place, status)
        return self._standing[at]

    async def fresh(self, kind: Kind, place: Place, status: str) -> Thing:
        """A thing of one's own."""
        return await _MAKERS[kind](self._town.callers(place), place, status)

    def absent(self, kind: Kind, place: Place) -> Thing:
        """A name that nothing has, as long and of the same form as those of a place."""
        city = QUARTERS[place]
        if kind is Kind.APPEAL:
            return Thing(_ABSENT_NUMBER.format(city.city.prefix))
        codes = {Kind.SERVICE: "manholes.only-noone", Kind.POLICY: "only-noone"}
        return Thing(codes.get(kind) or str(uuid4()))

    async def said(self, row: Row, who: Who, thing: Thing, *, idle: bool) -> Said:
        """What somebody sends. `idle` where it is to be refused, so that nothing need be made."""
        callers = self._town.callers(who.home)
        body = await self._filled(row.body, who, callers, thing, idle)
        query = {
            name: await self._filled(value, who, callers, thing, idle)
            for name, value in row.query.items()
        }
        return Said(body, query, thing.name or None)

    async def _filled(self, said: Any, who: Who, callers: Callers, thing: Thing, idle: bool) -> Any:
        if isinstance(said, dict):
            return {
                name: await self._filled(value, who, callers, thing, idle)
                for name, value in said.items()
            }
        if isinstance(said, list):
            return [await self._filled(value, who, callers, thing, idle) for value in said]
        if isinstance(said, str) and said.startswith("@"):
            return await self._fill(said, who, callers, thing, idle)
        return said

    async def _fill(self, said: str, who: Who, callers: Callers, thing: Thing, idle: bool) -> Any:
        city = callers.city
        match said:
            case "@executor":
                return str(city.water)
            case "@department":
                return str(city.department)
            case "@later":
                return _later(callers)
            case "@city":
                return city.code
            case "@how":
                return "app" if who.role is Role.CITIZEN else "call"
            case "@intake":
                own = {"applicant": ...} if who.role is Role.CITIZEN else {}
                channel = CHANNELS.get(who.role, "phone") if who.role else "phone"
                return intake(city, channel=channel, **own)
            case "@opening":
                return opening(city)
            case "@newcomer":
                names = {"kk": "Айда ПИК", "ru": "КСК Аида"}
                code = f"ksk-{uuid4().hex[:12]}"
                return {"code": code, "kind": "housing", "names": names}
            case "@consultation":
                return {"service": "general.how-109-works", "channel": "app", "language": "kk"}
            case "@cosignature":
                checkpoint = await signed(callers.house, city)
                return {"size": checkpoint.size, "cosignature": str(cosign(checkpoint))}
            case "@day":
                # Another one each time: what stands already changes nothing.
                self._days += 1
                return (date(2030, 1, 1) + timedelta(days=self._days)).isoformat()
            case "@appeal":
                return await self._number(thing, who.home, callers, idle)
            case "@upload":
                token = "" if idle else self._town.tokens[who.name]
                return await _upload(callers, token) if token else str(uuid4())
        raise AssertionError(said)

    async def _number(self, thing: Thing, home: Place, callers: Callers, idle: bool) -> str:
        if not idle:
            return thing.goes_with or str((await callers.register())["number"])
        if home not in self._numbers:
            self._numbers[home] = str((await callers.register())["number"])
        return self._numbers[home]


async def _appeal(callers: Callers, place: Place, status: str) -> Thing:
    return Thing(await _number_at(callers, status))


async def _number_at(callers: Callers, status: str) -> str:
    if status == "evidenced":
        made = await callers.register(Role.CITIZEN, applicant=..., service=EVIDENCED)
        return str(made["number"])
    if status in ("lawful", "summoned"):
        return await _lawful(callers, status)
    if status not in ("calm", "paused", "extending"):
        return str((await callers.brought_to(status, Role.CITIZEN))["number"])
    service, answers = await _calm(callers)
    made = await callers.register(Role.CITIZEN, applicant=..., service=service, answers=answers)
    number = str(made["number"])
    await callers.act(number, "accept", role=Role.EXECUTOR)
    if status == "paused":
        said = {"reason": "awaiting_resident", "note": "?"}
        assert (await callers.act(number, "pause", said, role=Role.EXECUTOR)).status_code == 200
    if status == "extending":
        wish = {"stage": "resolve", "until": _later(callers), "reason": "Кран керек"}
        assert (await callers.act(number, "extend", wish, role=Role.EXECUTOR)).status_code == 200
    return number


def _later(callers: Callers) -> str:
    """Beyond three days, and within twice as many."""
    return (callers.house.now() + timedelta(days=4)).isoformat()


async def _lawful(callers: Callers, status: str) -> str:
    """One before the law, taken by its executor; and then one whose applicant is to be heard."""
    number = str((await callers.brought_to("in_progress", Role.CITIZEN))["number"])
    said: dict[str, Any] = {"kind": "application", "reason": "Арыз"}
    assert (await callers.act(number, "classify", said, role=Role.INSPECTOR)).status_code == 200
    if status == "summoned":
        done = await callers.act(number, "summon", SUMMONS, role=Role.EXECUTOR)
        assert done.status_code == 200, done.text
    return number


async def _calm(callers: Callers) -> tuple[str, dict[str, Any]]:
    """A service of the utility whose clocks may wait, and answers that fit its form."""
    known = (await callers.call("GET", "/v1/services?sphere=manholes&limit=100")).json()["items"]
    service = next(one["code"] for one in known if one["criticality"] == "normal")
    return service, await answers_to(callers, service)


async def answers_to(callers: Callers, service: str) -> dict[str, Any]:
    """Answers that fit the form of a service."""
    form = (await callers.call("GET", f"/v1/services/{service}/form")).json()
    required = form.get("required", ())
    return {name: _fitting(form["properties"][name]) for name in required}


def _fitting(schema: dict[str, Any]) -> Any:
    if "oneOf" in schema:
        return schema["oneOf"][0]["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 1, "number": 1, "boolean": True}.get(schema.get("type", ""), "Дүкен")


async def _incident(callers: Callers, place: Place, status: str) -> Thing:
    if status != "joined":
        return Thing(await incident_at(callers, status))
    incident = await incident_at(callers, "active")
    number = await _number_at(callers, "assigned")
    path = f"/v1/incidents/{incident}/join"
    joined = await callers.call("POST", path, {"appeals": [number]})
    assert joined.status_code == 200, joined.text
    return Thing(incident, number)


async def _loose(callers: Callers, place: Place, status: str) -> Thing:
    return Thing(await _upload(callers, callers.tokens[Role.CITIZEN]))


async def _upload(callers: Callers, token: str) -> str:
    answer = await callers.call(
        "POST", "/v1/attachments", role=None, files=UPLOAD,
        headers={"authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _attached(callers: Callers, place: Place, status: str) -> Thing:
    upload = await _loose(callers, place, status)
    number = await _number_at(callers, "assigned")
    said = {"attachments": [upload.name]}
    done = await callers.act(number, "attach", said, role=Role.CITIZEN)
    assert done.status_code == 200, done.text
    return Thing(upload.name, number)


async def _endpoint(callers: Callers, place: Place, status: str) -> Thing:
    body = {"url": f"https://hook.example.kz/{place}"}
    made = await callers.call("POST", "/v1/webhook-endpoints", body, role=Role.HEAD)
    assert made.status_code == 201, made.text
    return Thing(str(made.json()["id"]))


async def _delivery(callers: Callers, place: Place, status: str) -> Thing:
    endpoint = (await _endpoint(callers, place, status)).name
    path = f"/v1/webhook-endpoints/{endpoint}/test"
    sent = await callers.call("POST", path, role=Role.HEAD)
    delivery = UUID(sent.json()["delivery"])
    await fetch(
        callers.house,
        "UPDATE delivery SET state = 'exhausted', finished_at = now(), next_attempt_at = NULL"
        " WHERE id = $1",
        delivery,
    )
    return Thing(str(delivery), endpoint)


async def _letter(callers: Callers, place: Place, status: str) -> Thing:
    id = uuid4()
    await fetch(
        callers.house,
        "INSERT INTO eotinish_inbox (id, city_id, message_id, document, state, fault, received_at,"
        " next_attempt_at, acknowledged_at, finished_at)"
        " VALUES ($1, $2, $3, $4, 'quarantined', 'unknown-message', now(), now(), now(), now())",
        id, callers.city.id, str(id), callers.house.keyring.seal(b"<data/>"),
    )  # fmt: skip
    return Thing(str(id))


async def _organisation(callers: Callers, place: Place, status: str) -> Thing:
    return Thing(str(callers.city.water))


async def _member(callers: Callers, place: Place, status: str) -> Thing:
    state = status if status in ("active", "suspended") else "active"
    return Thing(
        await employed(callers, state=state, organisation=callers.city.water, city=callers.city)
    )


async def _invitation(callers: Callers, place: Place, status: str) -> Thing:
    body = {"organisation": str(callers.city.water), "role": "executor"}
    made = await callers.call("POST", "/v1/invitations", body, role=Role.ADMINISTRATOR)
    assert made.status_code == 201, made.text
    return Thing(str(made.json()["id"]))


async def _service(callers: Callers, place: Place, status: str) -> Thing:
    return Thing(only_service(callers.city))


async def _policy(callers: Callers, place: Place, status: str) -> Thing:
    return Thing(only_policy(callers.city))


_MAKERS = {
    Kind.APPEAL: _appeal,
    Kind.INCIDENT: _incident,
    Kind.ATTACHMENT: _attached,
    Kind.UPLOAD: _loose,
    Kind.ENDPOINT: _endpoint,
    Kind.DELIVERY: _delivery,
    Kind.ORGANISATION: _organisation,
    Kind.MEMBER: _member,
    Kind.INVITATION: _invitation,
    Kind.SERVICE: _service,
    Kind.POLICY: _policy,
    Kind.LETTER: _letter,
}
