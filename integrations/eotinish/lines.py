"""The lines of every city of the file, opened together and closed again."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from domain.eotinish.ports import Line, Manners
from integrations.eotinish.config import (
    CityExchange,
    ExchangeFile,
    ExchangeMalformed,
    LocalKey,
    NcaNodeKey,
    read_file,
    secret_of,
)
from integrations.eotinish.contract import Contract, ContractMalformed, read_contract
from integrations.eotinish.gateway import Gateway, Now
from integrations.eotinish.ncanode import NcaNodeSigner
from integrations.eotinish.signing import Signer, read_local


def judge_file(path: Path, environment: Mapping[str, str]) -> tuple[ExchangeFile, Contract]:
    """The file and its contract, sound together. Raises ExchangeMalformed with every fault."""
    settings = read_file(path, environment)
    try:
        contract = read_contract(settings.contract)
    except ContractMalformed as error:
        raise ExchangeMalformed(f"contract {settings.contract}: {error}") from None
    for config in settings.cities:
        _signer(config, environment)
    return settings, contract


@asynccontextmanager
async def open_lines(
    path: Path, environment: Mapping[str, str], now: Now
) -> AsyncIterator[Mapping[str, Line]]:
    """The lines by the code of their city. Raises ExchangeMalformed."""
    settings, contract = judge_file(path, environment)
    lines: dict[str, Line] = {}
    async with AsyncExitStack() as closing:
        for config in settings.cities:
            signer = _signer(config, environment)
            if isinstance(signer, NcaNodeSigner):
                closing.push_async_callback(signer.close)
            gateway = Gateway(config, contract, signer, now)
            closing.push_async_callback(gateway.close)
            agreements = contract.agreements(config.service, config.categories)
            lines[config.city] = Line(
                config.city, gateway, agreements, config.sends.selection(), _manners(config)
            )
        yield lines


def _manners(config: CityExchange) -> Manners:
    return Manners(
        concurrency=config.concurrency,
        retry_seconds=config.retry_seconds,
        poll_seconds=config.poll_seconds,
        timeout_seconds=config.gateway.timeout_seconds,
        reconcile_at=config.reconcile_at,
        delivery_hours=config.delivery_hours,
    )


def _signer(config: CityExchange, environment: Mapping[str, str]) -> Signer:
    said = config.signer
    try:
        if isinstance(said, LocalKey):
            name = said.password_env
            password = secret_of(name, config.city, environment) if name else None
            return read_local(said.key, said.certificate, said.trusted, password)
        return _ncanode(said, config, environment)
    except (OSError, ValueError, TypeError) as error:
        raise ExchangeMalformed(f"{config.city}: signer: {error}") from None


def _ncanode(
    said: NcaNodeKey, config: CityExchange, environment: Mapping[str, str]
) -> NcaNodeSigner:
    return NcaNodeSigner(
        said.url,
        b64encode(said.key.read_bytes()).decode(),
        secret_of(said.password_env, config.city, environment),
        issuers=said.issuers,
        revocation=said.revocation,
        timeout=config.gateway.timeout_seconds,
    )
