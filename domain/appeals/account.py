"""What the events of an appeal tell of its row, and of the rows that follow from it.

Lists, queues and figures are answered from rows; what was hashed and signed are the events. So an
audit counts each row again from the events alone, as replay.py does with clocks, and holds what is
stored to it. What no event tells is not held: docs/register.md names it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.access import Role
from domain.appeals.model import AssignmentState as A
from domain.appeals.verdicts import VERDICTS, Verdict
from domain.catalogue.model import Criticality
from domain.events import EventType
from domain.register.canonical import GENESIS

Document = Mapping[str, Any]
Told = dict[str, Any]
"""Columns with what the events tell of them. Of a column that is not there they tell nothing."""

BY_THE_STATE = "e-otinish"
"""How a word came that the resident gave the state: it names the applicant, by no id."""
_LEGAL = ("kind", "law_version", "received", "considered", "threat", "last_day")


class NoAccount(ValueError):
    """The events are none of an appeal's life."""


@dataclass(slots=True)
class Account:
    """One appeal as its events tell it.

    `appeal` are columns; `legal` keys of its standing before the law (None: it has none);
    `assignments` by id and `completions` in order, each with its columns; `holders` all to whom it
    was ever given; `files` the SHA-256 of each attachment, as it came and as it is kept; `sealed`
    the commitments of each event by field, and `words` those that the row's own texts must give,
    with the event's id.
    `hurried`: something happened that may have made an emergency of it, by its policy.
    """

    appeal: Told = field(default_factory=dict)
    legal: Told | None = None
    assignments: dict[str, Told] = field(default_factory=dict)
    completions: list[Told] = field(default_factory=list)
    holders: set[str] = field(default_factory=set)
    files: dict[str, Told] = field(default_factory=dict)
    sealed: dict[str, Mapping[str, str]] = field(default_factory=dict)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    hurried: bool = False
    _standing: Told | None = None

    def tell(self, event: Document) -> None:
        """Let one event happen. Raises NoAccount, or KeyError, TypeError, ValueError for bytes
        that are no event.
        """
        kind, about = event["type"], event["about"]
        if (kind == EventType.REGISTERED) is not (event["previous"] == GENESIS.hex()):
            raise NoAccount("a life begins with its registration, and with nothing else")
        if self.appeal.setdefault("number", about["number"]) != about["number"]:
            raise NoAccount(f"it tells of {self.appeal['number']} and of {about['number']}")
        if (handle := _HANDLERS.get(kind)) is not None:
            handle(self, event, event["data"], datetime.fromisoformat(event["at"]))
        self.appeal |= {
            "status": about["status"], "service": about["service"],
            "organisation_id": about["organisation"],
        }  # fmt: skip
        self.sealed[event["id"]] = event["personal"]
        self._files(event)

    def done(self) -> "Account":
        """The account, whole. Raises NoAccount where nothing was told."""
        if not self.sealed:
            raise NoAccount("it has no events")
        standing = self._standing["id"] if self._standing else None
        self.appeal["assignment_id"] = standing
        return self

    # --- the record ----------------------------------------------------------------

    def registered(self, event: Document, data: Document, at: datetime) -> None:
        own = event["actor"]["role"] == Role.CITIZEN
        self.appeal |= {
            "id": event["appeal"], "city_id": event["city"], "number": data["number"],
            **{name: data[name] for name in
               ("kind", "channel", "language", "service_version", "criticality", "district")},
            "operator_id": None if own else event["actor"]["id"],
            # Staff write down a name; only residents and the state name an account.
            "citizen_id": event["actor"]["id"] if own else None,
            "route": data["route"], "registered_at": at, "closed_at": None, "first_contact": False,
            "reopened": 0, "redirected": 0, "confirmation": None, "pause": None, "extension": None,
            "waivers": [], "incident_id": None, "incident_joined_at": None, "hearing_at": None,
            "national_number": data.get("national_number"), "emergency": False,
        }  # fmt: skip
        self._stands(data.get("legal"))
        self._worded(event, "text", "place", "answers", "name", "phone", "email")

    def corrected(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["service_version"] = data["service_version"]
        changed = set(data["fields"])
        if "service" in changed:
            self.appeal["waivers"] = []
        for name, by in _RETOLD.items():
            if by in changed:
                self._retell(name, data)
        self._worded(event, "text", "place", "answers")

    def numbered(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["national_number"] = data["national_number"]

    def linked(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal.pop("citizen_id", None)
        if event["actor"]["role"] == Role.CITIZEN:
            self.appeal["citizen_id"] = event["actor"]["id"]

    def joined(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal |= {"incident_id": data["incident"], "incident_joined_at": at}

    def parted(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal |= {"incident_id": None, "incident_joined_at": None}

    # --- who has it ------------------------------------------------------------------

    def assigned(self, event: Document, data: Document, at: datetime) -> None:
        self._standing = self.assignments[data["assignment"]] = {
            "id": data["assignment"], "organisation_id": data["organisation"],
            "state": A.OFFERED, "offered_at": at, "answered_at": None, "done_at": None,
        }  # fmt: skip
        self.holders.add(data["organisation"])
        if data["by"] == "route":
            rule = data["responsibility"]
            self.appeal["responsibility"] = None if rule == "None" else rule

    def accepted(self, event: Document, data: Document, at: datetime) -> None:
        self._stand(state=A.ACCEPTED, answered_at=at)

    def declined(self, event: Document, data: Document, at: datetime) -> None:
        self._leave(A.DECLINED, at)

    def redirected(self, event: Document, data: Document, at: datetime) -> None:
        self._leave(A.REDIRECTED, at)
        self.appeal["redirected"] += 1
        self.appeal["pause"] = None

    def _stand(self, **changes: object) -> None:
        if self._standing is not None:
            self._standing.update(changes)

    def _leave(self, state: A, at: datetime, *, keeps: bool = False) -> None:
        standing = self._standing
        if standing is not None and standing["state"] != A.DONE:
            standing |= {"state": state, "answered_at": standing["answered_at"] or at}
        if not keeps:
            self._standing = None

    # --- the work --------------------------------------------------------------------

    def paused(self, event: Document, data: Document, at: datetime) -> None:
        until = datetime.fromisoformat(data["until"])
        self.appeal["pause"] = {"reason": data["reason"], "since": at, "until": until}

    def resumed(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["pause"] = None

    def waived(self, event: Document, data: Document, at: datetime) -> None:
        what_for = {"stage": data["stage"], "termination": data.get("termination", False)}
        let_go = [what_for | {"piece": piece} for piece in data["evidence"] or [None]]
        self.appeal["waivers"] = [*self.appeal["waivers"], *let_go]

    def asked(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["extension"] = {
            "stage": data["stage"], "round": data["round"], "asked_at": at,
            "until": datetime.fromisoformat(data["until"]),
            "assignment": self._standing["id"] if self._standing else None,
        }  # fmt: skip

    def settled(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["extension"] = None

    def resolved(self, event: Document, data: Document, at: datetime) -> None:
        self._stand(state=A.DONE, done_at=at)
        if self._standing is not None:
            done = {
                "number": len(self.completions) + 1, "done_at": at, "verdict": None,
                "organisation_id": self._standing["organisation_id"], "judged_at": None,
                "service": event["about"]["service"],
            }  # fmt: skip
            known = {name: self.appeal[name] for name in ("district",) if name in self.appeal}
            self.completions.append(done | known)

    def decided_by_the_state(self, event: Document, data: Document, at: datetime) -> None:
        self._leave(A.RECALLED, at, keeps=True)
        self.appeal["pause"] = None

    # --- the resident's word ---------------------------------------------------------

    def answered(self, event: Document, data: Document, at: datetime) -> None:
        self._leave(A.RECALLED, at)
        self.appeal["first_contact"] = True

    def returned(self, event: Document, data: Document, at: datetime) -> None:
        self._judge(event, at)
        self._again()

    def confirmed(self, event: Document, data: Document, at: datetime) -> None:
        self._judge(event, at)
        actor, word = event["actor"], {"how": data["how"], "at": at, "rating": data["rating"]}
        if data["how"] != BY_THE_STATE:
            word |= {"by": actor["id"], "role": actor["role"]}
        self.appeal |= {"confirmation": word, "closed_at": at, "pause": None}

    def reopened(self, event: Document, data: Document, at: datetime) -> None:
        self._judge(event, at)
        self._again()
        self.appeal |= {
            "reopened": data["round"], "closed_at": None, "confirmation": None,
            "first_contact": False,
        }  # fmt: skip
        if self.legal is not None:
            # Received anew: by which day, the law's calendar says and no event.
            self.legal |= {"prolonged": 0, "prolongations": 0}
            for name in ("received", "last_day"):
                self.legal.pop(name, None)
        self.appeal.pop("hearing_at", None)

    def withdrawn(self, event: Document, data: Document, at: datetime) -> None:
        self._judge(event, at)
        self._leave(A.RECALLED, at)
        self.appeal |= {"closed_at": at, "pause": None}

    def _judge(self, event: Document, at: datetime) -> None:
        verdict = VERDICTS[EventType(event["type"])]
        for done in self.completions:
            if done["verdict"] in (None, Verdict.CONFIRMED):
                done |= {"verdict": verdict, "judged_at": at}

    def _again(self) -> None:
        self._stand(state=A.ACCEPTED, done_at=None)
        if self.legal is not None:
            self.legal["decision"] = None
        kept = [one for one in self.appeal["waivers"] if not one["termination"]]
        self.appeal["waivers"] = kept

    # --- before the law --------------------------------------------------------------

    def classified(self, event: Document, data: Document, at: datetime) -> None:
        self._stands(data if data["kind"] is not None else None)

    def prolonged(self, event: Document, data: Document, at: datetime) -> None:
        if self.legal is not None:
            more = self.legal["prolonged"] + data["days"]
            self.legal |= {"prolonged": more, "prolongations": data["count"]}

    def forwarded(self, event: Document, data: Document, at: datetime) -> None:
        self._leave(A.REDIRECTED, at)
        self.appeal["redirected"] += 1
        self.appeal["pause"] = None

    def summoned(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["hearing_at"] = datetime.fromisoformat(data["hearing_at"])

    def heard(self, event: Document, data: Document, at: datetime) -> None:
        self.appeal["hearing_at"] = None

    def decided(self, event: Document, data: Document, at: datetime) -> None:
        self.resolved(event, data, at)
        if self.legal is not None:
            self.legal["decision"] = data["decision"]

    def breached(self, event: Document, data: Document, at: datetime) -> None:
        self.hurried = True

    def recomputed(self, event: Document, data: Document, at: datetime) -> None:
        if self.legal is not None:
            self.legal.pop("last_day", None)

    def _stands(self, said: Document | None) -> None:
        if said is None:
            self.legal = None
            self.appeal.pop("hearing_at", None)
            return
        fresh = {"decision": None, "prolonged": 0, "prolongations": 0}
        self.legal = {name: said[name] for name in _LEGAL} | fresh
        if said["threat"]:
            self.appeal |= {"emergency": True, "criticality": str(Criticality.EMERGENCY)}

    # --- what recurs -----------------------------------------------------------------

    def _retell(self, name: str, data: Document) -> None:
        """A column that a correction changed: what it is now, if the event says so."""
        if name in data:
            self.appeal[name] = data[name]
        else:
            self.appeal.pop(name, None)

    def _worded(self, event: Document, *names: str) -> None:
        for name in names:
            if (commitment := event["personal"].get(name)) is not None:
                self.words[name] = event["id"], commitment

    def _files(self, event: Document) -> None:
        for one in event["data"].get("attachments", ()):
            self.files[one["id"]] = {n: one[n] for n in ("original_sha256", "sha256") if n in one}


_RETOLD = {
    "kind": "kind", "language": "language", "criticality": "service", "district": "place",
}  # fmt: skip
"""Columns that a correction changes → the field of it by which they do."""

_HANDLERS: Mapping[str, Callable[[Account, Document, Document, datetime], None]] = {
    EventType.REGISTERED: Account.registered,
    EventType.CORRECTED: Account.corrected,
    EventType.STATE_NUMBERED: Account.numbered,
    EventType.LINKED: Account.linked,
    EventType.JOINED: Account.joined,
    EventType.PARTED: Account.parted,
    EventType.ASSIGNED: Account.assigned,
    EventType.ACCEPTED: Account.accepted,
    EventType.DECLINED: Account.declined,
    EventType.REDIRECTED: Account.redirected,
    EventType.PAUSED: Account.paused,
    EventType.RESUMED: Account.resumed,
    EventType.EVIDENCE_WAIVED: Account.waived,
    EventType.EXTENSION_ASKED: Account.asked,
    EventType.EXTENSION_GRANTED: Account.settled,
    EventType.EXTENSION_REFUSED: Account.settled,
    EventType.RESOLVED: Account.resolved,
    EventType.STATE_DECIDED: Account.decided_by_the_state,
    EventType.ANSWERED: Account.answered,
    EventType.RETURNED: Account.returned,
    EventType.CONFIRMED: Account.confirmed,
    EventType.REOPENED: Account.reopened,
    EventType.WITHDRAWN: Account.withdrawn,
    EventType.CLASSIFIED: Account.classified,
    EventType.PROLONGED: Account.prolonged,
    EventType.FORWARDED: Account.forwarded,
    EventType.SUMMONED: Account.summoned,
    EventType.HEARD: Account.heard,
    EventType.DECIDED: Account.decided,
    EventType.CLOCK_BREACHED: Account.breached,
    EventType.CLOCK_RECOMPUTED: Account.recomputed,
}
"""What changes a row; every other event leaves all rows but the chain's end as they are."""
