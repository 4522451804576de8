"""A resident's words as the model reads them: folded letters, cut into short grams.

Folding makes one letter of қ and к, ғ and г, ө and о, so Kazakh typed without its letters
reads as Kazakh typed with them. Training cuts its texts by the very same functions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.catalogue.letters import CYRILLIC, LATIN, TO_CYRILLIC, WORD, folded

SHORTEST, LONGEST = 2, 4
"""Characters of a gram. Longer grams made the model larger and no better."""

MOST_LETTERS = 1_000
"""What is read of a text: what is the matter is said within its first 150 words."""

SOUNDS = (
    ("shch", "щ"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"), ("ch", "ч"), ("sh", "ш"), ("yu", "ю"),
    ("ya", "я"), ("yo", "е"), ("gh", "г"), ("a", "а"), ("b", "б"), ("v", "в"), ("w", "у"),
    ("g", "г"), ("d", "д"), ("e", "е"), ("j", "ж"), ("z", "з"), ("i", "и"), ("y", "ы"),
    ("k", "к"), ("q", "к"), ("l", "л"), ("m", "м"), ("n", "н"), ("o", "о"), ("p", "п"),
    ("r", "р"), ("s", "с"), ("t", "т"), ("u", "у"), ("f", "ф"), ("h", "х"), ("x", "х"),
    ("c", "ц"),
)  # fmt: skip
"""Latin letters by sound, as chats write Kazakh and Russian (su joq, svet otklyuchili)."""

_SOUND = re.compile("|".join(latin for latin, _ in SOUNDS))
_BY_SOUND = dict(SOUNDS)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One word as it was typed, and its grams."""

    word: str
    grams: tuple[str, ...]


def spoken(text: str) -> tuple[Spoken, ...]:
    """The words of a text in order, each with the grams by which the model knows it."""
    typed = text[:MOST_LETTERS]
    read = folded(typed)
    # Folding keeps the length of all but a few letters (İ becomes two), then words stand as read.
    shown = typed if len(typed) == len(read) else read
    return tuple(
        Spoken(shown[found.start() : found.end()], tuple(grams(found.group())))
        for found in WORD.finditer(read)
    )


def grams(word: str) -> Iterator[str]:
    """The grams of one folded word, its edges marked by blanks so that they tell too."""
    marked = f" {word} "
    for size in range(SHORTEST, LONGEST + 1):
        if len(marked) <= size:
            yield marked
            return
        for start in range(len(marked) - size + 1):
            yield marked[start : start + size]


def rereadings(text: str) -> tuple[str, ...]:
    """What Latin letters may have been meant as: another keyboard layout, or another alphabet.

    Empty where there is a Cyrillic letter: such a text is meant as it stands.
    """
    said = text[:MOST_LETTERS].lower()
    if CYRILLIC.search(said) or not LATIN.search(said):
        return ()
    return (said.translate(TO_CYRILLIC), _SOUND.sub(lambda found: _BY_SOUND[found.group()], said))
