"""Write a spread sample of the catalogue's forms as the API gives them, with sound answers.

Usage: `python judges/forms/export.py OUT.json [--all]`

What a person must be shown (`texts`) is read from the catalogue itself and not from the
localised form, so that a text which fell back to another language is found out.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from domain.catalogue.localised import localise
from domain.values import Language

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "catalogues" / "starter"
SAMPLE = 30
TEXTS = ("Абай 12", "09:30", "12:00", "2026-03", "1234")
FORMATS = {"date": "2026-03-14", "date-time": "2026-03-14T09:30:00.000Z"}

Form = Mapping[str, Any]


def forms() -> dict[str, Form]:
    """Every form of the starter catalogue by service code, in the order of the files."""
    found: dict[str, Form] = {}
    for path in sorted(STARTER.glob("*.yaml")):
        for category in yaml.safe_load(path.read_text("utf-8")).get("categories", ()):
            for service in category["services"]:
                if service.get("form"):
                    found[service["code"]] = service["form"]
    return found


def kind(question: Form) -> str:
    """What decides how a question is drawn: type, format, choice, pattern."""
    marks = [question["type"], question.get("format", "")]
    return " ".join([*marks, *(word for word in ("oneOf", "enum", "pattern") if word in question)])


def kinds(form: Form) -> set[str]:
    """The kinds of all questions of a form."""
    return {kind(question) for question in form["properties"].values()}


def sample(every: Mapping[str, Form], size: int) -> list[str]:
    """Codes spread evenly; where a kind of question is missing, its first form comes as well."""
    codes = list(every)
    chosen = {codes[number * len(codes) // size] for number in range(min(size, len(codes)))}
    for code in codes:
        if kinds(every[code]) - set().union(*(kinds(every[other]) for other in chosen)):
            chosen.add(code)
    return [code for code in codes if code in chosen]


def answer(question: Form) -> object:
    """A sound answer to a question."""
    if "oneOf" in question:
        return question["oneOf"][-1]["const"]
    if "enum" in question:
        return question["enum"][-1]
    if question["type"] in ("integer", "number"):
        return question.get("maximum", question.get("minimum", 7))
    if question["type"] == "boolean":
        return False
    return FORMATS.get(question.get("format", "")) or _text(question)


def _text(question: Form) -> str:
    least, most = question.get("minLength", 0), question.get("maxLength", 10_000)
    for text in TEXTS:
        if least <= len(text) <= most and re.search(question.get("pattern", ""), text):
            return text
    raise SystemExit(f"no sound answer is known for {question}")


def texts(form: Form, language: str) -> Iterator[dict[str, object]]:
    """The title and the titles of the choices of each question, as the catalogue has them."""
    for name, question in form["properties"].items():
        choices = [choice["title"][language] for choice in question.get("oneOf", ())]
        yield {"name": name, "title": question["title"][language], "choices": choices}


def _entry(code: str, form: Form) -> dict[str, object]:
    return {
        "code": code,
        "required": list(form.get("required", ())),
        "answers": {name: answer(question) for name, question in form["properties"].items()},
        "languages": {
            language.value: {
                "schema": localise(form, language),
                "texts": list(texts(form, language)),
            }
            for language in Language
        },
    }


def main(arguments: Sequence[str]) -> None:
    """Write the file and say what the sample holds."""
    every = forms()
    codes = sample(every, len(every) if "--all" in arguments else SAMPLE)
    Path(arguments[0]).write_bytes(orjson.dumps([_entry(code, every[code]) for code in codes]))
    present = set().union(*(kinds(every[code]) for code in codes))
    told = f"{len(codes)} of {len(every)} forms, {len(present)} kinds of question"
    sys.stdout.write(f"exported: {told}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
