"""What is said to people about people: invitations, members, their own data."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

CONFLICTS: Mapping[str, LocalizedText] = {
    "organisation-exists": _t(
        "«{code}» коды бар ұйым бұрыннан бар.",
        "Организация с кодом «{code}» уже есть.",
        "There is an organisation with the code {code} already.",
    ),
    "organisation-inactive": _t(
        "Бұл ұйым енді жұмыс істемейді.",
        "Эта организация больше не действует.",
        "This organisation is no longer active.",
    ),
    "last-administrator": _t(
        "Бұл — ұйымның соңғы әкімшісі. Алдымен басқасын шақырыңыз не 109 орталығының әкімшісіне"
        " айтыңыз: әйтпесе ұйымға жаңа адам қоса алатын ешкім қалмайды.",
        "Это последний администратор организации. Сначала пригласите другого или обратитесь к"
        " администратору центра 109: иначе некому будет впускать новых людей.",
        "This is the organisation's last administrator. Invite another first, or ask an"
        " administrator of the contact centre: otherwise nobody could let anybody in.",
    ),
    "invitation-over": _t(
        "Шақыру қабылданған, кері қайтарылған немесе мерзімі өткен.",
        "Приглашение уже принято, отозвано или истекло.",
        "The invitation was taken, was revoked or has ended already.",
    ),
    "invitation-used": _t(
        "Шақыру қолданылып қойған.",
        "Приглашение уже использовано.",
        "The invitation was used already.",
    ),
    "invitation-revoked": _t(
        "Шақыру кері қайтарылған.", "Приглашение отозвано.", "The invitation was revoked."
    ),
    "invitation-ended": _t(
        "Шақырудың мерзімі өткен: жаңасын сұраңыз.",
        "Срок приглашения истёк: попросите новое.",
        "The invitation has ended: ask for a new one.",
    ),
    "invitation-of-another": _t(
        "Шақыру басқа адамға арналған.",
        "Приглашение выписано на другого человека.",
        "The invitation was made for somebody else.",
    ),
    "member-already": _t(
        "Сіз бұл ұйымның осы рөлдегі қызметкерісіз.",
        "Вы уже сотрудник этой организации в этой роли.",
        "You are a member of this organisation in this role already.",
    ),
    "member-suspended": _t(
        "Бұл ұйымдағы құқығыңыз тоқтатылған: әкімшісіне жүгініңіз.",
        "Ваш доступ в этой организации приостановлен: обратитесь к её администратору.",
        "You are suspended in this organisation: ask its administrator.",
    ),
    "name-unknown": _t(
        "Кіру қызметі атыңызды айтпады: аты жазылған шақыру сұраңыз.",
        "Служба входа не сообщила вашего имени: попросите приглашение с именем.",
        "The login did not tell your name: ask for an invitation that does.",
    ),
}

RULES: Mapping[str, LocalizedText] = {
    "iin": _t("ЖСН емес", "это не ИИН", "is not an IIN"),
    "role-not-given-here": _t(
        "мұндай ұйымда бұл рөл берілмейді",
        "в такой организации эта роль не даётся",
        "is not given in an organisation of this kind",
    ),
    "akims-only": _t("тек әкімге арналған", "только для акима", "is for an akim alone"),
    "not-of-this-akimat": _t(
        "бұл әкімдіктің ауданы емес",
        "это не район этого акимата",
        "is not the district of this akimat",
    ),
    "unknown-calendar": _t(
        "мұндай күнтізбе жоқ", "такого календаря нет", "there is no such calendar"
    ),
    "one-of": _t(
        "не телефонды, не ЖСН-ді көрсетіңіз: екеуінің бірін",
        "укажите либо телефон, либо ИИН: одно из двух",
        "needs either a phone or an IIN, one of the two",
    ),
}
