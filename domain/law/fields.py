"""Reading a version of the law from its YAML form. Every bad field is named by its pointer."""

import re
from collections.abc import Mapping
from datetime import time

from domain.law.kinds import AppealKind
from domain.law.model import (
    HearingRule,
    IntakeRule,
    KindRule,
    Law,
    Prolongation,
    Receipt,
    ThreatRule,
)
from domain.sla.rows import Row

LONGEST = 365
SOURCES = ("read", "recalled")
_SHOWN = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def parse_law(row: Mapping[str, object], *, version: int) -> Law:
    """The law of a decoded document. Raises Invalid, every bad field by its pointer."""
    fields = Row(row)
    fields.only(
        "code", "names", "effective_from", "receipt", "redirect", "prolongation", "hearing",
        "threat", "kinds", "intake",
    )  # fmt: skip
    law = Law(
        version=version,
        code=fields.code("code"),
        names=fields.texts("names"),
        effective_from=fields.day("effective_from"),
        receipt=_receipt(fields.row("receipt")),
        kinds=_kinds(fields),
        prolongation=_prolongation(fields.row("prolongation")),
        hearing=_hearing(fields.row("hearing")),
        threat=_threat(fields.row("threat")),
        redirect_article=_article(_only(fields.row("redirect"), "article")),
        intake=tuple(_intake(fields)),
    )
    fields.refuse()
    return law


def _only(row: Row, *known: str) -> Row:
    row.only(*known)
    return row


def _receipt(row: Row) -> Receipt:
    row.only("calendar", "until", "article")
    return Receipt(row.code("calendar"), _time(row, "until"), _article(row))


def _prolongation(row: Row) -> Prolongation:
    row.only("months", "notice_days", "article")
    return Prolongation(_count(row, "months"), _count(row, "notice_days"), _article(row))


def _hearing(row: Row) -> HearingRule:
    row.only("notice_days", "objection_days", "article")
    return HearingRule(_count(row, "notice_days"), _count(row, "objection_days"), _article(row))


def _threat(row: Row) -> ThreatRule:
    row.only("policy", "article", "services")
    return ThreatRule(row.code("policy"), _article(row), _words(row, "services"))


def _kinds(fields: Row) -> Mapping[AppealKind, KindRule]:
    found: dict[AppealKind, KindRule] = {}
    for pointer, item in fields.items("kinds"):
        row = Row(item, pointer, fields.faults)
        row.only("kind", "names", "policy", "article", "prolongable", "source")
        kind = row.choice("kind", AppealKind)
        if kind in found:
            row.fault("kind", "repeated", value=str(kind))
        found[kind] = KindRule(
            kind, row.texts("names"), row.code("policy"), _article(row),
            row.flag("prolongable"), _source(row),
        )  # fmt: skip
    for kind in AppealKind:
        if kind not in found:
            fields.fault("kinds", "missing-kind", kind=str(kind))
    return found


def _intake(fields: Row) -> list[IntakeRule]:
    rules = []
    for pointer, item in fields.items("intake"):
        row = Row(item, pointer, fields.faults)
        row.only("is", "channels", "kinds", "services")
        kind = None if row.source.get("is") == "none" else row.choice("is", AppealKind)
        rules.append(
            IntakeRule(kind, _words(row, "channels"), _words(row, "kinds"), _words(row, "services"))
        )
    return rules


def _words(row: Row, name: str) -> frozenset[str]:
    found = set()
    for pointer, item in row.items(name):
        if not isinstance(item, str) or not item:
            row.fault_at(pointer, "type", expected="string")
        found.add(str(item))
    return frozenset(found)


def _article(row: Row) -> str:
    value = row.source.get("article")
    if row.required("article") and not (isinstance(value, str) and value.strip()):
        row.fault("article", "type", expected="string")
    return str(value)


def _source(row: Row) -> str:
    value = row.source.get("source")
    if row.required("source") and value not in SOURCES:
        row.fault("source", "unknown-value", value=value, allowed=list(SOURCES))
    return str(value)


def _count(row: Row, name: str) -> int:
    value = row.source.get(name)
    if not row.required(name):
        return 1
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST:
        row.fault(name, "out-of-range", value=value, minimum=1, maximum=LONGEST)
        return 1
    return value


def _time(row: Row, name: str) -> time:
    value = row.source.get(name)
    if not row.required(name):
        return time(0)
    # Without quotation marks YAML reads 16:40 as the number 1000, which would be ten o'clock.
    if isinstance(value, str) and _SHOWN.fullmatch(value):
        return time.fromisoformat(value)
    row.fault(name, "time", value=value)
    return time(0)
