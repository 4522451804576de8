"""The policy of the walls, one row per operation: what is tried against every door.

Nobody without a token is asked who they are (401), unless the row is OPEN. A role that the row
does not name is refused (403), whatever the object, also one that does not exist. For the rest
the object decides: SEEN_BY names, kind by kind and place by place, for whom it exists. For them
the operation succeeds; for everybody else it is refused as an absent object is, to the byte (404).

The roles are written out here and not taken from domain/access.py, so that a grant that slips in
there is found here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.access import Role
from tests.support.city import CITIZEN_PHONE, EVIDENCED, MANHOLE
from tests.walls.doors import DONE
from tests.walls.town import NOBODY, Place, Who

UNKNOWN, REFUSED, ABSENT = "401 unauthenticated", "403 not-permitted", "404 not-found"


class Kind(StrEnum):
    """What an operation names in its path."""

    APPEAL = "appeal"
    INCIDENT = "incident"
    ATTACHMENT = "attachment"
    """An upload that belongs to an appeal."""
    UPLOAD = "upload"
    """One that belongs to none yet, and so to its uploader."""
    ENDPOINT = "endpoint"
    DELIVERY = "delivery"
    ORGANISATION = "organisation"
    MEMBER = "member"
    INVITATION = "invitation"
    SERVICE = "service"
    POLICY = "policy"
    LETTER = "letter"
    """A message of the national register in quarantine."""


R = Role
DESK = frozenset({R.OPERATOR, R.INSPECTOR})
WORK = frozenset({R.EXECUTOR, R.HEAD})
INSPECTOR = frozenset({R.INSPECTOR})
STAFF = DESK | WORK | {R.AKIM, R.ADMINISTRATOR, R.AUDITOR}
ALL = STAFF | {R.CITIZEN}
RESIDENTS_WORD = DESK | {R.CITIZEN}
OPENERS = WORK | {R.INSPECTOR, R.ADMINISTRATOR}
ADMINISTRATOR = frozenset({R.ADMINISTRATOR})
OVERSEERS = frozenset({R.INSPECTOR, R.AKIM, R.ADMINISTRATOR, R.AUDITOR})
CONTROLLERS = OVERSEERS | {R.HEAD}
SUMMONS = {"at": "2099-01-05T05:00:00Z", "way": "video", "preliminary": "Бас тартылмақ"}
HOOKS = frozenset({R.HEAD, R.ADMINISTRATOR})

_PARENT = {"parent-executor", "parent-head", "parent-administrator"}
_CITY = {"operator", "inspector", "akim", "auditor"}
_OURS = {"executor", "head", "own-administrator", "akim-of-centre"}
_THEIRS = {"sibling-executor", "sibling-head", "sibling-administrator", "akim-of-left"}
_ABROAD = {
    f"elsewhere-{role}" for role in (R.OPERATOR, R.INSPECTOR, R.AKIM, R.AUDITOR, R.EXECUTOR, R.HEAD)
}
_BELOW = _OURS | {"akim-of-village"}
_STAFF_HERE = _CITY | _BELOW | _THEIRS | _PARENT | {"administrator"}
_STAFF_ABROAD = _ABROAD | {"elsewhere-administrator"}
_RESIDENTS_HERE = {"citizen", "neighbour"}
_APPEALS = {
    Place.OURS: _CITY | _OURS | _PARENT | {"citizen"},
    Place.BELOW: _CITY | _BELOW | _PARENT | {"citizen"},
    Place.THEIRS: _CITY | _THEIRS | _PARENT | {"neighbour"},
    Place.ELSEWHERE: _ABROAD | {"elsewhere-citizen"},
}
_INCIDENTS = {
    # The contact centre opened them, so its administrator sees them.
    Place.OURS: _APPEALS[Place.OURS] | {"administrator"},
    Place.BELOW: _APPEALS[Place.BELOW] | {"administrator"},
    Place.THEIRS: _APPEALS[Place.THEIRS] | {"administrator"},
    Place.ELSEWHERE: _APPEALS[Place.ELSEWHERE] | {"elsewhere-administrator"},
}
_HOOKS = {
    # Of one organisation alone: a parent has endpoints of its own.
    Place.OURS: {"head", "own-administrator"},
    Place.THEIRS: {"sibling-head", "sibling-administrator"},
    Place.ELSEWHERE: {"elsewhere-head"},
}
_MANAGED = {
    # Whom an administrator lets in, sends away and answers for; the centre's does in all the city.
    Place.OURS: {"own-administrator", "parent-administrator", "administrator"},
    Place.THEIRS: {"sibling-administrator", "parent-administrator", "administrator"},
    Place.ELSEWHERE: {"elsewhere-administrator"},
}
_KNOWN = {
    # Heads know their own people, auditors everybody's.
    Place.OURS: _MANAGED[Place.OURS] | {"head", "parent-head", "auditor"},
    Place.THEIRS: _MANAGED[Place.THEIRS] | {"sibling-head", "parent-head", "auditor"},
    Place.ELSEWHERE: _MANAGED[Place.ELSEWHERE] | {"elsewhere-head", "elsewhere-auditor"},
}
_CODES = {
    Place.OURS: _STAFF_HERE | _RESIDENTS_HERE,
    Place.ELSEWHERE: _STAFF_ABROAD | {"elsewhere-citizen"},
}

SEEN_BY: Mapping[Kind, Mapping[Place, set[str]]] = {
    Kind.APPEAL: _APPEALS,
    Kind.ATTACHMENT: _APPEALS,
    Kind.UPLOAD: {
        Place.OURS: {"citizen"},
        Place.THEIRS: {"neighbour"},
        Place.ELSEWHERE: {"elsewhere-citizen"},
    },
    Kind.INCIDENT: _INCIDENTS,
    Kind.ENDPOINT: _HOOKS,
    Kind.DELIVERY: _HOOKS,
    Kind.ORGANISATION: {
        Place.OURS: _STAFF_HERE,
        Place.THEIRS: _STAFF_HERE,
        Place.ELSEWHERE: _STAFF_ABROAD,
    },
    Kind.MEMBER: _KNOWN,
    Kind.INVITATION: _MANAGED,
    Kind.SERVICE: _CODES,
    Kind.POLICY: _CODES,
    Kind.LETTER: {
        Place.OURS: {"inspector", "auditor"},
        Place.ELSEWHERE: {"elsewhere-inspector", "elsewhere-auditor"},
    },
}
"""For whom an object exists, by its kind and place: names of tests/walls/town.py."""


@dataclass(frozen=True)
class Row:
    """Who may use an operation (`roles`, or everybody where it is `open`), on what (`kinds`; none
    where its path names nothing), and how: an appeal or incident in that `status`, that `body`
    and `query`. `only` are those of the roles who may, where that is not all of them. Texts that
    begin with @ are filled in by tests/walls/things.py.
    """

    roles: frozenset[Role]
    kinds: tuple[Kind, ...] = ()
    status: str = "assigned"
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    open: bool = False
    only: frozenset[str] = frozenset()


def _appeal(roles: frozenset[Role], status: str = "assigned", body: Any = None) -> Row:
    return Row(roles, (Kind.APPEAL,), status, body)


def _incident(roles: frozenset[Role], status: str = "active", body: Any = None) -> Row:
    return Row(roles, (Kind.INCIDENT,), status, body)


def _hook(body: Any = None) -> Row:
    return Row(HOOKS, (Kind.ENDPOINT,), body=body)


def _member(body: Any, status: str = "active") -> Row:
    return Row(ADMINISTRATOR, (Kind.MEMBER,), status, body)


def _open(**query: Any) -> Row:
    return Row(ALL, query=query, open=True)


_DONE = {"text": "Жабылды", "no_photo_reason": "Түн"}
_WHY = {"reason": "Демалыста"}
_MORE = {"stage": "resolve", "reason": "Кран керек", "until": "@later"}
_FILES = (Kind.ATTACHMENT, Kind.UPLOAD)
_TEXTS = {"kk": "Су жоқ", "ru": "Нет воды", "en": "No water"}

POLICY: Mapping[str, Row] = {
    "registerAppeal": Row(RESIDENTS_WORD, body="@intake"),
    "listAppeals": Row(ALL),
    "readAppeal": _appeal(ALL),
    "correctAppeal": _appeal(DESK, body={"text": "Түзетілді"}),
    "listAppealClocks": _appeal(ALL),
    "readApplicant": _appeal(DESK | WORK),
    "listAppealEvents": _appeal(ALL),
    "answerAppeal": _appeal(DESK, body={"text": "Шықты"}),
    "assignAppeal": _appeal(INSPECTOR, "registered", {"organisation": "@executor"}),
    "redirectAppeal": _appeal(INSPECTOR, body={"organisation": "@department"}),
    "acceptAppeal": _appeal(WORK, body={}),
    "declineAppeal": _appeal(WORK, body={"reason": "Біздікі емес"}),
    "reportAppeal": _appeal(WORK, "in_progress", {"stage": "secure"}),
    "waiveAppeal": _appeal(INSPECTOR, "evidenced", {"stage": "resolve", "reason": "Пәтерде"}),
    "extendAppeal": _appeal(WORK, "calm", _MORE),
    "grantAppeal": _appeal(INSPECTOR, "extending", {}),
    "refuseAppeal": _appeal(INSPECTOR, "extending", {"reason": "Кран бар"}),
    "pauseAppeal": _appeal(DESK | WORK, "calm", {"reason": "awaiting_resident", "note": "?"}),
    "resumeAppeal": _appeal(DESK | WORK, "paused", {}),
    "resolveAppeal": _appeal(WORK, "in_progress", _DONE),
    "checkAppeal": _appeal(INSPECTOR, "resolved", {}),
    "returnAppeal": _appeal(INSPECTOR, "resolved", {"reason": "Жабылмаған"}),
    "confirmAppeal": _appeal(RESIDENTS_WORD, "resolved", {"how": "@how"}),
    "reopenAppeal": _appeal(RESIDENTS_WORD, "resolved", {"how": "@how", "reason": "Жоқ"}),
    "withdrawAppeal": _appeal(RESIDENTS_WORD, body={"how": "@how"}),
    "instructAppeal": _appeal(
        frozenset({R.AKIM}), body={"directive": "instruction", "text": "Бүгін жабылсын"}
    ),
    "classifyAppeal": _appeal(INSPECTOR, body={"kind": "application", "reason": "Арыз"}),
    "prolongAppeal": _appeal(
        frozenset({R.HEAD}), "lawful", {"days": 5, "reason": "Сараптама керек"}
    ),
    "forwardAppeal": _appeal(INSPECTOR, body={"body": "Прокуратура", "reason": "Құзыреті"}),
    "summonAppeal": _appeal(WORK, "lawful", SUMMONS),
    "hearAppeal": _appeal(WORK, "summoned", {"outcome": "waived", "minutes": "Хаттама"}),
    "decideAppeal": _appeal(WORK, "lawful", {"decision": "answered", "text": "Түсіндірілді"}),
    "commentAppeal": _appeal(DESK | WORK | {R.CITIZEN}, body={"text": "Бақылауда"}),
    "attachAppeal": _appeal(DESK | WORK | {R.CITIZEN}, body={"attachments": ["@upload"]}),
    "uploadAttachment": Row(DESK | WORK | {R.CITIZEN}),
    "listAppealAttachments": _appeal(ALL),
    "readAttachment": Row(ALL, _FILES),
    "readAttachmentContent": Row(ALL, _FILES),
    "actMany": Row(WORK, body={"acts": [{"number": "@appeal", "action": "accept"}]}),
    "listAssignments": Row(WORK),
    "openIncident": Row(OPENERS, body="@opening"),
    "listIncidents": Row(ALL),
    "readIncident": _incident(ALL, "joined"),
    "changeIncident": _incident(OPENERS, body={"matching": "suggested"}),
    "listIncidentEvents": _incident(STAFF, "joined"),
    "startIncident": _incident(OPENERS, "announced", {}),
    "assignIncident": _incident(INSPECTOR, body={"organisation": "@department"}),
    "acceptIncident": _incident(WORK, body={}),
    "reportIncident": _incident(WORK, "accepted", {"stage": "arrive"}),
    "resolveIncident": _incident(WORK, "accepted", _DONE),
    "returnIncident": _incident(INSPECTOR, "resolved", {"reason": "Жабылмаған"}),
    "closeIncident": _incident(INSPECTOR, "resolved", {}),
    "cancelIncident": _incident(OPENERS, body={"reason": "Қате"}),
    "broadcastIncident": _incident(OPENERS, body={"texts": _TEXTS}),
    "joinIncident": _incident(INSPECTOR, body={"appeals": ["@appeal"]}),
    "partIncident": _incident(INSPECTOR, "joined", {"appeals": ["@appeal"], "reason": "Басқа"}),
    "listSimilarAppeals": _appeal(STAFF),
    "listIncidentSuggestions": Row(INSPECTOR),
    "readCatalogue": Row(ALL),
    "listServices": Row(ALL),
    "readService": Row(ALL, (Kind.SERVICE,)),
    "readForm": Row(ALL, (Kind.SERVICE,)),
    "triage": Row(RESIDENTS_WORD, body={"text": "люк ашық"}),
    "recordConsultation": Row(RESIDENTS_WORD, body="@consultation"),
    "listOrganisations": Row(STAFF),
    "readOrganisation": Row(STAFF, (Kind.ORGANISATION,)),
    "suggestAddresses": Row(ALL, query={"q": "Абай"}),
    "resolveRoute": Row(STAFF, query={"service": EVIDENCED}),
    "readCoverage": Row(OVERSEERS),
    "explainRoute": Row(STAFF, query={"service": MANHOLE}),
    "readAppealRoute": _appeal(STAFF),
    "listPolicies": Row(STAFF),
    "readPolicy": Row(STAFF, (Kind.POLICY,)),
    "listCalendars": Row(STAFF),
    "listClocks": Row(STAFF),
    "explainPromises": _appeal(ALL),
    "readReceipt": _appeal(ALL),
    "readProof": _appeal(ALL),
    "listCheckpoints": _open(city="@city"),
    "readLatestCheckpoint": _open(city="@city"),
    "readConsistency": _open(**{"city": "@city", "from": 1}),
    "listRegisterKeys": _open(city="@city"),
    "addCosignature": Row(frozenset({R.ADMINISTRATOR, R.AUDITOR}), body="@cosignature"),
    "createEndpoint": Row(HOOKS, body={"url": "https://hook.example.kz/109"}),
    "listEndpoints": Row(HOOKS),
    "readEndpoint": _hook(),
    "changeEndpoint": _hook({"description": "Диспетчер"}),
    "removeEndpoint": _hook(),
    "rotateSecret": _hook(),
    "readEndpointHealth": _hook(),
    "listWebhookKeys": _open(),
    "testEndpoint": _hook(),
    "listDeliveries": _hook(),
    "replayDeliveries": _hook({"what": "missed"}),
    "readDelivery": Row(HOOKS, (Kind.DELIVERY,)),
    "retryDelivery": Row(HOOKS, (Kind.DELIVERY,)),
    "listNotices": Row(HOOKS),
    "inviteMember": Row(ADMINISTRATOR, body={"organisation": "@executor", "role": "executor"}),
    "listInvitations": Row(ADMINISTRATOR),
    "revokeInvitation": Row(ADMINISTRATOR, (Kind.INVITATION,), body={}),
    "listMembers": Row(frozenset({R.HEAD, R.ADMINISTRATOR, R.AUDITOR})),
    "readMember": Row(frozenset({R.HEAD, R.ADMINISTRATOR, R.AUDITOR}), (Kind.MEMBER,)),
    "suspendMember": _member(_WHY),
    "restoreMember": _member(_WHY, "suspended"),
    # Of others; that everybody may leave themselves is tried in tests/api/rest/test_members.py.
    "endMembership": _member({}),
    "changeRole": _member(_WHY | {"role": "head"}),
    "onboardOrganisation": Row(
        ADMINISTRATOR,
        body={"organisation": "@newcomer"},
        # The contact centre's take in new organisations; others let people into their own.
        only=frozenset({"administrator", "elsewhere-administrator"}),
    ),
    "amendCalendar": Row(
        ADMINISTRATOR,
        body={"calendar": "state-days", "date": "@day", "kind": "off", "decree": "Қаулы"},
        # The contact centre's: a calendar is the whole city's.
        only=frozenset({"administrator", "elsewhere-administrator"}),
    ),
    "controlOrganisations": Row(CONTROLLERS),
    "controlTerritories": Row(CONTROLLERS),
    "controlAppeals": Row(CONTROLLERS, query={"matter": "open"}),
    "searchApplicants": Row(DESK, body={"phone": CITIZEN_PHONE, "purpose": "Қайта қоңырау"}),
    "listOwnReads": Row(frozenset({R.CITIZEN})),
    "exportOwnRecord": Row(frozenset({R.CITIZEN})),
    "listReads": Row(frozenset({R.ADMINISTRATOR, R.AUDITOR})),
    "listQuarantine": Row(frozenset({R.INSPECTOR, R.AUDITOR})),
    "releaseMessage": Row(INSPECTOR, (Kind.LETTER,), body={"reason": "Түзетілді"}),
    "releaseMessages": Row(
        INSPECTOR, body={"fault": "unknown-fault", "reason": "Шлюз қайта істеді"}
    ),
    "dropMessage": Row(INSPECTOR, (Kind.LETTER,), body={"reason": "Қате"}),
    "listReconciliations": Row(frozenset({R.INSPECTOR, R.AUDITOR})),
    "listEventTypes": Row(ALL),
    "triggerEvent": _hook({"type": "appeal.assigned"}),
    "readFeed": Row(WORK | {R.ADMINISTRATOR}),
    "readMe": Row(ALL),
    "readStatistics": Row(DESK | {R.AKIM, R.ADMINISTRATOR, R.AUDITOR}),
    "readHealth": _open(),
    "readReady": _open(),
    "listExecutorFigures": Row(
        frozenset({R.INSPECTOR, R.HEAD, R.AKIM, R.ADMINISTRATOR, R.AUDITOR})
    ),
}

LISTS: Mapping[str, Kind | None] = {
    "listAppeals": Kind.APPEAL,
    "listAssignments": Kind.APPEAL,
    "listClocks": Kind.APPEAL,
    "listSimilarAppeals": Kind.APPEAL,
    "listIncidentSuggestions": Kind.APPEAL,
    "listIncidents": Kind.INCIDENT,
    "listAppealAttachments": Kind.ATTACHMENT,
    "listEndpoints": Kind.ENDPOINT,
    "listDeliveries": Kind.DELIVERY,
    "listOrganisations": Kind.ORGANISATION,
    "listExecutorFigures": Kind.ORGANISATION,
    "searchApplicants": Kind.APPEAL,
    "controlAppeals": Kind.APPEAL,
    "controlOrganisations": Kind.ORGANISATION,
    "listMembers": Kind.MEMBER,
    "listInvitations": Kind.INVITATION,
    "listQuarantine": Kind.LETTER,
    "listServices": Kind.SERVICE,
    "listPolicies": Kind.POLICY,
    # What a thing that exists for the asker has of its own, and what is everybody's.
    "listAppealClocks": None,
    "listAppealEvents": None,
    "listIncidentEvents": None,
    "listCalendars": None,
    "controlTerritories": None,
    "listCheckpoints": None,
    "listEventTypes": None,
    "readFeed": None,
    "listNotices": None,
    "suggestAddresses": None,
    "readCoverage": None,
    "listOwnReads": None,
    "listReads": None,
    "listReconciliations": None,
}
"""What a list is made of. Whatever it is, nothing foreign is in it (test_lists.py)."""

AUDITS: Mapping[str, frozenset[str]] = {
    # The contact centre's administrators answer for who reads residents' data in the whole city,
    # and so are told of which appeal, by its number; the appeal itself does not exist for them.
    "listReads": frozenset({"administrator", "elsewhere-administrator"}),
}
"""Operation → for whom a number may stand in the answer though its appeal is none of theirs."""

UNLISTED = (
    "{0} answers with a list: say in LISTS of tests/walls/policy.py what the list is made of, so"
    " that test_lists.py looks for what is not theirs in it."
)

MISSING = (
    "{0} has no policy: add a row for it to POLICY in tests/walls/policy.py that says which roles"
    " may use it and which kind of object it names, and for a new kind of object to SEEN_BY for"
    " whom it exists and to tests/walls/things.py how one is made."
)


def row_of(operation: str) -> Row:
    """The policy of an operation. AssertionError that says what is to be done without one."""
    assert operation in POLICY, MISSING.format(operation)
    return POLICY[operation]


def exists_for(kind: Kind, place: Place, who: Who) -> bool:
    """Whether an object of that kind and place exists for somebody."""
    return who.name in SEEN_BY[kind].get(place, ())


def verdict(row: Row, who: Who, kind: Kind | None, place: Place | None) -> str:
    """What the policy says to somebody; `place` None is an object that does not exist."""
    if row.open:
        return DONE
    if who.name == NOBODY:
        return UNKNOWN
    if who.role not in row.roles or (row.only and who.name not in row.only):
        return REFUSED
    if kind is None:
        return DONE
    return DONE if place is not None and exists_for(kind, place, who) else ABSENT
