"""The door of eGov Mobile signing: the page with the code, and what the telephone asks."""

from datetime import UTC
from hmac import compare_digest
from http import HTTPStatus
from urllib.parse import urlencode

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from api.errors import Malformed, TooLarge, Unauthenticated
from api.login import pages
from domain.errors import NotFound
from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.login import Way
from domain.identity.signing import Mobile, Signings, Standing

log = structlog.get_logger()

MOST = 262_144
"""Bytes of a signed document on its way back."""


class MobileDoor:
    """What the page and the telephone pass through. Of one signing, `way`."""

    def __init__(self, signings: Signings, mobile: Mobile, way: Way) -> None:
        self._signings = signings
        self._mobile = mobile
        self._way = way

    async def waiting(self, request: Request) -> Response:
        """`GET /login/waiting/{page}`: the code, again and again, until it was signed."""
        page = request.path_params["page"]
        standing = await self._signings.of_page(page)
        if standing is None:
            raise LoginRefused(self._way.provider.code, LoginReason.CODE_EXPIRED)
        signing = standing.signing
        request.state.language = signing.language
        if standing.signed:
            back = urlencode({"code": page, "state": signing.state})
            return RedirectResponse(
                f"{signing.redirect_uri}?{back}",
                HTTPStatus.SEE_OTHER,
                headers={"cache-control": "no-store"},
            )
        return pages.waiting(
            self._way,
            signing.language,
            code=self._mobile.code(signing),
            link=self._mobile.link(signing),
            until=standing.expires_at.astimezone(UTC),
        )

    async def about(self, request: Request) -> Response:
        """`GET /login/mobile/{telephone}`: API 1."""
        return _json(self._mobile.described(await self._waiting(request)))

    async def document(self, request: Request) -> Response:
        """`GET …/document`: API 2, the document."""
        standing = await self._waiting(request, by_token=True)
        return _json(self._mobile.document(standing.signing))

    async def sign(self, request: Request) -> Response:
        """`PUT …/document`: API 2, the document signed. 200 `success`, 403 for a bad signature."""
        standing = await self._waiting(request, by_token=True)
        person = await self._mobile.signed(standing.signing, await _read(request))
        if not await self._signings.signed(standing.signing.telephone, person):
            raise NotFound(kind="signing", id="")
        log.info("login_signed", provider=standing.signing.provider)
        return PlainTextResponse("success", headers={"cache-control": "no-store"})

    async def _waiting(self, request: Request, *, by_token: bool = False) -> Standing:
        """The document of a code that still waits. Raises NotFound, Unauthenticated."""
        standing = await self._signings.of_telephone(request.path_params["telephone"])
        if standing is None or standing.signed:
            raise NotFound(kind="signing", id="")
        if by_token and not _bears(request, standing.signing.token):
            raise Unauthenticated
        return standing


def _bears(request: Request, token: str) -> bool:
    said = request.headers.get("authorization", "").encode()
    return compare_digest(said, f"Bearer {token}".encode())


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST:
            raise TooLarge(limit=MOST)
    if not body:
        raise Malformed("JSON")
    return bytes(body)


def _json(said: object) -> Response:
    return Response(
        orjson.dumps(said), media_type="application/json", headers={"cache-control": "no-store"}
    )
