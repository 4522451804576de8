"""Files that the state names reach the city's appeals: cleaned, once, and none stops another. Those
of the city that no message can carry hold up none either.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import House
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action
from domain.eotinish.left_behind import LEFT_BEHIND
from domain.eotinish.model import MessageState
from domain.eotinish.use_cases import judge
from domain.errors import Conflict, NotFound
from integrations.postgres.exchange_reports import Kept
from tests.api.worker.test_exchange import (
    assignment,
    exchanging,
    found,
    numbered,
    reached,
    read,
    relay,
)
from tests.integrations.media.files import IIN, exif_photo, pdf, picture
from tests.support.appeals import lodge, perform, uploaded
from tests.support.city import KISHI
from tests.support.eotinish import StandIn, packed
from tests.support.providers import running_peer
from tests.support.sql import fetch
from tests.support.worker import eventually

pytestmark = pytest.mark.usefixtures("state_secrets")


def lay(content: bytes, name: str = "сурет.jpg", mime: str | None = None) -> dict[str, Any]:
    """A file as the state lays it into the temporary store."""
    return {"name": name, "mime": mime, "content": b64encode(content).decode()}


async def files_of(house: House, number: str) -> list[dict[str, Any]]:
    """The files that the state named in an appeal, and where they stand, by their names there."""
    rows = await fetch(
        house,
        "SELECT f.* FROM eotinish_file f JOIN appeal a ON a.id = f.appeal_id"
        " WHERE a.number = $1 ORDER BY f.created_at, f.id", number,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def over(house: House, number: str, count: int) -> bool:
    """Whether so many files were named, and nothing more is to be done about them."""
    files = await files_of(house, number)
    return len(files) == count and all(one["state"] != "pending" for one in files)


async def attached(house: House, number: str, role: Role = Role.INSPECTOR) -> list[dict[str, Any]]:
    rows = await house.queries.attachments(KISHI.principal(role), number)
    return [dict(row) for row in rows]


async def assigned(house: House, state: StandIn, *files: dict[str, Any], **more: Any) -> str:
    """An appeal that the state assigned with these files; our number of it."""
    [national] = state.say(assignment(lays=list(files), **more))
    return await found(house, national)


async def test_what_comes_with_an_assigned_appeal_is_attached_cleaned(house, state, folder):
    photo, letter = exif_photo(), pdf()
    async with exchanging(house, state, folder):
        number = await assigned(
            house, state, lay(photo, "люк.jpg", "image/jpeg"), lay(letter, "хат.pdf", "@file/pdf")
        )
        await eventually(lambda: over(house, number, 2))
    kept = {one["kind"]: one for one in await attached(house, number)}
    assert set(kept) == {"image", "pdf"}
    assert kept["image"]["original_sha256"] == sha256(photo).hexdigest()
    assert (kept["image"]["filename"], kept["image"]["purpose"]) == ("люк.jpg", "addition")
    assert kept["pdf"]["sha256"] == sha256(letter).hexdigest()
    assert IIN not in await house.store.get(kept["image"]["storage_key"])
    events = await fetch(
        house,
        "SELECT convert_from(e.canonical, 'UTF8') AS said FROM event e"
        " JOIN appeal a ON a.id = e.appeal_id"
        " WHERE a.number = $1 AND e.type = 'appeal.attached'", number,
    )  # fmt: skip
    told = "".join(row["said"] for row in events)
    assert len(events) == 2
    assert all(one["original_sha256"] in told for one in kept.values())


async def test_they_are_seen_by_whoever_sees_the_appeal_and_by_nobody_else(house, state, folder):
    async with exchanging(house, state, folder):
        number = await assigned(house, state, lay(picture()))
        await eventually(lambda: over(house, number, 1))
    appeal = await read(house, number)
    [kept] = await attached(house, number)
    assert appeal.executor not in (None, KISHI.water)
    own = KISHI.principal(Role.EXECUTOR, organisation=appeal.executor)
    assert (await house.queries.attachment(own, kept["id"]))["id"] == kept["id"]
    strangers = (
        KISHI.principal(Role.EXECUTOR, organisation=KISHI.water),
        KISHI.principal(Role.CITIZEN),
    )
    for stranger in strangers:
        with pytest.raises(NotFound):
            await house.queries.attachment(stranger, kept["id"])


@pytest.mark.parametrize(
    ("refused", "fault"),
    [
        (lay(b"MZ" + bytes(100), "a.exe"), "file-unsupported-type"),
        (lay(picture(), "a.pdf", "application/pdf"), "file-type-mismatch"),
        (lay(b"", "a.jpg"), "file-empty"),
        (lay(pdf()[:-9] + bytes(7 * 1024 * 1024 + 2**19), "a.pdf"), "file-too-large"),
        (lay(pdf(b"<< /S /JavaScript /JS (app.alert(109)) >>"), "a.pdf"), "file-active-content"),
    ],
    ids=["program", "mismatch", "empty", "too-large", "active"],
)
async def test_what_is_refused_waits_for_an_inspector_and_stops_nothing(
    house, state, folder, refused, fault
):
    async with exchanging(house, state, folder):
        number = await assigned(house, state, refused, lay(picture()))
        await eventually(lambda: over(house, number, 2))
        assert [one["kind"] for one in await attached(house, number)] == ["image"]
        principal = KISHI.principal(Role.INSPECTOR)
        [kept] = [
            one
            for one in await house.exchange_reports.quarantine(principal, None, 10)
            if one.own_number == number
        ]
        assert (kept.direction, kept.subject, kept.fault) == ("in", "file", fault)
        national = (await read(house, number)).national_number
        assert kept.number == national
        state.say({"tale": "progress", "number": national, "description": "Әрі қарай"})
        await eventually(lambda: told(house, number))


async def told(house: House, number: str) -> bool:
    statement = (
        "SELECT 1 FROM event e JOIN appeal a ON a.id = e.appeal_id"
        " WHERE a.number = $1 AND e.type = 'appeal.state_told'"
    )
    return bool(await fetch(house, statement, number))


async def test_answers_that_are_lost_bring_each_file_once(house, state, folder):
    contents = [picture(size=(20 + side, 20)) for side in range(6)]
    state.mood(seed=5, lose=0.3, drop=0.1, fail=0.1, repeat=0.5)
    async with exchanging(house, state, folder):
        number = await assigned(house, state, *map(lay, contents))
        await eventually(lambda: over(house, number, 6), within=60)
        state.mood()
    assert {one["state"] for one in await files_of(house, number)} == {"done"}
    kept = [one["original_sha256"] for one in await attached(house, number)]
    assert sorted(kept) == sorted(sha256(content).hexdigest() for content in contents)
    assert state.whole()["counts"].get("lost", 0) > 0


async def test_a_file_that_is_named_again_or_was_ours_is_no_second_one(house, state, folder):
    id = await uploaded(house, pdf())
    async with exchanging(house, state, folder):
        known = await numbered(house, await lodge(house, attachments=(id,)))
        [laid] = state.cases()[known.national_number or ""]["files"]
        told = {"tale": "progress", "number": known.national_number, "description": "Қабылданды"}
        state.say(told | {"files": [laid]}, told | {"files": [laid], "lays": [lay(picture())]})
        await eventually(lambda: over(house, known.number, 2))
    assert sorted(one["state"] for one in await files_of(house, known.number)) == [
        "done", "repeated"
    ]  # fmt: skip
    assert sorted(one["kind"] for one in await attached(house, known.number)) == ["image", "pdf"]


async def test_one_that_is_not_there_is_fetched_when_an_inspector_lets_it(house, state, folder):
    state.mood(gone=True)
    async with exchanging(house, state, folder):
        number = await assigned(house, state, lay(picture()))
        await eventually(lambda: over(house, number, 1))
        [file] = await files_of(house, number)
        assert (file["state"], file["fault"]) == ("quarantined", "file-refused")
        assert file["detail"] == "no such file"
        state.mood()
        await release(house, file["id"])
        await eventually(lambda: over(house, number, 1))
    assert [one["kind"] for one in await attached(house, number)] == ["image"]


async def release(house: House, file: UUID) -> None:
    async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
        await judge(file, MessageState.PENDING, "Қайта жатқызылды", uow=uow, at=house.now())
        await uow.commit()


def signers(folder: Path, node: str) -> dict[str, dict[str, Any]]:
    """What the city's file says of a signer, beyond what it says by itself."""
    (folder / "city.p12").write_bytes(packed(folder, "s"))
    said = {"kind": "ncanode", "url": node, "key": str(folder / "city.p12"),
            "password_env": "IKOMEK_TEST_NODE"}  # fmt: skip
    return {"local": {}, "ncanode": {"signer": said}}


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with running_peer("tests.peers.ncanode_wsse") as url:
        yield url


@pytest.mark.parametrize("kind", ["local", "ncanode"])
async def test_a_file_that_cannot_travel_keeps_no_appeal_out_of_the_national_register(
    house, state, folder, node, kind, monkeypatch
):
    monkeypatch.setenv("IKOMEK_TEST_NODE", "s")
    small = await uploaded(house, pdf(), "шағын.pdf")
    large = await uploaded(house, pdf() + bytes(8 * 1024 * 1024), "үлкен.pdf")
    async with exchanging(house, state, folder, **signers(folder, node)[kind]):
        known = await numbered(house, await lodge(house, attachments=(small, large)))
    case = state.cases()[known.national_number or ""]
    [taken] = case["taken"]
    # What went without it says so, in the applicant's language.
    assert taken["description"].startswith(known.text)
    assert "үлкен.pdf (8.0 MB)" in taken["description"]
    assert "қоса берілмеді" in taken["description"]
    assert "шағын.pdf" not in taken["description"]
    assert [state.whole()["files"][one]["name"] for one in case["files"]] == ["шағын.pdf"]
    await seen_and_ended(house, known.number, large)


async def test_one_that_comes_later_and_cannot_travel_is_named_too(house, state, folder):
    small = await uploaded(house, pdf(), "шағын.pdf")
    large = await uploaded(house, pdf() + bytes(8 * 1024 * 1024), "үлкен.pdf")
    async with exchanging(house, state, folder):
        known = await numbered(house, await lodge(house))
        await perform(house, known, Action.ATTACH, c.Attach((small, large)), role=Role.OPERATOR)
        await relay(house)
        await eventually(lambda: reached(state, known.national_number, 2))
    case = state.cases()[known.national_number or ""]
    written = case["taken"][-1]
    assert written["type"] == "stateSupplemented"
    assert "үлкен.pdf (8.0 MB)" in written["description"]
    assert "шағын.pdf" not in written["description"]
    assert [state.whole()["files"][one]["name"] for one in case["files"]] == ["шағын.pdf"]
    await seen_and_ended(house, known.number, large)


async def seen_and_ended(house: House, number: str, file: UUID) -> None:
    """An inspector sees which file stayed here, and what can be done about it."""
    inspector = KISHI.principal(Role.INSPECTOR)
    left = await left_behind(house, number)
    assert [(one.direction, one.subject, one.fault) for one in left] == [
        ("out", "file", LEFT_BEHIND)
    ]
    assert str(file) in left[0].detail
    with pytest.raises(Conflict, match=LEFT_BEHIND):
        await release(house, left[0].id)
    async with house.units.open(inspector) as uow:
        await judge(left[0].id, MessageState.DROPPED, "Қағазбен", uow=uow, at=house.now())
        await uow.commit()
    assert await left_behind(house, number) == []


async def left_behind(house: House, number: str) -> list[Kept]:
    kept = await house.exchange_reports.quarantine(KISHI.principal(Role.INSPECTOR), None, 50)
    return [one for one in kept if one.own_number == number]
