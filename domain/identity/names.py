"""Whether two tellings of a name can be of one person."""

import re

_WORD = re.compile(r"[^\W\d_]+")
_ALIKE = str.maketrans("әғқңөұүһіё", "агкноуухие")
"""Kazakh letters as those who type Russian hear them: an operator wrote the one, the state has
the other.
"""


def agree(known: str | None, told: str | None) -> bool:
    """Whether nothing in one name contradicts the other, in any order of words.

    A missing name contradicts nothing; an initial agrees with every word that begins with it.
    """
    few, many = sorted((_words(known), _words(told)), key=len)
    return all(any(_fits(word, other) for other in many) for word in few)


def _words(name: str | None) -> list[str]:
    return [word.translate(_ALIKE) for word in _WORD.findall((name or "").lower())]


def _fits(word: str, other: str) -> bool:
    if len(word) == 1 or len(other) == 1:
        return word[0] == other[0]
    return word == other
