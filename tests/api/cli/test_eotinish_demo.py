"""The demonstration exchanges with the stand-in: one command begins both."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.peers.eotinish_city import FILE, PORT

RUNNER = [sys.executable, "-m", "tests.peers.eotinish_city", "--port", "0"]
ASKS = """
import os, re, sys, urllib.request
from pathlib import Path
file = Path(os.environ["IKOMEK_EOTINISH"]).read_text("utf-8")
port = re.search(r"127\\.0\\.0\\.1:([0-9]+)/sync", file).group(1)
said = urllib.request.urlopen(f"http://127.0.0.1:{port}/register").read()
sys.stdout.write(said.decode())
sys.exit(7)
"""


def begun(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUNNER, "--folder", str(folder), "--", *command],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_file_of_the_demonstration_is_sound_with_the_keys_that_are_made(tmp_path: Path):
    told = begun(tmp_path, sys.executable, "-m", "api.cli", "eotinish", "check")
    assert told.returncode == 0, told.stderr
    assert "The exchange of semey can begin" in told.stdout


def test_the_stand_in_answers_while_the_command_runs_and_ends_with_it(tmp_path: Path):
    told = begun(tmp_path, sys.executable, "-c", ASKS)
    assert told.returncode == 7, told.stderr
    assert '"violations": []' in told.stdout
    found = re.search(r"http://127.0.0.1:([0-9]+)/register", told.stderr)
    assert found is not None
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(found.group(1))), 2)


def test_make_begins_the_city_beside_the_stand_in_of_the_file():
    dry = subprocess.run(
        ["make", "--dry-run", "--always-make", "run-eotinish"], cwd=ROOT, capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "-m tests.peers.eotinish_city -- .venv/bin/ikomek up --demo" in dry.stdout
    assert f"http://127.0.0.1:{PORT}/sync" in FILE.read_text("utf-8")
