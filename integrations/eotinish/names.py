"""The name of an applicant: one text in the city's register, parts in the state's messages.

Which word is which part, nobody can tell for certain; what can be told by a word's ending, and what
by the order, the contract says (fields.yaml, `names`). No word is lost either way.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Part = Literal["surname", "given", "patronymic"]
PARTS: tuple[Part, Part, Part] = ("surname", "given", "patronymic")
PERSON, COMPANY = "person", "company"
"""What an applicant is, as the field `applicant` says it."""
QUOTES = "«»\"“”„'"


class Endings(BaseModel):
    """How words end that are such a part, in small letters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    surname: tuple[str, ...] = ()
    patronymic: tuple[str, ...] = ()


class NameRule(BaseModel):
    """How a name is joined and split: the order of a written name, endings that tell parts apart
    against it, and the words by one of which the name of a company begins.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: tuple[Part, Part, Part] = Field(default=PARTS)
    endings: Endings = Endings()
    companies: tuple[str, ...] = ()

    def split(self, name: str | None) -> Mapping[str, str]:
        """The parts of a name, by the names of their fields; of no name, that it is a person's."""
        words = (name or "").split()
        if words and words[0].strip(QUOTES).casefold() in {c.casefold() for c in self.companies}:
            return {"applicant": COMPANY, "company": " ".join(words)}
        found: dict[str, str] = {"applicant": PERSON}
        place = _last(words, self.endings.patronymic)
        if place is not None:
            found["patronymic"] = words.pop(place)
        if len(words) > 1:
            found["surname"] = words.pop(self._surname(words))
        if len(words) > 1 and "patronymic" not in found:
            found["patronymic"] = " ".join(words[1:])
            words = words[:1]
        if words:
            found["given"] = " ".join(words)
        return found

    def join(self, values: Mapping[str, object], before: str = "") -> str | None:
        """The name that parts make, which stand under their names with `before` before them; None
        where there are none. Who speaks for a company is named after it.
        """
        said = [str(values[before + part]) for part in self.order if before + part in values]
        company = values.get(f"{before}company")
        named = [str(company)] if company is not None else []
        return ", ".join((*named, *([" ".join(said)] if said else []))) or None

    def _surname(self, words: Sequence[str]) -> int:
        """Which word is the surname: the one that ends like one, else by the order."""
        alike = [at for at, word in enumerate(words) if _ends(word, self.endings.surname)]
        if len(alike) == 1:
            return alike[0]
        first = self.order.index("surname") < self.order.index("given")
        return 0 if first else len(words) - 1


def _last(words: Sequence[str], endings: Sequence[str]) -> int | None:
    """The last word that ends so; never the first of all, by which nobody is called."""
    found = [at for at, word in enumerate(words) if at and _ends(word, endings)]
    return found[-1] if found else None


def _ends(word: str, endings: Sequence[str]) -> bool:
    small = word.casefold()
    return any(small.endswith(one) and len(small) > len(one) for one in endings)
