"""A receiver on a real socket that answers whatever a test wants, byte by byte."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Where it listens, and what has visited it."""

    host: str
    port: int
    scheme: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def visited(self):
        return self.connections > 0

    def url(self, host=None, path="/109"):
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"


async def read_request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    return Request(head[0], headers, await reader.readexactly(int(headers["content-length"])))


@asynccontextmanager
async def receiver(answer: bytes | Script = OK, *, host="127.0.0.1", port=0, tls=None):
    """A running receiver that reads one request per connection and then answers."""
    here = Receiver(host, 0, "https" if tls else "http")

    async def visit(reader, writer):
        here.connections += 1
        try:
            here.requests.append(await read_request(reader))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the sender has hung up, as some tests want
        finally:
            writer.close()

    server = await asyncio.start_server(visit, host, port, ssl=tls)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()


def response(status, *headers, body=b""):
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@cache
def authority():
    """A self-signed certificate for hook.kz and 127.0.0.1: (server context, client context)."""
    server, chain = certified()
    return server, ssl.create_default_context(cadata=chain)


@cache
def certified():
    """The same: (server context, the certificate as PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.kz")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("hook.kz"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as room:
        path = Path(room, "hook.pem")
        path.write_bytes(chain + private)
        server.load_cert_chain(path)
    return server, chain.decode("ascii")
