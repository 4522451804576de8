"""How executors do: what they reported done, and what residents and inspectors said of it."""

from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from api.rest.periods import period
from api.rest.views import Named, organisation_name
from domain.access import Permission
from domain.questions import Period
from domain.values import in_language


class ExecutorsQuery(f.Query):
    """Which period (the last 30 days unless told, 366 at most), which executor and service."""

    done_from: f.Instant | None = None
    done_to: f.Instant | None = None
    by: Literal["executor", "service"] = "executor"
    service: f.Code | None = None
    organisation: f.Id | None = None
    limit: f.Limit = 50
    after: f.Place = 0


class CodeAndName(TypedDict):
    """A service by its name of today."""

    code: str
    name: str


class ExecutorFigures(TypedDict):
    """What became of each 'done' of an executor in the period.

    `refused` were sent back by the resident (also after a yes), `returned` by the inspector,
    `withdrawn` taken back by the resident, `awaiting` have no answer yet. `refused_share` is of
    those of which the resident spoke, yes or no. `first_done` are the first 'done' of their
    appeals, `first_time_right` those of them that the resident confirmed, and the share is of
    those that were judged. A share of nothing is null.
    """

    organisation: Named
    service: CodeAndName | None
    done: int
    confirmed: int
    refused: int
    returned: int
    withdrawn: int
    awaiting: int
    refused_share: float | None
    first_done: int
    first_time_right: int
    first_time_right_share: float | None


class ExecutorPage(TypedDict):
    """Executors, those with the most work first; `next` is the `after` to go on with."""

    done_from: datetime
    done_to: datetime
    items: list[ExecutorFigures]
    next: int | None


async def list_executors(call: Call) -> Reply:
    """The figures of the executors that the caller may judge."""
    query: ExecutorsQuery = call.query
    asked = _period(query, call.at)
    found = await call.house.completions.executors(
        call.principal, asked, after=query.after, limit=query.limit + 1
    )
    more = len(found) > query.limit
    return Reply(
        {
            "done_from": asked.begin,
            "done_to": asked.end,
            "items": [_figures(row, call) for row in found[: query.limit]],
            "next": query.after + query.limit if more else None,
        }
    )


def _period(query: ExecutorsQuery, at: datetime) -> Period:
    begin, end = period(query.done_from, query.done_to, at, "done_from")
    return Period(begin, end, query.service, query.organisation, query.by == "service")


def _figures(row: Any, call: Call) -> ExecutorFigures:
    return {
        "organisation": organisation_name(row["organisation_id"], call.reference, call.language),
        "service": _service(row["service"], call),
        "done": row["done"],
        "confirmed": row["confirmed"],
        "refused": row["refused"],
        "returned": row["returned"],
        "withdrawn": row["withdrawn"],
        "awaiting": row["awaiting"],
        "refused_share": _share(row["refused"], row["refused"] + row["confirmed"]),
        "first_done": row["first_done"],
        "first_time_right": row["first_right"],
        "first_time_right_share": _share(row["first_right"], row["first_judged"]),
    }


def _service(code: str | None, call: Call) -> CodeAndName | None:
    if code is None:
        return None
    catalogue = call.reference.catalogue
    names = catalogue.service(code).names if code in catalogue else {}
    return {"code": code, "name": in_language(names, call.language) or code}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


OPERATIONS = (
    Operation(
        "listExecutorFigures", "GET", "/v1/statistics/executors", "Service",
        "See how executors' work fared with residents and inspectors",
        reads=list_executors, permission=Permission.READ_EXECUTORS, query=ExecutorsQuery,
        answer=ExecutorPage,
    ),
)  # fmt: skip
