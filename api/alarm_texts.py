"""The letter that tells an organisation's people how their endpoint fares."""

from collections.abc import Mapping
from datetime import UTC

from domain.ports import Letter
from domain.values import LocalizedText
from domain.values import localized as _t
from domain.webhooks.events import NOTICES, Notice
from domain.webhooks.health import Alarm

ADVICE: Mapping[Notice, LocalizedText] = {
    Notice.ENDPOINT_FAILING: _t(
        "Қабылдағышты тексеріңіз. Хабарламалар кесте бойынша қайта жіберіледі; бес күн бойы"
        " бірде-біреуі қабылданбаса, мекенжай өшіріледі.",
        "Проверьте приёмник. Сообщения отправляются повторно по расписанию; если за пять дней не"
        " будет принято ни одно, адрес отключится.",
        "Look at your receiver. Messages are tried again by schedule; if none is taken for five"
        " days, the endpoint is disabled.",
    ),
    Notice.ENDPOINT_DISABLED: _t(
        "Қабылдағышты жөндеп, мекенжайды қайта қосыңыз. Жеткізілмегені 90 күн сақталады, оны replay"
        " арқылы қайта жіберуге болады.",
        "Исправьте приёмник и включите адрес снова. Недоставленное хранится 90 дней, его можно"
        " отправить повторно через replay.",
        "Mend your receiver and enable the endpoint again. What was missed is kept for 90 days and"
        " can be sent again by replay.",
    ),
    Notice.ENDPOINT_RECOVERED: _t(
        "Хабарламалар қайта жеткізіліп жатыр.",
        "Сообщения снова доставляются.",
        "Messages arrive again.",
    ),
    Notice.DELIVERY_EXHAUSTED: _t(
        "Хабарлама он рет жіберілді және қабылданбады. Оны retry немесе replay арқылы қайта"
        " жіберуге болады. Қабылданбағанның бәрі төмендегі тізімде.",
        "Сообщение отправлялось десять раз и не было принято. Его можно отправить повторно через"
        " retry или replay. Всё, что не было принято, — в списке по ссылке ниже.",
        "A message was tried ten times and not taken. It can be sent again by retry or replay. All"
        " that was not taken stands in the list below.",
    ),
}
"""What to do upon each notice of an endpoint."""


def letter_of(alarm: Alarm, base_url: str) -> Letter:
    """The letter, in all languages: nobody knows who opens it. Of an appeal it tells the number by
    which whoever may read it finds it, and nothing else.
    """
    said = [f"{NOTICES[alarm.type][one]}. {ADVICE[alarm.type][one]}" for one in ("kk", "ru", "en")]
    endpoint = f"{base_url}/v1/webhook-endpoints/{alarm.endpoint}"
    facts = [
        endpoint,
        alarm.description,
        *_lost(alarm, base_url, endpoint),
        f"{alarm.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        " ".join(
            f"{name}={alarm.data[name]}"
            for name in ("failures", "failing_since", "throttled_until", "status", "error")
            if alarm.data.get(name) is not None
        ),
    ]
    return Letter(
        to=(alarm.address,),
        subject=f"iKomek 109 {alarm.city}: {alarm.type}",
        text="\n\n".join((*said, "\n".join(one for one in facts if one))),
    )


def _lost(alarm: Alarm, base_url: str, endpoint: str) -> list[str]:
    """Which appeal the message was about and where both are read; none where it did arrive."""
    if alarm.type is Notice.ENDPOINT_RECOVERED:
        return []
    appeal, delivery = alarm.data.get("appeal"), alarm.data.get("delivery")
    said = [f"{appeal} {base_url}/v1/appeals/{appeal}"] if appeal else []
    if delivery:
        said.append(f"{base_url}/v1/deliveries/{delivery}")
    if alarm.type is Notice.DELIVERY_EXHAUSTED:
        said.append(f"{endpoint}/deliveries?state=exhausted")
    return said
