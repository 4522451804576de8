"""Everything is killed at random moments, and nothing that was acknowledged is lost.

The brief form of `python -m benchmarks.kill`, which says what is promised; a hundred rounds of it
are told of in docs/performance.md.
"""

import os
import sys

import pytest

from benchmarks import kill, victims
from benchmarks.stage import EPHEMERAL, free_port

SEED = int(os.environ.get("IKOMEK_KILL_SEED", "109"))
BROKERS = [
    pytest.param("embedded", None, None, id="embedded"),
    pytest.param("rabbitmq", "TEST_RABBITMQ_URL", victims.RABBITMQ, id="rabbitmq"),
    pytest.param("redis", "TEST_REDIS_URL", victims.REDIS, id="redis"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("broker", "variable", "programs"), BROKERS)
def test_whatever_is_killed_nothing_acknowledged_is_lost(broker, variable, programs):
    # The server is the test's own, since it is killed; the variable says that this is the run in
    # the production setting.
    if variable is not None and variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    if programs is not None and not victims.has(programs):
        pytest.skip(f"{broker} is not installed here, and another's is not ours to kill")
    broken = kill.run(rounds=0, seed=SEED, broker=broker, pairs=2, hurried=True, tell=False)
    assert broken == [], f"seed {SEED}"


def test_the_same_seed_strikes_the_same_blows():
    names = ["api", "postgresql", "worker 1", "worker 2", "scheduler 1", "redis"]
    first, again = (kill.plan(7, 100, names, zombies=True) for _ in range(2))
    assert first == again != kill.plan(8, 100, names, zombies=True)
    struck = {blow.victim for round in first for blow in round.blows}
    assert struck == set(names)
    stood_still = {blow.victim for round in first for blow in round.blows if blow.still}
    assert stood_still == {"api", "worker 1", "worker 2", "scheduler 1"}


def test_the_brief_form_strikes_everybody():
    names = ["api", "postgresql", "worker 1", "worker 2", "scheduler 1", "scheduler 2", "rabbitmq"]
    rounds = kill.brief(7, names)
    killed = {b.victim for r in rounds[:2] for b in r.blows if not b.still}
    assert killed == set(names) == {blow.victim for blow in rounds[-1].blows}


def test_a_broker_that_ends_by_itself_is_started_again_and_then_named(tmp_path):
    log = tmp_path / "output.log"
    program = victims.Program(["sh", "-c", "echo the port is taken"], os.environ, log)
    program.start()
    with pytest.raises(RuntimeError, match=r"ended 3 times: .*the port is taken"):
        victims.await_broker(program, f"redis://127.0.0.1:{free_port()}/0")
    assert log.read_text().splitlines() == ["the port is taken"] * 3


def test_nobody_is_given_the_port_of_a_broker_that_is_away():
    given = {free_port() for _ in range(200)}
    assert len(given) > 100
    if EPHEMERAL.exists():
        assert max(given) < int(EPHEMERAL.read_text().split()[0])
