"""A city's sheet as a YAML file: bytes to a draft, and back."""

from domain import cities
from domain.catalogue.problems import Problem, Spot
from domain.cities import CityDraft, CityReading, Standing
from integrations.files.catalogue_yaml import Refused, decode, dump


def read(name: str, data: bytes, standing: Standing) -> CityReading:
    """The city of a file, or every problem found."""
    try:
        source = decode(name, data)
    except Refused as refused:
        problem = Problem(name, refused.line, refused.code, "", refused.params)
        return CityReading(None, (problem,))
    return cities.read(Spot(name, source.lines), source.content, standing)


def encode(draft: CityDraft) -> bytes:
    """The city as a file; `read` gives the same city back."""
    return dump(cities.write(draft))
