"""Why an act is refused for how things stand, in three languages."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

CONFLICTS: Mapping[str, LocalizedText] = {
    "no-executor": _t(
        "Өтінішті әлі ешкім алған жоқ.",
        "У обращения ещё нет исполнителя.",
        "The appeal has no executor yet.",
    ),
    "same-executor": _t(
        "Өтініш осы ұйымда тұр.",
        "Обращение уже у этой организации.",
        "The appeal is with this organisation already.",
    ),
    "stage-reported-already": _t(
        "Бұл кезең туралы хабарланған.",
        "Об этом этапе уже сообщено.",
        "This stage has been reported already.",
    ),
    "emergency-cannot-wait": _t(
        "Төтенше жағдайдың уақыты тоқтатылмайды.",
        "Часы чрезвычайного случая не останавливаются.",
        "The clock of an emergency cannot be paused.",
    ),
    "waited-long-enough": _t(
        "Бұл себеппен барлығы {days} күннен артық күтуге болмайды.",
        "По этой причине нельзя ждать дольше {days} дней в сумме.",
        "For this reason nobody may wait longer than {days} days in all.",
    ),
    "closed-too-long-ago": _t(
        "Жабылғанына {days} күннен асты: жаңа өтініш беріңіз.",
        "Закрыто более {days} дней назад: подайте новое обращение.",
        "Closed more than {days} days ago: file a new appeal.",
    ),
    "nothing-to-waive": _t(
        "Бұл кезеңде мұндай дәлел сұралмайды.",
        "Для этого этапа такого подтверждения не требуется.",
        "No such evidence is asked for at this stage.",
    ),
    "nothing-changed": _t("Өзгерген ештеңе жоқ.", "Ничего не изменилось.", "Nothing has changed."),
    "delivery-not-finished": _t(
        "Жеткізу дәл қазір жолда: нәтижесін бірнеше секунд күтіңіз.",
        "Доставка как раз в пути: подождите её исхода несколько секунд.",
        "The delivery is in the air at this moment: wait a few seconds for its outcome.",
    ),
    "delivery-tried-enough": _t(
        "Бұл жеткізу {limit} рет немесе одан көп жіберіліп көрді, енді қайталанбайды.",
        "Эту доставку уже пробовали отправить {limit} раз или больше: больше она не повторяется.",
        "This delivery was tried {limit} times or more: it is not sent again.",
    ),
    "tests-waiting": _t(
        "Бұл мекенжайға {limit} сынақ хабарламасы күтіп тұр: олардың нәтижесін күтіңіз.",
        "На этот адрес уже ждут отправки {limit} пробных сообщений: дождитесь их исхода.",
        "{limit} test messages wait for this endpoint already: wait for their outcome.",
    ),
    "endpoint-disabled": _t(
        "Алушы мекенжай өшірулі.",
        "Адрес приёма выключен.",
        "The endpoint is disabled.",
    ),
    "file-exists": _t(
        "Бұл кілтпен файл бұрын сақталған: жаңа Idempotency-Key алыңыз.",
        "С этим ключом файл уже сохранён раньше: возьмите новый Idempotency-Key.",
        "A file was kept under this key before: take a new Idempotency-Key.",
    ),
    "organisation-cycle": _t(
        "Ұйым өзіне бағына алмайды.",
        "Организация не может подчиняться самой себе.",
        "An organisation cannot be its own parent.",
    ),
    "incident-accepted-already": _t(
        "Оқиға жұмысқа қабылданған.", "Инцидент уже принят.", "The incident is accepted already."
    ),
    "incident-not-accepted": _t(
        "Алдымен оқиғаны жұмысқа қабылдаңыз.",
        "Сначала примите инцидент в работу.",
        "Accept the incident first.",
    ),
    "joined-to-another": _t(
        "{number} өтініші басқа оқиғаға қосылған.",
        "Обращение {number} уже присоединено к инциденту.",
        "The appeal {number} is joined to an incident already.",
    ),
    "appeal-not-open": _t(
        "{number} өтініші ашық емес.",
        "Обращение {number} не открыто.",
        "The appeal {number} is not open.",
    ),
    "file-left-behind": _t(
        "Файл мемлекеттік шлюз үшін тым үлкен: басқа жолмен жіберіп, жазбаны алып тастаңыз.",
        "Файл велик для государственного шлюза: передайте его иначе и снимите запись.",
        "The file is too large for the state's gateway: send it otherwise, and drop the entry.",
    ),
    "too-many-endpoints": _t(
        "Ұйымға ең көбі {limit} мекенжай тіркеледі.",
        "Организация может иметь не более {limit} адресов.",
        "An organisation can have at most {limit} endpoints.",
    ),
}
