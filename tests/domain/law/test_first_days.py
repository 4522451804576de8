"""What another body of the state received before the law took effect is counted by its terms."""

from dataclasses import replace
from datetime import date

import pytest

from domain.appeals import legal
from domain.appeals.model import Channel
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from tests.domain.appeals.make import MANHOLE
from tests.domain.law.make import almaty, law, promises

BEGINS = date(2026, 12, 7)


@pytest.mark.parametrize("threat", [False, True])
def test_what_came_on_the_friday_before_the_law_has_a_term_all_the_same(threat):
    terms = law().policies()
    agreed = replace(
        promises(),
        laws={1: replace(law(), effective_from=BEGINS)},
        policies={
            key: replace(one, effective_from=BEGINS) if one.code in terms else one
            for key, one in promises().policies.items()
        },
    )
    said = legal.Said(
        kind=AppealKind.APPLICATION, channel=Channel.E_OTINISH, wish=None, service=MANHOLE,
        nameless=threat, threat=threat, received_at=almaty("2026-12-04 10:00"), day=BEGINS,
    )  # fmt: skip
    found = legal.stand(said, agreed)
    assert found is not None
    assert found.received == date(2026, 12, 4)
    begun = legal.begin(found, agreed, at=almaty("2026-12-07 10:00"))
    assert begun
    if not threat:
        assert found.last_day is not None
        assert Stage.CONSIDER in {clock.stage for clock in begun}
