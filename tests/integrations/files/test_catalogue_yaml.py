import pytest
import yaml

from domain.catalogue.exchange import References
from integrations.files import catalogue_yaml

REFERENCES = References(policies={"default"}, kinds={"utility"})
GOOD = """\
sphere: {code: lifts, names: {kk: Лифтілер, ru: Лифты}}
categories:
  - code: lifts.emergency
    names: {kk: Шұғыл, ru: Срочно}
    services:
      - code: lifts.stuck
        names: {kk: Қалып қойды, ru: Застрял}
        criticality: high
        policy: default
        responsible: utility
        valid_from: 2026-01-01
        valid_to: null
"""


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return catalogue_yaml.read({"lifts.yaml": data}, REFERENCES)


def test_a_file_is_read():
    assert [service.code for service in read(GOOD).draft.services] == ["lifts.stuck"]


def test_a_byte_order_mark_is_passed_over():
    assert read(b"\xef\xbb\xbf" + GOOD.encode()).draft == read(GOOD).draft


def test_a_problem_tells_the_line_of_the_field():
    (problem,) = read(GOOD.replace("policy: default", "policy: soon")).problems
    assert (problem.file, problem.line, problem.code) == ("lifts.yaml", 9, "unknown-policy")


BAD = {
    "bad UTF-8": (GOOD.encode().replace("Шұғыл".encode(), b"\xff\xfe"), "bad-utf-8", 4),
    "bad YAML": (GOOD + "  - [", "bad-yaml", 14),
    "two documents": (GOOD + "---\n" + GOOD, "bad-yaml", 13),
    "a Python object": ("!!python/object/apply:os.getcwd []", "bad-yaml", 1),
    "an impossible date": (GOOD.replace("2026-01-01", "2026-02-30"), "bad-date", 11),
    "an alias": (GOOD.replace("ru: Лифты", "ru: &a Лифты, en: *a"), "alias", 1),
    "a merge": ("a: &a {b: 1}\nc: {<<: *a}", "alias", 1),
    "a key twice": (GOOD.replace("public", "x") + "        policy: default\n", "duplicate", 13),
    "too deep": ("[" * 50 + "]" * 50, "too-deep", 1),
    "too large": (b"#" * 10_000_001, "too-large", 0),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_plain_data_is_refused_with_its_line(kind):
    data, code, line = BAD[kind]
    reading = read(data)
    assert reading.draft is None
    assert [(p.code, p.line) for p in reading.problems] == [(code, line)]


def test_every_bad_file_is_reported():
    files = {"a.yaml": b"\xff", "b.yaml": b"[", "c.yaml": b"", "d.yaml": GOOD.encode()}
    reading = catalogue_yaml.read(files, REFERENCES)
    assert reading.draft is None
    assert {problem.file for problem in reading.problems} == {"a.yaml", "b.yaml", "c.yaml"}


def test_a_folder_is_read_without_its_policies(tmp_path):
    (tmp_path / "lifts.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "policies.yaml").write_text("policies: []", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("lifts", encoding="utf-8")
    assert catalogue_yaml.read_folder(tmp_path, REFERENCES).draft == read(GOOD).draft


def test_files_are_written_for_people_to_read():
    (data,) = catalogue_yaml.encode(read(GOOD).draft.catalogue()).values()
    assert "Қалып қойды" in data.decode()
    assert "valid_from: 2026-01-01\n" in data.decode()
    assert yaml.safe_load(data)["sphere"]["position"] == 0
