"""Likeness: near in place and time, of one service or alike in words; groups are chains."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import thread_time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.model import Criticality
from domain.incidents.likeness import (
    ALIKE,
    LONGEST,
    WINDOWS,
    Sighting,
    alike,
    around,
    cell_of,
    clusters,
    near,
    words_alike,
)
from domain.values import Coordinates

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOME = Coordinates(50.41, 80.25)
FAR = Coordinates(50.45, 80.25)
WORDS = "Ауладағы люк ашық тұр, қақпағы жоқ"
SERVICES = {"manholes.open": "manholes", "manholes.loud": "manholes", "lifts.stuck": "lifts"}


def sighting(number: int = 1, *, point: Coordinates = HOME, after: float = 0, **changes):
    said: dict[str, Any] = {
        "id": UUID(int=number),
        "number": f"N-{number}",
        "service": "manholes.open",
        "category": "manholes",
        "criticality": Criticality.HIGH,
        "cell": cell_of(point),
        "registered_at": NOON + timedelta(hours=after),
        "text": WORDS,
    }
    return Sighting(**said | changes)


SIGHTINGS = st.builds(
    lambda number, service, criticality, step, minutes, text: sighting(
        number,
        point=Coordinates(50.41 + step / 1000, 80.25),
        after=minutes / 60,
        service=service,
        category=SERVICES[service],
        criticality=criticality,
        text=text,
    ),
    st.integers(1, 10**6), st.sampled_from(sorted(SERVICES)), st.sampled_from(Criticality),
    st.integers(0, 8), st.integers(0, 6000),
    st.text(max_size=30) | st.sampled_from((WORDS, "люк", "лифт тұрып қалды")),
)  # fmt: skip


@given(SIGHTINGS, SIGHTINGS)
def test_likeness_is_the_same_seen_from_either_side(one, other):
    assert alike(one, other) == alike(other, one)
    assert words_alike(one.text, other.text) == words_alike(other.text, one.text)


@given(SIGHTINGS, SIGHTINGS)
def test_what_is_far_or_late_or_of_another_kind_is_never_alike(one, other):
    likeness = alike(one, other)
    if likeness is None:
        return
    assert other.cell in around(one.cell)
    window = max(WINDOWS[one.criticality], WINDOWS[other.criticality])
    assert abs(one.registered_at - other.registered_at) <= window
    assert one.category == other.category
    assert one.service == other.service or likeness.words >= ALIKE
    assert 0 <= likeness.words <= 100
    assert 40 <= likeness.score <= 100


@given(SIGHTINGS)
def test_nothing_is_more_alike_than_a_thing_is_to_itself(one):
    likeness = alike(one, one)
    assert likeness is not None
    assert likeness.score >= 80
    other = alike(one, replace(one, text="мүлде басқа сөз"))
    assert other is not None
    assert other.score <= 100


@pytest.mark.parametrize("criticality", Criticality, ids=str)
def test_the_window_is_closed_to_the_second(criticality):
    one = sighting(1, criticality=criticality)
    last = replace(one, registered_at=NOON + WINDOWS[criticality])
    assert alike(one, last)
    assert (
        alike(one, replace(last, registered_at=last.registered_at + timedelta(seconds=1))) is None
    )
    assert WINDOWS[criticality] <= LONGEST


def test_neighbouring_services_need_like_words():
    one = sighting(1)
    loud = sighting(2, service="manholes.loud", text=WORDS.upper())
    assert alike(one, loud)
    assert alike(one, replace(loud, text="Қақпақ түнде тарсылдайды")) is None


def test_who_calls_from_the_next_yard_is_near_and_from_the_next_quarter_is_not():
    cell = cell_of(HOME)
    assert len(around(cell)) == 7
    assert all(near(cell, other) and near(other, cell) for other in around(cell))
    assert alike(sighting(1), sighting(2, point=FAR)) is None


@given(st.lists(SIGHTINGS, max_size=40, unique_by=lambda one: one.id), st.integers(2, 4))
def test_groups_share_no_appeal_and_are_chains(sightings, at_least):
    groups = clusters(sightings, at_least)
    members = [one.id for group in groups for one in group]
    assert len(members) == len(set(members))
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)
    for group in groups:
        assert len(group) >= at_least
        assert len({one.service for one in group}) == 1
        assert all(
            earlier.registered_at <= later.registered_at for earlier, later in pairwise(group)
        )
        for one in group:
            others = [other for other in group if other.id != one.id]
            assert any(near(one.cell, other.cell) for other in others)


def test_a_problem_along_a_street_is_one_and_that_of_last_week_another():
    street = [
        sighting(n, point=Coordinates(50.41 + n * 0.0007, 80.25), after=n / 60)
        for n in range(1, 21)
    ]
    old = [replace(one, id=UUID(int=100 + n), registered_at=one.registered_at - 3 * LONGEST)
           for n, one in enumerate(street[:4])]  # fmt: skip
    found = clusters([*street, *old], 3)
    assert [len(group) for group in found] == [20, 4]


def test_a_storm_is_grouped_by_work_that_grows_with_its_size_alone():
    def storm(count: int) -> list[Sighting]:
        return [sighting(n, after=n / count) for n in range(1, count + 1)]

    assert len(clusters(storm(20_000), 3)[0]) == 20_000
    small, large = (
        _spent(lambda: clusters(storm(2_000), 3)),
        _spent(lambda: clusters(storm(20_000), 3)),
    )
    assert large < 40 * small


def _spent(task: Callable[[], object]) -> float:
    """Of the processor: whoever shares it takes more turns of a long task than of a short one."""
    tries = []
    for _ in range(3):
        began = thread_time()
        task()
        tries.append(thread_time() - began)
    return min(tries)
