"""Appeals: register, find, read, correct; their history, clocks, applicant and attachments."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, FailFast, Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.incident_views import KnownIncident, known_incidents
from api.rest.operation import Call, Operation, Reply
from api.rest.views import AppealView, ClockView, appeal_view, clock_views
from domain.access import Permission, Principal
from domain.appeals.commands import Correct, FirstAnswer, Intake, Whereabouts
from domain.appeals.intake import form_faults, register
from domain.appeals.model import Appeal, Applicant, Channel, Kind
from domain.appeals.use_cases import perform
from domain.appeals.workflow import Action, Status
from domain.catalogue.model import Criticality
from domain.errors import Invalid
from domain.law.kinds import AppealKind
from domain.ports import UnitOfWork
from domain.questions import AppealFilter
from domain.values import Coordinates, Language

How = Literal["call", "app", "web", "chat", "email", "sms", "in_person"]


class PointBody(f.Body):
    """WGS 84 degrees."""

    latitude: f.Latitude
    longitude: f.Longitude


class LocationBody(f.Body):
    """Where the problem is: a building of the address register, words, a point, or several."""

    building: f.Id | None = None
    address: f.ShortText | None = None
    apartment: Annotated[f.Name, Field(max_length=20)] | None = None
    coordinates: PointBody | None = None

    def whereabouts(self) -> Whereabouts:
        """As the domain wants it."""
        point = self.coordinates
        return Whereabouts(
            building=self.building,
            address=self.address,
            apartment=self.apartment,
            coordinates=Coordinates(point.latitude, point.longitude) if point else None,
        )


class ApplicantBody(f.Body):
    """Who asks, as far as they told."""

    name: f.Name | None = None
    phone: f.Phone | None = None
    email: f.Email | None = None


class AnswerBody(f.Body):
    """The answer at first contact. `confirmed_by` says how the resident agreed that it is enough;
    the appeal is then closed at once."""

    text: f.LongText
    confirmed_by: How | None = None
    rating: f.Rating | None = None

    def first_answer(self) -> FirstAnswer:
        """As the domain wants it."""
        return FirstAnswer(self.text, self.confirmed_by, self.rating)


# The length is judged after the items, of which a hostile body can hold very many.
Attachments = Annotated[tuple[f.Id, ...], Field(max_length=10), FailFast()]


class IntakeBody(f.Body):
    """A new appeal. `appeal_kind` is what it is before the law, where staff know better than the
    city's rules; `reports_threat`: it tells of a crime or a threat, and goes on at once even if
    nobody says who they are.
    """

    service: f.Code
    service_version: f.Version | None = None
    kind: Kind
    channel: Channel
    language: Language = Language.RU
    text: f.LongText
    location: LocationBody | None = None
    answers: f.Answers = Field(default_factory=dict)
    applicant: ApplicantBody | None = None
    anonymous: bool = False
    contact: Annotated[f.Name, Field(max_length=64)] | None = None
    attachments: Attachments = ()
    answer: AnswerBody | None = None
    appeal_kind: AppealKind | None = None
    reports_threat: bool = False


class CorrectionBody(f.Body):
    """What the record should say instead; what is left out stays."""

    text: f.LongText | None = None
    kind: Kind | None = None
    language: Language | None = None
    location: LocationBody | None = None
    service: f.Code | None = None
    answers: f.Answers | None = None


class AppealsQuery(f.Query):
    """Which appeals; conditions are joined by 'and'."""

    status: Annotated[tuple[Status, ...], BeforeValidator(f.several), Field(max_length=9)] = ()
    service: f.Code | None = None
    category: f.Code | None = None
    sphere: f.Code | None = None
    district: f.Code | None = None
    organisation: f.Id | None = None
    channel: Channel | None = None
    kind: Kind | None = None
    criticality: Criticality | None = None
    emergency: f.Flag | None = None
    incident: f.Id | None = None
    overdue: Literal["true"] | None = None
    registered_from: f.Instant | None = None
    registered_to: f.Instant | None = None
    q: f.Word | None = None
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class RegisteredAppeal(AppealView):
    """A new appeal, and what the city knows already of its service at its place."""

    incidents: list[KnownIncident]


class AppealPage(TypedDict):
    """A page of appeals, the newest first."""

    items: list[AppealView]
    next: str | None


class ClockList(TypedDict):
    """The clocks of an appeal by due time."""

    items: list[ClockView]


class ApplicantInTheClear(TypedDict):
    """Who asks and at which flat, unmasked; the reading is recorded."""

    citizen: UUID | None
    name: str | None
    phone: str | None
    email: str | None
    apartment: str | None


async def register_appeal(call: Call, uow: UnitOfWork) -> Reply:
    """Register an appeal for good."""
    appeal = await register(
        _intake(call.body, call.principal), uow=uow, reference=call.reference, at=call.at
    )
    where = f"{call.house.settings.base_url}/v1/appeals/{appeal.number}"
    reply = shown(appeal, call, status=201, location=where)
    return replace(reply, body={**reply.body, "incidents": known_incidents(appeal, call)})


def shown(appeal: Appeal, call: Call, *, status: int = 200, location: str | None = None) -> Reply:
    """An appeal as a reply, with its ETag."""
    headers = {"etag": f'"{appeal.version}"'} | ({"location": location} if location else {})
    return Reply(appeal_view(appeal, call), status, headers)


def _intake(body: IntakeBody, principal: Principal) -> Intake:
    if body.anonymous and body.applicant is not None:
        raise Invalid.at("/applicant", "unknown")
    said = body.applicant
    return Intake(
        service=body.service,
        service_version=body.service_version,
        kind=body.kind,
        channel=body.channel,
        language=body.language,
        text=body.text,
        where=body.location.whereabouts() if body.location else Whereabouts(),
        answers=body.answers,
        applicant=Applicant(None, said.name, said.phone, said.email) if said else None,
        anonymous=body.anonymous,
        contact=body.contact,
        attachments=body.attachments,
        answer=body.answer.first_answer() if body.answer else None,
        appeal_kind=body.appeal_kind,
        reports_threat=body.reports_threat,
    )


async def list_appeals(call: Call) -> Reply:
    """Appeals, the newest first."""
    query: AppealsQuery = call.query
    keyring = call.house.keyring
    wanted = wanted_appeals(query, call.at)
    after = read_cursor(query.cursor, keyring)
    found = await call.house.lists.appeals(call.principal, wanted, after, query.limit + 1)
    items = found[: query.limit]
    more = len(found) > query.limit
    last = items[-1] if more else None
    return Reply(
        {
            "items": [appeal_view(appeal, call) for appeal in items],
            "next": write_cursor(last.registered_at, last.id, keyring) if last else None,
        }
    )


def wanted_appeals(query: AppealsQuery, at: datetime) -> AppealFilter:
    """What the query asks for, `at` this time."""
    return AppealFilter(
        statuses=[str(status) for status in query.status],
        service=query.service,
        category=query.category,
        sphere=query.sphere,
        district=query.district,
        organisation=query.organisation,
        channel=query.channel,
        kind=query.kind,
        criticality=query.criticality,
        emergency=query.emergency,
        incident=query.incident,
        overdue_at=at if query.overdue else None,
        registered_from=query.registered_from,
        registered_to=query.registered_to,
        text=query.q,
    )


async def read_appeal(call: Call) -> Reply:
    """One appeal."""
    return shown(await call.house.queries.appeal(call.principal, call.path["number"]), call)


async def correct_appeal(call: Call, uow: UnitOfWork) -> Reply:
    """Put a mistake of the record right."""
    body: CorrectionBody = call.body
    if not body.model_fields_set:
        raise Invalid.at("", "nothing-given")
    command = Correct(
        text=body.text,
        kind=body.kind,
        language=body.language,
        where=body.location.whereabouts() if body.location else None,
        service=body.service,
        answers=body.answers,
    )
    appeal = await perform(
        call.path["number"],
        Action.CORRECT,
        command,
        uow=uow,
        reference=call.reference,
        at=call.at,
        expected=call.edited(),
    )
    return shown(appeal, call)


async def list_clocks(call: Call) -> Reply:
    """Every promise of an appeal, and how it stands."""
    appeal = await call.house.queries.appeal(call.principal, call.path["number"])
    return Reply({"items": clock_views(appeal.clocks)})


async def read_applicant(call: Call) -> Reply:
    """The applicant in the clear."""
    applicant, apartment = await call.house.queries.applicant(
        call.principal, call.path["number"], call.at
    )
    said = applicant or Applicant()
    # The id of who stays anonymous would tell which other appeals are theirs.
    named = any((said.name, said.phone, said.email))
    return Reply(
        {
            "citizen": said.citizen if named else None,
            "name": said.name,
            "phone": said.phone,
            "email": said.email,
            "apartment": apartment,
        },
        headers={"cache-control": "no-store"},
    )


_ONE = "/v1/appeals/{number}"

OPERATIONS = (
    Operation(
        "registerAppeal", "POST", "/v1/appeals", "Appeals", "Register an appeal for good",
        writes=register_appeal, judges=form_faults, permission=Permission.REGISTER_APPEAL,
        body=IntakeBody, answer=RegisteredAppeal, status=201, refusals=(409,), etag=True,
    ),
    Operation(
        "listAppeals", "GET", "/v1/appeals", "Appeals", "Find appeals, the newest first",
        reads=list_appeals, permission=Permission.READ_APPEAL, query=AppealsQuery,
        answer=AppealPage,
    ),
    Operation(
        "readAppeal", "GET", _ONE, "Appeals", "Read an appeal",
        reads=read_appeal, permission=Permission.READ_APPEAL, answer=AppealView,
        refusals=(404,), etag=True,
    ),
    Operation(
        "correctAppeal", "PATCH", _ONE, "Appeals",
        "Put a mistake of the record right; no clock is reset",
        writes=correct_appeal, permission=Permission.CORRECT, body=CorrectionBody,
        answer=AppealView, refusals=(404, 409, 412, 428), etag=True, if_match=True,
    ),
    Operation(
        "listAppealClocks", "GET", f"{_ONE}/clocks", "Appeals",
        "Read every promise of an appeal and how it stands",
        reads=list_clocks, permission=Permission.READ_APPEAL, answer=ClockList, refusals=(404,),
    ),
    Operation(
        "readApplicant", "GET", f"{_ONE}/applicant", "Appeals",
        "Read the applicant in the clear; the reading is recorded",
        reads=read_applicant, permission=Permission.READ_APPLICANT,
        answer=ApplicantInTheClear, refusals=(404,),
    ),
)  # fmt: skip
