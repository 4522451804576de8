"""Letters as operators type them: folded to one spelling, and freed from a wrong layout."""

import re

FOLDED = str.maketrans(
    "ёқғәңөүұіһ",
    "екганоууих",
)
"""What a hurried hand or a Russian keyboard makes of Kazakh letters and of ё."""

LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
CYRILLIC_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбю"
TO_CYRILLIC = str.maketrans(LATIN_KEYS + '~{}:"<>', CYRILLIC_KEYS + "ёхъжэбю")
TO_LATIN = str.maketrans(CYRILLIC_KEYS, LATIN_KEYS)

# The Kazakh layout (ST RK 920) is the Russian one with the letters of its own on the digits.
DIGIT_KEYS = "2345890-="
KAZAKH_KEYS = str.maketrans(DIGIT_KEYS, "әіңғүұқөһ")

WORD = re.compile(r"[^\W_]+")
LATIN = re.compile(r"[a-z]")
CYRILLIC = re.compile(r"[а-яё]")


def folded(text: str) -> str:
    """Lower case, ё as е, Kazakh letters as their Russian look-alikes."""
    return text.lower().translate(FOLDED)


def words(text: str) -> list[str]:
    """The folded words of a text."""
    return WORD.findall(folded(text))


def readings(query: str) -> list[list[str]]:
    """The queries that may have been meant: as typed, then as if on another keyboard layout."""
    text = query.lower()
    variants = [text]
    if LATIN.search(text):
        variants += [text.translate(TO_CYRILLIC)]
        if any(key in text for key in DIGIT_KEYS):
            variants += [text.translate(KAZAKH_KEYS).translate(TO_CYRILLIC)]
    elif CYRILLIC.search(text):
        variants += [text.translate(TO_LATIN)]
    found = [words(variant) for variant in variants]
    return [reading for number, reading in enumerate(found) if reading not in found[:number]]
