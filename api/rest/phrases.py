"""What an explained clock says to people, in kk, ru and en.

`{name}` is filled with a fact; tests/house checks that no text and no fact is missing.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.values import LocalizedText
from domain.values import localized as _t

WAITS: Mapping[str, LocalizedText] = {
    "awaiting_resident": _t("тұрғын күтілуде", "ожидание жителя", "waiting for the resident"),
    "parts": _t("қосалқы бөлшектер күтілуде", "ожидание запасных частей", "waiting for parts"),
    "weather": _t("ауа райы кедергі", "мешает погода", "the weather does not allow the work"),
}

INTERVALS: Mapping[str, LocalizedText] = {
    "working": _t(
        "{span}: есепке алынды, {counted}.",
        "{span}: засчитано {counted}.",
        "{span}: {counted} counted.",
    ),
    "working-ahead": _t(
        "{span}: есепке алынады, {counted}.",
        "{span}: будет засчитано {counted}.",
        "{span}: {counted} will count.",
    ),
    "overdue": _t(
        "{span}: мерзімнен асқан уақыт, {counted}.",
        "{span}: {counted} сверх срока.",
        "{span}: {counted} beyond the time promised.",
    ),
    "closed": _t(
        "{span}: есепке алынбайды, жұмыс уақыты емес.",
        "{span}: не в счёт, нерабочее время.",
        "{span}: does not count, outside working hours.",
    ),
    "day_off": _t(
        "{span}: есепке алынбайды, демалыс: {days}.",
        "{span}: не в счёт, выходные: {days}.",
        "{span}: does not count, days off: {days}.",
    ),
    "paused": _t(
        "{span}: есепке алынбайды, {wait}.",
        "{span}: не в счёт, {wait}.",
        "{span}: does not count, {wait}.",
    ),
    "finished": _t(
        "{span}: есепке алынбайды, кезең аяқталды.",
        "{span}: не в счёт, этап уже закончен.",
        "{span}: does not count, the stage had ended.",
    ),
    "folded": _t(
        "{span}: күнтізбедегі жұмыс уақыты, барлығы {counted}.",
        "{span}: рабочее время по календарю, всего {counted}.",
        "{span}: working hours by the calendar, {counted} in all.",
    ),
}  # fmt: skip

MADE_WORKING: LocalizedText = _t(
    " Жұмыс күні етілген: {worked}.",
    " Объявлены рабочими: {worked}.",
    " Made working days: {worked}.",
)

ENDS_LATER: LocalizedText = _t(
    " Мерзімнің өзі, {length}, {out} бітеді, ол жұмыс күні емес; сондықтан мерзім ең жақын жұмыс"
    " күні, {last}, аяқталады. Демалыс күндері: {days}.",
    " Сами {length} истекают {out}, в нерабочий день; срок кончается в ближайший рабочий день,"
    " {last}. Выходные: {days}.",
    " The {length} themselves run out on {out}, a day off; the term ends on the nearest working"
    " day, {last}. Days off: {days}.",
)
ENDS_WORKED: LocalizedText = _t(
    " Мерзім жұмыс күні етілген күні аяқталады: {worked}.",
    " Срок кончается в день, объявленный рабочим: {worked}.",
    " The term ends on a day that was made a working one: {worked}.",
)
"""Why a term in calendar days ends when it does."""

_PROMISED = _t(
    "{stage}: «{calendar}» күнтізбесі бойынша {promised} уәде етілді. ",
    "{stage}: обещано {promised} по календарю «{calendar}». ",
    "{stage}: {promised} promised by the calendar “{calendar}”. ",
)


def _clock(kk: str, ru: str, en: str) -> LocalizedText:
    said = {"kk": kk, "ru": ru, "en": en}
    return {language: _PROMISED[language] + text for language, text in said.items()}


CLOCKS: Mapping[str, LocalizedText] = {
    "running": _clock(
        "{spent} өтті, {left} қалды, мерзімі: {due}.",
        "Прошло {spent}, осталось {left}, срок: {due}.",
        "{spent} spent, {left} left, due {due}.",
    ),
    "paused": _clock(
        "{spent} өтті, {left} қалды. Уақыт {since} бастап тоқтап тұр; қазір жүрсе, мерзімі: {due}.",
        "Прошло {spent}, осталось {left}. Часы стоят с {since}; если пойдут сейчас, срок: {due}.",
        "{spent} spent, {left} left. The clock stands since {since}; did it run now, due {due}.",
    ),
    "breached": _clock(
        "Мерзім өтіп кетті: {due}. Асқан уақыт: {late}.",
        "Срок истёк: {due}. Сверх срока: {late}.",
        "The time was up {due}. Beyond it: {late}.",
    ),
    "met": _clock(
        "Орындалды: {ended}. {spent} жұмсалды, {left} қалған еді.",
        "Выполнено: {ended}. Прошло {spent}, оставалось {left}.",
        "Done {ended}. {spent} spent, {left} left.",
    ),
    "met-late": _clock(
        "Мерзім өтіп кетті: {due}. Орындалды: {ended}, асқан уақыт: {late}.",
        "Срок истёк: {due}. Выполнено: {ended}, сверх срока: {late}.",
        "The time was up {due}. Done {ended}, {late} beyond it.",
    ),
    "cancelled": _clock(
        "Енді уәде етілмейді: {ended}. Оған дейін {spent} өтті.",
        "Больше не обещано: {ended}. До того прошло {spent}.",
        "No longer promised since {ended}. {spent} had been spent.",
    ),
}

RECOMPUTED: LocalizedText = _t(
    "{at}: «{calendar}» күнтізбесі өзгерді ({before} → {after} нұсқа): {reason}. "
    "Мерзім {due_before} еді, енді {due_after}.",
    "{at}: изменился календарь «{calendar}» (версия {before} → {after}): {reason}. "
    "Срок был {due_before}, стал {due_after}.",
    "{at}: the calendar “{calendar}” was changed (version {before} → {after}): {reason}. "
    "Due {due_before} before, {due_after} now.",
)

ENDS_ANEW: LocalizedText = _t(
    "{at}: «{calendar}» күнтізбесі өзгерді ({after} нұсқа), мерзімнің соңғы күні сол бойынша "
    "белгіленеді: {reason}. Мерзім {due_before} еді, енді {due_after}.",
    "{at}: изменился календарь «{calendar}» (версия {after}), по которому срок кончается рабочим "
    "днём: {reason}. Срок был {due_before}, стал {due_after}.",
    "{at}: the calendar “{calendar}” was changed (version {after}), by whose working days the term "
    "ends: {reason}. Due {due_before} before, {due_after} now.",
)

EXTENDED: LocalizedText = _t(
    "{at}: инспектор {by} уақыт қосты. Мерзім {due_before} еді, енді {due_after}.",
    "{at}: инспектор продлил срок на {by}. Срок был {due_before}, стал {due_after}.",
    "{at}: an inspector gave {by} more. Due {due_before} before, {due_after} now.",
)

_MORE = _t("және тағы {more}", "и ещё {more}", "and {more} more")
_MONTHS = {
    "kk": ("қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз",
           "қыркүйек", "қазан", "қараша", "желтоқсан"),
    "ru": ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа",
           "сентября", "октября", "ноября", "декабря"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August",
           "September", "October", "November", "December"),
}  # fmt: skip
_UNITS = {
    "kk": ("тәул", "сағ", "мин", "с"),
    "ru": ("сут", "ч", "мин", "с"),
    "en": ("d", "h", "min", "s"),
}
MOST_DAYS = 8
"""Days that a sentence names; the rest it counts."""


def moment(at: datetime, zone: ZoneInfo, language: str) -> str:
    """A time as the wall clock shows it: 2 March 2026, 09:00."""
    shown = at.astimezone(zone)
    return f"{day(shown.date(), language)} {shown.year}, {shown:%H:%M}"


def day(shown: date, language: str) -> str:
    """A date without its year: 2 March."""
    return f"{shown.day} {_MONTHS[language][shown.month - 1]}"


def span(begin: datetime, end: datetime, zone: ZoneInfo, language: str) -> str:
    """From when until when, the date said once where it is one."""
    low, high = begin.astimezone(zone), end.astimezone(zone)
    if low.date() == high.date():
        return f"{moment(begin, zone, language)}–{high:%H:%M}"
    return f"{moment(begin, zone, language)} – {moment(end, zone, language)}"


def length(amount: timedelta, language: str, *, days: bool) -> str:
    """A length of time: 3 h 20 min. `days` where a day of the calendar is a day of the sun."""
    seconds = int(amount.total_seconds())
    hours, rest = divmod(seconds, 3600)
    counts = (hours // 24 if days else 0, hours % 24 if days else hours, rest // 60, rest % 60)
    said = [f"{n} {unit}" for n, unit in zip(counts, _UNITS[language], strict=True) if n]
    return " ".join(said) or f"0 {_UNITS[language][2]}"


def named_days(days: Sequence[tuple[date, Sequence[str]]], language: str) -> str:
    """Days by date, each with why it differs: the holiday's name, the decree."""
    said = [
        f"{day(each, language)} ({'; '.join(why)})" if why else day(each, language)
        for each, why in days[:MOST_DAYS]
    ]
    more = len(days) - MOST_DAYS
    return ", ".join(said) + (f" {_MORE[language].format(more=more)}" if more > 0 else "")
