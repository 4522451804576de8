"""A role of a production as a process of its own."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx2

from api.commands.environment import environment
from api.settings import Settings


def start(role: str, settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """`ikomek ROLE`, which may send webhooks to this machine."""
    told = environment(settings) | {
        "IKOMEK_KEYS": settings.keys or "",
        "IKOMEK_WEBHOOK_ALLOW_HTTP": "1",
        "IKOMEK_WEBHOOK_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    }
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "api.cli", role],
            env=os.environ | told, stdout=output, stderr=output,
        )  # fmt: skip


async def until_ready(base: str) -> None:
    """Wait until the API serves."""
    async with asyncio.timeout(120), httpx2.AsyncClient(base_url=base) as client:
        while True:
            try:
                if (await client.get("/v1/ready")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
