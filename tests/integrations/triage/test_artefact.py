"""A model as a file: the same bytes for the same arrays, and nothing but a model is taken."""

import sys
from dataclasses import fields
from io import BytesIO
from subprocess import run
from zipfile import ZipFile

import numpy as np
import pytest

from domain.triage.model import Model, fingerprint
from integrations.triage import artefact, corpus
from integrations.triage.recipe import name_of
from tests.support.starter import PHRASES, starter, starter_model

DATA = artefact.STARTER.read_bytes()


def same(one: Model, other: Model) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        if isinstance(getattr(one, field.name), np.ndarray)
        else getattr(one, field.name) == getattr(other, field.name)
        for field in fields(Model)
    )


def test_what_is_written_is_read_again_and_written_alike():
    model = artefact.decode(DATA)
    assert artefact.encode(model) == DATA
    assert same(artefact.decode(artefact.encode(model)), model)


def test_the_file_is_small_and_so_are_its_arrays():
    model = starter_model()
    assert len(DATA) <= artefact.MOST_BYTES
    assert model.weights.nbytes + model.rarity.nbytes + model.kazakh.nbytes < 10_000_000
    assert model.weights.shape == (len(model.grams), len(model.codes))


def test_the_file_that_comes_along_was_made_of_what_stands_here():
    catalogue, model = starter(), starter_model()
    examples = [
        *corpus.of_catalogue(catalogue),
        *corpus.known(corpus.read_spoken(PHRASES), catalogue),
        *corpus.known(corpus.read_labelled(PHRASES), catalogue),
    ]
    dangers = corpus.read_dangers(PHRASES)
    known = fingerprint(catalogue)
    assert model.catalogue == known, "train it again: ikomek triage train"
    assert model.name == name_of(examples, dangers, known), "train it again: ikomek triage train"
    assert model.dangers == dangers
    assert set(model.codes) == {service.code for service in catalogue.services}


@pytest.mark.parametrize("data", [b"", b"no zip", DATA[:1_000], DATA[:-200]])
def test_what_is_no_model_is_refused(data: bytes):
    with pytest.raises(ValueError, match="no model"):
        artefact.decode(data)


def test_pickled_arrays_are_refused():
    changed = BytesIO()
    with ZipFile(BytesIO(DATA)) as source, ZipFile(changed, "w") as target:
        for entry in source.infolist():
            held = BytesIO()
            np.save(held, np.array([{"a": 1}], dtype=object), allow_pickle=True)
            target.writestr(
                entry, held.getvalue() if entry.filename == "steps.npy" else source.read(entry)
            )
    with pytest.raises(ValueError, match="no model"):
        artefact.decode(changed.getvalue())


def test_a_citys_own_file_comes_before_the_one_that_comes_along(tmp_path):
    own = artefact.decode(DATA)
    path = artefact.path_of(tmp_path, "semey")
    path.parent.mkdir()
    changed = Model(
        **{field.name: getattr(own, field.name) for field in fields(Model)} | {"name": "own"}
    )
    path.write_bytes(artefact.encode(changed))
    models = artefact.Models(tmp_path)
    assert models.of("semey").name == "own"
    assert models.of("kishi").name == own.name
    assert models.of("kishi") is models.of("another")


def test_neither_the_api_nor_the_worker_loads_what_only_training_needs():
    said = run(
        [sys.executable, "-c", "import sys, api.app, api.worker.process, api.worker.actors;"
         "print([m for m in ('sklearn', 'scipy', 'joblib') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "[]"
