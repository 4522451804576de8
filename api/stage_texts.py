"""What the stages of a promise are called, in kk, ru and en."""

from collections.abc import Mapping

from domain.values import LocalizedText
from domain.values import localized as _t

STAGES: Mapping[str, LocalizedText] = {
    "answer": _t("Жауап беру", "Ответ", "Answer"),
    "arrive": _t("Орынға келу", "Прибытие на место", "Arrival"),
    "secure": _t("Қауіпсіздендіру", "Обеспечение безопасности", "Making it safe"),
    "resolve": _t("Мәселені шешу", "Решение проблемы", "Solving the problem"),
    "consider": _t("Заң бойынша қарау", "Рассмотрение по закону", "Consideration by the law"),
    "redirect": _t(
        "Қабылдау немесе құзыреті бойынша жолдау",
        "Принятие или переадресация по компетенции",
        "Taking it, or sending it to who is competent",
    ),
}
