"""What it costs to know whose request it is: the token judged, the tenant found.

    python -m benchmarks.token_check --rounds 20000

CPU time of one process (`time.process_time`), no database: a city's organisations stand in
memory, as they do in the API. Cold: a token that the process sees for the first time, its
signature verified, its claims judged, its principal with the subtree of organisations made.
Warm: the same token again. Scope: the same, and whether the token lets one permission through.
"""

import argparse
import asyncio
import statistics
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from api.auth import Authenticator
from api.trust import ACCESS, Trust
from domain.access import Permission, Principal, Role
from domain.identity.model import Subject
from domain.identity.signing_keys import SigningKey
from domain.identity.tokens import Holder, Revocations, write_claims
from domain.organisations.model import Organisation, OrganisationKind
from domain.organisations.trees import Trees
from integrations.vault.token_signer import TokenSigner, TokenVerifier, new_key

CITY = uuid4()
DEPARTMENTS, UNDER_EACH = 23, 60
"""About Astana's 1,400 organisations: departments with housing organisations under them."""
REVOKED = 2000
"""Tokens, sessions and members each, taken back in the last ten minutes."""
BATCH = 500
AIM = 150.0
"""Microseconds."""


class _Keys:
    def __init__(self, key: SigningKey) -> None:
        self._key = key

    async def kept(self, at: datetime) -> list[SigningKey]:
        return [self._key]


class _Revoked:
    async def live(self) -> Revocations:
        tokens = frozenset(str(uuid4()) for _ in range(REVOKED))
        sessions = frozenset(uuid4() for _ in range(REVOKED))
        return Revocations(tokens, sessions, {uuid4(): 0.0 for _ in range(REVOKED)}, {})


class _Clients:
    async def limits(self) -> dict[UUID, Any]:
        return {}

    async def used(self, counts: Any, day: Any) -> dict[UUID, int]:
        return {}


def main() -> None:
    """Measure and print."""
    asyncio.run(_main())


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    rounds = parser.parse_args().rounds
    now = datetime.now(UTC)
    trust = Trust(
        "https://109.example", _Keys(new_key(now)), _Revoked(), _Clients(),
        signer=TokenSigner, verifier=TokenVerifier,
    )  # fmt: skip
    await trust.refresh(now)
    organisations, departments = _organisations()
    city = SimpleNamespace(organisations=organisations, districts={})
    references: Any = SimpleNamespace(of=lambda _: city)
    tokens = [_token(trust, departments[n % DEPARTMENTS], now) for n in range(rounds)]
    headers = [f"Bearer {token}" for token in tokens]
    door = Authenticator(_nobody, trust, Trees(references))
    await door.principal(headers[0], now)
    cold = await _measure(door, headers[1:], now)
    warm = await _measure(door, [headers[-1]] * rounds, now)
    scoped = await _measure(door, [headers[-1]] * rounds, now, Permission.PERFORM)
    print(f"{rounds} tokens of {len(tokens[0])} signs, {len(organisations)} organisations")
    for name, found in (("cold", cold), ("warm", warm), ("warm, and a scope", scoped)):
        low, high = min(found), max(found)
        middle = statistics.median(found)
        print(f"{name:18} {middle:7.1f} µs of CPU (batches of {BATCH}: {low:.1f} to {high:.1f})")
    print("within" if statistics.median(cold) < AIM else "OVER", f"the aim of {AIM:.0f} µs")


async def _measure(
    door: Authenticator, headers: list[str], now: datetime, permission: Permission | None = None
) -> list[float]:
    """Microseconds of CPU for one check, by batch."""
    found = []
    for start in range(0, len(headers) - BATCH + 1, BATCH):
        began = time.process_time()
        for header in headers[start : start + BATCH]:
            principal = await door.principal(header, now)
            if permission is not None:
                principal.require(permission)
        found.append((time.process_time() - began) / BATCH * 1e6)
    return found


async def _nobody(_: str) -> tuple[Principal, datetime | None] | None:
    return None


def _organisations() -> tuple[dict[UUID, Organisation], list[UUID]]:
    departments = [uuid4() for _ in range(DEPARTMENTS)]
    rows: list[tuple[UUID, UUID | None]] = [(id, None) for id in departments]
    rows += [(uuid4(), parent) for parent in departments for _ in range(UNDER_EACH)]
    made = {
        id: Organisation(
            id, str(id), parent, OrganisationKind.UTILITY, {}, {}, "around-the-clock", None, True
        )
        for id, parent in rows
    }
    return made, departments


def _token(trust: Trust, organisation: UUID, now: datetime) -> str:
    subject = Subject(uuid4(), CITY, Role.HEAD, organisation)
    scopes = frozenset({"openid", "appeals:read", "appeals:perform", "incidents:read"})
    holder = Holder(subject, uuid4(), uuid4(), scopes)
    claims = write_claims(
        holder, issuer=trust.issuer, audience=trust.audience, token=str(uuid4()), at=now
    )
    return trust.sign(claims, ACCESS, now)


if __name__ == "__main__":
    main()
