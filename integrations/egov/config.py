"""Identity providers as a city names them: a data file over presets, judged before anything starts.

The file is YAML: `providers`, a list. An entry names a `code`, perhaps a `preset`, and overrides
the preset key by key. Secrets come from the environment or from files, never from this one.
docs/login.md explains each key.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from domain.identity.iin import is_bin

PRESETS = Path(__file__).parent / "presets.yaml"
LANGUAGES = ("kk", "ru", "en")


class ProvidersMalformed(ValueError):
    """The file cannot be used. The message names each fault, by provider and key."""


class Kind(StrEnum):
    """What a provider speaks."""

    OAUTH2 = "oauth2"
    OPENID = "openid"


class Audience(StrEnum):
    """Who may come through a provider."""

    RESIDENTS = "residents"
    STAFF = "staff"


def _url(value: str) -> str:
    """https, or http to this machine itself; no user, no query, no fragment."""
    parts = urlsplit(value)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("is no plain URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_local(parts.hostname)):
        raise ValueError("must begin with https://")
    return value


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_three_languages(value: Mapping[str, str]) -> Mapping[str, str]:
    if missing := [language for language in LANGUAGES if not value.get(language)]:
        raise ValueError(f"lacks {', '.join(missing)}")
    if strange := sorted(set(value) - set(LANGUAGES)):
        raise ValueError(f"knows no {', '.join(strange)}")
    return value


def _address(value: str) -> str:
    return str(ipaddress.ip_address(value))


Url = Annotated[str, AfterValidator(_url)]
Names = Annotated[Mapping[str, str], AfterValidator(_in_three_languages)]
Paths = tuple[str, ...]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Endpoints(_Model):
    """Where a provider is asked. Discovery fills in what the file does not name."""

    authorize: Url | None = None
    token: Url | None = None
    jwks: Url | None = None
    person: Url | None = None
    phone: Url | None = None


class Claims(_Model):
    """Where in the provider's answers each fact stands: dotted paths, the first that leads wins.

    `phone_verified` and `email_verified`: where it is told whether they are; without such a path
    the provider is taken to tell verified ones alone.
    """

    subject: Paths
    iin: Paths = ()
    surname: Paths = ()
    name: Paths = ()
    patronymic: Paths = ()
    birth_date: Paths = ()
    phone: Paths = ()
    phone_verified: Paths = ()
    email: Paths = ()
    email_verified: Paths = ()


class LanguageParameter(_Model):
    """How the provider is told the language of its pages."""

    parameter: str = Field(pattern=r"^[a-z_]{1,40}$")
    values: Mapping[str, str] = {}


class Provider(_Model):
    """One provider, whole."""

    code: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    names: Names
    kind: Kind
    audience: frozenset[Audience] = Field(alias="for", min_length=1)
    organisations: frozenset[str] = frozenset()
    client_id: str = Field(min_length=1, max_length=200)
    client_secret: str | None = Field(default=None, repr=False)
    client_auth: Literal["client_secret_basic", "client_secret_post", "none"]
    scopes: tuple[str, ...] = ()
    pkce: bool
    issuer: Url | None = None
    discovery: bool = False
    endpoints: Endpoints = Endpoints()
    algorithms: tuple[Literal["RS256", "ES256", "PS256", "Ed25519"], ...] = ("RS256",)
    claims: Claims
    required: frozenset[Literal["iin", "named", "phone", "birth_date"]] = frozenset()
    authorize: Mapping[str, str] = {}
    language: LanguageParameter | None = None
    ca_file: Path | None = None
    resolve: Mapping[str, Annotated[str, AfterValidator(_address)]] = {}
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    max_bytes: int = Field(default=65_536, ge=1_000, le=1_000_000)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        faults = [*_unanswered(self), *_unsafe(self)]
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Organisation(_Model):
    """Who asks for a signature, as the application shows it."""

    name_kk: str = Field(alias="nameKz", min_length=1)
    name_ru: str = Field(alias="nameRu", min_length=1)
    name_en: str = Field(alias="nameEn", min_length=1)
    bin: str

    @field_validator("bin")
    @classmethod
    def _is_a_bin(cls, value: str) -> str:
        if not is_bin(value):
            raise ValueError("is no BIN")
        return value


class MobileConfig(_Model):
    """eGov Mobile signing: who asks, and which NCANode judges the signatures."""

    code: str = Field(default="egov-mobile", pattern=r"^[a-z][a-z0-9-]{0,31}$")
    names: Names = {"kk": "eGov Mobile", "ru": "eGov Mobile", "en": "eGov Mobile"}
    audience: frozenset[Audience] = Field(default=frozenset(Audience), alias="for", min_length=1)
    organisation: Organisation
    description: str = Field(default="109: кіру / вход", min_length=1, max_length=200)
    ncanode: Url
    revocation: tuple[Literal["OCSP", "CRL"], ...] = Field(default=("OCSP",), min_length=1)
    link: str = Field(
        default="https://m.egov.kz/mobileSign/?link={link}&isi=1476128386&ibi=kz.egov.mobile"
        "&apn=kz.mobile.mgov",
        pattern=r"^https://.*\{link\}",
    )
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)


_OURS = frozenset({"client_id", "redirect_uri", "response_type", "state", "nonce", "scope",
                   "code_challenge", "code_challenge_method"})  # fmt: skip


def _unanswered(provider: Provider) -> list[str]:
    """What the provider could not be asked without."""
    endpoints, faults = provider.endpoints, []
    wanted = ["authorize", "token"]
    wanted += ["jwks"] if provider.kind is Kind.OPENID else ["person"]
    if not provider.discovery:
        faults += [f"needs endpoints.{name}" for name in wanted if not getattr(endpoints, name)]
    if provider.kind is Kind.OPENID and provider.issuer is None:
        faults.append("needs an issuer: an id_token is judged by it")
    if provider.kind is Kind.OPENID and "openid" not in provider.scopes:
        faults.append("needs the scope openid")
    if provider.client_auth != "none" and not provider.client_secret:
        faults.append("needs client_secret_env or client_secret_file")
    return faults


def _unsafe(provider: Provider) -> list[str]:
    """What would let somebody be taken for another."""
    faults = []
    if provider.discovery and provider.kind is not Kind.OPENID:
        faults.append("discovery is of OpenID Connect alone")
    if provider.client_auth == "none" and not provider.pkce:
        faults.append("a client without a secret needs pkce")
    if taken := sorted(_OURS & set(provider.authorize)):
        faults.append(f"authorize may not set {', '.join(taken)}")
    if "organisations" in provider.model_fields_set and not provider.organisations:
        faults.append("organisations names none; leave it out for a provider of everybody")
    if provider.organisations and provider.audience != {Audience.STAFF}:
        faults.append("an organisation's own provider is for staff alone")
    if provider.organisations and provider.claims.iin:
        # Else a utility's administrator could be anybody in the city by writing their IIN.
        faults.append("an organisation's own provider does not vouch for an IIN")
    return faults


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """The shapes that ship with the platform, by name."""
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(PRESETS.read_text())
    return found


@dataclass(frozen=True, slots=True)
class Settings:
    """Every way in of a file."""

    providers: tuple[Provider, ...]
    mobile: MobileConfig | None

    @property
    def codes(self) -> tuple[str, ...]:
        """Their codes, in the order that people are shown."""
        own = (self.mobile.code,) if self.mobile is not None else ()
        return (*(one.code for one in self.providers), *own)


def read_file(path: Path, environment: Mapping[str, str]) -> Settings:
    """The ways in of a file, their certificates too. Raises ProvidersMalformed."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ProvidersMalformed(f"{path} cannot be read: {error}") from None
    found = Settings(read_providers(text, environment, path.parent), read_mobile(text))
    codes = [one.code for one in found.providers]
    if found.mobile is not None and found.mobile.code in codes:
        raise ProvidersMalformed(f"{found.mobile.code}: named twice")
    for provider in found.providers:
        tls_of(provider)
    return found


def read_mobile(text: str) -> MobileConfig | None:
    """The signing of a file, None where it names none. Raises ProvidersMalformed."""
    entry = _content(text).get("mobile")
    if entry is None:
        return None
    try:
        return MobileConfig.model_validate(entry)
    except ValidationError as error:
        faults = "; ".join(f"mobile: {_said(one)}" for one in error.errors())
        raise ProvidersMalformed(faults) from None


def read_providers(text: str, environment: Mapping[str, str], base: Path) -> tuple[Provider, ...]:
    """The providers of a file; relative files stand beside `base`. Raises ProvidersMalformed."""
    entries = _content(text).get("providers", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise ProvidersMalformed("`providers` is a list of entries")
    faults: list[str] = []
    found: list[Provider] = []
    for place, entry in enumerate(entries, 1):
        try:
            found.append(_provider(entry, environment, base))
        except ValidationError as error:
            faults += [f"{entry.get('code', f'no. {place}')}: {_said(one)}"
                       for one in error.errors()]  # fmt: skip
        except ValueError as error:
            faults.append(f"{entry.get('code', f'no. {place}')}: {error}")
    codes = [one.code for one in found]
    faults += [f"{code}: named twice" for code in sorted({c for c in codes if codes.count(c) > 1})]
    if faults:
        raise ProvidersMalformed("; ".join(faults))
    return tuple(found)


def _content(text: str) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProvidersMalformed(f"not YAML: {error}") from None
    if not isinstance(content, dict) or not content or set(content) - {"providers", "mobile"}:
        raise ProvidersMalformed("the file has `providers`, or `mobile`, or both, and nothing else")
    return content


def tls_of(provider: Provider) -> ssl.SSLContext:
    """The certificates that a provider is judged by. Raises ProvidersMalformed."""
    try:
        return ssl.create_default_context(cafile=provider.ca_file)
    except OSError as error:
        # An unreadable file, and one that holds no certificate (ssl.SSLError).
        raise ProvidersMalformed(f"{provider.code}: ca_file: {error}") from None


def _provider(entry: Mapping[str, Any], environment: Mapping[str, str], base: Path) -> Provider:
    said = dict(entry)
    name = said.pop("preset", None)
    if name is not None and name not in presets():
        raise ValueError(f"no preset {name!r}; there are {', '.join(presets())}")
    merged = _over(presets()[name], said) if name is not None else said
    merged["client_secret"] = _secret(merged, environment, base)
    if merged.get("ca_file"):
        merged["ca_file"] = base / str(merged["ca_file"])
    return Provider.model_validate(merged)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, mappings key by key, everything else whole."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(under, value) if both and under is not None else value
    return merged


def _secret(merged: dict[str, Any], environment: Mapping[str, str], base: Path) -> str | None:
    if "client_secret" in merged:
        raise ValueError("a secret stands in no file of settings: use client_secret_env or _file")
    variable, file = merged.pop("client_secret_env", None), merged.pop("client_secret_file", None)
    if variable is not None and file is not None:
        raise ValueError("one of client_secret_env and client_secret_file, not both")
    if variable is not None:
        if not environment.get(str(variable)):
            raise ValueError(f"the variable {variable} is not set")
        return environment[str(variable)]
    if file is None:
        return None
    try:
        return (base / str(file)).read_text().strip()
    except OSError as error:
        raise ValueError(f"client_secret_file: {error.strerror}") from None


def _said(fault: Any) -> str:
    place = ".".join(map(str, fault["loc"]))
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
