"""The organisations of Semey: real in number and duty, invented in name and contact."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import yaml

from demo.semey.geography import DISTRICTS, Home, ident
from domain.organisations.model import Organisation, OrganisationKind
from domain.values import LocalizedText

_ALWAYS, _OFFICE = "around-the-clock", "office-hours"

_PUBLIC_BODIES = Path(__file__).with_name("public_bodies.yaml")

# Kind of public body: under whom it stands, and its hours.
_PLACES = {
    OrganisationKind.CITY_DEPARTMENT: ("akimat", _OFFICE),
    OrganisationKind.UTILITY: ("dept-utilities", _ALWAYS),
    OrganisationKind.EMERGENCY_SERVICE: ("akimat", _ALWAYS),
    OrganisationKind.MEDICAL_INSTITUTION: ("dept-health", _OFFICE),
}

_FIRST_WORDS = {
    "Береке": "Bereke", "Достық": "Dostyk", "Шаңырақ": "Shanyrak", "Бірлік": "Birlik",
    "Ертіс": "Ertis", "Жайлы": "Zhaily", "Отан": "Otan", "Самал": "Samal", "Нұрлы": "Nurly",
    "Тұлпар": "Tulpar", "Алтын": "Altyn", "Байтерек": "Baiterek", "Арай": "Arai",
    "Сенім": "Senim", "Жұлдыз": "Zhuldyz", "Көктем": "Koktem", "Дала": "Dala", "Аққу": "Akku",
    "Тұмар": "Tumar", "Мерей": "Merei", "Болашақ": "Bolashak", "Өрлеу": "Orleu",
    "Шұғыла": "Shugyla", "Жасыл": "Zhasyl", "Асыл": "Asyl", "Сұңқар": "Sunkar", "Айдын": "Aidyn",
}  # fmt: skip

# Sum 605: cooperatives of many houses, associations of one to a few, simple partnerships.
_HOUSING = (("ksk", 150, 12.0), ("osi", 365, 2.7), ("pt", 90, 2.5))
_HOUSING_FORMS = {
    "ksk": ("ПИК", "КСК", "KSK"), "osi": ("МИБ", "ОСИ", "OSI"), "pt": ("ЖС", "ПТ", "PT"),
}  # fmt: skip
_LIFT_SUFFIXES = {"лифт": "Lift", "лифт сервис": "Lift Service", "лифт монтаж": "Lift Montage"}

Groups = dict[str, tuple[Home, ...]]
"""The houses of each organisation, by its code."""


def public_bodies() -> Iterator[Organisation]:
    """Akimats, the contact centre, departments, utilities, emergency and medicine."""
    names = _names("Семей қаласының әкімдігі", "Акимат города Семей", "Semey City Akimat")
    yield _firm("akimat", OrganisationKind.AKIMAT, None, _OFFICE, names)
    names = _names("109 байланыс орталығы", "Контакт-центр 109", "109 Contact Centre")
    yield _firm("contact-centre-109", OrganisationKind.CONTACT_CENTRE, "akimat", _ALWAYS, names)
    for district in DISTRICTS:
        kk, ru, en = (district.names[language] for language in ("kk", "ru", "en"))
        names = _names(f"{kk} әкімдігі", f"Акимат: {ru}", f"{en} District Akimat")
        code, kind = f"akimat-{district.code}", OrganisationKind.DISTRICT_AKIMAT
        yield _firm(code, kind, "akimat", _OFFICE, names, district.code)
    table = yaml.safe_load(_PUBLIC_BODIES.read_text(encoding="utf-8"))
    for kind, (parent, calendar) in _PLACES.items():
        for row in table[kind]:
            yield _firm(row["code"], kind, parent, calendar, row["names"])


def housing(homes: Sequence[Home], random: Random) -> tuple[tuple[Organisation, ...], Groups]:
    """605 KSK, OSI and PT; every apartment house belongs to exactly one."""
    forms = [(form, weight) for form, count, weight in _HOUSING for _ in range(count)]
    random.shuffle(forms)
    weights = [weight * random.uniform(0.6, 1.4) for _, weight in forms]
    firms, groups = [], {}
    for number, ((form, _), own) in enumerate(zip(forms, _shares(homes, weights), strict=True)):
        code = f"{form}-{number + 1:03}"
        legal, (kk, en) = _HOUSING_FORMS[form], _words(number)
        names = _names(f"{legal[0]} «{kk}»", f"{legal[1]} «{kk}»", f"{legal[2]} {en}")
        district = own[0].building.district
        firms.append(
            _firm(
                code, OrganisationKind.HOUSING, "dept-housing-inspection", _OFFICE, names, district
            )
        )
        groups[code] = own
    return tuple(firms), groups


def lifts(homes: Sequence[Home], random: Random) -> tuple[tuple[Organisation, ...], Groups]:
    """81 lift companies; every apartment house of six storeys and more belongs to exactly one."""
    tall = [home for home in homes if home.storeys >= 6]
    called = [(word, suffix) for suffix in _LIFT_SUFFIXES for word in _FIRST_WORDS]
    weights = [random.uniform(0.5, 2.0) for _ in called]
    firms, groups = [], {}
    for number, ((word, suffix), own) in enumerate(
        zip(called, _shares(tall, weights), strict=True), start=1
    ):
        code = f"lift-{number:02}"
        english = f"{_FIRST_WORDS[word]} {_LIFT_SUFFIXES[suffix]}"
        names = _names(f"«{word} {suffix}» ЖШС", f"ТОО «{word} {suffix}»", f"{english} LLP")
        firms.append(
            _firm(code, OrganisationKind.LIFT_COMPANY, "dept-housing-inspection", _ALWAYS, names)
        )
        groups[code] = own
    return tuple(firms), groups


def _shares(homes: Sequence[Home], weights: Sequence[float]) -> Iterator[tuple[Home, ...]]:
    """Neighbouring houses in as many parts as there are weights, none of them empty."""
    spare, total = len(homes) - len(weights), sum(weights)
    passed, start = 0.0, 0
    for place, weight in enumerate(weights, start=1):
        passed += weight
        end = place + round(spare * passed / total)
        yield tuple(homes[start:end])
        start = end


def _words(number: int) -> tuple[str, str]:
    words = list(_FIRST_WORDS.items())
    (kk, en), turn = words[number % len(words)], number // len(words)
    return (f"{kk}-{turn + 1}", f"{en}-{turn + 1}") if turn else (kk, en)


def _names(kk: str, ru: str, en: str) -> LocalizedText:
    return {"kk": kk, "ru": ru, "en": en}


def _firm(
    code: str,
    kind: OrganisationKind,
    parent: str | None,
    calendar: str,
    names: LocalizedText,
    district: str | None = None,
) -> Organisation:
    identity = ident("organisation", code)
    phone = f"+7 7222 {identity.int % 90 + 10} {identity.int // 97 % 90 + 10} 00"
    return Organisation(
        id=identity,
        code=code,
        parent=None if parent is None else ident("organisation", parent),
        kind=kind,
        names=names,
        contacts={"phone": phone, "email": f"{code}@semey.example"},
        calendar=calendar,
        district=district,
        active=True,
    )
