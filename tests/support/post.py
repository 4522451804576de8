"""A mail server on a real socket that keeps what it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class PostOffice:
    """Where it listens, what it takes, and whom it refuses."""

    port: int = 0
    letters: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refuses: bool = False
    offers: str = "8BITMIME"
    logins: int = 0

    @property
    def url(self) -> str:
        """The URL of settings."""
        return f"smtp://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation (RFC 5321)."""

        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say("220 post.example.kz")
        to: list[str] = []
        while line := (await reader.readline()).decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                say(f"250-post.example.kz\r\n250 {self.offers}")
            elif verb == "AUTH":
                self.logins += 1
                say("235 ok")
            elif verb == "RCPT":
                to.append(line.partition("<")[2].rstrip(">"))
                say("550 no" if self.refuses else "250 ok")
            elif verb == "DATA":
                say("354 go on")
                text = await reader.readuntil(b"\r\n.\r\n")
                said = message_from_bytes(text.removesuffix(b".\r\n"), policy=policy.default)
                self.letters.append((to, said))
                to = []
                say("250 ok")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        writer.close()


@asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    """A mail server while it is needed."""
    office = PostOffice()
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0)
    office.port = server.sockets[0].getsockname()[1]
    async with server:
        yield office
