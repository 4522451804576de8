"""HTTP to the gateway: nothing is followed, nothing is unpacked, little is read.

The gateway's host stands in the state's network and not in public DNS, so names may be pinned to
addresses; a certificate is still judged by the name.
"""

import ssl
from collections.abc import Mapping

import httpx2

from integrations.eotinish.faults import TooLarge, unfit

HEADERS = {"User-Agent": "iKomek-109-eotinish/1", "Accept-Encoding": "identity"}


class SizedTransport(httpx2.AsyncBaseTransport):
    """Sends one request and reads at most `largest` bytes of an answer of the kind `wanted`.

    Raises GatewayFault `answer-unfit`, and what httpx2 raises for a fault of transport.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | bool,
        resolve: Mapping[str, str],
        largest: int,
        wanted: str,
        connections: int = 100,
    ) -> None:
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._inner = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits)
        self._resolve = resolve
        self._largest = largest
        self._wanted = wanted

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        if address := self._resolve.get(host):
            # The Host header was written before, from the name.
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)
        response = await self._inner.handle_async_request(request)
        try:
            body = await self._read(response)
        finally:
            await response.aclose()
        return httpx2.Response(response.status_code, content=body, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _read(self, response: httpx2.Response) -> bytes:
        headers = response.headers
        if 300 <= response.status_code < 400:
            raise unfit("a redirection")
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise unfit("encoded")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status_code < 400 and kind != self._wanted:
            raise unfit("of another kind")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._largest:
                raise TooLarge
        return bytes(body)
