"""Every difference between two registers is told, and only what is safe is done about it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.appeals.workflow import Status
from domain.eotinish.model import MessageState
from domain.eotinish.reconciling import (
    REPAIRS,
    Lack,
    OurCase,
    Repair,
    TheirCase,
    compare,
    read_all,
    repair,
    strange,
)
from integrations.eotinish.contract import read_contract
from tests.domain.appeals.make import done

AGREEMENTS = read_contract().agreements("general.land-question", {})
AT = datetime(2026, 11, 28, 4, tzinfo=UTC)
CITY = uuid4()
OURS = OurCase(uuid4(), "KIS-2026-000001", "ЖТ-2026-00000001", Status.RESOLVED, 2, 7, True)
THEIRS = TheirCase("ЖТ-2026-00000001", "KIS-2026-000001", "FINISHED", 2, 7)


def lacks(ours: Sequence[OurCase], theirs: Sequence[TheirCase]) -> list[Lack]:
    return [one.lack for one in compare(ours, theirs, AGREEMENTS, AT)]


CASES = [
    ("agree", OURS, THEIRS, []),
    ("their last word is missing here", OURS, replace(THEIRS, version=3), [Lack.BEHIND_HERE]),
    ("our last word is missing there", OURS, replace(THEIRS, sequence=4), [Lack.BEHIND_THERE]),
    ("both", OURS, replace(THEIRS, version=3, sequence=4), [Lack.BEHIND_HERE, Lack.BEHIND_THERE]),
    ("another state", OURS, replace(THEIRS, state="CREATED"), [Lack.STATE]),
    ("no number came", replace(OURS, number=None), THEIRS, [Lack.UNNUMBERED]),
    ("in quarantine", replace(OURS, quarantined=1), THEIRS, [Lack.QUARANTINED]),
    ("another number", OURS, replace(THEIRS, number="ЖТ-2026-00000002"), [Lack.NUMBER]),
    ("our number is another appeal there", OURS, replace(THEIRS, own_number="KIS-2026-000009"),
     [Lack.NUMBER]),
    ("our number, of which the state says not whose it is", OURS, replace(THEIRS, own_number=None),
     []),
    ("a state that a missing word explains", OURS, replace(THEIRS, state="CREATED", version=3),
     [Lack.BEHIND_HERE]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_each_difference_is_named(ours: OurCase, theirs: TheirCase, told: list[Lack]):
    assert lacks([ours], [theirs]) == told


def test_two_numbers_there_for_one_appeal_here_are_named_and_nothing_is_asked():
    second = replace(THEIRS, number="ЖТ-2026-00000002")
    [told] = compare([OURS], [THEIRS, second], AGREEMENTS, AT)
    assert (told.lack, told.ours, told.theirs) == (Lack.NUMBER, OURS.number, second.number)
    assert told.repair is Repair.NONE


def test_a_part_that_the_state_gave_away_is_a_case_of_its_own_and_no_second_number():
    part = replace(THEIRS, number=f"{THEIRS.number}/1")
    assert lacks([OURS], [THEIRS, part]) == [Lack.UNKNOWN_HERE]


@pytest.mark.parametrize(
    ("state", "lack"),
    [(MessageState.QUARANTINED, Lack.QUARANTINED), (MessageState.DROPPED, Lack.DROPPED)],
    ids=str,
)
def test_what_lies_in_quarantine_or_was_dropped_is_not_asked_for_again(
    state: MessageState, lack: Lack
):
    aside = {THEIRS.number: state}
    [told] = compare([], [THEIRS], AGREEMENTS, AT, aside=aside)
    assert told.lack is lack
    here, there = Here([], []), There([], [THEIRS])
    assert not done(repair(told, CITY, here, there, AT))
    assert there.done == []
    assert strange([], [THEIRS]) == [THEIRS.number]
    assert strange([OURS], [THEIRS]) == []


LAST = datetime(2026, 12, 18, 19, tzinfo=UTC)
"""24:00 of 18 December in Almaty."""
DAYS = [
    ("the same, as the state stores it", LAST - timedelta(seconds=1), (LAST,), []),
    ("the one that it told", LAST - timedelta(days=3), (LAST, LAST - timedelta(days=3)), []),
    ("another", LAST - timedelta(days=3), (LAST,), [Lack.DEADLINE]),
    ("none listed", None, (LAST,), []),
    ("nothing runs here any more", LAST, (), []),
]


@pytest.mark.parametrize(("said", "known", "told"), [d[1:] for d in DAYS], ids=[d[0] for d in DAYS])
def test_a_last_day_that_differs_is_named(said, known, told):
    ours = replace(OURS, deadlines=known)
    assert lacks([ours], [replace(THEIRS, deadline=said)]) == told
    behind = replace(THEIRS, deadline=said, version=5)
    assert lacks([ours], [behind]) == [Lack.BEHIND_HERE], "a missing message explains it"


@pytest.mark.parametrize("status", [Status.ANSWERED, Status.CLOSED], ids=str)
def test_what_went_to_another_body_is_finished_on_neither_side(status: Status):
    ours = replace(OURS, status=status, forwarded=True)
    assert lacks([ours], [replace(THEIRS, state="REDIRECTED")]) == []
    assert lacks([ours], [THEIRS]) == [Lack.STATE]


def test_a_case_that_one_side_does_not_know_is_named():
    assert lacks([OURS], []) == [Lack.UNKNOWN_THERE]
    assert lacks([], [THEIRS]) == [Lack.UNKNOWN_HERE]


def test_what_is_on_its_way_is_no_difference_before_an_hour_is_over():
    behind = replace(THEIRS, sequence=4)
    young = replace(OURS, waiting_since=AT - timedelta(minutes=59))
    assert lacks([young], [behind]) == []
    assert lacks([replace(OURS, waiting_since=AT - timedelta(minutes=60))], [behind])


def test_what_the_city_told_while_the_registers_were_read_is_no_difference_yet():
    begun = AT - timedelta(minutes=10)
    behind = replace(THEIRS, sequence=4)
    for grace in (timedelta(0), timedelta(minutes=5)):
        for theirs in ([behind], []):
            for moved, silent in ((begun + timedelta(seconds=1), True), (begun, False)):
                ours = replace(OURS, moved_at=moved)
                found = list(compare([ours], theirs, AGREEMENTS, AT, grace, begun))
                assert (not found) is silent


SIZES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    unique_by=lambda one: one[0], max_size=12,
)  # fmt: skip


@given(SIZES, SIZES)
def test_registers_agree_exactly_when_nothing_is_told(left, right):
    def number(place: int) -> str:
        return f"ЖТ-2026-{place:08d}"

    ours = [OurCase(UUID(int=p), f"K-{p}", number(p), Status.CLOSED, v, s, True)
            for p, v, s, _ in left]  # fmt: skip
    theirs = [TheirCase(number(p), f"K-{p}", "FINISHED", v, s) for p, v, s, _ in right]
    agree = {(o.number, o.version, o.sent) for o in ours} == {
        (t.number, t.version, t.sequence) for t in theirs
    }
    told = lacks(ours, theirs)
    ahead = any(
        o.version > t.version or t.sequence > o.sent
        for o in ours for t in theirs if o.number == t.number
    )  # fmt: skip
    assert agree == (not told) or ahead


def test_every_difference_has_its_repair_and_only_asking_and_sending_are_repairs():
    assert set(REPAIRS) == set(Lack)
    assert set(REPAIRS.values()) == set(Repair)


class Registers:
    """Both sides in memory: what was asked and sent again, and pages of what is there."""

    def __init__(self, ours: list[OurCase], theirs: list[TheirCase]) -> None:
        self.ours = ours
        self.theirs = theirs
        self.done: list[tuple[str, str, int]] = []

    async def send_again(self, city: UUID, own_number: str, after: int, at: datetime) -> int:
        self.done.append(("send", own_number, after))
        return 1

    async def ask_again(self, number: str, version: int) -> None:
        self.done.append(("ask", number, version))


class Here(Registers):
    async def set_aside(self, city: UUID, numbers: Sequence[str]) -> dict[str, MessageState]:
        return {}

    async def cases(self, city: UUID, after: UUID | None, limit: int) -> list[OurCase]:
        found = sorted(self.ours, key=lambda one: one.appeal)
        return [one for one in found if after is None or one.appeal > after][:limit]


class There(Registers):
    async def cases(self, after: str | None, limit: int) -> list[TheirCase]:
        found = sorted(self.theirs, key=lambda one: one.number)
        return [one for one in found if after is None or one.number > after][:limit]


MENDED = [
    (replace(THEIRS, sequence=4), [("send", OURS.own_number, 4)]),
    (replace(THEIRS, version=5), [("ask", THEIRS.number, 3)]),
    (replace(THEIRS, state="CREATED"), []),
]


@pytest.mark.parametrize(("theirs", "did"), MENDED)
def test_the_repair_asks_or_sends_from_where_the_sides_part(theirs: TheirCase, did):
    here, there = Here([OURS], []), There([], [theirs])
    for one in compare([OURS], [theirs], AGREEMENTS, AT):
        done(repair(one, CITY, here, there, AT))
    assert here.done + there.done == did


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000])
def test_both_registers_are_read_whole(count: int):
    ours = [replace(OURS, appeal=UUID(int=n + 1)) for n in range(count)]
    theirs = [replace(THEIRS, number=f"ЖТ-2026-{n:08d}") for n in range(count)]
    kept, listed = done(read_all(CITY, Here(ours, []), There([], theirs)))
    assert (len(kept), len(listed)) == (count, count)
