"""The model of the resident's words: train it, measure it, say which one is in use."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cyclopts import App

from api.commands.catalogue import policies_beside, read_source, sound
from api.commands.console import note, progress, say, table
from api.commands.database import Office, city_of, in_office
from api.commands.environment import read_settings
from api.commands.sentences import need
from domain.catalogue.model import Catalogue
from domain.triage.model import Model, fingerprint
from integrations.postgres import reference
from integrations.triage import artefact, corpus, evaluation
from integrations.triage.corpus import Example

CATALOGUES = Path(__file__).parents[2] / "catalogues"
STARTER, PHRASES = CATALOGUES / "starter", CATALOGUES / "phrases"

app = App(name="triage", help="The model of residents' words: train, evaluate, show.")


@app.command
def train(*, city: str | None = None, phrases: Path = PHRASES, out: Path | None = None) -> None:
    """Train the model again, from a catalogue and phrases; it takes some ten seconds.

    With a city it is the city's own: written under home, taken up by API processes that start
    afterwards. Without one it is that of the starter catalogue, which comes with the platform.

    Parameters
    ----------
    city
        The city whose catalogue is learnt.
    phrases
        A folder with spoken.yaml and kzgov.csv, or either.
    out
        Another place to write to.
    """
    need(phrases.is_dir(), f"There is no folder {phrases}.")
    catalogue = _catalogue(city)
    with progress("Training"):
        model = learn(
            _taught(catalogue, phrases) + _labelled(catalogue, phrases), catalogue, phrases
        )
    home = read_settings().home
    target = out or (artefact.path_of(home, city) if city else artefact.STARTER)
    data = artefact.encode(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    say(f"Written to {target}: {_described(model)}, {len(data):,} bytes.")


@app.command
def evaluate(*, city: str | None = None, phrases: Path = PHRASES) -> None:
    """Measure on texts that the model did not learn from; it takes about a minute.

    The labelled complaints are asked fold by fold, near-duplicates and translations together;
    phrases of operators and of alarms, which nothing trains on, are asked of the whole model.

    Parameters
    ----------
    city
        The city whose catalogue is measured; without it the starter catalogue.
    phrases
        A folder with kzgov.csv, and with spoken.yaml, operators.csv and alarms.csv where there are.
    """
    need((phrases / corpus.LABELLED).exists(), f"There is no {corpus.LABELLED} in {phrases}.")
    catalogue = _catalogue(city)
    taught, labelled = _taught(catalogue, phrases), _labelled(catalogue, phrases)
    examiner = evaluation.Examiner(catalogue, _day(catalogue))
    with progress("Five folds"):
        asked = {
            "complaints": evaluation.crossed(
                taught, labelled, lambda examples: learn(examples, catalogue, phrases), examiner
            )
        }
    model = learn(taught + labelled, catalogue, phrases)
    for name, file in corpus.ASKED.items():
        if examples := corpus.known(corpus.read_asked(phrases / file), catalogue):
            asked[name] = list(examiner.ask(model, evaluation.majority(labelled), examples))
    _show(asked, examiner)


@app.command
def show(*, city: str | None = None) -> None:
    """Say which model a city's API processes use, and whether it knows today's catalogue.

    Parameters
    ----------
    city
        The city's code; without it the model that comes with the platform.
    """
    model = artefact.Models(read_settings().home).of(city or "")
    catalogue = _catalogue(city)
    say(f"{_described(model)}.")
    unseen = sorted({service.code for service in catalogue.services} - set(model.codes))
    if model.catalogue == fingerprint(catalogue):
        say("It was trained on the catalogue as it stands.")
    else:
        say(f"The catalogue has changed since; {len(unseen)} services are found by search alone.")
        note("Train it again: ikomek triage train --city …")


def learn(examples: Sequence[Example], catalogue: Catalogue, phrases: Path) -> Model:
    """A model of the examples and of the folder's words of danger."""
    # Two seconds of imports, and memory that no process of the platform has to spare.
    from integrations.triage.training import train

    return train(examples, corpus.read_dangers(phrases), catalogue=fingerprint(catalogue))


def _taught(catalogue: Catalogue, phrases: Path) -> list[Example]:
    spoken = corpus.known(corpus.read_spoken(phrases), catalogue)
    return [*corpus.of_catalogue(catalogue), *spoken]


def _labelled(catalogue: Catalogue, phrases: Path) -> list[Example]:
    return corpus.known(corpus.read_labelled(phrases), catalogue)


def _catalogue(city: str | None) -> Catalogue:
    if city is None:
        return sound(read_source(STARTER, policies_beside(STARTER) or ())).catalogue()

    async def work(at: Office) -> Catalogue:
        async with at.engine.connect() as connection:
            found = await city_of(connection, city)
            return (await reference.load(connection, found.id, at.now())).catalogue

    return in_office(work)


def _day(catalogue: Catalogue) -> date:
    """A day on which all of it is offered."""
    return max(service.valid_from for service in catalogue.services)


def _described(model: Model) -> str:
    return (
        f"model {model.name}, SHA-256 {model.sha256}, {len(model.codes)} services,"
        f" {len(model.grams)} grams"
    )


def _show(asked: dict[str, list[evaluation.Asked]], examiner: evaluation.Examiner) -> None:
    rows = [
        (s.texts, s.speech, s.way, s.count, f"{s.first:.3f}", f"{s.among_three:.3f}")
        for texts, answers in asked.items()
        for s in evaluation.scores(texts, answers)
    ]
    table(("texts", "speech", "way", "count", "top 1", "top 3"), rows, "How often it is right")
    alarms = [examiner.alarms(texts, answers) for texts, answers in asked.items()]
    columns = ("texts", "emergencies", "among first three", "others", "called an emergency")
    told = [(a.texts, a.meant, f"{a.found:.3f}", a.calm, f"{a.false:.3f}") for a in alarms]
    table(columns, told, "Emergencies")
    for alarm in alarms:
        for text in alarm.missed:
            note(f"missed: {text}")
