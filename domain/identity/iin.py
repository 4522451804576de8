"""The individual identification number (ЖСН/ИИН), and the business one (БСН/БИН) told apart.

Both are twelve digits of which the last checks the others. An IIN begins with the birth date
(YYMMDD), then century and sex, then a serial number of four. A BIN begins with year and month of
registration; its fifth digit is 4, 5 or 6, where an IIN has the first digit of a day.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

LENGTH = 12
_FIRST = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_CENTURIES = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}
_FOREIGN = "0"
"""Some foreigners bear it in place of century and sex; of them neither is known."""


class Kind(StrEnum):
    """Whose number it is."""

    PERSON = "person"
    BUSINESS = "business"


class Sex(StrEnum):
    """As the number says it."""

    MALE = "male"
    FEMALE = "female"


class Flaw(StrEnum):
    """What is wrong with a number."""

    FORM = "form"
    BIRTH_DATE = "birth-date"
    CENTURY = "century"
    CHECK_DIGIT = "check-digit"
    NOT_A_PERSON = "not-a-person"


class IinMalformed(ValueError):
    """No person's number. `flaw` says why; the number itself is told nowhere (law 6)."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(f"not an IIN: {flaw}")
        self.flaw = flaw


@dataclass(frozen=True, slots=True, repr=False)
class Iin:
    """A person's number. Its repr hides it, since a repr ends in logs."""

    digits: str
    birth_date: date | None
    sex: Sex | None

    def __repr__(self) -> str:
        return "Iin(…)"


def check_digit(first_eleven: str) -> int | None:
    """The twelfth digit of eleven ASCII digits; None where the number was never issued.

    Weights 1–11 modulo 11; where that gives 10, weights 3–11, 1, 2; where that gives 10 again,
    the number is skipped.
    """
    for weights in (_FIRST, _SECOND):
        weighed = sum(w * int(digit) for w, digit in zip(weights, first_eleven, strict=True)) % 11
        if weighed != 10:
            return weighed
    return None


def kind_of(number: str) -> Kind:
    """Whose number it is. Raises IinMalformed (FORM) where it is not twelve digits."""
    if len(number) != LENGTH or not (number.isascii() and number.isdigit()):
        raise IinMalformed(Flaw.FORM)
    return Kind.BUSINESS if number[4] in "456" else Kind.PERSON


def is_bin(number: str) -> bool:
    """Whether it is a sound BIN: month, kinds of owner and unit, check digit."""
    try:
        business = kind_of(number) is Kind.BUSINESS
    except IinMalformed:
        return False
    month = 1 <= int(number[2:4]) <= 12
    return business and month and number[5] in "01234" and _checks(number)


def parse_iin(number: str) -> Iin:
    """The number as a value, spaces around it aside. Raises IinMalformed."""
    digits = number.strip(" ")
    if kind_of(digits) is Kind.BUSINESS:
        raise IinMalformed(Flaw.NOT_A_PERSON)
    if digits[6] != _FOREIGN and digits[6] not in _CENTURIES:
        raise IinMalformed(Flaw.CENTURY)
    birth_date = _birth_date(digits)
    if not _checks(digits):
        raise IinMalformed(Flaw.CHECK_DIGIT)
    if digits[6] == _FOREIGN:
        return Iin(digits, None, None)
    return Iin(digits, birth_date, Sex.MALE if digits[6] in "135" else Sex.FEMALE)


def _checks(digits: str) -> bool:
    return check_digit(digits[:11]) == int(digits[11])


def _birth_date(digits: str) -> date:
    # Without a century any leap day may be right: 2000 was a leap year.
    century = _CENTURIES.get(digits[6], 2000)
    try:
        return date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        raise IinMalformed(Flaw.BIRTH_DATE) from None
