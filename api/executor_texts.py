"""What is said to the programs of executors: of the feed, of extensions, of acts in bulk."""

from collections.abc import Mapping

from domain.values import LocalizedText


def _t(kk: str, ru: str, en: str) -> LocalizedText:
    return {"kk": kk, "ru": ru, "en": en}


TITLES: Mapping[str, LocalizedText] = {
    "cursor-expired": _t("Меңзер ескірген", "Курсор устарел", "The cursor is too old"),
}

DETAILS: Mapping[str, LocalizedText] = {
    "cursor-expired": _t(
        "Оқиғалар {days} күн сақталады, осы меңзерден кейінгілердің бір бөлігі өшірілген."
        " Тапсырмалар тізімін қайта оқып, меңзерсіз бастаңыз.",
        "События хранятся {days} дней, часть тех, что после этого курсора, уже удалена."
        " Прочитайте список поручений заново и начните без курсора.",
        "Events are kept for {days} days, and some of those behind this cursor are gone."
        " Read your assignments again, and begin without a cursor.",
    ),
}
