"""The law's file is read whole, or refused with every place that is wrong."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from api.commands.policies import validate
from domain.errors import Invalid
from tests.domain.law.make import ZONE, document

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
