"""The catalogue at the command line: all of it or nothing, and there and back unchanged."""

import shutil
from pathlib import Path

import psycopg
import pytest
import yaml

STARTER = Path(__file__).parents[3] / "catalogues" / "starter"
LAW = STARTER.parent / "law" / "kz.yaml"


def _services(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*), max(version) FROM service_version").fetchone()


@pytest.fixture
def spoilt(tmp_path):
    """A folder with two mistakes in two files."""
    folder = tmp_path / "spoilt"
    shutil.copytree(STARTER, folder)
    lifts, roads = folder / "lifts.yaml", folder / "roads.yaml"
    lifts.write_text(lifts.read_text().replace("criticality: ", "criticality: very-", 1))
    roads.write_text(roads.read_text().replace("policy: ", "policy: no-such-", 1))
    return folder


def test_a_sound_catalogue_is_checked_without_any_database(nowhere):
    answer = nowhere("catalogue", "check", STARTER)
    assert answer.status == 0
    assert "12 spheres" in answer.out


def test_a_bad_catalogue_is_reported_row_by_row_and_nothing_is_loaded(
    ikomek, spoilt, city_database
):
    before = _services(city_database)
    answer = ikomek("catalogue", "import", spoilt)
    assert answer.status == 1
    rows = [line.split("\t") for line in answer.out.splitlines()]
    assert rows[0][:4] == ["file", "line", "code", "field"]
    found = {row[0]: row for row in rows[1:]}
    assert found["lifts.yaml"][2:4] == ["unknown-criticality", "criticality"]
    assert found["roads.yaml"][2:4] == ["unknown-policy", "policy"]
    for name in ("lifts.yaml", "roads.yaml"):
        wrong = (spoilt / name).read_text().splitlines()[int(found[name][1]) - 1]
        assert found[name][3] in wrong
    assert "Nothing was loaded" in answer.err
    assert _services(city_database) == before


def test_a_dry_run_tells_and_changes_nothing(ikomek, city_database):
    before = _services(city_database)
    answer = ikomek("catalogue", "import", STARTER, "--dry-run")
    assert answer.status == 0
    assert answer.out.splitlines()[0].split("\t") == ["added", "changed", "ended", "unchanged"]
    assert int(answer.out.splitlines()[1].split("\t")[0]) > 100
    assert _services(city_database) == before


@pytest.mark.parametrize("form", ["folder", "table.csv"])
def test_what_is_exported_and_imported_again_changes_nothing(ikomek, tmp_path, form):
    assert ikomek("catalogue", "import", STARTER, "--city", "kishi").status == 0
    assert ikomek("catalogue", "export", tmp_path / form).status == 0
    answer = ikomek("catalogue", "import", tmp_path / form)
    assert answer.status == 0
    added, changed, ended, unchanged = map(int, answer.out.splitlines()[1].split("\t"))
    assert (added, changed, ended) == (0, 0, 0)
    assert unchanged > 400


def test_an_export_overwrites_nothing_unasked(ikomek, tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("mine")
    answer = ikomek("catalogue", "export", target)
    assert (answer.status, target.read_text()) == (1, "mine")
    assert "--force" in answer.err
    assert ikomek("catalogue", "export", target, "--force").status == 0


def test_an_unknown_city_is_named_with_those_that_are_there(ikomek):
    answer = ikomek("catalogue", "import", STARTER, "--city", "atlantis")
    assert answer.status == 2
    assert "kishi" in answer.err


def test_a_changed_promise_becomes_the_next_version_and_a_broken_one_is_refused(
    ikomek, tmp_path, city_database
):
    source = tmp_path / "policies.yaml"
    text = (STARTER / "policies.yaml").read_text()
    source.write_text(text.replace("within: P7D", "within: P6D", 1))
    answer = ikomek("policies", "import", source)
    assert "0 calendars, 1 policies" in answer.out
    source.write_text(text.replace("within: P7D", "within: soon", 1))
    answer = ikomek("policies", "import", source)
    assert answer.status == 1
    assert "/policies/0/stages/0/within" in answer.out
    with psycopg.connect(city_database) as connection:
        newest = connection.execute(
            "SELECT version, content #>> '{stages,0,within}' FROM policy_version"
            " WHERE code = 'default' ORDER BY version DESC LIMIT 1"
        ).fetchone()
    assert newest == (2, "P6D")


@pytest.mark.parametrize("csv", [False, True], ids=["yaml", "csv"])
def test_organisations_go_out_and_in_again_unchanged(ikomek, tmp_path, city_database, csv):
    def rules():
        with psycopg.connect(city_database) as connection:
            return connection.execute(
                "SELECT id, selector, organisation_id FROM responsibility ORDER BY id"
            ).fetchall()

    before = rules()
    target = tmp_path / ("tables" if csv else "all.yaml")
    assert ikomek("organisations", "export", target, *["--csv"] * csv).status == 0
    answer = ikomek("organisations", "import", target)
    assert answer.status == 0, answer.out + answer.err
    assert rules() == before


def test_a_bad_organisation_is_reported_and_nothing_is_taken(ikomek, tmp_path, city_database):
    source = tmp_path / "bad.yaml"
    source.write_text(
        "organisations:\n"
        "  - {code: new, kind: utility, names: {kk: Жаңа, ru: Новая, en: New}, calendar: never}\n"
    )
    answer = ikomek("organisations", "import", source)
    assert answer.status == 1
    assert "bad.yaml\t2\tunknown\tcalendar" in answer.out
    with psycopg.connect(city_database) as connection:
        assert not connection.execute("SELECT 1 FROM organisation WHERE code = 'new'").fetchall()


def test_a_file_of_policies_alone_leans_on_the_calendars_of_the_city(
    ikomek, tmp_path, city_database
):
    def channels():
        with psycopg.connect(city_database) as connection:
            return connection.execute("SELECT * FROM channel_policy ORDER BY channel").fetchall()

    before = channels()
    assert before
    whole = yaml.safe_load((STARTER / "policies.yaml").read_text())
    source = tmp_path / "policies.yaml"
    (policy,) = (each for each in whole["policies"] if each["code"] == "information")
    policy["stages"][0]["within"] = "P2D"
    source.write_text(yaml.safe_dump({"policies": [policy]}))
    assert "0 calendars, 1 policies" in ikomek("policies", "import", source).out
    source.write_text(yaml.safe_dump({"calendars": whole["calendars"][:1]}))
    assert "0 calendars, 0 policies" in ikomek("policies", "import", source).out
    assert channels() == before
    policy["stages"][0]["calendar"] = "never"
    source.write_text(yaml.safe_dump({"policies": [policy]}))
    answer = ikomek("policies", "import", source)
    assert (answer.status, "/policies/0/stages/0/calendar" in answer.out) == (1, True)


def test_a_new_wording_of_the_law_stands_beside_the_old_one(ikomek, tmp_path, city_database):
    def versions():
        with psycopg.connect(city_database) as connection:
            return connection.execute(
                "SELECT version, content #>> '{receipt,until}' FROM law_version ORDER BY version"
            ).fetchall()

    assert versions() == [(1, "18:30")]
    law = yaml.safe_load(LAW.read_text())
    source = tmp_path / "law.yaml"
    source.write_text(yaml.safe_dump(law))
    answer = ikomek("policies", "import", source)
    assert "0 calendars, 0 policies" in answer.out, answer.out + answer.err
    assert versions() == [(1, "18:30")]
    law["law"]["receipt"]["until"] = "18:00"
    source.write_text(yaml.safe_dump({"law": law["law"]}))
    assert ikomek("policies", "import", source).status == 0
    assert versions() == [(1, "18:30"), (2, "18:00")]
    # Without the law in the file, its terms are judged by the one that the city has.
    (term,) = (one for one in law["policies"] if one["code"] == "law-15-days")
    source.write_text(yaml.safe_dump({"policies": [term | {"stages": term["stages"][1:]}]}))
    answer = ikomek("policies", "import", source)
    assert (answer.status, "/policies/0/stages" in answer.out) == (1, True)
    assert "give it that stage" in answer.out
    law["law"]["kinds"][0]["policy"] = "never"
    source.write_text(yaml.safe_dump({"law": law["law"]}))
    answer = ikomek("policies", "import", source)
    assert (answer.status, "/law/kinds/0/policy" in answer.out) == (1, True)
