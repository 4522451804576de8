"""The stand-in of e-Өтініш on this machine and, beside it, a command that exchanges with it.

    python -m tests.peers.eotinish_city [--port 8110] -- ikomek up --demo

Makes keys of both sides in var/eotinish, begins the stand-in, and runs the command with the file of
the demonstration (demo/eotinish.yaml) in IKOMEK_EOTINISH until that ends; then the stand-in ends
too, and the command's status is that of this one.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from tests.peers.eotinish import PASSWORD
from tests.support.eotinish import write_keys

FILE = Path(__file__).parents[2] / "demo" / "eotinish.yaml"
PORT = 8110


def prepared(folder: Path, port: int) -> Path:
    """The demonstration's file for keys that lie in `folder` and a stand-in at a port."""
    said = yaml.safe_load(FILE.read_text("utf-8").replace(f":{PORT}/", f":{port}/"))
    for city in said["cities"]:
        for name in ("key", "certificate", "trusted"):
            city["signer"][name] = str(folder / Path(city["signer"][name]).name)
    path = folder / "eotinish.yaml"
    path.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    return path


def run(command: list[str], folder: Path, port: int) -> int:
    """Both at once; the command's status."""
    names = {"key": "gateway.key", "certificate": "gateway.crt", "city": "city.crt"}
    write_keys(folder)
    said = [part for name, file in names.items() for part in (f"--{name}", str(folder / file))]
    beside = [sys.executable, "-m", "tests.peers.eotinish", "--port", str(port), *said]
    with subprocess.Popen(beside, stdout=subprocess.PIPE, text=True) as stand_in:
        try:
            assert stand_in.stdout is not None
            found = stand_in.stdout.readline().strip()
            if not found.isdigit():
                return 1
            sys.stderr.write(f"e-Өтініш: http://127.0.0.1:{found}/register\n")
            environment = os.environ | {
                "IKOMEK_EOTINISH": str(prepared(folder, int(found))),
                "IKOMEK_STAND_IN_PASSWORD": PASSWORD,
            }
            return _until_it_ends(subprocess.Popen(command, env=environment))
        finally:
            stand_in.terminate()


def _until_it_ends(process: subprocess.Popen[bytes]) -> int:
    """Its status. Whoever ends this process ends it too; Ctrl-C reaches both by itself."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return process.wait()


def main() -> int:
    """Run what is named."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--port", type=int, default=PORT)
    words.add_argument("--folder", type=Path, default=Path("var/eotinish"))
    words.add_argument("command", nargs="+")
    said = words.parse_args()
    return run(said.command, said.folder.resolve(), said.port)


if __name__ == "__main__":
    sys.exit(main())
