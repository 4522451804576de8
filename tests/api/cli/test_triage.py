"""The model at the command line: trained for a city, shown, and measured."""

import shutil

from integrations.triage import artefact
from tests.support.starter import PHRASES


def test_a_city_trains_its_own_model_and_it_is_used(ikomek, tmp_path):
    before = ikomek("triage", "show", "--city", "kishi")
    assert before.status == 0
    assert "The catalogue has changed since" in before.out
    answer = ikomek("triage", "train", "--city", "kishi")
    assert answer.status == 0, answer.err
    path = artefact.path_of(tmp_path / "home", "kishi")
    model = artefact.decode(path.read_bytes())
    assert model.sha256 in answer.out
    assert {code.partition(".")[0] for code in model.codes} == {"general", "lifts", "manholes"}
    after = ikomek("triage", "show", "--city", "kishi")
    assert model.sha256 in after.out
    assert "as it stands" in after.out


def test_what_is_measured_is_told_by_speech_and_beside_the_yardsticks(ikomek, tmp_path):
    folder = tmp_path / "phrases"
    shutil.copytree(PHRASES, folder)
    answer = ikomek("triage", "evaluate", "--city", "kishi", "--phrases", folder)
    assert answer.status == 0, answer.err
    rows = [line.split("\t") for line in answer.out.splitlines()]
    assert rows[0] == ["texts", "speech", "way", "count", "top 1", "top 3"]
    shares = {tuple(row[:3]): float(row[5]) for row in rows[1:] if len(row) == 6}
    for texts, speech in (("complaints", "kk"), ("operators", "ru"), ("operators", "typo")):
        assert shares[texts, speech, "triage"] >= shares[texts, speech, "majority"]
        assert (texts, speech, "search alone") in shares


def test_a_folder_that_is_not_there_is_named(nowhere, tmp_path):
    answer = nowhere("triage", "train", "--phrases", tmp_path / "none")
    assert answer.status != 0
    assert "There is no" in answer.err
