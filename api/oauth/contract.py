"""The contract of the authorization server, OpenAPI 3.1, beside that of the REST API.

Two documents, since they speak two languages: here requests are forms and refusals those of
RFC 6749, there they are JSON and problem documents.
"""

from functools import cache
from typing import Any

from api.oauth.metadata import metadata
from domain.identity.clients import GrantType

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 2048}
_CODE: Schema = {"type": "string", "minLength": 1, "maxLength": 512}
_SCOPE: Schema = {
    "type": "string", "maxLength": 1000, "examples": ["openid appeals:read"],
    "description": "Scopes, a space between them; left out: all that the client has",
}  # fmt: skip
_PROOF: Schema = {
    "client_id": {"type": "string", "format": "uuid", "description": "Of public clients"},
    "client_secret": _CODE | {"description": "Of clients registered for client_secret_post"},
    "client_assertion_type": {
        "type": "string",
        "enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
    },
    "client_assertion": {"type": "string", "maxLength": 8192, "description": "RFC 7523 §2.2"},
}

_TOKEN: Schema = {
    "grant_type": {"type": "string", "enum": list(map(str, GrantType))},
    "code": _CODE,
    "redirect_uri": {"type": "string", "format": "uri", "description": "As it was asked with"},
    "code_verifier": {
        "type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$", "description": "RFC 7636 §4.1",
    },
    "refresh_token": _CODE,
    "scope": _SCOPE,
    **_PROOF,
}  # fmt: skip

_SCHEMAS: dict[str, Schema] = {
    "Tokens": {
        "type": "object",
        "description": "RFC 6749 §5.1",
        "required": ["access_token", "token_type", "expires_in", "scope"],
        "properties": {
            "access_token": {"type": "string", "description": "A JWT, RFC 9068"},
            "token_type": {"type": "string", "const": "Bearer"},
            "expires_in": {"type": "integer", "description": "Seconds"},
            "scope": {"type": "string"},
            "refresh_token": {"type": "string", "description": "With offline_access; used once"},
            "id_token": {"type": "string", "description": "With openid"},
        },
    },
    "Error": {
        "type": "object",
        "description": "RFC 6749 §5.2",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "string",
                "enum": [
                    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
                    "unsupported_grant_type", "invalid_scope",
                ],
            },
            "error_description": {"type": "string"},
        },
    },
    "Introspection": {
        "type": "object",
        "description": "RFC 7662 §2.2; of a token that does not stand, `active` alone",
        "required": ["active"],
        "properties": {
            "active": {"type": "boolean"},
            **{
                name: {"type": "string"}
                for name in ("scope", "client_id", "token_type", "sub", "aud", "iss", "jti", "role")
            },
            **{name: {"type": "integer"} for name in ("exp", "iat")},
        },
    },
    "Person": {
        "type": "object",
        "description": "OpenID Connect Core 1.0 §5.1",
        "required": ["sub"],
        "properties": {
            "sub": {"type": "string", "format": "uuid"},
            "name": {"type": "string", "description": "With profile"},
        },
    },
    "KeySet": {
        "type": "object",
        "description": "RFC 7517 §5",
        "required": ["keys"],
        "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
    },
    "Metadata": {
        "type": "object",
        "description": "RFC 8414 §2",
        "required": ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"],
        "properties": {
            name: {
                "type": "array" if isinstance(value, list)
                else "boolean" if isinstance(value, bool) else "string"
            }
            | ({"items": {"type": "string"}} if isinstance(value, list) else {})
            for name, value in metadata("").items()
        },
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457, as in the contract of the REST API",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            **{name: {"type": "string"} for name in ("type", "title", "detail", "code")},
            "status": {"type": "integer"},
        },
    },
}  # fmt: skip


@cache
def document() -> Schema:
    """The whole contract as one JSON document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "iKomek 109: authorization server",
            "version": "0.1.0",
            "description": "Tokens for the REST API: OAuth 2.0 as RFC 9700 would have it, and"
            " OpenID Connect. docs/oauth.md walks through each flow.",
            "contact": {"name": "iKomek 109 contributors"},
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": "OAuth", "description": "Where tokens come from, and where they end"}],
        "paths": {
            "/oauth/authorize": {"get": _authorize()},
            "/oauth/token": {"post": _form("token", "Get a token", _TOKEN, ["grant_type"],
                                           "Tokens")},
            "/oauth/revoke": {"post": _form("revoke", "Take a token back", _about("RFC 7009"),
                                            ["token"], None)},
            "/oauth/introspect": {"post": _form("introspect", "Ask whether a token stands",
                                                _about("RFC 7662"), ["token"],
                                                "Introspection")},
            "/oauth/userinfo": {"get": _read("userinfo", "See who logged in", "Person",
                                             [{"bearer": []}])},
            "/oauth/jwks": {"get": _read("jwks", "Get the keys that verify tokens", "KeySet")},
            "/.well-known/oauth-authorization-server": {
                "get": _read("discoverOAuth", "See what the server can do", "Metadata")},
            "/.well-known/openid-configuration": {
                "get": _read("discoverOpenId", "See what the server can do", "Metadata")},
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer",
                           "description": "An access token with the scope openid"},
                "client": {"type": "http", "scheme": "basic",
                           "description": "A client's id and secret; others prove themselves"
                           " in the form"},
            },
        },
    }  # fmt: skip


def _about(source: str) -> dict[str, Schema]:
    hint = {"type": "string", "enum": ["access_token", "refresh_token"]}
    token = {"type": "string", "minLength": 1, "maxLength": 4096, "description": source}
    return {"token": token, "token_type_hint": hint, **_PROOF}


def _answer(name: str | None, words: str) -> Schema:
    schema: Schema = {"type": "object"} if name is None else _ref(name)
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _problem(words: str) -> Schema:
    return {"description": words, "content": {"application/problem+json": {
        "schema": _ref("Problem")}}}  # fmt: skip


def _form(
    id: str, summary: str, fields: dict[str, Schema], required: list[str], answer: str | None
) -> Schema:
    schema = {"type": "object", "required": required, "properties": fields}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {
        "operationId": id, "tags": ["OAuth"], "summary": summary,
        "description": f"{summary}. A client proves itself in one way: the one it registered.",
        "security": [{"client": []}, {}],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _answer(answer, summary),
            "400": _answer("Error", "The request is not sound, or what it brings is not"),
            "401": _answer("Error", "The client has not proved itself"),
            "408": _problem("The form did not come"),
            "429": _problem("Too many requests"),
            "503": _problem("Temporarily unavailable"),
        },
    }  # fmt: skip


def _read(
    id: str, summary: str, answer: str, security: list[dict[str, list[str]]] | None = None
) -> Schema:
    responses = {"200": _answer(answer, summary)}
    if security:
        responses |= {
            "401": _problem("Who you are is unknown"),
            "403": _problem("The token has no such scope"),
            "429": _problem("Too many requests"),
            "503": _problem("Temporarily unavailable"),
        }
    return {
        "operationId": id, "tags": ["OAuth"], "summary": summary, "description": f"{summary}.",
        "security": security or [], "responses": responses,
    }  # fmt: skip


def _authorize() -> Schema:
    needed: dict[str, Schema] = {
        "response_type": {"type": "string", "enum": ["code"]},
        "client_id": {"type": "string", "format": "uuid"},
        "redirect_uri": {"type": "string", "format": "uri", "maxLength": 500},
        "code_challenge": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"},
        "code_challenge_method": {"type": "string", "enum": ["S256"]},
    }
    free: dict[str, Schema] = {
        "scope": _SCOPE, "state": _TEXT, "nonce": _CODE,
        "ui_locales": {"type": "string", "maxLength": 200, "examples": ["kk", "ru", "en"]},
    }  # fmt: skip
    return {
        "operationId": "authorize",
        "tags": ["OAuth"],
        "summary": "Let a person log in and allow",
        "description": "For browsers. The answer at the redirect URI bears `code` or `error`,"
        " `state`, and `iss` (RFC 9207).",
        "security": [],
        "parameters": [
            {"name": name, "in": "query", "required": name in needed, "schema": schema,
             "description": "RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1"}
            for name, schema in (needed | free).items()
        ],
        "responses": {
            "303": {
                "description": "To the login, or back to the client with an error",
                "headers": {"Location": {"schema": {"type": "string"},
                                         "description": "Where to go on"}},
            },
            "400": _problem("No registered redirect URI is named, or a parameter is repeated"),
            "429": _problem("Too many requests"),
            "503": _problem("Temporarily unavailable"),
        },
    }  # fmt: skip
