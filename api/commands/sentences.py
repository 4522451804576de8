"""A sentence for every problem that an import can meet."""

from collections.abc import Mapping, Sequence

from api.commands.console import Failure, Reported, complain, table
from domain.catalogue.problems import Problem
from domain.errors import Invalid

SENTENCES: Mapping[str, str] = {
    "alias": "YAML anchors and aliases are not taken; write the value out",
    "begins-after-the-law": "the law counts from {law}, its policy '{policy}' from {begins} only; "
    "give the policy an earlier effective_from, or the law a later one",
    "bad-code": "a code is lower-case words joined by - and . ('{value}' is not)",
    "bad-csv": "this is no CSV: {reason}",
    "bad-date": "'{value}' is no date; write YYYY-MM-DD",
    "bad-example": "the example '{value}' is not of the form that the pattern says",
    "bad-form": "the form is wrong: {rule}",
    "bad-json": "the cell is no JSON: {reason}",
    "bad-kato": "'{value}' is no KATO code; write its nine digits",
    "bad-pattern": "'{value}' is no regular expression",
    "bad-prefix": "'{value}' is no prefix; write two to six capital Latin letters",
    "bad-utf-8": "the file is not UTF-8; save it as UTF-8",
    "bad-yaml": "this is no YAML: {reason}",
    "code": "'{value}' is no code: lower-case words joined by - and .",
    "contradiction": "the day is both a day off and a working day",
    "control-character": "the text holds a character that cannot be seen ({character})",
    "crosses-itself": "the border crosses itself, or holds nothing",
    "date": "'{value}' is no date; write YYYY-MM-DD",
    "district-cycle": "the district would lie in itself",
    "duplicate": "'{value}' stands here a second time",
    "duration": "'{value}' is no duration; write PT20M, PT3H or P7D",
    "ends-before-it-begins": "it ends before it begins ({valid_from})",
    "in-use": "appeals bear numbers that begin with {value}; the prefix stays",
    "interval": "'{value}' are no hours; write 09:00-13:00",
    "missing-language": "the text in '{language}' is missing",
    "no-evidence": "the stage names no evidence; write photos, within_metres or act",
    "no-working-time": "the calendar has no hour in which anybody works",
    "not-a-day": "'{value}' is no date; write YYYY-MM-DD",
    "not-a-degree": "'{value}' is no number of degrees; write 50.411",
    "not-a-flag": "'{value}' is neither true nor false",
    "not-a-list": "a list is expected",
    "not-a-mapping": "fields with values are expected",
    "missing-kind": "the law has no term for '{kind}'",
    "no-such-term": "a term of the law stands in the policy '{policy}', which lacks '{stage}'; "
    "give it that stage, or let the law name another policy",
    "not-of-the-law": "the law sets no term for '{stage}', which its policy '{policy}' promises; "
    "take the stage out, or let the law name another policy",
    "whole-days": "a term of the law is whole days ('{policy}': {within}); write P15D",
    "not-a-number": "'{value}' is no whole number",
    "not-a-place": "only the row of a sphere or category has a {column}",
    "not-a-point": "'{value}' is no point; write longitude and latitude",
    "not-a-service": "only the row of a service has a {column}",
    "not-a-text": "a text is expected",
    "not-after": "the end is not after the beginning ({valid_from})",
    "not-an-id": "'{value}' is no UUID",
    "not-ascending": "the escalation comes before the one above it",
    "not-in-kazakhstan": "this lies far outside Kazakhstan ({value}); longitude comes first",
    "not-of-this-kind": "a territory of kind '{kind}' does not have this",
    "organisation-cycle": "the organisation would stand above itself",
    "out-of-range": "the number lies outside {minimum} to {maximum}",
    "outside": "'{value}' must begin with '{within}.'",
    "outside-city": "this lies outside the city's bounds ({value}); are the two exchanged?",
    "overlap": "these hours overlap",
    "parts-of-days": "the law counts whole days, those of the calendar '{calendar}' have hours; "
    "write 00:00-24:00, or name another calendar",
    "reference": "the form may not refer elsewhere",
    "repeated": "'{value}' stands here a second time",
    "required": "this is required",
    "same-house": "'{value}' is the same house as '{other}'",
    "schema": "this is no JSON Schema 2020-12",
    "separator": "a keyword may not hold the separator ('{value}')",
    "taken": "'{value}' is the prefix of the city '{owner}'",
    "text": "a text is expected",
    "time": "'{value}' is no time of the day; write '18:30', with its quotation marks",
    "too-deep": "the file is nested deeper than {limit}",
    "too-few-points": "an area needs three points or more",
    "too-large": "this is larger than {limit}",
    "too-long": "the text is longer than {limit} characters ({length})",
    "too-many": "more than {limit} are not taken ({count})",
    "too-many-cells": "the row has {cells} cells, the header {columns}",
    "type": "a {expected} is expected",
    "unasked": "the form requires what it does not ask",
    "unexpected": "this does not go with the rule '{rule}'",
    "unknown": "'{key}{value}' is not known here",
    "unknown-category": "there is no category '{value}'",
    "unknown-criticality": "there is no criticality '{value}'",
    "unknown-field": "there is no such field",
    "unknown-file": "this file is not part of the exchange; allowed: {allowed}",
    "unknown-kind": "there is no kind of organisation '{value}'",
    "unknown-policy": "there is no policy '{value}'; import the policies first",
    "unknown-sphere": "there is no sphere '{value}'",
    "unknown-value": "'{value}' is not known here",
    "unknown-zone": "'{value}' is no time zone; write Asia/Almaty",
    "weekday": "'{value}' is no day of the week; write mon, mon-fri",
}
COLUMNS = ("file", "line", "code", "field", "what is wrong")


class _Facts(dict[str, object]):
    """A fact that a problem does not have leaves its place empty."""

    def __missing__(self, name: str) -> str:
        return ""


def sentence(problem: Problem) -> str:
    """What is wrong, for the person who wrote the file."""
    pattern = SENTENCES.get(problem.code)
    if pattern is None:
        facts = ", ".join(f"{name}: {value}" for name, value in problem.params.items())
        return f"{problem.code} ({facts})" if facts else problem.code
    return pattern.format_map(_Facts(problem.params))


def refuse(problems: Sequence[Problem]) -> Reported:
    """Show every problem; the exception to raise, since nothing was loaded."""
    rows = [(p.file, p.line, p.code, p.field, sentence(p)) for p in problems]
    table(COLUMNS, rows)
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    complain(f"Nothing was loaded: {count}.", "Mend the places above and import again.")
    return Reported()


def refuse_document(name: str, invalid: Invalid) -> Reported:
    """The same for a document whose faults are known by JSON Pointer."""
    problems = [Problem(name, 0, f.rule, f.pointer, f.params) for f in invalid.faults]
    return refuse(problems)


def need(condition: bool, text: str, mend: str = "") -> None:
    """Raise Failure as wrong usage unless the condition holds."""
    if not condition:
        raise Failure(text, mend, status=2)
