"""The file of providers is judged whole before anybody logs in by it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from integrations.egov.config import (
    Audience,
    Kind,
    Provider,
    ProvidersMalformed,
    presets,
    read_file,
    read_mobile,
    read_providers,
    tls_of,
)

SECRETS = {"EGOV_SECRET": "s", "WATER_SECRET": "w"}
EGOV = {"code": "egov", "preset": "egov", "client_id": "c", "client_secret_env": "EGOV_SECRET"}
WATER = {"code": "water", "preset": "openid", "client_id": "c", "issuer": "https://id.water.kz",
         "client_secret_env": "WATER_SECRET", "organisations": ["kishi/water"]}  # fmt: skip


def read(*entries: Any, base: Path = Path()) -> tuple[Provider, ...]:
    return read_providers(yaml.safe_dump({"providers": list(entries)}), SECRETS, base)


def fault(*entries: Any) -> str:
    with pytest.raises(ProvidersMalformed) as refused:
        read(*entries)
    return str(refused.value)


def test_a_city_names_a_preset_and_its_own_client():
    egov, water = read(EGOV, WATER)
    assert (egov.kind, egov.pkce, egov.client_secret) == (Kind.OAUTH2, False, "s")
    assert egov.audience == {Audience.RESIDENTS, Audience.STAFF}
    assert (water.kind, water.pkce) == (Kind.OPENID, True)
    assert water.audience == {Audience.STAFF}
    assert water.discovery


def test_a_city_overrides_what_it_knows_better():
    (egov,) = read(EGOV | {"endpoints": {"phone": None}, "resolve": {"idp.egov.kz": "10.0.0.7"}})
    assert egov.endpoints.phone is None
    assert egov.endpoints.token == presets()["egov"]["endpoints"]["token"]
    assert egov.resolve == {"idp.egov.kz": "10.0.0.7"}


def test_a_secret_may_come_from_a_file_beside(tmp_path: Path):
    (tmp_path / "secret").write_text("from a file\n")
    entry = {**EGOV, "client_secret_file": "secret"}
    del entry["client_secret_env"]
    (egov,) = read(entry, base=tmp_path)
    assert egov.client_secret == "from a file"


def test_a_secret_is_never_told():
    assert "s3cret" not in repr(
        read_providers(yaml.safe_dump({"providers": [EGOV]}), {"EGOV_SECRET": "s3cret"}, Path())
    )
    assert "s3cret" not in fault(EGOV | {"client_secret": "s3cret"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"preset": "gov"}, "egov: no preset 'gov'; there are egov, aitu, openid"),
        ({"client_id": ""}, "egov: client_id"),
        ({"client_secret_env": "NOT_SET"}, "egov: the variable NOT_SET is not set"),
        ({"client_secret_file": "x"}, "egov: one of client_secret_env"),
        ({"client_secret_env": None, "client_secret_file": "x"}, "client_secret_file: No such"),
        ({"client_secret": "x"}, "egov: a secret stands in no file"),
        ({"colour": "red"}, "egov: colour: Extra inputs"),
        ({"code": "e/gov"}, "e/gov: code"),
        ({"names": {"kk": ""}}, "egov: names: lacks kk"),
        ({"endpoints": {"token": "http://idp.egov.kz/t"}}, "endpoints.token: must begin with"),
        ({"endpoints": {"token": "https://u:p@idp.egov.kz/t"}}, "endpoints.token: is no plain"),
        ({"endpoints": {"token": "https://idp.egov.kz/t?x=1"}}, "endpoints.token: is no plain"),
        ({"endpoints": {"person": None}}, "egov: needs endpoints.person"),
        ({"client_auth": "none"}, "egov: a client without a secret needs pkce"),
        ({"authorize": {"state": "x"}}, "egov: authorize may not set state"),
        ({"discovery": True}, "egov: discovery is of OpenID Connect alone"),
        ({"organisations": ["kishi/water"]}, "is for staff alone"),
        ({"organisations": ["kishi/water"], "for": ["staff"]}, "does not vouch for an IIN"),
        ({"for": []}, "egov: for"),
        ({"resolve": {"idp.egov.kz": "idp"}}, "egov: resolve.idp.egov.kz"),
        ({"timeout_seconds": 0}, "egov: timeout_seconds"),
        ({"required": ["shoe-size"]}, "egov: required"),
    ],
    ids=lambda one: str(one)[:50],
)
def test_each_fault_is_named_with_its_provider(changes: dict[str, Any], said: str):
    assert said in fault(EGOV | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": None}, "water: needs an issuer"),
        ({"scopes": ["profile"]}, "water: needs the scope openid"),
        ({"algorithms": ["none"]}, "water: algorithms"),
        ({"algorithms": ["HS256"]}, "water: algorithms"),
        ({"discovery": False}, "needs endpoints.authorize; needs endpoints.token; needs"),
        ({"for": ["staff", "residents"]}, "is for staff alone"),
        ({"claims": {"iin": ["iin"]}}, "does not vouch for an IIN"),
    ],
    ids=lambda one: str(one)[:50],
)
def test_each_fault_of_an_openid_provider_is_named(changes: dict[str, Any], said: str):
    assert said in fault(WATER | changes)


def test_all_faults_are_named_at_once():
    said = fault(EGOV | {"client_id": ""}, WATER | {"issuer": None}, EGOV, EGOV)
    assert "egov: client_id" in said
    assert "water: needs an issuer" in said
    assert "egov: named twice" in said


@pytest.mark.parametrize("text", ["", "[]", "providers: 7", "providers: [7]", "{", "providers:"])
def test_a_file_of_another_kind_is_told_so(text: str):
    with pytest.raises(ProvidersMalformed):
        read_providers(text, {}, Path())


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    (egov,) = read(EGOV | {"ca_file": "ca.pem"}, base=tmp_path)
    with pytest.raises(ProvidersMalformed, match="egov: ca_file"):
        tls_of(egov)


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_whole_but_for_what_a_city_alone_knows(name: str):
    entry = EGOV | {"preset": name, "issuer": "https://issuer.example"}
    if presets()[name]["kind"] == "oauth2":
        del entry["issuer"]
    (provider,) = read(entry)
    assert provider.claims.subject


MOBILE = {"organisation": {"nameKz": "109", "nameRu": "109", "nameEn": "109",
                           "bin": "991240000003"}, "ncanode": "http://127.0.0.1:14579"}  # fmt: skip


def mobile_fault(**changes: Any) -> str:
    with pytest.raises(ProvidersMalformed) as refused:
        read_mobile(yaml.safe_dump({"mobile": MOBILE | changes}))
    return str(refused.value)


def test_a_city_names_its_signing_beside_its_providers(tmp_path: Path):
    file = tmp_path / "providers.yaml"
    file.write_text(yaml.safe_dump({"providers": [EGOV], "mobile": MOBILE}))
    found = read_file(file, SECRETS)
    assert found.codes == ("egov", "egov-mobile")
    assert found.mobile is not None
    assert found.mobile.revocation == ("OCSP",), "a revoked key is never taken"
    file.write_text(yaml.safe_dump({"mobile": MOBILE}))
    assert read_file(file, SECRETS).codes == ("egov-mobile",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ncanode": "http://node.example"}, "mobile: ncanode: must begin with https://"),
        ({"ncanode": None}, "mobile: ncanode"),
        ({"organisation": {"bin": "991231600002"}}, "mobile: organisation.nameKz"),
        ({"organisation": MOBILE["organisation"] | {"bin": "991231600002"}}, "is no BIN"),  # type: ignore[operator]
        ({"revocation": []}, "mobile: revocation"),
        ({"link": "https://m.egov.kz/"}, "mobile: link"),
        ({"colour": "red"}, "mobile: colour"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_each_fault_of_the_signing_is_named(changes: dict[str, Any], said: str):
    assert said in mobile_fault(**changes)


def test_a_signing_and_a_provider_share_no_code(tmp_path: Path):
    file = tmp_path / "providers.yaml"
    file.write_text(yaml.safe_dump({"providers": [EGOV], "mobile": MOBILE | {"code": "egov"}}))
    with pytest.raises(ProvidersMalformed, match="egov: named twice"):
        read_file(file, SECRETS)
