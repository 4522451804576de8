"""Why a file is refused, in kk, ru and en; api/texts.py takes them up."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

RULES: Mapping[str, LocalizedText] = {
    "heic": _t(
        "HEIC суреті қабылданбайды, JPEG жіберіңіз: iPhone-да «Баптаулар → Камера → Форматтар →"
        " Ең үйлесімді» таңдаңыз, ал дайын суретті «Ең үйлесімді» параметрімен бөлісіңіз",
        "снимки HEIC не принимаются, пришлите JPEG: на iPhone выберите «Настройки → Камера →"
        " Форматы → Наиболее совместимые», а готовый снимок отправьте с параметром «Наиболее"
        " совместимый»",
        "HEIC pictures are not taken, send JPEG: on an iPhone choose Settings → Camera → Formats →"
        " Most Compatible, and share a picture that is taken already with the option Most"
        " Compatible",
    ),
    "too-large": _t("файл тым үлкен", "файл слишком велик", "the file is too large"),
    "unsupported-type": _t(
        "мұндай файл түрі қабылданбайды",
        "файлы такого типа не принимаются",
        "files of this type are not taken",
    ),
    "type-mismatch": _t(
        "файлдың мазмұны оның аталған түріне сай емес",
        "содержимое файла не соответствует названному типу",
        "the content is not of the type it is said to be",
    ),
    "damaged": _t("файл бүлінген", "файл повреждён", "the file is damaged"),
    "too-many-pixels": _t(
        "суреттің өлшемі тым үлкен", "изображение слишком большое", "the picture is too large"
    ),
    "animated": _t(
        "қозғалмалы сурет қабылданбайды",
        "анимация не принимается",
        "animated pictures are not taken",
    ),
    "active-content": _t(
        "файлда орындалатын мазмұн бар",
        "в файле есть исполняемое содержимое",
        "the file holds active content",
    ),
    "empty": _t("бос", "пусто", "is empty"),
}
