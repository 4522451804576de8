"""Carrying out a mutation: the operation of the REST API, asked by the arguments of the graph."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry

from api.errors import KeyRequired, TooLarge
from api.graphql.context import Context
from api.graphql.saying import as_query, body_of, named
from api.rest.acting import carry_out, judged, sound_key
from api.rest.bodies import ReadFile
from api.rest.decode import canonical, decode_body
from api.rest.operation import Operation, Reply, Upload, require_step
from domain.access import Principal
from domain.errors import Invalid


@strawberry.input(
    description="A file, within the request itself, which may be a megabyte: about 700 kB of file."
    " Upload a larger one over REST (POST /v1/attachments) and name its id as you would this one's."
)
class FileInput:
    """As large as a request may be."""

    filename: str = strawberry.field(description="The name that it had.")
    media_type: str | None = strawberry.field(
        description="What it is said to be; its content decides.", default=None
    )
    content: str = strawberry.field(description="The file in base64 (RFC 4648 §4).")


@dataclass(frozen=True)
class Act:
    """An operation that changes something; `names` are those of its path's parameters."""

    operation: Operation
    names: tuple[str, ...]

    async def do(self, context: Context, given: Mapping[str, Any]) -> Reply:
        """Carry it out. Raises Refusal, its faults by the names of the graph."""
        operation = self.operation
        principal = context.require(operation.permission)
        path = {name: str(given[name]) for name in self.names}
        for step in path.values():
            require_step(step)
        body = body_for(operation, context, principal, given.get("input"))
        version = given.get("if_version")
        call = context.call(
            principal,
            path=path,
            body=body,
            query=self._query(given),
            conditional=version is not None,
            versions=None if version is None else frozenset({version}),
            key=self._key(context, given.get("idempotency_key")),
        )
        try:
            return await carry_out(operation, call, _said(operation, given.get("input"), body))
        except Invalid as refusal:
            raise type(refusal)(named(refusal.faults, self._model())) from None

    def _query(self, given: Mapping[str, Any]) -> Any:
        model = self.operation.query
        if model is None:
            return None
        return as_query(model, {name: given.get(name) for name in model.model_fields})

    def _model(self) -> Any:
        model = self.operation.body
        return None if isinstance(model, Upload) else model

    def _key(self, context: Context, argument: str | None) -> str | None:
        if not self.operation.keyed:
            return None
        key = argument if argument is not None else context.key
        if key is None:
            raise KeyRequired
        return sound_key(key)


def body_for(operation: Operation, context: Context, principal: Principal, given: Any) -> Any:
    """The body that an operation takes, from an input. Raises Invalid, Malformed, TooLarge."""
    model = operation.body
    if model is None:
        return None
    if isinstance(model, Upload):
        return _file(given, model.max_bytes)
    raw = body_of(given or {})
    try:
        return decode_body(model, raw)
    except Invalid as refusal:
        city = context.house.references.of(principal.city)
        whole = judged(operation, refusal, raw, principal, city, context.at)
        raise Invalid(named(whole.faults, model)) from None


def _said(operation: Operation, given: Any, body: Any) -> bytes:
    """What tells this request from another under the same key: as over REST."""
    if isinstance(operation.body, Upload):
        fingerprint: bytes = body.fingerprint()
        return fingerprint
    return canonical(body_of(given or {})) if operation.body is not None else b""


def _file(given: FileInput, limit: int) -> ReadFile:
    try:
        content = b64decode(given.content, validate=True)
    except (Error, ValueError):
        raise Invalid.at("/content", "format") from None
    if len(content) > limit:
        raise TooLarge(limit=limit)
    return ReadFile(content, given.filename, given.media_type)
