"""The only room where ports meet adapters."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from sqlalchemy.ext.asyncio import AsyncEngine

from api import clock
from api.bell import Bell
from api.limits import Requests
from api.settings import Settings
from api.trust import Trust
from domain.access import NOBODY
from domain.attachments import Cleaner, FileStore
from domain.eotinish.ports import Line
from domain.identity.login import Home, Way
from domain.identity.model import Subject
from domain.identity.ports import People
from domain.identity.signing import Mobile, Signings
from domain.organisations.checks import Checks
from domain.organisations.returns import Returns
from domain.organisations.trees import Trees
from domain.ports import Keyring, Mailer, Now
from domain.publication.crowds import Crowds
from domain.register.checkpoint import Verify
from integrations.mail.sender import SmtpMailer
from integrations.media.cleaner import MediaCleaner
from integrations.postgres.alarms import Alarms
from integrations.postgres.authorizations import SqlAuthorizations
from integrations.postgres.bundles import Bundles
from integrations.postgres.checkpoints import Checkpoints
from integrations.postgres.clients import Clients
from integrations.postgres.completions import Completions
from integrations.postgres.control import Control
from integrations.postgres.deliveries import Deliveries
from integrations.postgres.engine import APP_ROLE, open_engine
from integrations.postgres.exchange_files import ExchangeFiles
from integrations.postgres.exchange_queue import ExchangeQueue
from integrations.postgres.exchange_reports import ExchangeReports
from integrations.postgres.feed import Feed
from integrations.postgres.figures import Figures
from integrations.postgres.grants import Grants
from integrations.postgres.happenings import SqlHappenings
from integrations.postgres.histories import Histories
from integrations.postgres.housekeeping import Housekeeping
from integrations.postgres.idempotency import Answers
from integrations.postgres.incident_queries import IncidentQueries
from integrations.postgres.likeness_queries import LikenessQueries
from integrations.postgres.lists import Lists
from integrations.postgres.login_attempts import SqlAttempts
from integrations.postgres.outbox import Outbox
from integrations.postgres.people import SqlPeople
from integrations.postgres.personal import Personal
from integrations.postgres.proofs import Proofs
from integrations.postgres.queries import Queries
from integrations.postgres.records import Records
from integrations.postgres.reference import PostgresReferences
from integrations.postgres.revocations import SqlRevocations
from integrations.postgres.rosters import Rosters
from integrations.postgres.sealer import Sealer
from integrations.postgres.signings import SqlSignings
from integrations.postgres.sketches import Sketches
from integrations.postgres.statistics import Statistics
from integrations.postgres.token_keys import TokenKeys
from integrations.postgres.tokens import Tokens
from integrations.postgres.trails import Trails
from integrations.postgres.unit_of_work import UnitsOfWork
from integrations.postgres.webhook_keys import WebhookKeys
from integrations.postgres.webhook_queries import WebhookQueries
from integrations.storage.notes import NoteFolder
from integrations.storage.objects import open_store
from integrations.triage.artefact import Models
from integrations.vault.keyring import parse_keyring
from integrations.vault.living import LivingKeyring
from integrations.vault.signer import Signer, parse_signer, signer_file
from integrations.vault.signer import verify as verify_ed25519
from integrations.vault.token_signer import TokenSigner, TokenVerifier, new_key
from integrations.vault.webhook_signer import new_key as new_webhook_key

if TYPE_CHECKING:
    from integrations.webhooks.sender import Sender


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a process of the platform works with."""

    settings: Settings
    now: Now
    engine: AsyncEngine
    keyring: Keyring
    references: PostgresReferences
    trees: Trees
    units: UnitsOfWork
    answers: Answers
    tokens: Tokens
    queries: Queries
    lists: Lists
    sketches: Sketches
    bundles: Bundles
    figures: Figures
    crowds: Crowds
    statistics: Statistics
    control: Control
    histories: Histories
    models: Models
    completions: Completions
    store: FileStore
    cleaner: Cleaner
    outbox: Outbox
    feed: Feed
    bell: Bell
    deliveries: Deliveries
    housekeeping: Housekeeping
    returns: Returns
    sealer: Sealer
    checkpoints: Checkpoints
    proofs: Proofs
    notes: NoteFolder | None
    incidents: IncidentQueries
    likeness: LikenessQueries
    clients: Clients
    grants: Grants
    authorizations: SqlAuthorizations
    revocations: SqlRevocations
    trust: Trust
    requests: Requests
    people: People
    rosters: Rosters
    personal: Personal
    records: Records
    attempts: SqlAttempts
    signings: SqlSignings
    webhook_keys: WebhookKeys
    webhooks: WebhookQueries
    alarms: Alarms
    exchange: ExchangeQueue
    exchange_files: ExchangeFiles
    exchange_reports: ExchangeReports
    show_letter: Callable[[bytes], Mapping[str, str]]
    happenings: SqlHappenings
    checks: Checks = field(default_factory=Checks)
    verify: Verify = verify_ed25519

    def home_of(self, subject: Subject) -> Home | None:
        """The organisation of a member, as a login names it; None where the city knows it no more.

        Raises Unavailable.
        """
        reference = self.references.of(subject.city)
        found = reference.organisations.get(subject.organisation or NOBODY)
        if found is None:
            return None
        return Home(f"{reference.city.code}/{found.code}", found.names)


def read_now(settings: Settings) -> Now:
    """The city's clock: the real one, unless a demonstration asked for a fast one."""
    start, since, until = settings.warp_from, settings.warp_since, settings.warp_until
    if start is None or since is None or until is None:
        return clock.real
    return clock.warped(start, since, until)


def read_keyring(settings: Settings) -> Keyring:
    """The keyring of the environment, else the file under `home`."""
    if settings.keys is not None:
        return parse_keyring(settings.keys)
    return LivingKeyring(settings.home / "keys")


def read_signer(settings: Settings) -> Signer:
    """What signs checkpoints: the key of the environment, else the file under `home`.

    Asked for by schedulers and the command line alone; the API has no use for it.
    """
    if settings.signing_key is not None:
        return parse_signer(settings.signing_key)
    return signer_file(settings.home / "signing-key")


def make_token_keys(engine: AsyncEngine, keyring: Keyring) -> TokenKeys:
    """The keys that sign tokens."""
    return TokenKeys(engine, keyring, new_key)


def make_trust(
    settings: Settings,
    engine: AsyncEngine,
    keyring: Keyring,
    revocations: SqlRevocations,
    clients: Clients,
) -> Trust:
    """What judges and signs tokens; it knows nothing before its first refresh."""
    return Trust(
        settings.base_url,
        make_token_keys(engine, keyring),
        revocations,
        clients,
        signer=TokenSigner,
        verifier=TokenVerifier,
    )


def make_webhook_keys(engine: AsyncEngine, keyring: Keyring) -> WebhookKeys:
    """The keys that sign webhooks so that anybody can verify them."""
    return WebhookKeys(engine, keyring, new_webhook_key)


def make_mailer(settings: Settings) -> Mailer | None:
    """What mails the checkpoint of each day's end; None where nobody wants it."""
    if not settings.checkpoint_mail or settings.smtp_url is None:
        return None
    return SmtpMailer(settings.smtp_url, settings.mail_from)


def make_alarm_mailer(settings: Settings) -> Mailer | None:
    """What mails notices to organisations; None where no post office is known."""
    if settings.smtp_url is None:
        return None
    return SmtpMailer(settings.smtp_url, settings.mail_from)


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How people log in through others: the ways by code, and the signing by telephone."""

    ways: Mapping[str, Way]
    mobile: Mobile | None = None


@asynccontextmanager
async def open_ways(settings: Settings, signings: Signings) -> AsyncIterator[WaysIn]:
    """The ways of the file, in its order, closed again afterwards.

    Raises ProvidersMalformed with every fault of the file. Of the API alone: no other process
    needs the secrets of the providers.
    """
    if settings.providers is None:
        yield WaysIn({})
        return
    # Authlib takes a third of a second, which no other role need wait for.
    from integrations.egov.ways import open_file

    async with open_file(
        settings.providers, os.environ, signings, base_url=settings.base_url, now=clock.real
    ) as (ways, mobile):
        yield WaysIn(ways, mobile)


def show_letter(file: Path | None, document: bytes) -> Mapping[str, str]:
    """What may be seen of a message of the national register; who reads none loads no XML."""
    from integrations.eotinish.letters import show_letter as show

    return show(document, file)


@asynccontextmanager
async def open_exchange(settings: Settings) -> AsyncIterator[Mapping[str, Line]]:
    """The lines to the national register by the code of their city; none without a file.

    Raises ExchangeMalformed with every fault of the file. Of workers and the command line alone.
    """
    if settings.eotinish is None:
        yield {}
        return
    # lxml and signxml are of no use to any other process.
    from integrations.eotinish.lines import open_lines

    async with open_lines(settings.eotinish, os.environ, clock.real) as lines:
        yield lines


@asynccontextmanager
async def open_house(settings: Settings, *, name: str = "ikomek") -> AsyncIterator[House]:
    """Open every adapter and close it again. `settings.database_url` must be set."""
    if settings.database_url is None:
        raise ValueError("open_house needs DATABASE_URL; the CLI starts the embedded server")
    engine = open_engine(settings.database_url, pool_size=settings.pool_size, name=name)
    cleaner = MediaCleaner()
    try:
        house = _furnish(settings, engine, cleaner)
        try:
            yield house
        finally:
            house.crowds.close()
    finally:
        await cleaner.close()
        await engine.dispose()


def _furnish(settings: Settings, engine: AsyncEngine, cleaner: MediaCleaner) -> House:
    """Every port with its adapter."""
    keyring, store = read_keyring(settings), open_store(settings.storage)
    clients, revocations = Clients(engine), SqlRevocations(engine)
    return House(
        settings=settings,
        now=read_now(settings),
        engine=engine,
        keyring=keyring,
        references=(references := PostgresReferences(engine)),
        trees=Trees(references),
        units=(units := UnitsOfWork(engine, keyring, settings.base_url)),
        answers=Answers(engine, keyring),
        tokens=Tokens(engine),
        queries=Queries(engine, keyring),
        lists=Lists(engine, keyring),
        sketches=Sketches(engine, keyring),
        bundles=Bundles(engine, keyring),
        figures=(figures := Figures(engine)),
        crowds=Crowds(figures),
        statistics=Statistics(engine),
        control=Control(engine, keyring),
        histories=Histories(engine, keyring),
        models=Models(settings.home),
        completions=Completions(engine),
        store=store,
        cleaner=cleaner,
        outbox=Outbox(engine, settings.base_url),
        feed=(feed := Feed(engine, settings.base_url)),
        bell=Bell(feed.rung),
        deliveries=Deliveries(engine, keyring, base_url=settings.base_url),
        housekeeping=Housekeeping(engine, store),
        returns=Returns(Trails(engine).of),
        sealer=Sealer(engine),
        checkpoints=Checkpoints(engine),
        proofs=Proofs(engine, keyring),
        notes=NoteFolder(folder) if (folder := settings.checkpoint_folder) else None,
        incidents=IncidentQueries(engine, keyring),
        likeness=LikenessQueries(engine),
        clients=clients,
        grants=Grants(engine),
        authorizations=SqlAuthorizations(engine, settings.base_url),
        revocations=revocations,
        trust=(trust := make_trust(settings, engine, keyring, revocations, clients)),
        requests=Requests(settings.rate_limit, trust.quotas),
        people=SqlPeople(engine, keyring, units, references),
        rosters=Rosters(engine),
        personal=Personal(engine, keyring),
        records=Records(engine, keyring),
        attempts=SqlAttempts(engine, keyring),
        signings=SqlSignings(engine, keyring),
        webhook_keys=make_webhook_keys(engine, keyring),
        webhooks=WebhookQueries(engine),
        alarms=Alarms(engine),
        exchange=ExchangeQueue(engine, keyring),
        exchange_files=ExchangeFiles(engine),
        exchange_reports=ExchangeReports(engine, keyring),
        show_letter=partial(show_letter, settings.eotinish),
        happenings=SqlHappenings(engine),
    )


def application_url(settings: Settings) -> str:
    """The database as libpq opens it under the role that owns nothing, for the embedded broker."""
    url = settings.database_url
    if url is None:
        raise ValueError("the embedded broker needs DATABASE_URL")
    options = urlencode({"options": f"-c role={APP_ROLE}"}, quote_via=quote)
    return f"{url}{'&' if '?' in url else '?'}{options}"


def make_sender(settings: Settings) -> "Sender":
    """What POSTs to executors' endpoints; opened with `async with` by the worker that uses it.

    Raises ValueError for a network or a file of authorities that is none.
    """
    # Half a second of imports that the API and the scheduler never need.
    from integrations.webhooks.addresses import parse_networks
    from integrations.webhooks.authorities import trusted
    from integrations.webhooks.sender import Sender

    return Sender(
        allowed_networks=parse_networks(settings.webhook_allowed_networks),
        allow_http=settings.webhook_allow_http,
        tls=trusted(settings.webhook_authorities),
    )
