"""A stand-in of NCANode's POST /xml/verify, a process of its own that speaks real HTTP.

    python -m tests.peers.ncanode --authority ca.pem

NCANode itself needs Java and the state's provider of its algorithms, which may not be passed on.
This one verifies in earnest what it can: XMLDSig with RSA and SHA-256, enveloped or of a part by
its Id, and that a certificate is of the authority and in time. Whatever NCANode does beside (GOST,
OCSP, time stamps) it plays by its mood: `POST /control` with `{"revoked": true}`,
`{"status": 500}`, `{"answer": …}`, `{"slow": 3}`, `{"nested": true}`. The form of question and
answer is that of NCANode's published OpenAPI document, 3.0.0. The product never imports it.
"""

import argparse
import json
import sys
import time
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

DS = "{http://www.w3.org/2000/09/xmldsig#}"
NAMES = {
    NameOID.COMMON_NAME: "commonName",
    NameOID.SURNAME: "surName",
    NameOID.GIVEN_NAME: "lastName",
    NameOID.COUNTRY_NAME: "country",
}
WORDS = {
    NameOID.COMMON_NAME: "CN",
    NameOID.SURNAME: "SURNAME",
    NameOID.GIVEN_NAME: "GIVENNAME",
    NameOID.COUNTRY_NAME: "C",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
    NameOID.ORGANIZATION_NAME: "O",
}


def digest_of(element: ET.Element) -> bytes:
    """SHA-256 of the canonical form."""
    return sha256(ET.canonicalize(ET.tostring(element, encoding="unicode")).encode()).digest()


def subject_of(certificate: x509.Certificate) -> dict[str, str]:
    """The subject, as NCANode tells it."""
    said = {WORDS.get(one.oid, one.oid.dotted_string): str(one.value)
            for one in certificate.subject}  # fmt: skip
    told = {NAMES[one.oid]: str(one.value) for one in certificate.subject if one.oid in NAMES}
    serial = said.get("SERIALNUMBER", "")
    if serial.startswith("IIN"):
        told["iin"] = serial.removeprefix("IIN")
    return told | {"dn": ", ".join(f"{name}={_quoted(value)}" for name, value in said.items())}


def _quoted(value: str) -> str:
    return f'"{value}"' if "," in value else value


class Node:
    """Its authority and its mood."""

    def __init__(self, authority: x509.Certificate) -> None:
        self.authority = authority
        self.mood: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []

    def verify(self, xml: str) -> dict[str, Any]:
        """The answer to a document. Raises ValueError where it has no signature to judge."""
        root = ET.fromstring(xml)
        parents = {child: parent for parent in root.iter() for child in parent}
        signatures = list(root.iter(f"{DS}Signature"))
        if not signatures:
            raise ValueError("no signature")
        told = [self._judged(root, parents, one) for one in signatures]
        return {
            "status": 200,
            "message": "OK",
            "valid": all(good for good, _ in told),
            "signers": [signer for _, signer in told],
        }

    def _judged(
        self, root: ET.Element, parents: Mapping[ET.Element, ET.Element], signature: ET.Element
    ) -> tuple[bool, dict[str, Any]]:
        text = signature.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate", "")
        certificate = x509.load_der_x509_certificate(b64decode(text))
        good = self._is_good(certificate)
        signer = {
            "valid": good,
            "revocations": [{"revoked": bool(self.mood.get("revoked")), "by": "OCSP"}],
            "keyUsage": "SIGN",
            "keyUser": ["INDIVIDUAL"],
            "subject": subject_of(certificate),
        }
        if self.mood.get("nested"):
            signer = {"certificates": [signer]}
        return good and self._covers(root, parents, signature, certificate), signer

    def _is_good(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self.authority)
        except (ValueError, InvalidSignature):
            return False
        now = datetime.now(UTC)
        in_time = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        return in_time and not self.mood.get("revoked")

    def _covers(
        self,
        root: ET.Element,
        parents: Mapping[ET.Element, ET.Element],
        signature: ET.Element,
        certificate: x509.Certificate,
    ) -> bool:
        info = signature.find(f"{DS}SignedInfo")
        assert info is not None
        reference = info.find(f"{DS}Reference")
        assert reference is not None
        uri = reference.get("URI", "")
        target = root if not uri else next(
            one for one in root.iter() if one.get("Id") == uri.removeprefix("#")
        )  # fmt: skip
        parent = parents[signature]
        place = list(parent).index(signature)
        parent.remove(signature)
        digest = digest_of(target)
        parent.insert(place, signature)
        key = certificate.public_key()
        assert isinstance(key, RSAPublicKey)
        signed = ET.canonicalize(ET.tostring(info, encoding="unicode")).encode()
        value = b64decode(signature.findtext(f"{DS}SignatureValue", ""))
        try:
            key.verify(value, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return b64decode(reference.findtext(f"{DS}DigestValue", "")) == digest


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    node: Node

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent: a body names a person."""

    def do_POST(self) -> None:
        """Verify, and the mood."""
        said = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        node = self.node
        if self.path == "/control":
            node.mood, node.asked = said, []
            self._answer(200, said)
            return
        node.asked.append(said)
        time.sleep(node.mood.get("slow", 0))
        sound = self.path == "/xml/verify" and said.keys() <= {"revocationCheck", "xml"}
        if "answer" in node.mood:
            self._answer(200, node.mood["answer"])
        elif not sound or "status" in node.mood:
            status = node.mood.get("status", 404)
            self._answer(status, {"status": status, "message": "ошибка"})
        else:
            try:
                self._answer(200, node.verify(said["xml"]))
            except (ValueError, ET.ParseError, StopIteration, AssertionError) as error:
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
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--authority", type=Path, required=True, help="PEM of the certificate")
    said = words.parse_args()
    authority = x509.load_pem_x509_certificate(said.authority.read_bytes())
    handler = type("Bound", (Handler,), {"node": Node(authority)})
    server = ThreadingHTTPServer(("127.0.0.1", said.port), handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
