"""Acts of a trial from the events of a life, and the terms that its clocks began under."""

from datetime import datetime

import orjson

from domain.appeals.model import Appeal
from domain.appeals.workflow import PauseReason
from domain.events import Event
from domain.reference import Promises
from domain.sla.policy import Stage
from domain.trials.replay import Act
from domain.trials.terms import Term, Terms


def act_of(event: Event) -> Act:
    """What a clock sees of an event."""
    said = orjson.loads(event.canonical)
    data = said["data"]
    reason = data.get("reason")
    return Act(
        kind=event.type,
        at=event.at,
        stage=Stage(data["stage"]) if "stage" in data else None,
        reason=PauseReason(reason) if reason in tuple(PauseReason) else None,
        until=datetime.fromisoformat(data["until"]) if "until" in data else None,
        public=not event.internal and said["actor"]["role"] != "citizen",
    )


def own_terms(appeal: Appeal, promises: Promises) -> Terms:
    """The terms of an appeal's clocks as they are stored."""
    found = {}
    for clock in appeal.clocks:
        promise, calendar = promises.of(clock)
        policy = promises.policies[clock.policy, clock.policy_version]
        found.setdefault(clock.stage, Term(policy, promise, calendar))
    return found
