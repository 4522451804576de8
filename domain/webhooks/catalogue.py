"""Every type of event that an endpoint may ask for, with what it means."""

from collections.abc import Mapping

from domain.events import EventType, IncidentEventType
from domain.values import LocalizedText


def meaning(kk: str, ru: str, en: str) -> LocalizedText:
    """A meaning in three languages."""
    return {"kk": kk, "ru": ru, "en": en}


CATALOGUE: Mapping[EventType | IncidentEventType, LocalizedText] = {
    EventType.REGISTERED: meaning(
        "Өтініш тіркелді және нөмір алды",
        "Обращение зарегистрировано и получило номер",
        "An appeal was registered and received its number",
    ),
    EventType.ANSWERED: meaning(
        "Өтінішке бірінші қоңырауда жауап берілді",
        "На обращение ответили при первом звонке",
        "An appeal was answered on the first call",
    ),
    EventType.ASSIGNED: meaning(
        "Өтініш орындаушы ұйымға берілді",
        "Обращение передано организации-исполнителю",
        "An appeal was offered to an executor organisation",
    ),
    EventType.ACCEPTED: meaning(
        "Орындаушы өтінішті жұмысқа қабылдады",
        "Исполнитель принял обращение в работу",
        "The executor accepted the appeal",
    ),
    EventType.DECLINED: meaning(
        "Орындаушы өтініштен себебін көрсетіп бас тартты",
        "Исполнитель отклонил обращение, указав причину",
        "The executor declined the appeal and gave a reason",
    ),
    EventType.REDIRECTED: meaning(
        "Өтініш басқа ұйымға қайта бағытталды",
        "Обращение перенаправлено другой организации",
        "An appeal was redirected to another organisation",
    ),
    EventType.STAGE_REPORTED: meaning(
        "Орындаушы уәде етілген кезеңнің аяқталғанын хабарлады",
        "Исполнитель сообщил о выполнении обещанного этапа",
        "The executor reported a promised stage as done",
    ),
    EventType.PAUSED: meaning(
        "Өтініштің мерзімі тоқтатыла тұрды",
        "Срок по обращению приостановлен",
        "The clock of an appeal was paused",
    ),
    EventType.RESUMED: meaning(
        "Өтініштің мерзімі қайта жүре бастады",
        "Срок по обращению возобновлён",
        "The clock of an appeal runs again",
    ),
    EventType.RESOLVED: meaning(
        "Орындаушы мәселе шешілді деп хабарлады",
        "Исполнитель сообщил, что проблема решена",
        "The executor reported the problem as solved",
    ),
    EventType.CHECKED: meaning(
        "Инспектор орындалған жұмысты тексерді",
        "Инспектор проверил выполненную работу",
        "An inspector checked the work done",
    ),
    EventType.RETURNED: meaning(
        "Өтініш орындаушыға пысықтауға қайтарылды",
        "Обращение возвращено исполнителю на доработку",
        "An appeal was returned to the executor for more work",
    ),
    EventType.CONFIRMED: meaning(
        "Тұрғын мәселенің шешілгенін растады",
        "Житель подтвердил, что проблема решена",
        "The resident confirmed that the problem is solved",
    ),
    EventType.REOPENED: meaning(
        "Тұрғын мәселе шешілмеді деді, өтініш қайта ашылды",
        "Житель сообщил, что проблема не решена, обращение открыто снова",
        "The resident said that the problem is not solved and the appeal was reopened",
    ),
    EventType.CLOSED: meaning(
        "Өтініш жабылды",
        "Обращение закрыто",
        "An appeal was closed",
    ),
    EventType.WITHDRAWN: meaning(
        "Тұрғын өтінішін қайтарып алды",
        "Житель отозвал обращение",
        "The resident withdrew the appeal",
    ),
    EventType.COMMENTED: meaning(
        "Өтінішке пікір қосылды",
        "К обращению добавлен комментарий",
        "A comment was added to an appeal",
    ),
    EventType.CORRECTED: meaning(
        "Өтініштің деректері түзетілді",
        "Данные обращения исправлены",
        "The data of an appeal were corrected",
    ),
    EventType.ATTACHED: meaning(
        "Өтінішке файл тіркелді",
        "К обращению приложен файл",
        "A file was attached to an appeal",
    ),
    EventType.INSTRUCTED: meaning(
        "Әкім өтінішке қарар немесе тапсырма жазды",
        "Аким наложил резолюцию или дал поручение по обращению",
        "The akim wrote a resolution or an instruction on an appeal",
    ),
    EventType.STATE_NUMBERED: meaning(
        "Өтініш e-Өтініш тізілімінде тіркеліп, оның нөмірін алды",
        "Обращение принято в e-Өтініш и получило его номер",
        "The national register took the appeal and gave it its number",
    ),
    EventType.STATE_TOLD: meaning(
        "e-Өтініш өтініш туралы хабарлады",
        "e-Өтініш сообщил об обращении",
        "The national register told something of the appeal",
    ),
    EventType.STATE_DECIDED: meaning(
        "e-Өтініш өтініш бойынша шешімді хабарлады; тұрғынның сөзі күтіледі",
        "e-Өтініш сообщил решение по обращению; ждём слова жителя",
        "The national register told the decision on the appeal; the resident's word is awaited",
    ),
    EventType.LINKED: meaning(
        "Бұрынғы өтініш тұрғынның жеке кабинетіне қосылды",
        "Прежнее обращение связано с кабинетом жителя",
        "An earlier appeal was linked to the resident who made it",
    ),
    EventType.CLOCK_WARNED: meaning(
        "Кезеңнің мерзімі таяп қалды",
        "Срок этапа скоро истекает",
        "The time of a stage is about to run out",
    ),
    EventType.CLOCK_BREACHED: meaning(
        "Кезеңнің мерзімі бұзылды",
        "Срок этапа нарушен",
        "The time of a stage has run out",
    ),
    EventType.CLOCK_ESCALATED: meaning(
        "Мерзімнің бұзылуы жоғары деңгейге жеткізілді",
        "Нарушение срока передано на уровень выше",
        "A breach was escalated to a higher level",
    ),
    EventType.CLOCK_RECOMPUTED: meaning(
        "Жұмыс күнтізбесі өзгергендіктен кезеңнің мерзімі қайта есептелді",
        "Срок этапа пересчитан: изменился рабочий календарь",
        "The time of a stage was counted again after its calendar was changed",
    ),
    EventType.EVIDENCE_WAIVED: meaning(
        "Инспектор кезеңнің дәлелін талап етпеуге рұқсат берді",
        "Инспектор разрешил не предъявлять подтверждение этапа",
        "An inspector let evidence of a stage go",
    ),
    EventType.EXTENSION_ASKED: meaning(
        "Орындаушы мерзімді ұзартуды сұрады",
        "Исполнитель попросил продлить срок",
        "The executor asked for more time",
    ),
    EventType.EXTENSION_GRANTED: meaning(
        "Инспектор мерзімді ұзартты",
        "Инспектор продлил срок",
        "An inspector gave more time",
    ),
    EventType.EXTENSION_REFUSED: meaning(
        "Инспектор мерзімді ұзартудан бас тартты",
        "Инспектор отказал в продлении срока",
        "An inspector refused to give more time",
    ),
    EventType.JOINED: meaning(
        "Өтініш ортақ оқиғаға қосылды",
        "Обращение присоединено к инциденту",
        "An appeal was joined to an incident",
    ),
    EventType.PARTED: meaning(
        "Өтініш ортақ оқиғадан бөлінді",
        "Обращение отделено от инцидента",
        "An appeal was parted from an incident",
    ),
    EventType.BROADCAST: meaning(
        "Ортақ оқиға туралы тұрғындарға хабар берілді",
        "Жителям сообщено об инциденте",
        "The residents were told about the incident",
    ),
    EventType.CLASSIFIED: meaning(
        "Инспектор өтініштің заңдағы түрін белгіледі",
        "Инспектор определил вид обращения по закону",
        "An inspector said which kind of appeal it is before the law",
    ),
    EventType.PROLONGED: meaning(
        "Басшы өтінішті қарау мерзімін ұзартты",
        "Руководитель продлил срок рассмотрения обращения",
        "The head put the term of consideration off",
    ),
    EventType.FORWARDED: meaning(
        "Өтініш тізілімнен тыс құзыретті органға жіберілді",
        "Обращение переадресовано компетентному органу вне реестра",
        "An appeal was sent on to a competent body outside the register",
    ),
    EventType.SUMMONED: meaning(
        "Өтініш берушіге алдын ала шешім айтылып, тыңдауға шақырылды",
        "Заявителю сообщено предварительное решение, он приглашён на заслушивание",
        "The applicant was told the preliminary decision and called to a hearing",
    ),
    EventType.HEARD: meaning(
        "Тыңдаудың нәтижесі хаттамаға түсірілді",
        "Итог заслушивания занесён в протокол",
        "What came of the hearing was put on record",
    ),
    EventType.DECIDED: meaning(
        "Өтініш бойынша шешім қабылданды",
        "По обращению принято решение",
        "An appeal was answered by a decision",
    ),
    IncidentEventType.OPENED: meaning(
        "Ортақ оқиға ашылды немесе жоспарлы жұмыс жарияланды",
        "Открыт инцидент или объявлены плановые работы",
        "An incident was opened or planned works were announced",
    ),
    IncidentEventType.CHANGED: meaning(
        "Ортақ оқиғаның деректері өзгертілді",
        "Данные инцидента изменены",
        "The data of an incident were changed",
    ),
    IncidentEventType.STARTED: meaning(
        "Жарияланған оқиға басталды",
        "Объявленный инцидент начался",
        "An announced incident has begun",
    ),
    IncidentEventType.OVERDUE: meaning(
        "Ортақ оқиғаның күтілген аяқталу уақыты өтті, бірақ ол әлі жойылған жоқ",
        "Ожидаемое время окончания инцидента прошло, а он ещё не устранён",
        "The expected end of an incident has passed, and it is not solved yet",
    ),
    IncidentEventType.ASSIGNED: meaning(
        "Ортақ оқиға басқа ұйымға берілді",
        "Инцидент передан другой организации",
        "An incident was given to another organisation",
    ),
    IncidentEventType.ACCEPTED: meaning(
        "Орындаушы ортақ оқиғаны жұмысқа қабылдады",
        "Исполнитель принял инцидент в работу",
        "The executor accepted the incident",
    ),
    IncidentEventType.STAGE_REPORTED: meaning(
        "Орындаушы ортақ оқиға бойынша кезеңнің аяқталғанын хабарлады",
        "Исполнитель сообщил о выполнении этапа по инциденту",
        "The executor reported a stage of the incident as done",
    ),
    IncidentEventType.RESOLVED: meaning(
        "Орындаушы ортақ оқиға жойылды деп хабарлады",
        "Исполнитель сообщил, что инцидент устранён",
        "The executor reported the incident as solved",
    ),
    IncidentEventType.RETURNED: meaning(
        "Ортақ оқиға орындаушыға пысықтауға қайтарылды",
        "Инцидент возвращён исполнителю на доработку",
        "An incident was returned to the executor for more work",
    ),
    IncidentEventType.CLOSED: meaning(
        "Ортақ оқиға жабылды, тұрғындардың растауы күтіледі",
        "Инцидент закрыт, ожидается слово жителей",
        "An incident was closed and the residents were asked for their word",
    ),
    IncidentEventType.CANCELLED: meaning(
        "Ортақ оқиғаның күші жойылды",
        "Инцидент отменён",
        "An incident was cancelled",
    ),
    IncidentEventType.BROADCAST: meaning(
        "Ортақ оқиға бойынша хабарлама жіберілді",
        "По инциденту разослано сообщение",
        "A word was sent to the residents of an incident",
    ),
    IncidentEventType.JOINED: meaning(
        "Ортақ оқиғаға өтініштер қосылды",
        "К инциденту присоединены обращения",
        "Appeals were joined to an incident",
    ),
    IncidentEventType.PARTED: meaning(
        "Ортақ оқиғадан өтініштер бөлінді",
        "От инцидента отделены обращения",
        "Appeals were parted from an incident",
    ),
    IncidentEventType.REFUSED: meaning(
        "Ортақ оқиғаға қосылған тұрғын мәселе шешілмеді деді",
        "Житель, присоединённый к инциденту, сообщил, что проблема не решена",
        "A resident of an incident said that the problem is not solved",
    ),
}
"""Every type of event that an endpoint may ask for, with what it means."""
