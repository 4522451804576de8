"""The door that people come through: residents, members, and whoever was invited.

Every answer is a page or a redirect, also where something is wrong, since a person reads it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.errors import STATUS, MethodNotAllowed
from api.languages import preferred
from api.limits import Quota
from api.login import pages
from api.login.browser import Cookies, Unreadable, read_form, read_query
from api.login.mobile import MobileDoor
from api.login.texts import ENDED, INVITATION_UNKNOWN, REASONS, UNAVAILABLE
from api.texts import CONFLICTS, DETAILS, TITLES
from domain.errors import Conflict, NotFound, Refusal, Unavailable
from domain.identity import login
from domain.identity.attempts import Purpose
from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.login import Choice, Reception, Way
from domain.ports import Now
from domain.values import Language, LocalizedText, in_language

log = structlog.get_logger()

ScopeWords = Callable[[str], LocalizedText | None]
Bound = Callable[[Request, str], bool]
"""Whether a browser is the one in which the waiting request of a handle began."""
Told = tuple[int, LocalizedText, LocalizedText]


class LoginDoor:
    """What every request of the login passes through.

    `per_minute`: departures for one request that waits, questions about one code, and departures
    for invitations from one address. People are not counted by their addresses: behind a proxy,
    or one operator of telephones, they all have the same.
    """

    def __init__(
        self,
        reception: Reception,
        *,
        now: Now,
        scope_words: ScopeWords,
        bound: Bound,
        per_minute: int,
        mobile: MobileDoor | None = None,
    ) -> None:
        self.mobile = mobile
        self._reception = reception
        self._now = now
        self._words = scope_words
        self._bound = bound
        self._quota = Quota(per_minute)
        self._cookies = Cookies(secure=reception.base_url.startswith("https:"))

    async def begin(self, request: Request) -> Response:
        """`GET /login?request=HANDLE`: choose a provider, or leave for the only one."""
        query = read_query(request)
        handle = self._handle(request, query)
        asked = await self._reception.authorizations.asked(handle)
        language = _language(query.get("lang") or asked.language, request)
        request.state.language = language
        purpose = Purpose(language, handle=handle)
        return await self._leave(
            request, purpose, login.ways_in(self._reception, asked), asked.client_name
        )

    async def invitation(self, request: Request) -> Response:
        """`GET /invitation/{token}`: the same way in, to take an invitation."""
        query = read_query(request)
        language = _language(query.get("lang"), request)
        request.state.language = language
        purpose = Purpose(language, invitation=request.path_params["token"])
        return await self._leave(request, purpose, login.ways_in(self._reception, None), None)

    async def callback(self, request: Request) -> Response:
        """`GET /login/callback/{provider}`: a provider sent somebody back."""
        query = read_query(request)
        browser = self._cookies.read(request) or ""
        way, step = await login.returned(
            self._reception,
            provider=request.path_params["provider"],
            state=query.get("state", ""),
            browser=browser,
        )
        language = request.state.language = step.purpose.language
        request.state.purpose = step.purpose
        ticket, offer = await login.arrive(
            self._reception, way, step, browser,
            code=query.get("code"), error=query.get("error"), at=self._now(),
        )  # fmt: skip
        if offer.asked is None:
            return pages.invited(offer, ticket, language)
        words = [self._in_words(scope, language) for scope in sorted(offer.asked.scopes)]
        return pages.consent(offer, way, ticket, language, words, offer.asked.returns_to)

    async def decide(self, request: Request) -> Response:
        """`POST /login/consent`: the person decided."""
        form = await read_form(request)
        arrival = await login.decided(
            self._reception,
            ticket=form.get("ticket", ""),
            browser=self._cookies.read(request) or "",
        )
        purpose = request.state.purpose = arrival.purpose
        request.state.language = purpose.language
        if form.get("decision") != "yes":
            if purpose.handle is None:
                return pages.put_off(purpose.language)
            return _go(await login.decline(self._reception, purpose.handle, self._now()))
        choice = Choice(_id(form.get("member")), form.get("link") == "yes")
        outcome = await login.agree(self._reception, arrival, choice, self._now())
        log.info("login", provider=arrival.provider, linked=outcome.linked)
        if outcome.joined is not None:
            home = self._reception.home_of(outcome.joined)
            return pages.joined(outcome.joined, home, purpose.language)
        return _go(outcome.url or "")

    async def leave(self, request: Request) -> Response:
        """`POST /login/leave`: the person goes back to the client without having logged in."""
        handle = self._handle(request, await read_form(request))
        return _go(await login.decline(self._reception, handle, self._now()))

    async def answer(
        self, act: Callable[[Request], Awaitable[Response]], request: Request
    ) -> Response:
        """What an act answers; what it refuses, as a page."""
        request.state.language = preferred(request.headers.get("accept-language"))
        request.state.purpose = None
        try:
            return await act(request)
        except MethodNotAllowed:
            raise
        except Refusal as refusal:
            return self._refused(request, refusal)
        except Unreadable:
            return self._refused(request, LoginRefused("", LoginReason.STATE_UNKNOWN))

    def spend(self, key: str) -> None:
        """Count one of `per_minute`. Raises RateLimited."""
        self._quota.spend(key).require()

    async def _leave(
        self, request: Request, purpose: Purpose, ways: tuple[Way, ...], client: str | None
    ) -> Response:
        query = read_query(request)
        wanted = query.get("provider")
        if wanted is None and len(ways) > 1:
            kept = {"request": purpose.handle} if purpose.handle is not None else {}
            return pages.choose(ways, client, purpose.language, kept)
        request.state.purpose = purpose
        self.spend(purpose.handle or f"invitation {request.client.host if request.client else ''}")
        way = ways[0] if wanted is None else login.way_named(ways, wanted)
        browser = self._cookies.ensure(request)
        response = _go(await login.depart(self._reception, way, purpose, browser))
        self._cookies.write(response, browser)
        return response

    def _handle(self, request: Request, said: Mapping[str, str]) -> str:
        """The handle that a browser names. Raises LoginRefused where its request began elsewhere:
        whoever began it would get this person's code.
        """
        handle = said.get("request", "")
        if not self._bound(request, handle):
            raise LoginRefused("", LoginReason.STATE_UNKNOWN)
        return handle

    def _in_words(self, scope: str, language: str) -> str:
        words = self._words(scope)
        return scope if words is None else in_language(words, language)

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        purpose: Purpose | None = request.state.purpose
        language: str = request.state.language
        facts = {**refusal.params, "request_id": getattr(request.state, "request_id", "")}
        facts["provider"] = self._provider_named(str(facts.get("provider", "")), language)
        reason = refusal.reason if isinstance(refusal, LoginRefused) else refusal.code
        log.info("login_refused", reason=str(reason), provider=refusal.params.get("provider"))
        return pages.trouble(
            language, _told(refusal, purpose), facts, again=_again(refusal, purpose),
            handle=purpose.handle if purpose is not None and _stands(refusal) else None,
        )  # fmt: skip

    def _provider_named(self, code: str, language: str) -> str:
        way = self._reception.ways.get(code)
        return code if way is None else in_language(way.names, language)


def _told(refusal: Refusal, purpose: Purpose | None) -> Told:
    """Status, title and detail of a refusal."""
    if isinstance(refusal, LoginRefused):
        return REASONS[refusal.reason]
    if isinstance(refusal, NotFound):
        invited = purpose is not None and purpose.invitation is not None
        return INVITATION_UNKNOWN if invited else ENDED
    if isinstance(refusal, Unavailable):
        return UNAVAILABLE
    detail = DETAILS[refusal.code]
    if isinstance(refusal, Conflict):
        detail = CONFLICTS[str(refusal.params["reason"])]
    return STATUS[type(refusal)], TITLES[refusal.code], detail


def _stands(refusal: Refusal) -> bool:
    """Whether the client's request still waits for an answer."""
    return not isinstance(refusal, NotFound)


def _again(refusal: Refusal, purpose: Purpose | None) -> str | None:
    """Where to begin anew, where that may help."""
    if purpose is None or isinstance(refusal, NotFound | Conflict):
        return None
    if purpose.handle is not None:
        return f"/login?{urlencode({'request': purpose.handle, 'lang': purpose.language})}"
    return f"/invitation/{purpose.invitation}?{urlencode({'lang': purpose.language})}"


def _language(wanted: str | None, request: Request) -> str:
    if wanted in set(Language):
        return str(wanted)
    return preferred(request.headers.get("accept-language"))


def _id(text: str | None) -> UUID | None:
    with suppress(ValueError):
        return UUID(text) if text else None
    return None


def _go(url: str) -> RedirectResponse:
    # 303: whatever was posted here is not posted there (RFC 9700 §4.12).
    return RedirectResponse(url, HTTPStatus.SEE_OTHER, headers={"cache-control": "no-store"})
