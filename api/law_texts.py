"""What is said to people about the law's own clock and its acts, in kk, ru and en."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

CONFLICTS: Mapping[str, LocalizedText] = {
    "calendar-changed-meanwhile": _t(
        "Күнтізбе осы арада өзгертілді.",
        "Календарь тем временем изменили.",
        "Somebody changed the calendar meanwhile.",
    ),
    "no-law": _t(
        "Қала заң мерзімдерін енгізбеген.",
        "Город не ввёл сроки закона.",
        "The city took no terms of the law in.",
    ),
    "no-appeal-before-the-law": _t(
        "Бұл заң бойынша қаралатын өтініш емес.",
        "Это не обращение, рассматриваемое по закону.",
        "This is no appeal that the law has considered.",
    ),
    "term-cannot-be-prolonged": _t(
        "Заң мұндай өтініштің мерзімін ұзартпайды: {kind}.",
        "Закон не продлевает срок обращений этого вида: {kind}.",
        "The law does not put the term of this kind off: {kind}.",
    ),
    "term-is-over": _t(
        "Заң мерзімі жүріп жатқан жоқ: ол өткен немесе өтініш қаралған.",
        "Срок закона не течёт: он истёк или обращение рассмотрено.",
        "The law's term does not run: it is over, or the appeal was considered.",
    ),
    "work-wants-evidence": _t(
        "Қызмет жұмыстың дәлелін талап етеді, жетпейтіні: {pieces}. Орындалғанын сол дәлелмен"
        " хабарлаңыз; болмаса, инспектордан рұқсат (waive) сұраңыз.",
        "Услуга требует подтверждения работы, не хватает: {pieces}. Сообщите о выполнении с этим"
        " подтверждением; если его нет, попросите инспектора о разрешении (waive).",
        "The service demands evidence of the work; missing: {pieces}. Report it done with that;"
        " where there is none, ask an inspector to waive it.",
    ),
    "termination-wants-evidence": _t(
        "Қарауды тоқтату жұмыстың орнын баспайды, ал қызмет оның дәлелін талап етеді,"
        " жетпейтіні: {pieces}. Тоқтатуға негіз болса және жұмыс істелген не басқа өтініш бойынша"
        " істелуге тиіс болса, инспектордан дәл осыған рұқсат (waive, termination) сұраңыз.",
        "Прекращение рассмотрения не заменяет работы, а услуга требует её подтверждения,"
        " не хватает: {pieces}. Если основание есть, а работа сделана или должна быть сделана по"
        " другому обращению, попросите инспектора о разрешении на это (waive, termination).",
        "Ending the procedure does not end the work, of which the service demands evidence;"
        " missing: {pieces}. Where there is a ground, and the work is done or owed under another"
        " appeal, ask an inspector to waive it for that (waive, termination).",
    ),
    "steps-first": _t(
        "Бас тарту да, қарауды тоқтату да уәде етілген қадамның орнын баспайды. Алдымен олар туралы"
        " хабарлаңыз: {stages}; өтініш басқа қызметке жатса, байланыс орталығы оны түзетсін;"
        " ешкімнің баруы қажет болмаса, қарауды тоқтатуға инспектордан рұқсат сұраңыз"
        " (waive, termination).",
        "Ни отказ, ни прекращение рассмотрения не заменяют обещанных шагов. Сначала сообщите о них:"
        " {stages}; если обращение о другой услуге, попросите контакт-центр её исправить; если"
        " ехать никому не нужно, попросите инспектора о разрешении на прекращение"
        " (waive, termination).",
        "Neither a refusal nor an end of the procedure takes the place of a promised step. Report"
        " first: {stages}; where the appeal is about another service, ask the contact centre to"
        " correct that; where nobody need come, ask an inspector to waive it for the end of the"
        " procedure (waive, termination).",
    ),
    "no-hearing-called": _t(
        "Өтініш беруші тыңдауға шақырылмаған.",
        "Заявителя не приглашали на заслушивание.",
        "The applicant was not called to a hearing.",
    ),
    "hearing-on-record": _t(
        "Тыңдаудың нәтижесі жазылып қойған.",
        "Итог заслушивания уже записан.",
        "What came of the hearing is on record already.",
    ),
    "hearing-yet-to-come": _t(
        "Тыңдау уақыты әлі келген жоқ: {at}.",
        "Время заслушивания ещё не наступило: {at}.",
        "The hearing is yet to come: {at}.",
    ),
    "hearing-first": _t(
        "Қолайсыз шешім алдында өтініш беруші тыңдалуы керек.",
        "Перед неблагоприятным решением заявителя нужно заслушать.",
        "Before an adverse decision the applicant must be heard.",
    ),
    "hearing-notice-runs": _t(
        "Алдын ала шешім айтылғаннан кейінгі жұмыс күндері өтпеген: {until}.",
        "Рабочие дни после сообщения о предварительном решении не прошли: {until}.",
        "The working days since the notice have not passed: {until}.",
    ),
}

RULES: Mapping[str, LocalizedText] = {
    "prolonged-too-far": _t(
        "заң бойынша {until} күнінен әрі ұзартылмайды",
        "по закону продлевается не далее {until}",
        "the law lets it be put off until {until} and no further",
    ),
    "hearing-too-early": _t(
        "тыңдау {earliest} уақытынан ерте болмауы керек",
        "заслушивание не может быть раньше {earliest}",
        "must not be before {earliest}",
    ),
}

LEADS: Mapping[str, LocalizedText] = {
    "law": _t(
        "Заң мерзімі қатаңырақ: {due} ({article}); қала стандарты бойынша {other}.",
        "Строже срок закона: {due} ({article}); по стандарту города {other}.",
        "The law is stricter: {due} ({article}); by the city's standard {other}.",
    ),
    "standard": _t(
        "Қала стандарты қатаңырақ: {due}; заң бойынша {other} ({article}).",
        "Строже стандарт города: {due}; по закону {other} ({article}).",
        "The city's standard is stricter: {due}; by the law {other} ({article}).",
    ),
    "state": _t(
        "e-Өтініш қойған мерзім қатаңырақ: {due}; қала тізілімінде {other}.",
        "Строже срок, который назначил e-Өтініш: {due}; в реестре города {other}.",
        "The day that e-Өтініш set is stricter: {due}; in the city's register {other}.",
    ),
    "law-alone": _t(
        "Заң мерзімі: {due} ({article}).",
        "Срок закона: {due} ({article}).",
        "The law's term: {due} ({article}).",
    ),
    "standard-alone": _t(
        "Қала стандарты: {due}.", "Стандарт города: {due}.", "The city's standard: {due}."
    ),
}
"""Which of them leads, and why."""
