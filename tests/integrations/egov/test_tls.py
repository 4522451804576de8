"""A provider whose name is in no public DNS and whose authority is its own: pinned, and judged."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from domain.identity.errors import LoginReason, LoginRefused
from integrations.egov.config import read_providers
from integrations.egov.provider import OAuthProvider
from tests.support.providers import CALLBACK, CLIENT, SECRET, egov_entry, running_peer

HOST = "idp.kishi.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM with key and certificate, signed by nobody but itself, for HOST alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "idp.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def port(certificate: Path) -> Iterator[int]:
    arguments = ("--client", f"{CLIENT}:{SECRET}", "--redirect", CALLBACK)
    with running_peer("tests.peers.egov", *arguments, "--certificate", str(certificate)) as url:
        yield int(url.rpartition(":")[2])


async def reason(port: int, host: str = HOST, **changes: Any) -> LoginReason:
    """What becomes of a code that the provider does not know, once it is reached."""
    entry = egov_entry(f"https://{host}:{port}", **changes)
    (config,) = read_providers(
        yaml.safe_dump({"providers": [entry]}), {"EGOV_SECRET": SECRET}, Path()
    )
    provider = OAuthProvider(config)
    with pytest.raises(LoginRefused) as refused:
        await provider.arrive(code="x", redirect_uri=CALLBACK, nonce="n", verifier=None)
    await provider.close()
    return refused.value.reason


async def test_a_pinned_name_reaches_the_provider_by_the_citys_own_authority(
    port: int, certificate: Path
):
    pinned: dict[str, Any] = {"resolve": {HOST: "127.0.0.1"}, "ca_file": str(certificate)}
    assert await reason(port, **pinned) is LoginReason.CODE_EXPIRED


async def test_a_pinned_name_is_still_judged_by_its_certificate(port: int, certificate: Path):
    other = "other.kishi.example"
    pinned: dict[str, Any] = {"resolve": {other: "127.0.0.1"}, "ca_file": str(certificate)}
    assert await reason(port, other, **pinned) is LoginReason.PROVIDER_UNREACHABLE


async def test_an_authority_that_nobody_named_is_not_believed(port: int):
    pinned: dict[str, Any] = {"resolve": {HOST: "127.0.0.1"}}
    assert await reason(port, **pinned) is LoginReason.PROVIDER_UNREACHABLE
