"""Files that cannot travel to the state: what they belong to goes without them, and says so."""

from collections.abc import Mapping, Sequence

from domain.attachments import MEGABYTE
from domain.eotinish.outgoing import Attached
from domain.values import Language

TOO_LARGE = "file-too-large"
"""The fault of a file that no message can carry, however often it is tried."""
LEFT_BEHIND = "file-left-behind"
"""By this word inspectors see in quarantine that a file did not go."""
LONGEST_NAME = 60

_ABSENT: Mapping[Language, str] = {
    Language.KK: "Мемлекеттік шлюз өткізбейтін үлкен файлдар қоса берілмеді, олар 109 қызметінде: ",
    Language.RU: "Не приложены файлы, что велики для государственного шлюза; они в службе 109: ",
    Language.EN: "Not attached are files too large for the state's gateway; service 109 has them: ",
}


def with_absent(text: str, files: Sequence[Attached], language: Language) -> str:
    """A message's text with a line that names the files it goes without."""
    named = ", ".join(_named(one) for one in files)
    return f"{text}\n\n{_ABSENT[language]}{named}".strip()


def as_we_wrote(told: str, text: str) -> bool:
    """Whether a text is this one as we sent it, with or without the line of `with_absent`."""
    return told == text or any(told.startswith(f"{text}\n\n{line}") for line in _ABSENT.values())


def _named(file: Attached) -> str:
    return f"{file.filename[:LONGEST_NAME]} ({file.size / MEGABYTE:.1f} MB)"
