"""Whatever the city refuses, it says why in three languages."""

import ast
import string
from typing import Any

import pytest

from api import evidence_texts, routing_texts, stage_texts, texts
from api.commands.sentences import SENTENCES
from api.errors import STATUS
from api.rest import phrases
from api.rest.table import OPERATIONS  # noqa: F401  every refusal of the doors is loaded with it
from domain.appeals.workflow import PauseReason
from domain.errors import Refusal
from domain.organisations.findings import Lack
from domain.organisations.routing import RouteReason
from domain.organisations.rules import Verdict
from domain.sla.clock import ClockState
from domain.sla.explain import Reason
from domain.sla.policy import Stage
from domain.values import Language
from tests.house.source import calls, literals, where

CATALOGUES = {"titles": texts.TITLES, "details": texts.DETAILS, "conflicts": texts.CONFLICTS,
              "rules": texts.RULES, "of incidents": evidence_texts.OF_INCIDENT,
              "needs": evidence_texts.NEEDS, "pieces": evidence_texts.PIECES,
              "stages": stage_texts.STAGES, "waits": phrases.WAITS,
              "intervals": phrases.INTERVALS, "clocks": phrases.CLOCKS,
              "worked": {"": phrases.MADE_WORKING},
              "recomputed": {"": phrases.RECOMPUTED},
              "ends anew": {"": phrases.ENDS_ANEW},
              "ends": {"later": phrases.ENDS_LATER, "worked": phrases.ENDS_WORKED},
              "extended": {"": phrases.EXTENDED}}  # fmt: skip
EVERY = [(name, str(code)) for name, found in CATALOGUES.items() for code in found]


def kinds(root: Any = Refusal) -> set[type[Refusal]]:
    below = {one for child in root.__subclasses__() for one in kinds(child)}
    ours = {child for child in below if child.__module__.startswith(("api.", "domain."))}
    return ours | ({root} if root is not Refusal else set())


KINDS = {kind.code: kind for kind in kinds()}


@pytest.mark.parametrize("kind", [KINDS[code] for code in sorted(KINDS)], ids=sorted(KINDS))
def test_every_refusal_has_its_status_and_its_words(kind: type[Refusal]):
    assert kind in STATUS
    assert kind.code in texts.TITLES
    assert kind.code in texts.DETAILS


def test_no_code_stands_for_two_refusals():
    codes = [kind.code for kind in kinds()]
    assert len(codes) == len(set(codes))
    assert set(texts.TITLES) == set(texts.DETAILS) == set(codes)


@pytest.mark.parametrize(("name", "code"), EVERY, ids=lambda one: str(one))
def test_every_text_stands_in_three_languages_with_the_same_facts(name: str, code: str):
    text = CATALOGUES[name][code]
    assert set(text) == set(Language)
    assert all(said.strip() for said in text.values())
    facts = [{field for _, field, _, _ in string.Formatter().parse(said) if field}
             for said in text.values()]  # fmt: skip
    assert facts[0] == facts[1] == facts[2]


def test_everything_that_can_happen_to_a_clock_has_its_words():
    assert set(stage_texts.STAGES) == set(Stage)
    assert set(phrases.WAITS) == set(PauseReason)
    assert {said.partition("-")[0] for said in phrases.INTERVALS} == set(Reason)
    assert {said.partition("-")[0] for said in phrases.CLOCKS} == set(ClockState)


def test_every_conflict_of_the_code_has_its_words():
    used = {}
    for path, call, name in calls("api", "domain", "integrations"):
        if name.split(".")[-1] != "Conflict":
            continue
        reasons = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        assert reasons, f"a conflict without a reason: {where(path, call)}"
        for reason in literals(reasons[0]):
            used[reason] = where(path, call)
    assert used
    assert {r: at for r, at in used.items() if r not in texts.CONFLICTS} == {}
    assert set(texts.CONFLICTS) - set(used) == set(), "words that nobody says"


RULE_AT = {"Fault": 1, "Invalid.at": 1, "malformed": 2, "fault_at": 1, "fault": 1}
"""Which argument of a call is the rule."""


def rules_used() -> dict[str, str]:
    used = {}
    for path, call, name in calls("api", "domain", "integrations"):
        short = name if name.endswith("Invalid.at") else name.split(".")[-1]
        place = RULE_AT.get("Invalid.at" if short.endswith("Invalid.at") else short)
        if place is None or path.parts[-2:] == ("api", "errors.py"):
            continue
        said: list[ast.expr] = [k.value for k in call.keywords if k.arg == "rule"]
        if len(call.args) > place:
            said.append(call.args[place])
        for rule in (one for expression in said for one in literals(expression)):
            used[rule] = where(path, call)
    return used


IMPORTED = ("api/commands/", "domain/catalogue/", "domain/organisations/", "domain/sla/",
            "domain/law/",            "integrations/files/")  # fmt: skip
ANSWERED = "domain/catalogue/forms.py"
"""Of these rooms the form's answers alone are judged at the doors; the rest is read from files."""


def test_every_rule_that_a_caller_can_break_has_its_words():
    used = {
        rule: at
        for rule, at in rules_used().items()
        if at.startswith(ANSWERED) or not at.startswith(IMPORTED)
    }
    assert {rule: at for rule, at in used.items() if rule not in texts.RULES} == {}


def test_of_an_incident_no_rule_sends_to_a_waiver_that_it_cannot_have():
    advising = {
        rule for rule, words in evidence_texts.RULES.items() if "(waive)" in words[Language.RU]
    }
    asked_of_incidents = {rule for rule in advising if not rule.startswith("position-")}
    assert set(evidence_texts.OF_INCIDENT) == asked_of_incidents
    for words in evidence_texts.OF_INCIDENT.values():
        assert all("(part)" in words[language] for language in Language)


def test_every_rule_that_a_file_can_break_has_its_sentence():
    known = {*texts.RULES, *SENTENCES}
    assert {rule: at for rule, at in rules_used().items() if rule not in known} == {}


ROUTING: dict[str, Any] = {
    "what": routing_texts.WHAT, "mend": routing_texts.MEND, "verdicts": routing_texts.VERDICTS,
    "reasons": routing_texts.REASONS,
}  # fmt: skip
FACTS = {"subject", "area", "services", "rules", "organisations", "count", "calendar", "selector",
         "value", "day"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"), [(name, code) for name, found in ROUTING.items() for code in found]
)
def test_what_is_said_of_routing_stands_in_three_languages(name: str, code: Any):
    text = ROUTING[name][code]
    assert set(text) == set(Language)
    facts = [{field for _, field, _, _ in string.Formatter().parse(said) if field}
             for said in text.values()]  # fmt: skip
    assert facts[0] == facts[1] == facts[2] <= FACTS
    assert all(said.strip() for said in text.values())


def test_everything_that_routing_can_say_has_its_words():
    assert set(routing_texts.WHAT) == set(routing_texts.MEND) == set(Lack)
    assert set(routing_texts.VERDICTS) == set(Verdict)
    assert set(routing_texts.REASONS) == {*RouteReason, "first-contact"}
