"""The terms that the state counts, held against those of the city's law: where they differ, one of
them is wrong, and an appeal would be late in one register and in time in the other.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from domain.eotinish.agreements import Agreements, Term
from domain.errors import NotFound
from domain.law.kinds import AppealKind
from domain.law.model import Law
from domain.reference import Promises
from domain.sla.policy import Stage

DAY = timedelta(days=1)


def differing(agreements: Agreements, promises: Promises, on: date) -> Iterator[str]:
    """A sentence for each type whose term is not that of the law in force on a day of the city;
    nothing for a city that took no law in.
    """
    law = promises.law(on)
    if law is None:
        return
    for type_, term in agreements.terms.items():
        kind = agreements.laws[type_]
        ours = _term(law, kind, promises, on)
        if ours is not None and ours != term:
            rule = law.kinds[kind]
            yield (
                f"terms.yaml: the state counts {term} for {type_} ({kind}),"
                f" the city's law {ours} (policy {rule.policy}, {rule.article})"
            )


def _term(law: Law, kind: AppealKind, promises: Promises, on: date) -> Term | None:
    """The law's term for a kind; None where no policy in force promises any."""
    try:
        promise = promises.policy(law.kinds[kind].policy, on).promise(Stage.CONSIDER)
    except NotFound:
        return None
    if promise is None:
        return None
    return Term(promise.within // DAY, working=promise.calendar == law.receipt.calendar)
