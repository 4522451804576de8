"""First answers to Idempotency-Keys: written with the act, sealed, read again on a repeat."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.ports import Answer, Keyring
from integrations.postgres.doors import door_of
from integrations.postgres.session import inside


def answer_row(answer: Answer, principal: Principal, keyring: Keyring) -> Mapping[str, object]:
    """The row of `idempotency`. Sealed, since an answer may hold a secret shown once."""
    said = {"headers": dict(answer.headers), "body": b64encode(answer.body).decode()}
    return {
        "principal_id": principal.id,
        "key": answer.key,
        "fingerprint": answer.fingerprint,
        "status": answer.status,
        "answer": keyring.seal(orjson.dumps(said)),
        # Housekeeping time, not the city's: kept answers age by the machine's own clock.
        "created_at": datetime.now(UTC),
    }


class Answers:
    """The first answers that were given."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def find(self, principal: Principal, key: str) -> Answer | None:
        """The first answer to this key of this principal, if there is one."""
        async with inside(self._engine, door_of(principal)) as driver:
            row = await driver.fetchrow(
                "SELECT fingerprint, status, answer FROM idempotency"
                " WHERE principal_id = $1 AND key = $2",
                principal.id, key,
            )  # fmt: skip
        if row is None:
            return None
        said = orjson.loads(self._keyring.open(bytes(row["answer"])))
        return Answer(
            key=key,
            fingerprint=bytes(row["fingerprint"]),
            status=row["status"],
            headers=said["headers"],
            body=b64decode(said["body"]),
        )
