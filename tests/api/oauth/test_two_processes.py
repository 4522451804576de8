"""Two API processes behind real sockets: what one issues or takes back, the other knows."""

import httpx2

from tests.support.live import serving
from tests.support.oauth import ISSUER, Registered, register_system
from tests.support.rest import make_callers_app
from tests.support.worker import eventually


async def _token(url: str, of: Registered) -> str:
    async with httpx2.AsyncClient(base_url=url) as client:
        said = {"grant_type": "client_credentials"}
        answer = await client.post("/oauth/token", data=said, auth=of.basic)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


async def _stands(url: str, token: str) -> bool:
    async with httpx2.AsyncClient(base_url=url) as client:
        headers = {"authorization": f"Bearer {token}"}
        return (await client.get("/v1/me", headers=headers)).status_code == 200


async def test_what_one_process_issues_and_takes_back_the_other_knows(settings, house):
    system = await register_system(house)
    ours = settings.model_copy(update={"public_url": ISSUER, "rate_limit": 0})
    with (
        serving(make_callers_app(ours)) as one,
        serving(make_callers_app(ours)) as other,
    ):
        first, second = await _token(one, system), await _token(other, system)
        for url in (one, other):
            assert await _stands(url, first)
            assert await _stands(url, second)
        async with httpx2.AsyncClient(base_url=one) as client:
            said = {"token": first}
            assert (await client.post("/oauth/revoke", data=said, auth=system.basic)).is_success

        async def void() -> bool:
            return not await _stands(other, first)

        await eventually(void, within=60)
        assert await _stands(other, second)
        await house.clients.disable(system.client.id, house.now())

        async def gone() -> bool:
            return not (await _stands(one, second) or await _stands(other, second))

        await eventually(gone, within=60)


async def test_another_installations_token_opens_nothing(settings, house):
    system = await register_system(house)
    here = settings.model_copy(update={"public_url": ISSUER, "rate_limit": 0})
    there = here.model_copy(update={"public_url": "https://ulken.example"})
    with serving(make_callers_app(here)) as one, serving(make_callers_app(there)) as other:
        token = await _token(one, system)
        assert await _stands(one, token)
        # The same keys and the same clients, but another issuer.
        assert not await _stands(other, token)
