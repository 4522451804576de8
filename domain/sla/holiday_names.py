"""What the holidays of Kazakhstan are called, for explaining why a day did not count.

The library `holidays` knows them in Kazakh and English; here they stand in all three languages
(Law of 13.12.2001 № 267-II on holidays; the Labour Code, art. 85).
"""

import re
from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

_NAMES: Mapping[str, LocalizedText] = {
    "New Year's Day": _t("Жаңа жыл", "Новый год", "New Year"),
    "Orthodox Christmas": _t(
        "Православиелік Рождество", "Православное Рождество", "Orthodox Christmas"
    ),
    "International Women's Day": _t(
        "Халықаралық әйелдер күні", "Международный женский день", "International Women's Day"
    ),
    "Nowruz Holiday": _t("Наурыз мейрамы", "Наурыз мейрамы", "Nauryz"),
    "Kazakhstan's People Solidarity Holiday": _t(
        "Қазақстан халқының бірлігі мерекесі",
        "Праздник единства народа Казахстана",
        "Unity Day of the People of Kazakhstan",
    ),
    "Defender of the Fatherland Day": _t(
        "Отан қорғаушы күні", "День защитника Отечества", "Defender of the Fatherland Day"
    ),
    "Victory Day": _t("Жеңіс күні", "День Победы", "Victory Day"),
    "Eid al-Adha": _t("Құрбан айт", "Курбан-айт", "Eid al-Adha"),
    "Capital Day": _t("Астана күні", "День столицы", "Capital Day"),
    "Constitution Day": _t("Конституция күні", "День Конституции", "Constitution Day"),
    "Republic Day": _t("Республика күні", "День Республики", "Republic Day"),
    "Independence Day": _t("Тәуелсіздік күні", "День независимости", "Independence Day"),
    "Day off": _t("ауыстырылған демалыс күні", "перенесённый выходной", "day off moved here"),
}

_MOVED = _t("демалысы ауыстырылған", "перенос выходного", "day off in lieu")
_REMARK = re.compile(r" \((?P<remark>[^)]*)\)$")


def holiday_name(english: str) -> LocalizedText:
    """The library's English name in three languages; as it is where the city knows no better."""
    found = _REMARK.search(english)
    plain = _REMARK.sub("", english)
    names = _NAMES.get(plain, {"en": plain})
    if found is None or found["remark"] != "observed":
        return names
    return {language: f"{name} ({_MOVED[language]})" for language, name in names.items()}
