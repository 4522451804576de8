"""schemathesis against the API: every operation as somebody who may use it, on things that exist.

What is generated stays as it is wherever it is meant to be wrong. Where it is meant to be right,
every other case is moved into the small city (its services, houses, appeals), so that operations
answer 2xx and not only 404.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import schemathesis
from schemathesis import hooks
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from schemathesis.generation.case import Case

from api.rest.openapi import document
from api.rest.table import OPERATIONS
from domain.access import Permission, Role
from tests.support.city import MANHOLE, MANHOLE_ANSWERS, SmallCity

OF_THE_CITY = frozenset(
    {
        "unknown-service", "expired-service", "expired-version", "unknown-building",
        "outside-city", "unknown-organisation", "unknown-attachment", "not-promised",
        "evidence-required", "staff-only", "citizen-required", "nothing-given", "phone",
        "cursor", "empty", "unsupported-type", "heic", "resident-only",
        "not-self-service", "photos-missing", "photos-early", "position-missing", "position-vague",
        "position-far", "act-missing", "act-form", "act-of-stage",
        "period-too-long", "type-mismatch",
        "damaged", "unknown-event-type", "unknown-sphere", "unknown-calendar",
        "unknown-street", "unknown-district", "crosses-itself", "area-empty", "ends-too-early",
        "point-incomplete",
        "one-of", "role-not-given-here", "akims-only", "not-of-this-akimat", "iin",
        "unknown-witness", "unknown-checkpoint", "signature", "not-signed",
        "scheme", "credentials", "fragment", "host-missing", "host", "port",
    }
)  # fmt: skip
"""Rules that no JSON Schema can say: they need the city, the form, or the file itself."""

# positive_data_acceptance knows status codes alone, and 422 is right where the city does not
# know what was named. `refused_by_the_city` looks at every fault instead and forgives less.
_CONFIG = """
seed = {seed}
request-timeout = 30
[cache]
enabled = false
[generation]
max-examples = {examples}
deterministic = false
database = "none"
[checks]
positive_data_acceptance.enabled = false
missing_required_header.expected-statuses = [400, 428]
[phases.coverage]
# test_problems.py asks every path for every method itself, in a hundredth of the time.
unexpected-methods = []
[phases.stateful]
enabled = {stateful}
"""

_ROLES = {
    Permission.PERFORM: Role.EXECUTOR,
    Permission.MANAGE_ENDPOINTS: Role.HEAD,
    Permission.CONFIRM: Role.CITIZEN,
    Permission.ATTACH: Role.EXECUTOR,
    Permission.MANAGE_MEMBERS: Role.ADMINISTRATOR,
    Permission.READ_MEMBERS: Role.ADMINISTRATOR,
    Permission.READ_OWN_RECORD: Role.CITIZEN,
    Permission.READ_READS: Role.AUDITOR,
    Permission.ONBOARD: Role.ADMINISTRATOR,
    Permission.LEAVE: Role.ADMINISTRATOR,
    Permission.INSTRUCT: Role.AKIM,
    Permission.ANSWER: Role.OPERATOR,
    Permission.COSIGN: Role.AUDITOR,
    Permission.PROLONG: Role.HEAD,
    Permission.MANAGE_CALENDARS: Role.ADMINISTRATOR,
}
OF_MEMBERS = ("suspendMember", "restoreMember", "endMembership", "changeRole")
_BY_ID = {operation.id: operation for operation in OPERATIONS}


@dataclass
class Known:
    """What exists in the small city, by the operation that wants it."""

    city: SmallCity
    tokens: dict[Role, str]
    appeals: dict[str, list[str]]
    """Operation → numbers of appeals that it can work on."""
    ids: dict[str, list[str]]
    """Operation → ids that its path can name."""
    turns: Iterator[int] = field(default_factory=count)

    def token(self, operation: str) -> str:
        """The token of somebody who may use the operation."""
        permission = _BY_ID[operation].permission
        return self.tokens[_ROLES.get(permission, Role.INSPECTOR) if permission else Role.HEAD]

    def move_in(self, case: Case[Any], operation: str) -> None:
        """Let a case name what exists, in those of its parts that are meant to be right."""
        turn = next(self.turns)
        if _meant_right(case, "header") and "Idempotency-Key" in (case.headers or {}):
            case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}-{turn}"
        if case.path_parameters and _meant_right(case, "path"):
            self._name(case.path_parameters, operation, turn)
        if turn % 2 and isinstance(case.body, dict) and _meant_right(case, "body"):
            self._settle(case.body)

    def _name(self, parameters: dict[str, Any], operation: str, turn: int) -> None:
        known = {
            "number": self.appeals.get(operation) or self.appeals["*"],
            "id": self.ids.get(operation, []),
            "code": [MANHOLE, "open-manhole"],
        }
        for name in parameters:
            # Nobody whose token is used here may lose it.
            if known[name] and (turn % 4 or operation in OF_MEMBERS):
                parameters[name] = known[name][turn % len(known[name])]

    def _settle(self, body: dict[str, Any]) -> None:
        settled = {
            "service": MANHOLE,
            "answers": MANHOLE_ANSWERS,
            "organisation": str(self.city.water),
            "executor": str(self.city.water),
            "services": [MANHOLE],
            "area": {"city": True},
            "attachments": [],
            "evidence": [],
            "url": "https://hook.example.kz/109",
            "event_types": [],
        }
        for name in settled.keys() & body.keys():
            if name != "organisation" or isinstance(body[name], str):
                body[name] = settled[name]
        unsettled = {"service_version", "location", "applicant", "planned_from", "planned_to"}
        if body.keys() >= {"kind", "texts"}:
            unsettled.add("appeals")
        for name in unsettled & body.keys():
            del body[name]


def _meant_right(case: Case[Any], part: str) -> bool:
    meta = case.meta
    if meta is None:
        return False
    components = {str(location.value): info for location, info in meta.components.items()}
    return part not in components or components[part].mode.is_positive


class RefusedByForm(Failure):
    """A case that follows the contract was refused for its form."""


@schemathesis.check
def refused_by_the_city(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """What the contract allows is refused by the city's rules alone, never for its form."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code < 400:
        return None
    if response.status_code in (401, 403, 404, 405, 409, 412, 413) or not _follows(case):
        return None
    problem = response.json()
    rules = {(fault["pointer"], fault["rule"]) for fault in problem.get("errors", ())}
    strange = {(at, rule) for at, rule in rules if not (_of_the_form(at) or rule in OF_THE_CITY)}
    if strange or not rules:
        raise RefusedByForm(
            operation=case.operation.label,
            title="Refused although the contract allows it",
            message=f"{response.status_code} {problem['code']}: {sorted(strange)}",
        )
    return None


def _follows(case: Case[Any]) -> bool:
    """Whether the headers are of the contract. The coverage phase writes '0' into a header whose
    pattern it cannot build (If-Match) and calls that right; such a case is judged by no one."""
    patterns = {
        parameter["name"]: parameter["schema"]["pattern"]
        for parameter in case.operation.definition.raw["parameters"]
        if parameter["in"] == "header" and "pattern" in parameter["schema"]
    }
    sent: Mapping[str, Any] = case.headers or {}
    return all(
        re.search(pattern, str(sent[name])) for name, pattern in patterns.items() if name in sent
    )


def _of_the_form(pointer: str) -> bool:
    """Answers are judged by the service's own form, which has a contract of its own."""
    return pointer.startswith("/answers/")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and how to do it again."""

    operation: str
    phase: str
    said: str

    def __str__(self) -> str:
        return f"{self.operation} [{self.phase}]\n{self.said}"


@dataclass
class Outcome:
    """What a run found, and how it went."""

    findings: list[Finding] = field(default_factory=list)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    cases: int = 0


def attack(url: str, known: Known, *, seed: int, examples: int, stateful: bool) -> Outcome:
    """Try every operation of the generated contract at `url`."""
    text = _CONFIG.format(seed=seed, examples=examples, stateful=str(stateful).lower())
    config = SchemathesisConfig.from_str(text)
    schema = schemathesis.openapi.from_dict(document(), config=config)
    schema.config.update(base_url=url)
    _authorise(schema, known)
    outcome = Outcome()
    with _moving_in(known):
        for event in from_schema(schema).execute():
            if isinstance(event, ScenarioFinished):
                gather(event, outcome)
            elif isinstance(event, NonFatalError):
                outcome.findings.append(Finding(event.label, str(event.phase), str(event.value)))
    return outcome


@contextmanager
def _moving_in(known: Known) -> Iterator[None]:
    def before_call(_: Any, case: Case[Any], __: Any) -> None:
        known.move_in(case, case.operation.definition.raw["operationId"])

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        hooks.unregister(before_call)


def _authorise(schema: Any, known: Known) -> None:
    @schema.auth(refresh_interval=None)
    class Bearer:
        def get(self, case: Case[Any], _: Any) -> str:
            return known.token(case.operation.definition.raw["operationId"])

        def set(self, case: Case[Any], data: str, _: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"


def gather(event: ScenarioFinished, outcome: Outcome) -> None:
    """Add what came of one scenario."""
    recorder = event.recorder
    outcome.cases += len(recorder.interactions)
    for id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            operation = recorder.cases[id].value.operation.label
            outcome.statuses.setdefault(operation, set()).add(interaction.response.status_code)
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                said = f"{failure.title}: {failure.message}\n{check.failure_info.code_sample}"
                outcome.findings.append(Finding(event.label or "", str(event.phase), said))
