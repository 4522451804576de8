"""What the settings let webhooks do, from the environment to the socket."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.bootstrap import make_sender
from api.settings import Settings
from integrations.webhooks.authorities import BUNDLES, AuthoritiesMalformed, trusted
from tests.integrations.webhooks.receiver import certified, receiver
from tests.support.appeals import SECRET

NETWORKS, HTTP = "IKOMEK_WEBHOOK_ALLOWED_NETWORKS", "IKOMEK_WEBHOOK_ALLOW_HTTP"
AUTHORITIES = "IKOMEK_WEBHOOK_AUTHORITIES"


async def sent(url):
    async with make_sender(Settings()) as sender:
        return await sender.send(url, (SECRET,), "evt_109", datetime.now(UTC), b"{}")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in (NETWORKS, HTTP, AUTHORITIES):
        monkeypatch.delenv(name, raising=False)


async def test_a_city_that_says_nothing_sends_inside_to_nobody():
    async with receiver() as victim:
        plain = await sent(victim.url())
        secure = await sent(f"https://127.0.0.1:{victim.port}/")
    assert (plain.error, secure.error) == ("url-refused", "address-refused")
    assert not victim.visited


async def test_a_network_is_opened_by_its_setting_and_no_other_with_it(monkeypatch):
    monkeypatch.setenv(HTTP, "true")
    monkeypatch.setenv(NETWORKS, '["127.0.0.2/32", "10.1.0.0/16"]')
    async with receiver(host="127.0.0.2") as friend, receiver(host="127.0.0.3") as victim:
        good = await sent(friend.url())
        bad = await sent(victim.url())
    assert (good.status, bad.error) == (204, "address-refused")
    assert (friend.visited, victim.visited) == (True, False)


async def test_plain_http_opens_no_network(monkeypatch):
    monkeypatch.setenv(HTTP, "true")
    async with receiver() as victim:
        result = await sent(victim.url())
    assert (result.error, victim.visited) == ("address-refused", False)


@pytest.mark.parametrize("networks", ['["127.0.0.1/8"]', '["inner"]'])
def test_a_network_with_a_slip_of_the_pen_opens_nothing(monkeypatch, networks):
    monkeypatch.setenv(NETWORKS, networks)
    with pytest.raises(ValueError):  # noqa: PT011 - the words are ipaddress's
        make_sender(Settings())


async def test_what_the_machine_is_told_for_other_programs_is_not_for_us(monkeypatch, tmp_path):
    """Proxies and credentials of the environment: none of them has a say."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login city password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv(HTTP, "true")
    monkeypatch.setenv(NETWORKS, '["127.0.0.1/32"]')
    async with receiver() as proxy, receiver() as there:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        result = await sent(there.url())
    (request,) = there.requests
    assert result.status == 204
    assert "authorization" not in request.headers
    assert not proxy.visited


@pytest.fixture
def authority(tmp_path):
    """An authority of a closed network: (what its servers show, its file)."""
    server, chain = certified()
    file = tmp_path / "authority.pem"
    file.write_text(chain)
    return server, file


async def test_a_city_names_authorities_of_its_own(monkeypatch, authority):
    server, file = authority
    monkeypatch.setenv(NETWORKS, '["127.0.0.1/32"]')
    async with receiver(tls=server) as there:
        url = f"https://127.0.0.1:{there.port}/"
        assert (await sent(url)).error == "tls-failed"
        monkeypatch.setenv(AUTHORITIES, str(file))
        assert (await sent(url)).status == 204


async def test_the_authorities_of_the_environment_have_no_say(monkeypatch, authority, tmp_path):
    """What another program is told to trust is not trusted, and what it is told to write is not."""
    server, file = authority
    secrets = tmp_path / "secrets"
    monkeypatch.setenv(NETWORKS, '["127.0.0.1/32"]')
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert ssl.create_default_context().cert_store_stats()["x509"] == 1
    monkeypatch.setenv("SSLKEYLOGFILE", str(secrets))
    async with receiver(tls=server) as there:
        result = await sent(f"https://127.0.0.1:{there.port}/")
    assert (result.status, result.error) == (None, "tls-failed")
    assert not secrets.exists()


@pytest.mark.parametrize("spoilt", [None, "", "not PEM", "CUT"])
def test_a_file_of_authorities_that_is_none_is_not_passed_over(monkeypatch, authority, spoilt):
    _, file = authority
    if spoilt is None:
        file.unlink()
    else:
        text = file.read_text()
        file.write_text(text + text[: len(text) // 2] if spoilt == "CUT" else spoilt)
    monkeypatch.setenv(AUTHORITIES, str(file))
    with pytest.raises(AuthoritiesMalformed, match=r"authority\.pem"):
        make_sender(Settings())


def test_the_machine_s_own_authorities_are_trusted_without_a_word_of_the_environment(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", "/dev/null")
    built = ssl.get_default_verify_paths()
    if not any(Path(bundle).is_file() for bundle in (built.openssl_cafile, *BUNDLES)):
        pytest.skip("this machine keeps no bundle")
    assert trusted().cert_store_stats()["x509_ca"] > 20
