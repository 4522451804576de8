"""From what a provider tells to a person, or to a refusal: nothing of it is taken on trust."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import phonenumbers

from domain.identity.iin import IinMalformed, parse_iin
from domain.identity.model import Person
from integrations.egov.config import Claims, Paths, Provider

LONGEST = 200
"""Characters of a name or an id."""
_DATES = ("%Y-%m-%d", "%d.%m.%Y")


class PersonMalformed(ValueError):
    """What was told is no person. The message names the field, never what stood in it (law 6)."""


def read_person(provider: Provider, told: Mapping[str, Any]) -> Person:
    """The person of an answer. Raises PersonMalformed.

    A phone, e-mail or birth date that cannot be read is left out: a login does not need them. The
    birth date that the IIN tells stands where the provider tells none.
    """
    claims = provider.claims
    iin_told = _text(told, claims.iin, "iin")
    try:
        iin = parse_iin(iin_told) if iin_told is not None else None
    except IinMalformed as error:
        raise PersonMalformed(f"iin: {error.flaw}") from None
    subject = _text(told, claims.subject, "subject")
    if subject is None:
        raise PersonMalformed("subject: missing")
    person = Person(
        provider=provider.code,
        subject=iin.digits if iin is not None and claims.subject == claims.iin else subject,
        iin=iin.digits if iin is not None else None,
        surname=_text(told, claims.surname, "surname"),
        name=_text(told, claims.name, "name"),
        patronymic=_text(told, claims.patronymic, "patronymic"),
        birth_date=_date(_found(told, claims.birth_date)) or (iin.birth_date if iin else None),
        phone=verified(told, claims.phone_verified, phone_of(told, claims)),
        email=verified(told, claims.email_verified, _email(_found(told, claims.email))),
    )
    told_of = {
        "iin": person.iin,
        "named": person.surname or person.name,
        "phone": person.phone,
        "birth_date": person.birth_date,
    }
    if missing := [name for name in sorted(provider.required) if not told_of[name]]:
        raise PersonMalformed(f"{', '.join(missing)}: missing")
    return person


def phone_of(told: Mapping[str, Any], claims: Claims) -> str | None:
    """The phone of an answer in E.164; None for none, and for what is no phone."""
    value = _found(told, claims.phone)
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    digits = value.strip()
    # eGov tells eleven digits without a plus.
    said = f"+{digits}" if digits.isdigit() and digits[:1] == "7" and len(digits) == 11 else digits
    try:
        parsed = phonenumbers.parse(said, "KZ")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _found(told: Mapping[str, Any], paths: Paths) -> Any:
    """What the first path that leads somewhere leads to; None where none does."""
    for path in paths:
        here: Any = told
        for step in path.split("."):
            here = here.get(step) if isinstance(here, Mapping) else None
        if here is not None and here != "":
            return here
    return None


def _text(told: Mapping[str, Any], paths: Paths, field: str) -> str | None:
    value = _found(told, paths)
    if value is None:
        return None
    if not isinstance(value, str):
        raise PersonMalformed(f"{field}: not a text")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    # Cc, Cf, Cs, Co, Cn: what nobody can see or write, a text turned round among it.
    if len(text) > LONGEST or any(unicodedata.category(sign)[0] == "C" for sign in text):
        raise PersonMalformed(f"{field}: not a name that anybody bears")
    return text or None


def _date(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    for form in _DATES:
        try:
            return datetime.strptime(value.strip().partition("T")[0], form).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _email(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        return None
    name, at, host = value.strip().rpartition("@")
    return value.strip() if at and name and host and " " not in value.strip() else None


def verified(told: Mapping[str, Any], paths: Paths, value: str | None) -> str | None:
    """The value, where the provider is not asked whether it is verified or says so."""
    return value if not paths or _found(told, paths) is True else None
