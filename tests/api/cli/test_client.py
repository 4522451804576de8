"""Programs at the command line: a secret is shown once, and works; what is unsound is refused."""

import asyncio
from uuid import UUID

import orjson
import psycopg
import pytest
from joserfc.jwk import ECKey, RSAKey

from api.bootstrap import make_token_keys, make_webhook_keys
from api.clock import real
from domain.access import Role
from domain.identity.clients import AuthMethod, Client
from integrations.postgres.clients import Clients
from integrations.postgres.engine import open_engine
from integrations.vault.keyring import parse_keyring
from tests.api.cli.conftest import Ikomek
from tests.conftest import TEST_KEYS
from tests.support.city import KISHI

SYSTEM = ("client", "create", "--name", "Диспетчер", "--organisation", "water", "--role",
          "executor", "--scope", "appeals:read", "--scope", "appeals:perform")  # fmt: skip
SITE = ("client", "create", "--name", "Сайт", "--scope", "openid", "--redirect")


def found(url: str, id: str) -> Client:
    async def find() -> Client | None:
        engine = open_engine(url, pool_size=1)
        try:
            return await Clients(engine).find(UUID(id))
        finally:
            await engine.dispose()

    client = asyncio.run(find())
    assert client is not None
    return client


def knows(client: Client, secret: str) -> bool:
    return client.knows(secret, real())


def test_a_system_is_registered_with_a_secret(ikomek: Ikomek, city_database: str):
    answer = ikomek(*SYSTEM, "--rate-limit", 60, "--daily-quota", 5000)
    assert answer.status == 0, answer.err
    id, secret = answer.out.split()
    client = found(city_database, id)
    assert knows(client, secret)
    assert (client.organisation, client.role) == (KISHI.water, Role.EXECUTOR)
    assert (client.rate_limit, client.daily_quota) == (60, 5000)
    assert client.scopes == {"appeals:read", "appeals:perform"}
    with psycopg.connect(city_database) as connection:
        rows = connection.execute("SELECT s::text FROM client_secret s").fetchall()
    assert secret not in str(rows)


def test_an_app_is_registered_without_one(ikomek: Ikomek, city_database: str):
    answer = ikomek(*SITE, "http://127.0.0.1/callback", "--public")
    client = found(city_database, answer.out.strip())
    assert client.auth_method is AuthMethod.NONE
    assert client.secrets == ()


def test_a_secret_is_rotated_and_the_old_one_opens_on(ikomek: Ikomek, city_database: str):
    id, old = ikomek(*SYSTEM).out.split()
    again, new = ikomek("client", "rotate-secret", id).out.split()
    assert again == id
    assert old != new
    client = found(city_database, id)
    assert knows(client, old)
    assert knows(client, new)


def test_a_program_is_disabled_once_and_stays_in_the_list(ikomek: Ikomek):
    id, secret = ikomek(*SYSTEM).out.split()
    assert ikomek("client", "disable", id).status == 0
    assert ikomek("client", "disable", id).status == 1
    listed = ikomek("client", "list").out
    row = next(line for line in listed.splitlines() if line.startswith(id))
    assert row.endswith("disabled")
    assert secret not in listed


@pytest.mark.parametrize(
    "arguments",
    [
        (*SITE, "https://*.site.kz/callback"),
        (*SITE, "http://site.kz/callback"),
        (*SITE, "https://site.kz/callback", "--scope", "everything"),
        ("client", "create", "--name", "x", "--scope", "openid"),
        ("client", "create", "--name", "x", "--scope", "appeals:read", "--role", "executor"),
        (*SYSTEM, "--public"),
        (*SYSTEM, "--auth", "private_key_jwt"),
        (*SYSTEM, "--organisation", "nowhere"),
        # Nobody at a utility is an inspector, and so no program of theirs is.
        ("client", "create", "--name", "x", "--organisation", "water", "--role", "inspector",
         "--scope", "appeals:read"),
    ],
)  # fmt: skip
def test_an_unsound_program_is_refused(ikomek: Ikomek, arguments: tuple[str, ...]):
    answer = ikomek(*arguments)
    assert answer.status == 2
    assert answer.out == ""


def test_a_system_may_prove_itself_by_its_key(ikomek: Ikomek, city_database: str, tmp_path):
    key = ECKey.generate_key("P-256")
    path = tmp_path / "keys.json"
    path.write_bytes(orjson.dumps({"keys": [key.as_dict(private=False)]}))
    answer = ikomek(*SYSTEM, "--auth", "private_key_jwt", "--jwks", path)
    assert answer.status == 0, answer.err
    client = found(city_database, answer.out.strip())
    assert client.jwks is not None
    assert client.jwks["keys"][0]["x"] == key.as_dict(private=False)["x"]


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_keys_that_are_weak_private_or_none_are_refused(ikomek: Ikomek, tmp_path):
    strong = ECKey.generate_key("P-256")
    weak = RSAKey.import_key(RSAKey.generate_key(1024).as_dict(private=False))
    for number, keys in enumerate(
        (
            [strong.as_dict(private=True)],
            [weak.as_dict(private=False)],
            [ECKey.generate_key("P-384").as_dict(private=False)],
            [{"kty": "oct", "k": "c2VjcmV0"}],
            [],
        )
    ):
        path = tmp_path / f"{number}.json"
        path.write_bytes(orjson.dumps({"keys": keys}))
        answer = ikomek(*SYSTEM, "--auth", "private_key_jwt", "--jwks", path)
        assert answer.status == 2, keys
    none = tmp_path / "none.json"
    none.write_text("no JSON")
    assert ikomek(*SYSTEM, "--auth", "private_key_jwt", "--jwks", none).status == 2


def test_keys_are_rotated_on_demand(ikomek: Ikomek, city_database: str):
    def kept() -> list[str]:
        async def read() -> list[str]:
            engine = open_engine(city_database, pool_size=1)
            try:
                keys = await make_token_keys(engine, parse_keyring(TEST_KEYS)).known(real())
                return [key.kid for key in keys]
            finally:
                await engine.dispose()

        return asyncio.run(read())

    first = ikomek("keys", "rotate-token-key").out.split()[0]
    second = ikomek("keys", "rotate-token-key").out.split()[0]
    assert kept() == [first, second]
    third = ikomek("keys", "rotate-token-key", "--withdraw").out.split()[0]
    assert kept() == [third]


def test_keys_of_webhooks_are_rotated_beside_each_other_or_withdrawn(
    ikomek: Ikomek, city_database: str
):
    def standing() -> list[str]:
        async def ask() -> list[str]:
            engine = open_engine(city_database, pool_size=1)
            try:
                keys = make_webhook_keys(engine, parse_keyring(TEST_KEYS))
                return [key.kid for key in await keys.signing(real())]
            finally:
                await engine.dispose()

        return asyncio.run(ask())

    (first,) = standing()
    told = ikomek("keys", "rotate-webhook-key")
    second = told.out.split()[0]
    assert "whpk_" in told.out
    assert standing() == [second, first]
    third = ikomek("keys", "rotate-webhook-key", "--withdraw").out.split()[0]
    assert standing() == [third]
    assert ikomek("keys", "rotate-webhook-key", "--overlap-days", "-1").status == 2
