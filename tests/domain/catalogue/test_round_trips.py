"""What is carried out comes back the same, through files and through a table."""

import unicodedata
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalogue.evidence import STAGES, ActForm, Need
from domain.catalogue.exchange import Draft
from domain.catalogue.model import Catalogue, Category, Criticality, Service, Sphere
from integrations.files import catalogue_csv, catalogue_yaml
from tests.domain.catalogue import make, synthetic

LETTERS = st.characters(exclude_categories=("Cc", "Cs"))


def text(limit, *, lines=False, without=""):
    alphabet = st.one_of(LETTERS, st.sampled_from("=+-@'\";,:#&*!|>%`{}[] қғүұіһё"))
    alphabet = alphabet.filter(lambda letter: letter not in without)
    drawn = st.text(st.one_of(alphabet, st.just("\n")) if lines else alphabet, max_size=20)

    def tidy(value):
        normal = unicodedata.normalize("NFC", value).strip()
        return normal if lines else " ".join(normal.split())

    return drawn.map(tidy).filter(lambda value: 0 < len(value) <= limit)


def texts(limit=60, *, lines=False):
    some = text(limit, lines=lines)
    return st.fixed_dictionaries({"kk": some, "ru": some}, optional={"en": some})


KEYWORDS = st.lists(text(30, without=";"), min_size=1, max_size=3, unique=True).map(tuple)
QUESTIONS = st.fixed_dictionaries(
    {"title": texts()},
    optional={"type": st.just("integer"), "maximum": st.integers(0, 99), "description": texts()},
)
FORMS = st.builds(
    lambda questions: {"type": "object", "properties": questions},
    st.dictionaries(text(12), QUESTIONS, max_size=2),
)
NEEDS = st.builds(
    Need,
    st.integers(0, 10),
    st.none() | st.integers(10, 5000),
    st.none() | st.sampled_from([ActForm("[0-9]{1,6}/[0-9]{4}", "7/2026"), ActForm("=.+", "=1")]),
).filter(Need.pieces)
EVIDENCE = st.dictionaries(st.sampled_from(STAGES), NEEDS)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
POSITIONS = st.integers(0, 9)


@st.composite
def services(draw, code, category):
    begin = draw(DAYS)
    length = draw(st.none() | st.integers(0, 900))
    return Service(
        code=code,
        version=1,
        category=category.code,
        sphere=category.sphere,
        names=draw(texts()),
        description=draw(st.none() | texts()),
        criticality=draw(st.sampled_from(Criticality)),
        policy=draw(st.sampled_from(sorted(make.REFERENCES.policies))),
        responsible=draw(st.sampled_from(sorted(make.REFERENCES.kinds))),
        public=draw(st.booleans()),
        keywords=draw(st.dictionaries(st.sampled_from(["kk", "ru", "en"]), KEYWORDS)),
        first_call_answer=draw(st.none() | texts(lines=True)),
        form=draw(st.none() | FORMS),
        valid_from=begin,
        valid_to=None if length is None else begin + timedelta(days=length),
        evidence=draw(EVIDENCE),
    )


@st.composite
def catalogues(draw):
    spheres, categories, entries = [], [], []
    for s in range(draw(st.integers(0, 2))):
        sphere = Sphere(f"sphere-{s}", draw(texts()), draw(POSITIONS))
        spheres.append(sphere)
        for c in range(draw(st.integers(0, 2))):
            code = f"{sphere.code}.group-{c}"
            category = Category(code, sphere.code, draw(texts()), draw(POSITIONS))
            categories.append(category)
            for n in range(draw(st.integers(0, 2))):
                entries.append(draw(services(f"{sphere.code}.service-{c}-{n}", category)))
    return Catalogue.ordered(spheres, categories, entries)


def draft_of(catalogue):
    return Draft(catalogue.spheres, catalogue.categories, catalogue.services)


SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(catalogues())
def test_the_catalogue_comes_back_from_files_unchanged(catalogue):
    reading = catalogue_yaml.read(catalogue_yaml.encode(catalogue), make.REFERENCES)
    assert reading.problems == ()
    assert reading.draft == draft_of(catalogue)


@SLOW
@given(catalogues())
def test_the_catalogue_comes_back_from_a_table_unchanged(catalogue):
    reading = catalogue_csv.read("c.csv", catalogue_csv.encode(catalogue), make.REFERENCES)
    assert reading.problems == ()
    assert reading.draft == draft_of(catalogue)


def test_the_whole_astana_catalogue_is_carried_through_files_and_table():
    catalogue = synthetic.catalogue(2_500)
    files = catalogue_yaml.read(catalogue_yaml.encode(catalogue), synthetic.REFERENCES)
    table = catalogue_csv.read("c.csv", catalogue_csv.encode(catalogue), synthetic.REFERENCES)
    assert files.draft == table.draft == draft_of(catalogue)
    assert len(catalogue.services) == 2_500


def test_a_bad_row_among_2500_is_found_and_nothing_is_taken_in():
    table = catalogue_csv.encode(synthetic.catalogue(2_500)).decode("utf-8-sig").splitlines()
    table[2_000] = table[2_000].replace(",default,", ",x,").replace(",information,", ",x,")
    reading = catalogue_csv.read("c.csv", "\n".join(table).encode(), synthetic.REFERENCES)
    assert reading.draft is None
    assert [(p.code, p.line) for p in reading.problems] == [("unknown-policy", 2_001)]
