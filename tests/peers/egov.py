"""A strict stand-in of eGov's identity provider, a process of its own that speaks real HTTP.

    python -m tests.peers.egov --port 8110 --client ikomek:secret \\
        --redirect http://127.0.0.1:8109/login/callback/egov

It does what public code shows of the real one and nothing beside: authorization code, HTTP Basic,
form-encoded token request, opaque token, person nested or flat, the phone a grant of its own. What
it does not know it refuses. `POST /control` with a JSON object changes its mood until the next one
(Mood tells the keys); `GET /control` tells what it was asked. The product never imports it.
"""

import argparse
import json
import secrets
import ssl
import sys
import time
from base64 import b64encode
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

AIGUL = {
    "iin": "991231600002",
    "surname": "Серікова",
    "name": "Айгүл",
    "patronymic": "Маратқызы",
    "birthDate": "2099-12-31",
}
"""Nobody: born in 2099."""

AUTHORIZE, TOKEN = "/idp/oauth/authorize", "/idp/oauth/token"
BASIC, PHONE = "/idp/resource/user/basic", "/idp/resource/user/phone"
KNOWN = {"response_type", "client_id", "redirect_uri", "state", "scope", "lang"}
REQUIRED = KNOWN - {"lang"}
TOKEN_FIELDS = {"grant_type", "code", "redirect_uri", "client_id"}


@dataclass
class Mood:
    """How it behaves until told otherwise."""

    person: Any = field(default_factory=lambda: {"person": AIGUL, "type": "ФЛ"})
    """What BASIC answers: JSON, or a text that is sent as it is."""
    phone: Any = "77015550109"
    """What PHONE tells; None: not granted."""
    slow: dict[str, float] = field(default_factory=dict)
    """Seconds that a path takes."""
    status: dict[str, int] = field(default_factory=dict)
    """The status that a path answers with, and nothing else."""
    location: dict[str, str] = field(default_factory=dict)
    """Where a path redirects to."""
    media_type: str = "application/json;charset=UTF-8"
    encoding: str | None = None
    padding: int = 0
    """Bytes that an answer is longer by."""
    code_seconds: float = 60.0
    token: Any = None
    """What TOKEN answers with instead of a token."""


class Idp:
    """Its memory: codes, tokens, mood, what it was asked."""

    def __init__(self, clients: dict[str, str], redirects: set[str]) -> None:
        self.clients = clients
        self.redirects = redirects
        self.mood = Mood()
        self.asked: Counter[str] = Counter()
        self.codes: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.languages: list[str] = []

    def redeem(self, form: dict[str, str]) -> tuple[str, str] | None:
        """None where the code is good; it is so once. Else the error."""
        said = self.codes.pop(form["code"], None)
        if said is None:
            return "invalid_grant", "Authorization code is unknown or was used"
        if time.monotonic() - said["made"] > self.mood.code_seconds:
            return "invalid_grant", "Authorization code has expired"
        if (said["redirect_uri"], said["client_id"]) != (form["redirect_uri"], form["client_id"]):
            return "invalid_grant", "redirect_uri or client_id differ"
        return None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    idp: Idp

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent: a query may hold a code."""

    def do_GET(self) -> None:
        """Authorize, decide, person, phone, and what it was asked."""
        path, query = self._split()
        if path == "/control":
            told = {"asked": self.idp.asked, "languages": self.idp.languages}
            self._plain(told)
        elif self._in_mood(path):
            actions = {AUTHORIZE: self._authorize, "/idp/decide": self._decide}
            if path in actions:
                actions[path](query)
            elif path in (BASIC, PHONE):
                self._resource(path)
            else:
                self._error(404, "not_found", "no such path")

    def do_POST(self) -> None:
        """Token, and the mood."""
        path, _ = self._split()
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if path == "/control":
            told = json.loads(body)
            assert set(told) <= {one.name for one in fields(Mood)}, told
            self.idp.mood = Mood(**told)
            self.idp.asked.clear()
            self._plain(asdict(self.idp.mood))
        elif self._in_mood(path):
            self._token(body) if path == TOKEN else self._error(404, "not_found", "no such path")

    def _in_mood(self, path: str) -> bool:
        self.idp.asked[path] += 1
        mood = self.idp.mood
        time.sleep(mood.slow.get(path, 0))
        if path in mood.status:
            self._error(mood.status[path], "server_error", "Внутренняя ошибка")
            return False
        if path in mood.location:
            self._answer(302, b"", {"location": mood.location[path]})
            return False
        return True

    def _authorize(self, query: list[tuple[str, str]]) -> None:
        said = dict(query)
        fit = (
            len(said) == len(query)
            and set(said) >= REQUIRED
            and set(said) <= KNOWN
            and said["client_id"] in self.idp.clients
            and said["redirect_uri"] in self.idp.redirects
        )
        if not fit:
            # A stranger's redirect_uri is never followed (RFC 6749 §4.1.2.1).
            self._error(400, "invalid_request", "the request is not registered")
            return
        if said["response_type"] != "code" or said["scope"] != "user:basic:read":
            self._back(said, error="invalid_scope", error_description="scope is not granted")
            return
        self.idp.languages.append(said.get("lang", ""))
        links = "".join(
            f'<p><a id={name} href="/idp/decide?{escape(urlencode({**said, "allow": value}))}">'
            f"{name}</a></p>"
            for name, value in (("allow", "yes"), ("refuse", "no"))
        )
        page = f"<!doctype html><meta charset=utf-8><title>eGov</title>{links}"
        self._answer(200, page.encode(), {"content-type": "text/html; charset=utf-8"})

    def _decide(self, query: list[tuple[str, str]]) -> None:
        said = dict(query)
        if said.get("redirect_uri") not in self.idp.redirects:
            self._error(400, "invalid_request", "the request is not registered")
        elif said.pop("allow") != "yes":
            self._back(said, error="access_denied", error_description="Пользователь отказал")
        else:
            code = secrets.token_urlsafe(24)
            self.idp.codes[code] = {**said, "made": time.monotonic()}
            self._back(said, code=code)

    def _back(self, said: dict[str, str], **answer: str) -> None:
        query = urlencode({**answer, "state": said["state"]})
        self._answer(302, b"", {"location": f"{said['redirect_uri']}?{query}"})

    def _token(self, body: bytes) -> None:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
        form = dict(pairs)
        if kind != "application/x-www-form-urlencoded" or len(form) != len(pairs):
            self._error(400, "invalid_request", "the form cannot be read")
        elif not self._is_client(form.get("client_id", "")):
            self._error(401, "invalid_client", "Bad client credentials")
        elif set(form) != TOKEN_FIELDS:
            self._error(400, "invalid_request", "fields are missing or unknown")
        elif form["grant_type"] != "authorization_code":
            self._error(400, "unsupported_grant_type", form["grant_type"])
        elif error := self.idp.redeem(form):
            self._error(400, *error)
        elif self.idp.mood.token is not None:
            self._json(200, self.idp.mood.token)
        else:
            token = secrets.token_hex(20)
            self.idp.tokens.add(token)
            self._json(200, {"access_token": token, "token_type": "bearer", "expires_in": 60})

    def _is_client(self, client_id: str) -> bool:
        secret = self.idp.clients.get(client_id)
        basic = b64encode(f"{client_id}:{secret}".encode()).decode()
        return secret is not None and self.headers.get("authorization") == f"Basic {basic}"

    def _resource(self, path: str) -> None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.idp.tokens:
            self._error(401, "invalid_token", "Unknown access token")
        elif path == BASIC:
            self._json(200, self.idp.mood.person)
        elif self.idp.mood.phone is None:
            self._error(403, "insufficient_scope", "phone is not granted")
        else:
            self._json(200, {"phone": self.idp.mood.phone})

    def _error(self, status: int, error: str, description: str) -> None:
        self._json(status, {"error": error, "error_description": description})

    def _plain(self, told: Any) -> None:
        self._answer(200, json.dumps(told).encode(), {"content-type": "application/json"})

    def _json(self, status: int, told: Any) -> None:
        body = told.encode() if isinstance(told, str) else json.dumps(told).encode()
        mood = self.idp.mood
        headers = {"content-type": mood.media_type, "cache-control": "no-store"}
        if mood.encoding is not None:
            headers["content-encoding"] = mood.encoding
        self._answer(status, body + b" " * mood.padding, headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _split(self) -> tuple[str, list[tuple[str, str]]]:
        parts = urlsplit(self.path)
        return parts.path, parse_qsl(parts.query, keep_blank_values=True)


def main() -> None:
    """Serve until the process is ended; the first line of its output is its port."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--client", action="append", required=True, metavar="ID:SECRET")
    words.add_argument("--redirect", action="append", required=True, metavar="URL")
    words.add_argument("--certificate", type=Path, help="PEM with key and certificate")
    said = words.parse_args()
    clients = dict(one.split(":", 1) for one in said.client)
    handler = type("Bound", (Handler,), {"idp": Idp(clients, set(said.redirect))})
    server = ThreadingHTTPServer(("127.0.0.1", said.port), handler)
    server.daemon_threads = True
    if said.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(said.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
