"""The key that signs checkpoints: Ed25519, one for an installation, beside the keyring.

Losing it loses no proof: what it signed stays signed. Whoever has it can sign another history,
which is why checkpoints leave the house.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.register.checkpoint import Checkpoint, Key, Signature, log_key
from integrations.vault.files import secret_file


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for the logs of every city of an installation; each has a name, and so a key id."""

    seed: bytes

    def key(self, origin: str) -> Key:
        """What others verify the log of that origin with."""
        return log_key(origin, self._private().public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with the log's line under it."""
        signature = self._private().sign(checkpoint.body.encode())
        key = self.key(checkpoint.origin)
        return checkpoint.with_signatures([Signature(key.name, key.id, signature)])

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def parse_signer(text: str) -> Signer:
    """32 bytes in URL-safe base64. Raises ValueError."""
    seed = urlsafe_b64decode(text.strip())
    if len(seed) != 32:
        raise ValueError("the signing key is 32 bytes in base64")
    return Signer(seed)


def signer_file(path: Path) -> Signer:
    """The signer of a file readable by its owner only, made on first use."""
    return parse_signer(
        secret_file(path, lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode())
    )


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether they belong together, by Ed25519."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
