"""Peers of the login: processes of their own, asked over real HTTP alone."""

import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

ROOT = Path(__file__).parents[2]
CALLBACK = "http://109.example/login/callback/egov"
CLIENT, SECRET = "ikomek-kishi", "s3cret:with/odd+signs"


@dataclass(frozen=True)
class Peer:
    """A running peer. `control` is its address for moods, always without TLS of its own."""

    url: str
    ca_file: Path | None = None

    def client(self) -> httpx2.Client:
        """A browser of the test's: no redirects followed."""
        # Without a file there is no TLS either, and the system's certificates are slow to read.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file is not None:
            verify.load_verify_locations(self.ca_file)
        return httpx2.Client(base_url=self.url, verify=verify, trust_env=False)

    def mood(self, **mood: Any) -> None:
        """How it behaves from now on; nothing: as always."""
        with self.client() as client:
            client.post("/control", json=mood).raise_for_status()

    def asked(self) -> dict[str, Any]:
        """What it was asked since its mood changed."""
        with self.client() as client:
            told: dict[str, Any] = client.get("/control").json()
        return told

    def decide(self, departure: str, *, allow: bool = True) -> dict[str, str]:
        """Go where the browser was sent, decide there; the query that the browser brings back."""
        with self.client() as client:
            page = client.get(departure)
            assert page.status_code == 200, page.text
            word = "allow" if allow else "refuse"
            link = page.text.split(f'id={word} href="')[1].split('"')[0].replace("&amp;", "&")
            back = client.get(link)
        assert back.status_code == 302, back.text
        found = parse_qs(urlsplit(back.headers["location"]).query)
        return {name: value for name, (value,) in found.items()}


@contextmanager
def running_peer(module: str, *arguments: str, scheme: str = "http") -> Iterator[str]:
    """A peer while it is needed; its URL."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port.isdigit(), f"{module} did not start"
            yield f"{scheme}://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def running_egov(*redirects: str, **options: Any) -> Iterator[Peer]:
    """The stand-in of eGov."""
    arguments = ["--client", f"{CLIENT}:{SECRET}"]
    for redirect in redirects or (CALLBACK,):
        arguments += ["--redirect", redirect]
    with running_peer("tests.peers.egov", *arguments, **options) as url:
        yield Peer(url)


def egov_entry(url: str, **changes: Any) -> Mapping[str, Any]:
    """The entry of a city's file for a stand-in at `url`."""
    endpoints = {
        "authorize": f"{url}/idp/oauth/authorize",
        "token": f"{url}/idp/oauth/token",
        "person": f"{url}/idp/resource/user/basic",
        "phone": f"{url}/idp/resource/user/phone",
    }
    entry = {
        "code": "egov",
        "preset": "egov",
        "client_id": CLIENT,
        "client_secret_env": "EGOV_SECRET",
        "endpoints": endpoints,
    }
    return entry | changes


OPENID_CALLBACK = "http://109.example/login/callback/water"


@contextmanager
def running_openid(*redirects: str) -> Iterator[Peer]:
    """The certified OpenID provider."""
    arguments = ["--client", f"{CLIENT}:{SECRET}"]
    for redirect in redirects or (OPENID_CALLBACK,):
        arguments += ["--redirect", redirect]
    with running_peer("tests.peers.openid", *arguments) as url:
        yield Peer(url)


def openid_entry(url: str, **changes: Any) -> Mapping[str, Any]:
    """The entry of a city's file for the water company's own provider at `url`."""
    entry = {
        "code": "water",
        "preset": "openid",
        "issuer": url,
        "client_id": CLIENT,
        "client_secret_env": "WATER_SECRET",
    }
    return entry | changes


def brought_back(departure: str) -> dict[str, str]:
    """Where a provider that asks nothing sends the browser at once: the query it brings back."""
    answer = httpx2.get(departure, follow_redirects=False, trust_env=False)
    assert answer.status_code == 302, answer.text
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: value for name, (value,) in found.items()}
