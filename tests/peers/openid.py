"""A certified OpenID provider (idpyoidc) as a process of its own, for the OpenID side of the login.

    python -m tests.peers.openid --port 8111 --client ikomek:secret \\
        --redirect http://127.0.0.1:8109/login/callback/water

Discovery, code, PKCE by S256 alone, id_token, userinfo: all by the library. What a certified
provider never does is done by the wrapper: `POST /control` with `{"forge": {…}}` changes claims of
the id_tokens that follow (null leaves one out; `alg`, `kid`, `key` say how they are signed), and
`{"turn": true}` gives the provider new keys. The product never imports it.
"""

import argparse
import hmac
import json
import logging
import os
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptojwt.key_jar import build_keyjar
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, RSAKey

PEOPLE = {
    "aigul": {
        "given_name": "Айгүл",
        "family_name": "Серікова",
        "middle_name": "Маратқызы",
        "birthdate": "2099-12-31",
        "phone_number": "+7 701 555 01 09",
        "phone_number_verified": True,
        "email": "aigul@water.example",
        "email_verified": True,
    }
}
KEYS = [
    {"type": "RSA", "use": ["sig"]},
    {"type": "EC", "crv": "P-256", "use": ["sig"]},
]
ENDPOINTS = {
    "provider_config": (
        ".well-known/openid-configuration",
        "idpyoidc.server.oidc.provider_config.ProviderConfiguration",
        {"client_authn_method": None},
    ),
    "authorization": (
        "authorization",
        "idpyoidc.server.oidc.authorization.Authorization",
        {"client_authn_method": None, "response_types_supported": ["code"],
         "response_modes_supported": ["query"]},
    ),
    "token": (
        "token",
        "idpyoidc.server.oidc.token.Token",
        {"client_authn_method": ["client_secret_basic", "client_secret_post"]},
    ),
    "userinfo": (
        "userinfo",
        "idpyoidc.server.oidc.userinfo.UserInfo",
        {"claim_types_supported": ["normal"]},
    ),
}  # fmt: skip
_SECRETS = {"jwks_def": {"key_defs": [{"type": "oct", "bytes": 24, "use": ["enc"], "kid": "code"}],
                         "read_only": False}}  # fmt: skip


def configuration(issuer: str) -> dict[str, Any]:
    """The library's configuration: strict where it lets one choose."""
    token = {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": 60}}
    return {
        "issuer": issuer,
        "httpc_params": {"verify": False},
        "preference": {
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "profile", "email", "phone"],
        },
        "key_conf": {"key_defs": KEYS, "uri_path": "jwks.json"},
        "endpoint": {
            name: {"path": path, "class": kind, "kwargs": kwargs}
            for name, (path, kind, kwargs) in ENDPOINTS.items()
        },
        "token_handler_args": {
            **_SECRETS,
            "code": {"lifetime": 60, "kwargs": {}},
            "token": token,
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {}},
        },
        "authentication": {
            "anon": {
                "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
                "class": "idpyoidc.server.user_authn.user.NoAuthn",
                "kwargs": {"user": "aigul"},
            }
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": PEOPLE}},
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True, "code_challenge_method": "S256"},
            }
        },
        "scopes_to_claims": {
            "openid": ["sub"],
            "profile": ["given_name", "family_name", "middle_name", "birthdate"],
            "phone": ["phone_number", "phone_number_verified"],
            "email": ["email", "email_verified"],
        },
    }


class Op:
    """The provider behind WSGI."""

    def __init__(self, issuer: str, clients: dict[str, str], redirects: list[str]) -> None:
        self.issuer = issuer
        self.clients = clients
        self.redirects = redirects
        self.forge: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        """Begin with keys that nobody has seen."""
        keyjar = build_keyjar(KEYS, issuer_id="")
        keyjar.import_jwks(keyjar.export_jwks(True, ""), self.issuer)
        self.keyjar = keyjar
        settings = OPConfiguration(configuration(self.issuer), domain="127.0.0.1")
        self.server = Server(settings, keyjar=keyjar)
        for client_id, secret in self.clients.items():
            self.server.context.cdb[client_id] = {
                "client_id": client_id,
                "client_secret": secret,
                "redirect_uris": [(uri, {}) for uri in self.redirects],
                "response_types_supported": ["code"],
                "token_endpoint_auth_method": "client_secret_basic",
                "allowed_scopes": ["openid", "profile", "email", "phone"],
                "id_token_signed_response_alg": "RS256",
            }
            keyjar.add_symmetric(client_id, secret)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"].lstrip("/")
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size).decode()
        if path == "control":
            return self._control(body, start)
        if path == "jwks.json":
            return _json(start, json.loads(self.keyjar.export_jwks_as_json(issuer_id="")))
        for name, (there, _, _) in ENDPOINTS.items():
            if there == path:
                return self._endpoint(name, environ, body, start)
        return _json(start, {"error": "not_found"}, "404 Not Found")

    def _control(self, body: str, start: Callable[..., Any]) -> Iterable[bytes]:
        told = json.loads(body)
        self.forge = told.get("forge", {})
        if told.get("turn"):
            self.start()
        return _json(start, told)

    def _endpoint(
        self, name: str, environ: dict[str, Any], body: str, start: Callable[..., Any]
    ) -> Iterable[bytes]:
        endpoint = self.server.get_endpoint(name)
        headers = {"authorization": environ.get("HTTP_AUTHORIZATION", "")}
        info = {"headers": headers if headers["authorization"] else {}, "url": "", "method":
                environ["REQUEST_METHOD"]}  # fmt: skip
        said = {key: value for key, (value, *_) in
                parse_qs(body or environ.get("QUERY_STRING", "")).items()}  # fmt: skip
        request = endpoint.parse_request(said, http_info=info)
        if "error" in request:
            return _json(start, request.to_dict(), "400 Bad Request")
        answer = endpoint.process_request(request, http_info=info)
        if "error" in answer:
            told = {key: answer[key] for key in ("error", "error_description") if key in answer}
            return _json(start, told, "400 Bad Request")
        sent = endpoint.do_response(request=request, **answer)
        if name == "authorization":
            start("302 Found", [("Location", sent["response"])])
            return [b""]
        told = json.loads(sent["response"])
        if name == "token" and self.forge and "id_token" in told:
            told["id_token"] = self._forged(told["id_token"])
        return _json(start, told)

    def _forged(self, token: str) -> str:
        """The id_token with other claims, signed as the mood says: by the right key, or another."""
        forge = dict(self.forge)
        header = jws.extract_compact(token.encode()).headers()
        alg, kid = forge.pop("alg", "RS256"), forge.pop("kid", header["kid"])
        claims = json.loads(jws.extract_compact(token.encode()).payload) | forge
        claims = {name: value for name, value in claims.items() if value is not None}
        own = next(k for k in self.keyjar.get_signing_key(issuer_id="") if k.kid == header["kid"])
        which = claims.pop("key", "own")
        if alg in ("none", "HS256"):
            return _unsound(alg, kid, claims, own)
        return jwt.encode({"alg": alg, "kid": kid}, claims, _key(which, own), algorithms=[alg])


def _key(which: str, own: Any) -> Key:
    if which == "own":
        return RSAKey.import_key(
            own.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
    return ECKey.generate_key("P-256") if which == "ec" else RSAKey.generate_key(2048)


def _unsound(alg: str, kid: str, claims: dict[str, Any], own: Any) -> str:
    """What no library makes: no signature, or the public key, which everybody has, as a secret."""
    parts = (json.dumps(part).encode() for part in ({"alg": alg, "kid": kid}, claims))
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    public = own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.new(public, signed, "sha256").digest() if alg == "HS256" else b""
    return (signed + b"." + urlsafe_b64encode(mac).rstrip(b"=")).decode()


def _json(
    start: Callable[..., Any], told: dict[str, Any], status: str = "200 OK"
) -> Iterable[bytes]:
    start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps(told).encode()]


class Silent(WSGIRequestHandler):
    """A query may hold a code."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def main() -> None:
    """Serve until the process is ended; the first line of its output is its port."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--client", action="append", required=True, metavar="ID:SECRET")
    words.add_argument("--redirect", action="append", required=True, metavar="URL")
    said = words.parse_args()
    logging.disable(logging.CRITICAL)
    clients = dict(one.split(":", 1) for one in said.client)
    found: list[Op] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        make_server("127.0.0.1", said.port, lambda e, s: found[0](e, s), handler_class=Silent)
        as server,
    ):  # fmt: skip
        # The library writes what it makes beside itself; let that be a place that goes.
        os.chdir(Path(folder))
        found.append(Op(f"http://127.0.0.1:{server.server_port}", clients, said.redirect))
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
