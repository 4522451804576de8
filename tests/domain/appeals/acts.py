"""For each action the one who usually does it and what they say; for each status the way there."""

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action, Directive, PauseReason, Status
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, HearingOutcome, HearingWay
from domain.sla.policy import Stage
from tests.domain.appeals.make import (
    LIFTS,
    MONDAY,
    OTHER,
    PHOTO,
    WATER,
    Life,
    almaty,
    hours,
    intake,
)

A, R = Action, Role
HEARD_AT = almaty("2026-03-12 10:00")

SPEECHES: dict[Action, tuple[Role, c.Command]] = {
    A.ANSWER: (R.OPERATOR, c.GiveAnswer(c.FirstAnswer("Қабылдау 9-дан 18-ге дейін"))),
    A.ASSIGN: (R.INSPECTOR, c.Assign(WATER, "су арнасы")),
    A.REDIRECT: (R.INSPECTOR, c.Assign(LIFTS, "лифт компаниясы")),
    A.ACCEPT: (R.EXECUTOR, c.Accept()),
    A.DECLINE: (R.EXECUTOR, c.Decline("біздің желі емес")),
    A.REPORT: (R.EXECUTOR, c.Report(Stage.SECURE, "қоршалды")),
    A.PAUSE: (R.EXECUTOR, c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық")),
    A.RESUME: (R.EXECUTOR, c.Resume()),
    A.WAIVE: (R.INSPECTOR, c.Waive(Stage.RESOLVE, "пәтер ішінде")),
    A.EXTEND: (R.EXECUTOR, c.AskExtension(Stage.RESOLVE, MONDAY + hours(36), "қақпақ жоқ")),
    A.GRANT: (R.INSPECTOR, c.GrantExtension()),
    A.REFUSE: (R.INSPECTOR, c.RefuseExtension("қоймада бар")),
    A.RESOLVE: (R.EXECUTOR, c.Resolve("қақпақ қойылды", (PHOTO,))),
    A.CHECK: (R.INSPECTOR, c.Check("жақсы")),
    A.RETURN: (R.INSPECTOR, c.Return("сурет басқа жерден")),
    A.CONFIRM: (R.OPERATOR, c.Confirm("call", 5, "рақмет")),
    A.REOPEN: (R.OPERATOR, c.Reopen("call", "әлі ашық")),
    A.WITHDRAW: (R.OPERATOR, c.Withdraw("call", "қателесіппін")),
    A.COMMENT: (R.OPERATOR, c.Comment("бригада жолда")),
    A.CORRECT: (R.OPERATOR, c.Correct(text="Люк ауланың ішінде")),
    A.ATTACH: (R.OPERATOR, c.Attach((PHOTO,))),
    A.INSTRUCT: (R.AKIM, c.Instruct(Directive.INSTRUCTION, "бүгін жабылсын")),
    A.CLASSIFY: (R.INSPECTOR, c.Classify(AppealKind.APPLICATION, "арыз")),
    A.PROLONG: (R.HEAD, c.Prolong(10, "сараптама керек")),
    A.FORWARD: (R.INSPECTOR, c.Forward("Абай облысының прокуратурасы", "құзыреті")),
    A.SUMMON: (R.EXECUTOR, c.Summon(HEARD_AT, HearingWay.VIDEO, "бас тартылмақ")),
    A.HEAR: (R.EXECUTOR, c.Hear(HearingOutcome.WAIVED, "келмейді")),
    A.DECIDE: (R.EXECUTOR, c.Decide(Decision.ANSWERED, "түсіндірілді")),
}

NEEDS: dict[Action, tuple[Action, ...]] = {
    A.GRANT: (A.EXTEND,),
    A.REFUSE: (A.EXTEND,),
    A.PROLONG: (A.CLASSIFY,),
    A.SUMMON: (A.CLASSIFY,),
    A.HEAR: (A.CLASSIFY, A.SUMMON),
    A.DECIDE: (A.CLASSIFY, A.WAIVE),
}
"""What must have been done before, in the same status: an answer wants a question, acts of the law
an appeal before the law, and a decision that an inspector lets the evidence of the work go."""

WAYS: dict[Status, tuple[Action, ...]] = {
    Status.ASSIGNED: (),
    Status.REGISTERED: (A.DECLINE,),
    Status.IN_PROGRESS: (A.ACCEPT,),
    Status.PAUSED: (A.ACCEPT, A.PAUSE),
    Status.ANSWERED: (A.ANSWER,),
    Status.RESOLVED: (A.ACCEPT, A.RESOLVE),
    Status.CHECKED: (A.ACCEPT, A.RESOLVE, A.CHECK),
    Status.CLOSED: (A.ACCEPT, A.RESOLVE, A.CHECK, A.CONFIRM),
    Status.WITHDRAWN: (A.WITHDRAW,),
}
"""From an open manhole, which goes to the water utility at once, to each status."""


def speak(life: Life, *actions: Action) -> Life:
    """Do actions in the usual way, one after the other."""
    for action in actions:
        role, command = SPEECHES[action]
        life.act(action, command, role)
    return life


def at(status: Status) -> Life:
    """The life of an open manhole that has come to a status."""
    life = Life()
    life.register()
    speak(life, *WAYS[status])
    assert life.appeal.status is status
    return life


def with_nobody() -> Life:
    """An appeal for which no organisation answers: it stands with the inspectors."""
    life = Life()
    life.register(intake(OTHER))
    return life
