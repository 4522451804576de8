"""No spelling of an inner address reaches anybody, though naive clients fall for many of them."""

import asyncio
from datetime import UTC, datetime
from ipaddress import ip_address

import aiohttp
import pytest

from domain.errors import Invalid
from domain.webhooks.urls import check_url
from integrations.webhooks.resolver import SystemLookup
from tests.integrations.webhooks.receiver import receiver
from tests.integrations.webhooks.spellings import (
    INNER,
    NAMES,
    PLAIN_IPV6,
    authorities,
    carriers,
    disguises,
    numbers,
    scripts,
)
from tests.integrations.webhooks.test_sender import BODY, NEW, opened

REFUSED = {"url-refused", "address-refused", "name-not-resolved"}
AUTHORITIES = authorities()


def test_the_list_of_spellings_is_as_long_as_we_say():
    assert len(AUTHORITIES) == 594


async def inner_lookup(host, port):
    """A resolver that falls for everything: whatever it is asked, it leads inside."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        return ["127.0.0.1"]


def at_port(authority, port):
    """The authority with a port behind its host, so that a caught one would reach the victim."""
    stem, at, tail = authority.partition("#")
    return f"{stem}:{port}{at}{tail}"


def groups():
    for ip in INNER:
        for family in (numbers, scripts, disguises, carriers):
            yield pytest.param(list(family(ip)), id=f"{ip}-{family.__name__}")
    yield pytest.param(list(PLAIN_IPV6), id="ipv6")
    yield pytest.param(list(NAMES), id="names")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("spelt", groups())
async def test_no_spelling_of_an_inner_address_reaches_anybody(spelt, scheme):
    async with (
        receiver(host="127.0.0.1") as victim,
        opened(allowed_networks=(), lookup=inner_lookup) as sender,
    ):
        for authority in spelt:
            for where in (authority, at_port(authority, victim.port)):
                url = f"{scheme}://{where}/"
                result = await sender.send(url, (NEW,), "evt_1", datetime.now(UTC), BODY)
                assert (result.status, result.error in REFUSED) == (None, True), (url, result)
    assert not victim.visited


async def test_the_systems_own_resolver_leads_no_spelling_inside():
    lookup = SystemLookup(threads=4)
    async with (
        receiver(host="127.0.0.1") as victim,
        opened(allowed_networks=(), lookup=lookup) as sender,
    ):
        for authority in [*numbers("127.0.0.1"), *scripts("127.0.0.1"), "localhost", "localhost."]:
            url = f"http://{at_port(authority, victim.port)}/"
            result = await sender.send(url, (NEW,), "evt_1", datetime.now(UTC), BODY)
            assert (result.status, result.error in REFUSED) == (None, True), (url, result)
    assert not victim.visited
    lookup.close()


async def test_a_naive_client_falls_for_many_of_them():
    """Else the list would prove nothing."""
    fell = set()
    async with receiver(host="127.0.0.1") as victim, aiohttp.ClientSession() as naive:
        for authority in [*numbers("127.0.0.1"), *scripts("127.0.0.1"), *carriers("127.0.0.1")]:
            before = victim.connections
            try:
                async with asyncio.timeout(0.5):
                    await naive.post(f"http://{at_port(authority, victim.port)}/", data=BODY)
            except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
                pass
            if victim.connections > before:
                fell.add(authority)
    assert len(fell) >= 12, fell


@pytest.mark.parametrize("family", [numbers, disguises, scripts], ids=lambda one: one.__name__)
def test_an_odd_spelling_cannot_even_be_written_down(family):
    """Of all these an organisation may keep but the plain one, which is judged when it is sent."""
    for authority in family("169.254.169.254"):
        if authority == "169.254.169.254":
            check_url(f"https://{authority}/")
            continue
        with pytest.raises(Invalid):
            check_url(f"https://{authority}/")
