"""The register proves itself: receipts of appeals, checkpoints, growth, cosignatures.

Checkpoints and keys are open to all, since a proof is worth what strangers can check.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply, malformed
from api.rest.views import known_to
from domain.access import Permission, Role
from domain.errors import Invalid, NotFound, NotSealed
from domain.ports import UnitOfWork
from domain.reference import City
from domain.register.checkpoint import (
    COSIGNATURE,
    Key,
    Signature,
    is_signed,
    origin_of,
    parse_key,
    parse_signature,
)
from domain.register.receipt import EVERY, ProvedEvent, Signed, proved

FIRST = 1
"""The registration is the first event of an appeal."""
_BY_ALL = frozenset({"text", "answers"})
"""What of a registration is shown to whoever sees the appeal; the resident is shown all."""


class CityQuery(f.Query):
    """Whose register."""

    city: f.Code | None = None


class CheckpointsQuery(CityQuery):
    """Which checkpoints."""

    below: f.Leaves | None = None
    limit: f.Limit = 50


class ConsistencyQuery(CityQuery):
    """Between which trees."""

    old: Annotated[f.Leaves, Field(alias="from")]
    new: Annotated[f.Leaves | None, Field(alias="to")] = None


class CosignatureBody(f.Body):
    """A witness's line under the checkpoint of a size (C2SP tlog-cosignature)."""

    size: Annotated[int, Field(ge=1, le=2**53 - 1)]
    # A name without spaces and '+', and 76 bytes in base64: key id, time, Ed25519.
    cosignature: Annotated[
        str, Field(max_length=310, pattern=r"^— [!-*,-~]{1,200} [A-Za-z0-9+/]{101}[AQgw]==$")
    ]


class Opened(TypedDict):
    """A personal text and the salt that its hash in the event was made with."""

    text: str
    salt: str


class ReceiptView(TypedDict):
    """All that proves, offline, that the appeal is in the register (docs/register.md).

    `event` are the bytes of the registration as they were hashed, null for who may not see them:
    then `proved` is 0, for whose leaf it is only the bytes tell. `leaf` and `path` are hex,
    `checkpoint` is a signed note, `key` verifies it.
    """

    format: int
    number: str
    proved: int
    event: str | None
    leaf: str
    index: int
    path: list[str]
    checkpoint: str
    key: str
    personal: dict[str, Opened]


class ProvedEventView(TypedDict):
    """An event and its leaf. `index` and `path` are null until a checkpoint covers it; `event`
    is null where the caller may know only that it is there."""

    sequence: int
    event: str | None
    leaf: str
    index: int | None
    path: list[str] | None


class ProofView(TypedDict):
    """Every event of an appeal, each tied to its leaf under one checkpoint. `proved` of them are
    sealed and shown, or named by the next that is; where 0, nothing of the appeal is proved."""

    format: int
    number: str
    proved: int
    events: list[ProvedEventView]
    checkpoint: str
    key: str


class CheckpointView(TypedDict):
    """What was signed. `checkpoint` is the note with its cosignatures."""

    size: int
    root: str
    at: datetime
    checkpoint: str


class CheckpointPage(TypedDict):
    """Checkpoints, the newest first; `next` goes on as `below`."""

    items: list[CheckpointView]
    next: int | None


ConsistencyView = TypedDict(
    "ConsistencyView", {"origin": str, "from": int, "to": int, "path": list[str]}
)
"""The proof that the tree of `to` leaves begins with that of `from` (RFC 9162 §2.1.4)."""


class KeyView(TypedDict):
    """A verifier's key (C2SP vkey) and since when it signs."""

    key: str
    since: datetime


class KeyList(TypedDict):
    """Keys of the log, the newest first, and of the witnesses whose cosignatures are taken."""

    origin: str
    keys: list[KeyView]
    witnesses: list[str]


async def read_receipt(call: Call) -> Reply:
    """What the resident keeps."""
    (registration,), newest, key = await _sealed(call, FIRST)
    if registration.proof is None:
        raise _not_sealed(call)
    shown = _shown(call, registration)
    return _private(
        {
            "format": 1,
            "number": call.path["number"],
            "proved": _count(call, [registration]),
            **_leaf(call, registration),
            "checkpoint": str(newest.checkpoint),
            "key": key,
            "personal": {
                name: {"text": text, "salt": salt.hex()}
                for name, (text, salt) in registration.personal.items()
                if shown is None or name in shown
            },
        }
    )


async def read_proof(call: Call) -> Reply:
    """Every event of an appeal, tied to the log."""
    events, newest, key = await _sealed(call)
    return _private(
        {
            "format": 1,
            "number": call.path["number"],
            "proved": _count(call, events),
            "events": [{"sequence": one.sequence, **_leaf(call, one)} for one in events],
            "checkpoint": str(newest.checkpoint),
            "key": key,
        }
    )


async def _sealed(call: Call, last: int = EVERY) -> tuple[list[ProvedEvent], Signed, str]:
    """Events with the newest checkpoint and its key. Raises NotFound, NotSealed."""
    events, newest = await call.house.proofs.events(call.principal, call.path["number"], last)
    if newest is None:
        raise _not_sealed(call)
    signers = {one.key_id for one in newest.checkpoint.signatures}
    keys = [key for key, _ in await call.house.proofs.keys(call.principal.city)]
    return events, newest, next(key for key in keys if parse_key(key).id in signers)


def _not_sealed(call: Call) -> NotSealed:
    return NotSealed(seconds=call.house.settings.checkpoint_seconds)


def _private(body: dict[str, Any]) -> Reply:
    return Reply(body, headers={"cache-control": "no-store"})


def _count(call: Call, events: Iterable[ProvedEvent]) -> int:
    """How many of the events the caller can prove with what they are given."""
    return proved((one.proof is not None, _whole(call, one)) for one in events)


def _leaf(call: Call, event: ProvedEvent) -> dict[str, Any]:
    proof = event.proof
    return {
        "event": event.canonical.decode() if _whole(call, event) else None,
        "leaf": event.hash.hex(),
        "index": proof.index if proof else None,
        "path": [step.hex() for step in proof.path] if proof else None,
    }


def _whole(call: Call, event: ProvedEvent) -> bool:
    """Whether the caller may have the bytes of an event, and not only its hash.

    The bytes name by id who acted: of a resident, nobody else may know that (views.known_to).
    """
    if event.internal and not call.principal.may(Permission.READ_INTERNAL):
        return False
    actor = orjson.loads(event.canonical)["actor"]
    own = call.principal.role is Role.CITIZEN
    return own or known_to(call.principal, UUID(actor["id"]), actor["role"]) is not None


def _shown(call: Call, event: ProvedEvent) -> frozenset[str] | None:
    """Whose personal texts are opened: None for all of them."""
    if call.principal.role is Role.CITIZEN:
        return None
    return _BY_ALL if _whole(call, event) else frozenset()


async def list_checkpoints(call: Call) -> Reply:
    """What was signed, the newest first."""
    query: CheckpointsQuery = call.query
    city = _city(call, query)
    below = query.below or 2**53
    found = await call.house.proofs.checkpoints(city.id, below, query.limit + 1)
    items = found[: query.limit]
    more = len(found) > query.limit
    return Reply(
        {
            "items": [_checkpoint(one) for one in items],
            "next": items[-1].checkpoint.size if more else None,
        }
    )


def _checkpoint(signed: Signed) -> dict[str, Any]:
    checkpoint = signed.checkpoint
    return {
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "at": signed.at,
        "checkpoint": str(checkpoint),
    }


async def read_latest(call: Call) -> Reply:
    """The newest checkpoint as it was signed."""
    newest = await _newest(call, _city(call, call.query))
    return Reply(str(newest.checkpoint).encode(), media_type="text/plain")


async def read_consistency(call: Call) -> Reply:
    """That nothing that was signed was rewritten since."""
    query: ConsistencyQuery = call.query
    city = _city(call, query)
    signed = (await _newest(call, city)).checkpoint.size
    new = query.new or signed
    for name, size, most in (("to", new, signed), ("from", query.old, new)):
        if size > most:
            raise malformed("query", f"/{name}", "not-signed", le=most)
    path = await call.house.proofs.consistency(city.id, query.old, new)
    return Reply(
        {
            "origin": origin_of(city.code),
            "from": query.old,
            "to": new,
            "path": [step.hex() for step in path],
        }
    )


async def list_keys(call: Call) -> Reply:
    """With what a checkpoint is verified."""
    city = _city(call, call.query)
    keys = await call.house.proofs.keys(city.id)
    return Reply(
        {
            "origin": origin_of(city.code),
            "keys": [{"key": key, "since": since} for key, since in keys],
            "witnesses": list(call.house.settings.witness_keys),
        }
    )


async def add_cosignature(call: Call, uow: UnitOfWork) -> Reply:
    """A witness's word that the log only grew, kept under the checkpoint."""
    body: CosignatureBody = call.body
    signature, key = _witnessed(call, body.cosignature)
    try:
        signed = await call.house.proofs.checkpoint(call.principal.city, body.size)
    except NotFound:
        raise Invalid.at("/size", "unknown-checkpoint") from None
    bare = replace(signed.checkpoint, signatures=(signature,))
    if not is_signed(bare, key, call.house.verify):
        raise Invalid.at("/cosignature", "signature")
    await call.house.proofs.cosign(
        call.principal.city, body.size, str(key), str(signature), call.at
    )
    return Reply(_checkpoint(await call.house.proofs.checkpoint(call.principal.city, body.size)))


def _witnessed(call: Call, line: str) -> tuple[Signature, Key]:
    """The line and the key that it says it is of. Raises Invalid."""
    signature = parse_signature(line)
    for key in map(parse_key, call.house.settings.witness_keys):
        if (key.kind, key.name, key.id) == (COSIGNATURE, signature.name, signature.key_id):
            return signature, key
    raise Invalid.at("/cosignature", "unknown-witness")


async def _newest(call: Call, city: City) -> Signed:
    newest = await call.house.proofs.newest(city.id)
    if newest is None:
        raise _not_sealed(call)
    return newest


def _city(call: Call, query: CityQuery) -> City:
    """The city that is asked about; the only one, if none is named. Raises NotFound, Malformed."""
    references = call.house.references
    known = [references.of(id).city for id in references.cities()]
    if query.city is None and len(known) > 1:
        raise malformed("query", "/city", "required")
    found = [city for city in known if query.city in (None, city.code)]
    if not found:
        raise NotFound(kind="city", id=query.city)
    return found[0]


_MAY = Permission.READ_APPEAL
_APPEAL, _REGISTER = "/v1/appeals/{number}", "/v1/register"

OPERATIONS = (
    Operation(
        "readReceipt", "GET", f"{_APPEAL}/receipt", "Register",
        "Take a receipt that proves, offline, that the appeal is registered unchanged",
        reads=read_receipt, permission=_MAY, answer=ReceiptView, refusals=(404, 409),
    ),
    Operation(
        "readProof", "GET", f"{_APPEAL}/proof", "Register",
        "Prove every event of an appeal: what the caller may not see, by its hash",
        reads=read_proof, permission=_MAY, answer=ProofView, refusals=(404, 409),
    ),
    Operation(
        "listCheckpoints", "GET", f"{_REGISTER}/checkpoints", "Register",
        "See what was signed of the register, the newest first",
        reads=list_checkpoints, open_to_all=True, query=CheckpointsQuery,
        answer=CheckpointPage, refusals=(404,),
    ),
    Operation(
        "readLatestCheckpoint", "GET", f"{_REGISTER}/checkpoints/latest", "Register",
        "Take the newest signed checkpoint as text (C2SP tlog-checkpoint)",
        reads=read_latest, open_to_all=True, query=CityQuery, answer=str,
        media_type="text/plain", refusals=(404, 409),
    ),
    Operation(
        "readConsistency", "GET", f"{_REGISTER}/consistency", "Register",
        "Prove that a newer tree begins with an older one",
        reads=read_consistency, open_to_all=True, query=ConsistencyQuery,
        answer=ConsistencyView, refusals=(404, 409),
    ),
    Operation(
        "listRegisterKeys", "GET", f"{_REGISTER}/keys", "Register",
        "See the keys that checkpoints are verified with",
        reads=list_keys, open_to_all=True, query=CityQuery, answer=KeyList, refusals=(404,),
    ),
    Operation(
        "addCosignature", "POST", f"{_REGISTER}/cosignatures", "Register",
        "Cosign a checkpoint as a witness whose key is known here",
        writes=add_cosignature, permission=Permission.COSIGN, body=CosignatureBody,
        answer=CheckpointView,
    ),
)  # fmt: skip
