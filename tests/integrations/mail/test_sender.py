"""Mail is handed to a real server, and a password to none that does not seal it."""

import smtplib

import pytest

from domain.ports import Letter
from integrations.mail import sender
from integrations.mail.sender import SmtpMailer
from tests.support.post import post_office

LETTER = Letter(
    ("akim@example.kz", "control@example.kz"), "ikomek109/kishi 2026-11-22: 7", "Сақтап қойыңыз",
    "kishi.txt", "ikomek109/kishi\n7\n— қол",
)  # fmt: skip


async def test_a_letter_comes_to_everybody_with_its_file():
    async with post_office() as office:
        await SmtpMailer(office.url, "register@example.kz").send(LETTER)
    ((to, said),) = office.letters
    assert to == list(LETTER.to)
    assert said["From"] == "register@example.kz"
    assert said["Subject"] == LETTER.subject
    body = said.get_body()
    assert body is not None
    assert LETTER.text in body.get_content()
    (attached,) = said.iter_attachments()
    assert attached.get_filename() == LETTER.filename
    assert attached.get_content().decode() == LETTER.attached


async def test_a_letter_that_is_not_taken_is_told():
    async with post_office() as office:
        office.refuses = True
        with pytest.raises(OSError, match="no"):
            await SmtpMailer(office.url, "register@example.kz").send(LETTER)
    assert office.letters == []


async def test_a_password_does_not_travel_in_the_clear(monkeypatch):
    async with post_office() as office:
        office.offers = "AUTH PLAIN"
        url = office.url.replace("//", "//name:p%40ss@")
        await SmtpMailer(url, "register@example.kz").send(LETTER)
        assert office.logins == 1
        # As if the server stood on another machine.
        monkeypatch.setattr(sender, "_is_here", lambda host: False)
        with pytest.raises(smtplib.SMTPException, match="no TLS"):
            await SmtpMailer(url, "register@example.kz").send(LETTER)
    assert office.logins == 1
    assert len(office.letters) == 1
