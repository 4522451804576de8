"""The law's file is read whole, or refused with every place that is wrong."""

import re
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml

from api.commands.policies import Standing, validate
from domain.errors import Invalid
from domain.law.fields import parse_law
from domain.law.terms import Agreed
from domain.sla.calendar import parse_calendar
from domain.sla.policy import parse_policy
from tests.domain.law.make import ZONE, document, working

KNOWN = Standing({"calendars": frozenset({"around-the-clock"}), "policies": frozenset()})


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


def city() -> Standing:
    """A city that took in what is shipped."""
    said = document()
    calendars = [
        parse_calendar(one, version=1, zone=ZONE, years=range(2026, 2028))
        for one in said["calendars"]
    ]
    policies = [parse_policy(one, version=1) for one in said["policies"]]
    return Standing(
        {
            "calendars": frozenset({"around-the-clock"} | {one.code for one in calendars}),
            "policies": frozenset(one.code for one in policies),
        },
        Agreed([parse_law(said["law"], version=1)], policies, {one.code: one for one in calendars}),
    )


def alone(part: str, code: str, **changes: Any) -> dict[str, Any]:
    """A file with one entry of what is shipped, changed."""
    (entry,) = (one for one in document()[part] if one["code"] == code)
    return {part: [{**entry, **changes}]}


OFFICE = {"mon-fri": ["09:00-18:00"]}
SHORT = {"stage": "consider", "within": "PT36H", "calendar": "state-days",
         "reopen": {"rule": "full"}, "emergency_on_breach": False, "escalations": []}  # fmt: skip


def file_of(part: str, code: str, *stages: dict[str, Any]) -> dict[str, Any]:
    return alone(part, code, stages=list(stages))


@pytest.mark.parametrize(
    ("said", "pointer", "rule"),
    [
        (file_of("policies", "law-15-days", SHORT), "/policies/0/stages", "whole-days"),
        (file_of("policies", "law-15-days", SHORT | {"stage": "redirect", "within": "P3D"}),
         "/policies/0/stages", "no-such-term"),
        (file_of("policies", "law-15-days", SHORT | {"within": "P15D"}, SHORT | {
            "stage": "resolve"}), "/policies/0/stages", "not-of-the-law"),
        (file_of("policies", "law-threat", SHORT | {"stage": "secure"}),
         "/policies/0/stages", "not-of-the-law"),
        (alone("calendars", "state-days", hours=OFFICE), "/calendars/0/hours", "parts-of-days"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)  # fmt: skip
def test_a_file_without_the_law_is_judged_by_the_law_that_the_city_has(said, pointer, rule):
    with pytest.raises(Invalid) as told:
        validate(said, ZONE, city())
    assert (pointer, rule) in {(fault.pointer, fault.rule) for fault in told.value.faults}
    # Where no law is in force such a policy is a city's own, and nobody's to forbid.
    validate(said, ZONE, Standing(city().codes))


def test_the_law_alone_is_judged_with_the_policies_that_the_city_has():
    standing, law = city(), {"law": document()["law"]}
    validate(law, ZONE, standing)
    agreed = standing.agreed
    short = parse_policy(file_of("policies", "law-15-days", SHORT)["policies"][0], version=2)
    late = [
        replace(one, effective_from=date(2027, 1, 1)) if one.code == "law-20-days" else one
        for one in agreed.policies
    ]
    broken = Standing(standing.codes, replace(agreed, laws=(), policies=[*late, short]))
    with pytest.raises(Invalid) as told:
        validate(law, ZONE, broken)
    assert {(fault.pointer, fault.rule) for fault in told.value.faults} == {
        (f"/law/kinds/{place}/policy", rule)
        for place, kind in enumerate(law["law"]["kinds"])
        for policy, rule in (("law-15-days", "whole-days"), ("law-20-days", "begins-after-the-law"))
        if kind["policy"] == policy
    }


def test_a_policy_that_the_next_law_names_no_more_is_the_city_s_own_again():
    standing = city()
    (law,) = standing.agreed.laws
    kinds = {
        kind: replace(rule, policy="law-20-days") if rule.policy == "law-15-days" else rule
        for kind, rule in law.kinds.items()
    }
    later = replace(law, version=2, effective_from=date(2026, 12, 1), kinds=kinds)
    both = Standing(standing.codes, replace(standing.agreed, laws=[law, later]))
    said = file_of("policies", "law-15-days", SHORT)
    said["policies"][0]["effective_from"] = date(2026, 12, 1)
    validate(said, ZONE, both)
    said["policies"][0]["effective_from"] = date(2026, 11, 30)
    with pytest.raises(Invalid):
        validate(said, ZONE, both)


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
