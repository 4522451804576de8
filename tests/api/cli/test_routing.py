"""`ikomek routing check`: a table for people, JSON for programs, an exit code for both."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.api.cli.conftest import Ikomek

DRAFT = """\
organisations:
- {code: centre, kind: contact-centre, names: {kk: a, ru: a, en: a}, calendar: around-the-clock,
   contacts: {phone: +7 7222 10 10 10}}
- {code: water, kind: utility, names: {kk: Су, ru: Вода, en: Water}, calendar: around-the-clock,
   contacts: {phone: +7 7222 10 10 11}}
territories:
- {code: everywhere, kind: city, names: {kk: a, ru: a, en: a}}
responsibilities:
- {selector: "*", territory: everywhere, organisation: centre}
"""


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_text(DRAFT)
    return path


def test_an_executor_that_cannot_be_reached_fails_the_check(ikomek: Ikomek) -> None:
    answer = ikomek("routing", "check")
    assert answer.status == 1
    header, *lines = (line.split("\t") for line in answer.out.splitlines())
    assert header == ["severity", "code", "subject", "what is wrong", "how to mend it"]
    assert {tuple(line[:3]) for line in lines} == {
        ("error", "no-contact", "department"), ("error", "no-contact", "water")
    }  # fmt: skip
    assert "Errors: 2, warnings: 0." in answer.err


def test_a_sound_draft_passes_before_it_is_imported(
    ikomek: Ikomek, draft: Path, city_database: str
) -> None:
    answer = ikomek("routing", "check", "--with", draft)
    assert (answer.status, answer.err.splitlines()[-1]) == (0, "Checking")
    assert answer.out.startswith("Every service reaches an executor at every address")
    with psycopg.connect(city_database) as connection:
        (rules,) = connection.execute("SELECT count(*) FROM responsibility").fetchone() or (0,)
    assert rules == 2


def test_a_draft_that_leaves_lifts_alone_is_told_in_the_language_asked_for(
    ikomek: Ikomek, draft: Path
) -> None:
    draft.write_text(DRAFT.replace('"*"', "manholes"))
    answer = ikomek("routing", "check", "--with", draft, "--json", "--language", "kk")
    assert answer.status == 1
    told = json.loads(answer.out)
    assert (told["city"], told["errors"], told["warnings"]) == ("kishi", 2, 0)
    assert [each["subject"]["code"] for each in told["findings"]] == ["general", "lifts"]
    assert {each["lack"] for each in told["findings"]} == {"uncovered"}
    assert told["findings"][0]["area"]["kind"] == "city"
    assert len(told["findings"][0]["area"]["buildings"]) == 2
    assert told["findings"][0]["what"].startswith("Мына жердің өтініштерін ешкім алмайды")


def test_warnings_fail_only_who_asks_for_it(ikomek: Ikomek, draft: Path) -> None:
    draft.write_text(
        DRAFT + '- {selector: "kind:district-akimat", territory: everywhere, organisation: water}\n'
    )
    answer = ikomek("routing", "check", "--with", draft)
    assert answer.status == 0
    assert "No errors, warnings: 1." in answer.err
    assert ikomek("routing", "check", "--with", draft, "--strict").status == 1


def test_rules_count_as_they_stand_on_the_day_asked_for(ikomek: Ikomek, draft: Path) -> None:
    draft.write_text(DRAFT.replace("centre}", "centre, valid_to: 2030-01-01}"))
    assert ikomek("routing", "check", "--with", draft).status == 0
    after = ikomek("routing", "check", "--with", draft, "--on", "2030-01-01")
    assert after.status == 1
    assert "expired-rule" in after.out


@pytest.mark.parametrize(
    "wrong", [("--with", "/no/such/file"), ("--on", "someday"), ("--city", "none"), ("--fly",)]
)
def test_a_wrong_word_is_another_exit_code(ikomek: Ikomek, wrong: tuple[str, ...]) -> None:
    assert ikomek("routing", "check", *wrong).status == 2


def test_a_draft_that_is_not_sound_is_told_row_by_row(ikomek: Ikomek, draft: Path) -> None:
    draft.write_text(DRAFT.replace("organisation: centre", "organisation: nobody"))
    answer = ikomek("routing", "check", "--with", draft)
    assert answer.status == 1
    assert "nobody" in answer.out
