import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from domain.errors import Invalid
from domain.webhooks.urls import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://vodokanal.kz",
        "https://vodokanal.kz/",
        "https://vodokanal.kz/109?key=%D2%9A",
        "https://hook.Vodokanal.KZ:8443/109",
        "HTTPS://vodokanal.kz/109",
        "https://xn--80aesfpebagmfblc0a.xn--80ao21a/109",
        "https://1c.vodokanal.kz/hook",
        "https://under_score.kz/hook",
        "https://93.184.216.34/hook",
        "https://[2606:2800:220:1::1]:444/hook",
        "https://" + "a" * 63 + ".kz/",
    ],
)
def test_a_plain_https_url_is_accepted(url):
    check_url(url)


def test_http_is_accepted_only_where_the_city_allows_it():
    check_url("http://10.1.2.3:8080/hook", allow_http=True)
    assert broken_rule("http://10.1.2.3:8080/hook") == "scheme"


def broken_rule(url, allow_http=False):
    with pytest.raises(Invalid) as refusal:
        check_url(url, allow_http)
    (fault,) = refusal.value.faults
    assert fault.pointer == "/url"
    return fault.rule


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "characters"),
        ("vodokanal.kz/109", "scheme"),
        ("//vodokanal.kz/109", "scheme"),
        ("ftp://vodokanal.kz/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://vodokanal.kz/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https:", "host-missing"),
        ("https:///path", "host-missing"),
        ("https:vodokanal.kz", "host-missing"),
        ("https://?query", "host-missing"),
        ("https://:443/", "host-missing"),
        ("https://user:password@vodokanal.kz/", "credentials"),
        ("https://vodokanal.kz@127.0.0.1/", "credentials"),
        ("https://@vodokanal.kz/", "credentials"),
        ("https://vodokanal.kz/#part", "fragment"),
        ("https://vodokanal.kz/#", "fragment"),
        ("https://vodokanal.kz:0/", "port"),
        ("https://vodokanal.kz:/", "port"),
        ("https://vodokanal.kz:65536/", "port"),
        ("https://vodokanal.kz:-1/", "port"),
        ("https://vodokanal.kz:4x3/", "port"),
        ("https://vodokanal.kz:22/", "port"),
        ("https://vodokanal.kz:25/", "port"),
        ("https://vodokanal.kz:6667/", "port"),
        ("https://vodokanal.kz\\@127.0.0.1/", "characters"),
        ("https://vodokanal.kz/a b", "characters"),
        (" https://vodokanal.kz/", "characters"),
        ("https://vodokanal.kz/\r\nX-Evil: 1", "characters"),
        ("https://vodokanal.kz\t/", "characters"),
        ("https://vodokanal.kz/\x00", "characters"),
        ("https://әкімдік.қаз/109", "characters"),
        ("https://①②⑦.⓪.⓪.①/", "characters"),
        ("https://127。0。0。1/", "characters"),
        ("https://vodokanal.kz/{a}", "characters"),
        ("https://vodokanal%2ekz/", "host"),
        ("https://vodokanal..kz/", "host"),
        ("https://.kz/", "host"),
        ("https://vodokanal.kz./", "host"),
        ("https://-vodokanal.kz/", "host"),
        ("https://" + "a" * 64 + ".kz/", "host"),
        ("https://" + "a." * 130 + "kz/", "host"),
        ("https://[::1/", "host"),
        ("https://[::1%25eth0]/", "host"),
        ("https://[v1.fe80]/", "host"),
        ("https://[vodokanal.kz]/", "host"),
        ("https://vodokanal.kz/" + "a" * 2048, "too-long"),
    ],
)
def test_a_strange_url_is_refused_with_its_rule(url, rule):
    assert broken_rule(url) == rule


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1",
        "0x7f.0x0.0x0.0x1", "127.0.0.01", "127.0.0.1.", "127.0.0.256", "1.2.3.4.5", "0", "0x",
        "127.0.0.0x1", "a.b.1", "00000127.0.0.1",
    ],
)  # fmt: skip
def test_an_address_in_any_notation_but_the_canonical_is_refused(host):
    assert broken_rule(f"https://{host}/") == "host"


@given(st.text(st.sampled_from("abz019.-_:/@[]%#?\\ \tхx"), max_size=24))
def test_what_is_accepted_has_the_same_host_for_every_parser(rest):
    url = f"https://{rest}"
    try:
        check_url(url)
    except Invalid:
        return
    seen = URL(url, encoded=True)
    authority = rest.replace("?", "/").split("/")[0]
    assert seen.raw_host is not None
    assert seen.raw_authority.lower() == authority.lower()
    assert seen.user is None
