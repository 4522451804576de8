"""`ikomek statistics check`: kept figures against counted ones."""

import psycopg
import pytest

from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.sql import fetch


def test_figures_of_a_sound_city_are_what_counting_gives(ikomek):
    ran = ikomek("statistics", "check")
    assert ran.status == 0
    assert "Every figure is what counting gives" in ran.out


def test_a_figure_that_was_changed_is_named_and_put_right(ikomek, city_database):
    with psycopg.connect(city_database, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO tally (city_id, subject, place, state, count)"
            " SELECT id, 'appeal', 'nowhere', 'closed', 7 FROM city"
        )
    ran = ikomek("statistics", "check")
    assert ran.status == 1
    assert "appeal closed of nowhere: 7 kept, 0 counted" in ran.out
    assert "--mend puts them right" in ran.err
    assert "Put right: 1" in ikomek("statistics", "check", "--mend").out
    assert ikomek("statistics", "check").status == 0


@pytest.fixture
async def swept(house):
    """Two appeals are open, and on no desk."""
    for _ in range(2):
        await register(house)
    await fetch(house, "DELETE FROM desk")


def test_an_appeal_that_is_missing_from_a_desk_is_told_and_laid_there(ikomek, swept):
    ran = ikomek("statistics", "check")
    assert ran.status == 1
    assert f"desk missing of {KISHI.water}: 0 kept, 2 counted" in ran.out
    assert ikomek("statistics", "check", "--mend").status == 0
    assert ikomek("statistics", "check").status == 0
