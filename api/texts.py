"""What the API says to people: every refusal and every broken rule in kk, ru and en.

`{name}` is filled from the refusal's params. tests/house checks that nothing is missing.
"""

from collections.abc import Mapping

from api import (
    conflict_texts,
    evidence_texts,
    executor_texts,
    file_texts,
    graph_texts,
    law_texts,
    people_texts,
    webhook_texts,
)
from domain.values import LocalizedText
from domain.values import localized as _t

TITLES: Mapping[str, LocalizedText] = {
    "invalid": _t("Деректерде қате бар", "В данных есть ошибки", "The data contain errors"),
    "evidence-missing": _t("Дәлел жетіспейді", "Не хватает подтверждения", "Evidence is missing"),
    "malformed": _t("Сұрау оқылмады", "Запрос не читается", "The request cannot be read"),
    "unauthenticated": _t("Кім екеніңіз белгісіз", "Неизвестно, кто вы", "Who you are is unknown"),
    "not-permitted": _t("Рұқсат жоқ", "Нет разрешения", "Not permitted"),
    "insufficient-scope": _t(
        "Таңбаның өкілеттігі жетпейді",
        "Токену не хватает прав",
        "The token has no such scope",
    ),
    "not-found": _t("Табылмады", "Не найдено", "Not found"),
    "method-not-allowed": _t(
        "Бұл әдіс қолданылмайды", "Метод не поддерживается", "Method not allowed"
    ),
    "not-acceptable": _t(
        "Мұндай түрде жауап берілмейді", "В таком виде ответа нет", "Not acceptable"
    ),
    "unsupported-media-type": _t(
        "Деректер түрі қолданылмайды", "Тип данных не поддерживается", "Unsupported media type"
    ),
    "too-large": _t("Тым үлкен", "Слишком велико", "Too large"),
    "body-too-slow": _t("Тым баяу", "Слишком медленно", "Too slow"),
    "invalid-transition": _t(
        "Бұл күйде мүмкін емес", "В этом состоянии невозможно", "Not possible in this state"
    ),
    "version-conflict": _t("Жазба өзгерген", "Запись изменилась", "The record has changed"),
    "precondition-required": _t("If-Match қажет", "Нужен If-Match", "If-Match is required"),
    "conflict": _t("Қайшылық бар", "Противоречие", "Conflict"),
    "not-sealed": _t("Әлі мөрленбеген", "Ещё не опечатано", "Not sealed yet"),
    "idempotency-key-required": _t(
        "Idempotency-Key қажет", "Нужен Idempotency-Key", "Idempotency-Key is required"
    ),
    "idempotency-key-reused": _t(
        "Idempotency-Key басқа сұрауда қолданылған",
        "Idempotency-Key уже использован с другим запросом",
        "Idempotency-Key was used with another request",
    ),
    "rate-limited": _t("Сұрау тым көп", "Слишком много запросов", "Too many requests"),
    "unavailable": _t("Уақытша қолжетімсіз", "Временно недоступно", "Temporarily unavailable"),
    "login-refused": _t("Кіру болмады", "Вход не состоялся", "Nobody was logged in"),
    "internal": _t("Біздің қате", "Ошибка на нашей стороне", "An error of ours"),
    **executor_texts.TITLES,
    **graph_texts.TITLES,
}

DETAILS: Mapping[str, LocalizedText] = {
    "invalid": _t(
        "Төменде көрсетілген өрістерді түзетіп, қайта жіберіңіз.",
        "Исправьте указанные ниже поля и отправьте снова.",
        "Mend the fields named below and send it again.",
    ),
    "evidence-missing": _t(
        "Бұл қызмет осы кезеңге дәлел талап етеді. Төменде не жетіспейтіні және оны қалай түзету"
        " керегі айтылған.",
        "Для этого этапа услуга требует подтверждения. Ниже сказано, чего не хватает и как это"
        " исправить.",
        "The service wants evidence of this stage. What lacks, and how to mend it, is named below.",
    ),
    "malformed": _t(
        "Сұрау күтілген пішімде емес: {reason}.",
        "Запрос не в ожидаемом формате: {reason}.",
        "The request is not in the expected form: {reason}.",
    ),
    "unauthenticated": _t(
        "Authorization: Bearer тақырыбында жарамды таңба жіберіңіз.",
        "Пришлите действующий токен в заголовке Authorization: Bearer.",
        "Send a valid token in the header Authorization: Bearer.",
    ),
    "not-permitted": _t(
        "«{role}» рөліне «{permission}» рұқсаты берілмеген.",
        "Роли «{role}» не дано разрешение «{permission}».",
        "The role «{role}» does not hold the permission «{permission}».",
    ),
    "insufficient-scope": _t(
        "Рөліңізде «{permission}» рұқсаты бар, бірақ бұл таңбаға ол берілмеген.",
        "У вашей роли есть разрешение «{permission}», но этому токену оно не дано.",
        "Your role holds the permission «{permission}», but this token was not given it.",
    ),
    "not-found": _t(
        "Мұндай жазба жоқ немесе ол сізге көрінбейді.",
        "Такой записи нет, или она вам не видна.",
        "There is no such record, or it is not visible to you.",
    ),
    "method-not-allowed": _t(
        "Бұл мекенжайда тек мыналар бар: {allowed}.",
        "По этому адресу есть только: {allowed}.",
        "This address answers only to: {allowed}.",
    ),
    "not-acceptable": _t(
        "Accept тақырыбында {media_type} түріне рұқсат беріңіз.",
        "Разрешите {media_type} в заголовке Accept.",
        "Allow {media_type} in the Accept header.",
    ),
    "unsupported-media-type": _t(
        "Деректерді {expected} түрінде жіберіңіз.",
        "Пришлите данные как {expected}.",
        "Send the data as {expected}.",
    ),
    "too-large": _t(
        "Рұқсат етілген ең үлкен көлем: {limit} байт.",
        "Наибольший допустимый размер: {limit} байт.",
        "The largest size allowed is {limit} bytes.",
    ),
    "body-too-slow": _t(
        "Деректер {seconds} секундта келмеді. Байланысты тексеріп, сол кілтпен қайта жіберіңіз;"
        " көлемді деректер секундына кемінде {least} байтпен келуі керек.",
        "Данные не пришли за {seconds} с. Проверьте связь и пришлите снова с тем же ключом;"
        " большие данные должны идти не медленнее {least} байт в секунду.",
        "The data did not come within {seconds} seconds. Check the line and send them again with"
        " the same key; what is long must come at {least} bytes a second or more.",
    ),
    "invalid-transition": _t(
        "«{status}» күйінде «{action}» мүмкін емес. Мүмкін әрекеттер: {allowed}.",
        "В состоянии «{status}» действие «{action}» невозможно. Возможны: {allowed}.",
        "«{action}» is not possible in the state «{status}». Possible: {allowed}.",
    ),
    "version-conflict": _t(
        "Сіз оқығаннан кейін жазба өзгерді. Қайта оқып, әрекетті қайталаңыз.",
        "Запись изменилась после того, как вы её прочли. Прочтите снова и повторите.",
        "The record changed after you read it. Read it again and repeat.",
    ),
    "precondition-required": _t(
        "Оқыған ETag мәнін If-Match тақырыбында жіберіңіз.",
        "Пришлите прочитанный ETag в заголовке If-Match.",
        "Send the ETag that you read in the header If-Match.",
    ),
    "not-sealed": _t(
        "Тіркелген, бірақ тізілімге әлі қол қойылмаған: {seconds} секундтан кейін қайталаңыз.",
        "Зарегистрировано, но реестр с тех пор не подписан: повторите через {seconds} с.",
        "It is registered, but the register has not been signed since: try in {seconds} seconds.",
    ),
    "conflict": _t("{reason}", "{reason}", "{reason}"),
    "idempotency-key-required": _t(
        "Әр POST сұрауына 1–255 көрінетін ASCII таңбадан тұратын Idempotency-Key қосыңыз.",
        "Добавьте к каждому POST заголовок Idempotency-Key: 1–255 видимых символов ASCII.",
        "Add the header Idempotency-Key, 1–255 visible ASCII characters, to every POST.",
    ),
    "idempotency-key-reused": _t(
        "Бұл кілтпен басқа сұрау жіберілген. Жаңа сұрау үшін жаңа кілт алыңыз.",
        "С этим ключом был отправлен другой запрос. Для нового запроса возьмите новый ключ.",
        "Another request was sent with this key. Take a new key for a new request.",
    ),
    "rate-limited": _t(
        "{seconds} секундтан кейін қайталаңыз.",
        "Повторите через {seconds} с.",
        "Try again in {seconds} seconds.",
    ),
    "unavailable": _t(
        "Сәл күтіп, сол Idempotency-Key арқылы қайталаңыз: ештеңе жоғалмайды.",
        "Подождите немного и повторите с тем же Idempotency-Key: ничего не потеряется.",
        "Wait a little and repeat with the same Idempotency-Key: nothing gets lost.",
    ),
    "login-refused": _t(
        "«{provider}» арқылы кіру болмады: {reason}.",
        "Вход через «{provider}» не состоялся: {reason}.",
        "The login through «{provider}» came to nothing: {reason}.",
    ),
    "internal": _t(
        "Қате тіркелді. Сұрау нөмірін айтыңыз: {request_id}.",
        "Ошибка записана. Назовите номер запроса: {request_id}.",
        "The error was recorded. Name the request id: {request_id}.",
    ),
    **executor_texts.DETAILS,
    **graph_texts.DETAILS,
}

DAY_ENDED: LocalizedText = _t(
    "Күннің соңындағы тізілімнің қол қойылған жай-күйі. Сақтап қойыңыз: кейінгі тізілім осымен "
    "салыстырылып тексеріледі.",
    "Подписанное состояние реестра на конец дня. Сохраните его: по нему проверяется, что реестр "
    "не переписан позже.",
    "The register as it was signed at the end of the day. Keep it: a later register is held to it.",
)
"""What the mail with a day's last checkpoint says."""

CONFLICTS: Mapping[str, LocalizedText] = {
    **conflict_texts.CONFLICTS,
    **people_texts.CONFLICTS,
    **executor_texts.CONFLICTS,
    **webhook_texts.CONFLICTS,
    **law_texts.CONFLICTS,
}

RULES: Mapping[str, LocalizedText] = {
    **evidence_texts.RULES,
    **file_texts.RULES,
    **law_texts.RULES,
    **people_texts.RULES,
    **executor_texts.RULES,
    "required": _t("міндетті", "обязательно", "is required"),
    "unknown": _t("мұндай өріс жоқ", "такого поля нет", "there is no such field"),
    "type": _t("түрі дұрыс емес", "неверный тип", "has the wrong type"),
    "enum": _t("рұқсат етілген мән емес", "недопустимое значение", "is not an allowed value"),
    "too-short": _t("тым қысқа", "слишком коротко", "is too short"),
    "too-long": _t("тым ұзын", "слишком длинно", "is too long"),
    "out-of-range": _t("ауқымнан тыс", "вне допустимых пределов", "is out of range"),
    "pattern": _t("пішімі дұрыс емес", "неверный вид", "does not have the right form"),
    "format": _t("пішімі дұрыс емес", "неверный формат", "has the wrong format"),
    "other": _t("дұрыс емес", "неверно", "is not valid"),
    "not-unique": _t("қайталанады", "повторяется", "is repeated"),
    "characters": _t(
        "рұқсат етілмеген таңбалар бар",
        "содержит недопустимые символы",
        "contains characters that are not allowed",
    ),
    "naive-time": _t("уақыт белдеуі көрсетілмеген", "не указан часовой пояс", "lacks a time zone"),
    "phone": _t(
        "телефон нөмірі емес (мысалы, +7 700 123 45 67)",
        "это не номер телефона (пример: +7 700 123 45 67)",
        "is not a phone number (example: +7 700 123 45 67)",
    ),
    "cursor": _t(
        "жалғау белгісі жарамсыз: тізімді басынан оқыңыз",
        "неверный курсор: прочтите список сначала",
        "is not a cursor of ours: read the list from its start",
    ),
    "unknown-service": _t("мұндай қызмет жоқ", "такой услуги нет", "there is no such service"),
    "expired-service": _t(
        "бұл қызмет қазір қолданылмайды",
        "эта услуга сейчас не действует",
        "this service is not in force now",
    ),
    "expired-version": _t(
        "қызметтің нұсқасы ескірген, қазіргісі: {current}",
        "версия услуги устарела, действует {current}",
        "the service has changed, its version is now {current}",
    ),
    "unknown-building": _t("мұндай үй жоқ", "такого дома нет", "there is no such building"),
    "unknown-street": _t("мұндай көше жоқ", "такой улицы нет", "there is no such street"),
    "unknown-district": _t("мұндай аудан жоқ", "такого района нет", "there is no such district"),
    "city-wide": _t(
        "бұл топтау тек бүкіл қала бойынша айтылады",
        "по этому признаку считают только весь город",
        "narrows no such grouping: it is told of the whole city alone",
    ),
    "point-incomplete": _t(
        "нүктенің ендігі де, бойлығы да керек",
        "у точки нужны и широта, и долгота",
        "is wanted too: a point has a latitude and a longitude",
    ),
    "area-empty": _t(
        "ешбір жер аталмаған", "не названо ни одного места", "names no part of the city"
    ),
    "ends-too-early": _t(
        "басталмай жатып аяқталады", "кончается раньше, чем начнётся", "ends before it begins"
    ),
    "crosses-itself": _t(
        "шекара өзін-өзі қияды",
        "граница пересекает сама себя",
        "is no border: it crosses itself",
    ),
    "outside-city": _t("қаладан тыс", "вне города", "lies outside the city"),
    "unknown-organisation": _t(
        "мұндай ұйым жоқ немесе ол жұмыс істемейді",
        "такой организации нет, или она не действует",
        "there is no such organisation, or it is not active",
    ),
    "unknown-attachment": _t(
        "мұндай файл жоқ, ол сіздікі емес немесе басқа өтініште тұр",
        "такого файла нет, он не ваш или уже у другого обращения",
        "there is no such upload of yours, or an appeal has it already",
    ),
    "not-signed": _t(
        "тізілімнің мұнша жазбасына әлі қол қойылмаған",
        "столько записей реестра ещё не подписано",
        "the register has not been signed over so many events",
    ),
    "unknown-checkpoint": _t(
        "мұндай қол қойылған жай-күй жоқ",
        "такого подписанного состояния нет",
        "there is no checkpoint of this size",
    ),
    "unknown-witness": _t(
        "бұл куәгердің кілті енгізілмеген",
        "ключ этого свидетеля не внесён",
        "the key of this witness is not among those known",
    ),
    "signature": _t("қолтаңба дұрыс емес", "подпись неверна", "is not a right signature"),
    "not-promised": _t(
        "бұл өтініште мұндай кезең уәде етілмеген",
        "для этого обращения такой этап не обещан",
        "this stage was not promised for this appeal",
    ),
    "evidence-required": _t(
        "фото тіркеңіз немесе no_photo_reason арқылы неге жоқ екенін айтыңыз",
        "приложите фото или объясните в no_photo_reason, почему его нет",
        "attach a photo, or say in no_photo_reason why there is none",
    ),
    "staff-only": _t(
        "мұны тек қызметкер толтырады",
        "это заполняет только сотрудник",
        "only a member of staff may fill this in",
    ),
    "resident-only": _t(
        "қосымшада не жеке кабинетте берілген сөзді тұрғын өз таңбасымен береді; сізге айтылса,"
        " call, chat, email, sms не in_person деп жазыңыз",
        "слово в приложении или кабинете житель даёт сам, со своим токеном; если сказано вам,"
        " укажите call, chat, email, sms или in_person",
        "a word in the app or the cabinet is given by the resident, with their own token; if it"
        " was told to you, say call, chat, email, sms or in_person",
    ),
    "not-self-service": _t(
        "бұл арна арқылы өтінішті қызметкер тіркейді; өзіңіз тіркесеңіз, {allowed} деп жазыңыз",
        "по этому каналу обращение регистрирует сотрудник; если вы подаёте сами, укажите {allowed}",
        "by this channel a member of staff registers; if you file it yourself, say {allowed}",
    ),
    "period-too-long": _t(
        "кезең {days} күннен ұзақ: қысқасын алыңыз",
        "период длиннее {days} дней: возьмите короче",
        "the period is longer than {days} days: take a shorter one",
    ),
    "citizen-required": _t(
        "бұл әрекет тұрғын атынан жасалады",
        "это делается от имени жителя",
        "this is done as a resident",
    ),
    "nothing-given": _t(
        "кем дегенде бір өріс керек", "нужно хотя бы одно поле", "at least one field is needed"
    ),
    "malformed": _t("пішімі дұрыс емес", "неверный вид", "does not have the right form"),
    "too-deep": _t("тым терең кірістірілген", "слишком глубоко вложено", "is nested too deeply"),
    **webhook_texts.RULES,
}
