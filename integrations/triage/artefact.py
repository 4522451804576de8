"""A trained model as one file: the same arrays give the same bytes, and the bytes their name.

An .npz as numpy reads it (never pickled), with dates and order fixed. The file that comes with
the platform is of the starter catalogue; a city's own lies under `home`/triage.
"""

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import orjson

from domain.reference import Reference
from domain.triage.model import Danger, Model, fingerprint

STARTER = Path(__file__).parent / "starter.npz"
MOST_BYTES = 5_000_000
FORM = 1
"""Grows when a file of before can no longer be read."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ARRAYS = ("rarity", "weights", "steps", "offsets", "kazakh")


def encode(model: Model) -> bytes:
    """The file of a model; its `sha256` is not in it, being that of the file."""
    about = {
        "form": FORM,
        "name": model.name,
        "catalogue": model.catalogue,
        "sharpness": model.sharpness,
        "codes": model.codes,
        "dangers": [[danger.code, danger.groups] for danger in model.dangers],
        "grams": sorted(model.grams, key=model.grams.__getitem__),
    }
    parts = {"about.json": orjson.dumps(about)}
    for name in _ARRAYS:
        held = BytesIO()
        np.save(held, np.ascontiguousarray(getattr(model, name)), allow_pickle=False)
        parts[f"{name}.npy"] = held.getvalue()
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)
    return target.getvalue()


def decode(data: bytes) -> Model:
    """The model of a file. Raises ValueError for what is none."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        about = orjson.loads(parts["about.json"])
        arrays = {
            name: np.load(BytesIO(parts[f"{name}.npy"]), allow_pickle=False) for name in _ARRAYS
        }
        if about["form"] != FORM:
            raise ValueError(f"form {about['form']}")
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no model of triage: {error}") from error
    return Model(
        name=about["name"],
        sha256=hashlib.sha256(data).hexdigest(),
        catalogue=about["catalogue"],
        codes=tuple(about["codes"]),
        grams={gram: number for number, gram in enumerate(about["grams"])},
        sharpness=about["sharpness"],
        dangers=tuple(Danger(code, tuple(map(tuple, groups))) for code, groups in about["dangers"]),
        **arrays,
    )


class Models:
    """The models of the cities: a city's own file, else the one that comes with the platform.

    Each is read once; a process that should use another file is started again.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "triage"
        self._kept: dict[Path, Model] = {}
        self._learnable: dict[str, tuple[int, str]] = {}

    def of(self, city: str) -> Model:
        """The model for a city, by its code. Raises ValueError for a file that is broken."""
        own = path_of(self._folder.parent, city)
        path = own if own.exists() else STARTER
        if path not in self._kept:
            self._kept[path] = decode(path.read_bytes())
        return self._kept[path]

    def current(self, model: Model, reference: Reference) -> bool:
        """Whether the model was trained on the city's catalogue as it stands."""
        city, version = reference.city.code, reference.version
        kept = self._learnable.get(city)
        if kept is None or kept[0] != version:
            kept = self._learnable[city] = version, fingerprint(reference.catalogue)
        return kept[1] == model.catalogue


def path_of(home: Path, city: str) -> Path:
    """Where a city's own model lies."""
    return home / "triage" / f"{city}.npz"
