"""How residents write addresses: Kazakh, Russian or Latin letters, abbreviations, house parts."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

# One Latin skeleton for all alphabets: Шәкәрім, Шакарим, Shakarim and Şäkärım become one word.
_LETTERS = str.maketrans(
    {
        **dict(zip("абвгғдезийкқлмнңопрстуұүфхһыіэәөё", "abvggdeziikklmnnoprstuuufhhiieaoe",
                   strict=True)),
        **dict(zip("äáàöóüúñğıíêéç", "aaaoouungiieec", strict=True)),
        "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ю": "iu", "я": "ia",
        "ş": "sh", "ū": "u", "ŭ": "u", "ý": "u", "ń": "n", "ǵ": "g", "ž": "zh",
        "ъ": "", "ь": "", "y": "i", "q": "k", "w": "v", "x": "ks", "j": "zh",
    }
)  # fmt: skip
_DIGRAPHS = (("shch", "sh"), ("kh", "h"), ("gh", "g"), ("dzh", "zh"))
_DOUBLED = re.compile(r"([a-z])\1+")
_ENDING = re.compile(r"(?<=[a-z]{4})(?:[aeiou]+)$")


def fold(text: str) -> str:
    """The text in the Latin skeleton: lower case, no diacritics, no doubled letters."""
    folded = unicodedata.normalize("NFC", text).lower().translate(_LETTERS)
    for written, meant in _DIGRAPHS:
        folded = folded.replace(written, meant)
    return _DOUBLED.sub(r"\1", folded)


def stem(word: str) -> str:
    """A folded word without the vowels of its case ending: shakarima, shakarim."""
    return _ENDING.sub("", word)


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split())


_STREET_KINDS = {
    "street": _folded("ул улица улицы улице көшесі көше street st str ulitsa ulica"),
    "avenue": _folded("пр просп проспект проспекте пркт прт даңғылы даңғыл avenue ave av"),
    "lane": _folded("пер переулок тұйығы тұйық lane ln pereulok"),
    "boulevard": _folded("бульвар бр бульвары boulevard blvd"),
    "square": _folded("площадь пл алаңы алаң square sq"),
    "highway": _folded("шоссе тасжол highway hwy"),
    "settlement": _folded("мкр мкрн микрорайон ықшамаудан ықшамауданы шағынаудан шағынауданы "
                          "посёлок поселок пос кенті settlement microdistrict"),
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in _STREET_KINDS.items() for word in words}
_NOISE = _folded("г гор город қаласы қала қ city им имени атындағы рк область обл облысы")
_CITY = _folded("семей семея семее semey семипалатинск")
_HOUSE = _folded("д дом үй үйі house h no дома")
_BLOCK = _folded("к корп корпус стр строение блок block bldg")
_FLAT = _folded("кв квартира п пәтер пәт пат apt apartment flat оф офис кабинет office")
_INSIDE = _folded("подъезд под подьезд кіреберіс этаж эт қабат entrance floor домофон")

_SPELLED = (
    (re.compile(r"\bк-сі\b"), "көшесі"),
    (re.compile(r"\bпр-к?т\b"), "проспект"),
    (re.compile(r"\bб-р\b"), "бульвар"),
    (re.compile(r"\bм-н\b|\bмк?р-н\b|\bш/а\b|\bықшам ауданы?\b|\bшағын ауданы?\b"), "мкр"),
    (re.compile(r"\bтас жолы?\b"), "шоссе"),
    (re.compile(r"(\d+)\s*-\s*(?:й|ый|ой|я|ая|го|ші|шы|інші|нші|ыншы)\b"), r"\1"),
    (re.compile(r"\b(\d+)(?:st|nd|rd|th)\b"), r"\1"),
    (re.compile(r"(?<=\d)\s*-\s*(?=(?:үй|пәтер|кв|қабат)\b)"), " "),
    (re.compile(r"[’'`ʼ\"«»“”]"), ""),
)
_LETTER = r"[^\W\d_]"
_DIGITS = re.compile(r"[0-9]+")
_TOKEN = re.compile(
    rf"(?P<number>\d+)"
    rf"(?:\s*-?\s*(?P<letter>{_LETTER})(?!{_LETTER})(?!\s*\.?\s*\d))?"
    rf"(?:\s*[/\\]\s*(?P<part>\d+)(?P<part_letter>{_LETTER}(?!{_LETTER}))?)?"
    rf"(?:\s*-\s*(?P<dash>\d+))?"
    rf"|(?P<word>{_LETTER}+)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word (folded) or a house-like number; `dash` is what followed a hyphen: 12-5."""

    word: str = ""
    number: str = ""
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a written address. `words` are folded and not yet stemmed."""

    words: tuple[str, ...]
    kinds: frozenset[str]
    number: str | None
    apartment: str | None


def house_number(text: str) -> str:
    """A house number in one spelling: '12 А' and '12-а' are '12a'; '12 корп. 1' is '12/1'."""
    tokens = _join_blocks(list(_tokens(text)))
    return next((each.number for each in tokens if each.number), fold(text).strip())


def street_words(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The words of a street's name without its kind, and the kinds named (street, avenue, …)."""
    return _split_kinds(_tokens(text))


def readings(text: str) -> tuple[Reading, ...]:
    """All ways to understand the text, the likeliest first.

    The last number is the house; two numbers at the end are house and apartment;
    or there is no house and the numbers belong to the name ('8 Марта').
    """
    tokens, apartment = _take_apartment(_join_blocks(list(_tokens(text))))
    tokens = [each for each in tokens if each.word not in _HOUSE]
    places = [place for place, each in enumerate(tokens) if each.number]
    found: list[Reading] = []
    if places:
        found.append(_with_house(tokens, places[-1], apartment))
    if len(places) > 1 and places[-1] == places[-2] + 1 == len(tokens) - 1:
        flat = tokens[places[-1]].number
        found.append(_with_house(tokens[:-1], places[-2], apartment or flat))
    found.append(Reading(*_split_kinds(tokens), number=None, apartment=None))
    return tuple(each for each in found if each.words)


@lru_cache(maxsize=4096)
def without_flats(text: str, known: str | None = None, mask: str = "***") -> str:
    """The address with every number masked that names a flat: 'кв 5', '5 пәтер', '12-5'.

    `known` is a flat known otherwise; its number is masked wherever it stands, also where it
    is the house's as well.
    """
    left, named = _take_apartment(_join_blocks(list(_tokens(text))))
    flats = {known, named, *(each.dash for each in left)}
    # Digits alone decide: '57а' and '057' are written in as many ways as there are hands.
    found = (_DIGITS.search(flat or "") for flat in flats)
    for number in {digits[0].lstrip("0") or "0" for digits in found if digits}:
        text = re.sub(rf"(?<!\d)0*{number}(?!\d)", mask, text)
    return text


def _with_house(tokens: list[Token], place: int, apartment: str | None) -> Reading:
    house = tokens[place]
    others = tokens[:place] + tokens[place + 1 :]
    return Reading(*_split_kinds(others), house.number, apartment or house.dash or None)


def _tokens(text: str) -> Iterator[Token]:
    lowered = unicodedata.normalize("NFC", text).lower()
    for pattern, meant in _SPELLED:
        lowered = pattern.sub(meant, lowered)
    for found in _TOKEN.finditer(lowered):
        if found["word"]:
            # A lone ъ or ь has no sound, and would begin every name there is.
            if word := fold(found["word"]):
                yield Token(word=word)
            continue
        part = f"/{int(found['part'])}" if found["part"] else ""
        letters = (fold(found[name] or "") for name in ("letter", "part_letter"))
        first, second = letters
        yield Token(number=f"{int(found['number'])}{first}{part}{second}", dash=found["dash"] or "")


def _join_blocks(tokens: list[Token]) -> list[Token]:
    """'12 корпус 1' is written 12/1."""
    joined: list[Token] = []
    waiting = iter(range(len(tokens)))
    for place in waiting:
        here, ahead = tokens[place], tokens[place + 1 : place + 3]
        if here.number and len(ahead) == 2 and ahead[0].word in _BLOCK and ahead[1].number:
            here = replace(here, number=f"{here.number}/{ahead[1].number}", dash=ahead[1].dash)
            next(waiting), next(waiting)
        joined.append(here)
    return joined


def _take_apartment(tokens: list[Token]) -> tuple[list[Token], str | None]:
    """Split off 'кв 5', '5 пәтер', and drop entrance and floor."""
    apartment: str | None = None
    left = list(tokens)
    while (place := _first(left, _FLAT | _INSIDE)) is not None:
        beside = _beside(left, place)
        if beside is None:
            del left[place]
            continue
        if left[place].word in _FLAT:
            apartment = left[beside].number
        for gone in sorted((place, beside), reverse=True):
            del left[gone]
    return left, apartment


def _first(tokens: list[Token], words: Iterable[str]) -> int | None:
    return next((place for place, each in enumerate(tokens) if each.word in words), None)


def _beside(tokens: list[Token], place: int) -> int | None:
    """The number that belongs to a marker: after it, or, in Kazakh order, before it."""
    if place + 1 < len(tokens) and tokens[place + 1].number:
        return place + 1
    return place - 1 if place and tokens[place - 1].number else None


def _split_kinds(tokens: Iterable[Token]) -> tuple[tuple[str, ...], frozenset[str]]:
    listed = [each.word or each.number for each in tokens]
    kinds = frozenset(_KIND_OF[word] for word in listed if word in _KIND_OF)
    words = [word for word in listed if word not in _KIND_OF and word not in _NOISE]
    named = [word for word in words if word not in _CITY] or words
    # Initials (Б. Момышулы) say nothing when a name follows.
    full = [word for word in named if len(word) > 1 or word.isdigit()] or named
    return tuple(full), kinds
