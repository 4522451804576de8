from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.webhooks.model import Endpoint

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
    assert ENDPOINT.wants("appeal.registered")
    assert ENDPOINT.wants("clock.breached")


def test_an_endpoint_with_a_choice_wants_only_that():
    choosy = replace(ENDPOINT, event_types=frozenset({"appeal.assigned"}))
    assert choosy.wants("appeal.assigned")
    assert not choosy.wants("appeal.closed")


@pytest.mark.parametrize("chosen", [frozenset(), frozenset({"appeal.assigned"})])
def test_a_disabled_endpoint_wants_nothing(chosen):
    assert not replace(ENDPOINT, enabled=False, event_types=chosen).wants("appeal.assigned")
