"""What the pages of the login say, in kk, ru and en. tests/api/login checks that nothing lacks."""

from collections.abc import Mapping
from http import HTTPStatus

from domain.access import Role
from domain.identity.errors import LoginReason
from domain.values import LocalizedText
from domain.values import localized as _t

SAYS: Mapping[str, LocalizedText] = {
    "login": _t("Кіру", "Вход", "Log in"),
    "choose": _t(
        "«{client}» сізді тануды сұрайды. Қалай кіресіз?",
        "«{client}» просит узнать вас. Как вы хотите войти?",
        "“{client}” asks who you are. How do you want to log in?",
    ),
    "choose-invitation": _t(
        "Сізді ұйымға шақырды. Қалай кіресіз?",
        "Вас пригласили в организацию. Как вы хотите войти?",
        "You are invited to an organisation. How do you want to log in?",
    ),
    "language": _t("Тіл", "Язык", "Language"),
    "consent": _t("Рұқсат бересіз бе?", "Разрешаете?", "Do you allow it?"),
    "you-are": _t("Сіз: {name}", "Вы: {name}", "You are {name}"),
    "nameless": _t("аты айтылмаған", "имя не названо", "of unknown name"),
    "asks": _t("«{client}» мыналарды сұрайды:", "«{client}» просит:", "“{client}” asks to:"),
    "asks-nothing": _t(
        "«{client}» кім екеніңізді ғана білгісі келеді.",
        "«{client}» хочет знать только, кто вы.",
        "“{client}” wants to know only who you are.",
    ),
    "link": _t(
        "{phone} телефонынан бұрын берілген өтініштерді ({count}) менікі деп қосу",
        "Присоединить ко мне прежние обращения с телефона {phone} ({count})",
        "Make the earlier appeals from the phone {phone} mine ({count})",
    ),
    "link-why": _t(
        "Бұл телефонды {provider} растаған. Белгілемесеңіз, ештеңе өзгермейді.",
        "Этот телефон подтверждён: {provider}. Без отметки ничего не изменится.",
        "{provider} has verified this phone. Without the tick nothing changes.",
    ),
    "act-as": _t("Қай орнында кіресіз?", "В каком качестве вы входите?", "Whom do you act as?"),
    "allow": _t("Рұқсат беру", "Разрешить", "Allow"),
    "refuse": _t("Бас тарту", "Отказать", "Refuse"),
    "invited": _t(
        "Ұйымға шақыруды қабылдайсыз ба?",
        "Принять приглашение в организацию?",
        "Do you accept the invitation to the organisation?",
    ),
    "accept": _t("Қабылдау", "Принять", "Accept"),
    "not-now": _t("Қазір емес", "Не сейчас", "Not now"),
    "joined": _t("Сіз қабылдандыңыз", "Вы приняты", "You are in"),
    "joined-as": _t(
        "{organisation}: {role}. Енді өз бағдарламаңызда кіріңіз.",
        "{organisation}: {role}. Теперь войдите в своей программе.",
        "{organisation}: {role}. Now log in with your program.",
    ),
    "put-off": _t(
        "Шақыру күшінде қалады: сілтемені кейін ашыңыз.",
        "Приглашение остаётся в силе: откройте ссылку позже.",
        "The invitation stands: open the link later.",
    ),
    "waiting": _t("Телефонда қол қойыңыз", "Подпишите на телефоне", "Sign on your telephone"),
    "scan": _t(
        "{provider} қолданбасында «QR сканерлеу» арқылы осы кодты оқып, құжатқа қол қойыңыз. Кодты"
        " өзіңіз ашқан болсаңыз ғана қол қойыңыз.",
        "Считайте этот код в приложении {provider} («Сканировать QR») и подпишите документ."
        " Подписывайте, только если открыли код сами.",
        "Read this code in {provider} (“Scan QR”) and sign the document. Sign only if it was you"
        " who opened the code.",
    ),
    "open-app": _t(
        "Қолданба осы телефонда", "Приложение на этом телефоне", "The app is on this telephone"
    ),
    "look-again": _t("Тексеру", "Проверить", "Look again"),
    "until": _t(
        "Код {time} дейін жарайды", "Код действует до {time}", "The code is good till {time}"
    ),
    "again": _t("Қайта кіру", "Войти снова", "Log in again"),
    "back": _t("Бағдарламаға оралу", "Вернуться в программу", "Back to the program"),
    "request-number": _t(
        "Сұрау нөмірі: {request_id}", "Номер запроса: {request_id}", "Request: {request_id}"
    ),
}

ROLES: Mapping[Role, LocalizedText] = {
    Role.OPERATOR: _t("оператор", "оператор", "operator"),
    Role.INSPECTOR: _t("инспектор", "инспектор", "inspector"),
    Role.EXECUTOR: _t("орындаушы", "исполнитель", "executor"),
    Role.HEAD: _t("орындаушы басшысы", "руководитель исполнителя", "executor's head"),
    Role.AKIM: _t("әкім", "аким", "akim"),
    Role.ADMINISTRATOR: _t("әкімші", "администратор", "administrator"),
    Role.AUDITOR: _t("аудитор", "аудитор", "auditor"),
}
"""Those that somebody can be a member as."""

REASONS: Mapping[LoginReason, tuple[HTTPStatus, LocalizedText, LocalizedText]] = {
    LoginReason.CONSENT_REFUSED: (
        HTTPStatus.FORBIDDEN,
        _t("Сіз бас тарттыңыз", "Вы отказались", "You refused"),
        _t(
            "{provider} бізге сіз туралы ештеңе айтқан жоқ. Ойыңыз өзгерсе, қайта кіріңіз.",
            "{provider} ничего не сообщил нам о вас. Если передумаете, войдите снова.",
            "{provider} told us nothing about you. Log in again if you change your mind.",
        ),
    ),
    LoginReason.CODE_EXPIRED: (
        HTTPStatus.BAD_REQUEST,
        _t("Кіру коды ескірген", "Код входа устарел", "The login has expired"),
        _t(
            "{provider} берген код бір рет және аз уақыт жарайды. Қайта кіріңіз.",
            "Код, который дал {provider}, действует один раз и недолго. Войдите снова.",
            "A code of {provider} is good once and not for long. Log in again.",
        ),
    ),
    LoginReason.STATE_UNKNOWN: (
        HTTPStatus.BAD_REQUEST,
        _t(
            "Бұл кіру осы браузерде басталмаған",
            "Этот вход начат не в этом браузере",
            "This login did not begin in this browser",
        ),
        _t(
            "Не ол ескірген, не қолданылып қойған. Бағдарламаңыздан қайта бастаңыз, cookie"
            " файлдарына рұқсат беріңіз.",
            "Или он устарел, или уже использован. Начните заново из своей программы и разрешите"
            " файлы cookie.",
            "Or it is too old, or was used already. Begin again in your program, and allow"
            " cookies.",
        ),
    ),
    LoginReason.PROVIDER_UNKNOWN: (
        HTTPStatus.NOT_FOUND,
        _t("Мұндай кіру жолы жоқ", "Такого способа входа нет", "There is no such way in"),
        _t(
            "Қалада бұл үшін кіру жолы бапталмаған. Әкімшіге хабарлаңыз.",
            "В городе для этого не настроен способ входа. Сообщите администратору.",
            "The city has set up no way in for this. Tell the administrator.",
        ),
    ),
    LoginReason.PROVIDER_UNREACHABLE: (
        HTTPStatus.GATEWAY_TIMEOUT,
        _t("{provider} жауап бермейді", "{provider} не отвечает", "{provider} does not answer"),
        _t(
            "Бірнеше минуттан кейін қайта кіріңіз. 109 нөмірі әрқашан жұмыс істейді.",
            "Войдите снова через несколько минут. Номер 109 работает всегда.",
            "Log in again in some minutes. The number 109 is always there.",
        ),
    ),
    LoginReason.PROVIDER_FAILED: (
        HTTPStatus.BAD_GATEWAY,
        _t("{provider} қате берді", "{provider} ответил ошибкой", "{provider} failed"),
        _t(
            "Қайта кіріп көріңіз. Қайталанса, әкімшіге сұрау нөмірін айтыңыз.",
            "Попробуйте войти снова. Если повторится, назовите администратору номер запроса.",
            "Try again. If it happens again, tell the administrator the number of the request.",
        ),
    ),
    LoginReason.PERSON_MALFORMED: (
        HTTPStatus.BAD_GATEWAY,
        _t(
            "{provider} сіз туралы түсініксіз мәлімет берді",
            "{provider} сообщил о вас непонятное",
            "{provider} told us of you what cannot be",
        ),
        _t(
            "Жеке деректеріңізді {provider} жүйесінде тексеріңіз (ЖСН, аты-жөні), сосын қайта"
            " кіріңіз.",
            "Проверьте свои данные (ИИН, имя), которые хранит {provider}, и войдите снова.",
            "Check what {provider} keeps of you (IIN, name), then log in again.",
        ),
    ),
    LoginReason.TOKEN_FORGED: (
        HTTPStatus.BAD_GATEWAY,
        _t(
            "Жауаптың шынайылығы расталмады",
            "Подлинность ответа не подтверждена",
            "The answer is not proven genuine",
        ),
        _t(
            "Сізді ешкім деп танымадық. Бағдарламаңыздан қайта бастаңыз; қайталанса, әкімшіге"
            " хабарлаңыз: {provider}.",
            "Мы не узнали вас. Начните заново из своей программы; если повторится, сообщите"
            " администратору: {provider}.",
            "You were taken for nobody. Begin again in your program; if it happens again, tell the"
            " administrator: {provider}.",
        ),
    ),
    LoginReason.SIGNATURE_REFUSED: (
        HTTPStatus.FORBIDDEN,
        _t("Қолтаңба қабылданбады", "Подпись не принята", "The signature is refused"),
        _t(
            "Кілтіңіз жарамды ма, тексеріңіз ({provider}), сосын жаңа кодпен қайта қол қойыңыз.",
            "Проверьте, действует ли ваш ключ ({provider}), и подпишите снова по новому коду.",
            "See that your key is in force ({provider}), then sign again by a new code.",
        ),
    ),
    LoginReason.NOT_A_MEMBER: (
        HTTPStatus.FORBIDDEN,
        _t(
            "Сіз ешбір ұйымның қызметкері емессіз",
            "Вы не сотрудник организации",
            "You are a member of no organisation",
        ),
        _t(
            "Ұйымыңыздың әкімшісінен шақыру сұраңыз немесе басқа жолмен кіріңіз.",
            "Попросите приглашение у администратора своей организации или войдите другим способом.",
            "Ask your organisation's administrator for an invitation, or log in another way.",
        ),
    ),
}
"""Why a login came to nothing, and how to mend it: status, title, detail."""

ENDED: tuple[HTTPStatus, LocalizedText, LocalizedText] = (
    HTTPStatus.NOT_FOUND,
    _t("Бұл сұрау аяқталған", "Этот запрос завершён", "This request is over"),
    _t(
        "Оған жауап берілген немесе ол ескірген. Бағдарламаңыздан қайта бастаңыз.",
        "На него уже ответили, или он устарел. Начните заново из своей программы.",
        "It was answered, or it is too old. Begin again in your program.",
    ),
)
INVITATION_UNKNOWN: tuple[HTTPStatus, LocalizedText, LocalizedText] = (
    HTTPStatus.NOT_FOUND,
    _t("Мұндай шақыру жоқ", "Такого приглашения нет", "There is no such invitation"),
    _t(
        "Сілтемені толық көшіріңіз немесе жаңасын сұраңыз.",
        "Скопируйте ссылку целиком или попросите новую.",
        "Copy the whole link, or ask for a new one.",
    ),
)
UNAVAILABLE: tuple[HTTPStatus, LocalizedText, LocalizedText] = (
    HTTPStatus.SERVICE_UNAVAILABLE,
    _t("Уақытша қолжетімсіз", "Временно недоступно", "Temporarily unavailable"),
    _t(
        "Бір минуттан кейін бағдарламаңыздан қайта бастаңыз.",
        "Через минуту начните заново из своей программы.",
        "Begin again in your program in a minute.",
    ),
)
