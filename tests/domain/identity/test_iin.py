"""The number that the state knows a person by. Every number here is of somebody born in 2099."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.identity.iin import (
    Flaw,
    Iin,
    IinMalformed,
    Kind,
    Sex,
    check_digit,
    is_bin,
    kind_of,
    parse_iin,
)

FIRST_PASS, SECOND_PASS = "991231600002", "991231600301"
SERIALS = st.integers(0, 9999).map("{:04d}".format)
BORN = st.dates(date(1800, 1, 1), date(2099, 12, 31))


def number_of(born: date, sex: Sex, serial: str) -> str | None:
    """The number that the state would give; None where it would skip the serial."""
    century = 1 + 2 * (born.year // 100 - 18) + (sex is Sex.FEMALE)
    first = f"{born:%y%m%d}{century}{serial}"
    last = check_digit(first)
    return None if last is None else f"{first}{last}"


def flaw_of(number: str) -> Flaw:
    with pytest.raises(IinMalformed) as refused:
        parse_iin(number)
    return refused.value.flaw


@pytest.mark.parametrize("number", [FIRST_PASS, SECOND_PASS])
def test_a_number_tells_birth_and_sex_whichever_pass_checks_it(number: str):
    assert parse_iin(number) == Iin(number, date(2099, 12, 31), Sex.FEMALE)


def test_each_pass_is_needed():
    assert check_digit(FIRST_PASS[:11]) == 2
    assert weighed(SECOND_PASS) == 10
    assert check_digit(SECOND_PASS[:11]) == 1


@pytest.mark.parametrize("last", range(10))
def test_a_number_that_the_state_skips_is_nobodys_whatever_it_ends_with(last: int):
    assert flaw_of(f"99123160110{last}") is Flaw.CHECK_DIGIT


@pytest.mark.parametrize("number", ["991240000003", "991240000402"])
def test_a_business_is_told_from_a_person(number: str):
    assert kind_of(number) is Kind.BUSINESS
    assert is_bin(number)
    assert flaw_of(number) is Flaw.NOT_A_PERSON


@pytest.mark.parametrize("last", range(10))
def test_a_business_number_that_the_state_skips_is_nobodys(last: int):
    assert not is_bin(f"99124000044{last}")


@pytest.mark.parametrize("number", [FIRST_PASS, "991340000003", "991245000003", "", "9912400000"])
def test_what_is_no_business_number_is_told_so(number: str):
    assert not is_bin(number)


@pytest.mark.parametrize(
    "number",
    ["", "99123160000", "9912316000022", "99123160000a", "٩٩١٢٣١٦٠٠٠٠٢", "99 1231600002",
     "991231600002\n", "-91231600002"],
)  # fmt: skip
def test_twelve_ascii_digits_and_nothing_else(number: str):
    assert flaw_of(number) is Flaw.FORM


@pytest.mark.parametrize("number", ["991331600002", "990230600002", "991200600002"])
def test_nobody_is_born_on_a_day_that_never_was(number: str):
    assert flaw_of(number) is Flaw.BIRTH_DATE


@pytest.mark.parametrize("digit", "789")
def test_the_seventh_digit_names_a_century(digit: str):
    assert flaw_of(f"991231{digit}00002") is Flaw.CENTURY


def test_of_a_foreigner_neither_birth_nor_sex_is_known():
    first = "99123100000"
    assert parse_iin(f"{first}{check_digit(first)}") == Iin(
        f"{first}{check_digit(first)}", None, None
    )


def test_a_number_is_not_told_by_its_repr_or_its_refusal():
    assert FIRST_PASS not in repr(parse_iin(FIRST_PASS))
    with pytest.raises(IinMalformed) as refused:
        parse_iin(FIRST_PASS[:11] + "3")
    assert FIRST_PASS[:11] not in str(refused.value)


@given(BORN, st.sampled_from(Sex), SERIALS)
def test_every_number_that_the_state_gives_is_read_back(born: date, sex: Sex, serial: str):
    number = number_of(born, sex, serial)
    assume(number is not None)
    assert parse_iin(f" {number} ") == Iin(str(number), born, sex)


def weighed(digits: str) -> int:
    return sum(w * int(digit) for w, digit in zip(range(1, 12), digits[:11], strict=True)) % 11


BLIND = {False: 10, True: 8}
"""By whether the second pass decides: the place whose weight is 11, at which modulo 11 is blind."""


@given(BORN, st.sampled_from(Sex), SERIALS, st.integers(0, 11), st.integers(1, 9))
def test_a_slip_of_one_digit_is_seen_wherever_its_weight_is_not_eleven(
    born: date, sex: Sex, serial: str, place: int, step: int
):
    number = str(number_of(born, sex, serial))
    assume(number != "None")
    slip = str((int(number[place]) + step) % 10)
    slipped = f"{number[:place]}{slip}{number[place + 1 :]}"
    second = weighed(number) == 10
    assume(place != BLIND[second] and second == (weighed(slipped) == 10))
    assert check_digit(slipped[:11]) != int(slipped[11])


@given(st.text(max_size=20) | st.text("0123456789", min_size=12, max_size=12))
def test_whatever_is_no_number_is_refused_and_nothing_breaks(text: str):
    with suppress(IinMalformed):
        assert parse_iin(text).digits == text.strip(" ")
