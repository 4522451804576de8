"""A law is tried before it binds; what of it cannot be tried is refused in plain words."""

import json
from datetime import timedelta

import pytest
import yaml

from domain.law.kinds import AppealKind
from tests.support.appeals import register
from tests.support.city import LAW

SHORT = "law-5-days"
"""At the longest two weeks, with every holiday; fifteen working days are three weeks at least."""


@pytest.fixture(scope="module")
async def lived(house):
    """An application and a proposal of nineteen days ago, that nobody answered, and a call."""
    begun = house.now() - timedelta(days=19)
    kinds = (AppealKind.APPLICATION, AppealKind.PROPOSAL, None)
    return [await register(house, at=begun, appeal_kind=kind) for kind in kinds]


@pytest.fixture
def tried(ikomek, tmp_path, lived):
    """What a trial answers of the law in force, made over by `change`."""

    def ask(change, *arguments):
        document = yaml.safe_load(LAW.read_text())
        change(document["law"])
        draft = tmp_path / "law.yaml"
        draft.write_text(yaml.safe_dump(document, allow_unicode=True))
        return ikomek("trial", "--policies", draft, "--days", "30", *arguments)

    return ask


def move(law):
    """Applications are to be considered within five days."""
    for kind in law["kinds"]:
        if kind["kind"] == "application":
            kind["policy"] = SHORT


def test_a_kind_that_is_given_another_term_is_counted_by_it(tried, lived):
    report = json.loads(tried(move, "--json").out)
    assert report["draft"]["law"] == ["application"]
    assert report["draft"]["policies"] == []
    (moved,) = [each for each in report["policies"] if each["stage"] == "consider"
                and each["policy_draft"] == SHORT]  # fmt: skip
    assert moved["policy_then"] == "law-15-days"
    assert (moved["then"]["open"], moved["draft"]["breached"]) == (1, 1)
    (stayed,) = [each for each in report["policies"] if each["stage"] == "consider"
                 and each["policy_draft"] == "law-15-days"]  # fmt: skip
    assert stayed["then"] == stayed["draft"]
    assert report["newly_late"] == {"appeals": 1, "examples": [lived[0].number]}
    assert report["check"]["unlike"] == 0
    assert "The draft changes law application." in tried(move).out


def test_the_law_in_force_changes_nothing(tried):
    answer = tried(lambda law: None)
    assert answer.status == 0, answer.err
    assert "The draft changes nothing." in answer.out


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda law: law["receipt"].update(until="12:00"), "receipt"),
        (lambda law: law["intake"].pop(), "intake"),
        (lambda law: law["threat"]["services"].pop(), "threat/services"),
    ],
)
def test_what_a_trial_cannot_tell_is_refused_by_its_name(tried, change, named):
    answer = tried(change)
    assert answer.status == 2
    assert f"with another {named} of the law." in answer.err
    assert "try the rest" in answer.err
