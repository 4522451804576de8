"""The vendored sample is sound, private, and happens at the same moments every time."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from demo.photo import SIZE, photo
from demo.sample.make import catalogue
from demo.sample.rows import APPEALS, MOMENTS, WINDOW, ZONE, read_sample, schedule
from demo.semey.city import demo_city
from demo.stories import STORIES, simulate, steps_of
from demo.table import platform_rows
from domain.appeals.model import Channel, Kind
from domain.appeals.places import CERTAIN
from domain.appeals.workflow import AWAITING_RESIDENT, Status
from domain.catalogue.forms import Forms
from domain.errors import InvalidTransition
from domain.organisations.addresses import AddressIndex

SAMPLE = read_sample()
ROWS = SAMPLE.rows
MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=ZONE)


def test_the_sample_is_small_and_large_enough():
    assert APPEALS.stat().st_size <= 300_000
    assert 380 <= len(ROWS) <= 420
    assert {row.story for row in ROWS} == set(STORIES)


def test_every_row_speaks_the_words_of_the_platform():
    assert {row.channel for row in ROWS} <= set(Channel)
    assert {row.kind for row in ROWS} <= set(Kind)
    assert {row.language for row in ROWS} == {"kk", "ru"}
    assert all(2 <= len(row.text) <= 300 for row in ROWS)


def test_every_answer_fits_the_form_of_its_service():
    forms, at = Forms(), datetime(2026, 3, 4, 12, tzinfo=UTC)
    for row in ROWS:
        service = catalogue().service(row.service)
        assert forms.faults(service, row.answers_at(at)) == (), row


def test_answers_speak_of_the_hour_before_the_appeal():
    row = next(row for row in ROWS if MOMENTS["date-time"] in row.answers.values())
    at = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
    said = [answer for answer in row.answers_at(at).values() if str(answer).startswith("2026-")]
    assert said == ["2026-03-04T16:30:00+05:00"]


def test_what_is_answered_on_the_line_has_an_answer_in_the_catalogue():
    for row in ROWS:
        if row.story in ("first-call", "answered"):
            assert catalogue().service(row.service).first_call_answer, row


def test_two_thirds_are_answered_at_first_contact():
    answered = sum(row.story in ("first-call", "answered") for row in ROWS)
    assert 0.60 <= answered / len(ROWS) <= 0.70


def test_nine_of_ten_rows_name_a_house():
    city = demo_city()
    index = AddressIndex(city.streets, city.buildings)
    known = {str(building.id) for building in city.buildings}
    places: Counter[str] = Counter()
    for row in ROWS:
        if "building" in row.location:
            assert row.location["building"] in known
            places["house"] += 1
        elif "coordinates" in row.location:
            places["point"] += 1
        else:
            best = next(iter(index.search(row.location["address"], limit=1)), None)
            sure = best is not None and best.building and best.score >= CERTAIN
            places["house" if sure else "nowhere"] += 1
    assert 0.88 <= places["house"] / len(ROWS) <= 0.96
    assert places["point"] > 0
    assert 0.01 <= places["nowhere"] / len(ROWS) <= 0.05


def test_nobody_in_the_sample_can_be_called():
    said = [row.applicant for row in ROWS if row.applicant]
    assert all(one["phone"].startswith("+7700000") for one in said)
    assert not any(digits in row.text for row in ROWS for digits in ("+7", "@"))


def test_the_busiest_executors_are_of_the_city():
    assert len(SAMPLE.busy) == 10
    assert set(SAMPLE.busy) <= {firm.code for firm in demo_city().organisations}


@pytest.mark.parametrize("hours", range(0, 7 * 24, 11))
def test_five_days_hold_every_row_at_its_own_hour(hours):
    start = MONDAY + timedelta(hours=hours)
    moments = schedule(ROWS, start)
    assert len(moments) == len(ROWS)
    assert all(start <= at < start + WINDOW for at, _ in moments)
    assert all(at.astimezone(ZONE).time() == row.time for at, row in moments)
    # A day of the source is a day here: its rows stay together, and no two days share one.
    began = {(row.weekday, row.time) for row in ROWS}
    assert len({(at, row.time) for at, row in moments}) == len(began)


def test_a_weekday_that_is_in_the_window_keeps_its_rows():
    friday = MONDAY + timedelta(days=4)
    for at, row in schedule(ROWS, friday):
        if row.weekday in (4, 5, 6):
            assert at.weekday() == row.weekday
        else:
            assert at.weekday() in (0, 1)


def test_the_schedule_is_the_same_every_time():
    first, second = (schedule(read_sample().rows, MONDAY) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("channel", [Channel.PHONE, Channel.TELEGRAM])
@pytest.mark.parametrize("status", [Status.REGISTERED, Status.ASSIGNED])
def test_every_story_is_legal_by_the_table(story, channel, status):
    if story == "first-call":
        status = Status.CLOSED
    end = simulate(steps_of(story, channel, status), status)
    open_end = {"ignored", "working", "unconfirmed", "withdrawn"}
    assert end is Status.CLOSED or story in open_end
    assert story != "unconfirmed" or end in AWAITING_RESIDENT


def test_a_story_out_of_order_is_refused():
    with pytest.raises(InvalidTransition):
        simulate(STORIES["resolved"][1:], Status.ASSIGNED)


@pytest.mark.parametrize("done", [True, False])
def test_a_photo_is_a_small_jpeg(done):
    content = photo(7, done=done)
    with Image.open(BytesIO(content)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", SIZE)
    assert len(content) < 60_000
    assert content == photo(7, done=done)
    assert content != photo(8, done=done)


def test_the_table_holds_the_share_against_the_goal():
    statistics = {
        "appeals": {"total": 40, "by_status": {"closed": 20, "assigned": 20}},
        "first_contact": {"closed": 10, "consultations": 60, "share": 0.875},
        "clocks": {"met": 3},
        "deliveries": {"pending": 2},
    }
    rows = dict(platform_rows(statistics))
    share = "70 (70% of all, 88% of the closed)"
    assert rows["answered at first contact (goal 85%)"] == share
    assert rows["consultations without an appeal"] == "60"
    assert (rows["clocks met"], rows["clocks breached"]) == ("3", "0")
    assert rows["deliveries pending"] == "2"
