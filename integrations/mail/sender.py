"""Mail by SMTP, with the standard library's client in a thread of its own."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from domain.ports import Letter

TIMEOUT = 15.0
"""Seconds that each answer of the server may take."""

_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Sends by the server of a URL: smtp:// (STARTTLS where it is offered) or smtps://."""

    url: str
    sender: str

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the server. Raises OSError (smtplib's errors are) when it is not taken,
        or cannot be written at all.

        A password never travels in the clear: without TLS it is refused, but to this machine.
        """
        try:
            await asyncio.to_thread(self._send, self._message(letter), letter.to)
        except OSError:
            raise
        except Exception as error:
            # An address is what somebody wrote: the standard library stumbles over it in many
            # ways ("a@" is an IndexError).
            raise OSError(f"the letter cannot be written: {type(error).__name__}") from error

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(letter.to)
        message["Subject"] = letter.subject
        message.set_content(letter.text)
        if letter.filename:
            # As bytes: mail ends the lines of a text its own way, and a signature would not hold.
            message.add_attachment(
                letter.attached.encode(),
                maintype="application",
                subtype="octet-stream",
                filename=letter.filename,
            )
        return message

    def _send(self, message: EmailMessage, to: tuple[str, ...]) -> None:
        at = urlsplit(self.url)
        host, port = at.hostname or "", at.port or _PORTS[at.scheme]
        context = ssl.create_default_context()
        connect = (
            smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
            if at.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=TIMEOUT)
        )
        with connect as server:
            server.ehlo()
            sealed = at.scheme == "smtps"
            if not sealed and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                sealed = True
            if at.username:
                if not (sealed or _is_here(host)):
                    raise smtplib.SMTPException("the server offers no TLS for the password")
                server.login(unquote(at.username), unquote(at.password or ""))
            server.send_message(message, self.sender, list(to))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
