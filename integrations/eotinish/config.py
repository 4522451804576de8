"""The exchange of each city as its operators write it: one YAML file (IKOMEK_EOTINISH), judged
before anything is sent. Secrets come from the environment or from files, never from this one.
docs/eotinish.md explains each key.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from domain.eotinish.agreements import Selection
from integrations.eotinish.contract import SHIPPED
from integrations.eotinish.envelope import Sender


class ExchangeMalformed(ValueError):
    """The file cannot be used. The message names each fault, by city and key."""


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
        raise ValueError("is no plain http(s) URL")
    return value


def _shown(value: object) -> object:
    # Without quotation marks YAML reads 23:30 as the number 1410, which would be 00:23:30.
    if not isinstance(value, str):
        raise ValueError("is no time of the day; write it in quotation marks: '03:00'")
    return value


def _address(value: str) -> str:
    return str(ipaddress.ip_address(value))


Url = Annotated[str, AfterValidator(_url)]
TimeOfDay = Annotated[time, BeforeValidator(_shown)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class GatewayConfig(_Model):
    """Where the gateway listens. The state's network is closed (VPN), and its gateway speaks plain
    HTTP there: what protects a message is its signature.
    """

    synchronous: Url = Field(alias="sync")
    asynchronous: Url = Field(alias="async")
    sender: str = Field(min_length=1, max_length=100)
    password_env: str | None = None
    password_file: Path | None = None
    timeout_seconds: float = Field(default=60.0, gt=0, le=300)
    connect_seconds: float = Field(default=10.0, gt=0, le=60)
    ca_file: Path | None = None
    resolve: Mapping[str, Annotated[str, AfterValidator(_address)]] = {}


class LocalKey(_Model):
    """An RSA or ECDSA key in PEM files; `trusted` are the certificates of the gateway, or of who
    issues them.
    """

    kind: Literal["local"]
    key: Path
    certificate: Path
    trusted: Path
    password_env: str | None = None


class NcaNodeKey(_Model):
    """A key of the national authority, in a PKCS#12 that an NCANode server signs with."""

    kind: Literal["ncanode"]
    url: Url
    key: Path
    password_env: str
    issuers: frozenset[Annotated[str, Field(pattern=r"^[0-9]{12}$")]] = frozenset()
    revocation: tuple[Literal["OCSP", "CRL"], ...] = ("OCSP",)


class Chosen(_Model):
    """Which appeals go out; see domain.eotinish.agreements.Selection."""

    services: tuple[str, ...] = ("*",)
    never: tuple[str, ...] = ()

    def selection(self) -> Selection:
        """As the domain has it."""
        return Selection(self.services, self.never)


class CityExchange(_Model):
    """One city, whole."""

    city: str
    gateway: GatewayConfig
    signer: Annotated[LocalKey | NcaNodeKey, Field(discriminator="kind")]
    sends: Chosen = Chosen()
    service: str
    """The service that takes what the state assigns and no category tells."""
    categories: Mapping[str, str] = {}
    reconcile_at: TimeOfDay = time(3, 0)
    concurrency: int = Field(default=32, ge=1, le=500)
    retry_seconds: float = Field(default=5.0, gt=0, le=600)
    poll_seconds: float = Field(default=2.0, gt=0, le=600)
    delivery_hours: float = Field(default=24.0, ge=0, le=24 * 30)
    secret: str = Field(default="", repr=False, exclude=True)

    def sender(self) -> Sender:
        """The account at the gateway."""
        return Sender(self.gateway.sender, self.secret)

    def tls(self) -> ssl.SSLContext | bool:
        """Whom to believe about the gateway's name."""
        file = self.gateway.ca_file
        return True if file is None else ssl.create_default_context(cafile=str(file))


class ExchangeFile(_Model):
    """The whole file. `contract` is the folder of the passport's data files."""

    contract: Path = SHIPPED
    cities: tuple[CityExchange, ...] = Field(min_length=1)


def contract_folder(path: Path | None) -> Path:
    """The contract that a file names, read without its secrets; the shipped one without a file.
    Raises ExchangeMalformed.
    """
    return SHIPPED if path is None else _read(path).contract


def _read(path: Path) -> ExchangeFile:
    try:
        return ExchangeFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ExchangeMalformed(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ExchangeMalformed("; ".join(told)) from None


def read_file(path: Path, environment: Mapping[str, str]) -> ExchangeFile:
    """The file with its secrets. Raises ExchangeMalformed with every fault."""
    said = _read(path)
    codes = [one.city for one in said.cities]
    if repeated := sorted({code for code in codes if codes.count(code) > 1}):
        raise ExchangeMalformed(f"cities: {', '.join(repeated)} stands twice")
    cities = tuple(_with_secret(one, environment) for one in said.cities)
    return said.model_copy(update={"cities": cities})


def _with_secret(city: CityExchange, environment: Mapping[str, str]) -> CityExchange:
    name, file = city.gateway.password_env, city.gateway.password_file
    if (name is None) == (file is None):
        raise ExchangeMalformed(f"{city.city}: gateway needs password_env or password_file")
    if file is not None:
        try:
            secret = file.read_text("utf-8").strip()
        except OSError as error:
            raise ExchangeMalformed(f"{city.city}: {error}") from None
    else:
        secret = secret_of(name or "", city.city, environment)
    return city.model_copy(update={"secret": secret})


def secret_of(name: str, city: str, environment: Mapping[str, str]) -> str:
    """A secret of the environment. Raises ExchangeMalformed."""
    if not (secret := environment.get(name, "")):
        raise ExchangeMalformed(f"{city}: the environment lacks {name}")
    return secret
