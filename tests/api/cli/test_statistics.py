"""`ikomek statistics check`: kept figures against counted ones."""

import psycopg


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
