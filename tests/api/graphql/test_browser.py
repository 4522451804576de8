"""GraphiQL in a real browser: each example runs, and the page asks for nothing that it may not.

Needs node, chromium, and `npm install` in judges/graphiql (`judges/graphiql/run`).
"""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.graphql.explorer import read_examples
from api.settings import Settings
from domain.access import Role
from tests.house.source import ROOT
from tests.support.city import KISHI, MANHOLE
from tests.support.live import serving
from tests.support.rest import Callers, make_callers_app

JUDGE = ROOT / "judges/graphiql"
NODE, CHROMIUM = shutil.which("node") or "", shutil.which("chromium") or ""
pytestmark = pytest.mark.skipif(
    not (NODE and CHROMIUM and (JUDGE / "node_modules/playwright-core").is_dir()),
    reason="needs node, chromium, and npm install in judges/graphiql",
)
ROLES = {
    "FindAService": Role.OPERATOR, "WhatIsMeant": Role.OPERATOR, "Register": Role.OPERATOR,
    "Accept": Role.EXECUTOR,
}  # fmt: skip
"""Whose token goes with an example; the inspector's where none is named."""
PUBLIC = "WhatThePublicSees"
PATIENCE = 240


@pytest.fixture(scope="module")
def base(settings: Settings) -> Iterator[str]:
    with serving(make_callers_app(settings, rate_limit=0)) as url:
        yield url


def _runs(callers: Callers, appeal: dict[str, Any]) -> list[dict[str, Any]]:
    """What the browser does, tab by tab, with the things of the small city."""
    runs = []
    for _, query, variables in read_examples():
        name = query.split("(")[0].split("{")[0].split()[-1]
        said = dict(variables or {})
        if "number" in said:
            said["number"] = appeal["number"]
        if name == "Register":
            where = {"building": str(KISHI.house)}
            said["input"] = said["input"] | {"service": MANHOLE, "location": where}
        token = None if name == PUBLIC else callers.tokens[ROLES.get(name, Role.INSPECTOR)]
        runs.append({"tab": name, "token": token, "variables": said or None})
    return runs


async def test_every_example_runs_in_a_browser_and_the_page_breaks_no_rule_of_its_own(
    base: str, callers: Callers, tmp_path: Path
):
    runs = _runs(callers, await callers.register())
    driver = await asyncio.create_subprocess_exec(
        NODE, str(JUDGE / "drive.js"), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"CHROMIUM": CHROMIUM, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert driver.stdin is not None
    assert driver.stdout is not None
    assert driver.stderr is not None
    asked = {"base": base, "folder": str(tmp_path / "shots"), "runs": runs}
    driver.stdin.write(json.dumps(asked).encode())
    driver.stdin.close()
    answers: dict[str, Any] = {}
    faults: list[str] | None = None
    async with asyncio.timeout(PATIENCE):
        async for line in driver.stdout:
            told = json.loads(line)
            if told.get("following"):
                await asyncio.sleep(0.5)
                await callers.register()
            elif "answer" in told:
                answers[told["tab"]] = told["answer"]
            else:
                faults = told["faults"]
        complained = (await driver.stderr.read()).decode()
    assert faults == [], complained
    assert list(answers) == [run["tab"] for run in runs]
    for name, answer in answers.items():
        assert "errors" not in answer, (name, answer)
        assert all(value is not None for value in answer["data"].values()), name
    assert answers["Register"]["data"]["registerAppeal"]["__typename"] == "RegisteredPayload"
    assert answers["Accept"]["data"]["acceptAppeal"]["__typename"] == "AppealPayload"
    assert answers["Follow"]["data"]["appeals"]["type"] in ("REGISTERED", "ASSIGNED")
