"""Key pairs for webhooks: Ed25519 (RFC 8032)."""

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.webhooks.keys import SEED_BYTES, WebhookKey, kid_of


def new_key(at: datetime) -> WebhookKey:
    """A fresh key pair, its `kid` the thumbprint of RFC 7638."""
    seed = secrets.token_bytes(SEED_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return WebhookKey(kid_of(public), public, seed, at)
