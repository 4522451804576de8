"""Following: late or at once it ends the same, never twice, and never in a resident's stead."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.model import Appeal
from domain.appeals.use_cases import bind
from domain.appeals.workflow import FINAL, Action, Status
from domain.events import IncidentEventType
from domain.incidents import commands as i
from domain.incidents.following import catch_up, join
from domain.incidents.history import bind_incident
from domain.incidents.model import (
    Area,
    Incident,
    IncidentEvent,
    IncidentFact,
    IncidentKind,
    Matching,
)
from domain.incidents.rules import RULES
from domain.incidents.workflow import IncidentAction as A
from domain.incidents.workflow import IncidentStatus, allowed
from domain.ports import TakenFile
from domain.sla.policy import Stage
from tests.domain.appeals.make import (
    CENTRE,
    CITY,
    DEPARTMENT,
    MANHOLE,
    MONDAY,
    OTHER,
    PHOTO,
    PHOTO_HASH,
    WATER,
    Life,
    ident,
    intake,
    principal,
    reference,
)

TEXTS = {"kk": "Су жоқ", "ru": "Нет воды", "en": "No water"}
UPLOADS = {PHOTO: TakenFile("image", PHOTO_HASH)}
SPEECHES = {
    A.ACCEPT: (Role.EXECUTOR, c.Accept()),
    A.REPORT: (Role.EXECUTOR, c.Report(Stage.SECURE, attachments=(PHOTO,))),
    A.RESOLVE: (Role.EXECUTOR, c.Resolve("Жабылды", (PHOTO,))),
    A.RETURN: (Role.INSPECTOR, c.Return("Жабылмаған")),
    A.CLOSE: (Role.INSPECTOR, i.Close(texts=TEXTS)),
    A.CANCEL: (Role.INSPECTOR, i.Cancel("Қате")),
    A.BROADCAST: (Role.INSPECTOR, i.Broadcast(TEXTS)),
    A.ASSIGN: (Role.INSPECTOR, c.Assign(DEPARTMENT)),
}


class Story:
    """One incident, its history, and one appeal that is joined to it."""

    def __init__(self, service: str) -> None:
        self.at = MONDAY
        self.appeal: Appeal = Life(self.at).register(intake(service))
        opened = Incident(
            ident("incident"), CITY, IncidentKind.OUTAGE, IncidentStatus.ACTIVE,
            Matching.SUGGESTED, True, (MANHOLE,), Area(city=True), frozenset(), TEXTS, CENTRE,
            WATER, CENTRE, self.at, self.at,
        )  # fmt: skip
        fact = IncidentFact(IncidentEventType.OPENED)
        change = bind_incident(opened, [fact], principal(Role.INSPECTOR), self.at)
        self.incident, self.history = change.incident, list(change.events)

    def join(self) -> None:
        self.at += timedelta(minutes=1)
        desk = Desk(principal(Role.INSPECTOR), reference(), self.at)
        step = join(self.appeal, self.incident, desk, by="hand")
        self.appeal = bind(self.appeal, step, desk).appeal

    def act(self, action: A) -> None:
        """Do what the table and the rules allow; nothing where they do not."""
        role, command = SPEECHES[action]
        if str(action) not in allowed(self.incident.status):
            return
        at_work = action in (A.REPORT, A.RESOLVE) and self.incident.accepted_at is None
        again = action is A.ACCEPT and self.incident.accepted_at is not None
        reported = action is A.REPORT and Stage.SECURE in self.incident.reported
        if at_work or again or reported or self.incident.executor == DEPARTMENT:
            return
        self.at += timedelta(minutes=1)
        who = principal(role)
        desk = Desk(who, reference(), self.at, UPLOADS if action in (A.REPORT, A.RESOLVE) else {})
        step = RULES[action](self.incident, command, desk)
        change = bind_incident(step.incident, step.facts, who, self.at)
        self.incident = change.incident
        self.history.extend(change.events)

    def follow(self) -> int:
        """Let the appeal catch up; how many changes it took."""
        if self.appeal.membership is None:
            return 0
        acts: list[IncidentEvent] = [event for event in self.history if event.act is not None]
        before = self.appeal
        caught = catch_up(before, self.incident, acts, reference())
        for change in caught.changes:
            assert change.expected == self.appeal.version
            assert change.appeal.number == before.number
            assert change.appeal.head.sequence == self.appeal.head.sequence + len(change.events)
            assert all(event.at >= self.appeal.updated_at for event in change.events)
            self.appeal = change.appeal
        if self.appeal.membership is not None:
            member = replace(self.appeal.membership, followed=caught.followed)
            self.appeal = replace(self.appeal, membership=member)
        return len(caught.changes)


ACTS = st.lists(st.sampled_from(sorted(SPEECHES)), max_size=8)
SERVICES = st.sampled_from((MANHOLE, OTHER))


def plain(appeal: Appeal) -> Appeal:
    """An appeal without what is drawn at random: ids of assignments, salts in hashes."""
    given_ = appeal.assignment and replace(appeal.assignment, id=appeal.id)
    clocks = tuple(sorted(appeal.clocks, key=lambda k: (k.stage, k.round)))
    return replace(
        appeal, id=CITY, head=replace(appeal.head, hash=b""), clocks=clocks,
        assignment=given_ and replace(given_, id=CITY),
    )  # fmt: skip


@given(SERVICES, ACTS, ACTS)
def test_late_or_at_once_it_ends_the_same_and_dated_the_same(service, before, after):
    # Once the executor changed hands the steps differ in who stood in between, not in the end.
    prompt, late = Story(service), Story(service)
    for story in (prompt, late):
        for action in before:
            if action not in (A.CANCEL, A.RESOLVE, A.ASSIGN):
                story.act(action)
        story.join()
        story.follow()
    for action in after:
        if action is A.ASSIGN:
            continue
        prompt.act(action)
        prompt.follow()
        late.act(action)
    late.follow()
    assert plain(prompt.appeal) == plain(late.appeal)


@given(SERVICES, ACTS)
def test_nobody_follows_twice_and_no_act_is_a_residents_word(service, acts):
    story = Story(service)
    story.join()
    for action in acts:
        story.act(action)
        story.follow()
        assert story.follow() == 0
        assert story.appeal.status not in FINAL
        assert story.appeal.confirmation is None


@given(ACTS)
def test_who_said_no_is_not_asked_again_by_closing(acts):
    story = Story(MANHOLE)
    story.join()
    story.act(A.ACCEPT)
    story.act(A.RESOLVE)
    story.follow()
    life = Life(story.at)
    life.number = story.appeal.number
    # The incident itself is told of it by the use case, which the register's own tests ask.
    alone = replace(story.appeal, membership=None)
    life.shelf.appeals[life.number] = alone
    reopened = life.act(Action.REOPEN, c.Reopen("call", "Жоқ"), Role.OPERATOR)
    story.at = life.at
    story.appeal = replace(reopened, membership=story.appeal.membership)
    for action in acts:
        if action in (A.CLOSE, A.BROADCAST):
            story.act(action)
            story.follow()
    assert story.appeal.status is Status.IN_PROGRESS
