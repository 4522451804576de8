"""The national register for tests: the stand-in in a process of its own, and a city's file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_elliptic
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from tests.peers.eotinish import PASSWORD, SENDER
from tests.support.providers import running_peer

SECRET = "IKOMEK_TEST_GATEWAY"


@cache
def _pair(name: str, elliptic: bool = False) -> tuple[bytes, bytes]:
    """A key and its own certificate, in PEM."""
    key: Any = new_elliptic(SECP256R1()) if elliptic else generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    at = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Keys:
    """Files of the gateway's key and the city's."""

    folder: Path

    def file(self, name: str) -> Path:
        return self.folder / name


def write_keys(folder: Path, *, elliptic: bool = False) -> Keys:
    """Keys of both sides as PEM files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, curve in (("gateway", False), ("city", elliptic)):
        key, certificate = _pair(name, curve)
        (folder / f"{name}.key").write_bytes(key)
        (folder / f"{name}.crt").write_bytes(certificate)
    return Keys(folder)


def packed(folder: Path, password: str) -> bytes:
    """The city's key and certificate of a folder that `write_keys` wrote, as PKCS#12."""
    key = load_pem_private_key((folder / "city.key").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((folder / "city.crt").read_bytes())
    assert isinstance(key, RSAPrivateKey)
    locked = BestAvailableEncryption(password.encode())
    return serialize_key_and_certificates(b"city", key, certificate, None, locked)


@dataclass(frozen=True)
class StandIn:
    """The running stand-in."""

    url: str

    def mood(self, **mood: Any) -> None:
        """How it behaves from now on; nothing: well."""
        self._post("/control", mood)

    def say(self, *told: dict[str, Any]) -> list[str]:
        """Let the state tell; the numbers of the cases."""
        numbers: list[str] = self._post("/say", list(told)).json()
        return numbers

    def whole(self) -> dict[str, Any]:
        """Everything that it knows."""
        with httpx2.Client(trust_env=False, timeout=60) as client:
            told: dict[str, Any] = client.get(f"{self.url}/register").json()
        return told

    def cases(self) -> dict[str, dict[str, Any]]:
        """Its cases by number."""
        return {case["number"]: case for case in self.whole()["cases"]}

    def _post(self, path: str, body: Any) -> httpx2.Response:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            return client.post(f"{self.url}{path}", json=body).raise_for_status()


@contextmanager
def stand_in(folder: Path, *, elliptic: bool = False) -> Iterator[StandIn]:
    """The stand-in while it is needed; its keys lie in `folder`."""
    keys = write_keys(folder, elliptic=elliptic)
    with running_peer(
        "tests.peers.eotinish", "--key", str(keys.file("gateway.key")),
        "--certificate", str(keys.file("gateway.crt")), "--city", str(keys.file("city.crt")),
    ) as url:  # fmt: skip
        yield StandIn(url)


def file_of(
    url: str, folder: Path, *, gateway_timeout: float = 10, **changes: Any
) -> dict[str, Any]:
    """What a city's file says for the stand-in at `url`."""
    city: dict[str, Any] = {
        "city": "kishi",
        "gateway": {
            "sync": f"{url}/sync", "async": f"{url}/async", "sender": SENDER,
            "password_env": SECRET, "timeout_seconds": gateway_timeout,
        },
        "signer": {
            "kind": "local", "key": str(folder / "city.key"),
            "certificate": str(folder / "city.crt"), "trusted": str(folder / "gateway.crt"),
        },
        "sends": {"services": ["*"]},
        "service": "general.land-question",
        "retry_seconds": 0.1,
        "poll_seconds": 0.1,
        "reconcile_at": "23:59:59",
    }  # fmt: skip
    return {"cities": [city | changes]}


def write_file(url: str, folder: Path, **changes: Any) -> Path:
    """The city's file; PASSWORD is to stand in the environment under SECRET."""
    path = folder / "eotinish.yaml"
    path.write_text(yaml.safe_dump(file_of(url, folder, **changes), allow_unicode=True), "utf-8")
    return path


ENVIRONMENT = {SECRET: PASSWORD}
