"""The cell: runs one program's `work` on one hostile file under hard limits.

Started by path (`python -I -B confined.py PROGRAM LIMITS`), so it imports the standard
library alone. It limits itself before it reads a byte of the file, loads the program,
says that it is ready, takes one frame from stdin, answers one on stdout and ends.
A frame is two big-endian uint32 (lengths of header and body), a JSON header, a body.
"""

import json
import resource
import runpy
import struct
import sys
from typing import Any

LENGTHS = struct.Struct(">II")


def confine(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))


def seal() -> None:
    # With no free descriptor the process can open neither a file nor a socket any more.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def say(header: dict[str, Any], body: bytes = b"") -> None:
    encoded = json.dumps(header).encode()
    for part in (LENGTHS.pack(len(encoded), len(body)), encoded, body):
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def listen() -> tuple[dict[str, Any], bytes] | None:
    prefix = sys.stdin.buffer.read(LENGTHS.size)
    if len(prefix) < LENGTHS.size:
        return None
    header_length, body_length = LENGTHS.unpack(prefix)
    header = json.loads(sys.stdin.buffer.read(header_length))
    return header, sys.stdin.buffer.read(body_length)


def main(program: str, limits: str) -> None:
    confine(json.loads(limits))
    work = runpy.run_path(program)["work"]
    seal()
    say({"ready": True})
    if (asked := listen()) is None:
        return
    try:
        say(*work(*asked))
    except MemoryError:
        say({"fault": "out-of-memory"})
    except Exception as failure:
        say({"fault": "failed", "error": type(failure).__name__})


if __name__ == "__main__":
    main(*sys.argv[1:])
