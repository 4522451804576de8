"""A stand-in of NCANode's POST /wsse/sign and /wsse/verify, a process of its own over real HTTP.

    python -m tests.peers.ncanode_wsse

It signs in earnest by RSA with the PKCS#12 that it is handed, and judges RSA signatures; what
NCANode does beside (GOST, OCSP) it plays by its mood: `POST /control` with `{"status": 500}`,
`{"valid": false}`, `{"signers": []}`, `{"other": true}` (it signs another envelope). The form of
question and answer is that of NCANode's published API 3.x. The product never imports it.
"""

import json
import sys
from base64 import b64decode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from cryptography.x509.oid import NameOID
from lxml import etree

from tests.peers.soap import DS, SOAP, WSSE, Seal, c14n

MOOD: dict[str, Any] = {}


def sign(said: dict[str, Any]) -> dict[str, Any]:
    """The envelope that was handed in, signed by the key that was."""
    key, certificate, _ = load_key_and_certificates(
        b64decode(said["key"]), said["password"].encode()
    )
    assert key is not None
    assert certificate is not None
    wrapper = etree.fromstring(said["xml"].encode()).find(f"{{{SOAP}}}Body")[0]  # type: ignore[index]
    if MOOD.get("other"):
        wrapper = etree.fromstring("<other/>")
    with TemporaryDirectory() as folder:
        pem, crt = Path(folder) / "key", Path(folder) / "crt"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        crt.write_bytes(certificate.public_bytes(Encoding.PEM))
        xml = Seal(pem, crt, crt).sign(wrapper).decode()
    return {"status": 200, "message": "OK", "xml": xml}


def verify(said: dict[str, Any]) -> dict[str, Any]:
    """Whether the first signature is good, and whose it is; not what it is over."""
    root = etree.fromstring(said["xml"].encode())
    signature = next(root.iter(f"{{{DS}}}Signature"))
    info = signature.find(f"{{{DS}}}SignedInfo")
    assert info is not None
    token = next(signature.iter(f"{{{WSSE}}}KeyIdentifier")).text or ""
    certificate = x509.load_der_x509_certificate(b64decode(token))
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    try:
        value = b64decode(signature.findtext(f"{{{DS}}}SignatureValue", ""))
        key.verify(value, c14n(info), PKCS1v15(), SHA256())
        digest = b64decode(next(info.iter(f"{{{DS}}}DigestValue")).text or "")
        good = digest == sha256(c14n(root.find(f"{{{SOAP}}}Body"))).digest()  # type: ignore[arg-type]
    except InvalidSignature:
        good = False
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    bin_ = str(units[0].value).removeprefix("BIN") if units else None
    signer = {"valid": True, "revocations": [], "subject": {"bin": bin_}}
    told = {"status": 200, "message": "OK", "valid": good, "signers": [signer]}
    return told | {name: MOOD[name] for name in ("valid", "signers") if name in MOOD}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent: a body names a person."""

    def do_POST(self) -> None:
        """Sign, verify, and the mood."""
        said = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        if self.path == "/control":
            MOOD.clear()
            MOOD.update(said)
            self._answer(200, said)
        elif "status" in MOOD:
            self._answer(MOOD["status"], {"status": MOOD["status"], "message": "ошибка"})
        else:
            try:
                self._answer(200, {"/wsse/sign": sign, "/wsse/verify": verify}[self.path](said))
            except (ValueError, StopIteration, etree.XMLSyntaxError) as error:
                self._answer(400, {"status": 400, "message": str(error)})

    def _answer(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is ended; the first line of its output is its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
