"""Keys for what can name a person: sealing (AES-256-GCM) and the blind index (HMAC-SHA-256).

A sealed value is `key id (1 byte) ‖ nonce (12) ‖ ciphertext and tag`, so that keys can be
changed without touching old rows. The index key is apart from the sealing keys; while it is
changed, values are looked up under the one before it as well.
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
    """Seals with the newest key (or the one that `sealer` names), opens with any, indexes with
    its own. `former` is the index key before, while not every index is renewed.
    """

    sealing: Mapping[int, bytes]
    indexing: bytes
    former: bytes | None = None
    sealer: int | None = None

    @property
    def current(self) -> int:
        """The id of the key that seals."""
        return max(self.sealing) if self.sealer is None else self.sealer

    def seal(self, value: bytes) -> bytes:
        """The value, unreadable without the key."""
        key_id = self.current
        nonce = secrets.token_bytes(_NONCE)
        return bytes([key_id]) + nonce + AESGCM(self.sealing[key_id]).encrypt(nonce, value, None)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises KeyError for an unknown key, InvalidTag for tampering."""
        key = self.sealing[sealed[0]]
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], None)

    def index(self, value: str) -> bytes:
        """A fingerprint by which equal values find each other and nothing else is learnt."""
        return hmac.new(self.indexing, value.encode(), sha256).digest()

    def lookups(self, value: str) -> tuple[bytes, ...]:
        """Every fingerprint under which the value may stand, today's first."""
        if self.former is None:
            return (self.index(value),)
        return self.index(value), hmac.new(self.former, value.encode(), sha256).digest()


def parse_keyring(text: str) -> Keyring:
    """`index:BASE64 1:BASE64 2:BASE64 …`, each key 32 bytes, ids 1–255; `former-index:BASE64`
    while the index key is changed, `seal:1` to seal with another key than the newest.
    Raises ValueError.
    """
    named = [entry.partition(":") for entry in text.split()]
    said = {name: value for name, _, value in named}
    sealer = said.pop("seal", None)
    keys = {name: urlsafe_b64decode(value) for name, value in said.items()}
    indexing, former = keys.pop("index", b""), keys.pop("former-index", None)
    sealing = {int(name): key for name, key in keys.items()}
    apart = [indexing] if former is None else [indexing, former]
    sound = all(len(key) == 32 for key in (*apart, *sealing.values()))
    told_once = len(named) == len(sealing) + len(apart) + (sealer is not None)
    if not (sealing and sound and told_once):
        raise ValueError("a keyring needs 32-byte keys, each named once: index:… 1:…")
    if not all(1 <= key_id <= 255 for key_id in sealing):
        raise ValueError("the id of a key is one byte: 1 to 255")
    if sealer is not None and (not sealer.isdecimal() or int(sealer) not in sealing):
        raise ValueError("seal: names a key of the keyring")
    return Keyring(sealing, indexing, former, int(sealer) if sealer else None)


def write_keyring(ring: Keyring) -> str:
    """A keyring as parse_keyring reads it."""
    parts = {"index": ring.indexing, "former-index": ring.former}
    parts |= {str(id): ring.sealing[id] for id in sorted(ring.sealing)}
    told = [f"{name}:{urlsafe_b64encode(key).decode()}" for name, key in parts.items() if key]
    return " ".join([*told, *([f"seal:{ring.sealer}"] if ring.sealer is not None else [])])


def new_keyring() -> str:
    """A fresh keyring as text."""
    index, first = (urlsafe_b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    return f"index:{index} 1:{first}"


def keyring_file(path: Path) -> Keyring:
    """The keyring of a file readable by its owner only, made on first use."""
    return parse_keyring(secret_file(path, new_keyring))
