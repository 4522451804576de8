"""What is said to the programs of executors: of the feed, of extensions, of acts in bulk."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

TITLES: Mapping[str, LocalizedText] = {
    "cursor-expired": _t("Меңзер ескірген", "Курсор устарел", "The cursor is too old"),
    "cursor-lost": _t("Меңзер жоғалған", "Курсор утерян", "The cursor is lost"),
}

CONFLICTS: Mapping[str, LocalizedText] = {
    "extension-asked-already": _t(
        "Мерзімді ұзарту сұралған, шешім күтілуде.",
        "Продление уже запрошено и ждёт решения.",
        "More time was asked for already, and the answer is awaited.",
    ),
    "no-extension-asked": _t(
        "Шешілетін ұзарту сұрауы жоқ.",
        "Нет запроса на продление, по которому нужно решение.",
        "There is no request for more time to decide on.",
    ),
    "not-extendable": _t(
        "Бұл кезеңнің мерзімін ұзартуға қызмет ережесі жол бермейді.",
        "Правила услуги не позволяют продлить срок этого этапа.",
        "The policy of the service lets this stage have no more time.",
    ),
    "emergency-not-extended": _t(
        "Төтенше жағдайдың мерзімі ұзартылмайды.",
        "Срок чрезвычайного случая не продлевается.",
        "An emergency gets no more time.",
    ),
    "too-late-to-extend": _t(
        "Мерзім өтіп кеткен немесе кезең аяқталған: ұзартуға кеш.",
        "Срок истёк или этап завершён: продлевать поздно.",
        "The time is up, or the stage has ended: it is too late for more.",
    ),
}

RULES: Mapping[str, LocalizedText] = {
    "no-later": _t(
        "қазіргі мерзімнен ({due_at}) кейінгі жұмыс уақыты болуы керек",
        "должно быть позже нынешнего срока ({due_at}) по рабочему времени",
        "must lie beyond the present due time ({due_at}) by working time",
    ),
    "beyond-policy": _t(
        "ереже {latest} уақытынан әріге ұзартуға жол бермейді",
        "правила не позволяют продлить дольше, чем до {latest}",
        "is later than the policy lets it be: {latest} at the latest",
    ),
    "more-than-asked": _t(
        "сұралғаннан ({until}) артық",
        "позже, чем запрошено ({until})",
        "is later than was asked for ({until})",
    ),
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
    "cursor-lost": _t(
        "Тізілім бұрынғы бір сәтке қайтарылған, осы меңзердің орнында енді басқа оқиға тұр."
        " Меңзерсіз бастап, идентификаторы таныс оқиғаларды өткізіп жіберіңіз.",
        "Реестр был возвращён к более раннему моменту, на месте этого курсора теперь другое."
        " Начните без курсора и пропустите события, идентификаторы которых вам известны.",
        "The register was taken back to an earlier moment, and what stood at this cursor is not"
        " there. Begin without a cursor, and drop the events whose ids you have.",
    ),
}
