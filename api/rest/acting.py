"""Carrying out what changes something, once for each Idempotency-Key, behind whichever door.

The unit of work of a write is opened and committed here, together with the answer to its
Idempotency-Key. A refusal looks first whether the key was answered before, so that a repeat
gets the first answer even where the act would no longer be allowed; the first call pays
nothing for it.
"""

import re
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from api.errors import KeyReused
from api.rest.operation import Call, Operation, Reply, malformed
from domain.access import Principal
from domain.errors import Invalid, Refusal, Unavailable
from domain.ports import Answer, KeyTaken
from domain.reference import Reference

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def sound_key(key: str) -> str:
    """The Idempotency-Key. Raises Malformed for what is none."""
    if not _KEY.fullmatch(key):
        raise malformed("Idempotency-Key", "/idempotency-key", "pattern")
    return key


async def carry_out(operation: Operation, call: Call, said: bytes) -> Reply:
    """Do it, or answer what was answered to the same key before.

    `said` is what tells the request from another of the same operation, path and query.
    Raises Refusal; KeyReused where the key stands for another request.
    """
    path = operation.path.format_map(call.path)
    if operation.query is not None:
        path = f"{path}?{call.query.model_dump_json()}"
    fingerprint = sha256(f"{operation.id} {path}\n".encode() + said).digest()
    try:
        if operation.prepare is not None:
            call = replace(call, body=await operation.prepare(call))
        return await _act(operation, call, fingerprint)
    except KeyTaken:
        return await _again(call, fingerprint)
    except Refusal as refusal:
        if call.key is None or isinstance(refusal, Unavailable):
            raise
        return await _again(call, fingerprint, otherwise=refusal)


async def _act(operation: Operation, call: Call, fingerprint: bytes) -> Reply:
    if operation.writes is None:
        raise AssertionError(operation.id)
    async with call.house.units.open(call.principal) as uow:
        reply = await operation.writes(call, uow)
        if call.key is None:
            await uow.commit()
            return reply
        reply = Reply(encoded(reply.body), reply.status, reply.headers, reply.media_type)
        headers = {**reply.headers, "content-type": reply.media_type,
                   "content-language": call.language}  # fmt: skip
        await uow.commit(Answer(call.key, fingerprint, reply.status, headers, reply.body))
        return reply


async def _again(call: Call, fingerprint: bytes, otherwise: Refusal | None = None) -> Reply:
    """The first answer to the key; where there is none, the refusal stands."""
    first = await call.house.answers.find(call.principal, call.key or "")
    if first is None:
        raise otherwise or Unavailable(what="answer")
    if first.fingerprint != fingerprint:
        raise KeyReused
    headers = dict(first.headers)
    media_type = headers.pop("content-type", "application/json")
    headers["idempotency-replayed"] = "true"
    return Reply(first.body, first.status, headers, media_type)


def encoded(body: Any) -> bytes:
    """A body as it is written."""
    if isinstance(body, bytes):
        return body
    return orjson.dumps(body, default=str, option=orjson.OPT_UTC_Z)


def judged(
    operation: Operation,
    refusal: Invalid,
    raw: bytes,
    principal: Principal,
    reference: Reference,
    at: datetime,
) -> Invalid:
    """The refusal of a body's form, with what the city finds wrong in it beside that."""
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # Not-a-number and its kin, which Python's readers let pass: the form said so already.
        return refusal
    if operation.judges is None or not isinstance(said, dict):
        return refusal
    found = operation.judges(said, principal, reference, at)
    known = {fault.pointer for fault in refusal.faults}
    return Invalid((*refusal.faults, *(fault for fault in found if fault.pointer not in known)))
