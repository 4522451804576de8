"""What the check of the routing and its explanations say, in kk, ru and en.

`{name}` is filled from the finding, see api/routing_words.py. tests/house checks that nothing is
missing.
"""

from collections.abc import Mapping

from domain.organisations.findings import Lack
from domain.organisations.routing import RouteReason
from domain.organisations.rules import Verdict
from domain.values import LocalizedText
from domain.values import localized as _t

WHAT: Mapping[Lack, LocalizedText] = {
    Lack.UNCOVERED: _t(
        "Мына жердің өтініштерін ешкім алмайды: {area}. Қызметтер: {services}.",
        "Обращения отсюда никто не получает: {area}. Услуги: {services}.",
        "Nobody gets the appeals from here: {area}. Services: {services}.",
    ),
    Lack.UNCOVERED_OUTSIDE_HOURS: _t(
        "Жұмыс уақытынан тыс («{calendar}») мына жердің өтініштерін ешкім алмайды: {area}. "
        "Қызметтер: {services}.",
        "В нерабочее время («{calendar}») обращения отсюда никто не получает: {area}. "
        "Услуги: {services}.",
        "Out of hours («{calendar}») nobody gets the appeals from here: {area}. "
        "Services: {services}.",
    ),
    Lack.UNCOVERED_STREET: _t(
        "Үйі айтылмаған көшенің өтініштерін ешкім алмайды: {value}. Қызметтер: {services}.",
        "Обращения, где названа улица без дома, никто не получает: {value}. Услуги: {services}.",
        "Nobody gets appeals that name a street and no house: {value}. Services: {services}.",
    ),
    Lack.UNCOVERED_GROUND: _t(
        "Картадағы нүктемен берілген өтініштердің бәріне бірдей орындаушы жоқ: {value}. "
        "Қызметтер: {services}.",
        "Не для каждой точки на карте есть исполнитель: {value}. Услуги: {services}.",
        "Some points on the map have no executor: {value}. Services: {services}.",
    ),
    Lack.SHADOWED_RULE: _t(
        "Бұл ереже ешқашан жеңбейді ({subject}): одан бұрын {count} ереже тұр: {rules}.",
        "Это правило никогда не сработает ({subject}): раньше него стоят {count}: {rules}.",
        "This rule can never win ({subject}): {count} stand before it: {rules}.",
    ),
    Lack.EXPIRED_RULE: _t(
        "Ереженің мерзімі {day} күні бітті ({subject}).",
        "Срок правила истёк {day} ({subject}).",
        "The rule ended on {day} ({subject}).",
    ),
    Lack.SUSPENDED_EXECUTOR: _t(
        "{subject}: ұйым тоқтатылған, бірақ {count} ереже соны атайды.",
        "{subject}: организация приостановлена, но её называют правила ({count}).",
        "{subject} is suspended, but {count} rules name it.",
    ),
    Lack.SUSPENDED_FALLBACK: _t(
        "{subject}: ұйым тоқтатылған, бірақ {count} ереже жұмыстан тыс уақытта соған сүйенеді.",
        "{subject}: организация приостановлена, но на неё опираются в нерабочее время ({count}).",
        "{subject} is suspended, but {count} rules fall back on it out of hours.",
    ),
    Lack.FALLBACK_CLOSED: _t(
        "{subject}: {count} ереже бойынша ауыстырушы, бірақ сол сағаттарда өзі де жұмыс "
        "істемейді («{calendar}»).",
        "{subject}: подменяет по правилам ({count}), но в эти часы сама не работает "
        "(«{calendar}»).",
        "{subject} takes over by {count} rules, but is closed in those hours itself "
        "(«{calendar}»).",
    ),
    Lack.FALLBACK_CIRCLE: _t(
        "Ауыстыру шеңбері, бәрі жабық кезде: {organisations}.",
        "Круг подмен, когда все закрыты: {organisations}.",
        "A circle of fall-backs while all are closed: {organisations}.",
    ),
    Lack.REDIRECT_CIRCLE: _t(
        "Соңғы {value} күнде {count} өтініш айналып, бұрын болған ұйымға қайта келді: "
        "{organisations}. Қызмет: {services}.",
        "За последние {value} дн. обращений, вернувшихся по кругу туда, где уже были: {count}: "
        "{organisations}. Услуга: {services}.",
        "In the last {value} days {count} appeals went round and came back to who had had them: "
        "{organisations}. Service: {services}.",
    ),
    Lack.NO_CONTACT: _t(
        "{subject}: телефоны да, поштасы да жоқ ({count} ереже).",
        "{subject}: нет ни телефона, ни почты (правил: {count}).",
        "{subject} has neither phone nor e-mail ({count} rules).",
    ),
    Lack.NO_CALENDAR: _t(
        "{subject}: күнтізбесі көрсетілмеген ({count} ереже).",
        "{subject}: не указан календарь (правил: {count}).",
        "{subject} has no calendar ({count} rules).",
    ),
    Lack.NO_HOURS: _t(
        "«{subject}» күнтізбесінде алдағы аптада жұмыс уақыты жоқ ({count} рет аталған).",
        "В календаре «{subject}» нет рабочих часов на ближайшую неделю (назван {count} раз).",
        "The calendar «{subject}» has no hours in the coming week (named {count} times).",
    ),
    Lack.UNKNOWN_CALENDAR: _t(
        "«{subject}» деген күнтізбе жоқ ({count} рет аталған).",
        "Календаря «{subject}» нет (назван {count} раз).",
        "There is no calendar «{subject}» (named {count} times).",
    ),
    Lack.UNKNOWN_ORGANISATION: _t(
        "Ереже белгісіз ұйымды атайды ({subject}): {value}.",
        "Правило называет неизвестную организацию ({subject}): {value}.",
        "The rule names an organisation that is not known ({subject}): {value}.",
    ),
    Lack.UNKNOWN_TERRITORY: _t(
        "Ереже белгісіз аумақты атайды ({subject}): {value}.",
        "Правило называет неизвестную территорию ({subject}): {value}.",
        "The rule names a territory that is not known ({subject}): {value}.",
    ),
    Lack.UNKNOWN_SERVICE: _t(
        "Каталогта «{subject}» жоқ, бірақ {count} ереже соны атайды.",
        "В каталоге нет «{subject}», но его называют правила ({count}).",
        "The catalogue has no «{subject}», but {count} rules name it.",
    ),
    Lack.CLOSED_SERVICE: _t(
        "«{subject}» қызметі жабылған, бірақ {count} ереже соны атайды.",
        "Услуга «{subject}» закрыта, но её называют правила ({count}).",
        "The service «{subject}» has ended, but {count} rules name it.",
    ),
    Lack.UNUSED_SELECTOR: _t(
        "{subject}: {count} ережеге каталогтың бірде-бір қызметі сай келмейді: {selector}.",
        "{subject}: правилам ({count}) не отвечает ни одна услуга каталога: {selector}.",
        "{subject}: no service of the catalogue answers to {count} rules: {selector}.",
    ),
    Lack.EMPTY_TERRITORY: _t(
        "«{subject}» аумағында бірде-бір үй жоқ ({count} ереже).",
        "На территории «{subject}» нет ни одного дома (правил: {count}).",
        "The territory «{subject}» holds no house ({count} rules).",
    ),
    Lack.UNKNOWN_BUILDING: _t(
        "«{subject}» аумағы мекенжай тізімінде жоқ {count} үйді атайды.",
        "Территория «{subject}» называет дома, которых нет в списке адресов ({count}).",
        "The territory «{subject}» names {count} houses that the address list lacks.",
    ),
    Lack.BUILDING_WITHOUT_DISTRICT: _t(
        "{count} үйдің ауданы белгісіз («{subject}»): {area}.",
        "Домов с неизвестным районом («{subject}»): {count}. {area}.",
        "{count} houses name a district that is not known («{subject}»): {area}.",
    ),
}
"""What is wrong."""

MEND: Mapping[Lack, LocalizedText] = {
    Lack.UNCOVERED: _t(
        "Осы қызметтер үшін осы аумаққа немесе бүкіл қалаға ереже қосыңыз.",
        "Добавьте правило для этих услуг на эту территорию или на весь город.",
        "Add a rule for these services over this territory or the whole city.",
    ),
    Lack.UNCOVERED_OUTSIDE_HOURS: _t(
        "Ережеге fallback беріңіз немесе тәулік бойы жұмыс істейтін орындаушыға ереже қосыңыз.",
        "Дайте правилу fallback или добавьте правило с круглосуточным исполнителем.",
        "Give the rule a fallback, or add a rule for an executor that works around the clock.",
    ),
    Lack.UNCOVERED_STREET: _t(
        "Осы қызметтерге көшелер немесе бүкіл қала бойынша ереже қосыңыз.",
        "Добавьте для этих услуг правило на улицы или на весь город.",
        "Add a rule for these services over the streets or the whole city.",
    ),
    Lack.UNCOVERED_GROUND: _t(
        "Осы қызметтерге ауданға немесе бүкіл қалаға ереже қосыңыз.",
        "Добавьте для этих услуг правило на район или на весь город.",
        "Add a rule for these services over the district or the whole city.",
    ),
    Lack.SHADOWED_RULE: _t(
        "Ережені алып тастаңыз, басымдығын кішірейтіңіз немесе селекторын нақтылаңыз.",
        "Удалите правило, уменьшите его priority или уточните селектор.",
        "Remove the rule, lower its priority number, or make its selector more specific.",
    ),
    Lack.EXPIRED_RULE: _t(
        "Ережені тізімнен алып тастаңыз немесе valid_to мерзімін ұзартыңыз.",
        "Удалите правило из списка или продлите valid_to.",
        "Take the rule out of the list, or extend valid_to.",
    ),
    Lack.SUSPENDED_EXECUTOR: _t(
        "Ережелерді жұмыс істейтін ұйымға беріңіз немесе ұйымды қайта қосыңыз.",
        "Передайте правила действующей организации или включите её снова.",
        "Give the rules to an organisation that works, or make this one active again.",
    ),
    Lack.SUSPENDED_FALLBACK: _t(
        "fallback ретінде жұмыс істейтін ұйымды көрсетіңіз.",
        "Укажите в fallback действующую организацию.",
        "Name an organisation that works as the fallback.",
    ),
    Lack.FALLBACK_CLOSED: _t(
        "fallback ретінде сол сағаттарда жұмыс істейтін ұйымды көрсетіңіз.",
        "Укажите в fallback организацию, которая в эти часы работает.",
        "Name an organisation that works in those hours as the fallback.",
    ),
    Lack.FALLBACK_CIRCLE: _t(
        "Шеңбердегі бір ережеге тәулік бойы жұмыс істейтін fallback беріңіз.",
        "Дайте одному из правил круга круглосуточный fallback.",
        "Give one rule of the circle a fallback that works around the clock.",
    ),
    Lack.REDIRECT_CIRCLE: _t(
        "Бұл қызмет кімдікі екенін келісіп, соны ережелерге жазыңыз.",
        "Договоритесь, чья это услуга, и запишите это в правила.",
        "Agree whose service this is, and write it into the rules.",
    ),
    Lack.NO_CONTACT: _t(
        "Ұйымның contacts бөліміне телефон немесе пошта қосыңыз.",
        "Добавьте телефон или почту в contacts организации.",
        "Add a phone or an e-mail to the organisation's contacts.",
    ),
    Lack.NO_CALENDAR: _t(
        "Ұйымға calendar көрсетіңіз.",
        "Укажите организации calendar.",
        "Name the organisation's calendar.",
    ),
    Lack.NO_HOURS: _t(
        "Күнтізбеге жұмыс уақытын қосыңыз немесе басқа күнтізбені атаңыз.",
        "Добавьте в календарь рабочие часы или назовите другой календарь.",
        "Add hours to the calendar, or name another calendar.",
    ),
    Lack.UNKNOWN_CALENDAR: _t(
        "Күнтізбені енгізіңіз (ikomek policies import) немесе барын атаңыз.",
        "Загрузите календарь (ikomek policies import) или назовите существующий.",
        "Import the calendar (ikomek policies import), or name one that is there.",
    ),
    Lack.UNKNOWN_ORGANISATION: _t(
        "Ұйымды енгізіңіз немесе ережені түзетіңіз.",
        "Загрузите организацию или исправьте правило.",
        "Import the organisation, or mend the rule.",
    ),
    Lack.UNKNOWN_TERRITORY: _t(
        "Аумақты енгізіңіз немесе ережені түзетіңіз.",
        "Загрузите территорию или исправьте правило.",
        "Import the territory, or mend the rule.",
    ),
    Lack.UNKNOWN_SERVICE: _t(
        "Кодты түзетіңіз немесе қызметті каталогқа енгізіңіз.",
        "Исправьте код или добавьте услугу в каталог.",
        "Mend the code, or take the service into the catalogue.",
    ),
    Lack.CLOSED_SERVICE: _t(
        "Ережелерді алып тастаңыз немесе оның орнына келген қызметті атаңыз.",
        "Удалите правила или назовите услугу, которая её заменила.",
        "Remove the rules, or name the service that took its place.",
    ),
    Lack.UNUSED_SELECTOR: _t(
        "Ұйым түрін қызметтердің responsible өрісімен салыстырыңыз; артық ережелерді алып "
        "тастаңыз.",
        "Сверьте вид организации с полем responsible услуг; лишние правила удалите.",
        "Compare the kind with the services' field responsible; remove rules that are not needed.",
    ),
    Lack.EMPTY_TERRITORY: _t(
        "Шекарасын немесе үйлер тізімін түзетіңіз, не мекенжайларды енгізіңіз.",
        "Исправьте границу или список домов либо загрузите адреса.",
        "Mend the border or the list of houses, or import the addresses.",
    ),
    Lack.UNKNOWN_BUILDING: _t(
        "Үйлерді енгізіңіз (ikomek addresses import) немесе аумақтан алып тастаңыз.",
        "Загрузите дома (ikomek addresses import) или уберите их из территории.",
        "Import the houses (ikomek addresses import), or take them out of the territory.",
    ),
    Lack.BUILDING_WITHOUT_DISTRICT: _t(
        "Үйлердің ауданын түзетіңіз немесе ауданды енгізіңіз (ikomek addresses import).",
        "Исправьте район домов или загрузите район (ikomek addresses import).",
        "Mend the houses' district, or import the district (ikomek addresses import).",
    ),
}
"""How to mend it."""

VERDICTS: Mapping[Verdict, LocalizedText] = {
    Verdict.CHOSEN: _t("таңдалды", "выбрано", "chosen"),
    Verdict.CHOSEN_FALLBACK: _t(
        "жұмыс уақыты емес, fallback таңдалды",
        "нерабочее время, выбран fallback",
        "out of hours, its fallback was chosen",
    ),
    Verdict.EXPIRED: _t(
        "бұл күні күшінде емес", "в этот день не действует", "not in force on this day"
    ),
    Verdict.INACTIVE: _t(
        "ұйым тоқтатылған", "организация приостановлена", "the organisation is suspended"
    ),
    Verdict.OUTSIDE_HOURS: _t(
        "жұмыс уақыты емес, fallback жоқ",
        "нерабочее время, fallback не назван",
        "out of hours, and it names no fallback that may act",
    ),
    Verdict.OUTRANKED: _t(
        "одан бұрынғы ереже жеңді",
        "раньше сработало правило выше",
        "a rule before it had won already",
    ),
    Verdict.NOT_ASKED: _t(
        "сұралмады: орнын білмей таңдау болжам болар еді",
        "не спрашивали: без места выбор был бы догадкой",
        "not asked: without a place the choice would be a guess",
    ),
    Verdict.OTHER_TERRITORY: _t("басқа аумақ", "другая территория", "another territory"),
    Verdict.OTHER_SERVICE: _t("басқа қызмет", "другая услуга", "another service"),
}
"""What became of a rule."""

REASONS: Mapping[str, LocalizedText] = {
    RouteReason.ASSIGNED: _t(
        "Осы қызмет пен орынға ең нақты ереже осы ұйымды атайды.",
        "Самое точное правило для этой услуги и места называет эту организацию.",
        "The most specific rule for this service and place names this organisation.",
    ),
    RouteReason.AFTER_HOURS: _t(
        "Жауапты ұйымның жұмыс уақыты емес: өтініш оны ауыстыратын ұйымға барады.",
        "У ответственной организации нерабочее время: обращение идёт подменяющей.",
        "The organisation in charge is out of hours: the appeal goes to its fallback.",
    ),
    RouteReason.NO_RESPONSIBILITY: _t(
        "Бұл жерде бұл қызметке ешбір ереже жоқ: шешімді инспекторлар қабылдайды.",
        "Для этой услуги здесь нет правила: решают инспекторы.",
        "No rule covers this service here: the inspectors decide.",
    ),
    RouteReason.NO_ADDRESS: _t(
        "Орындаушы орынға байланысты, ал мекенжай айтылмаған: шешімді инспекторлар қабылдайды.",
        "Исполнитель зависит от места, а адрес не назван: решают инспекторы.",
        "The executor depends on the place, and none was given: the inspectors decide.",
    ),
    RouteReason.UNKNOWN_ADDRESS: _t(
        "Айтылған мекенжайды қала білмейді: шешімді инспекторлар қабылдайды.",
        "Названный адрес городу неизвестен: решают инспекторы.",
        "The city does not know the address that was given: the inspectors decide.",
    ),
    RouteReason.OUTSIDE_HOURS: _t(
        "Қазір ережелердің жұмыс уақыты емес, ауыстырушы жоқ: шешімді инспекторлар қабылдайды.",
        "Сейчас у всех правил нерабочее время, подмены нет: решают инспекторы.",
        "The rules are all out of hours and name no fallback: the inspectors decide.",
    ),
    "first-contact": _t(
        "Өтінішке бірінші қоңырауда жауап берілді, ол ешқайда жіберілмеді.",
        "На обращение ответили при первом звонке, его никуда не направляли.",
        "The appeal was answered at first contact and was not sent anywhere.",
    ),
}
"""Why an appeal goes where it goes."""

HOUSES = _t(
    "{count} үй: {districts} ({examples})",
    "домов: {count}, {districts} ({examples})",
    "{count} houses: {districts} ({examples})",
)
"""A group of houses without a name."""
EVERYTHING = _t("барлық салалар", "все сферы", "all spheres")
"""What selectors that name no sphere are about."""
