"""What a new appeal is promised, by its service and its channel and by the law: registering begins
these clocks, and triage tells of them before.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.appeals import clocks, legal
from domain.law.standing import Legal
from domain.reference import Reference
from domain.sla.clock import Clock


@dataclass(frozen=True, slots=True)
class Terms:
    """The clocks of a new appeal, and how it stands before the law; None where it is none."""

    clocks: tuple[Clock, ...]
    legal: Legal | None


def begin(said: legal.Said, policy: str, reference: Reference, *, at: datetime) -> Terms:
    """All that begins at `at` for an appeal of which this is said, by its service's policy.
    Raises NotFound for a policy or a calendar that is lost.
    """
    promises = reference.promises
    standing = legal.stand(said, promises)
    promised = clocks.begin(promises, reference.city, policy, said.channel, at=at)
    lawful = legal.begin(standing, promises, at=at) if standing else ()
    return Terms((*promised, *lawful), standing)
