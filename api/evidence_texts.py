"""What the API says of evidence, in kk, ru and en: what is needed, what lacks, how to mend it."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

RULES: Mapping[str, LocalizedText] = {
    "photos-missing": _t(
        "{needed} түрлі фото керек, келгені {came}: POST /v1/attachments арқылы жүктеп, осы өрісте"
        " атаңыз; фото түсіруге болмаса, инспектордан рұқсат (waive) сұраңыз",
        "нужно разных фото: {needed}, пришло {came}: загрузите их через POST /v1/attachments и"
        " назовите в этом поле; если снять нельзя, попросите инспектора о разрешении (waive)",
        "{needed} different photos are needed, {came} came: upload them with POST /v1/attachments"
        " and name them in this field; where none can be taken, ask an inspector to waive them",
    ),
    "photos-early": _t(
        "жұмыс сізге берілгеннен кейін түсірілген {needed} түрлі фото керек, ондайы {came}: одан"
        " бұрын жүктелген фото нәтижені көрсетпейді; жаңасын түсіріп, POST /v1/attachments арқылы"
        " жүктеңіз; болмаса, инспектордан рұқсат (waive) сұраңыз",
        "нужно разных фото, снятых после того, как вам передали работу: {needed}, таких {came}:"
        " загруженное раньше результата не показывает; снимите заново и загрузите через"
        " POST /v1/attachments; если нельзя, попросите инспектора о разрешении (waive)",
        "{needed} different photos from after the work was given to you are needed, {came} came:"
        " what was uploaded earlier does not show the result; take new ones and upload them with"
        " POST /v1/attachments, or ask an inspector to waive them",
    ),
    "position-missing": _t(
        "орныңызды (latitude, longitude, accuracy метрмен) сол жерден {within} метрден аспайтын"
        " қашықтықта алып жіберіңіз; болмаса, инспектордан рұқсат (waive) сұраңыз",
        "пришлите своё положение (latitude, longitude, accuracy в метрах), снятое не дальше"
        " {within} м от места; если нельзя, попросите инспектора о разрешении (waive)",
        "send your position (latitude, longitude, accuracy in metres), taken within {within} m of"
        " the place; where that cannot be, ask an inspector to waive it",
    ),
    "position-vague": _t(
        "орын дәлдігі {accuracy} м, ал {within} м керек: ашық аспан астында қайта алыңыз",
        "точность положения {accuracy} м, а нужно не хуже {within} м: определите его снова под"
        " открытым небом",
        "the position is sure to {accuracy} m only, {within} m or better is needed: take it again"
        " under an open sky",
    ),
    "position-far": _t(
        "сіз орыннан {distance} м жердесіз (дәлдігі {accuracy} м), ал {within} м ішінде болу керек:"
        " сол жерде қайта жіберіңіз, өтініштің мекенжайы қате болса, операторға айтыңыз",
        "вы в {distance} м от места (точность {accuracy} м), а нужно быть в пределах {within} м:"
        " отправьте на месте, а если неверен адрес обращения, скажите оператору",
        "you are {distance} m from the place (sure to {accuracy} m), and must be within {within} m:"
        " send it from there, or tell an operator if the appeal's address is wrong",
    ),
    "act-missing": _t(
        "жұмыс актісінің нөмірі керек (мысалы, {example}); болмаса, инспектордан рұқсат (waive)"
        " сұраңыз",
        "нужен номер акта о работах (пример: {example}); если акта нет, попросите инспектора о"
        " разрешении (waive)",
        "the number of the act of work is needed (example: {example}); where there is none, ask an"
        " inspector to waive it",
    ),
    "act-form": _t(
        "акт нөмірі мынадай түрде жазылады: {example}",
        "номер акта пишется так: {example}",
        "the number of an act is written like this: {example}",
    ),
    "act-of-stage": _t(
        "«{stage}» кезеңінің де актісі керек, ол басқаша жазылады (мысалы, {example}): алдымен"
        " сол кезең туралы өз актісімен хабарлаңыз; акт болмаса, инспектордан рұқсат (waive)"
        " сұраңыз",
        "нужен и акт этапа «{stage}», а он пишется иначе (пример: {example}): сначала сообщите об"
        " этом этапе с его актом; если акта нет, попросите инспектора о разрешении (waive)",
        "the act of the stage “{stage}” is needed too, and is written in another way (example:"
        " {example}): report that stage first, with its own act; where there is none, ask an"
        " inspector to waive it",
    ),
}
"""Broken rules; api/texts.py takes them up."""

OF_INCIDENT: Mapping[str, LocalizedText] = {
    "photos-missing": _t(
        "{needed} түрлі фото керек, келгені {came}: POST /v1/attachments арқылы жүктеп, осы өрісте"
        " атаңыз; фото түсіруге болмаса, инспектордан өтінішті оқиғадан бөліп (part), рұқсатты"
        " (waive) сол өтініштің өзіне беруін сұраңыз: оқиғаға рұқсат берілмейді",
        "нужно разных фото: {needed}, пришло {came}: загрузите их через POST /v1/attachments и"
        " назовите в этом поле; если снять нельзя, попросите инспектора отделить обращение от"
        " инцидента (part) и дать разрешение (waive) в самом обращении: инциденту его не дают",
        "{needed} different photos are needed, {came} came: upload them with POST /v1/attachments"
        " and name them in this field; where none can be taken, ask an inspector to part the"
        " appeal from the incident (part) and waive them there (waive): nobody waives them for an"
        " incident",
    ),
    "photos-early": _t(
        "оқиға басталғаннан кейін түсірілген {needed} түрлі фото керек, ондайы {came}: одан бұрын"
        " жүктелген фото нәтижені көрсетпейді; жаңасын түсіріп, POST /v1/attachments арқылы"
        " жүктеңіз; болмаса, инспектордан өтінішті оқиғадан бөліп (part), рұқсатты (waive) сол"
        " өтініштің өзіне беруін сұраңыз",
        "нужно разных фото, снятых после начала инцидента: {needed}, таких {came}: загруженное"
        " раньше результата не показывает; снимите заново и загрузите через POST /v1/attachments;"
        " если нельзя, попросите инспектора отделить обращение от инцидента (part) и дать"
        " разрешение (waive) в самом обращении",
        "{needed} different photos from after the incident began are needed, {came} came: what was"
        " uploaded earlier does not show the result; take new ones and upload them with"
        " POST /v1/attachments, or ask an inspector to part the appeal from the incident (part)"
        " and waive them there (waive)",
    ),
    "act-missing": _t(
        "жұмыс актісінің нөмірі керек (мысалы, {example}); болмаса, инспектордан өтінішті оқиғадан"
        " бөліп (part), рұқсатты (waive) сол өтініштің өзіне беруін сұраңыз: оқиғаға рұқсат"
        " берілмейді",
        "нужен номер акта о работах (пример: {example}); если акта нет, попросите инспектора"
        " отделить обращение от инцидента (part) и дать разрешение (waive) в самом обращении:"
        " инциденту его не дают",
        "the number of the act of work is needed (example: {example}); where there is none, ask an"
        " inspector to part the appeal from the incident (part) and waive it there (waive): nobody"
        " waives it for an incident",
    ),
    "act-of-stage": _t(
        "«{stage}» кезеңінің де актісі керек, ол басқаша жазылады (мысалы, {example}): алдымен"
        " сол кезең туралы өз актісімен хабарлаңыз; акт болмаса, инспектордан өтінішті оқиғадан"
        " бөліп (part), рұқсатты (waive) сол өтініштің өзіне беруін сұраңыз",
        "нужен и акт этапа «{stage}», а он пишется иначе (пример: {example}): сначала сообщите об"
        " этом этапе с его актом; если акта нет, попросите инспектора отделить обращение от"
        " инцидента (part) и дать разрешение (waive) в самом обращении",
        "the act of the stage “{stage}” is needed too, and is written in another way (example:"
        " {example}): report that stage first, with its own act; where there is none, ask an"
        " inspector to part the appeal from the incident (part) and waive it there (waive)",
    ),
}
"""What is said of an incident instead (`of` of the broken rule), whose evidence nobody waives."""

NEEDS: Mapping[str, LocalizedText] = {
    "photo": _t("фото: {photos}", "фото: {photos}", "photos: {photos}"),
    "position": _t(
        "орныңыз, сол жерден {within} м ішінде",
        "ваше положение, не дальше {within} м от места",
        "your position, within {within} m of the place",
    ),
    "act_number": _t(
        "акт нөмірі (мысалы, {example})",
        "номер акта (пример: {example})",
        "the number of the act (example: {example})",
    ),
    "act_of_stage": _t(
        "алдымен «{stage}» кезеңі өз актісімен (мысалы, {example})",
        "сначала этап «{stage}» со своим актом (пример: {example})",
        "first the stage “{stage}” with an act of its own (example: {example})",
    ),
    "placeless": _t(
        "орын сұралмайды: өтініштің орны белгісіз",
        "положение не требуется: место обращения неизвестно",
        "no position is asked for: the place of the appeal is not known",
    ),
    "waived": _t(
        "инспектор рұқсатымен сұралмайды: {pieces}",
        "не требуется с разрешения инспектора: {pieces}",
        "waived by an inspector: {pieces}",
    ),
}
"""What will be needed, told beforehand; a key is a kind of evidence or why it is not asked."""

PIECES: Mapping[str, LocalizedText] = {
    "photo": _t("фото", "фото", "photos"),
    "position": _t("орын", "положение", "position"),
    "act_number": _t("акт нөмірі", "номер акта", "number of the act"),
}
