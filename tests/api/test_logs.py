"""Logs: a line is an object, and nothing personal is in it."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging, structlog
from api import logs

logs.configure("info")
log = structlog.get_logger()
{body}
"""


def lines_of(body: str) -> list[dict[str, Any]]:
    """What a program writes; in a process of its own, since logs are the process's."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_a_line_is_an_object_with_a_static_name_and_its_data_in_fields():
    (line,) = lines_of("log.warning('webhook_refused', status=503); log.debug('unheard')")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "webhook_refused", "status": 503, "level": "warning"}


def test_a_library_speaks_in_lines_too():
    (line,) = lines_of("logging.getLogger('some.library').warning('Слов %s', 2)")
    assert (line["event"], line["logger"], line["message"]) == ("library", "some.library", "Слов 2")


def test_what_a_database_tells_of_a_row_is_not_written_down():
    body = """
def fail():
    phone = "+77015550109"
    raise ValueError("value too long\\nDETAIL: Failing row contains (+77015550109)")

for logger in (log, logging.getLogger("some.library")):
    try:
        fail()
    except ValueError as error:
        logger.exception("save_failed")
"""
    ours, theirs = lines_of(body)
    for line in (ours, theirs):
        assert line["error"] == "ValueError: value too long"
        assert line["traceback"][-1].endswith(" fail")
        assert "77015550109" not in json.dumps(line)


def test_libraries_that_tell_much_are_kept_quiet():
    from api.logs import QUIET

    names = ", ".join(repr(name) for name in QUIET)
    assert lines_of(f"for name in [{names}]: logging.getLogger(name).info('hello')") == []
