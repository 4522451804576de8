"""The terms that the state counts are those of the city's law, or a sentence says which are not."""

from dataclasses import replace
from datetime import date

from domain.eotinish.agreements import Term
from domain.eotinish.terms import differing
from domain.reference import Promises
from integrations.eotinish.contract import read_contract
from tests.domain.law.make import promises

AGREED = read_contract().agreements("general.land-question", {})
ON = date(2026, 11, 28)
COMPLAINT = "da186314-311c-4ec5-a313-014890d2cc8c"
NOTARY = "e90583d6-0360-11ed-b939-0242ac120002"


def test_the_shipped_terms_are_those_of_the_shipped_law():
    assert len(AGREED.terms) == 16
    assert list(differing(AGREED, promises(), ON)) == []


def test_another_number_of_days_is_told_in_a_sentence():
    terms = {**AGREED.terms, COMPLAINT: Term(200, working=True)}
    assert list(differing(replace(AGREED, terms=terms), promises(), ON)) == [
        f"terms.yaml: the state counts 200 working days for {COMPLAINT} (complaint),"
        " the city's law 20 working days (policy law-20-days, АППК 99)"
    ]


def test_other_days_are_another_term():
    terms = {**AGREED.terms, NOTARY: Term(10, working=True)}
    [told] = differing(replace(AGREED, terms=terms), promises(), ON)
    assert "10 working days" in told
    assert "10 calendar days" in told


def test_a_city_without_the_law_and_a_day_before_it_have_nothing_to_differ_from():
    terms = dict.fromkeys(AGREED.terms, Term(200, working=True))
    wrong = replace(AGREED, terms=terms)
    assert list(differing(wrong, Promises({}, {}, {}), ON)) == []
    assert list(differing(wrong, promises(), date(2021, 6, 30))) == []
    assert len(list(differing(wrong, promises(), ON))) == 16
