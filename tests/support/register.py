"""The register as tests want it: sealed and signed now, and a witness who looks on."""

import struct
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.bootstrap import House, read_signer
from domain.register.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    Key,
    Signature,
    cosigned,
    origin_of,
)
from tests.support.city import KISHI, SmallCity
from tests.support.sql import fetch
from tests.support.worker import eventually

_WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
WITNESS = Key("control.example.kz", COSIGNATURE, _WITNESS.public_key().public_bytes_raw())
"""A second organisation that watches the log."""


async def seal(house: House) -> None:
    """Seal all that is committed, as soon as no transaction of the cluster is older."""

    async def done() -> bool:
        while await house.sealer.seal():
            pass
        return not await fetch(
            house, "SELECT FROM event e WHERE NOT EXISTS"
            " (SELECT FROM log_leaf l WHERE l.event_id = e.id) LIMIT 1",
        )  # fmt: skip

    await eventually(done, pause=0.01)


async def sign(
    house: House, city: SmallCity = KISHI, at: datetime | None = None
) -> Checkpoint | None:
    """Seal and sign the log of a city; None where nothing is new."""
    await seal(house)
    signer = read_signer(house.settings)
    return await house.checkpoints.sign(city.id, origin_of(city.code), signer, at or house.now())


async def signed(house: House, city: SmallCity = KISHI) -> Checkpoint:
    """The newest checkpoint, which covers everything."""
    await sign(house, city)
    newest = await house.proofs.newest(city.id)
    assert newest is not None
    return newest.checkpoint


def cosign(checkpoint: Checkpoint, at: int = 1_795_000_000) -> Signature:
    """The witness's line under a checkpoint, at a Unix time."""
    signature = _WITNESS.sign(cosigned(checkpoint, at))
    return Signature(WITNESS.name, WITNESS.id, struct.pack(">Q", at) + signature)
