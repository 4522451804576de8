"""What an endpoint may subscribe to, and the thin message it receives.

Thin on purpose (Standard Webhooks 1.0, 'Thin vs full payloads'): a message names the
appeal and carries no personal data; who wants more asks the API, where every read of
personal data is permitted and recorded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from domain.errors import Fault, Invalid
from domain.events import EventType, IncidentEventType
from domain.values import LocalizedText
from domain.webhooks.messages import (
    CHECKPOINT_TYPE,
    DATA,
    DETAILS,
    MESSAGES,
    AppealLinks,
)


def _text(kk: str, ru: str, en: str) -> LocalizedText:
    return {"kk": kk, "ru": ru, "en": en}


CATALOGUE: Mapping[EventType | IncidentEventType, LocalizedText] = {
    EventType.REGISTERED: _text(
        "Өтініш тіркелді және нөмір алды",
        "Обращение зарегистрировано и получило номер",
        "An appeal was registered and received its number",
    ),
    EventType.ANSWERED: _text(
        "Өтінішке бірінші қоңырауда жауап берілді",
        "На обращение ответили при первом звонке",
        "An appeal was answered on the first call",
    ),
    EventType.ASSIGNED: _text(
        "Өтініш орындаушы ұйымға берілді",
        "Обращение передано организации-исполнителю",
        "An appeal was offered to an executor organisation",
    ),
    EventType.ACCEPTED: _text(
        "Орындаушы өтінішті жұмысқа қабылдады",
        "Исполнитель принял обращение в работу",
        "The executor accepted the appeal",
    ),
    EventType.DECLINED: _text(
        "Орындаушы өтініштен себебін көрсетіп бас тартты",
        "Исполнитель отклонил обращение, указав причину",
        "The executor declined the appeal and gave a reason",
    ),
    EventType.REDIRECTED: _text(
        "Өтініш басқа ұйымға қайта бағытталды",
        "Обращение перенаправлено другой организации",
        "An appeal was redirected to another organisation",
    ),
    EventType.STAGE_REPORTED: _text(
        "Орындаушы уәде етілген кезеңнің аяқталғанын хабарлады",
        "Исполнитель сообщил о выполнении обещанного этапа",
        "The executor reported a promised stage as done",
    ),
    EventType.PAUSED: _text(
        "Өтініштің мерзімі тоқтатыла тұрды",
        "Срок по обращению приостановлен",
        "The clock of an appeal was paused",
    ),
    EventType.RESUMED: _text(
        "Өтініштің мерзімі қайта жүре бастады",
        "Срок по обращению возобновлён",
        "The clock of an appeal runs again",
    ),
    EventType.RESOLVED: _text(
        "Орындаушы мәселе шешілді деп хабарлады",
        "Исполнитель сообщил, что проблема решена",
        "The executor reported the problem as solved",
    ),
    EventType.CHECKED: _text(
        "Инспектор орындалған жұмысты тексерді",
        "Инспектор проверил выполненную работу",
        "An inspector checked the work done",
    ),
    EventType.RETURNED: _text(
        "Өтініш орындаушыға пысықтауға қайтарылды",
        "Обращение возвращено исполнителю на доработку",
        "An appeal was returned to the executor for more work",
    ),
    EventType.CONFIRMED: _text(
        "Тұрғын мәселенің шешілгенін растады",
        "Житель подтвердил, что проблема решена",
        "The resident confirmed that the problem is solved",
    ),
    EventType.REOPENED: _text(
        "Тұрғын мәселе шешілмеді деді, өтініш қайта ашылды",
        "Житель сообщил, что проблема не решена, обращение открыто снова",
        "The resident said that the problem is not solved and the appeal was reopened",
    ),
    EventType.CLOSED: _text(
        "Өтініш жабылды",
        "Обращение закрыто",
        "An appeal was closed",
    ),
    EventType.WITHDRAWN: _text(
        "Тұрғын өтінішін қайтарып алды",
        "Житель отозвал обращение",
        "The resident withdrew the appeal",
    ),
    EventType.COMMENTED: _text(
        "Өтінішке пікір қосылды",
        "К обращению добавлен комментарий",
        "A comment was added to an appeal",
    ),
    EventType.CORRECTED: _text(
        "Өтініштің деректері түзетілді",
        "Данные обращения исправлены",
        "The data of an appeal were corrected",
    ),
    EventType.ATTACHED: _text(
        "Өтінішке файл тіркелді",
        "К обращению приложен файл",
        "A file was attached to an appeal",
    ),
    EventType.INSTRUCTED: _text(
        "Әкім өтінішке қарар немесе тапсырма жазды",
        "Аким наложил резолюцию или дал поручение по обращению",
        "The akim wrote a resolution or an instruction on an appeal",
    ),
    EventType.STATE_NUMBERED: _text(
        "Өтініш e-Өтініш тізілімінде тіркеліп, оның нөмірін алды",
        "Обращение принято в e-Өтініш и получило его номер",
        "The national register took the appeal and gave it its number",
    ),
    EventType.STATE_TOLD: _text(
        "e-Өтініш өтініш туралы хабарлады",
        "e-Өтініш сообщил об обращении",
        "The national register told something of the appeal",
    ),
    EventType.STATE_DECIDED: _text(
        "e-Өтініш өтініш бойынша шешімді хабарлады; тұрғынның сөзі күтіледі",
        "e-Өтініш сообщил решение по обращению; ждём слова жителя",
        "The national register told the decision on the appeal; the resident's word is awaited",
    ),
    EventType.LINKED: _text(
        "Бұрынғы өтініш тұрғынның жеке кабинетіне қосылды",
        "Прежнее обращение связано с кабинетом жителя",
        "An earlier appeal was linked to the resident who made it",
    ),
    EventType.CLOCK_WARNED: _text(
        "Кезеңнің мерзімі таяп қалды",
        "Срок этапа скоро истекает",
        "The time of a stage is about to run out",
    ),
    EventType.CLOCK_BREACHED: _text(
        "Кезеңнің мерзімі бұзылды",
        "Срок этапа нарушен",
        "The time of a stage has run out",
    ),
    EventType.CLOCK_ESCALATED: _text(
        "Мерзімнің бұзылуы жоғары деңгейге жеткізілді",
        "Нарушение срока передано на уровень выше",
        "A breach was escalated to a higher level",
    ),
    EventType.CLOCK_RECOMPUTED: _text(
        "Жұмыс күнтізбесі өзгергендіктен кезеңнің мерзімі қайта есептелді",
        "Срок этапа пересчитан: изменился рабочий календарь",
        "The time of a stage was counted again after its calendar was changed",
    ),
    EventType.EVIDENCE_WAIVED: _text(
        "Инспектор кезеңнің дәлелін талап етпеуге рұқсат берді",
        "Инспектор разрешил не предъявлять подтверждение этапа",
        "An inspector let evidence of a stage go",
    ),
    EventType.EXTENSION_ASKED: _text(
        "Орындаушы мерзімді ұзартуды сұрады",
        "Исполнитель попросил продлить срок",
        "The executor asked for more time",
    ),
    EventType.EXTENSION_GRANTED: _text(
        "Инспектор мерзімді ұзартты",
        "Инспектор продлил срок",
        "An inspector gave more time",
    ),
    EventType.EXTENSION_REFUSED: _text(
        "Инспектор мерзімді ұзартудан бас тартты",
        "Инспектор отказал в продлении срока",
        "An inspector refused to give more time",
    ),
    EventType.JOINED: _text(
        "Өтініш ортақ оқиғаға қосылды",
        "Обращение присоединено к инциденту",
        "An appeal was joined to an incident",
    ),
    EventType.PARTED: _text(
        "Өтініш ортақ оқиғадан бөлінді",
        "Обращение отделено от инцидента",
        "An appeal was parted from an incident",
    ),
    EventType.BROADCAST: _text(
        "Ортақ оқиға туралы тұрғындарға хабар берілді",
        "Жителям сообщено об инциденте",
        "The residents were told about the incident",
    ),
    EventType.CLASSIFIED: _text(
        "Инспектор өтініштің заңдағы түрін белгіледі",
        "Инспектор определил вид обращения по закону",
        "An inspector said which kind of appeal it is before the law",
    ),
    EventType.PROLONGED: _text(
        "Басшы өтінішті қарау мерзімін ұзартты",
        "Руководитель продлил срок рассмотрения обращения",
        "The head put the term of consideration off",
    ),
    EventType.FORWARDED: _text(
        "Өтініш тізілімнен тыс құзыретті органға жіберілді",
        "Обращение переадресовано компетентному органу вне реестра",
        "An appeal was sent on to a competent body outside the register",
    ),
    EventType.SUMMONED: _text(
        "Өтініш берушіге алдын ала шешім айтылып, тыңдауға шақырылды",
        "Заявителю сообщено предварительное решение, он приглашён на заслушивание",
        "The applicant was told the preliminary decision and called to a hearing",
    ),
    EventType.HEARD: _text(
        "Тыңдаудың нәтижесі хаттамаға түсірілді",
        "Итог заслушивания занесён в протокол",
        "What came of the hearing was put on record",
    ),
    EventType.DECIDED: _text(
        "Өтініш бойынша шешім қабылданды",
        "По обращению принято решение",
        "An appeal was answered by a decision",
    ),
    IncidentEventType.OPENED: _text(
        "Ортақ оқиға ашылды немесе жоспарлы жұмыс жарияланды",
        "Открыт инцидент или объявлены плановые работы",
        "An incident was opened or planned works were announced",
    ),
    IncidentEventType.CHANGED: _text(
        "Ортақ оқиғаның деректері өзгертілді",
        "Данные инцидента изменены",
        "The data of an incident were changed",
    ),
    IncidentEventType.STARTED: _text(
        "Жарияланған оқиға басталды",
        "Объявленный инцидент начался",
        "An announced incident has begun",
    ),
    IncidentEventType.ASSIGNED: _text(
        "Ортақ оқиға басқа ұйымға берілді",
        "Инцидент передан другой организации",
        "An incident was given to another organisation",
    ),
    IncidentEventType.ACCEPTED: _text(
        "Орындаушы ортақ оқиғаны жұмысқа қабылдады",
        "Исполнитель принял инцидент в работу",
        "The executor accepted the incident",
    ),
    IncidentEventType.STAGE_REPORTED: _text(
        "Орындаушы ортақ оқиға бойынша кезеңнің аяқталғанын хабарлады",
        "Исполнитель сообщил о выполнении этапа по инциденту",
        "The executor reported a stage of the incident as done",
    ),
    IncidentEventType.RESOLVED: _text(
        "Орындаушы ортақ оқиға жойылды деп хабарлады",
        "Исполнитель сообщил, что инцидент устранён",
        "The executor reported the incident as solved",
    ),
    IncidentEventType.RETURNED: _text(
        "Ортақ оқиға орындаушыға пысықтауға қайтарылды",
        "Инцидент возвращён исполнителю на доработку",
        "An incident was returned to the executor for more work",
    ),
    IncidentEventType.CLOSED: _text(
        "Ортақ оқиға жабылды, тұрғындардың растауы күтіледі",
        "Инцидент закрыт, ожидается слово жителей",
        "An incident was closed and the residents were asked for their word",
    ),
    IncidentEventType.CANCELLED: _text(
        "Ортақ оқиғаның күші жойылды",
        "Инцидент отменён",
        "An incident was cancelled",
    ),
    IncidentEventType.BROADCAST: _text(
        "Ортақ оқиға бойынша хабарлама жіберілді",
        "По инциденту разослано сообщение",
        "A word was sent to the residents of an incident",
    ),
    IncidentEventType.JOINED: _text(
        "Ортақ оқиғаға өтініштер қосылды",
        "К инциденту присоединены обращения",
        "Appeals were joined to an incident",
    ),
    IncidentEventType.PARTED: _text(
        "Ортақ оқиғадан өтініштер бөлінді",
        "От инцидента отделены обращения",
        "Appeals were parted from an incident",
    ),
    IncidentEventType.REFUSED: _text(
        "Ортақ оқиғаға қосылған тұрғын мәселе шешілмеді деді",
        "Житель, присоединённый к инциденту, сообщил, что проблема не решена",
        "A resident of an incident said that the problem is not solved",
    ),
}
"""Every type of event that an endpoint may ask for, with what it means."""


class Notice(StrEnum):
    """What an endpoint may ask for by name and that is no event of an appeal."""

    CHECKPOINT = CHECKPOINT_TYPE
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_RECOVERED = "endpoint.recovered"
    DELIVERY_EXHAUSTED = "delivery.exhausted"


CHECKPOINT = Notice.CHECKPOINT

TEST_TYPE = "endpoint.test"
"""Of the message that somebody sends to try an endpoint; nobody subscribes to it."""

NOTICES: Mapping[Notice, LocalizedText] = {
    Notice.CHECKPOINT: _text(
        "Тізілімнің жай-күйіне қол қойылды (тек аты аталса жіберіледі)",
        "Подписано состояние реестра (отправляется, только если названо)",
        "The state of the register was signed (sent only to who names it)",
    ),
    Notice.ENDPOINT_FAILING: _text(
        "Ұйымның вебхук мекенжайы жауап бермей тұр",
        "Адрес вебхука организации не отвечает",
        "A webhook endpoint of the organisation fails",
    ),
    Notice.ENDPOINT_DISABLED: _text(
        "Ұйымның вебхук мекенжайы өшірілді",
        "Адрес вебхука организации отключён",
        "A webhook endpoint of the organisation was disabled",
    ),
    Notice.ENDPOINT_RECOVERED: _text(
        "Ұйымның вебхук мекенжайы қайта жұмыс істейді",
        "Адрес вебхука организации снова работает",
        "A webhook endpoint of the organisation works again",
    ),
    Notice.DELIVERY_EXHAUSTED: _text(
        "Хабарламаны жеткізу әрекеттері таусылды",
        "Попытки доставить сообщение исчерпаны",
        "The tries of a delivery are exhausted",
    ),
}
"""Notices with what they mean. Who names no types hears of all events, and of none of these."""


def check_event_types(event_types: Iterable[str]) -> frozenset[str]:
    """The types as a set; Invalid naming each one that the catalogue does not hold."""
    chosen = tuple(event_types)
    faults = [
        Fault(f"/event_types/{index}", "unknown", {"value": event_type})
        for index, event_type in enumerate(chosen)
        if event_type not in CATALOGUE and event_type not in NOTICES
    ]
    if faults:
        raise Invalid(faults)
    return frozenset(str(event_type) for event_type in chosen)


@dataclass(frozen=True, slots=True)
class News:
    """What a message tells: the `sequence`-th event of an appeal, which happened at `at`.

    `status` is the appeal's status after the event, `service` the code of its service,
    `organisation_id` the executor if there is one, `link` the address of the appeal in
    the API. `facts` are the data of the event, of which a message tells what its type names
    (messages.py: DETAILS). A receiver puts messages that overtook each other in order by
    `sequence`.
    """

    type: str
    at: datetime
    appeal_id: UUID
    number: str
    sequence: int
    status: str
    service: str
    organisation_id: UUID | None
    link: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def payload(news: News) -> bytes:
    """The message as compact UTF-8 JSON; these very bytes are signed and sent."""
    if news.at.tzinfo is None:
        raise ValueError("the time of an event is aware")
    kind = EventType(news.type)
    said: dict[str, Any] = {
        "id": news.appeal_id,
        "number": news.number,
        "sequence": news.sequence,
        "status": news.status,
        "service": news.service,
        "organisation_id": news.organisation_id,
        "links": AppealLinks(news.link),
    }
    if kind in DETAILS:
        said["details"] = _details(DETAILS[kind], news.facts)
    return message(kind, news.at, DATA[kind](**said))


def _details(model: type, facts: Mapping[str, Any]) -> object | None:
    names = [one.name for one in fields(model)]
    # An event from before a field was there tells nothing, rather than stop all that come after.
    return model(**{name: facts[name] for name in names}) if facts.keys() >= set(names) else None


def message(kind: str, at: datetime, data: object) -> bytes:
    """A message of a type as it is sent; `data` is a value of the type's model."""
    whole = MESSAGES[kind](str(kind), at.astimezone(UTC), data)
    # The driver's own UUIDs are none of orjson's.
    return orjson.dumps(whole, default=str, option=orjson.OPT_UTC_Z)
