"""What is said to people about the addresses of their webhooks."""

from collections.abc import Mapping

from domain.values import LocalizedText


def _t(kk: str, ru: str, en: str) -> LocalizedText:
    return {"kk": kk, "ru": ru, "en": en}


RULES: Mapping[str, LocalizedText] = {
    "scheme": _t("https:// болуы керек", "нужен https://", "must be https://"),
    "credentials": _t(
        "мекенжайда құпиясөз болмауы керек",
        "в адресе не должно быть пароля",
        "must not carry credentials",
    ),
    "fragment": _t("# бөлігі артық", "часть после # лишняя", "must not have a fragment"),
    "host-missing": _t("сервер аты жоқ", "нет имени сервера", "has no host"),
    "host": _t("сервер аты жарамсыз", "недопустимое имя сервера", "has a host that is not allowed"),
    "port": _t("порт жарамсыз", "недопустимый порт", "has a port that is not allowed"),
}
