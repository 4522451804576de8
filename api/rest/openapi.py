"""The contract, OpenAPI 3.1, made from the table of operations and nothing else."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from api.errors import MEDIA_TYPE, STATUS
from api.oauth_scheme import scheme
from api.rest.descriptions import LANGUAGE, PATH, QUERY, TAGS
from api.rest.openapi_webhooks import webhooks
from api.rest.operation import Operation, Upload
from api.rest.table import OPERATIONS
from api.texts import TITLES
from domain.access import GRANTS, Permission
from domain.identity.scopes import scopes_for

Schema = dict[str, Any]

_REF = "#/components/schemas/{model}"
_TAG = r'(W/)?"[!#-~]{0,64}"'
_PARAMETER = re.compile(r"\{(\w+)\}")
_ALWAYS = (429, 500, 503)

_PATH_SCHEMAS: dict[str, Schema] = {
    "number": {"type": "string", "maxLength": 40, "examples": ["SEM-2026-000123"]},
    "id": {"type": "string", "format": "uuid"},
    "code": {"type": "string", "maxLength": 100},
}  # fmt: skip

_DESCRIPTION = """
One headless platform behind the single number 109 of a city: every appeal is registered for
good, brought to whoever must act, clocked, and closed only by the resident.

* Errors are problem documents (RFC 9457) in kk, ru or en by `Accept-Language`.
* Every POST carries an `Idempotency-Key`; a repeat gets the first answer.
* An appeal's `ETag` is its version; `If-Match` guards actions, and is required for PATCH.
* Lists go on by `cursor`; times are RFC 3339 in UTC.
"""

PROBLEM: Schema = {
    "type": "object",
    "description": "What is wrong and how to mend it (RFC 9457), in the caller's language.",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference",
                 "description": "A page about this kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable word for programs"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every bad field of the request",
            "items": {
                "type": "object",
                "required": ["pointer", "rule", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901)"},
                    "rule": {"type": "string"},
                    "message": {"type": "string"},
                    "params": {"type": "object"},
                },
            },
        },
        "allowed": {"type": "array", "items": {"type": "string"},
                    "description": "Actions possible in the present state"},
    },
}  # fmt: skip


_BOUNDS = {"array": "maxItems", "object": "maxProperties"}


def _plain(part: Any) -> Any:
    """The same, said as JSON Schema says it: what is left out is null without a default, and
    `maxLength` bounds texts only."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    bound = _BOUNDS.get(kind, "maxLength") if isinstance(kind, str) else "maxLength"
    return {
        bound if name == "maxLength" else name: _plain(item)
        for name, item in part.items()
        if not (name == "default" and item is None)
    }


@cache
def document() -> Schema:
    """The whole contract as one JSON document."""
    paths: dict[str, Schema] = {}
    schemas = _Schemas()
    for operation in OPERATIONS:
        described = _operation(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "iKomek 109",
            "version": "0.1.0",
            "description": _DESCRIPTION.strip(),
            "contact": {"name": "iKomek 109 contributors"},
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": tag, "description": words} for tag, words in TAGS.items()],
        "security": [{"bearer": []}],
        "paths": _plain(paths),
        "webhooks": webhooks(),
        "components": {
            "schemas": {"Problem": PROBLEM, **_plain(schemas.all())},
            "headers": _HEADERS,
            "responses": _refusals(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer",
                           "description": "A service token of `ikomek token issue`: all that"
                           " its role may do."},
                "oauth2": scheme(),
            },
        },
    }  # fmt: skip


_HEADERS: dict[str, Schema] = {
    "ETag": {"schema": {"type": "string"}, "description": "The version of what is shown"},
    "Location": {"schema": {"type": "string"}, "description": "Where the new thing is"},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"},
    "RateLimit": {"schema": {"type": "string"}, "description": "What is left of the quota"},
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": "The quota"},
    "X-Request-Id": {"schema": {"type": "string"}, "description": "Names this request in logs"},
}


_WAITED = (409, 429, 503)
_WAIT: Schema = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}


class _Schemas:
    """Schemas of bodies and answers, gathered once and referred to by name."""

    def __init__(self) -> None:
        bodies = [o.body for o in OPERATIONS if isinstance(o.body, type)]
        keyed = [(model, "validation") for model in dict.fromkeys(bodies)]
        _, found = models_json_schema(keyed, ref_template=_REF)  # type: ignore[arg-type]
        self._found: dict[str, Schema] = dict(found.get("$defs", {}))

    def body(self, model: type[BaseModel]) -> Schema:
        """A reference to a body's schema."""
        return {"$ref": _REF.format(model=model.__name__)}

    def answer(self, kind: Any) -> Schema:
        """A reference to an answer's schema, or the schema itself where it has no name."""
        schema = TypeAdapter(kind).json_schema(ref_template=_REF, mode="serialization")
        for name, part in schema.pop("$defs", {}).items():
            self._found.setdefault(name, part)
        if "title" not in schema:
            return schema
        self._found.setdefault(schema["title"], schema)
        return {"$ref": _REF.format(model=schema["title"])}

    def all(self) -> dict[str, Schema]:
        """Every schema by name."""
        return dict(sorted(self._found.items()))


def _operation(operation: Operation, schemas: _Schemas) -> Schema:
    described: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _permission(operation),
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
    }
    described["security"] = _security(operation)
    if isinstance(operation.body, Upload):
        described["requestBody"] = _upload()
    elif operation.body is not None:
        content = {"application/json": {"schema": schemas.body(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _security(operation: Operation) -> list[Schema]:
    """A service token, or an access token with one of the scopes that let the permission pass."""
    if operation.open_to_all:
        return []
    if operation.permission is None:
        return [{"bearer": []}, {"oauth2": []}]
    return [{"bearer": []}, *({"oauth2": [name]} for name in scopes_for(operation.permission))]


def _permission(operation: Operation) -> str:
    if operation.open_to_all:
        return "Open to all."
    if operation.permission is None:
        return "For everybody with a token."
    return f"Needs `{operation.permission}`: {', '.join(_holders(operation.permission))}."


def _holders(permission: Permission) -> list[str]:
    return [str(role) for role, granted in GRANTS.items() if permission in granted]


def _upload() -> Schema:
    file = {"type": "string", "format": "binary",
            "description": "JPEG, PNG, WebP; PDF; MP3, OGG, WAV, M4A, AMR, WebM"}  # fmt: skip
    schema = {"type": "object", "required": ["file"], "properties": {"file": file},
              "additionalProperties": False}  # fmt: skip
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _parameters(operation: Operation) -> list[Schema]:
    found = [
        {"name": name, "in": "path", "required": True,
         "description": PATH[name], "schema": _PATH_SCHEMAS[name]}
        for name in _PARAMETER.findall(operation.path)
    ]  # fmt: skip
    if operation.query is not None:
        found += _query(operation.query)
    if operation.keyed:
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": True,
             "description": "Repeat a call with the same key to get its first answer",
             "schema": {"type": "string", "minLength": 1, "maxLength": 255,
                        "pattern": "^[!-~]+$"}}
        )  # fmt: skip
    if operation.if_match:
        found.append(
            {"name": "If-Match", "in": "header", "required": operation.method == "PATCH",
             "description": "Act only if the appeal is still at this version",
             "schema": {"type": "string", "maxLength": 200,
                        "pattern": rf"^(\*|{_TAG}(, ?{_TAG})*)$",
                        "examples": ['"3"']}}
        )  # fmt: skip
    found.append(
        {"name": "Accept-Language", "in": "header", "required": False,
         "description": LANGUAGE,
         "schema": {"type": "string", "maxLength": 200, "examples": ["kk", "ru", "en"]}}
    )  # fmt: skip
    return found


def _query(model: type[BaseModel]) -> list[Schema]:
    schema = model.model_json_schema(ref_template=_REF)
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": QUERY[name],
            "schema": _inlined(part, definitions),
        }
        for name, part in schema["properties"].items()
    ]


def _inlined(schema: Any, definitions: dict[str, Schema]) -> Any:
    """A parameter's schema whole, without the null that stands for 'not given'."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        given = [part for part in schema["anyOf"] if part != {"type": "null"}]
        if len(given) == 1:
            rest = {n: v for n, v in schema.items() if n not in ("anyOf", "default", "title")}
            return {**rest, **_inlined(given[0], definitions)}
    return {n: _inlined(v, definitions) for n, v in schema.items() if n != "title"}


def _responses(operation: Operation, schemas: _Schemas) -> Schema:
    good: Schema = {"description": operation.summary, "headers": _told(operation)}
    if operation.status != 204:
        content = {"type": "string", "format": "binary"}
        schema = content if operation.answer is bytes else schemas.answer(operation.answer)
        good["content"] = {operation.media_type: {"schema": schema}}
    responses: Schema = {str(operation.status): good}
    if operation.etag and operation.method == "GET":
        responses["304"] = {"description": "Not changed since the ETag of If-None-Match"}
    for status in sorted(_statuses(operation)):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return responses


def _told(operation: Operation) -> Schema:
    names = ["X-Request-Id"]
    names += ["RateLimit", "RateLimit-Policy"] if not operation.open_to_all else []
    names += ["ETag"] if operation.etag else []
    names += ["Location"] if operation.status == 201 else []
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _statuses(operation: Operation) -> set[int]:
    statuses = {400, *operation.refusals, *_ALWAYS}
    if not operation.open_to_all:
        statuses.add(401)
    if operation.permission is not None:
        statuses.add(403)
    if operation.body is not None:
        statuses |= {408, 413, 415, 422}
    if operation.keyed:
        statuses.add(422)
    if operation.answer not in (bytes, None):
        statuses.add(406)
    return statuses


def _refusals() -> dict[str, Schema]:
    by_status: dict[int, list[str]] = {}
    for refusal, status in STATUS.items():
        by_status.setdefault(int(status), []).append(refusal.code)
    told = {status for operation in OPERATIONS for status in _statuses(operation)}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {
            "description": " · ".join(TITLES[code]["en"] for code in codes),
            **({"headers": _WAIT} if status in _WAITED else {}),
            "content": content,
        }
        for status, codes in sorted(by_status.items())
        if status in told
    }
