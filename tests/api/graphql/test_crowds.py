"""What is counted for the public takes nothing from whoever asks meanwhile."""

import threading
from typing import Any

import pytest

from api.bootstrap import House
from api.graphql.context import Context
from domain.publication.crowds import Crowds, monday
from domain.publication.places import Crowd
from domain.publication.rows import Kin, Shared
from tests.support.appeals import register
from tests.support.city import KISHI


async def test_no_row_and_no_house_is_counted_on_the_loop(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    """Of a large week there are as many rows as appeals, and of a city as many houses as it has."""
    await register(house)
    busy: list[tuple[str, bool]] = []

    def noted(kind: Any, name: str) -> None:
        work = getattr(kind, name)

        def note(*args: Any, **options: Any) -> Any:
            busy.append((kind.__name__, threading.current_thread() is threading.main_thread()))
            return work(*args, **options)

        monkeypatch.setattr(kind, name, note)

    noted(Crowd, "__init__")
    noted(Shared, "__init__")
    noted(Shared, "counted")
    noted(Kin, "__init__")
    city, at = house.references.of(KISHI.id), house.now()
    asking = Context(house, None, "en", at, "")
    week = monday(city.city.local(at).date())
    await Crowds(house.figures).published([week], "service", {}, asking, city, promises=False)
    assert {kind for kind, _ in busy} == {"Crowd", "Shared", "Kin"}
    assert not any(on_the_loop for _, on_the_loop in busy), busy
