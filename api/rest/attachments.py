"""Attachments: uploaded and cleaned first, then named by the act that they belong to."""

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from typing_extensions import TypedDict

from api.rest.bodies import ReadFile
from api.rest.operation import Call, Operation, Reply, Upload
from domain.access import Permission
from domain.attachments import MAX_BYTES, content_disposition, safe_filename
from domain.ports import UnitOfWork
from domain.ports import Upload as Kept

LARGEST = max(MAX_BYTES.values())


class AttachmentView(TypedDict):
    """A cleaned file. `original_sha256` is the hash of what was sent, which the register keeps."""

    id: UUID
    kind: str
    media_type: str
    filename: str
    size: int
    sha256: str
    original_sha256: str
    width: int | None
    height: int | None
    purpose: str | None
    created_at: datetime
    content_url: str


class AttachmentList(TypedDict):
    """What is attached to an appeal, the oldest first."""

    items: list[AttachmentView]


async def clean_file(call: Call) -> Kept:
    """Clean a file and put it into the store.

    Its id follows from the Idempotency-Key: a repeat finds the object that the first try
    left behind, also where that try failed before its row was written.
    """
    file: ReadFile = call.body
    clean = await call.house.cleaner.clean(file.content, file.declared)
    id = uuid5(call.principal.id, f"attachment {call.key}")
    key = f"{call.principal.city}/{id.hex[:2]}/{id}"
    await call.house.store.put(key, clean.content, clean.media_type)
    return Kept(
        id=id,
        kind=clean.kind,
        media_type=clean.media_type,
        filename=safe_filename(file.filename, clean.media_type),
        size=len(clean.content),
        sha256=sha256(clean.content).hexdigest(),
        original_sha256=clean.original_sha256,
        width=clean.width,
        height=clean.height,
        storage_key=key,
        created_at=call.at,
    )


async def upload(call: Call, uow: UnitOfWork) -> Reply:
    """Keep a cleaned file; an appeal takes it within a day, or it is thrown away."""
    kept: Kept = call.body
    await uow.attachments.add(kept)
    row = {name: getattr(kept, name) for name in Kept.__dataclass_fields__}
    view = attachment_view(row | {"purpose": None}, call)
    return Reply(view, 201, {"location": view["content_url"].removesuffix("/content")})


def attachment_view(row: Any, call: Call) -> AttachmentView:
    """The attachment of a row."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "media_type": row["media_type"],
        "filename": row["filename"],
        "size": row["size"],
        "sha256": row["sha256"],
        "original_sha256": row["original_sha256"],
        "width": row["width"],
        "height": row["height"],
        "purpose": row["purpose"],
        "created_at": row["created_at"],
        "content_url": f"{call.house.settings.base_url}/v1/attachments/{row['id']}/content",
    }


async def list_attachments(call: Call) -> Reply:
    """What is attached to an appeal."""
    rows = await call.house.queries.attachments(call.principal, call.path["number"])
    return Reply({"items": [attachment_view(row, call) for row in rows]})


async def read_attachment(call: Call) -> Reply:
    """What is known of an attachment."""
    row = await call.house.queries.attachment(call.principal, call.id("attachment"))
    return Reply(attachment_view(row, call))


async def read_content(call: Call) -> Reply:
    """The file itself, in a form that a browser will not run."""
    row = await call.house.queries.attachment(call.principal, call.id("attachment"))
    content = await call.house.store.get(row["storage_key"])
    return Reply(
        content,
        headers={
            "content-disposition": content_disposition(row["filename"], row["media_type"]),
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, max-age=31536000, immutable",
            "etag": f'"{row["sha256"]}"',
        },
        media_type=row["media_type"],
    )


OPERATIONS = (
    Operation(
        "uploadAttachment", "POST", "/v1/attachments", "Attachments",
        "Upload a photo, a PDF or a recording",
        writes=upload, prepare=clean_file, permission=Permission.ATTACH, body=Upload(LARGEST),
        answer=AttachmentView, status=201, refusals=(409,),
    ),
    Operation(
        "listAppealAttachments", "GET", "/v1/appeals/{number}/attachments", "Attachments",
        "See what is attached to an appeal",
        reads=list_attachments, permission=Permission.READ_APPEAL,
        answer=AttachmentList, refusals=(404,),
    ),
    Operation(
        "readAttachment", "GET", "/v1/attachments/{id}", "Attachments",
        "See what is known of an attachment",
        reads=read_attachment, permission=Permission.READ_APPEAL,
        answer=AttachmentView, refusals=(404,),
    ),
    Operation(
        "readAttachmentContent", "GET", "/v1/attachments/{id}/content", "Attachments",
        "Fetch the file",
        reads=read_content, permission=Permission.READ_APPEAL, answer=bytes,
        media_type="application/octet-stream", refusals=(404,), etag=True,
    ),
)  # fmt: skip
