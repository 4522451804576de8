"""What is held on residents: found by phone or IIN, told to themselves, and every reading kept."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from api.records import whole_record
from api.rest import fields as f
from api.rest.cursors import read_cursor, unveiled, veiled, write_cursor
from api.rest.operation import Call, Operation, Reply, malformed
from api.rest.views import AppealView, Named, appeal_view, organisation_name
from domain.access import NOBODY, Permission
from domain.errors import Invalid
from domain.members.rules import reach
from domain.questions import Page

NO_STORE = {"cache-control": "no-store"}


class ApplicantSearchBody(f.Body):
    """Whose appeals: either `phone` or `iin`. What for is kept, and shown to the resident."""

    phone: f.Phone | None = None
    iin: f.Iin | None = None
    purpose: f.ShortText


class FoundAppeals(TypedDict):
    """The newest hundred appeals of whoever it is, masked as everywhere."""

    items: list[AppealView]


class ReadsQuery(f.Query):
    """Which part of the log."""

    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class LogQuery(ReadsQuery):
    """Which readings."""

    reader: f.Id | None = None


class ReadView(TypedDict):
    """One reading: what, when, in which role and for which organisation, and what for."""

    at: datetime
    operation: str
    role: str
    organisation: Named | None
    fields: list[str]
    purpose: str | None
    appeal: str | None


class LoggedRead(ReadView):
    """One reading with who read it, and of whom."""

    reader: UUID
    reader_name: str | None
    citizen: UUID | None


class ReadPage(TypedDict):
    """A page of readings, the newest first."""

    items: list[ReadView]
    next: str | None


class LogPage(TypedDict):
    """A page of the log, the newest first."""

    items: list[LoggedRead]
    next: str | None


class RecordView(TypedDict):
    """All that is held on a resident, as it is held."""

    id: UUID
    person: dict[str, Any]
    known_since: datetime
    logins: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    appeals: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    reads: list[dict[str, Any]]


async def search_applicants(call: Call) -> Reply:
    """Appeals of whoever has a phone or an IIN; the search is recorded."""
    body: ApplicantSearchBody = call.body
    if (body.phone is None) == (body.iin is None):
        raise Invalid.at("", "one-of")
    found = await call.house.personal.search(
        call.principal, phone=body.phone, iin=body.iin, purpose=body.purpose, at=call.at
    )
    return Reply({"items": [appeal_view(one, call) for one in found]}, headers=NO_STORE)


async def list_own_reads(call: Call) -> Reply:
    """Who read the resident's data; which of the staff it was stays with the auditors."""
    query: ReadsQuery = call.query
    after = _place(query.cursor, call)
    found = await call.house.personal.about(
        call.principal.city, call.principal.id, after, query.limit + 1
    )
    return _page(found, query.limit, _read_view, call)


async def list_reads(call: Call) -> Reply:
    """The log of readings, by those whom the caller oversees."""
    query: LogQuery = call.query
    after = _place(query.cursor, call)
    reached = reach(call.principal, call.reference)
    found = await call.house.personal.log(
        call.principal.city, reached, query.reader, after, query.limit + 1
    )
    return _page(found, query.limit, _logged, call)


def _place(cursor: str | None, call: Call) -> Page | None:
    """Where the log goes on: it counts its rows, all readers' together, so the number is veiled."""
    keyring = call.house.keyring
    page = read_cursor(cursor, keyring)
    try:
        return page and replace(page, id=UUID(int=int(unveiled(page.mark, keyring))))
    except ValueError:
        raise malformed("cursor", "/cursor", "cursor") from None


def _page(found: list[Any], limit: int, view: Any, call: Call) -> Reply:
    items = found[:limit]
    last = items[-1] if len(found) > limit else None
    keyring = call.house.keyring
    following = None
    if last is not None:
        following = write_cursor(last["at"], NOBODY, keyring, veiled(last["id"], keyring))
    return Reply({"items": [view(row, call) for row in items], "next": following})


def _read_view(row: Any, call: Call) -> Any:
    home = row["organisation_id"]
    names = ("at", "operation", "role", "fields", "purpose")
    return {name: row[name] for name in names} | {
        "organisation": organisation_name(home, call.reference, call.language) if home else None,
        "appeal": row["number"],
    }


def _logged(row: Any, call: Call) -> Any:
    return _read_view(row, call) | {
        "reader": row["reader_id"],
        "reader_name": row["reader_name"],
        "citizen": row["citizen_id"],
    }


async def export_own_record(call: Call) -> Reply:
    """Everything, for the resident; that it was read is recorded as well."""
    record = await whole_record(
        call.house.records, call.house.personal, call.principal, call.principal.id,
        operation="exportOwnRecord", purpose=None, at=call.at,
    )  # fmt: skip
    disposition = {"content-disposition": 'attachment; filename="109.json"'}
    return Reply(record, headers=NO_STORE | disposition)


OPERATIONS = (
    Operation(
        "searchApplicants", "POST", "/v1/applicants/search", "Personal data",
        "Find appeals by an applicant's phone or IIN; the search is recorded",
        reads=search_applicants, permission=Permission.SEARCH_APPLICANTS,
        body=ApplicantSearchBody, answer=FoundAppeals,
    ),
    Operation(
        "listOwnReads", "GET", "/v1/me/reads", "Personal data", "See who read your data",
        reads=list_own_reads, permission=Permission.READ_OWN_RECORD, query=ReadsQuery,
        answer=ReadPage,
    ),
    Operation(
        "exportOwnRecord", "GET", "/v1/me/export", "Personal data",
        "Take all that is held on you",
        reads=export_own_record, permission=Permission.READ_OWN_RECORD, answer=RecordView,
        refusals=(404,),
    ),
    Operation(
        "listReads", "GET", "/v1/personal-reads", "Personal data",
        "See who read residents' data",
        reads=list_reads, permission=Permission.READ_READS, query=LogQuery, answer=LogPage,
    ),
)  # fmt: skip
