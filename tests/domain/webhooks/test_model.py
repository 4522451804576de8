from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.webhooks.model import About, DisabledReason, Endpoint, EndReason

ENDPOINT = Endpoint(
    id=UUID(int=1),
    city_id=UUID(int=2),
    organisation_id=UUID(int=3),
    url="https://vodokanal.kz/109",
    event_types=frozenset(),
    description="Диспетчерская",
    enabled=True,
    secrets=(),
    created_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
)


def test_an_endpoint_without_a_choice_wants_everything():
    assert ENDPOINT.declines("appeal.registered") is None
    assert ENDPOINT.declines("clock.breached", LIFT) is None


def test_an_endpoint_with_a_choice_wants_only_that():
    choosy = replace(ENDPOINT, event_types=frozenset({"appeal.assigned"}))
    assert choosy.declines("appeal.assigned") is None
    assert choosy.declines("appeal.closed") is EndReason.TYPE_DESELECTED


@pytest.mark.parametrize("chosen", [frozenset(), frozenset({"appeal.assigned"})])
@pytest.mark.parametrize(
    ("disabled", "end"),
    [
        (None, EndReason.ENDPOINT_DISABLED),
        (DisabledReason.BY_HAND, EndReason.ENDPOINT_DISABLED),
        (DisabledReason.FAILING, EndReason.ENDPOINT_DISABLED),
        (DisabledReason.GONE, EndReason.ENDPOINT_GONE),
    ],
)
def test_a_disabled_endpoint_wants_nothing(chosen, disabled, end):
    off = replace(ENDPOINT, enabled=False, disabled_reason=disabled, event_types=chosen)
    assert off.declines("appeal.assigned", LIFT) is end


def test_a_message_that_is_about_no_appeal_passes_every_filter():
    narrow = replace(ENDPOINT, spheres=frozenset({"water"}))
    assert narrow.declines("register.checkpoint") is None
    assert narrow.declines("appeal.assigned", LIFT) is EndReason.FILTER_DESELECTED


LIFT = About("lifts.stopped", "lifts", "almaty")


@pytest.mark.parametrize(
    ("chosen", "heard"),
    [
        ({}, True),
        ({"services": {"lifts.stopped"}}, True),
        ({"services": {"lifts.noise"}}, False),
        ({"spheres": {"lifts"}}, True),
        ({"spheres": {"water"}}, False),
        # A service or a sphere: either lets through.
        ({"services": {"lifts.noise"}, "spheres": {"lifts"}}, True),
        ({"districts": {"almaty", "baikonyr"}}, True),
        ({"districts": {"baikonyr"}}, False),
        # And the district as well.
        ({"spheres": {"lifts"}, "districts": {"baikonyr"}}, False),
    ],
)
def test_filters_let_through_what_was_chosen(chosen, heard):
    wanted: dict[str, Any] = {name: frozenset(codes) for name, codes in chosen.items()}
    endpoint = replace(ENDPOINT, **wanted)
    assert endpoint.concerns(LIFT) is heard


def test_what_lies_in_no_district_is_in_none_of_those_chosen():
    nowhere = replace(LIFT, district=None)
    assert ENDPOINT.concerns(nowhere)
    assert not replace(ENDPOINT, districts=frozenset({"almaty"})).concerns(nowhere)
