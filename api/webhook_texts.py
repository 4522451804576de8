"""What is said to people about their webhooks: addresses, headers, secrets, what is sent again."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

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
    "header-name": _t(
        "тақырыптың аты жарамсыз", "недопустимое имя заголовка", "is not a name of a header"
    ),
    "header-value": _t(
        "тақырыптың мәні жарамсыз: көрінетін ASCII таңбалары керек",
        "недопустимое значение заголовка: нужны видимые символы ASCII",
        "is not a value of a header: visible ASCII characters are needed",
    ),
    "header-reserved": _t(
        "бұл тақырыпты платформаның өзі қояды",
        "этот заголовок ставит сама платформа",
        "is a header that the platform itself sets",
    ),
    "header-twice": _t(
        "тақырып екі рет аталған", "заголовок назван дважды", "names a header twice"
    ),
    "unknown-sphere": _t("мұндай сала жоқ", "такой сферы нет", "there is no such sphere"),
}

CONFLICTS: Mapping[str, LocalizedText] = {
    "too-many-secrets": _t(
        "{limit} құпия кілт қатар қол қойып тұр: бірінің мерзімі біткенше күтіңіз немесе"
        " keep_hours=0 деңіз.",
        "Уже подписывают {limit} секретов: дождитесь конца срока одного из них или укажите"
        " keep_hours=0.",
        "{limit} secrets sign already: wait until one of them ends, or say keep_hours=0.",
    ),
    "replay-too-many": _t(
        "Мұнда {count} жеткізу бар, бір жолы {limit} ғана жіберіледі: уақытты бөліңіз.",
        "Здесь {count} доставок, за раз отправляется не более {limit}: разделите время.",
        "There are {count} deliveries, and at most {limit} are sent at once: divide the time.",
    ),
}
