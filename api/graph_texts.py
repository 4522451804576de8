"""What is said to people whose GraphQL document is not run, or whose subscription ends."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

TITLES: Mapping[str, LocalizedText] = {
    "document-too-large": _t(
        "GraphQL құжаты тым үлкен", "Документ GraphQL слишком велик", "The document is too large"
    ),
    "document-too-costly": _t(
        "Сұраныс тым қымбат", "Запрос слишком дорог", "The operation costs too much"
    ),
    "document-unknown": _t(
        "Мұндай құжат сақталмаған", "Такой документ здесь не хранится", "The document is unknown"
    ),
    "document-not-trusted": _t(
        "Құжат рұқсат етілгендердің қатарында жоқ",
        "Документа нет среди разрешённых",
        "The document is not among the trusted ones",
    ),
    "timed-out": _t("Уақыт бітті", "Время вышло", "Out of time"),
    "too-slow": _t(
        "Жазылушы үлгермейді", "Подписчик не успевает", "The subscriber does not keep up"
    ),
}

DETAILS: Mapping[str, LocalizedText] = {
    "document-too-large": _t(
        "Шектен асып кетті: {what} — {count}, шегі {limit}. Құжатты бірнеше сұрауға бөліңіз.",
        "Превышен предел: {what} — {count} при пределе {limit}. Разделите документ на несколько.",
        "Over a limit: {what} is {count}, the limit is {limit}. Split the document into several.",
    ),
    "document-too-costly": _t(
        "Сұраныстың бағасы {cost}, шегі {limit}. Ең қымбат өрістер extensions.cost ішінде.",
        "Цена операции {cost} при пределе {limit}. Самые дорогие поля названы в extensions.cost.",
        "The operation costs {cost}, the limit is {limit}. extensions.cost names the dearest"
        " fields.",
    ),
    "document-unknown": _t(
        "Бұл хэшпен құжат сақталмаған: мәтінін хэшімен бірге жіберіңіз.",
        "Документ с таким хэшем не хранится: пришлите его текст вместе с хэшем.",
        "No document of this hash is kept here: send its text along with the hash.",
    ),
    "document-not-trusted": _t(
        "Бұл қала тек алдын ала берілген GraphQL құжаттарын орындайды.",
        "Этот город исполняет только заранее переданные документы GraphQL.",
        "This city runs only the GraphQL documents that were given to it beforehand.",
    ),
    "timed-out": _t(
        "Сұраныс {seconds} секундта аяқталмады. Азырақ сұраңыз.",
        "Операция не уложилась в {seconds} с. Спросите меньше.",
        "The operation did not end within {seconds} seconds. Ask for less.",
    ),
    "too-slow": _t(
        "{kept} оқиға күтіп тұр. Соңғы курсордан бастап қайта жазылыңыз.",
        "Ожидают {kept} событий. Подпишитесь снова с последнего курсора.",
        "{kept} events are waiting. Subscribe again from the last cursor.",
    ),
}
