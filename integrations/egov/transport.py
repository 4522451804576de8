"""HTTP to an identity provider, whose answers are read like a foe's.

Nothing is followed, nothing is unpacked, little is read; an answer is JSON (or a JWT) or refused.
Names may be pinned to addresses, since a provider's host need not stand in public DNS; the
certificate is still judged by the name.
"""

import ssl
from collections.abc import Mapping
from enum import StrEnum

import httpx2

HEADERS = {
    "User-Agent": "iKomek-109-login/1",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


class Unfit(StrEnum):
    """Why an answer is not read."""

    REDIRECT = "redirect"
    ENCODED = "encoded"
    TOO_LARGE = "too-large"
    NOT_JSON = "not-json"


class AnswerUnfit(Exception):
    """An answer that is not read. `why` tells the reason, `status` what it came with."""

    def __init__(self, why: Unfit, status: int) -> None:
        super().__init__(f"{why}, status {status}")
        self.why = why
        self.status = status


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends one request and reads at most `max_bytes` of its answer.

    `resolve`: host → address. Raises AnswerUnfit, and what httpx2 raises for a fault of transport.
    """

    def __init__(self, tls: ssl.SSLContext, resolve: Mapping[str, str], max_bytes: int) -> None:
        # A proxy or a certificate named by the environment is not taken: the file says it all.
        self._inner = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False)
        self._resolve = resolve
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._pin(request)
        response = await self._inner.handle_async_request(request)
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        kind = response.headers.get("content-type", "")
        return httpx2.Response(
            response.status_code, headers={"content-type": kind}, content=body, request=request
        )

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _pin(self, request: httpx2.Request) -> None:
        host = request.url.host
        if address := self._resolve.get(host):
            # The Host header was written before, from the name.
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)

    async def _read(self, response: httpx2.Response) -> bytes:
        status, headers = response.status_code, response.headers
        if 300 <= status < 400:
            raise AnswerUnfit(Unfit.REDIRECT, status)
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise AnswerUnfit(Unfit.ENCODED, status)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._max_bytes:
                raise AnswerUnfit(Unfit.TOO_LARGE, status)
        # An error's page may be of any kind; its status says enough.
        if status < 400 and not _is_json(headers.get("content-type", "")):
            raise AnswerUnfit(Unfit.NOT_JSON, status)
        return bytes(body)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
