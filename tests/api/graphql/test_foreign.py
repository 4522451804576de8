"""What others wrote judges the graph on the wire: audits of its HTTP, clients of its streams.

Needs node, and `npm install` in judges/.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from api.settings import Settings
from domain.access import Role
from tests.house.source import ROOT
from tests.support.live import serving
from tests.support.rest import Callers, make_callers_app
from tests.support.subscriptions import followers

JUDGES = ROOT / "judges"
NODE = shutil.which("node") or ""
pytestmark = pytest.mark.skipif(
    not (NODE and (JUDGES / "node_modules/graphql-http").is_dir()),
    reason="needs node, and npm install in judges/",
)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Starlette:
    return make_callers_app(settings, rate_limit=0)


@pytest.fixture(scope="module")
def base(app: Starlette) -> Iterator[str]:
    with serving(app) as url:
        yield url


async def test_every_audit_of_graphql_http_passes(base: str):
    asked = await asyncio.create_subprocess_exec(
        NODE, str(JUDGES / "graphql/audit.mjs"), f"{base}/graphql", stdout=asyncio.subprocess.PIPE
    )
    told = (await asked.communicate())[0].decode()
    assert asked.returncode == 0, told
    assert told.count("ok ") >= 61


async def test_foreign_clients_hear_what_happens(app: Starlette, base: str, callers: Callers):
    token = callers.tokens[Role.INSPECTOR]
    follower = await asyncio.create_subprocess_exec(
        NODE, str(JUDGES / "graphql/follow.mjs"), base, token, "2", stdout=asyncio.subprocess.PIPE
    )
    assert follower.stdout is not None
    assert (await follower.stdout.readline()).strip() == b"ready"
    await followers(app, 2)
    number = (await callers.register())["number"]
    async with asyncio.timeout(20):
        told = [json.loads(line) async for line in follower.stdout]
    heard = {(each["name"], each["number"], each["type"]) for each in told}
    assert heard == {
        (name, number, kind) for name in ("ws", "sse") for kind in ("REGISTERED", "ASSIGNED")
    }
