"""Keys for what can name a person: sealing (AES-256-GCM) and the blind index (HMAC-SHA-256).

A sealed value is `key id (1 byte) ‖ nonce (12) ‖ ciphertext and tag`, so that keys can be
changed without touching old rows. The index key is apart from the sealing keys and stays.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from integrations.vault.files import secret_file

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Keyring:
    """Seals with the newest key, opens with any, indexes with its own."""

    sealing: Mapping[int, bytes]
    indexing: bytes

    def seal(self, value: bytes) -> bytes:
        """The value, unreadable without the key."""
        key_id = max(self.sealing)
        nonce = secrets.token_bytes(_NONCE)
        return bytes([key_id]) + nonce + AESGCM(self.sealing[key_id]).encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises KeyError for an unknown key, InvalidTag for tampering."""
        key = self.sealing[sealed[0]]
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], None)

    def index(self, value: str) -> bytes:
        """A fingerprint by which equal values find each other and nothing else is learnt."""
        return hmac.new(self.indexing, value.encode(), sha256).digest()


def parse_keyring(text: str) -> Keyring:
    """`index:BASE64 1:BASE64 2:BASE64 …`, each key 32 bytes, ids 1–255. Raises ValueError."""
    named = [entry.partition(":") for entry in text.split()]
    keys = {name: urlsafe_b64decode(value) for name, _, value in named}
    indexing = keys.pop("index", b"")
    sealing = {int(name): key for name, key in keys.items()}
    sound = all(len(key) == 32 for key in (indexing, *sealing.values()))
    if not (sealing and sound and len(named) == len(sealing) + 1):
        raise ValueError("a keyring needs 32-byte keys, each named once: index:… 1:…")
    if not all(1 <= key_id <= 255 for key_id in sealing):
        raise ValueError("the id of a key is one byte: 1 to 255")
    return Keyring(sealing, indexing)


def new_keyring() -> str:
    """A fresh keyring as text."""
    index, first = (urlsafe_b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    return f"index:{index} 1:{first}"


def keyring_file(path: Path) -> Keyring:
    """The keyring of a file readable by its owner only, made on first use."""
    return parse_keyring(secret_file(path, new_keyring))
