"""The law's file is read whole, or refused with every place that is wrong."""

import re
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import yaml

from api.commands.policies import validate
from domain.errors import Invalid
from tests.domain.law.make import ZONE, document, working

KNOWN = {"calendars": frozenset({"around-the-clock"}), "policies": frozenset[str]()}


def policy_of(said: Any, rule: Any) -> Any:
    return next(one for one in said["policies"] if one["code"] == rule["policy"])


def refused(change: Any) -> set[tuple[str, str]]:
    changed = deepcopy(document())
    change(changed)
    with pytest.raises(Invalid) as told:
        validate(changed, ZONE, KNOWN)
    return {(fault.pointer, fault.rule) for fault in told.value.faults}


def test_what_is_shipped_is_sound():
    validate(document(), ZONE, KNOWN)


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        (lambda d: d["law"]["kinds"].pop(0), "/law/kinds", "missing-kind"),
        (lambda d: d["law"]["kinds"][0].update(kind="wish"), "/law/kinds/0/kind", "unknown-value"),
        (lambda d: d["law"]["kinds"][0].update(policy="gone"), "/law/kinds/0/policy", "unknown"),
        (lambda d: d["law"]["kinds"][1].pop("article"), "/law/kinds/1/article", "required"),
        (lambda d: d["law"]["receipt"].update(until="late"), "/law/receipt/until", "time"),
        (lambda d: d["law"]["receipt"].update(yaml.safe_load("until: 16:40")),
         "/law/receipt/until", "time"),
        (lambda d: d["law"]["receipt"].update(until="18:30+05:00"), "/law/receipt/until", "time"),
        (lambda d: d["law"]["receipt"].update(calendar="x"), "/law/receipt/calendar", "unknown"),
        (lambda d: d["law"]["prolongation"].update(months=0), "/law/prolongation/months",
         "out-of-range"),
        (lambda d: d["law"]["threat"].update(polcy="x"), "/law/threat/polcy", "unknown"),
        (lambda d: d["law"]["intake"][0].update({"is": "x"}), "/law/intake/0/is", "unknown-value"),
        (lambda d: d["policies"][4]["stages"][0].update(within="PT36H"), "/law/kinds/0/policy",
         "whole-days"),
        (lambda d: d["policies"][4]["stages"].pop(0), "/law/kinds/0/policy", "no-such-term"),
        (lambda d: d["policies"][4]["stages"][1].update(stage="resolve"), "/law/kinds/0/policy",
         "not-of-the-law"),
        (lambda d: policy_of(d, d["law"]["threat"])["stages"][0].update(stage="resolve"),
         "/law/threat/policy", "not-of-the-law"),
        (lambda d: d["calendars"][0]["days_off"].append({"date": "2026-13-01"}),
         "/calendars/0/days_off/16/date", "date"),
        (lambda d: d["calendars"][0]["days_off"][0].update(decree=""),
         "/calendars/0/days_off/0/decree", "text"),
    ],
)  # fmt: skip
def test_a_slip_is_named_by_its_place(change, pointer, rule):
    assert (pointer, rule) in refused(change)


def decrees() -> dict[str, str]:
    """What the shipped calendar says of each day that differs."""
    (calendar,) = (one for one in document()["calendars"] if one["code"] == "state-days")
    days = [*calendar["days_off"], *calendar["working_days"]]
    return {str(one["date"]): one["decree"] for one in days}


@pytest.mark.parametrize("day", sorted(decrees()))
def test_a_pinned_day_names_in_english_whose_word_made_it_so(day):
    said = decrees()[day]
    assert said.isascii(), "an English reader has no № and no Cyrillic"
    assert re.search(r"Minist(er|ry) of Labour|^The Constitution", said), "a day is no decree"
    assert not re.search(r"[A-Z]\d\d[A-Z]\d+", said), "the number of a record is no order's"


def test_a_pinned_day_is_not_told_twice_by_its_name():
    named = working().holidays
    for day, said in decrees().items():
        name = named.get(date.fromisoformat(day), {}).get("en")
        assert name is None or said != name


def test_articles_of_laws_that_have_an_english_name_are_cited_in_english():
    told = [rule["article"] for rule in document()["law"]["kinds"]]
    english = [one for one in told if not one.startswith("АППК ")]
    assert len(english) == 10
    assert all(one.isascii() for one in english)
