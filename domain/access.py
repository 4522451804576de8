"""Who may do what: roles, permissions and the grants that join them.

Permission asks 'may this person?'; the transition table (domain/appeals/workflow.py)
asks 'may it happen in this state?'. The two are kept apart.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from domain.errors import NotPermitted, ScopeMissing


class Role(StrEnum):
    """What somebody is in an organisation, or towards the city."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    INSPECTOR = "inspector"
    EXECUTOR = "executor"
    HEAD = "head"
    AKIM = "akim"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    SYSTEM = "system"


NOBODY = UUID(int=0)
"""Whom the register names where no person acted: the nil UUID of RFC 9562."""


class Permission(StrEnum):
    """One thing that can be allowed."""

    READ_CATALOGUE = "catalogue:read"
    READ_ORGANISATIONS = "organisations:read"
    READ_POLICIES = "policies:read"
    READ_STATISTICS = "statistics:read"
    CHECK_ROUTING = "routing:check"
    READ_EXECUTORS = "statistics:read-executors"
    READ_APPEAL = "appeals:read"
    READ_APPLICANT = "applicants:read"
    READ_INTERNAL = "appeals:read-internal"
    REGISTER_APPEAL = "appeals:register"
    REGISTER_FOR_OTHERS = "appeals:register-for-others"
    ANSWER = "appeals:answer"
    RECORD_CONSULTATION = "consultations:record"
    RECORD_FOR_OTHERS = "consultations:record-for-others"
    ASSIGN = "appeals:assign"
    PERFORM = "appeals:perform"
    PAUSE = "appeals:pause"
    CHECK = "appeals:check"
    WAIVE = "appeals:waive-evidence"
    EXTEND = "appeals:extend"
    CONFIRM = "appeals:confirm"
    WITHDRAW = "appeals:withdraw"
    COMMENT = "appeals:comment"
    COMMENT_INTERNALLY = "appeals:comment-internally"
    CORRECT = "appeals:correct"
    ATTACH = "attachments:create"
    MANAGE_ENDPOINTS = "webhooks:manage"
    READ_EVENTS = "events:read"
    COSIGN = "register:cosign"
    READ_INCIDENT = "incidents:read"
    OPEN_INCIDENT = "incidents:open"
    INSTRUCT = "appeals:instruct"
    CLASSIFY = "appeals:classify"
    PROLONG = "appeals:prolong"
    FORWARD = "appeals:forward"
    READ_CONTROL = "control:read"
    MANAGE_CALENDARS = "calendars:manage"
    SEARCH_APPLICANTS = "applicants:search"
    READ_OWN_RECORD = "citizens:read-own"
    READ_MEMBERS = "members:read"
    MANAGE_MEMBERS = "members:manage"
    LEAVE = "members:leave"
    ONBOARD = "organisations:onboard"
    READ_READS = "personal-reads:read"
    READ_EXCHANGE = "exchange:read"
    JUDGE_EXCHANGE = "exchange:judge"


P = Permission
_EVERYBODY = frozenset({P.READ_CATALOGUE, P.READ_APPEAL, P.READ_INCIDENT})
_STAFF = _EVERYBODY | {
    P.READ_ORGANISATIONS,
    P.READ_POLICIES,
    P.READ_INTERNAL,
    P.LEAVE,
}
_EXECUTOR = _STAFF | {
    P.READ_APPLICANT,
    P.PERFORM,
    P.PAUSE,
    P.COMMENT,
    P.COMMENT_INTERNALLY,
    P.ATTACH,
    P.OPEN_INCIDENT,
    P.READ_EVENTS,
}
_OPERATOR = _STAFF | {
    P.READ_APPLICANT,
    P.SEARCH_APPLICANTS,
    P.READ_STATISTICS,
    P.REGISTER_APPEAL,
    P.REGISTER_FOR_OTHERS,
    P.ANSWER,
    P.RECORD_CONSULTATION,
    P.RECORD_FOR_OTHERS,
    P.PAUSE,
    P.CONFIRM,
    P.WITHDRAW,
    P.COMMENT,
    P.COMMENT_INTERNALLY,
    P.CORRECT,
    P.ATTACH,
}

_OVERSIGHT = frozenset({P.READ_STATISTICS, P.READ_EXECUTORS, P.CHECK_ROUTING, P.READ_CONTROL})
_STEWARD = frozenset({P.READ_MEMBERS, P.MANAGE_MEMBERS, P.ONBOARD, P.READ_READS})

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CITIZEN: _EVERYBODY
    | {
        P.REGISTER_APPEAL,
        P.RECORD_CONSULTATION,
        P.CONFIRM,
        P.WITHDRAW,
        P.COMMENT,
        P.ATTACH,
        P.READ_OWN_RECORD,
    },
    Role.OPERATOR: _OPERATOR,
    Role.INSPECTOR: _OPERATOR
    | _OVERSIGHT
    | {
        P.ASSIGN,
        P.CHECK,
        P.WAIVE,
        P.OPEN_INCIDENT,
        P.CLASSIFY,
        P.FORWARD,
        P.READ_EXCHANGE,
        P.JUDGE_EXCHANGE,
        P.EXTEND,
    },
    Role.EXECUTOR: _EXECUTOR,
    Role.HEAD: _EXECUTOR
    | {
        P.READ_EXECUTORS,
        P.READ_CONTROL,
        P.MANAGE_ENDPOINTS,
        P.READ_MEMBERS,
        P.PROLONG,
    },
    # Who governs reads all of it and changes none of it: an akim's word goes to those who act.
    Role.AKIM: _STAFF | _OVERSIGHT | {P.INSTRUCT},
    Role.ADMINISTRATOR: _STAFF
    | _OVERSIGHT
    | _STEWARD
    | {P.COSIGN, P.MANAGE_ENDPOINTS, P.OPEN_INCIDENT, P.READ_EVENTS, P.MANAGE_CALENDARS},
    Role.AUDITOR: _STAFF | _OVERSIGHT | {P.COSIGN, P.READ_MEMBERS, P.READ_READS, P.READ_EXCHANGE},
    Role.SYSTEM: frozenset(),
}
"""Role → permissions; every role of `Role` stands here (a test says so)."""

CITY_WIDE = frozenset({Role.OPERATOR, Role.INSPECTOR, Role.AKIM, Role.AUDITOR, Role.SYSTEM})
"""Roles that see the whole register of their city (an akim of a district: the district and what
lies in it).

Everybody else in an organisation sees what was ever assigned to it or to its children.
"""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a member, a citizen or a program, in one city.

    `organisations` is the subtree that the principal's organisation heads, itself
    included; `district` narrows an akim to a district, and `districts` are that one and all
    that lie in it (see `confined`); `citizen` is set for residents.
    `granted` narrows what the role holds to what the token's scopes let through (None: to
    nothing less); `client` is the program through which they ask.
    """

    id: UUID
    role: Role
    city: UUID
    name: str = ""
    organisation: UUID | None = None
    organisations: frozenset[UUID] = field(default=frozenset())
    district: str | None = None
    districts: frozenset[str] = field(default=frozenset())
    citizen: UUID | None = None
    granted: frozenset[Permission] | None = None
    client: UUID | None = None

    @property
    def confined(self) -> frozenset[str] | None:
        """The districts beyond which an akim sees nothing; None for whom no district confines.

        Their own is among them, whatever the tree says.
        """
        if self.role is not Role.AKIM or self.district is None:
            return None
        if self.district in self.districts:
            return self.districts
        return self.districts | {self.district}

    @property
    def permissions(self) -> frozenset[Permission]:
        """All that they may: what the role holds and the scopes let through."""
        held = GRANTS[self.role]
        return held if self.granted is None else held & self.granted

    def may(self, permission: Permission) -> bool:
        """Whether the role holds the permission, and the scopes let it through."""
        return permission in GRANTS[self.role] and (
            self.granted is None or permission in self.granted
        )

    def require(self, permission: Permission) -> None:
        """Raise NotPermitted unless the role holds the permission, ScopeMissing where no scope
        of the token lets it through.
        """
        if permission not in GRANTS[self.role]:
            raise NotPermitted(permission=str(permission), role=str(self.role))
        if self.granted is not None and permission not in self.granted:
            raise ScopeMissing(permission=str(permission))


def public(city: UUID) -> Principal:
    """Whoever comes without a name: they may do nothing, and are told what domain/publication
    picks for them.
    """
    return Principal(NOBODY, Role.SYSTEM, city)
