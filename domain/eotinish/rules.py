"""What an appeal does when the state says something of it: one pure function per tale.

Nothing that the state says closes an appeal (law 3): a decision waits for the resident like any
other answer. Where the state hands on the resident's own word, it is taken as theirs if it names
who gave it, and that is the appeal's applicant; else it is told and changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from domain.appeals import clocks, rules
from domain.appeals import commands as c
from domain.appeals.desk import Desk, Step, leave, said, unpause
from domain.appeals.legal_rules import put_off_until
from domain.appeals.model import Appeal, AssignmentState
from domain.appeals.workflow import AWAITING_RESIDENT, OPEN, REOPEN_WITHIN, Status
from domain.eotinish.model import Poison, Tale, Told
from domain.events import EventType, Fact
from domain.register.canonical import instant
from domain.sla.policy import Stage

HOW = "e-otinish"
"""How a word came that the resident gave the state."""
NAMES = 2
"""So many names of a person must stand on both sides before a word closes in that name."""


def numbered(appeal: Appeal, number: str) -> Step | None:
    """The national register has taken the appeal; None where that is known. Raises Poison where
    it stands under another number.
    """
    if appeal.national_number == number:
        return None
    if appeal.national_number is not None:
        raise Poison("another-number", f"{appeal.national_number} {number}")
    fact = Fact(EventType.STATE_NUMBERED, {"national_number": number})
    return Step(replace(appeal, national_number=number), (fact,))


def follow(appeal: Appeal, told: Told, desk: Desk, *, newest: bool = True) -> Step:
    """What the appeal does; `newest` says whether no later message was heard before. Raises Poison
    for what contradicts it.
    """
    deadline = told.at("deadline")
    if newest and deadline is not None:
        appeal = replace(appeal, state_deadline=deadline)
    return _FOLLOW[told.tale](appeal, told, desk)


def _tell(appeal: Appeal, told: Told, _: Desk) -> Step:
    return Step(appeal, (_fact(EventType.STATE_TOLD, told),))


def _extend(appeal: Appeal, told: Told, desk: Desk) -> Step:
    """The state puts the term off: the law's own clock here follows, as far as the law lets it and
    while it runs; what is broken by then stays broken.
    """
    step, deadline = _tell(appeal, told, desk), told.at("deadline")
    if deadline is None:
        return step
    # The state says the last second of a day, or the first instant after it.
    until = desk.reference.city.local(deadline - timedelta(microseconds=1)).date()
    longer = put_off_until(appeal, until, desk)
    if longer is None:
        return step
    after, data = longer
    by = {"by": HOW, "national_number": told.number, "state_version": told.version}
    fact = Fact(EventType.PROLONGED, data | by, said(reason=told.text("text")))
    return Step(after, (*step.facts, fact))


def _decide(appeal: Appeal, told: Told, desk: Desk) -> Step:
    """The state's answer stands where the executor's would; the resident has the last word."""
    if appeal.status not in OPEN:
        return _tell(appeal, told, desk)
    resumed: tuple[Fact, ...] = ()
    if appeal.pause is not None:
        resumed = (Fact(EventType.RESUMED, {"reason": str(appeal.pause.reason)}),)
        appeal = unpause(appeal, desk)
    recalled = leave(appeal, AssignmentState.RECALLED, desk)
    # Whoever had it keeps it in name: a resident's no brings it back to them.
    standing = recalled[0] if recalled else appeal.assignment
    after = replace(appeal, status=Status.RESOLVED, assignment=standing)
    after = clocks.meet(after, *Stage, at=desk.at)
    return Step(after, (*resumed, _fact(EventType.STATE_DECIDED, told)), recalled)


def _rate(appeal: Appeal, told: Told, desk: Desk) -> Step:
    """The resident's yes or no, given to the state."""
    if not _names_the_resident(appeal, told):
        return _tell(appeal, told, desk)
    satisfied = told.values.get("satisfied")
    if satisfied is True and appeal.status in AWAITING_RESIDENT:
        return _as_resident(rules.confirm(appeal, _confirmation(told), desk), appeal, told)
    if satisfied is False and _may_reopen(appeal, desk):
        word = c.Reopen(HOW, told.text("text") or "—")
        return _as_resident(rules.reopen(appeal, word, desk), appeal, told)
    return _tell(appeal, told, desk)


def _withdraw(appeal: Appeal, told: Told, desk: Desk) -> Step:
    if not _names_the_resident(appeal, told) or appeal.status not in OPEN | AWAITING_RESIDENT:
        return _tell(appeal, told, desk)
    step = rules.withdraw(appeal, c.Withdraw(HOW, told.text("text")), desk)
    return _as_resident(step, appeal, told)


_FOLLOW: Mapping[Tale, Callable[[Appeal, Told, Desk], Step]] = {
    Tale.ASSIGNED: _tell,
    Tale.REGISTERED: _tell,
    Tale.PROGRESS: _tell,
    Tale.EXTENDED: _extend,
    # Where it leaves the city nobody here says that it is solved: the inspectors see it told, and
    # the resident reads to whom it went.
    Tale.REDIRECTED: _tell,
    Tale.DECIDED: _decide,
    Tale.RATED: _rate,
    Tale.WITHDRAWN: _withdraw,
}


def _may_reopen(appeal: Appeal, desk: Desk) -> bool:
    if appeal.status is Status.CLOSED:
        return appeal.closed_at is not None and desk.at - appeal.closed_at <= REOPEN_WITHIN
    return appeal.status in AWAITING_RESIDENT


def _confirmation(told: Told) -> c.Confirm:
    rating = told.values.get("rating")
    # A rating on another scale is no rating here; the yes that it came with stands.
    ours = rating if isinstance(rating, int) and 1 <= rating <= 5 else None
    return c.Confirm(HOW, ours, told.text("text"))


def _as_resident(step: Step, appeal: Appeal, told: Told) -> Step:
    """The word is the resident's: its first fact names who gave it, sealed, and how it came."""
    word = step.appeal.confirmation
    if word is not None and appeal.applicant is not None and appeal.applicant.citizen is not None:
        word = replace(word, by=appeal.applicant.citizen)
    if word is not None:
        step = replace(
            step, appeal=replace(step.appeal, confirmation=replace(word, role="citizen"))
        )
    first = step.facts[0]
    named = replace(
        first,
        data={**first.data, "national_number": told.number, "state_version": told.version},
        personal={**first.personal, "author": told.text("author") or ""},
    )
    return replace(step, facts=(named, *step.facts[1:]))


def _names_the_resident(appeal: Appeal, told: Told) -> bool:
    """Whether a word names who gave it, and that is the applicant. Where the register has no name
    of theirs, or one name that many bear, nobody can say so: False. Raises Poison for another's.
    """
    author = told.text("author")
    if author is None or not author.strip():
        return False
    known = appeal.applicant.name if appeal.applicant else None
    if known is None:
        return False
    if not same_person(author, known):
        raise Poison("author-differs")
    return len(_names(author) & _names(known)) >= NAMES


def same_person(one: str, other: str) -> bool:
    """Whether two spellings of a name may be one person's: in any order of the names, in any case,
    with or without the patronymic.
    """
    names = [_names(one), _names(other)]
    return min(map(len, names)) >= 1 and (names[0] <= names[1] or names[1] <= names[0])


def _names(said: str) -> frozenset[str]:
    return frozenset(said.casefold().replace("ё", "е").split())


def _fact(type: EventType, told: Told) -> Fact:
    deadline, at = told.at("deadline"), told.at("at")
    data: dict[str, object] = {
        "tale": str(told.tale),
        "national_number": told.number,
        "state_version": told.version,
        "deadline": instant(deadline) if deadline else None,
        "told_at": instant(at) if at else None,
    }
    for name in ("decision", "state", "rating"):
        if (value := told.values.get(name)) is not None:
            data[name] = value if isinstance(value, int) else str(value)
    return Fact(type, data, said(text=told.text("text"), to=told.text("to")))
