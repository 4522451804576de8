import asyncio
import socket
import threading

import pytest

from integrations.webhooks.addresses import AddressRefused, parse_networks
from integrations.webhooks.resolver import CheckedResolver, SystemLookup, checked_sockets
from tests.integrations.webhooks.receiver import receiver
from tests.integrations.webhooks.test_addresses import HOSTILE
from tests.integrations.webhooks.test_sender import HERE, opened, post, send

VICTIM = "127.0.0.2"


class Names:
    """A name server that gives each answer once, in order, then the last for ever."""

    def __init__(self, *answers):
        self.answers = answers
        self.asked = 0

    async def __call__(self, host, port):
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


async def test_a_name_that_leads_elsewhere_the_second_time_reaches_nobody():
    names = Names(["127.0.0.1"], [VICTIM])
    async with (
        receiver() as there,
        receiver(host=VICTIM, port=there.port) as victim,
        opened(lookup=names) as sender,
    ):
        first = await post(sender, there.url("rebind.kz"))
        # One question for one connection: there is no second answer to fall for.
        assert (first.status, names.asked) == (204, 1)
        second = await post(sender, there.url("rebind.kz"))
    assert (second.status, second.error, names.asked) == (None, "address-refused", 2)
    assert (len(there.requests), victim.visited) == (1, False)


async def test_one_inner_address_among_good_ones_refuses_the_name():
    async with receiver() as there, receiver(host=VICTIM, port=there.port) as victim:
        result = await send(there.url("mixed.kz"), lookup=Names(["127.0.0.1", VICTIM]))
    assert result.error == "address-refused"
    assert (there.visited, victim.visited) == (False, False)


@pytest.mark.parametrize("ip", HOSTILE)
async def test_no_name_leads_to_an_inner_address(ip):
    result = await send("https://hook.kz/", lookup=Names([ip]), allowed_networks=())
    assert (result.status, result.error) == (None, "address-refused")


@pytest.mark.parametrize("ip", [ip for ip in HOSTILE if "%" not in ip])
async def test_no_url_names_an_inner_address(ip):
    names = Names(["127.0.0.1"])
    host = f"[{ip}]" if ":" in ip else ip
    result = await send(f"https://{host}/", lookup=names, allowed_networks=())
    assert (result.error, names.asked) == ("address-refused", 0)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1%25lo]", "127.0.0.1.", "u@127.1"]
)
async def test_odd_notations_are_refused_before_anybody_is_asked(host):
    async with receiver() as victim:
        result = await send(f"http://{host}:{victim.port}/")
    assert (result.error, victim.visited) == ("url-refused", False)


async def test_an_address_in_a_url_is_judged_where_the_socket_opens():
    async with receiver(host=VICTIM) as victim:
        refused = await send(victim.url())
        allowed = await send(victim.url(), allowed_networks=parse_networks(["127.0.0.0/8"]))
    assert (refused.error, allowed.status, victim.connections) == ("address-refused", 204, 1)


def test_a_socket_opens_towards_checked_addresses_alone():
    open_socket = checked_sockets(HERE)
    tcp = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    open_socket((socket.AF_INET, *tcp, ("127.0.0.1", 443))).close()
    with pytest.raises(AddressRefused):
        open_socket((socket.AF_INET, *tcp, (VICTIM, 443)))
    with pytest.raises(AddressRefused):
        open_socket((socket.AF_INET6, *tcp, ("::ffff:127.0.0.1", 443, 0, 0)))


@pytest.mark.parametrize("host", ["localhost", "0x7f.1", "127.1", "2130706433", "017700000001"])
async def test_what_the_system_makes_of_a_host_is_checked_too(host):
    lookup = SystemLookup(threads=1)
    with pytest.raises(AddressRefused):
        await CheckedResolver(lookup, ()).resolve(host, 443)
    lookup.close()


@pytest.mark.parametrize("host", ["a" * 64, "қ" * 70 + ".kz"])
async def test_a_host_that_cannot_be_a_name_is_an_ordinary_failure(host):
    lookup = SystemLookup(threads=1)
    with pytest.raises(OSError):  # noqa: PT011 - the words are the system's
        await CheckedResolver(lookup, ()).resolve(host, 443)
    lookup.close()


async def test_silent_name_servers_of_the_dead_keep_no_sound_name_waiting(monkeypatch):
    """200 endpoints whose name servers never answer, 32 messages on their way to each."""
    answered = threading.Event()

    def found(host, port):
        if host != "hook.kz":
            answered.wait(20)
        return ["192.88.98.1"]

    monkeypatch.setattr("integrations.webhooks.resolver._addresses", found)
    lookup = SystemLookup()
    waiting = [
        asyncio.create_task(lookup(f"hook-{number}.dead.kz", 443))
        for number in range(200)
        for _ in range(32)
    ]
    await asyncio.sleep(0)
    try:
        assert await asyncio.wait_for(lookup("hook.kz", 443), 5) == ["192.88.98.1"]
        # Who gives up takes the answer from nobody else.
        waiting[0].cancel()
        answered.set()
        assert await waiting[1] == ["192.88.98.1"]
    finally:
        answered.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        lookup.close()


async def test_a_name_is_asked_for_anew_once_it_was_answered(monkeypatch):
    asked: list[str] = []

    def found(host, port):
        asked.append(host)
        return []

    monkeypatch.setattr("integrations.webhooks.resolver._addresses", found)
    lookup = SystemLookup(threads=1)
    for _ in range(2):
        await lookup("hook.kz", 443)
        await asyncio.sleep(0)
    lookup.close()
    assert asked == ["hook.kz", "hook.kz"]


async def test_a_name_without_addresses_is_an_ordinary_failure():
    assert (await send("https://hook.kz/", lookup=Names([]))).error == "name-not-resolved"


async def test_a_name_server_that_fails_is_named():
    async def lookup(host, port):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert (await send("https://hook.kz/", lookup=lookup)).error == "name-not-resolved"


async def test_the_second_address_is_used_when_the_first_is_dead():
    async with receiver() as there:
        names = Names(["127.0.0.3", "127.0.0.1"])
        networks = parse_networks(["127.0.0.0/8"])
        result = await send(there.url("two.kz"), lookup=names, allowed_networks=networks)
    assert (result.status, there.connections) == (204, 1)


async def test_a_busy_process_still_resolves_names():
    release = threading.Event()
    loop = asyncio.get_running_loop()
    # More than the loop's own pool has threads, whatever the machine.
    blocked = [loop.run_in_executor(None, release.wait) for _ in range(40)]
    result = await send("https://localhost/", allowed_networks=())
    release.set()
    await asyncio.gather(*blocked)
    assert result.error == "address-refused"
