"""A catalogue as large as Astana's: 2,500 services put together from the words of the city."""

from datetime import date
from functools import cache
from itertools import product
from random import Random

from domain.catalogue.exchange import References
from domain.catalogue.model import Catalogue, Category, Criticality, Service, Sphere

SPHERES = {
    "transport": ("Қоғамдық көлік", "Общественный транспорт", "Public transport"),
    "housing": ("Тұрғын үй", "Жильё", "Housing"),
    "lifts": ("Лифтілер", "Лифты", "Lifts"),
    "waste": ("Қатты тұрмыстық қалдықтар", "Твёрдые бытовые отходы", "Solid waste"),
    "roads": ("Жергілікті жолдар", "Местные дороги", "Local roads"),
    "utilities": ("Су, жылу және жарық", "Вода, тепло и свет", "Water, heat and power"),
}
THINGS = [
    ("лифт", "лифт", "lift"),
    ("құбыр", "труба", "pipe"),
    ("жылу", "отопление", "heating"),
    ("су", "вода", "water"),
    ("жарық", "освещение", "lighting"),
    ("қоқыс жәшігі", "мусорный контейнер", "waste container"),
    ("жол төсемі", "дорожное покрытие", "road surface"),
    ("аялдама", "остановка", "bus stop"),
    ("автобус", "автобус", "bus"),
    ("бағдаршам", "светофор", "traffic light"),
    ("люк", "люк колодца", "manhole cover"),
    ("ағаш", "дерево", "tree"),
    ("балалар алаңы", "детская площадка", "playground"),
    ("кәріз", "канализация", "sewerage"),
    ("төбе", "крыша", "roof"),
    ("есік", "дверь подъезда", "entrance door"),
    ("шатыр", "козёл", "canopy"),
    ("есептегіш", "счётчик", "meter"),
    ("жаяу жол", "тротуар", "pavement"),
    ("домофон", "домофон", "intercom"),
]
TROUBLES = [
    ("сынған", "сломан", "is broken"),
    ("жоқ", "отсутствует", "is missing"),
    ("ағып тұр", "протекает", "leaks"),
    ("жұмыс істемейді", "не работает", "does not work"),
    ("лас", "загрязнён", "is dirty"),
    ("тексеру керек", "требует проверки", "needs a check"),
    ("ауыстыру керек", "требует замены", "needs replacing"),
    ("қатты шу шығарады", "сильно шумит", "is noisy"),
    ("қауіпті", "опасен для людей", "is dangerous"),
    ("бойынша кеңес", "консультация", "advice"),
    ("қар басқан", "занесён снегом", "is under snow"),
]
PLACES = [
    ("аулада", "во дворе", "in the yard"),
    ("кіреберісте", "в подъезде", "in the entrance"),
    ("көшеде", "на улице", "in the street"),
    ("мектеп жанында", "возле школы", "near a school"),
    ("аурухана жанында", "возле больницы", "near a hospital"),
    ("саябақта", "в парке", "in the park"),
    ("жертөледе", "в подвале", "in the basement"),
    ("пәтерде", "в квартире", "in the flat"),
    ("базар жанында", "у рынка", "near the market"),
    ("көпірде", "на мосту", "on the bridge"),
    ("автотұрақта", "на парковке", "in the car park"),
    ("ауылда", "в посёлке", "in the settlement"),
]
LANGUAGES = ("kk", "ru", "en")
REFERENCES = References(
    policies=frozenset({"default", "information"}), kinds=frozenset({"housing", "utility"})
)


def texts(*parts):
    """The parts, each (kk, ru, en), joined language by language."""
    return {lang: " ".join(p[n] for p in parts) for n, lang in enumerate(LANGUAGES)}


@cache
def catalogue(size: int = 2_500, seed: int = 109) -> Catalogue:
    """A catalogue of the size; the same for the same seed."""
    spheres = [Sphere(code, texts(name), n) for n, (code, name) in enumerate(SPHERES.items())]
    categories = [
        Category(f"{sphere.code}.group-{n}", sphere.code, texts(THINGS[n]), n)
        for sphere in spheres
        for n in range(8)
    ]
    chosen = Random(seed)
    mixes = chosen.sample(list(product(THINGS, TROUBLES, PLACES)), size)
    services = [_service(n, chosen.choice(categories), mix, chosen) for n, mix in enumerate(mixes)]
    return Catalogue.ordered(spheres, categories, services)


def _service(number, category, mix, chosen):
    thing, trouble, place = mix
    names = texts(thing, trouble, place)
    others = [texts(chosen.choice(THINGS), chosen.choice(TROUBLES)) for _ in range(3)]
    return Service(
        code=f"{category.sphere}.service-{number}",
        version=1,
        category=category.code,
        sphere=category.sphere,
        names=names,
        description=texts(place, thing, trouble) if number % 2 else None,
        criticality=chosen.choice(list(Criticality)),
        policy=chosen.choice(["default", "information"]),
        responsible=chosen.choice(["housing", "utility"]),
        public=number % 5 != 0,
        keywords={lang: tuple({o[lang]: 0 for o in others}) for lang in LANGUAGES},
        first_call_answer=texts(("Күте тұрыңыз.", "Ожидайте.", "Wait.")) if number % 3 else None,
        form=_form(number) if number % 4 == 0 else None,
        valid_from=date(2026, 1, 1),
        valid_to=None,
    )


def _form(number):
    return {
        "type": "object",
        "properties": {
            "floor": {
                "type": "integer",
                "minimum": 1,
                "maximum": 10 + number % 30,
                "title": {"kk": "Қабат", "ru": "Этаж", "en": "Floor"},
            },
            "since": {"type": "string", "format": "date", "title": {"kk": "Күні", "ru": "Дата"}},
        },
        "required": ["floor"],
    }
