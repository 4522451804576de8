"""The bare HTTP client: what deliveries a second are measured against.

    python -m benchmarks.bare PORT COUNT [--keep]

Posts so many bodies, signed beforehand, to a receiver, a hundred at a time, through a session of
aiohttp's and nothing else: no database, no broker, no table of addresses, no judgement.
Prints one line of JSON: posts, seconds, CPU seconds. --keep lets connections live on, as a client
does that need not check where a name leads today.
"""

import argparse
import asyncio
import json
import resource
import time
from datetime import UTC, datetime

import aiohttp
import uvloop

from benchmarks.messages import SECRET, bodies
from domain.values import new_id
from integrations.webhooks import signing
from integrations.webhooks.line import HEADERS

AT_ONCE = 100


async def post_all(port: int, count: int, *, keep: bool) -> dict[str, float]:
    """Post them; what it took."""
    url = f"http://127.0.0.1:{port}/bare"
    at = datetime.now(UTC)
    messages = iter(
        [(signing.headers((SECRET,), str(new_id()), at, body), body) for body in bodies(count)]
    )
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=not keep, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=HEADERS,
        auto_decompress=False,
    ) as session:

        async def line() -> None:
            for headers, body in messages:
                async with session.post(url, data=body, headers=headers) as response:
                    await response.read()
                    if response.status != 204:
                        raise RuntimeError(f"the receiver answers {response.status}")

        began, used = time.perf_counter(), _used()
        await asyncio.gather(*(line() for _ in range(AT_ONCE)))
        return {"posts": count, "seconds": time.perf_counter() - began, "cpu": _used() - used}


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--keep", action="store_true")
    said = parser.parse_args()
    print(json.dumps(uvloop.run(post_all(said.port, said.count, keep=said.keep))))


if __name__ == "__main__":
    main()
