"""Scopes: what a program may be allowed, in words that a person can be asked about.

A token holds what its role holds and its scopes let through, never more than either
(domain/access.py: Principal).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.access import Permission, Role
from domain.values import LocalizedText

P = Permission


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scope lets through, and how a person is asked for it."""

    permissions: frozenset[Permission]
    text: LocalizedText


def _scope(kk: str, ru: str, en: str, *permissions: Permission) -> Scope:
    return Scope(frozenset(permissions), {"kk": kk, "ru": ru, "en": en})


OPENID, PROFILE, OFFLINE = "openid", "profile", "offline_access"

SCOPES: Mapping[str, Scope] = {
    OPENID: _scope("Кіргеніңізді білу", "Узнать, что это вы", "Know that it is you"),
    PROFILE: _scope("Атыңызды білу", "Узнать ваше имя", "Know your name"),
    OFFLINE: _scope(
        "Сіз жоқта да қолжетімді болу",
        "Сохранять доступ, когда вас нет",
        "Keep access while you are away",
    ),
    "catalogue:read": _scope(
        "Қызметтер каталогын оқу",
        "Читать каталог услуг",
        "Read the catalogue of services",
        P.READ_CATALOGUE,
    ),
    "organisations:read": _scope(
        "Ұйымдарды, мерзімдерді және бағыттауды оқу",
        "Читать организации, сроки и маршруты",
        "Read organisations, promises and routing",
        P.READ_ORGANISATIONS,
        P.READ_POLICIES,
        P.CHECK_ROUTING,
    ),
    "appeals:read": _scope(
        "Өтініштерді және олардың барысын оқу",
        "Читать обращения и их ход",
        "Read appeals and how they fare",
        P.READ_APPEAL,
        P.READ_INTERNAL,
    ),
    "appeals:write": _scope(
        "Өтініш тіркеу, толықтыру, растау және қайтарып алу",
        "Подавать, дополнять, подтверждать и отзывать обращения",
        "Register appeals, add to them, confirm and withdraw them",
        P.REGISTER_APPEAL,
        P.REGISTER_FOR_OTHERS,
        P.CONFIRM,
        P.WITHDRAW,
        P.COMMENT,
        P.COMMENT_INTERNALLY,
        P.CORRECT,
        P.ATTACH,
    ),
    "appeals:answer": _scope(
        "Өтініштерге жауап беру және кеңестерді тіркеу",
        "Отвечать на обращения и записывать консультации",
        "Answer appeals and record consultations",
        P.ANSWER,
        P.RECORD_CONSULTATION,
        P.RECORD_FOR_OTHERS,
    ),
    "appeals:perform": _scope(
        "Тапсырылған өтініштерді орындау",
        "Исполнять порученные обращения",
        "Do the work of assigned appeals",
        P.PERFORM,
        P.PROLONG,
        P.PAUSE,
        P.COMMENT,
        P.COMMENT_INTERNALLY,
        P.ATTACH,
    ),
    "appeals:supervise": _scope(
        "Өтініштерді тапсыру және жұмысты тексеру",
        "Поручать обращения и проверять работу",
        "Assign appeals and check the work",
        P.ASSIGN,
        P.CHECK,
        P.WAIVE,
        P.EXTEND,
        P.CLASSIFY,
        P.FORWARD,
    ),
    "applicants:read": _scope(
        "Өтініш берушінің атын және байланысын көру",
        "Видеть имя и контакты заявителя",
        "See an applicant's name and contacts",
        P.READ_APPLICANT,
    ),
    "incidents:read": _scope(
        "Оқиғаларды оқу", "Читать инциденты", "Read incidents", P.READ_INCIDENT
    ),
    "incidents:write": _scope(
        "Оқиғаларды ашу және жүргізу",
        "Открывать и вести инциденты",
        "Open incidents and lead them",
        P.OPEN_INCIDENT,
    ),
    "statistics:read": _scope(
        "Көрсеткіштерді оқу",
        "Читать показатели",
        "Read the figures",
        P.READ_STATISTICS,
        P.READ_EXECUTORS,
        P.READ_CONTROL,
    ),
    "webhooks:manage": _scope(
        "Ұйымның хабарлама мекенжайларын басқару",
        "Управлять адресами уведомлений организации",
        "Manage the organisation's webhook endpoints",
        P.MANAGE_ENDPOINTS,
        P.READ_EVENTS,
    ),
    "events:read": _scope(
        "Ұйымның оқиғалар таспасын оқу",
        "Читать ленту событий организации",
        "Read the feed of the organisation's events",
        P.READ_EVENTS,
    ),
    "register:cosign": _scope(
        "Тізілімнің бақылау нүктелеріне қол қою",
        "Подписывать контрольные точки реестра",
        "Cosign the register's checkpoints",
        P.COSIGN,
    ),
    "calendars:manage": _scope(
        "Жұмыс күнтізбесінің күндерін өзгерту",
        "Менять дни рабочего календаря",
        "Change the days of a working calendar",
        P.MANAGE_CALENDARS,
    ),
    "appeals:instruct": _scope(
        "Қарар мен тапсырма жазу",
        "Накладывать резолюции и давать поручения",
        "Write resolutions and instructions",
        P.INSTRUCT,
    ),
    "applicants:search": _scope(
        "Өтініштерді телефон не ЖСН бойынша іздеу",
        "Искать обращения по телефону или ИИН",
        "Find appeals by a phone or an IIN",
        P.SEARCH_APPLICANTS,
    ),
    "citizens:read-own": _scope(
        "Сіз туралы сақталғанның бәрін және кім оқығанын көру",
        "Видеть всё, что о вас хранится, и кто это читал",
        "See all that is held on you, and who read it",
        P.READ_OWN_RECORD,
    ),
    "members:manage": _scope(
        "Қызметкерлерді көру, шақыру және басқару",
        "Видеть, приглашать и вести сотрудников",
        "See, invite and manage members",
        P.READ_MEMBERS,
        P.MANAGE_MEMBERS,
        P.LEAVE,
    ),
    "organisations:onboard": _scope(
        "Ұйымдарды қосу", "Подключать организации", "Take organisations in", P.ONBOARD
    ),
    "exchange:manage": _scope(
        "e-Өтінішпен алмасуды көру және карантинді шешу",
        "Видеть обмен с e-Өтініш и разбирать карантин",
        "See the exchange with the national register and judge its quarantine",
        P.READ_EXCHANGE,
        P.JUDGE_EXCHANGE,
    ),
    "personal-reads:read": _scope(
        "Дербес деректерді кім оқығанын көру",
        "Видеть, кто читал персональные данные",
        "See who read personal data",
        P.READ_READS,
    ),
}
"""Scope → what it lets through; every permission stands in one at least (a test says so)."""

CLIENTS_NEVER = frozenset({Role.CITIZEN, Role.SYSTEM})
"""What a program that comes for itself cannot be: a resident, or the platform."""


@lru_cache(maxsize=4096)
def granted(scopes: frozenset[str]) -> frozenset[Permission]:
    """What scopes let through together; one that is unknown lets nothing through."""
    found = [SCOPES[name].permissions for name in scopes if name in SCOPES]
    return frozenset().union(*found)


def scopes_for(permission: str) -> tuple[str, ...]:
    """The scopes that let a permission through, by name; a scope that stands for itself, too."""
    found = (name for name, scope in SCOPES.items() if permission in scope.permissions)
    return (permission,) if permission in (OPENID, PROFILE, OFFLINE) else tuple(found)


def parse_scopes(text: str | None) -> frozenset[str]:
    """The scopes of a parameter, RFC 6749 §3.3; none for None or an empty text."""
    return frozenset((text or "").split())


def write_scopes(scopes: Collection[str]) -> str:
    """Scopes as one parameter, in a lasting order."""
    return " ".join(sorted(scopes))
