"""GraphiQL: whole without a network, with the worked examples of the page."""

import re
from hashlib import sha256

import pytest

from api.graphql.explorer import EXAMPLES, FOLDER, read_examples
from domain.access import Role
from tests.house.source import ROOT
from tests.support.rest import Callers

OURS = ("index.html", "page.css", "start.js")
VENDORED = ("graphiql.js", "graphiql.css", "react.js", "react-dom.js")


async def test_the_page_and_all_that_it_loads_come_from_here(callers: Callers):
    page = await callers.call("GET", "/graphiql", role=None)
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    # An icon of nothing, or the browser would ask for one that is not there.
    loaded.remove("data:,")
    assert len(loaded) == 6
    for path in loaded:
        assert path.startswith("/graphiql/")
        assert (await callers.call("GET", path, role=None)).status_code == 200


async def test_the_browser_is_told_to_ask_nobody_else(callers: Callers):
    page = await callers.call("GET", "/graphiql", role=None)
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in page.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe-eval" not in str(policy)
    assert all("http" not in said for said in policy.values())
    assert policy["frame-ancestors"] == "'none'"


def test_no_address_of_ours_leads_outside():
    for name in OURS:
        text = (FOLDER / name).read_text()
        assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE), name
    styles = (FOLDER / "graphiql.css").read_text()
    led = re.findall(r"url\(\s*['\"]?([^)'\"]{0,40})", styles)
    assert all(each.startswith(("data:", "#")) for each in led)
    assert "@import" not in styles


@pytest.mark.parametrize("name", VENDORED)
def test_what_others_wrote_stands_as_they_wrote_it(name: str):
    noted = (FOLDER / "NOTICE").read_text()
    assert f"{sha256((FOLDER / name).read_bytes()).hexdigest()}  {name}" in noted
    assert "MIT" in (FOLDER / "LICENSE-graphiql").read_text()
    assert "MIT" in (FOLDER / "LICENSE-react").read_text()


async def test_the_examples_are_those_of_the_page(callers: Callers):
    told = (await callers.call("GET", "/graphiql/examples.json", role=None)).json()
    assert len(told) == len(list(EXAMPLES.glob("*.graphql"))) >= 10
    page = (ROOT / "docs/graphql.md").read_text()
    blocks = [block.strip() for block in re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)]
    for (_, query, _), said in zip(read_examples(), told, strict=True):
        assert said["query"] == query
        assert query.strip() in blocks


async def test_a_page_is_for_reading(callers: Callers):
    assert (await callers.call("POST", "/graphiql", role=Role.INSPECTOR)).status_code == 405
