"""What a mutation answers with: what it made, or one of the city's ways to say no.

Each family of refusals (domain/errors.py, api/errors.py) is a type, so that a client must look at
it where it looks at the success; code and words are those of the REST API's problem documents.
"""

from typing import Any

import strawberry

from api.errors import Asked, Malformed, Unauthenticated, document
from api.graphql.fast import plain
from api.graphql.scalars import JSON
from domain.errors import (
    Conflict,
    EvidenceMissing,
    Invalid,
    InvalidTransition,
    NotFound,
    NotPermitted,
    Refusal,
    ScopeMissing,
    Unavailable,
    VersionConflict,
)


@strawberry.type(description="One bad field.")
class Fault:
    """As in a problem document."""

    pointer: str = plain("Where: a JSON Pointer (RFC 6901) into `input`; empty for all of it.")
    rule: str = plain("Which rule it breaks: a stable word.")
    message: str = plain("The same in the caller's language.")
    params: JSON | None = plain("The facts of the rule, such as the longest length allowed.")


@strawberry.interface(description="The city's 'no', in the caller's language.")
class Problem:
    """What every refusal says."""

    code: str = plain("The stable code, as in the REST API's problem documents.")
    title: str = plain("What kind of refusal it is, in words.")
    message: str = plain("Why, in the caller's language.")


@strawberry.type(description="No token came with it.")
class UnauthenticatedProblem(Problem):
    """401 over REST."""


@strawberry.type(description="The caller's role may not, or the token's scopes do not let it.")
class NotPermittedProblem(Problem):
    """403 over REST."""


@strawberry.type(description="It does not exist, or not for you: the answer is the same.")
class NotFoundProblem(Problem):
    """404 over REST."""


@strawberry.type(description="The input breaks rules; every broken one is named.")
class InvalidProblem(Problem):
    """422 over REST."""

    faults: list[Fault] = plain("Every bad field.")


@strawberry.type(description="A stage is claimed without the evidence that its service demands.")
class EvidenceMissingProblem(Problem):
    """422 over REST."""

    faults: list[Fault] = plain("Every missing piece.")


@strawberry.type(description="The request is sound but contradicts what stands.")
class ConflictProblem(Problem):
    """409 over REST."""


@strawberry.type(description="The act is not in the transition table of the appeal's status.")
class InvalidTransitionProblem(Problem):
    """409 over REST."""

    allowed: list[str] = plain("What could be done instead.")


@strawberry.type(description="Somebody changed it since the caller read it.")
class VersionConflictProblem(Problem):
    """412 over REST."""


@strawberry.type(
    description="The request itself cannot be taken: a key that is missing or stands for another"
    " request, a version that must be told, a parameter that cannot be read."
)
class RequestProblem(Problem):
    """400, 413, 415 or 428 over REST."""

    faults: list[Fault] = plain("Every bad parameter, where they are known.")


@strawberry.type(description="Something that the platform asks is down for now: come again.")
class UnavailableProblem(Problem):
    """503 over REST."""


PROBLEMS: dict[type[Refusal], type[Problem]] = {
    Unauthenticated: UnauthenticatedProblem,
    NotPermitted: NotPermittedProblem,
    ScopeMissing: NotPermittedProblem,
    NotFound: NotFoundProblem,
    Invalid: InvalidProblem,
    EvidenceMissing: EvidenceMissingProblem,
    Conflict: ConflictProblem,
    InvalidTransition: InvalidTransitionProblem,
    VersionConflict: VersionConflictProblem,
    Malformed: RequestProblem,
    Unavailable: UnavailableProblem,
}
FAMILIES = tuple(dict.fromkeys([*PROBLEMS.values()]))


def problem_of(refusal: Refusal, context: Any) -> Problem:
    """A refusal as an answer."""
    said = document(refusal, Asked("", context.language, context.request_id))
    kind = PROBLEMS.get(type(refusal), RequestProblem)
    words: dict[str, Any] = {
        "code": said["code"], "title": said["title"], "message": said["detail"]
    }  # fmt: skip
    if "faults" in kind.__dataclass_fields__:
        words["faults"] = [
            Fault(
                pointer=each["pointer"],
                rule=each["rule"],
                message=each["message"],
                params=each.get("params"),
            )
            for each in said.get("errors", ())
        ]
    if kind is InvalidTransitionProblem:
        words["allowed"] = said["allowed"]
    return kind(**words)
