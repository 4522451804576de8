"""The pages of the login: plain HTML that needs no script, no picture and nobody else's server.

Whatever a client, a provider or a person wrote is escaped; the one style stands in the page and is
named by its hash, so that nothing else can be slipped in.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from html import escape
from http import HTTPStatus
from urllib.parse import urlencode

import segno
from starlette.responses import HTMLResponse

from api.login.texts import ROLES, SAYS
from domain.identity.login import Home, Offer, Way
from domain.identity.model import Subject
from domain.values import Language, LocalizedText, in_language

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:34rem;margin:0 auto;padding:1.5rem 1rem}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "nav a{margin-right:1rem}"
    "fieldset{border:1px solid;border-radius:.25rem;margin:1rem 0}"
    "label{display:block;padding:.5rem 0}"
    "input{width:1.25rem;height:1.25rem;vertical-align:middle}"
    "button,.way{display:inline-block;font:inherit;min-height:2.75rem;padding:.5rem 1.25rem;"
    "margin:.5rem .5rem .5rem 0;border:2px solid;border-radius:.25rem;box-sizing:border-box}"
)
_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"
LOOK_AGAIN = 4
"""Seconds between two looks whether a document was signed."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*:(//[a-z0-9.-]+(:[0-9]{1,5})?)?")
NAMES = {Language.KK: "Қазақша", Language.RU: "Русский", Language.EN: "English"}


def says(name: str, language: str, /, **facts: object) -> str:
    """A sentence of SAYS, escaped whole."""
    return escape(in_language(SAYS[name], language).format_map(facts))


def page(
    language: str,
    title: str,
    body: str,
    status: HTTPStatus = HTTPStatus.OK,
    forms_to: str = "'self'",
    head: str = "",
) -> HTMLResponse:
    """A page; `title`, `body` and `head` are HTML. `forms_to`: where its forms may lead, ''
    anywhere.
    """
    policy = f"{_POLICY}; form-action {forms_to}" if forms_to else _POLICY
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{head}<title>{title} · 109</title><style>{STYLE}</style>"
        f"<main><h1>{title}</h1>{body}</main></html>",
        status,
        headers={
            "content-security-policy": policy,
            "cache-control": "no-store",
            "x-frame-options": "DENY",
            "content-language": language,
        },
    )


def choose(
    ways: Iterable[Way], client: str | None, language: str, query: Mapping[str, str]
) -> HTMLResponse:
    """Which provider to log in through; `client` None: for an invitation."""
    asks = "choose-invitation" if client is None else "choose"
    links = "".join(
        f'<li><a class="way" href="?{_query(query, lang=language, provider=way.provider.code)}">'
        f"{escape(in_language(way.names, language))}</a></li>"
        for way in ways
    )
    others = "".join(
        f'<a lang="{other}" hreflang="{other}" href="?{_query(query, lang=other)}">{name}</a>'
        for other, name in NAMES.items()
        if other != language
    )
    return page(
        language,
        says("login", language),
        f"<p>{says(asks, language, client=client)}</p><ul>{links}</ul>"
        f'<nav aria-label="{says("language", language)}">{others}</nav>',
    )


def consent(
    offer: Offer,
    way: Way,
    ticket: str,
    language: str,
    scopes: Iterable[str],
    returns_to: str,
) -> HTMLResponse:
    """What the client asks; `scopes` in words. `returns_to`: the origin or scheme that the answer
    leads to, '' where it is not known.
    """
    client = offer.asked.client_name if offer.asked is not None else ""
    wishes = "".join(f"<li>{escape(one)}</li>" for one in scopes)
    asks = "asks" if wishes else "asks-nothing"
    body = (
        f"<p>{_you(offer, language)}</p><p>{says(asks, language, client=client)}</p>"
        f"<ul>{wishes}</ul>"
        f"{_form(ticket, _members(offer, language) + _link(offer, way, language), language)}"
    )
    # Chrome holds the redirect after a form to form-action too.
    forms_to = f"'self' {returns_to}" if _ORIGIN.fullmatch(returns_to) else ""
    return page(language, says("consent", language), body, forms_to=forms_to)


def invited(offer: Offer, ticket: str, language: str) -> HTMLResponse:
    """Whether the person takes an invitation."""
    form = _form(ticket, "", language, yes="accept", no="not-now")
    return page(language, says("invited", language), f"<p>{_you(offer, language)}</p>{form}")


def waiting(way: Way, language: str, *, code: str, link: str, until: datetime) -> HTMLResponse:
    """The code that a telephone reads; the page looks again by itself every few seconds."""
    provider = in_language(way.names, language)
    drawn = segno.make(code, error="m", micro=False).svg_inline(
        scale=5, light="#fff", dark="#000", border=4
    )
    told = says("scan", language, provider=provider)
    body = (
        f'<p>{told}</p><figure role="img" aria-label="{told}">{drawn}</figure>'
        f'<p><a class="way" href="{escape(link)}">{says("open-app", language)}</a></p>'
        f'<p><a href="">{says("look-again", language)}</a>'
        f" <small>{says('until', language, time=f'{until:%H:%M} UTC')}</small></p>"
    )
    head = f'<meta http-equiv="refresh" content="{LOOK_AGAIN}">'
    return page(language, says("waiting", language), body, head=head)


def joined(subject: Subject, home: Home | None, language: str) -> HTMLResponse:
    """The person is a member now."""
    organisation = in_language(home.names, language) if home is not None else "109"
    role = in_language(ROLES[subject.role], language)
    said = says("joined-as", language, organisation=organisation, role=role)
    return page(language, says("joined", language), f"<p>{said}</p>")


def put_off(language: str) -> HTMLResponse:
    """The person took no invitation now."""
    return page(language, says("not-now", language), f"<p>{says('put-off', language)}</p>")


def trouble(
    language: str,
    told: tuple[int, LocalizedText, LocalizedText],
    facts: Mapping[str, object],
    *,
    again: str | None = None,
    handle: str | None = None,
) -> HTMLResponse:
    """What went wrong and how to mend it. `again`: the address to begin anew from; `handle`: the
    request that may be given up.
    """
    status, title, detail = told
    body = f"<p>{_filled(detail, language, facts)}</p>"
    if again is not None:
        body += f'<p><a class="way" href="{escape(again)}">{says("again", language)}</a></p>'
    if handle is not None:
        body += (
            '<form method="post" action="/login/leave">'
            f'<input type="hidden" name="request" value="{escape(handle)}">'
            f"<button>{says('back', language)}</button></form>"
        )
    body += f"<p><small>{says('request-number', language, **facts)}</small></p>"
    forms_to = "'self'" if handle is None else ""
    return page(language, _filled(title, language, facts), body, HTTPStatus(status), forms_to)


def _filled(text: LocalizedText, language: str, facts: Mapping[str, object]) -> str:
    return escape(in_language(text, language).format_map(_Lenient(facts)))


class _Lenient(dict[str, object]):
    """Leaves a placeholder empty where a fact is missing, rather than fail while refusing."""

    def __missing__(self, key: str) -> str:
        return ""


def _query(query: Mapping[str, str], **changes: str) -> str:
    return escape(urlencode({**query, **changes}))


def _you(offer: Offer, language: str) -> str:
    name = offer.person.full_name or in_language(SAYS["nameless"], language)
    return says("you-are", language, name=name)


def _members(offer: Offer, language: str) -> str:
    """Whom the person acts as; nothing to ask where they can be one alone."""
    if len(offer.memberships) < 2:
        return ""
    choices = "".join(
        f'<label><input type="radio" name="member" value="{subject.id}" required> '
        f"{escape(in_language(home.names, language))}: "
        f"{escape(in_language(ROLES[subject.role], language))}</label>"
        for subject, home in offer.memberships
    )
    return f"<fieldset><legend>{says('act-as', language)}</legend>{choices}</fieldset>"


def _link(offer: Offer, way: Way, language: str) -> str:
    if not offer.linkable:
        return ""
    phone = offer.person.phone or ""
    label = says("link", language, phone=f"{phone[:2]} *** {phone[-2:]}", count=offer.linkable)
    why = says("link-why", language, provider=in_language(way.names, language))
    return (
        f'<label><input type="checkbox" name="link" value="yes" aria-describedby="why"> {label}'
        f'</label><p id="why"><small>{why}</small></p>'
    )


def _form(ticket: str, inner: str, language: str, yes: str = "allow", no: str = "refuse") -> str:
    return (
        '<form method="post" action="/login/consent">'
        f'<input type="hidden" name="ticket" value="{escape(ticket)}">{inner}'
        f'<p><button name="decision" value="yes">{says(yes, language)}</button>'
        f'<button name="decision" value="no" formnovalidate>{says(no, language)}</button></p>'
        "</form>"
    )
