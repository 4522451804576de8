"""Checkpoints: the size and root of a log, signed so that they can leave the house.

The forms are those of C2SP, so that foreign tools read them: tlog-checkpoint (origin, size and
root in three lines), signed-note (who signed them, by name and key id, Ed25519) and
tlog-cosignature (a witness who saw that the log only grew signs it with the time). Signing
itself needs a key and stands in integrations/vault; here is what can be said in bytes.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

NOTE, COSIGNATURE = 0x01, 0x04
"""Kinds of signature: Ed25519 over a note; Ed25519 cosignature/v1 with its time."""

Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether (public key, signature, message) belong together, by Ed25519 (RFC 8032)."""

_SIGNATURE = re.compile(r"— (\S+) (\S+)")
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_TIME = 8


class NotACheckpoint(ValueError):
    """The text is no signed checkpoint."""


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Four bytes that tell keys apart: of SHA-256(name ‖ newline ‖ kind ‖ public key)."""
    return sha256(f"{name}\n".encode() + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier's key: whose, of which kind, 32 bytes of Ed25519."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Its key id."""
        return key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        """The vkey, as one gives it to others: NAME+ID+BASE64."""
        said = b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{said}"


def parse_key(text: str) -> Key:
    """A vkey. Raises ValueError, also when the id is not that of the key."""
    name, said, encoded = (*text.strip().split("+", 2), "", "")[:3]
    raw = _decoded(encoded)
    if not _NAME.fullmatch(name) or len(raw) != 33 or raw[0] not in (NOTE, COSIGNATURE):
        raise ValueError("a verifier's key is NAME+ID+BASE64 of an Ed25519 key")
    key = Key(name, raw[0], raw[1:])
    if said != key.id.hex():
        raise ValueError("the id is not that of the key")
    return key


def log_key(origin: str, public: bytes) -> Key:
    """The key of a log, whose name is the log's origin."""
    return Key(origin, NOTE, public)


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note: by whom, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {b64encode(self.key_id + self.signature).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log said of itself: `size` leaves under `root`. `body` is what was signed."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def body(self) -> str:
        """The three lines, each ended."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    def __str__(self) -> str:
        """The signed note."""
        lines = "".join(f"{signature}\n" for signature in self.signatures)
        return f"{self.body}\n{lines}"

    def with_signatures(self, more: Iterable[Signature]) -> "Checkpoint":
        """The same with further lines under it; one that stands there already is not repeated."""
        every = dict.fromkeys((*self.signatures, *more))
        return Checkpoint(self.origin, self.size, self.root, tuple(every))


def parse_checkpoint(text: str) -> Checkpoint:
    """A signed checkpoint of three lines, without extensions. Raises NotACheckpoint."""
    body, blank, signed = text.partition("\n\n")
    lines = body.split("\n")
    if not blank or not signed.endswith("\n") or len(lines) != 3:
        raise NotACheckpoint("a checkpoint is three lines, a blank one, and signatures")
    origin, size, root = lines[0], lines[1], _decoded(lines[2])
    if not origin or not _SIZE.fullmatch(size) or len(root) != 32:
        raise NotACheckpoint("origin, size or root is not of the form")
    found = tuple(parse_signature(line) for line in signed[:-1].split("\n"))
    return Checkpoint(origin, int(size), root, found)


def parse_signature(line: str) -> Signature:
    """One line under a note. Raises NotACheckpoint."""
    match = _SIGNATURE.fullmatch(line)
    raw = _decoded(match.group(2)) if match else b""
    if match is None or len(raw) < 5:
        raise NotACheckpoint("a signature is a line '— NAME BASE64'")
    return Signature(match.group(1), raw[:4], raw[4:])


class Signer(Protocol):
    """Signs for logs; who it is for depends on the origin alone."""

    def key(self, origin: str) -> Key:
        """What others verify the log of an origin with."""

    def sign(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with the log's line under it."""


def cosigned(checkpoint: Checkpoint, at: int) -> bytes:
    """The bytes that a witness signs at a Unix time (cosignature/v1)."""
    return f"cosignature/v1\ntime {at}\n{checkpoint.body}".encode()


def is_signed(checkpoint: Checkpoint, key: Key, verify: Verify) -> bool:
    """Whether a line of the note is the key's, and right."""
    return any(
        verify(key.public, *_signed(checkpoint, one, key.kind))
        for one in checkpoint.signatures
        if (one.name, one.key_id) == (key.name, key.id) and _fits(one, key.kind)
    )


def cosigned_at(signature: Signature) -> int:
    """The Unix time that a cosignature bears."""
    return int.from_bytes(signature.signature[:_TIME])


def _fits(signature: Signature, kind: int) -> bool:
    return len(signature.signature) == 64 + (_TIME if kind == COSIGNATURE else 0)


def _signed(checkpoint: Checkpoint, signature: Signature, kind: int) -> tuple[bytes, bytes]:
    """The bare signature and the message that it is over."""
    if kind == NOTE:
        return signature.signature, checkpoint.body.encode()
    return signature.signature[_TIME:], cosigned(checkpoint, cosigned_at(signature))


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def origin_of(city: str) -> str:
    """The name of the log of the city with that code."""
    return f"ikomek109/{city}"
